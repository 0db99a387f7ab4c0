//! The authors' controller over architectures: fitted to scores of your own, it moves what you have to something better.

use std::collections::HashSet;

use burn::tensor::Device;
use nao_space::seed::rng_for;
use nao_space::{ArchKey, Direction, Space, Token};

use super::config::ControllerConfig;
use super::controller::Controller;
use super::training::FitReport;
use crate::error::ControllerError;
use crate::language::Language;
use crate::scored::ScoredArch;
use crate::targets::Targets;

/// How often a step is lengthened: the authors' search tries steps of 1, 2, ... up to 51.
const LENGTHS: u32 = 51;

/// How a [`FittedController`] is made: the space, the settings of the networks and of their training.
#[derive(Clone, Debug)]
pub struct ControllerBuilder<S: Space> {
    space: S,
    device: Device,
    config: ControllerConfig,
    seed: u64,
}

/// The authors' controller, trained on architectures with their scores.
///
/// ```
/// use nao_controller::{Controller, ControllerConfig, Device};
/// use nao_space::seed::rng_for;
/// use nao_space::{CnnArch, CnnSpace, Direction, OpSet, Space};
///
/// let space = CnnSpace::new(2, OpSet::enas_5())?;
/// // Scores of your own; here how many nodes nothing else reads.
/// let score = |arch: &CnnArch| arch.normal.loose_ends().len() as f64;
/// let mut rng = rng_for(1, "example", 0);
/// let pairs: Vec<_> = (0..20).map(|_| space.sample(&mut rng)).map(|arch| (arch.clone(), score(&arch))).collect();
///
/// // Small networks and few epochs, so that this takes a second; the default has the authors' sizes and 1,000 epochs.
/// let config = ControllerConfig { hidden: 16, mlp_layers: 0, epochs: 20, ..Default::default() };
/// let controller = Controller::for_space(&space, &Device::flex()).config(config).seed(7);
/// let controller = controller.fit(pairs.clone(), Direction::Maximize)?;
///
/// let (best, _) = pairs.iter().max_by(|a, b| a.1.total_cmp(&b.1)).expect("there are pairs");
/// for arch in controller.improve(best, 1.0)? {
///     println!("{}", space.format(&arch));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FittedController<S: Space> {
    space: S,
    controller: Controller,
    report: FitReport,
    direction: Direction,
    /// The worst and the best merit learned from, which are 0 and 1 for the controller.
    merits: [f64; 2],
    /// The architectures learned from.
    known: HashSet<ArchKey>,
}

impl Controller {
    /// A controller of a space that computes on `device`, with the authors' settings where none are given. It is not trained
    /// yet: see [`ControllerBuilder::fit`].
    pub fn for_space<S: Space + Clone>(space: &S, device: &Device) -> ControllerBuilder<S> {
        let (space, device) = (space.clone(), device.clone());
        ControllerBuilder { space, device, config: ControllerConfig::default(), seed: 1 }
    }
}

impl<S: Space + Clone> ControllerBuilder<S> {
    /// The sizes of the networks and the settings of their training; the token embedding gets the width that the space needs
    /// ([`ControllerConfig::fitted_to`]).
    pub fn config(mut self, config: ControllerConfig) -> Self {
        self.config = config;
        self
    }

