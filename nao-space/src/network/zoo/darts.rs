//! DARTS (Liu et al., 2019, arXiv 1806.09055): four nodes, all of them concatenated.

use super::cells::ops::{AVG3, DIL3, ID, MAX3, SEP3};
use super::cells::{Cells, cell};
use super::entry::{Published, ZooEntry};
use crate::image::{Cell, CnnArch, OpSet};
use crate::network::{CellOutputs, Concat, Convention, Skeleton};

const PAPER: &str = "Liu et al., ICLR 2019";

pub(super) fn entries() -> Vec<ZooEntry> {
    vec![first_order(), second_order()]
}

fn figure(error_percent: f64, params_millions: f64, gpu_days: f64, source: &'static str) -> Published {
    Published {
        params_millions: Some(params_millions),
        skeleton: Some(Skeleton { convention: Convention::Darts, ..Skeleton::cifar10(6, 36) }),
        gpu_days: Some(gpu_days),
        ..Published::cifar10(error_percent, "N=6 F=36, cutout 16", source)
    }
}

fn entry(name: &'static str, normal: Cell, reduction: Cell, published: Vec<Published>) -> ZooEntry {
    let cells = Cells {
        name,
        ops: OpSet::darts_7(),
        arch: CnnArch { normal, reduction },
        outputs: CellOutputs::both(Concat::Nodes),
        source: "DARTS repository, genotypes",
    };
    cells.entry(Some(7), published)
}

fn first_order() -> ZooEntry {
    let normal =
        cell([[(1, SEP3), (0, SEP3)], [(0, ID), (1, SEP3)], [(0, ID), (1, SEP3)], [(0, SEP3), (2, ID)]]);
    let reduction =
        cell([[(0, MAX3), (1, MAX3)], [(2, ID), (0, MAX3)], [(0, MAX3), (2, ID)], [(2, ID), (0, AVG3)]]);
    let note = "the released cells count 3.17M; the first version of the paper printed 2.9M";
    let published = vec![Published { note: Some(note), ..figure(3.00, 3.3, 1.5, PAPER) }];
    entry("DARTS-V1", normal, reduction, published)
}

fn second_order() -> ZooEntry {
    let normal =
        cell([[(0, SEP3), (1, SEP3)], [(0, SEP3), (1, SEP3)], [(1, SEP3), (0, ID)], [(0, ID), (2, DIL3)]]);
    let reduction =
        cell([[(0, MAX3), (1, MAX3)], [(2, ID), (1, MAX3)], [(0, MAX3), (2, ID)], [(2, ID), (1, MAX3)]]);
    let note = "the paper and repository of DARTS print 3.3M for these cells; nothing explains 4.6M";
    let published = vec![
        figure(2.76, 3.3, 4.0, PAPER),
        Published { note: Some(note), ..figure(2.83, 4.6, 4.0, "comparison of Luo et al., NeurIPS 2018") },
    ];
    entry("DARTS-V2", normal, reduction, published)
}
