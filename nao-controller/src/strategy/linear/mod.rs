//! The linear rival: ridge regression on tokens and pairs of tokens.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use nao_space::search::{
    Memory, MemoryState, Observation, Origin, Proposal, Proposals, Strategy, StrategyError, saved_state,
};
use nao_space::seed::rng_for;
use nao_space::{Space, Token};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

/// The name of the strategy.
const NAME: &str = "linear";
/// The weight of the penalty.
const PENALTY: f64 = 1.0;
/// How many of the best architectures have their neighbours scored.
const PARENTS: usize = 10;
/// At most so many neighbours, and as many random architectures, are scored.
const CANDIDATES: usize = 300;

/// A search that proposes what a ridge regression on one-hot tokens and all pairs of them scores highest, among the
/// neighbours of the best and random architectures.
///
/// The regression is solved in its dual form: two sequences that agree in s places share s tokens and s (s - 1) / 2
/// pairs, so the features need not be written down.
pub struct LinearSearch<S: Space> {
    memory: Memory<S>,
    /// The canonical sequences of everything measured.
    sequences: Vec<Vec<Token>>,
    /// Scores all of these instead.
    enumeration: Option<Arc<Vec<S::Arch>>>,
    rounds: u64,
}

#[derive(Serialize, Deserialize)]
struct State {
    rounds: u64,
    #[serde(alias = "random")]
    memory: MemoryState,
}

impl<S: Space> LinearSearch<S> {
    /// A search of `space` from a seed.
    pub fn new(space: S, seed: u64) -> Self {
        let memory = Memory::new(space, seed);
        LinearSearch { memory, sequences: Vec::new(), enumeration: None, rounds: 0 }
    }

    /// The same search, which scores all of these architectures, one spelling of each.
    pub fn enumerating(mut self, archs: Arc<Vec<S::Arch>>) -> Self {
        self.enumeration = Some(archs);
        self
    }

    fn sequence(&self, arch: &S::Arch) -> Vec<Token> {
        let space = self.memory.space();
        space.encode(&space.canonical(arch))
    }

    /// Writes down the sequences of what was measured since the last time.
    fn learn_sequences(&mut self) {
        for position in self.sequences.len()..self.memory.measured().len() {
            self.sequences.push(self.sequence(&self.memory.measured()[position].arch));
        }
    }

    /// Architectures to score, none of them known.
    fn candidates(&self, count: usize) -> Vec<Proposal<S::Arch>> {
        let space = self.memory.space();
        let mut rng = rng_for(self.memory.seed(), "linear candidates", self.rounds);
        let mut found: Vec<Proposal<S::Arch>> = Vec::new();
        match &self.enumeration {
            Some(archs) => {
                let all = archs.iter().cloned();
                found.extend(all.map(|arch| Proposal { arch, origin: Origin::Random }));
            }
            None => {
                for parent in self.memory.parents(PARENTS) {
                    let origin = Origin::Mutation { parent: parent.trial };
                    let neighbours = space.neighbours(&parent.arch).into_iter();
                    found.extend(neighbours.map(|arch| Proposal { arch, origin }));
                }
                found.shuffle(&mut rng);
                found.truncate(CANDIDATES);
                let drawn = (0..CANDIDATES.max(count)).map(|_| space.sample(&mut rng));
                found.extend(drawn.map(|arch| Proposal { arch, origin: Origin::Random }));
            }
        }
        let mut seen = HashSet::new();
        found.retain(|candidate| {
            let key = space.key(&candidate.arch);
            !self.memory.knows(&key) && seen.insert(key)
        });
        found
    }

