//! The macro structure around the cells (docs/specification.md, a.1).

use serde::{Deserialize, Serialize};

use super::convention::Convention;
use super::layer::FeatureShape;

/// From image to the first features. No stem ends in a ReLU: what reads it has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Stem {
    /// A 3x3 convolution of stride 1 with norm (docs/specification.md, a.1).
    Cifar {
        /// Its channels, as a multiple of the width of the first stage; 3 in the papers.
        multiplier: usize,
    },
    /// Three 3x3 convolutions of stride 2, with norms and ReLUs between, to F/2, F and F channels: images
    /// shrink to an eighth (docs/specification.md, a.1). Its first block makes a quarter of the image, which is the
    /// older input of the first cell.
    ImageNet,
}

impl Stem {
    /// How often the stem halves the image.
    pub fn halvings(self) -> u32 {
        match self {
            Stem::Cifar { .. } => 0,
            Stem::ImageNet => 3,
        }
    }
}

/// How the map is halved between the three stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// By a separate cell: 3N + 2 cells.
    #[default]
    Cell,
    /// The first cell of the second and of the third stage is the reduction cell: 3N cells, as in PNASNet.
    InPlace,
}

/// Everything about a network except its cells: stem, then three stages of N normal cells with a reduction
/// between, then global average pool and classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skeleton {
    /// The code base that is followed.
    pub convention: Convention,
    /// How the map is halved between stages.
    pub reduction: Reduction,
    /// Normal cells per stage (N in the papers).
    pub cells_per_stage: usize,
    /// Channels of the first stage (F in the papers); doubled at each reduction. Even.
    pub width: usize,
    /// From image to the first features.
    pub stem: Stem,
    /// The images.
    pub input: FeatureShape,
    /// Number of classes.
    pub classes: usize,
    /// Whether an auxiliary head is trained along.
    pub auxiliary: bool,
}

impl Skeleton {
    /// The CIFAR-10 skeleton: 32x32x3 images, 10 classes, stem of 3F channels.
    pub fn cifar10(cells_per_stage: usize, width: usize) -> Self {
        Skeleton {
            convention: Convention::NaoTorch,
            reduction: Reduction::Cell,
            cells_per_stage,
            width,
            stem: Stem::Cifar { multiplier: 3 },
            input: FeatureShape::new(32, 32, 3),
            classes: 10,
            auxiliary: false,
        }
    }

    /// The ImageNet skeleton: 224x224x3 images, 1000 classes, the stem that shrinks them to 28x28
    /// (docs/specification.md, a.1).
    ///
    /// ```
    /// use nao_space::network::{NetworkPlan, Skeleton, zoo_entry};
    /// let arch = &zoo_entry("NAONet-A").unwrap().arch;
    /// let plan = NetworkPlan::new(arch, &Skeleton::imagenet(4, 42))?;
    /// assert_eq!(plan.cost().params, 11_353_831);
    /// # Ok::<(), nao_space::network::GeometryError>(())
    /// ```
    pub fn imagenet(cells_per_stage: usize, width: usize) -> Self {
        let (input, classes) = (FeatureShape::new(224, 224, 3), 1000);
        Skeleton { stem: Stem::ImageNet, ..Skeleton::cifar10(cells_per_stage, width) }
            .for_data(input, classes)
    }

    /// The same skeleton with or without the auxiliary head.
    pub fn with_auxiliary(self, auxiliary: bool) -> Self {
        Skeleton { auxiliary, ..self }
    }

    /// The same skeleton for other data.
    pub fn for_data(self, input: FeatureShape, classes: usize) -> Self {
        Skeleton { input, classes, ..self }
    }

    /// Number of cells, reductions included: 3N + 2, or 3N where they are in place.
    pub fn cells(&self) -> usize {
        3 * self.cells_per_stage + if self.reduction == Reduction::Cell { 2 } else { 0 }
    }

    /// The positions of the two reduction cells, counted from 0.
    pub fn reductions(&self) -> [usize; 2] {
        let n = self.cells_per_stage;
        match self.reduction {
            Reduction::Cell => [n, 2 * n + 1],
            Reduction::InPlace => [n, 2 * n],
        }
    }
}
