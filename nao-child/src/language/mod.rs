//! Recurrent cells and the language models around them (docs/specification.md, b).

mod average;
mod built_in;
mod cell;
mod checkpoint;
mod dropout;
mod evaluate;
mod evaluator;
mod model;
mod names;
mod recipe;
mod training;
mod training_loop;

#[cfg(test)]
mod handover_tests;

pub use built_in::LANGUAGE_RECIPES;
pub use cell::{CellWeights, RecurrentCell, SharedCell};
pub use checkpoint::{load_language_weights, save_language_weights};
pub use dropout::{Dropouts, LanguagePass};
pub use evaluate::{LanguageEvaluation, ReadingLayout, evaluate_language_model, evaluate_while};
pub use evaluator::LanguageEvaluator;
pub use model::{LanguageLoss, LanguageModel, LanguageOutput, Regularisation, Tokens, UnequalRows};
pub use names::{language_tensor_names, load_language_model, named_language_gradients, save_language_model};
pub use recipe::LanguageRecipe;
pub use training::LanguageTraining;
pub use training_loop::TrainedLanguageModel;
