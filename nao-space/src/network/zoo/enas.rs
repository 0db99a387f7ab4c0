//! ENAS (Pham et al., 2018, arXiv 1802.03268), in the ids of the weight-sharing code.

use super::cells::Cells;
use super::entry::{Published, ZooEntry};
use crate::image::OpSet;
use crate::network::{Convention, Skeleton};

const PAPER: &str = "Pham et al., ICML 2018";

pub(super) fn entries() -> Vec<ZooEntry> {
    vec![enas(), enas_alt()]
}

fn figure(cells_per_stage: usize, setting: &'static str, note: Option<&'static str>) -> Published {
    let skeleton = Skeleton { convention: Convention::Enas, ..Skeleton::cifar10(cells_per_stage, 36) };
    Published {
        params_millions: Some(4.6),
        skeleton: Some(skeleton),
        gpu_days: Some(0.45),
        note,
        ..Published::cifar10(3.54, setting, PAPER)
    }
}

/// The cells of the script for the final training.
fn enas() -> ZooEntry {
    let text = "0 2 0 0 0 4 0 1 0 4 1 1 1 0 0 1 0 2 1 1 1 0 1 0 0 3 0 2 1 1 3 1 1 0 0 4 0 3 1 1";
    let note = "the setting of the published script; the same cells at N=6 count 4.6M";
    let published = vec![
        figure(5, "N=5 F=36, the published script", Some(note)),
        figure(6, "N=6 F=36, the network of the count", None),
    ];
    Cells::of_string("ENAS", OpSet::enas_5(), text, "ENAS repository, cifar10").entry(Some(5), published)
}

/// Older cells that the authors of NAO keep under this name.
fn enas_alt() -> ZooEntry {
    let text = "1 0 1 4 1 1 0 4 0 2 1 0 0 0 1 2 1 1 0 2 0 1 1 2 1 0 1 2 1 2 1 0 4 1 1 2 5 0 0 1";
    let note = "other cells than those of the published script";
    let published = vec![figure(5, "N=5 F=36", Some(note))];
    let source = "authors' TensorFlow repository";
    Cells::of_string("ENAS-alt", OpSet::enas_5(), text, source).entry(Some(5), published)
}