    /// The seed of everything random, 1 where none is given.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Trains a controller on architectures with their scores; `direction` says which scores are better. Spellings of one
    /// architecture count as one, with the mean of their scores.
    ///
    /// # Errors
    /// When there are none, a score is no finite number, a setting cannot be, or the training diverges.
    pub fn fit(
        &self,
        pairs: impl IntoIterator<Item = (S::Arch, f64)>,
        direction: Direction,
    ) -> Result<FittedController<S>, ControllerError> {
        let pairs: Vec<ScoredArch<S::Arch>> = pairs.into_iter().map(ScoredArch::from).collect();
        if let Some(index) = pairs.iter().position(|pair| !pair.score.is_finite()) {
            return Err(ControllerError::Target { index, value: pairs[index].score });
        }
        let pairs = ScoredArch::distinct(&self.space, pairs);
        let merits: Vec<f64> = pairs.iter().map(|pair| direction.merit(pair.score)).collect();
        let Targets { values, warning } = Targets::min_max(&merits);
        if let Some(warning) = warning {
            tracing::warn!("{warning}");
        }
        let targets: Vec<f32> = values.into_iter().flatten().collect();
        let sequences: Vec<Vec<Token>> = pairs.iter().map(|pair| self.space.encode(&pair.arch)).collect();
        let language = Language::of(&self.space);
        let config = self.config.clone().fitted_to(&language);
        let mut rng = rng_for(self.seed, "controller weights", 0);
        let mut controller = Controller::new(config, language, &self.device, &mut rng)?;
        let mut rng = rng_for(self.seed, "controller fit", 0);
        let report = controller.fit(&sequences, &targets, &self.space, &mut rng)?;
        Ok(FittedController {
            space: self.space.clone(),
            controller,
            report,
            direction,
            merits: [
                merits.iter().copied().fold(f64::INFINITY, f64::min),
                merits.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            ],
            known: pairs.iter().map(|pair| self.space.key(&pair.arch)).collect(),
        })
    }
}

impl<S: Space> FittedController<S> {
    /// Architectures to which an architecture leads: its embedding is moved up the gradient of the predicted score by `step`,
    /// by twice as much and so on, as the authors' search does, up to 51 times as much; a negative step goes down. Each is
    /// decoded under the grammar, so that it belongs to the space.
    ///
    /// They come in canonical spelling, those of the shortest move first, each once. The architecture itself and those that
    /// were learned from are not among them; where all moves lead there, there are none.
    ///
    /// # Errors
    /// When the step is no finite number, or the weights are not finite.
    pub fn improve(&self, arch: &S::Arch, step: f64) -> Result<Vec<S::Arch>, ControllerError> {
        if !step.is_finite() {
            let (field, problem) = ("step", format!("is {step}; it must be a finite number"));
            return Err(ControllerError::Config { field, problem, space: self.space.name() });
        }
        let embedding = self.controller.encode(&[self.space.encode(arch)])?;
        let mut known = self.known.clone();
        known.insert(self.space.key(arch));
        let mut found = Vec::new();
        for length in 1..=LENGTHS {
            let moved = self.controller.ascend(&embedding, step * f64::from(length));
            for sequence in self.controller.decode(&moved, &self.space)? {
                let decoded = self.space.decode(&sequence);
                let decoded =
                    decoded.map_err(|error| ControllerError::Undecodable { problem: error.to_string() })?;
                if known.insert(self.space.key(&decoded)) {
                    found.push(self.space.canonical(&decoded));
                }
            }
        }
        Ok(found)
    }

    /// Predicted scores of architectures, in the unit of the scores; never outside of those learned from.
    ///
    /// # Errors
    /// When the weights are not finite.
    pub fn predict(&self, archs: &[S::Arch]) -> Result<Vec<f64>, ControllerError> {
        let sequences: Vec<Vec<Token>> = archs.iter().map(|arch| self.space.encode(arch)).collect();
        let [worst, best] = self.merits;
        let score = |share: f32| self.direction.merit(worst + (best - worst) * f64::from(share));
        Ok(self.controller.predict(&sequences)?.into_iter().map(score).collect())
    }

    /// What the training did.
    pub fn report(&self) -> &FitReport {
        &self.report
    }

    /// The controller over sequences, for what goes beyond.
    pub fn controller(&self) -> &Controller {
        &self.controller
    }
}

#[cfg(test)]
mod tests {
    use nao_space::{CnnArch, CnnSpace, OpSet};

    use super::*;

    fn space() -> CnnSpace {
        CnnSpace::new(2, OpSet::enas_5()).unwrap()
    }

