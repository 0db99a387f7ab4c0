//! The preset `structure`: NAO's frame, an encoder, a predictor, a decoder and gradient ascent in the embedding,
//! around a model that needs few observations.
//!
//! Encoder and decoder learn the space before the search, from architectures without labels. The predictor is an
//! exact Gaussian process over structural features ([`gaussian_process`](crate::gaussian_process)); as these are read
//! from the embedding, its bound `mean + kappa * deviation` has a gradient there.

mod ablation;
mod ascent;
mod assessment;
mod assessment_plan;
mod cache;
mod config;
mod cost;
mod fitted;
mod networks;
mod predictor;
mod predictor_error;
mod predictor_file;
mod pretraining;
mod saved;
mod state;

pub use ablation::Ablation;
pub(crate) use ascent::Moves;
pub use assessment::{AssessedSplit, Assessment, assess_predictor, assess_split};
pub use assessment_plan::{AssessmentPlan, Assessments};
pub use cache::{PretrainedCache, PretrainedCacheError, PretrainingStep};
pub use config::{PretrainingConfig, ScoreScale, StartPoints, StructureConfig};
pub use cost::FitCost;
pub use fitted::{PredictedScore, Predictor, PredictorBuilder};
pub use predictor::{Labels, PredictedMerit, StructurePredictor};
pub use predictor_error::PredictorError;
pub use predictor_file::{CheapKind, PredictorFile, ScoreKind, SpaceOptions};
pub use pretraining::{PretrainedSpace, PretrainingReport};
pub use state::PredictorState;
