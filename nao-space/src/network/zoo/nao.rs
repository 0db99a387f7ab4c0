//! The authors' cells (docs/specification.md, a.6).

use super::cells::ops::{AVG2, AVG3, AVG5, CONV_1X3, CONV_1X7, CONV1, CONV3, ID, MAX2, MAX3};
use super::cells::{Cells, cell};
use super::entry::{Published, ZooEntry};
use crate::image::{CnnArch, OpSet};
use crate::network::{CellOutputs, Concat, Convention, Skeleton};

const PYTORCH_V1: &str = "authors' PyTorch repository, V1";
const PYTORCH_V2: &str = "authors' PyTorch repository, V2";
const TENSORFLOW: &str = "authors' TensorFlow repository";
const PAPER: &str = "Luo et al., NeurIPS 2018";

pub(super) fn entries() -> Vec<ZooEntry> {
    vec![naonet_a(), naonet_b(), naonet_v2(), naonet(), naonet_ws()]
}

fn imagenet(
    error_percent: f64,
    skeleton: Skeleton,
    setting: &'static str,
    source: &'static str,
) -> Published {
    Published {
        data: "ImageNet top-1",
        skeleton: Some(skeleton),
        ..Published::cifar10(error_percent, setting, source)
    }
}

/// The cell of the PyTorch port. It differs from the TensorFlow DAG in the third reduction node (docs/specification.md,
/// a.6).
fn naonet_a() -> ZooEntry {
    let text = "0 7 1 15 2 8 1 7 0 6 1 7 0 8 4 7 1 5 0 7 0 7 1 13 0 6 0 14 0 9 1 10 0 14 2 6 1 11 0 7";
    let cifar = |error_percent, width, setting| Published {
        skeleton: Some(Skeleton::cifar10(6, width)),
        ..Published::cifar10(error_percent, setting, PYTORCH_V1)
    };
    let published = vec![
        cifar(2.48, 36, "N=6 F=36, cutout 16"),
        cifar(1.93, 128, "N=6 F=128, cutout 16"),
        Published {
            params_millions: Some(11.35),
            ..imagenet(25.7, Skeleton::imagenet(4, 42), "N=4 F=42", PYTORCH_V1)
        },
    ];
    Cells::of_string("NAONet-A", OpSet::paper_11(), text, PYTORCH_V1).entry(Some(11), published)
}

/// Found with weight sharing; V1 small ids.
fn naonet_b() -> ZooEntry {
    let text = "0 1 0 2 0 1 2 2 1 3 0 2 4 0 1 3 2 1 0 3 1 1 1 0 2 1 2 4 1 0 2 3 3 1 2 2 0 2 0 2";
    let published = vec![Published {
        skeleton: Some(Skeleton::cifar10(6, 36)),
        ..Published::cifar10(2.93, "N=6 F=36, cutout 16", PYTORCH_V1)
    }];
    Cells::of_string("NAONet-B", OpSet::enas_5(), text, PYTORCH_V1).entry(Some(5), published)
}

/// NAO-V2's cell; V2 small ids, which are V1's.
fn naonet_v2() -> ZooEntry {
    let text = "1 1 0 1 2 4 0 0 0 0 2 1 0 0 0 2 0 3 0 0 0 2 0 2 2 2 1 0 0 0 0 1 0 0 0 3 0 0 0 1";
    let published = vec![
        Published {
            skeleton: Some(Skeleton::cifar10(6, 36)),
            ..Published::cifar10(2.57, "N=6 F=36, cutout 16", PYTORCH_V2)
        },
        imagenet(25.5, Skeleton::imagenet(4, 52), "N=4 F=52", PYTORCH_V2),
    ];
    Cells::of_string("NAONet-V2", OpSet::enas_5(), text, PYTORCH_V2).entry(Some(5), published)
}

/// The cell of the paper, as the TensorFlow code has it.
fn naonet() -> ZooEntry {
    let normal = cell([
        [(0, CONV3), (1, AVG5)],
        [(2, CONV_1X3), (1, CONV3)],
        [(0, CONV1), (1, CONV3)],
        [(0, CONV_1X3), (4, CONV3)],
        [(1, ID), (0, CONV3)],
    ]);
    let reduction = cell([
        [(0, CONV3), (1, AVG2)],
        [(0, CONV1), (0, AVG3)],
        [(1, CONV_1X7), (0, MAX2)],
        [(0, AVG3), (2, CONV1)],
        [(1, MAX3), (0, CONV3)],
    ]);
    let skeleton = |width| Skeleton { convention: Convention::NaoTf, ..Skeleton::cifar10(6, width) };
    let figure = |error_percent, params, width, setting| Published {
        params_millions: Some(params),
        skeleton: Some(skeleton(width)),
        models_evaluated: Some(1000),
        gpu_days: Some(200.0),
        note: Some(
            "the released cell has another count; the three published ones do not grow with F as those of one \
             cell must",
        ),
        ..Published::cifar10(error_percent, setting, PAPER)
    };
    let published = vec![
        figure(3.18, 10.6, 36, "N=6 F=36"),
        figure(2.98, 28.6, 64, "N=6 F=64"),
        figure(2.11, 128.0, 128, "N=6 F=128, cutout 16"),
        Published {
            data: "CIFAR-100 test",
            skeleton: Some(Skeleton { classes: 100, ..skeleton(128) }),
            ..Published::cifar10(14.80, "N=6 F=128, cutout 16", TENSORFLOW)
        },
    ];
    let cells = Cells {
        name: "NAONet",
        // The set of the paper with borders that take no part in means, as TensorFlow pads.
        ops: OpSet::v2_11(),
        arch: CnnArch { normal, reduction },
        outputs: CellOutputs::both(Concat::LooseEnds),
        source: TENSORFLOW,
    };
    cells.entry(Some(11), published)
}

/// The cell of the final training after the search with weight sharing (NAO-WS), V1 small ids.
fn naonet_ws() -> ZooEntry {
    let text = "0 1 0 4 2 2 1 3 1 0 2 0 2 3 1 3 1 2 0 4 1 1 0 3 2 3 2 3 1 0 0 1 0 4 2 4 2 3 2 3";
    let skeleton = Skeleton { convention: Convention::Enas, ..Skeleton::cifar10(5, 36) };
    let published = vec![Published {
        params_millions: Some(2.5),
        skeleton: Some(skeleton),
        gpu_days: Some(0.3),
        ..Published::cifar10(3.53, "N=5 F=36", PAPER)
    }];
    Cells::of_string("NAONet-WS", OpSet::enas_5(), text, TENSORFLOW).entry(Some(5), published)
}
