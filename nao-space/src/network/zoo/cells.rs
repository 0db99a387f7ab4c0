//! Published cells as the files of their families write them down.

use super::entry::{Published, ZooEntry};
use crate::image::{Cell, CnnArch, Edge, Node, Op, OpSet, State};
use crate::language::Space;
use crate::network::concat::{CellOutputs, Concat};
use crate::spaces::CnnSpace;

/// Published cells as they are written in the files of the families.
pub(super) struct Cells {
    pub name: &'static str,
    pub ops: OpSet,
    pub arch: CnnArch,
    pub outputs: CellOutputs,
    pub source: &'static str,
}

impl Cells {
    /// The authors' strings; their cells concatenate loose ends.
    pub fn of_string(name: &'static str, ops: OpSet, text: &str, source: &'static str) -> Self {
        let space = CnnSpace::new(5, ops.clone()).expect("five nodes are allowed");
        let arch = space.parse(text).expect("published strings are well formed");
        Cells { name, ops, arch, outputs: CellOutputs::both(Concat::LooseEnds), source }
    }

    /// An entry whose first figure has a network.
    pub fn entry(self, searched_ops: Option<u32>, published: Vec<Published>) -> ZooEntry {
        let Cells { name, ops, arch, outputs, source } = self;
        let space = CnnSpace::new(arch.normal.nodes().len(), ops).expect("published cells are small");
        let skeleton = published[0].skeleton.expect("the first figure has a network");
        ZooEntry { name, space, arch, outputs, skeleton, searched_ops, source, published }
    }
}

/// A cell from the states and operations of its nodes.
pub(super) fn cell<const N: usize>(nodes: [[(u8, Op); 2]; N]) -> Cell {
    let edge = |(state, op)| Edge { input: State(state), op };
    let nodes = nodes.into_iter().map(|branches| Node { edges: branches.map(edge) });
    Cell::new(nodes.collect()).expect("published cells are well formed")
}

/// Lists of concatenated states.
pub(super) fn concats(normal: &[u8], reduction: &[u8]) -> CellOutputs {
    let states = |list: &[u8]| list.iter().map(|&state| State(state)).collect();
    CellOutputs::lists(states(normal), states(reduction))
}

/// Operations of the tables of cells.
pub(super) mod ops {
    use crate::image::{Border, Op};

    pub const ID: Op = Op::Identity;
    pub const SEP3: Op = Op::SepConv { kernel: 3 };
    pub const SEP5: Op = Op::SepConv { kernel: 5 };
    pub const SEP7: Op = Op::SepConv { kernel: 7 };
    pub const DIL3: Op = Op::DilConv { kernel: 3 };
    pub const DIL_SEP5: Op = Op::DilSepConv { kernel: 5 };
    pub const CONV1: Op = Op::Conv { kernel: 1 };
    pub const CONV3: Op = Op::Conv { kernel: 3 };
    pub const CONV_1X3: Op = Op::FactorConv { kernel: 3 };
    pub const CONV_1X7: Op = Op::FactorConv { kernel: 7 };
    pub const MAX2: Op = Op::MaxPool { kernel: 2, border: Border::Ignored };
    pub const MAX3: Op = Op::MaxPool { kernel: 3, border: Border::Ignored };
    pub const AVG2: Op = Op::AvgPool { kernel: 2, border: Border::Ignored };
    pub const AVG3: Op = Op::AvgPool { kernel: 3, border: Border::Ignored };
    pub const AVG5: Op = Op::AvgPool { kernel: 5, border: Border::Ignored };
}
