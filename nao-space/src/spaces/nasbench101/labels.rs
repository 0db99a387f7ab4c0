//! How the vertices of a cell are labelled in texts.

use super::cell::VertexOp;

/// The label of the first vertex.
pub(super) const INPUT: &str = "input";
/// The label of the last vertex.
pub(super) const OUTPUT: &str = "output";

/// All labels, for messages.
pub(super) fn known_labels() -> String {
    [&[INPUT][..], &VertexOp::ALL.map(VertexOp::name), &[OUTPUT]].concat().join(", ")
}
