//! Architectures with published figures whose cells are not published in readable form.

use super::entry::{Published, UnpublishedCells};

pub(super) fn entries() -> [UnpublishedCells; 4] {
    let nasnet = |error_percent, params_millions| Published {
        params_millions: Some(params_millions),
        models_evaluated: Some(20_000),
        gpu_days: Some(2000.0),
        ..Published::cifar10(error_percent, "N=4", "Zoph et al., CVPR 2018")
    };
    let hierarchical = Published {
        params_millions: Some(15.7),
        models_evaluated: Some(7000),
        gpu_days: Some(300.0),
        ..Published::cifar10(3.75, "N=2 F=64", "Liu et al., ICLR 2018")
    };
    let random = Published {
        params_millions: Some(3.9),
        gpu_days: Some(0.25),
        ..Published::cifar10(3.92, "N=5 F=36", "Luo et al., NeurIPS 2018")
    };
    [
        UnpublishedCells {
            name: "NASNet-B",
            nodes: Some(4),
            cells_per_stage: Some(4),
            width: None,
            searched_ops: Some(13),
            known: "they are drawn only; 4 nodes, 4 inputs and 4 outputs without concatenation, sums that may be \
                    normalised, 1152 channels before the classifier.",
            published: vec![nasnet(3.73, 2.6)],
        },
        UnpublishedCells {
            name: "NASNet-C",
            nodes: Some(4),
            cells_per_stage: Some(4),
            width: None,
            searched_ops: Some(13),
            known: "they are drawn only; 4 nodes, unread states concatenated, sums that may be normalised, 640 \
                    channels before the classifier.",
            published: vec![nasnet(3.59, 3.1)],
        },
        UnpublishedCells {
            name: "Hier-EA",
            nodes: None,
            cells_per_stage: Some(2),
            width: Some(64),
            searched_ops: Some(6),
            known: "they are drawn only; motifs of three levels, six primitives, six motifs of 4 nodes, one of 5.",
            published: vec![hierarchical],
        },
        UnpublishedCells {
            name: "Random-WS",
            nodes: Some(5),
            cells_per_stage: Some(5),
            width: Some(36),
            searched_ops: Some(5),
            known: "the sampled cells were never released.",
            published: vec![random],
        },
    ]
}
