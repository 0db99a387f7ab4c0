//! The operations of cell search spaces, each defined once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::excerpt::excerpt;

/// What a pooling window sees beyond the edge of the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Border {
    /// Cells outside take no part: a mean divides by the cells inside, a maximum ignores the rest.
    Ignored,
    /// Cells outside are zeros that take part: they count in a mean and compete in a maximum.
    Zeros,
}

/// An operation on one feature map (docs/specification.md, a.4). All map F channels to F channels; "RCB" below is
/// ReLU, convolution without bias, batch norm.
///
/// In text and JSON an operation is its [`name`](Op::name), such as `sep_conv_3x3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Op {
    /// Zeros of the output shape: no connection.
    Zero,
    /// The input itself; at stride 2 a factorized reduction.
    Identity,
    /// One RCB with a square kernel.
    Conv {
        /// Side of the kernel, odd.
        kernel: u8,
    },
    /// RCB with a `1 x kernel` convolution, then RCB with `kernel x 1`; each takes its own half of a stride.
    FactorConv {
        /// Length of the two kernels, odd.
        kernel: u8,
    },
    /// Two times (ReLU, depthwise convolution, pointwise convolution, batch norm).
    SepConv {
        /// Side of the depthwise kernels, odd.
        kernel: u8,
    },
    /// Once (ReLU, depthwise convolution of dilation 2, pointwise convolution, batch norm).
    DilConv {
        /// Side of the depthwise kernel, odd.
        kernel: u8,
    },
    /// Two times (ReLU, depthwise convolution of dilation 2, pointwise convolution, batch norm).
    DilSepConv {
        /// Side of the depthwise kernels, odd.
        kernel: u8,
    },
    /// Maximum over a square window.
    MaxPool {
        /// Side of the window; an even one is padded at the right and bottom only.
        kernel: u8,
        /// What lies outside of the map.
        border: Border,
    },
    /// Minimum over a square window; cells outside of the map take no part.
    MinPool {
        /// Side of the window; an even one is padded at the right and bottom only.
        kernel: u8,
    },
    /// Mean over a square window.
    AvgPool {
        /// Side of the window; an even one is padded at the right and bottom only.
        kernel: u8,
        /// What lies outside of the map.
        border: Border,
    },
}

/// Every operation of the spaces known so far, in the order in which documents list them.
pub const ALL_OPS: [Op; 27] = [
    Op::Zero,
    Op::Identity,
    Op::Conv { kernel: 1 },
    Op::Conv { kernel: 3 },
    Op::FactorConv { kernel: 3 },
    Op::FactorConv { kernel: 7 },
    Op::SepConv { kernel: 3 },
    Op::SepConv { kernel: 5 },
    Op::SepConv { kernel: 7 },
    Op::DilConv { kernel: 3 },
    Op::DilConv { kernel: 5 },
    Op::DilConv { kernel: 7 },
    Op::DilSepConv { kernel: 3 },
    Op::DilSepConv { kernel: 5 },
    Op::DilSepConv { kernel: 7 },
    Op::MaxPool { kernel: 2, border: Border::Ignored },
    Op::MaxPool { kernel: 2, border: Border::Zeros },
    Op::MaxPool { kernel: 3, border: Border::Ignored },
    Op::MaxPool { kernel: 5, border: Border::Ignored },
    Op::MaxPool { kernel: 7, border: Border::Ignored },
    Op::MinPool { kernel: 2 },
    Op::AvgPool { kernel: 2, border: Border::Ignored },
    Op::AvgPool { kernel: 2, border: Border::Zeros },
    Op::AvgPool { kernel: 3, border: Border::Ignored },
    Op::AvgPool { kernel: 3, border: Border::Zeros },
    Op::AvgPool { kernel: 5, border: Border::Ignored },
    Op::AvgPool { kernel: 5, border: Border::Zeros },
];

/// The families into which drawings and histograms group operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OpKind {
    /// No connection.
    Zero,
    /// The input itself.
    Identity,
    /// Dense convolutions.
    Conv,
    /// Depthwise separable convolutions, dilated ones included.
    Separable,
    /// Maximum pools.
    MaxPool,
    /// Minimum pools.
    MinPool,
    /// Mean pools.
    AvgPool,
}

