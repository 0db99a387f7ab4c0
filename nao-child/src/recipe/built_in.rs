//! The settings of the built-in recipes.

use nao_space::network::Convention;

use super::settings::{Recipe, Score, Structure};
use crate::data::{Augmentation, Normalisation};

/// Trains a child in about three seconds on one core. Few images, shifted at random, and few steps: cells then
/// differ by three points, more than seeds of one cell do, and 1,200 validation images resolve it.
pub(crate) fn digits() -> Recipe {
    Recipe {
        name: "digits".into(),
        source: "this project, chosen by measurement".into(),
        data: "digits".into(),
        structure: Structure {
            cells_per_stage: 1,
            width: 6,
            stem_multiplier: 1,
            auxiliary: false,
            convention: Convention::NaoTorch,
        },
        epochs: 12,
        batch: 32,
        learning_rate: 0.025,
        learning_rate_min: 0.0,
        cosine_epochs: 12,
        momentum: 0.9,
        nesterov: false,
        weight_decay: 5e-4,
        clip: 5.0,
        label_smoothing: 0.0,
        auxiliary_weight: 0.0,
        dropout_keep: 1.0,
        drop_path_keep: 1.0,
        augmentation: Augmentation {
            normalisation: Normalisation::TrainingImages,
            crop_padding: 1,
            flip: false,
            cutout: 0,
        },
        validation_fraction: 0.8,
        split_seed: 1,
        score: Score::LastEpoch,
    }
}

/// Trains a found cell on all digits that are not for testing, wider and longer: a minute or two.
pub(crate) fn digits_final() -> Recipe {
    let search = digits();
    Recipe {
        name: "digits-final".into(),
        structure: Structure { width: 16, ..search.structure },
        epochs: 30,
        cosine_epochs: 30,
        drop_path_keep: 0.9,
        ..search
    }
}

/// For a few thousand images of CIFAR-10: about a minute per child on one core, so that a search of 30 cells
/// takes some 20 minutes on two.
pub(crate) fn cifar10_small() -> Recipe {
    Recipe {
        name: "cifar10-small".into(),
        source: "this project, chosen by measurement".into(),
        data: "cifar10".into(),
        structure: Structure {
            cells_per_stage: 1,
            width: 4,
            stem_multiplier: 1,
            auxiliary: false,
            convention: Convention::NaoTorch,
        },
        epochs: 5,
        batch: 64,
        learning_rate: 0.05,
        learning_rate_min: 0.0,
        cosine_epochs: 5,
        momentum: 0.9,
        nesterov: false,
        weight_decay: 5e-4,
        clip: 5.0,
        label_smoothing: 0.0,
        auxiliary_weight: 0.0,
        dropout_keep: 1.0,
        drop_path_keep: 1.0,
        augmentation: Augmentation {
            normalisation: Normalisation::Cifar,
            crop_padding: 0,
            flip: true,
            cutout: 0,
        },
        validation_fraction: 0.25,
        split_seed: 1,
        score: Score::LastEpoch,
    }
}

/// The child training of the paper's search without weight sharing.
pub(crate) fn search() -> Recipe {
    Recipe {
        name: "search".into(),
        source: "Luo et al. 2018, search without weight sharing; authors' TensorFlow script".into(),
        data: "cifar10".into(),
        structure: Structure {
            cells_per_stage: 3,
            width: 32,
            stem_multiplier: 3,
            auxiliary: true,
            convention: Convention::NaoTorch,
        },
        epochs: 25,
        batch: 128,
        learning_rate: 0.024,
        learning_rate_min: 0.0,
        // The script's cosine has a period of 100 epochs, of which 25 are run.
        cosine_epochs: 100,
        momentum: 0.9,
        nesterov: false,
        weight_decay: 5e-4,
        clip: 5.0,
        label_smoothing: 0.0,
        auxiliary_weight: 0.4,
        dropout_keep: 1.0,
        drop_path_keep: 0.7,
        augmentation: Augmentation {
            normalisation: Normalisation::Cifar,
            crop_padding: 4,
            flip: true,
            cutout: 0,
        },
        validation_fraction: 0.1,
        split_seed: 1,
        score: Score::BestEpoch,
    }
}

/// The training by which the authors' searches with shared weights rank their five best cells. Theirs reduces the
/// drop-path as if it lasted as long as the search, so that it is nearly off (docs/specification.md, f.12); here it is
/// what was set.
pub(crate) fn nao_ws_rank() -> Recipe {
    Recipe {
        name: "nao-ws-rank".into(),
        source:
            "authors' PyTorch repository, V1 and V2, ranking of the top five (docs/specification.md, d.3)"
                .into(),
        structure: Structure {
            cells_per_stage: 3,
            width: 20,
            stem_multiplier: 3,
            auxiliary: true,
            convention: Convention::NaoTorch,
        },
        epochs: 10,
        batch: 64,
        learning_rate: 0.025,
        learning_rate_min: 0.001,
        cosine_epochs: 10,
        weight_decay: 3e-4,
        dropout_keep: 0.6,
        drop_path_keep: 0.8,
        score: Score::LastEpoch,
        ..search()
    }
}

/// The final training of NAONet-A-36 and B-36 in the authors' PyTorch code.
pub(crate) fn cifar10_final() -> Recipe {
    Recipe {
        name: "cifar10-final".into(),
        source: "authors' PyTorch repository, V1, NAONet-A-36 and NAONet-B-36".into(),
        data: "cifar10".into(),
        structure: Structure {
            cells_per_stage: 6,
            width: 36,
            stem_multiplier: 3,
            auxiliary: true,
            convention: Convention::NaoTorch,
        },
        epochs: 600,
        batch: 128,
        learning_rate: 0.025,
        learning_rate_min: 0.0,
        cosine_epochs: 600,
        momentum: 0.9,
        nesterov: false,
        weight_decay: 3e-4,
        clip: 5.0,
        label_smoothing: 0.0,
        auxiliary_weight: 0.4,
        dropout_keep: 0.6,
        drop_path_keep: 0.8,
        augmentation: Augmentation {
            normalisation: Normalisation::Cifar,
            crop_padding: 4,
            flip: true,
            cutout: 16,
        },
        validation_fraction: 0.1,
        split_seed: 1,
        score: Score::BestEpoch,
    }
}
