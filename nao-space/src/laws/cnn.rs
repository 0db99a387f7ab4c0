//! Strategies of the image cell space.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::archs;
use crate::image::{ALL_OPS, Cell, CnnArch, OP_SET_NAMES, OpSet};
use crate::spaces::CnnSpace;

/// Operation sets: the built-in ones, and sets of any of the known operations.
///
/// ```
/// use proptest::test_runner::TestRunner;
/// TestRunner::default().run(&nao_space::laws::any_op_set(), |set| {
///     assert!(!set.is_empty());
///     Ok(())
/// }).unwrap();
/// ```
pub fn any_op_set() -> impl Strategy<Value = OpSet> {
    let built_in = select(&OP_SET_NAMES[..]).prop_map(|name| OpSet::named(name).expect("the name is listed"));
    let mixed = subsequence(&ALL_OPS[..], 1..=ALL_OPS.len()).prop_map(|ops| OpSet::new("mixed", ops));
    prop_oneof![built_in, mixed]
}

/// Image cell spaces of 1 to 12 nodes over any operation set.
///
/// ```
/// use nao_space::{Cell, Space};
/// use proptest::test_runner::TestRunner;
/// TestRunner::default().run(&nao_space::laws::any_cnn_space(), |space| {
///     assert_eq!(space.sequence_len(), 8 * space.nodes());
///     assert!(space.nodes() <= Cell::MAX_NODES);
///     Ok(())
/// }).unwrap();
/// ```
pub fn any_cnn_space() -> impl Strategy<Value = CnnSpace> {
    (1..=Cell::MAX_NODES, any_op_set())
        .prop_map(|(nodes, ops)| CnnSpace::new(nodes, ops).expect("1 to 12 nodes, at least one operation"))
}

/// Architectures of an image cell space, towards cells whose branches all read state 0 with the first operation.
///
/// ```
/// use nao_space::{CnnSpace, OpSet};
/// use proptest::test_runner::TestRunner;
/// let space = CnnSpace::new(4, OpSet::enas_5()).unwrap();
/// TestRunner::default().run(&nao_space::laws::cnn_archs(&space), |arch| {
///     assert!(space.check(&arch).is_ok());
///     Ok(())
/// }).unwrap();
/// ```
pub fn cnn_archs(space: &CnnSpace) -> impl Strategy<Value = CnnArch> + use<> {
    archs(space)
}

/// An image cell space with one of its architectures.
///
/// ```
/// use proptest::test_runner::TestRunner;
/// TestRunner::default().run(&nao_space::laws::any_cnn_arch(), |(space, arch)| {
///     assert!(space.check(&arch).is_ok());
///     Ok(())
/// }).unwrap();
/// ```
pub fn any_cnn_arch() -> impl Strategy<Value = (CnnSpace, CnnArch)> {
    any_cnn_space().prop_flat_map(|space| cnn_archs(&space).prop_map(move |arch| (space.clone(), arch)))
}
