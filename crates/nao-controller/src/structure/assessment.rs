//! How well the predictor ranks architectures that it has not seen: repeated random splits.

use nao_space::features::{FeatureMap, Features};
use nao_space::seed::rng_for;
use rand::seq::SliceRandom;
use serde::Serialize;

use super::config::StructureConfig;
use super::predictor::StructurePredictor;
use crate::error::ControllerError;
use crate::gaussian_process::KernelForm;
use crate::metrics::{kendall_tau, pairwise_accuracy};

/// At most so many unseen architectures are predicted per split.
const UNSEEN: usize = 2_000;

/// The outcome at one number of labels: means over splits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assessment {
    /// Architectures learned from.
    pub labels: usize,
    /// Architectures predicted per split.
    pub unseen: usize,
    /// Random splits.
    pub splits: usize,
    /// Kendall's tau-b of predictions and merits.
    pub kendall_tau: f64,
    /// Its standard error over splits.
    pub kendall_tau_error: f64,
    /// Share of pairs ordered alike.
    pub pairwise_accuracy: f64,
    /// The share of merits inside of the interval that should hold half of them.
    pub inside_50: f64,
    /// The share of merits inside of the interval that should hold nine of ten.
    pub inside_90: f64,
    /// How often each form of kernel had the highest evidence.
    pub kernels: Vec<(KernelForm, usize)>,
}

/// Quantiles of the normal distribution that leave half and a tenth outside.
const HALF: f64 = 0.674_489_750_196_081_7;
const NINE_TENTHS: f64 = 1.644_853_626_951_472_2;

/// Assesses the predictor on architectures with these features and merits, learning from `labels` of them and predicting
/// the others, `splits` times.
///
/// # Errors
/// When there are not two architectures more than labels, or a merit is not finite.
pub fn assess_predictor(
    map: &FeatureMap,
    features: &[Features],
    merits: &[f64],
    labels: usize,
    splits: usize,
    config: &StructureConfig,
    seed: u64,
) -> Result<Assessment, ControllerError> {
    if features.len() != merits.len() || features.len() < labels + 2 || labels == 0 || splits == 0 {
        return Err(ControllerError::Pairs { sentences: features.len(), targets: labels });
    }
    let unseen = (features.len() - labels).min(UNSEEN);
    let (mut taus, mut accuracy, mut inside) = (Vec::new(), 0.0, [0usize; 2]);
    let mut kernels: Vec<(KernelForm, usize)> = Vec::new();
    for split in 0..splits {
        let mut order: Vec<usize> = (0..features.len()).collect();
        order.shuffle(&mut rng_for(seed, "assessment split", split as u64));
        let of = |at: &[usize]| {
            let features: Vec<Features> = at.iter().map(|&at| features[at].clone()).collect();
            (features, at.iter().map(|&at| merits[at]).collect::<Vec<f64>>())
        };
        let (seen_features, seen) = of(&order[..labels]);
        let (new_features, new) = of(&order[labels..labels + unseen]);
        let mut rng = rng_for(seed, "assessment fit", split as u64);
        let predictor = StructurePredictor::fit(map, &seen_features, &seen, config, &[], &mut rng)?;
        let predicted = predictor.predict(map, &new_features);
        let means: Vec<f64> = predicted.iter().map(|predicted| predicted.score.mean).collect();
        taus.push(kendall_tau(&means, &new).unwrap_or(0.0));
        accuracy += pairwise_accuracy(&means, &new).unwrap_or(0.0);
        let noise = predictor.process().noise();
        for (predicted, &merit) in predicted.iter().zip(&new) {
            let spread = (predicted.score.deviation.powi(2) + noise).sqrt();
            let off = (predictor.score_of(merit) - predicted.score.mean).abs() / spread;
            inside[0] += usize::from(off <= HALF);
            inside[1] += usize::from(off <= NINE_TENTHS);
        }
        let form = predictor.process().kernels()[0].form;
        match kernels.iter_mut().find(|(known, _)| *known == form) {
            Some((_, count)) => *count += 1,
            None => kernels.push((form, 1)),
        }
    }
    let n = splits as f64;
    let mean = taus.iter().sum::<f64>() / n;
    let variance = taus.iter().map(|tau| (tau - mean).powi(2)).sum::<f64>() / n;
    let share = |inside: usize| inside as f64 / (splits * unseen) as f64;
    Ok(Assessment {
        labels,
        unseen,
        splits,
        kendall_tau: mean,
        kendall_tau_error: (variance / n).sqrt(),
        pairwise_accuracy: accuracy / n,
        inside_50: share(inside[0]),
        inside_90: share(inside[1]),
        kernels,
    })
}
