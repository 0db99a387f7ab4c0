//! How well the predictor ranks architectures that it has not seen: repeated random splits.

use nao_space::features::{FeatureMap, Features};
use nao_space::seed::rng_for;
use rand::seq::SliceRandom;
use serde::Serialize;

use super::config::StructureConfig;
use super::predictor::{Labels, PredictedMerit, StructurePredictor};
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
    /// Splits without a ranking: all predictions or all unseen merits are equal. They are left out of the means of tau and
    /// of pairs.
    pub unranked_splits: usize,
    /// The architectures on which the posterior rests; `None` where it is exact, of all labels.
    pub basis: Option<usize>,
    /// Kendall's tau-b of predictions and merits; `None` where no split has a ranking.
    pub kendall_tau: Option<f64>,
    /// Its standard error over splits; `None` of fewer than two.
    pub kendall_tau_error: Option<f64>,
    /// Share of pairs ordered alike; `None` where no split has a ranking.
    pub pairwise_accuracy: Option<f64>,
    /// The share of merits inside of the interval that should hold half of them; `None` where all merits learned from are
    /// equal, so that there is no scale.
    pub inside_50: Option<f64>,
    /// The share of merits inside of the interval that should hold nine of ten; `None` likewise.
    pub inside_90: Option<f64>,
    /// How often each form of kernel had the highest evidence.
    pub kernels: Vec<(KernelForm, usize)>,
    /// What one unit of the cheap label's normal score was worth (b of the prior mean); `None` without cheap labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cheap_slope: Option<f64>,
}

/// The outcome of one split.
#[derive(Clone, Debug, PartialEq)]
pub struct AssessedSplit {
    labels: usize,
    unseen: usize,
    basis: Option<usize>,
    /// Tau and the share of pairs, where there is a ranking.
    ranking: Option<[f64; 2]>,
    /// The shares inside of the two intervals, where there is a scale.
    inside: Option<[f64; 2]>,
    kernel: KernelForm,
    cheap_slope: Option<f64>,
}

/// Quantiles of the normal distribution that leave half and a tenth outside.
const HALF: f64 = 0.674_489_750_196_081_7;
const NINE_TENTHS: f64 = 1.644_853_626_951_472_2;

/// Assesses the predictor on architectures with these features and labels, learning from `count` of them and predicting
/// the others, `splits` times. Equal seeds give equal splits, with and without cheap labels.
///
/// # Errors
/// When there are not two architectures more than `count`, a label is not finite, or some have no cheap label.
pub fn assess_predictor(
    map: &FeatureMap,
    features: &[Features],
    labels: Labels<'_>,
    count: usize,
    splits: usize,
    config: &StructureConfig,
    seed: u64,
) -> Result<Assessment, ControllerError> {
    let assess = |split| assess_split(map, features, labels, count, split, config, seed);
    let splits = (0..splits as u64).map(assess).collect::<Result<Vec<_>, _>>()?;
    Assessment::of(&splits).ok_or(ControllerError::Empty)
}

/// One split of [`assess_predictor`], numbered from 0.
///
/// # Errors
/// As there.
pub fn assess_split(
    map: &FeatureMap,
    features: &[Features],
    labels: Labels<'_>,
    count: usize,
    split: u64,
    config: &StructureConfig,
    seed: u64,
) -> Result<AssessedSplit, ControllerError> {
    let Labels { merits, cheap } = labels;
    if features.len() != merits.len() {
        return Err(ControllerError::Scores { archs: features.len(), scores: merits.len() });
    }
    if features.len() < count + 2 || count == 0 {
        return Err(ControllerError::Split { labels: count, archs: features.len() });
    }
    if let Some(labels) = cheap.map(<[f64]>::len).filter(|&labels| labels != features.len()) {
        return Err(ControllerError::CheapLabels { labels, archs: features.len() });
    }
    let unseen = (features.len() - count).min(UNSEEN);
    let mut order: Vec<usize> = (0..features.len()).collect();
    order.shuffle(&mut rng_for(seed, "assessment split", split));
    let of = |at: &[usize]| {
        let features: Vec<Features> = at.iter().map(|&at| features[at].clone()).collect();
        let pick = |values: &[f64]| at.iter().map(|&at| values[at]).collect::<Vec<f64>>();
        (features, pick(merits), cheap.map(pick))
    };
    let (seen_features, seen, seen_cheap) = of(&order[..count]);
    let (new_features, new, new_cheap) = of(&order[count..count + unseen]);
    let mut rng = rng_for(seed, "assessment fit", split);
    let known = Labels { merits: &seen, cheap: seen_cheap.as_deref() };
    let predictor = StructurePredictor::fit(map, &seen_features, known, config, &[], &mut rng)?;
    let predicted = predictor.predict(map, &new_features, new_cheap.as_deref())?;
    let means: Vec<f64> = predicted.iter().map(|predicted| predicted.score.mean).collect();
    // Where there is no tau, pairs are ordered by chance.
    let ranking = kendall_tau(&means, &new).zip(pairwise_accuracy(&means, &new));
    let process = predictor.process();
    let has_scale = seen.iter().any(|merit| *merit != seen[0]);
    Ok(AssessedSplit {
        labels: count,
        unseen,
        basis: process.is_sparse().then(|| process.basis().len()),
        ranking: ranking.map(|(tau, pairs)| [tau, pairs]),
        inside: has_scale.then(|| shares_inside(&predictor, &predicted, &new)),
        kernel: process.kernels()[0].form,
        cheap_slope: cheap.map(|_| process.prior_mean().slope),
    })
}

