//! The authors' controller (docs/specification.md, c): an LSTM encoder, a predictor of scores and an attention decoder,
//! trained together; and [`Controller`], which fits, encodes, predicts, ascends and decodes.

mod attention;
pub(crate) mod config;
mod controller;
#[cfg(test)]
mod controller_tests;
mod decoder;
mod encoder;
mod improve;
pub(crate) mod names;
mod networks;
mod predictor;
pub(crate) mod training;
pub(crate) mod weights;

pub use config::{ControllerConfig, Design, PRESETS, PredictionLoss, Preset, UnknownPreset};
pub use controller::{Controller, Gradients, Losses};
pub use encoder::{Embedding, FinalState};
pub use improve::{ControllerBuilder, FittedController};
pub use names::NamedValues;
pub use training::{EpochLosses, FitReport};
