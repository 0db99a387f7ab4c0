//! How code bases make a network of the same cells: calibration, convolutions, padding and heads differ, and so
//! do parameter counts.

use serde::{Deserialize, Serialize};

/// The code base whose habits a network follows. In all of them every convolution stands between a ReLU and a
/// batch norm, and separable convolutions are applied twice.
///
/// | | NaoTorch | NaoTf | Slim | Enas | Darts |
/// |--|--|--|--|--|--|
/// | older input of the first cell | projected | the stem as it is | the stem as it is | projected | projected |
/// | older input, size kept | 1x1 where channels differ | same | same | same | always 1x1 |
/// | newer input | 1x1 where channels differ | always 1x1 | always 1x1 | 1x1 where channels differ, then one more | always 1x1 |
/// | strided identity | factorized reduction | 1x1 convolution | 1x1 convolution | factorized reduction | factorized reduction after ReLU |
/// | 3x3 convolution | full width | full width | through a quarter of the width | full width | full width |
/// | 1xk and kx1 convolution | two norms, each its half of the stride | two norms, the first takes the stride | through a quarter of the width (3/8 for 1x3), four norms | as NaoTorch | one norm |
/// | padding at stride 2 | alike on both sides | fewer before than after | same | same | alike on both sides |
/// | concatenation | loose ends | loose ends | loose ends, where no list is given | loose ends | all nodes |
/// | ReLU before the last pool | no | yes | yes | yes | no |
/// | bias of the classifier | yes | yes | yes | no | yes |
/// | auxiliary head reads | second reduction | the cell after it | the cell before it | the cell after it | second reduction |
///
/// An older input of another size is always brought down by ReLU and a factorized reduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Convention {
    /// The authors' PyTorch code, V1 and V2 (docs/specification.md, a.3).
    #[default]
    NaoTorch,
    /// The authors' TensorFlow code (docs/specification.md, a.1, a.3, a.4).
    NaoTf,
    /// The TensorFlow code of NASNet, PNASNet and AmoebaNet. Its two-fold dilated separable convolution does not
    /// dilate.
    Slim,
    /// The TensorFlow code of ENAS and of the authors' weight sharing.
    Enas,
    /// The PyTorch code of DARTS.
    Darts,
}

impl std::fmt::Display for Convention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Convention::NaoTorch => "the authors' PyTorch code",
            Convention::NaoTf => "the authors' TensorFlow code",
            Convention::Slim => "the code of NASNet",
            Convention::Enas => "the code of ENAS",
            Convention::Darts => "the code of DARTS",
        })
    }
}

/// All conventions.
pub const CONVENTIONS: [Convention; 5] =
    [Convention::NaoTorch, Convention::NaoTf, Convention::Slim, Convention::Enas, Convention::Darts];

/// When a cell input of the right size passes ReLU, 1x1 convolution and norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Projection {
    /// Where its channels are not those of the cell.
    WhereNeeded,
    /// Always.
    Always,
    /// Where needed, and then once more always.
    WhereNeededAndOnceMore,
}

/// What an identity is that has to halve the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StridedIdentity {
    /// A factorized reduction, after a ReLU or not.
    Reduction {
        /// Whether a ReLU comes first.
        relu: bool,
    },
    /// ReLU, 1x1 convolution with the stride, norm.
    Convolution,
}

/// How dense convolutions with windows of more than one pixel are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DenseStyle {
    /// At full width; of a 1xk and kx1 pair each takes its own half of the stride.
    SharedStride,
    /// At full width; the first of a pair takes the whole stride.
    FirstTakesStride,
    /// At full width; nothing between the two of a pair, which share the stride.
    NothingBetween,
    /// Between 1x1 convolutions to a part of the width and back.
    Bottleneck,
}

/// The cell whose output the auxiliary head reads, seen from the second reduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuxiliaryCell {
    /// The last one before it.
    LastBefore,
    /// The second reduction.
    Itself,
    /// The first one after it.
    FirstAfter,
}

/// The second convolution of the auxiliary head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuxiliaryWindow {
    /// 2x2.
    Two,
    /// The whole of the pooled map.
    Whole,
    /// As large as the pooled map and padded to keep it; a global average pool follows.
    WholePadded,
}

/// A convention spelled out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Whether the first cell reads the stem as it is for its older input.
    pub raw_first_input: bool,
    pub older: Projection,
    pub newer: Projection,
    pub strided_identity: StridedIdentity,
    pub dense: DenseStyle,
    /// TensorFlow's padding: as little as a stride needs on maps of even size, and less before than after.
    pub least_padding: bool,
    /// Whether the two-fold dilated separable convolution dilates.
    pub dilates: bool,
    /// Whether a ReLU stands between a pool and the convolution that mends its channels.
    pub relu_after_pool: bool,
    /// Whether a cell without a list of its own concatenates all its nodes instead of its loose ends.
    pub concatenates_nodes: bool,
    pub relu_before_head: bool,
    pub classifier_bias: bool,
    pub auxiliary_cell: AuxiliaryCell,
    pub auxiliary_window: AuxiliaryWindow,
}

impl Convention {
    pub(super) fn rules(self) -> Rules {
        let nao_torch = Rules {
            raw_first_input: false,
            older: Projection::WhereNeeded,
            newer: Projection::WhereNeeded,
            strided_identity: StridedIdentity::Reduction { relu: false },
            dense: DenseStyle::SharedStride,
            least_padding: false,
            dilates: true,
            relu_after_pool: true,
            concatenates_nodes: false,
            relu_before_head: false,
            classifier_bias: true,
            auxiliary_cell: AuxiliaryCell::Itself,
            auxiliary_window: AuxiliaryWindow::Two,
        };
        let nao_tf = Rules {
            raw_first_input: true,
            newer: Projection::Always,
            strided_identity: StridedIdentity::Convolution,
            dense: DenseStyle::FirstTakesStride,
            least_padding: true,
            relu_before_head: true,
            auxiliary_cell: AuxiliaryCell::FirstAfter,
            auxiliary_window: AuxiliaryWindow::Whole,
            ..nao_torch
        };
        match self {
            Convention::NaoTorch => nao_torch,
            Convention::NaoTf => nao_tf,
            Convention::Slim => Rules {
                dense: DenseStyle::Bottleneck,
                dilates: false,
                relu_after_pool: false,
                auxiliary_cell: AuxiliaryCell::LastBefore,
                ..nao_tf
            },
            Convention::Enas => Rules {
                newer: Projection::WhereNeededAndOnceMore,
                least_padding: true,
                relu_before_head: true,
                classifier_bias: false,
                auxiliary_cell: AuxiliaryCell::FirstAfter,
                auxiliary_window: AuxiliaryWindow::WholePadded,
                ..nao_torch
            },
            Convention::Darts => Rules {
                older: Projection::Always,
                newer: Projection::Always,
                strided_identity: StridedIdentity::Reduction { relu: true },
                dense: DenseStyle::NothingBetween,
                concatenates_nodes: true,
                ..nao_torch
            },
        }
    }
}