    /// The share of inputs of the normal cell that are its second input.
    fn score(arch: &CnnArch) -> f64 {
        let sequence = space().encode(arch);
        sequence.iter().step_by(2).filter(|token| token.index() == 2).count() as f64
    }

    fn pairs(count: usize) -> Vec<(CnnArch, f64)> {
        let (space, mut rng) = (space(), rng_for(5, "improve", 0));
        (0..count).map(|_| space.sample(&mut rng)).map(|arch| (arch.clone(), score(&arch))).collect()
    }

    fn builder() -> ControllerBuilder<CnnSpace> {
        let config = ControllerConfig {
            hidden: 16,
            mlp_layers: 0,
            mlp_dropout: 0.0,
            learning_rate: 1e-2,
            epochs: 150,
            ..ControllerConfig::default()
        };
        Controller::for_space(&space(), &Device::flex()).config(config).seed(3)
    }

    #[test]
    fn what_it_leads_to_is_new_canonical_distinct_and_better_the_more_so_for_minimised_scores_turned() {
        let (space, pairs) = (space(), pairs(60));
        let controller = builder().fit(pairs.clone(), Direction::Maximize).unwrap();
        let known: HashSet<ArchKey> = pairs.iter().map(|(arch, _)| space.key(arch)).collect();
        let (mut ups, mut downs, mut starts) = (Vec::new(), Vec::new(), Vec::new());
        for (arch, score_of_start) in &pairs[..20] {
            let up = controller.improve(arch, 0.5).unwrap();
            let keys: HashSet<ArchKey> = up.iter().map(|arch| space.key(arch)).collect();
            assert_eq!(keys.len(), up.len(), "each once");
            assert!(keys.is_disjoint(&known) && up.iter().all(|arch| space.canonical(arch) == *arch));
            starts.push(*score_of_start);
            ups.extend(up.iter().map(score));
            downs.extend(controller.improve(arch, -0.5).unwrap().iter().map(score));
        }
        let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len() as f64;
        assert!(!ups.is_empty() && !downs.is_empty());
        assert!(mean(&ups) > mean(&starts), "{} {}", mean(&ups), mean(&starts));
        assert!(mean(&downs) < mean(&starts), "{} {}", mean(&downs), mean(&starts));
        // Errors instead of scores: the same weights, the same moves, mirrored predictions.
        let errors = pairs.iter().map(|(arch, score)| (arch.clone(), -score));
        let mirrored = builder().fit(errors, Direction::Minimize).unwrap();
        let (arch, archs) = (&pairs[0].0, pairs.iter().map(|(arch, _)| arch.clone()).collect::<Vec<_>>());
        assert_eq!(mirrored.improve(arch, 0.5).unwrap(), controller.improve(arch, 0.5).unwrap());
        let scores = controller.predict(&archs).unwrap();
        assert_eq!(mirrored.predict(&archs).unwrap(), scores.iter().map(|score| -score).collect::<Vec<_>>());
        let range = pairs.iter().map(|(_, score)| *score);
        let (least, most) = (range.clone().fold(9.0, f64::min), range.fold(0.0, f64::max));
        assert!(scores.iter().all(|score| (least..=most).contains(score)), "{scores:?}");
    }

    #[test]
    fn what_cannot_be_learned_from_or_moved_is_refused() {
        let mut broken = pairs(4);
        broken[2].1 = f64::INFINITY;
        let fit = |pairs: Vec<(CnnArch, f64)>| {
            let config = ControllerConfig { hidden: 8, mlp_layers: 0, epochs: 1, ..Default::default() };
            builder().config(config).fit(pairs, Direction::Maximize)
        };
        assert!(matches!(fit(broken), Err(ControllerError::Target { index: 2, .. })));
        assert!(fit(Vec::new()).is_err());
        let controller = fit(pairs(4)).unwrap();
        assert_eq!(controller.report().epochs.len(), 1);
        let error = controller.improve(&pairs(1)[0].0, f64::NAN).unwrap_err().to_string();
        assert!(error.contains("`step` is NaN"), "{error}");
    }
}
