//! The candidates of a round of the search on structure, and which of them are proposed.

use nao_space::features::Features;
use nao_space::search::Origin;
use nao_space::{ArchKey, Space};

use super::structure::StructureSearch;
use crate::gaussian_process::{GaussianProcess, Points, Prediction};

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

impl<S: Space> StructureSearch<'_, S> {
    pub(super) fn points<'f>(&self, features: impl IntoIterator<Item = &'f Features>) -> Points {
        Points::new(self.pretrained.map(), features)
    }

    /// Candidates as points, with the scores of their cheap labels where all have one.
    pub(super) fn candidate_points<'c>(
        &self,
        candidates: impl IntoIterator<Item = &'c Candidate<S::Arch>> + Clone,
    ) -> Points
    where
        S::Arch: 'c,
    {
        let points = self.points(candidates.clone().into_iter().map(|candidate| &candidate.features));
        let scores: Option<Vec<f64>> = candidates.into_iter().map(|candidate| candidate.score).collect();
        match scores {
            Some(scores) => points.with_scores(scores),
            None => points,
        }
    }

    /// The numbers of the candidates, those of the highest bound first.
    pub(super) fn by_bound(&self, judged: &Judged<S::Arch>) -> Vec<usize> {
        let Judged { candidates, predictions, .. } = judged;
        let kappa = self.config.kappa;
        let bound = |&at: &usize| predictions[at].mean + kappa * predictions[at].deviation;
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        // Ties by key, so that the order in which candidates were found does not matter.
        order.sort_by(|a, b| {
            bound(b).total_cmp(&bound(a)).then_with(|| candidates[*a].key.cmp(&candidates[*b].key))
        });
        order
    }

    /// The numbers of the candidates to propose.
    pub(super) fn pick(&self, judged: &Judged<S::Arch>, count: usize) -> Vec<usize> {
        let Judged { process, candidates, predictions } = judged;
        let mut shortlist = self.by_bound(judged);
        shortlist.truncate(self.config.shortlist.max(count));
        let points = self.candidate_points(shortlist.iter().map(|&at| &candidates[at]).collect::<Vec<_>>());
        let listed: Vec<Prediction> = shortlist.iter().map(|&at| predictions[at]).collect();
        let sequence = |at: usize| &candidates[shortlist[at]].features.choices;
        let apart = |picked: &[usize], next: usize| {
            picked.iter().all(|&other| {
                let differ = sequence(other).iter().zip(sequence(next)).filter(|(a, b)| a != b).count();
                differ >= self.config.edit_distance
            })
        };
        let picked = process.pick_batch(&points, &listed, count, self.config.kappa, apart);
        picked.into_iter().map(|at| shortlist[at]).collect()
    }
}
