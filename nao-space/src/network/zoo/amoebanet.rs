//! AmoebaNet-A and -B (Real et al., 2019, arXiv 1802.01548).

use super::cells::ops::{AVG3, CONV_1X7, CONV1, CONV3, DIL_SEP5, ID, MAX2, MAX3, SEP3, SEP5, SEP7};
use super::cells::{Cells, cell, concats};
use super::entry::{Published, ZooEntry};
use crate::image::{CnnArch, OpSet};
use crate::network::{Convention, Skeleton};

const PAPER: &str = "Real et al., AAAI 2019";
const CODE: &str = "TensorFlow TPU models, official/amoeba_net";

pub(super) fn entries() -> Vec<ZooEntry> {
    vec![amoebanet_a(), amoebanet_b()]
}

fn figure(
    error_percent: f64,
    params_millions: f64,
    width: usize,
    models: u32,
    setting: &'static str,
) -> Published {
    Published {
        params_millions: Some(params_millions),
        skeleton: Some(Skeleton { convention: Convention::Slim, ..Skeleton::cifar10(6, width) }),
        models_evaluated: Some(models),
        gpu_days: Some(3150.0),
        ..Published::cifar10(error_percent, setting, PAPER)
    }
}

/// The reduction cell concatenates all nodes, also those that others read.
fn amoebanet_a() -> ZooEntry {
    let normal = cell([
        [(1, AVG3), (1, MAX3)],
        [(0, SEP3), (0, ID)],
        [(1, ID), (0, AVG3)],
        [(1, SEP3), (2, SEP5)],
        [(5, AVG3), (1, SEP3)],
    ]);
    let reduction = cell([
        [(0, SEP3), (1, AVG3)],
        [(1, MAX3), (2, SEP7)],
        [(0, MAX3), (1, MAX3)],
        [(4, SEP3), (1, CONV_1X7)],
        [(0, AVG3), (1, SEP7)],
    ]);
    let cells = Cells {
        name: "AmoebaNet-A",
        ops: OpSet::amoeba_11(),
        arch: CnnArch { normal, reduction },
        outputs: concats(&[0, 3, 4, 6], &[2, 3, 4, 5, 6]),
        source: CODE,
    };
    cells.entry(Some(10), vec![figure(3.34, 3.2, 36, 20_000, "N=6 F=36")])
}

fn amoebanet_b() -> ZooEntry {
    let normal = cell([
        [(0, CONV1), (0, MAX3)],
        [(0, ID), (1, SEP3)],
        [(0, CONV1), (1, SEP3)],
        [(2, CONV1), (2, ID)],
        [(0, AVG3), (5, CONV1)],
    ]);
    let reduction = cell([
        [(1, MAX2), (1, MAX3)],
        [(2, ID), (0, CONV3)],
        [(2, DIL_SEP5), (2, MAX3)],
        [(3, ID), (0, SEP3)],
        [(4, AVG3), (3, CONV1)],
    ]);
    let cells = Cells {
        name: "AmoebaNet-B",
        ops: OpSet::amoeba_11(),
        arch: CnnArch { normal, reduction },
        outputs: concats(&[1, 3, 4, 6], &[5, 6]),
        source: CODE,
    };
    let published = vec![
        figure(3.37, 2.8, 36, 27_000, "N=6 F=36"),
        figure(3.04, 13.7, 80, 27_000, "N=6 F=80"),
        figure(2.98, 34.9, 128, 27_000, "N=6 F=128"),
        figure(2.13, 34.9, 128, 27_000, "N=6 F=128, cutout"),
    ];
    cells.entry(Some(19), published)
}
