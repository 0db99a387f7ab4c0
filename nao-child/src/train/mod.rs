//! Training: the loop for images, and what all trainings have in common, one file each.

pub(crate) mod batches;
pub mod checkpoint;
pub(crate) mod checkpoint_writer;
pub(crate) mod error;
pub(crate) mod evaluate;
pub(crate) mod image;
pub(crate) mod options;
pub mod schedule;
pub(crate) mod state_file;
pub(crate) mod step;
pub(crate) mod tensor_file;
mod training;

#[cfg(test)]
pub(crate) mod handover_tests;

pub use nao_kernels::nn::{Sgd, SgdSettings};

pub use batches::{ImageBatch, ImageBatches, ImageLoader, batch_of};
pub use checkpoint::CheckpointError;
pub use error::TrainError;
pub use evaluate::{Evaluation, evaluate, evaluate_held_out};
pub use image::Trained;
pub use options::{OnCheckpointError, TrainOptions};
pub use step::{Loss, NotFinite, Step, step};
pub use training::Training;
