//! Pictures are well-formed, complete, self-contained and the same every time.

use super::*;
use crate::draw::Picture;
use crate::image::{CellRole, OP_SET_NAMES, OpSet, State};
use crate::language::Space;
use crate::network::{CellOutputs, Concat};
use crate::seed::rng_for;
use crate::spaces::{
    ActivationOrder, CnnSpace, DartsSpace, NasBench101Arch, NasBench101Space, NasBench201Arch,
    NasBench201Space, RnnSpace,
};

fn archs() -> Vec<CnnArch> {
    let arch = |index: usize| {
        let ops = OpSet::named(OP_SET_NAMES[index % OP_SET_NAMES.len()]).unwrap();
        let space = CnnSpace::new([1, 5, 12][index % 3], ops).unwrap();
        space.sample(&mut rng_for(6, "svg", index as u64))
    };
    (0..45).map(arch).collect()
}

#[test]
fn every_picture_is_well_formed_xml() {
    for arch in archs() {
        let drawing =
            Drawing { subtitle: "]]> <!-- \u{0} &amp;".into(), ..Drawing::titled("<script> & \"x\" 'y'") };
        for arrangement in [Arrangement::Auto, Arrangement::SideBySide, Arrangement::Stacked] {
            let svg = arch_svg(&arch, &Drawing { arrangement, ..drawing.clone() });
            let document = roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{error}: {svg}"));
            assert_eq!(document.root_element().tag_name().name(), "svg");
            assert!(document.descendants().all(|node| !node.has_tag_name("script")));
        }
    }
}

#[test]
fn nodes_and_edges_are_those_of_the_architecture() {
    for arch in archs() {
        let svg = arch_svg(&arch, &Drawing::default());
        let with_class = |class| with_class(&svg, class);
        let count = |of: fn(&Cell) -> usize| arch.cells().iter().map(|(_, cell)| of(cell)).sum::<usize>();
        assert_eq!(with_class("nao-op"), count(|cell| cell.edges().count()));
        assert_eq!(with_class("nao-input"), count(|cell| cell.edges().count()));
        assert_eq!(
            with_class("nao-sum"),
            3 * count(|cell| cell.nodes().len()),
            "a circle and two lines each"
        );
        assert_eq!(with_class("nao-loose-end"), count(|cell| cell.loose_ends().len()));
        assert_eq!(with_class("nao-output"), 2);
    }
}

#[test]
fn the_legend_explains_the_colours_in_use_and_no_others() {
    for arch in archs() {
        let svg = arch_svg(&arch, &Drawing::default());
        for kind in Family::ALL {
            let used = arch
                .cells()
                .iter()
                .any(|(_, cell)| cell.edges().any(|edge| Family::Op(edge.op.kind()) == kind));
            assert!(!used || svg.contains(&format!(">{}</text>", kind.label())), "{kind:?}");
            assert_eq!(svg.contains(&format!("class=\"nao-{}\"", kind.class())), used, "{kind:?}");
        }
    }
}

#[test]
fn a_picture_names_its_title_inputs_and_operations() {
    let arch = &crate::network::zoo_entry("NAONet-A").unwrap().arch;
    let svg = arch_svg(arch, &Drawing::titled("NAONet-A"));
    for text in ["NAONet-A", "c[k-2]", "c[k-1]", "c[k]", "concat", "Normal cell", "1×7 + 7×1", "identity"] {
        assert!(svg.contains(&format!(">{text}</text>")), "{text}");
    }
    assert!(svg.contains("prefers-color-scheme: dark"));
    assert!(!svg.contains("href") && !svg.contains("url("), "nothing from elsewhere");
}

#[test]
fn the_same_cell_gives_the_same_bytes() {
    for arch in archs() {
        let drawing = Drawing::titled("twice");
        assert_eq!(arch_svg(&arch, &drawing), arch_svg(&arch, &drawing));
    }
}

#[test]
fn one_cell_is_drawn_without_a_heading() {
    let arch = &crate::network::zoo_entry("NAONet-B").unwrap().arch;
    let svg = cell_svg(&arch.normal, &Drawing::default());
    assert!(!svg.contains("Normal cell") && svg.matches("nao-cell").count() == 1);
    roxmltree::Document::parse(&svg).unwrap();
}

#[test]
fn coordinates_are_short() {
    assert_eq!([0.04, -0.04, 3.0, 2.25, -1.5].map(number), ["0", "0", "3", "2.3", "-1.5"]);
}

