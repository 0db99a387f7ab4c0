//! Architectures measured by shared weights.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use nao_space::network::NetworkPlan;
use nao_space::{
    CnnArch, EvaluationError, Evaluator, Fidelity, Measurement, Objective, Progress, Quiet, Trial, quantity,
};

use super::child::Norms;
use super::training::SharedTraining;
use crate::evaluator::panics_are_outcomes;

/// Measures the validation accuracy of an architecture with weights that it shares with all others, as they are.
///
/// Every architecture is scored on the whole of one validation subset, in the same batches, and nothing that it leaves
/// behind is kept: a score depends on the weights and the architecture alone, not on what was scored before it.
///
/// `extra` holds `held_out_loss` and `images`, the size of the subset. Parameters and multiplications are those of the
/// stand-alone network on the same skeleton.
pub struct SharedWeightsEvaluator<'a> {
    training: &'a SharedTraining,
    norms: Norms,
    fidelity: Fidelity,
}

impl<'a> SharedWeightsEvaluator<'a> {
    /// An evaluator by weights as a training has left them; norms normalise by `norms`.
    pub fn new(training: &'a SharedTraining, norms: Norms, fidelity: Fidelity) -> Self {
        SharedWeightsEvaluator { training, norms, fidelity }
    }

    fn score(&self, trial: &Trial<CnnArch>) -> Result<Measurement, EvaluationError> {
        let begun = Instant::now();
        let unsuitable = |message: String| EvaluationError::Unsuitable { message };
        let training = self.training;
        let skeleton = training.supernet().plan().skeleton;
        let plan = NetworkPlan::new(&trial.arch, &skeleton).map_err(|error| unsuitable(error.to_string()))?;
        let judged = training
            .score_on(&trial.arch, &training.split().held_out, self.norms)
            .map_err(|error| unsuitable(error.to_string()))?;
        if !judged.loss.is_finite() {
            let (epoch, loss) = (training.epochs(), judged.loss.to_string());
            return Err(EvaluationError::NotFinite { epoch, loss });
        }
        let cost = plan.cost();
        Ok(Measurement::new(self.objective(), judged.accuracy)
            .at(self.fidelity.clone())
            .with_cost(cost.params, cost.macs)
            .in_seconds(begun.elapsed().as_secs_f64())
            .with(quantity::HELD_OUT_LOSS, judged.loss)
            .with(quantity::IMAGES, training.split().held_out.len() as f64))
    }

    /// Scores many architectures, in `threads` threads. The result does not depend on their number.
    pub fn score_all(
        &self,
        trials: &[Trial<CnnArch>],
        threads: usize,
    ) -> Vec<Result<Measurement, EvaluationError>> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(trial) = trials.get(index) else { return done };
                done.push((index, self.evaluate(trial, &mut Quiet)));
            }
        };
        let mut scored: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("panics are outcomes")).collect()
        });
        scored.sort_unstable_by_key(|&(index, _)| index);
        scored.into_iter().map(|(_, outcome)| outcome).collect()
    }
}

impl Evaluator<CnnArch> for SharedWeightsEvaluator<'_> {
    fn objective(&self) -> Objective {
        Objective::validation_accuracy()
    }

    fn evaluate(&self, trial: &Trial<CnnArch>, _: &mut dyn Progress) -> Result<Measurement, EvaluationError> {
        panics_are_outcomes(|| self.score(trial))
    }
}
