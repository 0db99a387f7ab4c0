//! Pictures are well-formed, complete, self-contained and the same every time.

use super::*;
use crate::draw::palette::kind_label;
use crate::op_set::{OP_SET_NAMES, OpSet};
use crate::seed::rng_for;
use crate::space::Space;
use crate::spaces::CnnSpace;

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
        let document = roxmltree::Document::parse(&svg).unwrap();
        let with_class = |class: &str| {
            let has = |node: &roxmltree::Node<'_, '_>| {
                node.attribute("class").is_some_and(|classes| classes.split(' ').any(|one| one == class))
            };
            document.descendants().filter(has).count()
        };
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
        for kind in KINDS {
            let used = arch.cells().iter().any(|(_, cell)| cell.edges().any(|edge| edge.op.kind() == kind));
            assert!(!used || svg.contains(&format!(">{}</text>", kind_label(kind))), "{kind:?}");
            assert_eq!(svg.contains(&format!("class=\"nao-{}\"", kind_class(kind))), used, "{kind:?}");
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
