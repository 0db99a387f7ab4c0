//! What hierarchical architectures are.

use std::collections::{HashMap, HashSet};

use super::*;
use crate::search::laws::best_of;
use crate::search::{EvolutionConfig, EvolutionSearch};
use crate::seed::rng_for;

fn space() -> HierarchicalSpace {
    HierarchicalSpace::default()
}

#[test]
fn edges_and_their_ends_agree() {
    let pairs: Vec<(usize, usize)> = (1..5).flat_map(|to| (0..to).map(move |from| (from, to))).collect();
    assert_eq!((0..10).map(ends).collect::<Vec<_>>(), pairs);
    assert_eq!(
        pairs.iter().map(|&(from, to)| edge(from, to)).collect::<Vec<_>>(),
        (0..10).collect::<Vec<_>>()
    );
}

#[test]
fn the_language_is_that_of_six_motifs_and_a_cell() {
    let space = space();
    assert_eq!((space.sequence_len(), space.vocabulary().len()), (46, 14));
    assert_eq!(space.position(0), "motif 1, 1 <- 0");
    assert_eq!(space.position(35), "motif 6, 3 <- 2");
    assert_eq!(space.position(45), "cell, 4 <- 3");
}

#[test]
fn motifs_that_are_alike_unused_or_empty_do_not_matter() {
    let space = space();
    let key = |text: &str| space.key(&space.parse(text).unwrap());
    let empty = "none;none,none;none,none,none";
    let rest = |used: [&str; 2], cell: &str| {
        format!("m1={} m2={} m3={empty} m4={empty} m5={empty} m6={empty} cell={cell}", used[0], used[1])
    };
    let pool = "none;none,none;max_pool_3x3,none,none";
    let one = rest([pool, pool], "m1;none,m2;none,none,none;none,none,m1,none");
    // Two names of one motif, and another number of the node in the middle.
    let same = rest([empty, pool], "m2;none,none;none,m2,none;none,none,none,m2");
    assert_eq!(key(&one), key(&same));
    // A motif that leads nowhere is no edge, and what it fed has no input.
    let dead = rest(["conv_1x1;none,none;none,none,none", pool], "m1;none,m2;none,none,none;m2,none,m2,none");
    let alive = rest([pool, empty], "none;none,none;none,none,none;m1,none,none,none");
    assert_eq!(key(&dead), key(&alive));
    assert_ne!(key(&one), key(&alive));
}

/// Of single motifs of three choices per edge: keys are equal just where graphs are.
#[test]
fn the_key_of_a_motif_is_its_graph() {
    let space = space();
    let mut arch = HierarchicalArch { motifs: [Motif::default(); 6], cell: [None; 10] };
    arch.cell[edge(0, 4)] = MotifId::new(0);
    let mut print_of = HashMap::new();
    for code in 0..729usize {
        arch.motifs[0].edges = std::array::from_fn(|place| match code / 3usize.pow(place as u32) % 3 {
            0 => None,
            1 => Some(Primitive::Conv1x1),
            _ => Some(Primitive::Identity),
        });
        let print = space.graphs(&arch)[0].fingerprint();
        assert_eq!(*print_of.entry(space.key(&arch)).or_insert(print), print, "{arch:?}");
    }
    let prints: HashSet<u64> = print_of.values().copied().collect();
    assert_eq!((print_of.len(), prints.len()), (261, 261));
}

#[test]
fn graphs_write_motifs_out() {
    let space = space();
    // Four times three identities in a row.
    let graph = &space.graphs(&HierarchicalArch::trivial())[0];
    assert_eq!(graph.len(), 1 + 12 + 1);
}

#[test]
fn mutations_take_each_level_as_often() {
    let (space, mut rng) = (space(), rng_for(1, "test", 0));
    let arch = HierarchicalArch::trivial();
    let of_cell = (0..1000).filter(|_| space.mutate(&arch, &mut rng).cell != arch.cell).count();
    assert!((430..570).contains(&of_cell), "{of_cell}");
}

#[test]
fn errors_name_motif_edge_and_choice() {
    let text = space().format(&HierarchicalArch::trivial());
    let error = |from: &str, to: &str| space().parse(&text.replacen(from, to, 1)).unwrap_err().to_string();
    assert!(
        error("none,identity", "nothing,identity")
            .contains("(motif 1, 2 <- 0): found `nothing,identity;none,no")
    );
    assert!(error("cell=m1", "cell=m7").contains("(cell, 1 <- 0)"));
    assert!(error("cell=m1", "cell=m7").contains("expected none, m1 to m6"));
    assert!(error(" m2=", " m3=").contains("expected `m2=`"));
}

/// The cell as a path of convolutions, by tournaments.
#[test]
fn its_evolution_climbs() {
    let space = space();
    let worth = |arch: &HierarchicalArch| {
        let graph = &space.graphs(arch)[0];
        let convolutions = graph.labels().iter().filter(|label| {
            matches!(label, crate::graph::VertexLabel::Operation(op) if usize::from(*op) == Primitive::SepConv3x3 as usize)
        });
        Some(convolutions.count() as f64)
    };
    let best: Vec<[f64; 2]> = (0..10)
        .map(|seed| {
            let mut evolved =
                EvolutionSearch::new(space.clone(), EvolutionConfig::tournaments(), seed).unwrap();
            let mut random = crate::search::RandomSearch::new(space.clone(), seed);
            [best_of(&mut evolved, 60, 5, worth), best_of(&mut random, 60, 5, worth)]
        })
        .collect();
    assert!(best.iter().all(|[evolved, random]| evolved > random), "{best:?}");
}
