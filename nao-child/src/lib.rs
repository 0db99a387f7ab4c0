//! Child networks of Neural Architecture Optimization on the tensor library `burn`: builds any
//! [`NetworkPlan`](nao_space::network::NetworkPlan), loads image data, trains and evaluates.
//!
//! ```no_run
//! use std::sync::Arc;
//! use nao_child::{Device, Recipe, TrainEvaluator, digits};
//! use nao_space::seed::rng_for;
//! use nao_space::{CnnSpace, Evaluator, Quiet, Space, Trial, TrialId};
//!
//! let evaluator = TrainEvaluator::new(Arc::new(digits()), Recipe::named("digits")?, Device::flex())?;
//! let arch = CnnSpace::default().sample(&mut rng_for(7, "example", 0));
//! let measurement = evaluator.evaluate(&Trial { id: TrialId(1), arch, seed: 7 }, &mut Quiet)?;
//! println!("validation accuracy {:.3}", measurement.value);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Everything random comes from generators made of (seed, purpose, index); burn's own generator is never
//! asked. The device is a value that the caller passes.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod cell_recipe;
pub mod data;
mod evaluator;
mod fidelity;
pub mod language;
pub mod names;
pub mod network;
pub mod op;
pub mod recipe;
pub mod relaxed;
pub mod supernet;
pub mod train;

/// The tensor library, for what public signatures name of it.
pub use burn;
/// The device that networks compute on: `Device::flex()` is the CPU.
pub use burn::tensor::Device;

pub use cell_recipe::{ArchOf, CellRecipe, CellRecipeError, SharedEvaluator};
pub use data::{DataError, ImageData, Split, cifar10_folder, digits};
pub use evaluator::TrainEvaluator;
pub use network::{Dropping, GraphNetwork, Network, Pass, Quirks, TrainPass};
pub use recipe::{RECIPES, Recipe, RecipeError};
pub use train::{TrainError, TrainOptions, Trained, Training};

/// The examples of the README are tested with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
