//! The settings of the search of NAO with the authors' controllers.

use serde::{Deserialize, Serialize};

use crate::error::ControllerError;
use crate::language::Language;
use crate::lstm::config::ControllerConfig;

/// Settings of the search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NaoConfig {
    /// The networks and their training.
    pub controller: ControllerConfig,
    /// How many of the best architectures are moved (K).
    pub seeds: usize,
    /// The first step size (eta).
    pub first_step: f64,
    /// By how much the step grows while too few new architectures were found.
    pub step_increment: f64,
    /// The largest step tried, itself included.
    pub step_limit: f64,
    /// Whether a round goes on from the weights of the last one (as V1 does) or from new ones. Adam starts
    /// afresh in either case.
    pub warm_start: bool,
}

impl Default for NaoConfig {
    /// V1's search (docs/specification.md, d.3): 100 seeds, steps 1, 2, ... up to 51, weights kept.
    fn default() -> Self {
        NaoConfig {
            controller: ControllerConfig::default(),
            seeds: 100,
            first_step: 1.0,
            step_increment: 1.0,
            step_limit: 51.0,
            warm_start: true,
        }
    }
}

impl NaoConfig {
    /// Checks every field, alone and against the language.
    ///
    /// # Errors
    /// Names the first field that cannot be, its value and what it may be.
    pub fn check(&self, language: &Language) -> Result<(), ControllerError> {
        let refuse = |field: &'static str, problem: String| {
            Err(ControllerError::Config { field, problem, space: language.space.clone() })
        };
        if self.seeds == 0 {
            return refuse("seeds", "is 0; it must be at least 1".into());
        }
        for (field, value) in [("first_step", self.first_step), ("step_increment", self.step_increment)] {
            if !(value.is_finite() && value > 0.0) {
                return refuse(field, format!("is {value}; it must be above 0"));
            }
        }
        if !(self.step_limit.is_finite() && self.step_limit >= self.first_step) {
            let problem =
                format!("is {}; it must be at least first_step = {}", self.step_limit, self.first_step);
            return refuse("step_limit", problem);
        }
        self.controller.check(language)
    }

    /// The step sizes in order.
    pub(super) fn steps(&self) -> impl Iterator<Item = f64> + '_ {
        // Multiples rather than a running sum, which would drift and miss the limit.
        (0u32..)
            .map(|index| self.first_step + f64::from(index) * self.step_increment)
            .take_while(|&step| step <= self.step_limit)
    }
}