    /// The candidates that a regression on everything measured scores highest; of equals, as before the first measurement,
    /// random ones.
    fn best_candidates(&self, count: usize) -> Result<Vec<Proposal<S::Arch>>, StrategyError> {
        let sequences: Vec<&[Token]> = self.sequences.iter().map(Vec::as_slice).collect();
        let weights = match sequences.is_empty() {
            true => Vec::new(),
            false => {
                ridge(&sequences, &ranks(&self.memory.merits())).ok_or_else(|| StrategyError::Model {
                    strategy: NAME.into(),
                    message: "the regression is numerically singular".into(),
                })?
            }
        };
        let mut candidates = self.candidates(count);
        candidates.shuffle(&mut rng_for(self.memory.seed(), "linear order", self.rounds));
        let score = |arch: &S::Arch| {
            let sequence = self.sequence(arch);
            weights.iter().zip(&sequences).map(|(w, seen)| w * shared(seen, &sequence)).sum::<f64>()
        };
        let mut scored: Vec<(f64, Proposal<S::Arch>)> =
            candidates.into_iter().map(|candidate| (score(&candidate.arch), candidate)).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        Ok(scored.into_iter().take(count).map(|(_, proposal)| proposal).collect())
    }
}

/// The number of tokens and pairs of tokens that two sequences share.
fn shared(a: &[Token], b: &[Token]) -> f64 {
    let same = a.iter().zip(b).filter(|(a, b)| a == b).count() as f64;
    same + same * (same - 1.0) / 2.0
}

/// The weights of observations in the scores of a ridge regression: a score is the sum of each times what is shared with
/// it. `None` where the system is numerically singular.
fn ridge(sequences: &[&[Token]], targets: &[f64]) -> Option<Vec<f64>> {
    let n = sequences.len();
    let centred = |values: Vec<f64>| {
        let mean = values.iter().sum::<f64>() / n as f64;
        values.into_iter().map(|value| value - mean).collect::<Vec<f64>>()
    };
    let gram = Mat::from_fn(n, n, |i, j| shared(sequences[i], sequences[j]));
    let row_means: Vec<f64> = (0..n).map(|i| gram.row(i).iter().sum::<f64>() / n as f64).collect();
    let mean = row_means.iter().sum::<f64>() / n as f64;
    let kernel = Mat::from_fn(n, n, |i, j| {
        gram[(i, j)] - row_means[i] - row_means[j] + mean + if i == j { PENALTY } else { 0.0 }
    });
    let targets = centred(targets.to_vec());
    let targets = Mat::from_fn(n, 1, |i, _| targets[i]);
    let solved = kernel.llt(Side::Lower).ok()?.solve(&targets);
    Some(centred(solved.col_as_slice(0).to_vec()))
}

/// Ranks from -sqrt 3 to sqrt 3; equal ones share their mean.
fn ranks(merits: &[f64]) -> Vec<f64> {
    let n = merits.len() as f64;
    let rank = |merit: f64| {
        let below = merits.iter().filter(|&&other| other < merit).count() as f64;
        let equal = merits.iter().filter(|&&other| other == merit).count() as f64;
        ((below + equal / 2.0) / n - 0.5) * 12f64.sqrt()
    };
    merits.iter().map(|&merit| rank(merit)).collect()
}

impl<S: Space> Strategy<S> for LinearSearch<S> {
    fn name(&self) -> &str {
        NAME
    }

    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        let mut asked = Proposals::none();
        let draw_only = self.sequences.is_empty() && self.enumeration.is_none();
        if count > 0 && !draw_only {
            asked.proposals = self.best_candidates(count)?;
            for proposal in &asked.proposals {
                self.memory.propose(&proposal.arch);
            }
        }
        self.memory.fill_up(&mut asked, count);
        self.rounds += 1;
        Ok(asked)
    }

    fn tell(&mut self, observations: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        self.memory.tell(NAME, observations)?;
        self.learn_sequences();
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>, StrategyError> {
        saved_state::to_bytes(NAME, &State { rounds: self.rounds, memory: self.memory.state() })
    }

    fn restore(&mut self, state: &[u8], told: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        let state: State = saved_state::from_bytes(NAME, state)?;
        self.memory = self.memory.restored(NAME, state.memory, told)?;
        self.rounds = state.rounds;
        self.sequences.clear();
        self.learn_sequences();
        Ok(())
    }
}
