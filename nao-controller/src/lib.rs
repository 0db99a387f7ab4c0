//! The controller of Neural Architecture Optimization (Luo et al. 2018) on burn: an LSTM encoder that turns an
//! architecture's tokens into a continuous embedding, a predictor of its score, and an attention decoder that
//! turns embeddings back into valid architectures. Moving an embedding along the predictor's gradient and
//! decoding it gives a new, hopefully better architecture.
//!
//! [`Controller`] holds the three networks; [`NaoSearch`] is the search that uses them. Both know a space only
//! through its tokens and its grammar.
//!
//! ```
//! use burn::tensor::Device;
//! use nao_controller::{Controller, ControllerConfig, Language};
//! use nao_space::seed::rng_for;
//! use nao_space::{CnnSpace, Space};
//!
//! let space = CnnSpace::default();
//! let config = ControllerConfig { embedding: 8, hidden: 16, mlp_layers: 0, epochs: 3, ..Default::default() };
//! let language = Language::of(&space);
//! let mut controller = Controller::new(config, language, &Device::flex(), &mut rng_for(1, "weights", 0))?;
//!
//! let mut rng = rng_for(1, "pool", 0);
//! let pool: Vec<_> = (0..6).map(|_| space.encode(&space.sample(&mut rng))).collect();
//! controller.fit(&pool, &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0], &space, &mut rng)?;
//!
//! let embedding = controller.encode(&pool)?;
//! let moved = controller.ascend(&embedding, 10.0);
//! for sequence in controller.decode(&moved, &space)? {
//!     println!("{}", space.format(&space.decode(&sequence)?));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod adam;
mod bundle;
mod error;
mod files;
pub mod gaussian_process;
mod init;
mod language;
mod lstm;
pub mod metrics;
mod ops;
mod parameters;
mod policy;
pub mod registry;
mod scored;
mod strategy;
mod structure;
mod surrogate;
mod targets;

/// The tensor library, for what public signatures name of it.
pub use burn;
/// The device that controllers compute on: `Device::flex()` is the CPU.
pub use burn::tensor::Device;
pub use error::ControllerError;
pub use language::{Grammar, Language};
pub use lstm::{
    Controller, ControllerBuilder, ControllerConfig, Design, Embedding, EpochLosses, FinalState, FitReport,
    FittedController, Gradients, Losses, NamedValues, PRESETS, PredictionLoss, Preset, UnknownPreset,
};
pub use policy::{
    Draw, EntropyUse, Experience, OutputLayer, POLICY_PRESETS, PolicyConfig, PolicyLearner, PolicyRule,
    PolicySampler, PolicyUpdate, RewardScale,
};
pub use scored::ScoredArch;
pub use strategy::{
    CheapConfig, CheapLook, Enumeration, LinearSearch, NaoConfig, NaoSearch, OriginCounts, PnasConfig,
    PnasSearch, PolicyReport, PolicySearch, ProposalCounts, RoundReport, StructureReport, StructureSearch,
    controller_weights,
};
pub use structure::{
    Ablation, AssessedSplit, Assessment, AssessmentPlan, Assessments, CheapKind, FitCost, Labels,
    PredictedMerit, PredictedScore, Predictor, PredictorBuilder, PredictorError, PredictorFile,
    PredictorState, PretrainedCache, PretrainedCacheError, PretrainedSpace, PretrainingConfig,
    PretrainingReport, PretrainingStep, ScoreKind, ScoreScale, SpaceOptions, StartPoints, StructureConfig,
    StructurePredictor, assess_predictor, assess_split,
};
pub use surrogate::SurrogateConfig;
pub use targets::{RankScale, Targets, normal_scores};

/// The examples of the README are tested with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
