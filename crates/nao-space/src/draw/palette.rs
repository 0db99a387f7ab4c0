//! The colours of pictures: one per family of operations, for light and for dark surroundings.

use crate::op::OpKind;

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

/// All families in the order of the legend.
pub(super) const KINDS: [OpKind; 7] = [
    OpKind::Separable,
    OpKind::Conv,
    OpKind::MaxPool,
    OpKind::MinPool,
    OpKind::AvgPool,
    OpKind::Identity,
    OpKind::Zero,
];

/// The page and its plain text; the stroke is that of the panels around cells.
pub(super) const PAGE: Scheme = scheme(["#ffffff", "#e2e8f0", "#0f172a"], ["#0d1117", "#30363d", "#e6edf3"]);

/// Everything that is no operation: inputs, sums, concatenations.
pub(super) const NEUTRAL: Scheme =
    scheme(["#f8fafc", "#64748b", "#0f172a"], ["#1c232d", "#8b98a9", "#e6edf3"]);

/// Lines between boxes, and the small print.
pub(super) const LINE: Scheme = scheme(["none", "#94a3b8", "#64748b"], ["none", "#5d6b7d", "#8b98a9"]);

/// The colours of a family.
pub(super) fn kind_scheme(kind: OpKind) -> Scheme {
    match kind {
        OpKind::Separable => scheme(["#dbeafe", "#3b82f6", "#1e3a8a"], ["#152a4e", "#4c8dff", "#cfe0ff"]),
        OpKind::Conv => scheme(["#f3e8ff", "#a855f7", "#581c87"], ["#321a4d", "#b77bff", "#ead9ff"]),
        OpKind::MaxPool => scheme(["#ffedd5", "#f97316", "#7c2d12"], ["#43240f", "#f08c3a", "#ffdfc2"]),
        OpKind::MinPool => scheme(["#fee2e2", "#ef4444", "#7f1d1d"], ["#451a1a", "#f87171", "#fecaca"]),
        OpKind::AvgPool => scheme(["#d1fae5", "#10b981", "#064e3b"], ["#0c3327", "#2fb98a", "#c4f3e0"]),
        OpKind::Identity => scheme(["#f1f5f9", "#94a3b8", "#334155"], ["#20272f", "#7d8997", "#cdd6e0"]),
        OpKind::Zero => scheme(["#ffffff", "#94a3b8", "#64748b"], ["#0d1117", "#6b7787", "#8b98a9"]),
    }
}

/// The dashes of a family's outline: what computes nothing has no solid one.
pub(super) fn kind_dashes(kind: OpKind) -> Option<&'static str> {
    match kind {
        OpKind::Identity => Some("4 3"),
        OpKind::Zero => Some("1.5 2.5"),
        _ => None,
    }
}

/// The name of a family in the legend.
pub(super) fn kind_label(kind: OpKind) -> &'static str {
    match kind {
        OpKind::Separable => "separable convolution",
        OpKind::Conv => "convolution",
        OpKind::MaxPool => "max pool",
        OpKind::MinPool => "min pool",
        OpKind::AvgPool => "average pool",
        OpKind::Identity => "identity",
        OpKind::Zero => "zero",
    }
}

/// The word for a family in class names.
pub(super) fn kind_class(kind: OpKind) -> &'static str {
    match kind {
        OpKind::Separable => "separable",
        OpKind::Conv => "conv",
        OpKind::MaxPool => "max-pool",
        OpKind::MinPool => "min-pool",
        OpKind::AvgPool => "avg-pool",
        OpKind::Identity => "identity",
        OpKind::Zero => "zero",
    }
}

const fn scheme(light: [&'static str; 3], dark: [&'static str; 3]) -> Scheme {
    Scheme { light: colors(light), dark: colors(dark) }
}

const fn colors([fill, stroke, text]: [&'static str; 3]) -> Colors {
    Colors { fill, stroke, text }
}