impl Op {
    /// The family of the operation.
    pub fn kind(self) -> OpKind {
        match self {
            Op::Zero => OpKind::Zero,
            Op::Identity => OpKind::Identity,
            Op::Conv { .. } | Op::FactorConv { .. } => OpKind::Conv,
            Op::SepConv { .. } | Op::DilConv { .. } | Op::DilSepConv { .. } => OpKind::Separable,
            Op::MaxPool { .. } => OpKind::MaxPool,
            Op::MinPool { .. } => OpKind::MinPool,
            Op::AvgPool { .. } => OpKind::AvgPool,
        }
    }

    /// Whether the operation has no parameters at stride 1.
    pub fn is_parameter_free(self) -> bool {
        !matches!(self.kind(), OpKind::Conv | OpKind::Separable)
    }

    /// The unique name, as in JSON: `identity`, `conv_1x7_7x1`, `avg_pool_3x3_zeros`.
    /// A pool whose border counts as zeros ends in `_zeros`.
    pub fn name(self) -> String {
        match self {
            Op::Zero => "zero".to_owned(),
            Op::Identity => "identity".to_owned(),
            Op::Conv { kernel: k } => format!("conv_{k}x{k}"),
            Op::FactorConv { kernel: k } => format!("conv_1x{k}_{k}x1"),
            Op::SepConv { kernel: k } => format!("sep_conv_{k}x{k}"),
            Op::DilConv { kernel: k } => format!("dil_conv_{k}x{k}"),
            Op::DilSepConv { kernel: k } => format!("dil_sep_conv_{k}x{k}"),
            Op::MinPool { kernel: k } => format!("min_pool_{k}x{k}"),
            Op::MaxPool { kernel: k, border } => format!("max_pool_{k}x{k}{}", border_suffix(border)),
            Op::AvgPool { kernel: k, border } => format!("avg_pool_{k}x{k}{}", border_suffix(border)),
        }
    }

    /// The short name for people, as in drawings: `sep conv 3x3`, `avg pool 5x5`.
    /// Pools that differ only in their border share a label.
    pub fn label(self) -> String {
        match self {
            Op::Zero => "zero".to_owned(),
            Op::Identity => "identity".to_owned(),
            Op::Conv { kernel: k } => format!("conv {k}x{k}"),
            Op::FactorConv { kernel: k } => format!("conv 1x{k}+{k}x1"),
            Op::SepConv { kernel: k } => format!("sep conv {k}x{k}"),
            Op::DilConv { kernel: k } => format!("dil conv {k}x{k}"),
            Op::DilSepConv { kernel: k } => format!("dil sep conv {k}x{k}"),
            Op::MinPool { kernel: k } => format!("min pool {k}x{k}"),
            Op::MaxPool { kernel: k, .. } => format!("max pool {k}x{k}"),
            Op::AvgPool { kernel: k, .. } => format!("avg pool {k}x{k}"),
        }
    }
}

fn border_suffix(border: Border) -> &'static str {
    match border {
        Border::Ignored => "",
        Border::Zeros => "_zeros",
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// An operation name that no operation has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown operation `{}`; known are {}", excerpt(.name), known_names())]
pub struct UnknownOp {
    /// The name that was asked for.
    pub name: String,
}

fn known_names() -> String {
    ALL_OPS.map(Op::name).join(", ")
}

impl FromStr for Op {
    type Err = UnknownOp;

    fn from_str(name: &str) -> Result<Self, UnknownOp> {
        ALL_OPS.into_iter().find(|op| op.name() == name).ok_or_else(|| UnknownOp { name: name.to_owned() })
    }
}

impl Serialize for Op {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

impl<'de> Deserialize<'de> for Op {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for op in ALL_OPS {
            assert_eq!(op.name().parse::<Op>().unwrap(), op);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let message = "conv_5x5".parse::<Op>().unwrap_err().to_string();
        assert!(message.contains("`conv_5x5`") && message.contains("sep_conv_3x3"), "{message}");
    }
}