/// The shares of merits inside of the intervals that should hold half and nine tenths of them.
fn shares_inside(predictor: &StructurePredictor, predicted: &[PredictedMerit], merits: &[f64]) -> [f64; 2] {
    let noise = predictor.process().noise();
    let off = |(predicted, &merit): (&PredictedMerit, &f64)| {
        let spread = (predicted.score.deviation.powi(2) + noise).sqrt();
        (predictor.score_of(merit) - predicted.score.mean).abs() / spread
    };
    let off: Vec<f64> = predicted.iter().zip(merits).map(off).collect();
    [HALF, NINE_TENTHS]
        .map(|bound| off.iter().filter(|&&off| off <= bound).count() as f64 / merits.len() as f64)
}

impl Assessment {
    /// The means over splits of one number of labels; `None` of no split.
    pub fn of(splits: &[AssessedSplit]) -> Option<Self> {
        let first = splits.first()?;
        let rankings: Vec<[f64; 2]> = splits.iter().filter_map(|split| split.ranking).collect();
        let insides: Vec<[f64; 2]> = splits.iter().filter_map(|split| split.inside).collect();
        let slopes: Vec<f64> = splits.iter().filter_map(|split| split.cheap_slope).collect();
        let tau = mean(rankings.iter().map(|[tau, _]| *tau));
        let mut kernels: Vec<(KernelForm, usize)> = Vec::new();
        for split in splits {
            match kernels.iter_mut().find(|(known, _)| *known == split.kernel) {
                Some((_, count)) => *count += 1,
                None => kernels.push((split.kernel, 1)),
            }
        }
        let error = tau.filter(|_| rankings.len() > 1).map(|centre| {
            let n = rankings.len() as f64;
            let squares: f64 = rankings.iter().map(|[tau, _]| (tau - centre).powi(2)).sum();
            (squares / (n - 1.0) / n).sqrt()
        });
        Some(Assessment {
            labels: first.labels,
            unseen: first.unseen,
            splits: splits.len(),
            unranked_splits: splits.len() - rankings.len(),
            basis: first.basis,
            kendall_tau: tau,
            kendall_tau_error: error,
            pairwise_accuracy: mean(rankings.iter().map(|[_, pairs]| *pairs)),
            inside_50: mean(insides.iter().map(|[half, _]| *half)),
            inside_90: mean(insides.iter().map(|[_, most]| *most)),
            kernels,
            cheap_slope: mean(slopes.into_iter()),
        })
    }
}

/// The mean; `None` of nothing.
fn mean(values: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    let count = values.len() as f64;
    (count > 0.0).then(|| values.sum::<f64>() / count)
}

#[cfg(test)]
mod tests {
    use nao_space::{EdgeOp, NasBench201Arch, NasBench201Space, Space};

    use super::*;
    use crate::init::standard_normal;

    /// Cells whose merit is half their convolutions and half something that no structure shows.
    struct Planted {
        map: FeatureMap,
        features: Vec<Features>,
        merits: Vec<f64>,
        hidden: Vec<f64>,
    }

