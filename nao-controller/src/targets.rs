//! Training targets from merits (docs/specification.md, c.3).

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// Merits on the scale that the predictor learns.
#[derive(Clone, Debug, PartialEq)]
pub struct Targets {
    /// Per merit its place between the worst (0) and the best (1) of the pool; `None` for a merit that is no
    /// finite number, which must not be trained on.
    pub values: Vec<Option<f32>>,
    /// What a person should know of a pool that says nothing.
    pub warning: Option<String>,
}

impl Targets {
    /// Min-max over the whole pool: (v - min) / (max - min). Where all finite merits are equal, also where there
    /// is only one, each gets 0.5 and there is a warning; so is there where none is finite.
    pub fn min_max(merits: &[f64]) -> Self {
        let finite = || merits.iter().copied().filter(|merit| merit.is_finite());
        let least = finite().fold(f64::INFINITY, f64::min);
        let most = finite().fold(f64::NEG_INFINITY, f64::max);
        // Halves, so that a range as wide as the numbers themselves does not overflow.
        let half_range = most / 2.0 - least / 2.0;
        let scale = |merit: f64| {
            let share = if half_range > 0.0 { (merit / 2.0 - least / 2.0) / half_range } else { 0.5 };
            merit.is_finite().then_some(share as f32)
        };
        let warning = match finite().count() {
            0 => Some("no trial of the pool has a score: there is nothing to learn from".to_owned()),
            1 => Some("only one trial of the pool has a score: its target is 0.5".to_owned()),
            _ if half_range > 0.0 => None,
            count => Some(format!("all {count} scores of the pool are {least}: all targets are 0.5")),
        };
        Targets { values: merits.iter().copied().map(scale).collect(), warning }
    }
}

/// The normal scores of merits: what the merit's rank, (rank - 1/2) / n, would be if merits were normally
/// distributed. Mean 0, variance about 1, and no outliers whatever the merits; equal ones share their mean rank.
///
/// `merits` are finite numbers.
pub fn normal_scores(merits: &[f64]) -> Vec<f64> {
    let n = merits.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| merits[a].total_cmp(&merits[b]));
    let normal = Normal::standard();
    let mut scores = vec![0.0; n];
    let mut first = 0;
    while first < n {
        let equal = order[first..].iter().take_while(|&&index| merits[index] == merits[order[first]]).count();
        let share = (first as f64 + equal as f64 / 2.0) / n as f64;
        order[first..first + equal].iter().for_each(|&index| scores[index] = normal.inverse_cdf(share));
        first += equal.max(1);
    }
    scores
}

/// The scale of normal scores of some merits, on which other merits get a place too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankScale {
    /// Distinct merits, ascending, each with its normal score.
    steps: Vec<(f64, f64)>,
}

impl RankScale {
    /// The scale of these merits, which are finite numbers.
    pub fn of(merits: &[f64]) -> Self {
        let mut steps: Vec<(f64, f64)> = merits.iter().copied().zip(normal_scores(merits)).collect();
        steps.sort_by(|a, b| a.0.total_cmp(&b.0));
        steps.dedup_by(|a, b| a.0 == b.0);
        RankScale { steps }
    }

    /// The normal score of a merit: between two of the scale on the line through theirs, outside of all the score of
    /// the nearest. 0 on a scale of nothing.
    pub fn score(&self, merit: f64) -> f64 {
        let above = self.steps.partition_point(|&(known, _)| known < merit);
        let (Some(&(high, score)), Some(&(low, below))) =
            (self.steps.get(above), above.checked_sub(1).map(|below| &self.steps[below]))
        else {
            let nearest = self.steps.get(above).or(self.steps.last());
            return nearest.map_or(0.0, |&(_, score)| score);
        };
        below + (score - below) * ((merit - low) / (high - low))
    }
}

