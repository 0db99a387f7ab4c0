//! How soon searches find the best: one strategy, many seeds, a table of known values.
//!
//! Each architecture is charged once, in whatever spelling; a search ends when it has measured the best value there is,
//! or when its budget is spent.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::rounds::RoundLimits;
use super::strategy::{Observation, Origin, Strategy, StrategyError};
use crate::space::Space;
use crate::trial::{Objective, TrialId};

/// What is searched for.
pub struct Contest<'a, A> {
    /// Portions and budget, in queries.
    pub limits: RoundLimits,
    /// What the values are.
    pub objective: Objective,
    /// The value by which a search goes; `None` for an architecture that the table does not have, which is refused
    /// without charge.
    pub value: &'a dyn Fn(&A) -> Option<f64>,
    /// The value that is reported of what a search has found best so far.
    pub reported: &'a dyn Fn(&A) -> Option<f64>,
    /// The search ends where this is reached by the reported value; `None` to spend the whole budget.
    pub optimum: Option<f64>,
}

/// What one search did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Race {
    /// The seed.
    pub seed: u64,
    /// How many queries it took to the optimum; `None` if the budget did not suffice.
    pub queries_to_optimum: Option<u64>,
    /// After each query the reported value of the best so far by the value searched.
    pub best: Vec<f64>,
    /// Queries by origin.
    pub origins: Origins<u64>,
    /// Queries that were the best so far, by origin.
    pub improvements: Origins<u64>,
    /// Rounds behind the first.
    pub rounds: u64,
    /// Wall-clock seconds of the strategy in these.
    pub seconds: f64,
}

impl Race {
    /// A search that has asked for nothing yet.
    pub fn begun(seed: u64) -> Self {
        Race {
            seed,
            queries_to_optimum: None,
            best: Vec::new(),
            origins: Origins::default(),
            improvements: Origins::default(),
            rounds: 0,
            seconds: 0.0,
        }
    }
}

/// Something per origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Origins<T> {
    /// Drawn from the space, or from an enumeration.
    pub random: T,
    /// Decoded after gradient steps.
    pub ascent: T,
    /// Edits of measured architectures.
    pub neighbour: T,
    /// Drawn from a learned policy.
    pub policy: T,
}

impl Origins<u64> {
    fn count(&mut self, origin: Origin) {
        match origin {
            Origin::Random => self.random += 1,
            Origin::Ascent { .. } => self.ascent += 1,
            Origin::Mutation { .. } => self.neighbour += 1,
            Origin::Policy => self.policy += 1,
            // Searches of tables have no weights.
            Origin::SharedWeights { .. } | Origin::Relaxed => {}
        }
    }

    fn add(&mut self, other: &Origins<u64>) {
        self.random += other.random;
        self.ascent += other.ascent;
        self.neighbour += other.neighbour;
        self.policy += other.policy;
    }
}

/// Asks in a row that may bring no member of the table before a search counts as finished.
const FRUITLESS: u32 = 1_000;

impl<A> Contest<'_, A> {
    /// Runs one search.
    ///
    /// # Errors
    /// When the strategy cannot go on.
    pub fn race<S: Space<Arch = A>>(
        &self,
        strategy: &mut dyn Strategy<S>,
        seed: u64,
    ) -> Result<Race, StrategyError>
    where
        A: Clone,
    {
        let mut race = Race::begun(seed);
        let (mut best, mut fruitless) = (f64::NEG_INFINITY, 0);
        while (race.best.len() as u64) < self.limits.budget && fruitless < FRUITLESS {
            let queries = race.best.len() as u64;
            let wanted = if queries == 0 { self.limits.initial } else { self.limits.per_round };
            let begun = Instant::now();
            let asked = strategy.ask(wanted.min(self.limits.budget - queries) as usize)?;
            let seconds = begun.elapsed().as_secs_f64();
            let mut told = Vec::new();
            for proposal in asked.proposals {
                let Some(value) = (self.value)(&proposal.arch) else { continue };
                race.origins.count(proposal.origin);
                let merit = self.objective.merit(value);
                let reported = match race.best.last() {
                    Some(&before) if merit <= best => before,
                    _ => {
                        best = merit;
                        race.improvements.count(proposal.origin);
                        (self.reported)(&proposal.arch).unwrap_or(f64::NAN)
                    }
                };
                race.best.push(reported);
                if let Some(optimum) = self.optimum
                    && self.objective.merit(reported) >= self.objective.merit(optimum)
                {
                    race.queries_to_optimum = Some(race.best.len() as u64);
                    return Ok(race);
                }
                told.push(Observation {
                    trial: TrialId(race.best.len() as u64),
                    arch: proposal.arch,
                    objective: self.objective.clone(),
                    value: Some(value),
                });
            }
            fruitless = if told.is_empty() { fruitless + 1 } else { 0 };
            let begun = Instant::now();
            strategy.tell(&told)?;
            if queries > 0 {
                race.rounds += 1;
                race.seconds += seconds + begun.elapsed().as_secs_f64();
            }
            if asked.stop.is_some() {
                break;
            }
        }
        Ok(race)
    }
}

