//! What is seen of long work on the terminal.

mod bars;
mod steps;

pub use bars::{SearchProgress, TrainProgress};
pub use steps::{StepProgress, cost_in_words};