/// Merits less their mean, over their standard deviation; zeros where all are equal.
///
/// `merits` are finite numbers.
pub fn standard_scores(merits: &[f64]) -> Vec<f64> {
    // By the largest, so that neither sums nor squares overflow.
    let scale = merits.iter().fold(0.0f64, |most, merit| most.max(merit.abs()));
    if scale == 0.0 {
        return vec![0.0; merits.len()];
    }
    let n = merits.len() as f64;
    let mean = merits.iter().map(|merit| merit / scale).sum::<f64>() / n;
    let centred: Vec<f64> = merits.iter().map(|merit| merit / scale - mean).collect();
    let deviation = (centred.iter().map(|value| value * value).sum::<f64>() / n).sqrt();
    // Equal merits differ from their mean by rounding alone.
    if deviation <= 1e-12 {
        return vec![0.0; merits.len()];
    }
    centred.into_iter().map(|value| value / deviation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_0_and_the_best_is_1() {
        let targets = Targets::min_max(&[0.9, 0.5, f64::NAN, 0.7]);
        assert_eq!(targets.values, [Some(1.0), Some(0.0), None, Some(0.5)]);
        assert_eq!(targets.warning, None);
    }

    #[test]
    fn pools_that_say_nothing_have_defined_targets_and_a_warning() {
        let equal = Targets::min_max(&[0.3, 0.3, f64::INFINITY]);
        assert_eq!(equal.values, [Some(0.5), Some(0.5), None]);
        assert!(equal.warning.unwrap().contains("all 2 scores"));
        let one = Targets::min_max(&[0.3]);
        assert_eq!(one.values, [Some(0.5)]);
        assert!(one.warning.is_some());
        let none = Targets::min_max(&[f64::NAN]);
        assert_eq!(none.values, [None]);
        assert!(none.warning.is_some());
        assert!(Targets::min_max(&[]).warning.is_some());
    }

    #[test]
    fn normal_scores_are_quantiles_of_ranks() {
        let scores = normal_scores(&[5.0, -1.0, 700.0, 5.0]);
        // Shares 1/8, 1/2 for both fives, 7/8.
        let quantile = 1.150_349_380_376_008;
        assert!((scores[1] + quantile).abs() < 1e-9 && (scores[2] - quantile).abs() < 1e-9, "{scores:?}");
        assert!(scores[0].abs() < 1e-12 && scores[3].abs() < 1e-12);
        assert_eq!(normal_scores(&[3.0, 3.0]), [0.0, 0.0]);
        assert!(normal_scores(&[]).is_empty());
    }

    #[test]
    fn a_scale_gives_its_own_merits_their_normal_scores_and_others_a_place_between() {
        let merits = [5.0, -1.0, 700.0, 5.0];
        let scale = RankScale::of(&merits);
        let scores = normal_scores(&merits);
        assert!(merits.iter().zip(&scores).all(|(&merit, &score)| scale.score(merit) == score));
        assert!((scale.score(2.0) - scores[1] / 2.0).abs() < 1e-12);
        assert_eq!([scale.score(-9.0), scale.score(1e9)], [scores[1], scores[2]]);
        assert_eq!([RankScale::of(&[]).score(1.0), RankScale::of(&[2.0, 2.0]).score(7.0)], [0.0, 0.0]);
    }

    #[test]
    fn a_range_as_wide_as_the_numbers_does_not_overflow() {
        assert_eq!(Targets::min_max(&[-1.7e308, 1.7e308]).values, [Some(0.0), Some(1.0)]);
    }

    #[test]
    fn standard_scores_have_mean_0_and_variance_1() {
        let scores = standard_scores(&[1.0, 2.0, 6.0]);
        let expected = [-2.0, -1.0, 3.0].map(|value: f64| value / (14.0f64 / 3.0).sqrt());
        assert!(scores.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{scores:?}");
        assert_eq!(standard_scores(&[0.7, 0.7, 0.7]), [0.0; 3]);
        assert!(standard_scores(&[f64::MAX, f64::MIN]).iter().all(|score| score.abs() == 1.0));
        assert!(standard_scores(&[]).is_empty());
    }
}