/// What many searches of one strategy came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Number of searches.
    pub seeds: usize,
    /// The median of queries to the optimum; a search that did not find it counts as one more than its budget. `None` in a
    /// contest without optimum.
    pub median_queries_to_optimum: Option<f64>,
    /// The 95 % interval of that median, by order statistics.
    pub interval: Option<[u64; 2]>,
    /// Searches that did not find the optimum; 0 in a contest without.
    pub misses: usize,
    /// The mean of the best after so many queries.
    pub best_at: BTreeMap<u64, f64>,
    /// Its standard error.
    pub best_at_error: BTreeMap<u64, f64>,
    /// The 95 % interval of that mean, by Student's distribution; of one search just its value.
    pub best_at_interval: BTreeMap<u64, [f64; 2]>,
    /// Mean wall-clock seconds of a round of the strategy.
    pub seconds_per_round: f64,
    /// Mean wall-clock seconds of the strategy in a whole search, its first round left out.
    pub seconds_per_search: f64,
    /// Queries by origin.
    pub origins: Origins<u64>,
    /// Queries that were the best so far, by origin.
    pub improvements: Origins<u64>,
}

impl Standing {
    /// Of searches with this budget, looked at after `counts` queries.
    pub fn of(races: &[Race], budget: u64, with_optimum: bool, counts: &[u64]) -> Self {
        let mut queries: Vec<u64> =
            races.iter().map(|race| race.queries_to_optimum.unwrap_or(budget + 1)).collect();
        queries.sort_unstable();
        let (mut origins, mut improvements) = (Origins::default(), Origins::default());
        for race in races {
            origins.add(&race.origins);
            improvements.add(&race.improvements);
        }
        let at = |count: u64| {
            races.iter().filter_map(move |race| {
                let last = race.best.len().checked_sub(1)?;
                Some(race.best[last.min(count.saturating_sub(1) as usize)])
            })
        };
        let counts = || counts.iter().copied().filter(|&count| count <= budget);
        let rounds: u64 = races.iter().map(|race| race.rounds).sum();
        let seconds: f64 = races.iter().map(|race| race.seconds).sum();
        let known = with_optimum && !queries.is_empty();
        Standing {
            seeds: races.len(),
            median_queries_to_optimum: known.then(|| median(&queries)),
            interval: known.then(|| median_interval(&queries)),
            misses: if known {
                races.iter().filter(|race| race.queries_to_optimum.is_none()).count()
            } else {
                0
            },
            best_at: counts().map(|count| (count, mean(at(count)))).collect(),
            best_at_error: counts().map(|count| (count, standard_error(at(count)))).collect(),
            best_at_interval: counts().map(|count| (count, mean_interval(at(count)))).collect(),
            seconds_per_round: if rounds == 0 { 0.0 } else { seconds / rounds as f64 },
            seconds_per_search: if races.is_empty() { 0.0 } else { seconds / races.len() as f64 },
            origins,
            improvements,
        }
    }
}

/// The median of ascending numbers.
fn median(sorted: &[u64]) -> f64 {
    let n = sorted.len();
    (sorted[(n - 1) / 2] + sorted[n / 2]) as f64 / 2.0
}

