//! A fitted predictor as plain data, from which it predicts again without a fit.

use nao_space::features::{FeatureMap, Features};
use serde::{Deserialize, Serialize};

use super::predictor::StructurePredictor;
use crate::error::ControllerError;
use crate::gaussian_process::{GaussianProcess, Points, Prediction, ProcessState, packed};
use crate::targets::RankScale;

/// Everything of a predictor but the architectures on which it rests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictorState {
    process: ProcessState,
    /// The merits learned from, ascending.
    #[serde(with = "packed")]
    merits: Vec<f64>,
    cheap: Option<CheapState>,
    /// Mean and deviation of the first architectures, which show whether features are still those of the fit.
    probe: Vec<[f64; 2]>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheapState {
    scale: RankScale,
    /// The normal scores of the cheap labels of the architectures.
    #[serde(with = "packed")]
    scores: Vec<f64>,
}

/// So many predictions are kept as a probe.
const PROBE: usize = 3;
/// How far predictions of the probe may be off: rounding differs between processors.
const PROBE_TOLERANCE: f64 = 1e-4;

impl StructurePredictor {
    /// The architectures on which the predictor rests, by their numbers among those of the fit, ascending: all of them
    /// where it is exact. A state is taken up again with the features of these.
    pub fn basis(&self) -> &[usize] {
        self.process.basis()
    }

    /// The predictor as plain data.
    pub fn state(&self) -> PredictorState {
        let points = self.process.points();
        let cheap = self.cheap.clone().zip(points.scores());
        PredictorState {
            process: self.process.state(),
            merits: self.merits.clone(),
            cheap: cheap.map(|(scale, scores)| CheapState { scale, scores: scores.to_vec() }),
            probe: probe(&self.process).collect(),
        }
    }

    /// The predictor of a state, with the features of the architectures on which it rests.
    ///
    /// # Errors
    /// Says what of the state cannot be, or that features are others than those of the fit.
    pub fn from_state(
        map: &FeatureMap,
        features: &[Features],
        state: PredictorState,
    ) -> Result<Self, ControllerError> {
        let PredictorState { process, merits, cheap, probe: expected } = state;
        let refuse = |problem: &str| Err(ControllerError::State { problem: problem.to_owned() });
        if merits.is_empty() || !merits.is_sorted() || merits.iter().any(|merit| !merit.is_finite()) {
            return refuse("the scores learned from are missing, or not finite and in order");
        }
        let points = Points::new(map, features);
        let (points, cheap) = match cheap {
            Some(CheapState { scores, .. }) if scores.len() != features.len() => {
                return refuse("there is not one cheap label per architecture");
            }
            Some(CheapState { scale, scores }) => (points.with_scores(scores), Some(scale)),
            None => (points, None),
        };
        let process = GaussianProcess::from_state(points, process)?;
        let near = |(now, then): ([f64; 2], &[f64; 2])| {
            now.iter().zip(then).all(|(now, then)| (now - then).abs() <= PROBE_TOLERANCE)
        };
        if expected.len() != features.len().min(PROBE) || !probe(&process).zip(&expected).all(near) {
            return refuse(
                "it predicts otherwise than when it was fitted, by another version of this program",
            );
        }
        Ok(StructurePredictor { process, merits, cheap })
    }
}

/// Mean and deviation of the first architectures.
fn probe(process: &GaussianProcess) -> impl Iterator<Item = [f64; 2]> {
    let first: Vec<usize> = (0..process.points().len().min(PROBE)).collect();
    let predicted = process.predict(&process.points().select(&first));
    predicted.into_iter().map(|Prediction { mean, deviation }| [mean, deviation])
}
