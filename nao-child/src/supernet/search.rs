//! The search with shared weights: train them, score the pool by them, let somebody propose, and again
//! (docs/specification.md, d.3, d.4).

use std::time::{Duration, Instant};

use nao_space::network::NetworkPlan;
use nao_space::search::{Observation, OperationHistogram, Proposals, RandomSearch, Strategy, StrategyError};
use nao_space::seed::seed_for;
use nao_space::{CnnArch, EpochReport, EvaluationError, Objective, Progress, Trial, TrialId};
use serde::{Deserialize, Serialize};

use super::evaluator::SharedWeightsEvaluator;
use super::pool::{Drawing, Member, PoolState};
use super::proposer::Proposer;
use super::recipe::{PoolRule, Sampling, SharingConfig, TrainedOn};
use super::training::SharedTraining;
use crate::recipe::{Recipe, RecipeError};
use crate::train::TrainError;
use crate::train::options::if_asked_to_go_on;
use crate::train::schedule::cosine;

/// What one round did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharedRound {
    /// The round, counted from 0.
    pub round: u32,
    /// Epochs that the weights have learned.
    pub epochs: u32,
    /// Mean training loss of each epoch of the round.
    pub train_loss: Vec<f64>,
    /// Architectures scored.
    pub pool: usize,
    /// The best, mean and worst score.
    pub best: f64,
    /// The mean score.
    pub mean: f64,
    /// The worst score.
    pub worst: f64,
    /// The best architectures, best first: as many as there will be finalists.
    pub top: Vec<TrialId>,
    /// The operations of the pool.
    pub pool_operations: OperationHistogram,
    /// The operations of the best architectures.
    pub top_operations: OperationHistogram,
    /// Architectures proposed for the next round.
    pub proposed: usize,
    /// What a person should know, such as a collapse.
    pub warnings: Vec<String>,
    /// What the proposer says about itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposer: Option<serde_json::Value>,
    /// Wall time of training, scoring and proposing in seconds: all that may differ between two runs of one seed.
    pub seconds: [f64; 3],
}

