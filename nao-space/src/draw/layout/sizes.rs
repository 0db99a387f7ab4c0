//! How large everything is, and how far apart.

/// Width and height of an operation.
pub(in crate::draw) const OP_SIZE: (f64, f64) = (72.0, 36.0);
/// Between two operations of a node.
pub(super) const OP_GAP: f64 = 10.0;
/// From the operations of a node down to its sum.
pub(super) const SUM_GAP: f64 = 20.0;
/// The circle of a sum.
pub(in crate::draw) const SUM_RADIUS: f64 = 10.0;
/// How far from the middle of a sum its branches arrive.
pub(super) const SUM_PORT: f64 = 4.5;
/// Width and height of a source, and the room for its number on either side.
pub(super) const SOURCE_SIZE: (f64, f64) = (64.0, 26.0);
pub(super) const SOURCE_SIDE: f64 = 12.0;
/// The room for the number of an operation without a sum, on either side.
pub(super) const OP_SIDE: f64 = 20.0;
/// Height of the sink, its least width, and its width per line that arrives.
pub(super) const SINK_HEIGHT: f64 = 26.0;
pub(super) const SINK_WIDTH: f64 = 72.0;
pub(super) const SINK_FONT: f64 = 12.0;
pub(super) const SINK_SIDE: f64 = 12.0;
pub(super) const SINK_SLOT: f64 = 18.0;
/// From the sink to the output label's upper edge, and the height of the label.
pub(super) const OUTPUT_GAP: f64 = 22.0;
pub(super) const OUTPUT_HEIGHT: f64 = 18.0;
/// The room of a trunk in a row.
pub(super) const TRUNK_WIDTH: f64 = 4.0;
/// Between neighbours in a row.
pub(super) const SPACING: f64 = 14.0;