    fn planted(config: &StructureConfig) -> Planted {
        let space = NasBench201Space::default();
        let map = config.pretraining.feature_map(&space);
        let mut rng = rng_for(3, "planted", 0);
        let archs: Vec<NasBench201Arch> = (0..160).map(|_| space.sample(&mut rng)).collect();
        let hidden: Vec<f64> = archs.iter().map(|_| standard_normal(&mut rng)).collect();
        let convolutions =
            |arch: &NasBench201Arch| arch.edges.iter().filter(|&&op| op == EdgeOp::NorConv3x3).count() as f64;
        let merits = archs.iter().zip(&hidden).map(|(arch, hidden)| convolutions(arch) + hidden).collect();
        let features = archs.iter().map(|arch| map.features(&space, arch)).collect();
        Planted { map, features, merits, hidden }
    }

    #[test]
    fn a_cheap_label_is_worth_what_it_tells() {
        let config = StructureConfig::default();
        let Planted { map, features, merits, hidden } = planted(&config);
        let assess = |cheap: Option<&[f64]>| {
            assess_predictor(&map, &features, Labels { merits: &merits, cheap }, 60, 4, &config, 1).unwrap()
        };
        let without = assess(None);
        // It shows what structure cannot, with noise of its own.
        let mut rng = rng_for(4, "planted cheap", 0);
        let telling: Vec<f64> =
            hidden.iter().map(|hidden| hidden + 0.3 * standard_normal(&mut rng)).collect();
        let with = assess(Some(&telling));
        let tau = |assessment: &Assessment| assessment.kendall_tau.unwrap();
        assert!(tau(&with) > tau(&without) + 0.15, "{with:?} {without:?}");
        assert!(with.pairwise_accuracy.unwrap() > without.pairwise_accuracy.unwrap() + 0.05);
        assert!(
            with.cheap_slope.unwrap() > 0.4 && (0.8..0.97).contains(&with.inside_90.unwrap()),
            "{with:?}"
        );
        // It tells nothing.
        let noise: Vec<f64> = hidden.iter().map(|_| standard_normal(&mut rng)).collect();
        let with = assess(Some(&noise));
        assert!(with.cheap_slope.unwrap() < 0.08, "{with:?}");
        let error = without.kendall_tau_error.unwrap().max(with.kendall_tau_error.unwrap());
        assert!((tau(&with) - tau(&without)).abs() <= error, "{with:?} {without:?}");
        // Nothing at all to tell: the same numbers as without.
        let equal = assess(Some(&[0.5; 160]));
        assert_eq!(Assessment { cheap_slope: None, ..equal }, without);
    }

    #[test]
    fn cheap_labels_that_are_missing_or_no_numbers_are_refused() {
        let config = StructureConfig { draws: 2, rival_draws: 1, ..StructureConfig::default() };
        let Planted { map, features, merits, hidden } = planted(&config);
        let fit = |cheap: Option<&[f64]>| {
            let labels = Labels { merits: &merits[..20], cheap };
            StructurePredictor::fit(&map, &features[..20], labels, &config, &[], &mut rng_for(1, "fit", 0))
        };
        let missing = |result| matches!(result, Err(ControllerError::CheapLabels { labels: 19, archs: 20 }));
        assert!(missing(fit(Some(&hidden[..19])).map(|_| Vec::new())));
        let mut broken = hidden[..20].to_vec();
        broken[7] = f64::NAN;
        assert!(matches!(fit(Some(&broken)), Err(ControllerError::CheapLabel { index: 7, .. })));
        let (with, without) = (fit(Some(&hidden[..20])).unwrap(), fit(None).unwrap());
        let ask = |predictor: &StructurePredictor, cheap| predictor.predict(&map, &features[20..40], cheap);
        assert!(missing(ask(&with, Some(&hidden[..19]))));
        assert!(matches!(ask(&with, None), Err(ControllerError::CheapLabels { labels: 0, archs: 20 })));
        assert!(matches!(ask(&with, Some(&broken)), Err(ControllerError::CheapLabel { index: 7, .. })));
        assert!(matches!(ask(&without, Some(&hidden[..20])), Err(ControllerError::CheapLabels { .. })));
        assert_eq!(ask(&without, None).unwrap().len(), 20);
        let labels = Labels { merits: &merits, cheap: Some(&hidden[..20]) };
        assert!(assess_predictor(&map, &features, labels, 60, 1, &config, 1).is_err());
    }
}