/// The numbers between which the median lies with 95 % probability: those at n/2 -+ 0.98 sqrt n.
fn median_interval(sorted: &[u64]) -> [u64; 2] {
    let n = sorted.len() as f64;
    let low = (n / 2.0 - 0.98 * n.sqrt()).floor().max(0.0) as usize;
    let high = (n / 2.0 + 0.98 * n.sqrt()).ceil() as usize;
    [sorted[low], sorted[high.min(sorted.len() - 1)]]
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

/// The standard error of a mean; 0 of one value, which tells nothing of its error.
fn standard_error(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let (centre, count) = (mean(values.clone()), values.clone().count() as f64);
    let squares: f64 = values.map(|value| (value - centre).powi(2)).sum();
    if count > 1.0 { (squares / (count - 1.0) / count).sqrt() } else { 0.0 }
}

/// The 95 % interval of a mean, by Student's distribution.
fn mean_interval(values: impl Iterator<Item = f64> + Clone) -> [f64; 2] {
    let freedom = values.clone().count().saturating_sub(1) as f64;
    let wide = StudentsT::new(0.0, 1.0, freedom).map_or(0.0, |student| student.inverse_cdf(0.975));
    let (centre, half) = (mean(values.clone()), wide * standard_error(values));
    [centre - half, centre + half]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{EvolutionConfig, EvolutionSearch, LocalSearch, LocalSearchConfig, RandomSearch};
    use crate::spaces::{EdgeOp, NasBench201Arch, NasBench201Space};

    fn convolutions(arch: &NasBench201Arch) -> Option<f64> {
        Some(arch.edges.iter().filter(|&&op| op == EdgeOp::NorConv3x3).count() as f64)
    }

    fn contest(budget: u64, optimum: Option<f64>) -> Contest<'static, NasBench201Arch> {
        Contest {
            limits: RoundLimits { initial: 10, per_round: 5, budget },
            objective: Objective::validation_accuracy(),
            value: &convolutions,
            reported: &convolutions,
            optimum,
        }
    }

    fn standing(
        contest: &Contest<'_, NasBench201Arch>,
        strategy: impl Fn(u64) -> Box<dyn Strategy<NasBench201Space>>,
    ) -> Standing {
        let races: Vec<Race> =
            (1..=9).map(|seed| contest.race(&mut *strategy(seed), seed).unwrap()).collect();
        Standing::of(&races, contest.limits.budget, contest.optimum.is_some(), &[10, 50, 100])
    }

    fn space() -> &'static NasBench201Space {
        static SPACE: std::sync::OnceLock<NasBench201Space> = std::sync::OnceLock::new();
        SPACE.get_or_init(NasBench201Space::default)
    }

    #[test]
    fn searches_that_climb_find_a_planted_optimum_that_chance_does_not() {
        let contest = contest(150, Some(6.0));
        let random = standing(&contest, |seed| Box::new(RandomSearch::new(space(), seed)));
        let local = standing(&contest, |seed| {
            Box::new(LocalSearch::new(space(), LocalSearchConfig::default(), seed))
        });
        let config = EvolutionConfig { population: 10, sample: 5, ..EvolutionConfig::default() };
        let evolution =
            standing(&contest, |seed| Box::new(EvolutionSearch::new(space(), config.clone(), seed).unwrap()));
        assert!(random.misses >= 8, "{random:?}");
        assert!(local.median_queries_to_optimum.unwrap() < 100.0, "{local:?}");
        assert!(evolution.median_queries_to_optimum.unwrap() < 140.0, "{evolution:?}");
        assert_eq!(
            random.origins,
            Origins { random: random.origins.random, ascent: 0, ..Origins::default() }
        );
        assert!(evolution.improvements.neighbour > 0 && evolution.origins.random >= 90);
    }

    #[test]
    fn a_contest_without_optimum_spends_its_budget_and_reports_what_was_chosen() {
        let contest = Contest { reported: &|arch| Some(10.0 - convolutions(arch)?), ..contest(40, None) };
        let race = contest.race(&mut RandomSearch::new(space(), 1), 1).unwrap();
        assert_eq!((race.best.len(), race.queries_to_optimum), (40, None));
        // The better by value, the smaller what is reported.
        assert!(race.best.windows(2).all(|pair| pair[1] <= pair[0]));
    }

    #[test]
    fn architectures_outside_of_the_table_are_not_charged() {
        let members = |arch: &NasBench201Arch| convolutions(arch).filter(|&value| value >= 1.0);
        let contest = Contest { value: &members, ..contest(30, None) };
        let race = contest.race(&mut RandomSearch::new(space(), 1), 1).unwrap();
        assert_eq!(race.best.len(), 30);
        assert!(race.best.iter().all(|&best| best >= 1.0));
    }

    #[test]
    fn standings_are_those_computed_by_hand() {
        let race = |seed, queries: Option<u64>, best: &[f64]| Race {
            seed,
            queries_to_optimum: queries,
            best: best.to_vec(),
            origins: Origins { random: 2, ascent: 1, ..Origins::default() },
            improvements: Origins { random: 1, ascent: 0, ..Origins::default() },
            rounds: 2,
            seconds: 0.5,
        };
        let races = [
            race(1, Some(2), &[0.5, 1.0]),
            race(2, None, &[0.1, 0.2, 0.6]),
            race(3, Some(1), &[1.0]),
            race(4, Some(3), &[0.3, 0.4, 1.0]),
        ];
        let standing = Standing::of(&races, 3, true, &[1, 3, 50]);
        // 1, 2, 3 and a miss, which counts as 4.
        assert_eq!(standing.median_queries_to_optimum, Some(2.5));
        assert_eq!((standing.interval, standing.misses), (Some([1, 4]), 1));
        assert!((standing.best_at[&1] - 1.9 / 4.0).abs() < 1e-12);
        assert!((standing.best_at[&3] - 3.6 / 4.0).abs() < 1e-12);
        assert_eq!(standing.best_at.len(), 2);
        assert!((standing.best_at_error[&3] - (0.04f64).sqrt() / 2.0).abs() < 1e-12);
        // Student's 97.5 % quantile of three degrees of freedom.
        let [low, high] = standing.best_at_interval[&3];
        assert!((high - 0.9 - 3.182_446_305 * 0.1).abs() < 1e-6 && (low + high - 1.8).abs() < 1e-12);
        assert_eq!(standing.seconds_per_round, 0.25);
        assert_eq!(standing.origins, Origins { random: 8, ascent: 4, ..Origins::default() });
        assert_eq!(Standing::of(&races, 3, false, &[]).median_queries_to_optimum, None);
    }
}
