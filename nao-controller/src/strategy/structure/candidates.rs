//! The candidates of a round of the search on structure, and which of them are proposed.

use nao_space::ArchKey;
use nao_space::features::{FeatureMap, Features};
use nao_space::search::Origin;

use crate::gaussian_process::{GaussianProcess, Points, Prediction};
use crate::structure::StructureConfig;

/// An architecture that may be proposed.
pub(super) struct Candidate<A> {
    pub(super) arch: A,
    pub(super) key: ArchKey,
    pub(super) origin: Origin,
    pub(super) features: Features,
    /// The normal score of its cheap label, where the model rests on these.
    pub(super) score: Option<f64>,
}

/// Candidates, and what a model makes of them.
pub(super) struct Judged<A> {
    pub(super) process: GaussianProcess,
    pub(super) candidates: Vec<Candidate<A>>,
    pub(super) predictions: Vec<Prediction>,
}

/// Candidates as points, with the scores of their cheap labels where all have one.
pub(super) fn candidate_points<'c, A: 'c>(
    map: &FeatureMap,
    candidates: impl IntoIterator<Item = &'c Candidate<A>> + Clone,
) -> Points {
    let points = Points::new(map, candidates.clone().into_iter().map(|candidate| &candidate.features));
    let scores: Option<Vec<f64>> = candidates.into_iter().map(|candidate| candidate.score).collect();
    match scores {
        Some(scores) => points.with_scores(scores),
        None => points,
    }
}

impl<A> Judged<A> {
    /// The numbers of the candidates, those of the highest bound first.
    pub(super) fn by_bound(&self, kappa: f64) -> Vec<usize> {
        let Judged { candidates, predictions, .. } = self;
        let bound = |&at: &usize| predictions[at].mean + kappa * predictions[at].deviation;
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        // Ties by key, so that the order in which candidates were found does not matter.
        order.sort_by(|a, b| {
            bound(b).total_cmp(&bound(a)).then_with(|| candidates[*a].key.cmp(&candidates[*b].key))
        });
        order
    }

    /// The numbers of the candidates to propose.
    pub(super) fn pick(&self, map: &FeatureMap, config: &StructureConfig, count: usize) -> Vec<usize> {
        let Judged { process, candidates, predictions } = self;
        let mut shortlist = self.by_bound(config.kappa);
        shortlist.truncate(config.shortlist.max(count));
        let listed: Vec<&Candidate<A>> = shortlist.iter().map(|&at| &candidates[at]).collect();
        let points = candidate_points(map, listed);
        let predicted: Vec<Prediction> = shortlist.iter().map(|&at| predictions[at]).collect();
        let sequence = |at: usize| &candidates[shortlist[at]].features.choices;
        let apart = |picked: &[usize], next: usize| {
            picked.iter().all(|&other| {
                let differ = sequence(other).iter().zip(sequence(next)).filter(|(a, b)| a != b).count();
                differ >= config.edit_distance
            })
        };
        let picked = process.pick_batch(&points, &predicted, count, config.kappa, apart);
        picked.into_iter().map(|at| shortlist[at]).collect()
    }
}
