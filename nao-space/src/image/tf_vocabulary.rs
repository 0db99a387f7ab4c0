//! The words of the authors' TensorFlow code: an operation is a kind and a size (docs/specification.md, a.5).

use super::op::{Border, Op};
use super::op_set::OpSet;

/// The kinds, in token order.
pub(crate) const KINDS: [&str; 7] =
    ["identity", "sep_conv", "conv", "dil_sep_conv", "avg_pool", "max_pool", "min_pool"];

/// The sizes, in token order.
pub(crate) const SIZES: [&str; 7] = ["1x1", "2x2", "3x3", "5x5", "7x7", "1x3+3x1", "1x7+7x1"];

/// Kind and size of an operation, if both are in the vocabulary; identity has size 1x1.
///
/// TensorFlow has no pools with zeros around the map: there a pool shares the word of its sibling that
/// ignores the border.
pub(crate) fn kind_and_size(op: Op) -> Option<[&'static str; 2]> {
    let square = |side: u8| match side {
        1 => Some("1x1"),
        2 => Some("2x2"),
        3 => Some("3x3"),
        5 => Some("5x5"),
        7 => Some("7x7"),
        _ => None,
    };
    match op {
        Op::Identity => Some(["identity", "1x1"]),
        Op::SepConv { kernel } => Some(["sep_conv", square(kernel)?]),
        Op::Conv { kernel } => Some(["conv", square(kernel)?]),
        Op::FactorConv { kernel: 3 } => Some(["conv", "1x3+3x1"]),
        Op::FactorConv { kernel: 7 } => Some(["conv", "1x7+7x1"]),
        Op::DilSepConv { kernel } => Some(["dil_sep_conv", square(kernel)?]),
        Op::AvgPool { kernel, .. } => Some(["avg_pool", square(kernel)?]),
        Op::MaxPool { kernel, .. } => Some(["max_pool", square(kernel)?]),
        Op::MinPool { kernel } => Some(["min_pool", square(kernel)?]),
        Op::Zero | Op::DilConv { .. } | Op::FactorConv { .. } => None,
    }
}

/// The name of an operation, such as `conv 1x3+3x1`, if it is one of TensorFlow's. Pools with zeros around
/// the map are not.
pub(crate) fn name(op: Op) -> Option<String> {
    let zeros = Border::Zeros;
    if matches!(op, Op::MaxPool { border, .. } | Op::AvgPool { border, .. } if border == zeros) {
        return None;
    }
    match (op, kind_and_size(op)?) {
        (Op::Identity, [kind, _]) => Some(kind.to_owned()),
        (_, [kind, size]) => Some(format!("{kind} {size}")),
    }
}

/// The operation of that name.
pub(crate) fn op_named(text: &str) -> Option<Op> {
    OpSet::tf_19().ops().find(|&op| name(op).as_deref() == Some(text))
}

/// All names, in the order of the authors' vocabulary.
pub(crate) fn names() -> Vec<String> {
    OpSet::tf_19().ops().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ALL_OPS;

    #[test]
    fn words_are_of_the_vocabulary() {
        for [kind, size] in ALL_OPS.into_iter().filter_map(kind_and_size) {
            assert!(KINDS.contains(&kind) && SIZES.contains(&size), "{kind} {size}");
        }
    }

    #[test]
    fn just_the_operations_of_tf_19_have_names() {
        let named: Vec<Op> = ALL_OPS.into_iter().filter(|&op| name(op).is_some()).collect();
        let mut set: Vec<Op> = OpSet::tf_19().ops().collect();
        set.sort_unstable();
        assert_eq!(named, set);
    }
}
