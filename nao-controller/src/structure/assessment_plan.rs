//! At how many labels, and how often, predictors are assessed.

use super::assessment::Assessment;
use super::config::StructureConfig;
use super::cost::FitCost;

/// At how many labels, and how often, predictors are assessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssessmentPlan {
    /// Numbers of architectures that are learned from; the others are predicted.
    pub labels: Vec<usize>,
    /// Random splits per number.
    pub splits: u64,
}

/// How well predictors rank architectures that they have not seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessments {
    /// One per number of labels of the plan.
    pub assessments: Vec<Assessment>,
    /// The same splits without the cheap labels; empty where there are none.
    pub without_cheap: Vec<Assessment>,
}

impl AssessmentPlan {
    /// The most of so many architectures that can be learned from: two are left to be ranked.
    pub fn most_labels(architectures: usize) -> usize {
        architectures.saturating_sub(2)
    }

    /// A half and nine tenths of so many architectures, as far as two are left to be ranked.
    pub fn usual(architectures: usize, splits: u64) -> Self {
        let most = AssessmentPlan::most_labels(architectures);
        let mut labels = vec![(architectures / 2).min(most), (architectures * 9 / 10).min(most)];
        labels.dedup();
        AssessmentPlan { labels, splits }
    }

    /// How many predictors are fitted; twice as many where cheap labels are left out, too.
    pub fn fits(&self, has_cheap: bool) -> u64 {
        self.splits_per_number(has_cheap) * self.labels.len() as u64
    }

    /// What all fits cost. The features of all architectures stay, whatever is learned from.
    pub(super) fn cost(&self, has_cheap: bool, config: &StructureConfig) -> FitCost {
        let none = FitCost { operations: 0.0, bytes: 0.0 };
        let splits = self.splits_per_number(has_cheap);
        let each = self.labels.iter().flat_map(|&count| (0..splits).map(move |_| count));
        each.fold(none, |sum, count| sum.and(FitCost::of(count, config)))
    }

    fn splits_per_number(&self, has_cheap: bool) -> u64 {
        if has_cheap { 2 * self.splits } else { self.splits }
    }
}
