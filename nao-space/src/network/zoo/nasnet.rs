//! NASNet-A (Zoph et al., 2018, arXiv 1707.07012).

use super::cells::ops::{AVG3, ID, MAX3, SEP3, SEP5, SEP7};
use super::cells::{Cells, cell, concats};
use super::entry::{Published, ZooEntry};
use crate::image::{CnnArch, OpSet};
use crate::network::{CellOutputs, Convention, Skeleton};

const PAPER: &str = "Zoph et al., CVPR 2018";
const CODE: &str = "TensorFlow research models, slim/nets/nasnet";

/// The cells as the authors' code has them, and with the concatenations that the paper draws.
pub(super) fn entries() -> Vec<ZooEntry> {
    let code = concats(&[0, 2, 3, 4, 5, 6], &[3, 4, 5, 6]);
    let drawn = concats(&[2, 3, 4, 5, 6], &[4, 5, 6]);
    let note = "the concatenations that the paper draws; those of the code count 3.3M";
    vec![entry("NASNet-A", code, None), entry("NASNet-A-figure", drawn, Some(note))]
}

fn entry(name: &'static str, outputs: CellOutputs, note: Option<&'static str>) -> ZooEntry {
    let normal = cell([
        [(1, SEP5), (0, SEP3)],
        [(0, SEP5), (0, SEP3)],
        [(1, AVG3), (0, ID)],
        [(0, AVG3), (0, AVG3)],
        [(1, SEP3), (1, ID)],
    ]);
    let reduction = cell([
        [(1, SEP5), (0, SEP7)],
        [(1, MAX3), (0, SEP7)],
        [(1, AVG3), (0, SEP5)],
        [(3, ID), (2, AVG3)],
        [(2, SEP3), (1, MAX3)],
    ]);
    let arch = CnnArch { normal, reduction };
    let published = vec![Published {
        params_millions: Some(3.3),
        skeleton: Some(Skeleton { convention: Convention::Slim, ..Skeleton::cifar10(6, 32) }),
        models_evaluated: Some(20_000),
        gpu_days: Some(2000.0),
        note,
        ..Published::cifar10(3.41, "N=6 F=32", PAPER)
    }];
    Cells { name, ops: OpSet::nasnet_13(), arch, outputs, source: CODE }.entry(Some(13), published)
}
