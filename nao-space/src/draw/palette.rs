//! The colours of pictures: one per family of operations, for light and for dark surroundings.

use crate::image::OpKind;
use crate::spaces::Activation;

/// The colours of one thing in one scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colors {
    pub fill: &'static str,
    pub stroke: &'static str,
    pub text: &'static str,
}

/// Light and dark colours of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scheme {
    pub light: Colors,
    pub dark: Colors,
}

/// What operations of one colour have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// A family of operations on images.
    Op(OpKind),
    /// Hyperbolic tangent of recurrent cells, whose identity is that of [`OpKind`].
    Tanh,
    /// Rectifier.
    Relu,
    /// Logistic function.
    Sigmoid,
    /// A graph of operations that is drawn alone.
    Motif,
}

/// The page and its plain text; the stroke is that of the panels around cells.
pub(super) const PAGE: Scheme = scheme(["#ffffff", "#e2e8f0", "#0f172a"], ["#0d1117", "#30363d", "#e6edf3"]);

/// Everything that is no operation: inputs, sums, concatenations.
pub(super) const NEUTRAL: Scheme =
    scheme(["#f8fafc", "#64748b", "#0f172a"], ["#1c232d", "#8b98a9", "#e6edf3"]);

/// Lines between boxes, and the small print.
pub(super) const LINE: Scheme = scheme(["none", "#94a3b8", "#64748b"], ["none", "#5d6b7d", "#8b98a9"]);

impl Family {
    /// All families in the order of the legend.
    pub(super) const ALL: [Family; 11] = [
        Family::Motif,
        Family::Op(OpKind::Separable),
        Family::Op(OpKind::Conv),
        Family::Op(OpKind::MaxPool),
        Family::Op(OpKind::MinPool),
        Family::Op(OpKind::AvgPool),
        Family::Tanh,
        Family::Relu,
        Family::Sigmoid,
        Family::Op(OpKind::Identity),
        Family::Op(OpKind::Zero),
    ];

    pub(super) fn of_activation(activation: Activation) -> Self {
        match activation {
            Activation::Tanh => Family::Tanh,
            Activation::Relu => Family::Relu,
            Activation::Sigmoid => Family::Sigmoid,
            Activation::Identity => Family::Op(OpKind::Identity),
        }
    }

    /// The colours of the family. No picture shows activations beside convolutions or pools.
    pub(super) fn scheme(self) -> Scheme {
        match self {
            Family::Op(OpKind::Separable) | Family::Tanh => {
                scheme(["#dbeafe", "#3b82f6", "#1e3a8a"], ["#152a4e", "#4c8dff", "#cfe0ff"])
            }
            Family::Op(OpKind::Conv) => {
                scheme(["#f3e8ff", "#a855f7", "#581c87"], ["#321a4d", "#b77bff", "#ead9ff"])
            }
            Family::Op(OpKind::MaxPool) | Family::Relu => {
                scheme(["#ffedd5", "#f97316", "#7c2d12"], ["#43240f", "#f08c3a", "#ffdfc2"])
            }
            Family::Op(OpKind::MinPool) => {
                scheme(["#fee2e2", "#ef4444", "#7f1d1d"], ["#451a1a", "#f87171", "#fecaca"])
            }
            Family::Op(OpKind::AvgPool) | Family::Sigmoid => {
                scheme(["#d1fae5", "#10b981", "#064e3b"], ["#0c3327", "#2fb98a", "#c4f3e0"])
            }
            Family::Motif => scheme(["#fef9c3", "#ca8a04", "#713f12"], ["#3a2f0a", "#d9a514", "#fdf0b0"]),
            Family::Op(OpKind::Identity) => {
                scheme(["#f1f5f9", "#94a3b8", "#334155"], ["#20272f", "#7d8997", "#cdd6e0"])
            }
            Family::Op(OpKind::Zero) => {
                scheme(["#ffffff", "#94a3b8", "#64748b"], ["#0d1117", "#6b7787", "#8b98a9"])
            }
        }
    }

    /// The dashes of the family's outline: what computes nothing has no solid one.
    pub(super) fn dashes(self) -> Option<&'static str> {
        match self {
            Family::Op(OpKind::Identity) => Some("4 3"),
            Family::Op(OpKind::Zero) => Some("1.5 2.5"),
            _ => None,
        }
    }

    /// The name of the family in the legend.
    pub(super) fn label(self) -> &'static str {
        match self {
            Family::Op(OpKind::Separable) => "separable convolution",
            Family::Op(OpKind::Conv) => "convolution",
            Family::Op(OpKind::MaxPool) => "max pool",
            Family::Op(OpKind::MinPool) => "min pool",
            Family::Op(OpKind::AvgPool) => "average pool",
            Family::Op(OpKind::Identity) => "identity",
            Family::Op(OpKind::Zero) => "zero",
            Family::Tanh => "tanh",
            Family::Relu => "ReLU",
            Family::Sigmoid => "sigmoid",
            Family::Motif => "motif",
        }
    }

    /// The word for the family in class names.
    pub(super) fn class(self) -> &'static str {
        match self {
            Family::Op(OpKind::Separable) => "separable",
            Family::Op(OpKind::Conv) => "conv",
            Family::Op(OpKind::MaxPool) => "max-pool",
            Family::Op(OpKind::MinPool) => "min-pool",
            Family::Op(OpKind::AvgPool) => "avg-pool",
            Family::Op(OpKind::Identity) => "identity",
            Family::Op(OpKind::Zero) => "zero",
            Family::Tanh => "tanh",
            Family::Relu => "relu",
            Family::Sigmoid => "sigmoid",
            Family::Motif => "motif",
        }
    }
}

const fn scheme(light: [&'static str; 3], dark: [&'static str; 3]) -> Scheme {
    Scheme { light: colors(light), dark: colors(dark) }
}

const fn colors([fill, stroke, text]: [&'static str; 3]) -> Colors {
    Colors { fill, stroke, text }
}
