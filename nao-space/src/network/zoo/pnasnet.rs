//! PNASNet-5 (Liu et al., 2018, arXiv 1712.00559): one cell for both roles, reductions in place.

use super::cells::ops::{ID, MAX3, SEP3, SEP5, SEP7};
use super::cells::{Cells, cell};
use super::entry::{Published, ZooEntry};
use crate::image::{CnnArch, OpSet};
use crate::network::{CellOutputs, Concat, Convention, Reduction, Skeleton};

pub(super) fn entries() -> Vec<ZooEntry> {
    let both = cell([
        [(0, SEP5), (0, MAX3)],
        [(1, SEP7), (1, MAX3)],
        [(1, SEP5), (1, SEP3)],
        [(4, SEP3), (1, MAX3)],
        [(0, SEP3), (1, ID)],
    ]);
    let cells = Cells {
        name: "PNASNet-5",
        ops: OpSet::pnas_8(),
        arch: CnnArch { normal: both.clone(), reduction: both },
        // The third node is read and concatenated.
        outputs: CellOutputs::both(Concat::Nodes),
        source: "TensorFlow research models, slim/nets/nasnet",
    };
    let skeleton =
        Skeleton { convention: Convention::Slim, reduction: Reduction::InPlace, ..Skeleton::cifar10(3, 48) };
    let published = vec![Published {
        params_millions: Some(3.2),
        skeleton: Some(skeleton),
        models_evaluated: Some(1280),
        gpu_days: Some(225.0),
        ..Published::cifar10(3.41, "N=3 F=48", "Liu et al., ECCV 2018")
    }];
    vec![cells.entry(Some(8), published)]
}
