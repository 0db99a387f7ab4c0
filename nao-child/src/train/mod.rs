//! Training on images: the loop, and its parts one file each.

mod batch;
pub mod checkpoint;
pub(crate) mod checkpoint_writer;
pub(crate) mod evaluate;
pub(crate) mod image;
pub mod schedule;
pub(crate) mod sgd;
pub(crate) mod tensor_file;

#[cfg(test)]
pub(crate) mod handover_tests;

pub use batch::batch_of;
pub use checkpoint::CheckpointError;
pub use checkpoint_writer::OnCheckpointError;
pub use evaluate::{Evaluation, evaluate, evaluate_held_out};
pub use image::{TrainError, TrainOptions, Trained, train_network};
pub use sgd::{Sgd, SgdSettings};
