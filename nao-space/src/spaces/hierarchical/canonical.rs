//! One spelling of all hierarchical architectures that differ in numbers alone.

use super::arch::{HierarchicalArch, Motif, MotifId, edge, ends};

/// All orders of the nodes of a graph that keep input and output: the new number of each.
pub(super) fn orders(nodes: usize) -> impl Iterator<Item = Vec<usize>> {
    let mut all = vec![vec![0]];
    for _ in 1..nodes - 1 {
        let longer = all.iter().flat_map(|order: &Vec<usize>| {
            let free = (1..nodes - 1).filter(|number| !order.contains(number));
            free.map(|number| [&order[..], &[number]].concat()).collect::<Vec<_>>()
        });
        all = longer.collect();
    }
    all.into_iter().map(move |mut order| {
        order.push(nodes - 1);
        order
    })
}

/// A graph with its nodes in that order; `None` where an edge would lead backwards.
pub(super) fn reordered<T: Copy, const E: usize>(
    edges: &[Option<T>; E],
    order: &[usize],
) -> Option<[Option<T>; E]> {
    let mut other = [None; E];
    for (place, &label) in edges.iter().enumerate() {
        let (from, to) = ends(place);
        let (from, to) = (order[from], order[to]);
        match label {
            None => {}
            Some(_) if from > to => return None,
            Some(label) => other[edge(from, to)] = Some(label),
        }
    }
    Some(other)
}

/// A graph without edges on no path from its input to its output.
fn pruned<T: Copy, const E: usize>(edges: &[Option<T>; E], nodes: usize) -> [Option<T>; E] {
    let (mut reached, mut leads) = (vec![false; nodes], vec![false; nodes]);
    (reached[0], leads[nodes - 1]) = (true, true);
    // Edges in order of the node that they lead to: whatever a node reads comes before its readers.
    for place in (0..E).filter(|&place| edges[place].is_some()) {
        let (from, to) = ends(place);
        reached[to] |= reached[from];
    }
    for place in (0..E).rev().filter(|&place| edges[place].is_some()) {
        let (from, to) = ends(place);
        leads[from] |= leads[to];
    }
    std::array::from_fn(|place| {
        let (from, to) = ends(place);
        edges[place].filter(|_| reached[from] && leads[to])
    })
}

/// The smallest of all spellings of a graph.
fn smallest<T: Copy + Ord, const E: usize>(edges: &[Option<T>; E], nodes: usize) -> [Option<T>; E] {
    let pruned = pruned(edges, nodes);
    let spellings = orders(nodes).filter_map(|order| reordered(&pruned, &order));
    spellings.min().expect("the order as it is leads forward")
}

/// Motifs by what they are, in the order in which the cell uses them.
pub(super) fn canonical_arch(arch: &HierarchicalArch) -> HierarchicalArch {
    let motifs =
        arch.motifs.map(|motif| Motif { edges: smallest(&motif.edges, HierarchicalArch::MOTIF_NODES) });
    // A motif without any path is no edge.
    let named = arch.cell.map(|edge| {
        edge.map(|motif| motifs[motif.index()]).filter(|motif| motif.edges.iter().any(Option::is_some))
    });
    let cell = smallest(&named, HierarchicalArch::CELL_NODES);
    let mut used: Vec<Motif> = Vec::new();
    let cell = cell.map(|edge| {
        let motif = edge?;
        let number = used.iter().position(|&known| known == motif).unwrap_or_else(|| {
            used.push(motif);
            used.len() - 1
        });
        MotifId::new(number)
    });
    HierarchicalArch {
        motifs: std::array::from_fn(|number| used.get(number).copied().unwrap_or_default()),
        cell,
    }
}