/// Why a search with shared weights cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SharedSearchError {
    /// The training failed or was interrupted.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The settings cannot be, or are for other data.
    #[error(transparent)]
    Settings(#[from] RecipeError),
    /// The proposer failed.
    #[error(transparent)]
    Strategy(#[from] StrategyError),
    /// No architecture of a pool has a score.
    #[error("none of the {pool} architectures of round {} has a score; the last one: {last}", .round + 1)]
    NothingScored {
        /// The round, counted from 0.
        round: u32,
        /// Its architectures.
        pool: usize,
        /// The reason of the last failure.
        last: EvaluationError,
    },
}

/// A search with shared weights, round by round.
pub struct SharedSearch {
    config: SharingConfig,
    training: SharedTraining,
    state: PoolState,
    /// How long the round under way has trained.
    trained: Duration,
}

impl SharedSearch {
    /// A search that has not begun: its first pool is drawn at random, each architecture once.
    ///
    /// # Errors
    /// When the settings cannot be.
    pub fn new(config: SharingConfig, training: SharedTraining) -> Result<Self, SharedSearchError> {
        config.check(&training.split().data)?;
        let seed = seed_for(training.seed(), "shared pool", 0);
        let space = training.supernet().space();
        let drawn = RandomSearch::new(space.clone(), seed).ask(config.pool)?;
        let state = PoolState { rounds: 0, members: Vec::new(), losses: Vec::new() };
        let mut search = SharedSearch { config, training, state, trained: Duration::ZERO };
        search.join(drawn);
        Ok(search)
    }

    /// A search that goes on from a state and the weights that belong to it.
    ///
    /// # Errors
    /// When the settings cannot be.
    pub fn resumed(
        config: SharingConfig,
        training: SharedTraining,
        state: PoolState,
    ) -> Result<Self, SharedSearchError> {
        config.check(&training.split().data)?;
        Ok(SharedSearch { config, training, state, trained: Duration::ZERO })
    }

    /// The settings.
    pub fn config(&self) -> &SharingConfig {
        &self.config
    }

    /// The shared weights.
    pub fn training(&self) -> &SharedTraining {
        &self.training
    }

    /// The pool and how far the search is.
    pub fn state(&self) -> &PoolState {
        &self.state
    }

    /// Whether all rounds are done.
    pub fn is_done(&self) -> bool {
        self.state.rounds >= self.config.rounds
    }

    /// The scored architectures of the pool, best first; of equals the elder.
    pub fn ranking(&self) -> Vec<&Member> {
        let mut ranked: Vec<(&Member, f64)> =
            self.pool().filter_map(|member| Some((member, member.score?))).collect();
        ranked.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.id.cmp(&b.id)));
        ranked.into_iter().map(|(member, _)| member).collect()
    }

    /// One round: trains what is left to train, scores the pool in `threads` threads and, unless it is the last round or
    /// nobody is to propose, asks `proposer` for new architectures. An error leaves the search as no round does: go on from the
    /// last saved state.
    ///
    /// # Errors
    /// When the training fails or is interrupted, nothing can be scored, or the proposer fails.
    pub fn round(
        &mut self,
        proposer: &mut dyn Proposer,
        threads: usize,
        progress: &mut dyn Progress,
    ) -> Result<SharedRound, SharedSearchError> {
        let round = self.state.rounds;
        self.train(progress)?;
        let train_loss = std::mem::take(&mut self.state.losses);
        let trained = std::mem::take(&mut self.trained).as_secs_f64();
        let begun = Instant::now();
        self.score(round, threads)?;
        let scored = begun.elapsed().as_secs_f64();
        let mut report = self.report(round, train_loss);
        let is_last = round + 1 >= self.config.rounds;
        if !is_last && self.config.pool_rule != PoolRule::Fixed {
            proposer.learn(round, &self.training)?;
            let asked = proposer.propose(round, &self.told(), self.config.per_round)?;
            report.warnings.extend(asked.warnings.iter().cloned());
            if let Some(stop) = asked.stop.filter(|_| asked.proposals.is_empty()) {
                report.warnings.push(format!("nobody new in the next round: {stop}"));
            }
            report.proposed = asked.proposals.len();
            report.proposer = proposer.report();
            self.make_room(asked.proposals.len());
            self.state.rounds += 1;
            self.join(asked);
        } else {
            self.state.rounds += 1;
        }
        report.seconds = [trained, scored, begun.elapsed().as_secs_f64() - scored];
        for warning in &report.warnings {
            progress.warning(warning);
        }
        Ok(report)
    }

    fn pool(&self) -> impl Iterator<Item = &Member> {
        self.state.members.iter().filter(|member| member.in_pool)
    }

    /// Trains what is left of the epochs of the round under way. Where `progress` breaks it off, weights and state are those
    /// after the last step, and a search that goes on from them ends like an unbroken one.
    ///
    /// # Errors
    /// When the training fails or is interrupted.
    pub fn train(&mut self, progress: &mut dyn Progress) -> Result<(), SharedSearchError> {
        let begun = Instant::now();
        let trained = self.train_epochs(self.state.rounds, progress);
        self.trained += begun.elapsed();
        trained
    }

    fn train_epochs(&mut self, round: u32, progress: &mut dyn Progress) -> Result<(), SharedSearchError> {
        let per_round = self.config.training.epochs;
        let draw = self.drawing(round);
        let space = self.training.supernet().space().clone();
        for epoch in self.state.losses.len() as u32..per_round {
            let done = round * per_round + epoch;
            let (at, of) =
                if self.config.restarts { (epoch, per_round) } else { (done, self.config.epochs()) };
            let keep_going = || if_asked_to_go_on(progress);
            let loss = self.training.epoch(at, of, |rng| draw.draw(&space, rng), keep_going)?;
            self.state.losses.push(loss);
            let Recipe { cosine_epochs, learning_rate, learning_rate_min, .. } = self.config.training;
            progress.epoch(&EpochReport {
                epoch: done + 1,
                epochs: self.config.epochs(),
                train_loss: loss,
                value: None,
                learning_rate: cosine(at, cosine_epochs, learning_rate, learning_rate_min),
            });
        }
        Ok(())
    }

    /// What the steps of a round draw from.
    pub(super) fn drawing(&self, round: u32) -> Drawing {
        let newest = self.config.trained_on == TrainedOn::Newest;
        let trained = self.pool().filter(|member| !newest || member.since == round);
        let archs: Vec<CnnArch> = match self.config.trained_on {
            TrainedOn::Space => Vec::new(),
            TrainedOn::Pool | TrainedOn::Newest => trained.map(|member| member.arch.clone()).collect(),
        };
        let skeleton = self.training.supernet().plan().skeleton;
        let weight = |arch: &CnnArch| match self.config.sampling {
            Sampling::Uniform => 1.0,
            // A supernet of the skeleton exists, so its children can be laid out.
            Sampling::Parameters => {
                NetworkPlan::new(arch, &skeleton).map_or(0.0, |plan| plan.cost().params as f64)
            }
        };
        Drawing::new(archs, weight)
    }

    fn score(&mut self, round: u32, threads: usize) -> Result<(), SharedSearchError> {
        let seed = self.training.seed();
        let pool: Vec<usize> =
            (0..self.state.members.len()).filter(|&at| self.state.members[at].in_pool).collect();
        let trials: Vec<Trial<CnnArch>> = pool
            .iter()
            .map(|&at| &self.state.members[at])
            .map(|Member { id, arch, .. }| Trial { id: *id, arch: arch.clone(), seed })
            .collect();
        let fidelity = self.config.fidelity(self.training.epochs());
        let evaluator = SharedWeightsEvaluator::new(&self.training, self.config.norms, fidelity);
        let mut last = None;
        let mut any = false;
        for (at, outcome) in pool.iter().zip(evaluator.score_all(&trials, threads)) {
            let score = outcome.map(|measurement| measurement.value);
            any |= score.is_ok();
            self.state.members[*at].score = score.as_ref().ok().copied();
            last = score.err().or(last);
        }
        match last {
            Some(last) if !any => Err(SharedSearchError::NothingScored { round, pool: pool.len(), last }),
            _ => Ok(()),
        }
    }

    fn told(&self) -> Vec<Observation<CnnArch>> {
        let tell = |member: &Member| Observation {
            trial: member.id,
            arch: member.arch.clone(),
            objective: Objective::validation_accuracy(),
            value: member.score.filter(|_| member.in_pool),
        };
        self.state.members.iter().map(tell).collect()
    }

    /// The worst leave where the pool keeps its size; those without a score first.
    fn make_room(&mut self, coming: usize) {
        if self.config.pool_rule != PoolRule::KeepSize {
            return;
        }
        let stay = self.config.pool.saturating_sub(coming);
        let kept: Vec<TrialId> = self.ranking().into_iter().take(stay).map(|member| member.id).collect();
        for member in &mut self.state.members {
            member.in_pool &= kept.contains(&member.id);
        }
    }

    fn join(&mut self, asked: Proposals<CnnArch>) {
        let since = self.state.rounds;
        for proposal in asked.proposals {
            let id = TrialId(self.state.members.len() as u64 + 1);
            let (arch, origin) = (proposal.arch, proposal.origin);
            self.state.members.push(Member { id, arch, origin, since, in_pool: true, score: None });
        }
    }

    fn report(&self, round: u32, train_loss: Vec<f64>) -> SharedRound {
        let ranking = self.ranking();
        let scores: Vec<f64> = ranking.iter().filter_map(|member| member.score).collect();
        let top = &ranking[..ranking.len().min(self.config.finalists)];
        let top_operations = OperationHistogram::of(top.iter().map(|member| &member.arch));
        SharedRound {
            round,
            epochs: self.training.epochs(),
            train_loss,
            pool: self.pool().count(),
            best: scores.first().copied().unwrap_or(f64::NAN),
            mean: scores.iter().sum::<f64>() / scores.len() as f64,
            worst: scores.last().copied().unwrap_or(f64::NAN),
            top: top.iter().map(|member| member.id).collect(),
            pool_operations: OperationHistogram::of(self.pool().map(|member| &member.arch)),
            warnings: top_operations.warning().into_iter().collect(),
            top_operations,
            proposed: 0,
            proposer: None,
            seconds: [0.0; 3],
        }
    }
}
