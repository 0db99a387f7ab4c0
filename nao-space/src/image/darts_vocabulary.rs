//! The words of the code of DARTS for its operations.

use super::op::{Border, Op};

/// The operations of DARTS under its own names, in its own order. `none`, its eighth, stands in the supernet
/// only.
pub(crate) const DARTS_OPS: [(&str, Op); 7] = [
    ("max_pool_3x3", Op::MaxPool { kernel: 3, border: Border::Ignored }),
    ("avg_pool_3x3", Op::AvgPool { kernel: 3, border: Border::Ignored }),
    ("skip_connect", Op::Identity),
    ("sep_conv_3x3", Op::SepConv { kernel: 3 }),
    ("sep_conv_5x5", Op::SepConv { kernel: 5 }),
    ("dil_conv_3x3", Op::DilConv { kernel: 3 }),
    ("dil_conv_5x5", Op::DilConv { kernel: 5 }),
];