/// How many elements of a well-formed picture have a class.
fn with_class(svg: &str, class: &str) -> usize {
    let document = roxmltree::Document::parse(svg).unwrap_or_else(|error| panic!("{error}: {svg}"));
    let has = |node: &roxmltree::Node<'_, '_>| {
        node.attribute("class").is_some_and(|classes| classes.split(' ').any(|one| one == class))
    };
    document.descendants().filter(has).count()
}

#[test]
fn published_cells_are_drawn_with_the_states_that_they_concatenate() {
    for entry in crate::network::zoo() {
        let svg = Picture::of_cells(&entry.arch, &entry.outputs).unwrap().svg(&Drawing::titled(entry.name));
        let plan = entry.plan(&entry.skeleton).unwrap();
        let pieces =
            |role| plan.cells.iter().find(|cell| cell.role == role).map_or(0, |cell| cell.pieces.len());
        let both = pieces(CellRole::Normal) + pieces(CellRole::Reduction);
        assert_eq!(with_class(&svg, "nao-loose-end"), both, "{}", entry.name);
    }
}

#[test]
fn a_list_that_does_not_fit_the_cell_is_refused() {
    let arch = &crate::network::zoo_entry("NAONet-B").unwrap().arch;
    let outputs = CellOutputs::both(Concat::States(vec![State(40)]));
    assert!(Picture::of_cells(arch, &outputs).is_err());
}

#[test]
fn darts_cells_concatenate_all_nodes() {
    let space = DartsSpace::default();
    for index in 0..20 {
        let svg = Picture::of_darts(&space.sample(&mut rng_for(6, "darts", index))).svg(&Drawing::default());
        assert_eq!(with_class(&svg, "nao-loose-end"), 2 * DartsSpace::NODES);
    }
}

#[test]
fn recurrent_cells_average_every_searched_node() {
    for index in 0..20 {
        let nodes = [1, 5, 11, 64][index % 4];
        let space = RnnSpace::new(nodes, ActivationOrder::NaoWs).unwrap();
        let arch = space.sample(&mut rng_for(6, "rnn", index as u64));
        let svg = Picture::of_rnn(&arch).svg(&Drawing::default());
        assert_eq!(with_class(&svg, "nao-op"), nodes + 1);
        // Word and memory enter the fixed node, every other node reads one.
        assert_eq!(with_class(&svg, "nao-input"), nodes + 2);
        assert_eq!(with_class(&svg, "nao-loose-end"), nodes);
        assert_eq!(with_class(&svg, "nao-sum"), 0);
        assert!(svg.contains(">h[t-1]</text>") && !svg.contains("sum, with"));
    }
}

#[test]
fn nasbench_cells_have_their_boxes_and_edges() {
    let (small, matrix) = (NasBench201Space::default(), NasBench101Space::default());
    for index in 0..20 {
        let mut rng = rng_for(6, "nasbench", index);
        let svg = Picture::of_nasbench201(&small.sample(&mut rng)).svg(&Drawing::default());
        assert_eq!(with_class(&svg, "nao-op"), NasBench201Arch::EDGES);
        assert_eq!(with_class(&svg, "nao-output"), 0, "the sink is the output");

        let arch = matrix.sample(&mut rng);
        let svg = Picture::of_nasbench101(&arch).svg(&Drawing::default());
        assert_eq!(with_class(&svg, "nao-op"), arch.ops().len());
        assert_eq!(with_class(&svg, "nao-input") + with_class(&svg, "nao-loose-end"), arch.edges());
    }
    let straight = NasBench101Arch::new(&[vec![false, true], vec![false, false]], &[]).unwrap();
    assert!(Picture::of_nasbench101(&straight).svg(&Drawing::default()).contains(">projection</text>"));
}

#[test]
fn dot_draws_the_same_edges_in_every_space() {
    let mut rng = rng_for(6, "dot", 0);
    let rnn = Picture::of_rnn(&RnnSpace::default().sample(&mut rng)).dot("");
    assert_eq!(rnn.matches(" -> ").count(), 2 + 11 + 11 + 1);
    let nasbench201 = Picture::of_nasbench201(&NasBench201Space::default().sample(&mut rng)).dot("");
    assert_eq!(nasbench201.matches(" -> ").count(), 2 * NasBench201Arch::EDGES + 1);
    let arch = NasBench101Space::default().sample(&mut rng);
    assert_eq!(Picture::of_nasbench101(&arch).dot("").matches(" -> ").count(), arch.edges() + 1);
}
