//! Pictures of architectures: DOT for Graphviz, and SVG that needs no other program.
//!
//! ```
//! use nao_space::draw::{Drawing, arch_dot, arch_svg};
//! use nao_space::network::zoo_entry;
//!
//! let arch = &zoo_entry("NAONet-A").unwrap().arch;
//! let svg = arch_svg(arch, &Drawing::titled("NAONet-A"));
//! assert!(svg.starts_with("<svg") && svg.contains("c[k-2]"));
//! assert!(arch_dot(arch, "NAONet-A").starts_with("digraph"));
//! ```
//!
//! [`Picture`] draws every space: image cells with the states that they concatenate, DARTS cells, recurrent cells,
//! NAS-Bench-101 and NAS-Bench-201 cells.
//!
//! Both formats show the same graph of a cell: two inputs, a box per operation, a sum per node with the number of
//! the state it makes, and the concatenation of the loose ends. The SVG is laid out here. Of the layout
//! crates, `rust-sugiyama` 0.4 (MIT, petgraph) returns places of vertices but not the bends of long edges,
//! without which edges run through boxes, and `layout-rs` 0.1 (MIT) draws its own pictures with fixed colours.
//! Neither can keep the two operations of a node together above their sum, which makes a cell easy to read.

mod diagram;
mod dot;
mod layout;
mod palette;
mod picture;
mod svg;
mod text;

pub use dot::{arch_dot, cell_dot};
pub use picture::Picture;
pub use svg::{Arrangement, Drawing, arch_svg, cell_svg};

use crate::image::{Op, State};

/// What a state is called beside a cell: its inputs count back from the cell's own output `c[k]`.
fn input_label(state: State) -> String {
    format!("c[k-{}]", State::INPUTS - state.index())
}

/// The output of a cell.
const OUTPUT_LABEL: &str = "c[k]";

/// The label of an operation as family and kernel, `sep conv` and `3×3`; no kernel, no second line.
fn op_lines(op: Op) -> (String, Option<String>) {
    let label = op.label();
    match label.rsplit_once(' ') {
        Some((family, kernel)) => (family.to_owned(), Some(kernel.replace('x', "×").replace('+', " + "))),
        None => (label, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_part_into_family_and_kernel() {
        assert_eq!(op_lines(Op::Identity), ("identity".into(), None));
        assert_eq!(op_lines(Op::SepConv { kernel: 3 }), ("sep conv".into(), Some("3×3".into())));
        assert_eq!(op_lines(Op::FactorConv { kernel: 7 }), ("conv".into(), Some("1×7 + 7×1".into())));
    }

    #[test]
    fn inputs_are_counted_back_from_the_output() {
        assert_eq!(input_label(State(0)), "c[k-2]");
        assert_eq!(input_label(State(1)), "c[k-1]");
    }
}
