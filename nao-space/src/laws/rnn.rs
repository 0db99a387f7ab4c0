//! Strategies of the recurrent cell space.

use proptest::prelude::*;
use proptest::sample::select;

use super::archs;
use crate::spaces::{ActivationOrder, RnnArch, RnnSpace};

/// Recurrent cell spaces of 1 to 64 nodes, mostly few, with either order of activations.
///
/// ```
/// use nao_space::{RnnArch, Space};
/// use proptest::test_runner::TestRunner;
/// TestRunner::default().run(&nao_space::laws::any_rnn_space(), |space| {
///     assert_eq!(space.sequence_len(), 2 * space.nodes());
///     assert!(space.nodes() <= RnnArch::MAX_NODES);
///     Ok(())
/// }).unwrap();
/// ```
pub fn any_rnn_space() -> impl Strategy<Value = RnnSpace> {
    let nodes = prop_oneof![4 => 1..=12usize, 1 => 1..=RnnArch::MAX_NODES];
    let order = select(vec![ActivationOrder::Nao, ActivationOrder::NaoWs]);
    (nodes, order).prop_map(|(nodes, order)| RnnSpace::new(nodes, order).expect("1 to 64 nodes"))
}

/// Architectures of a recurrent cell space, towards cells whose nodes all read state 0 with `tanh`.
///
/// ```
/// use nao_space::RnnSpace;
/// use proptest::test_runner::TestRunner;
/// let space = RnnSpace::default();
/// TestRunner::default().run(&nao_space::laws::rnn_archs(&space), |arch| {
///     assert!(space.check(&arch).is_ok());
///     Ok(())
/// }).unwrap();
/// ```
pub fn rnn_archs(space: &RnnSpace) -> impl Strategy<Value = RnnArch> + use<> {
    archs(space)
}

/// A recurrent cell space with one of its architectures.
///
/// ```
/// use proptest::test_runner::TestRunner;
/// TestRunner::default().run(&nao_space::laws::any_rnn_arch(), |(space, arch)| {
///     assert!(space.check(&arch).is_ok());
///     Ok(())
/// }).unwrap();
/// ```
pub fn any_rnn_arch() -> impl Strategy<Value = (RnnSpace, RnnArch)> {
    any_rnn_space().prop_flat_map(|space| rnn_archs(&space).prop_map(move |arch| (space.clone(), arch)))
}
