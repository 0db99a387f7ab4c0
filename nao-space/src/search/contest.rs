//! How soon a search finds the best of a table of known values.
//!
//! Each architecture is charged once, in whatever spelling; a search ends when it has measured the best value there is,
//! or when its budget is spent. Where a search takes cheaper looks by itself, these are charged to its [`Account`] as the
//! part of a query that they cost.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::rounds::RoundLimits;
use super::strategy::{Observation, Origin, Strategy, StrategyError};
use crate::language::Space;
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
    /// How many queries it took to the optimum, cheap looks counted as the parts that they cost; `None` if the budget did
    /// not suffice.
    pub queries_to_optimum: Option<f64>,
    /// After each query the reported value of the best so far by the value searched.
    pub best: Vec<f64>,
    /// After each query all that was charged, in queries: 1, 2, ... where there are no cheap looks.
    pub spent: Vec<f64>,
    /// Cheap looks.
    pub cheap_looks: u64,
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
            spent: Vec::new(),
            cheap_looks: 0,
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
            Origin::SharedWeights { .. } | Origin::Relaxed | Origin::Given => {}
        }
    }

    pub(super) fn add(&mut self, other: &Origins<u64>) {
        self.random += other.random;
        self.ascent += other.ascent;
        self.neighbour += other.neighbour;
        self.policy += other.policy;
    }
}

/// Asks in a row that may bring no member of the table before a search counts as finished.
const FRUITLESS: u32 = 1_000;

impl<A> Contest<'_, A> {
    /// Runs one search that takes no cheap looks.
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
        self.race_on(&Account::new(1), strategy, seed)
    }

    /// Runs one search on an account, to which it charges cheap looks of its own. What these overdraw, they take from
    /// the queries that are left.
    ///
    /// # Errors
    /// When the strategy cannot go on.
    pub fn race_on<S: Space<Arch = A>>(
        &self,
        account: &Account,
        strategy: &mut dyn Strategy<S>,
        seed: u64,
    ) -> Result<Race, StrategyError>
    where
        A: Clone,
    {
        let mut race = Race::begun(seed);
        self.run(&mut race, account, strategy)?;
        race.cheap_looks = account.cheap_looks();
        Ok(race)
    }

    fn run<S: Space<Arch = A>>(
        &self,
        race: &mut Race,
        account: &Account,
        strategy: &mut dyn Strategy<S>,
    ) -> Result<(), StrategyError>
    where
        A: Clone,
    {
        let budget = self.limits.budget;
        let (mut best, mut fruitless) = (f64::NEG_INFINITY, 0);
        while account.left(budget) > 0 && fruitless < FRUITLESS {
            let queries = race.best.len() as u64;
            let wanted = if queries == 0 { self.limits.initial } else { self.limits.per_round };
            let begun = Instant::now();
            let asked = strategy.ask(wanted.min(account.left(budget)) as usize)?;
            let seconds = begun.elapsed().as_secs_f64();
            let mut told = Vec::new();
            for proposal in asked.proposals {
                let Some(value) = (self.value)(&proposal.arch) else { continue };
                // Cheap looks of this round may have taken what it would cost.
                if account.left(budget) == 0 {
                    break;
                }
                account.charge_query();
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
                race.spent.push(account.queries());
                if let Some(optimum) = self.optimum
                    && self.objective.merit(reported) >= self.objective.merit(optimum)
                {
                    race.queries_to_optimum = Some(account.queries());
                    return Ok(());
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
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::standing::Standing;
    use super::*;
    use crate::search::{
        EvolutionConfig, EvolutionSearch, LocalSearch, LocalSearchConfig, Proposals, RandomSearch,
    };
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

    fn space() -> NasBench201Space {
        NasBench201Space::default()
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
        assert!(random.misses.unwrap() >= 8, "{random:?}");
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

    /// Random search that takes a number of cheap looks in each round.
    struct Looking<'a> {
        random: RandomSearch<NasBench201Space>,
        account: &'a Account,
        looks: u64,
    }

    impl Strategy<NasBench201Space> for Looking<'_> {
        fn name(&self) -> &str {
            "looking"
        }

        fn ask(&mut self, count: usize) -> Result<Proposals<NasBench201Arch>, StrategyError> {
            (0..self.looks).for_each(|_| self.account.charge_cheap_look(12));
            self.random.ask(count)
        }

        fn tell(&mut self, observations: &[Observation<NasBench201Arch>]) -> Result<(), StrategyError> {
            self.random.tell(observations)
        }

        fn save(&self) -> Result<Vec<u8>, StrategyError> {
            self.random.save()
        }

        fn restore(
            &mut self,
            state: &[u8],
            told: &[Observation<NasBench201Arch>],
        ) -> Result<(), StrategyError> {
            self.random.restore(state, told)
        }
    }

    #[test]
    fn cheap_looks_are_charged_as_the_part_that_they_cost_and_add_up() {
        let race = |looks, optimum| {
            let account = Account::new(200);
            let mut strategy = Looking { random: RandomSearch::new(space(), 1), account: &account, looks };
            let race = contest(40, optimum).race_on(&account, &mut strategy, 1).unwrap();
            (race, account)
        };
        let (plain, _) = race(0, None);
        assert_eq!(
            plain,
            contest(40, None)
                .race(&mut RandomSearch::new(space(), 1), 1)
                .map(|race| Race { seconds: plain.seconds, ..race })
                .unwrap()
        );
        // 10 of 12/200 make 0.6 per round: 10 + 5 a round, of which the sixth ends at 38.6 and the seventh begins
        // with 0.8 of a query left.
        let (charged, account) = race(10, None);
        assert_eq!(charged.best, plain.best[..35]);
        assert_eq!([charged.spent[0], charged.spent[9], charged.spent[10]], [1.6, 10.6, 12.2]);
        assert_eq!((charged.spent[34], charged.cheap_looks), (38.6, 70));
        assert_eq!(account.queries(), 39.2);
        let standing = Standing::of(std::slice::from_ref(&charged), 40, false, &[1, 10, 12, 13]);
        let at = |count: u64| standing.best_at[&count];
        assert_eq!([at(1), at(10), at(12)], [charged.best[0], charged.best[8], charged.best[9]]);
        assert_eq!((at(13), standing.cheap_looks), (charged.best[10], 70.0));
        // Found with the same query, which cost more by then.
        let optimum = plain.best[20];
        let queries = |looks| race(looks, Some(optimum)).0.queries_to_optimum.unwrap();
        let found = queries(0);
        let rounds = 1.0 + ((found - 10.0) / 5.0).ceil().max(0.0);
        assert!((queries(10) - found - 0.6 * rounds).abs() < 1e-12);
    }
}
