//! A search that begins with architectures that a person named.

use super::strategy::{Observation, Origin, Proposal, Proposals, Stop, Strategy, StrategyError};
use crate::language::Space;

/// Any strategy, whose first proposals are given architectures; those of the strategy fill the first round and make all
/// others.
///
/// The strategy learns of the given ones when it is told what they measured, like of its own. What it proposes in the
/// first round and what is given are never the same. The state is that of the strategy: a search that is restored has
/// proposed the given ones.
///
/// ```
/// use nao_space::{NasBench201Space, Space};
/// use nao_space::search::{Origin, RandomSearch, StartingWith, Strategy};
/// use nao_space::seed::rng_for;
///
/// let space = NasBench201Space::default();
/// let mine = space.sample(&mut rng_for(7, "mine", 0));
/// let random = Box::new(RandomSearch::new(space.clone(), 1));
/// let mut search = StartingWith::new(space, vec![mine.clone()], random);
/// let first = search.ask(3)?.proposals;
/// assert_eq!((first.len(), &first[0].arch, first[0].origin), (3, &mine, Origin::Given));
/// # Ok::<(), nao_space::search::StrategyError>(())
/// ```
pub struct StartingWith<S: Space> {
    space: S,
    /// What is still to be proposed, in order.
    given: Vec<S::Arch>,
    strategy: Box<dyn Strategy<S>>,
}

impl<S: Space> StartingWith<S> {
    /// A search that proposes `given` first. No two of them may be canonically equal.
    pub fn new(space: S, given: Vec<S::Arch>, strategy: Box<dyn Strategy<S>>) -> Self {
        StartingWith { space, given, strategy }
    }
}

impl<S: Space> Strategy<S> for StartingWith<S> {
    fn name(&self) -> &str {
        self.strategy.name()
    }

    fn ask(&mut self, count: usize) -> Result<Proposals<S::Arch>, StrategyError> {
        if self.given.is_empty() {
            return self.strategy.ask(count);
        }
        let now: Vec<S::Arch> = self.given.drain(..count.min(self.given.len())).collect();
        let mut keys: Vec<_> = now.iter().map(|arch| self.space.key(arch)).collect();
        let given = now.into_iter().map(|arch| Proposal { arch, origin: Origin::Given });
        let mut asked = Proposals { proposals: given.collect(), ..Proposals::none() };
        // A strategy that proposes a given one has proposed it; what that leaves open is asked for again.
        while asked.proposals.len() < count && asked.stop.is_none() {
            let more = self.strategy.ask(count - asked.proposals.len())?;
            let none_left = more.proposals.is_empty();
            asked.stop = more.stop;
            asked.warnings.extend(more.warnings);
            for proposal in more.proposals {
                let key = self.space.key(&proposal.arch);
                if !keys.contains(&key) {
                    keys.push(key);
                    asked.proposals.push(proposal);
                }
            }
            // It waits for what was proposed: what is given counts as a round of its own.
            if none_left {
                break;
            }
        }
        if asked.stop == Some(Stop::SpaceExhausted) && !self.given.is_empty() {
            asked.stop = None;
        }
        Ok(asked)
    }

    fn tell(&mut self, observations: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        self.strategy.tell(observations)
    }

    fn save(&self) -> Result<Vec<u8>, StrategyError> {
        self.strategy.save()
    }

    fn report(&self) -> Option<serde_json::Value> {
        self.strategy.report()
    }

    fn restore(&mut self, state: &[u8], told: &[Observation<S::Arch>]) -> Result<(), StrategyError> {
        self.given.clear();
        self.strategy.restore(state, told)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{EvolutionConfig, EvolutionSearch, LocalSearch, LocalSearchConfig, RandomSearch};
    use super::*;
    use crate::language::ArchKey;
    use crate::seed::rng_for;
    use crate::spaces::NasBench201Space;
    use crate::trial::{Objective, TrialId};

    type Search = Box<dyn Strategy<NasBench201Space>>;

    fn strategies(space: &NasBench201Space) -> Vec<Search> {
        let config = EvolutionConfig { population: 4, sample: 2, ..EvolutionConfig::default() };
        vec![
            Box::new(RandomSearch::new(space.clone(), 3)),
            Box::new(EvolutionSearch::new(space.clone(), config, 3).unwrap()),
            Box::new(LocalSearch::new(space.clone(), LocalSearchConfig::default(), 3)),
        ]
    }

    fn observed(
        trial: usize,
        arch: &<NasBench201Space as Space>::Arch,
    ) -> Observation<<NasBench201Space as Space>::Arch> {
        let (trial, value) = (TrialId(trial as u64), Some(trial as f64 / 100.0));
        Observation { trial, arch: *arch, objective: Objective::validation_accuracy(), value }
    }

    #[test]
    fn given_architectures_come_first_and_nothing_comes_twice() {
        let space = NasBench201Space::default();
        for at in 0..3 {
            // What the strategy itself would draw first is given, too.
            let own = strategies(&space).remove(at).ask(2).unwrap().proposals[0].arch;
            let given = vec![space.sample(&mut rng_for(9, "given", 0)), own];
            let mut search = StartingWith::new(space.clone(), given.clone(), strategies(&space).remove(at));
            let mut keys: Vec<ArchKey> = Vec::new();
            for round in 0..4 {
                let asked = search.ask(4).unwrap();
                assert_eq!((asked.proposals.len(), asked.stop), (4, None));
                for (place, proposal) in asked.proposals.iter().enumerate() {
                    let is_given = round == 0 && place < 2;
                    assert_eq!(proposal.origin == Origin::Given, is_given);
                    assert!(!is_given || proposal.arch == given[place]);
                    let key = space.key(&proposal.arch);
                    assert!(!keys.contains(&key), "{key:?} comes twice");
                    keys.push(key);
                }
                let told: Vec<_> = asked
                    .proposals
                    .iter()
                    .enumerate()
                    .map(|(i, one)| observed(4 * round + i, &one.arch))
                    .collect();
                search.tell(&told).unwrap();
            }
        }
    }

    #[test]
    fn a_restored_search_has_proposed_what_was_given() {
        let space = NasBench201Space::default();
        let given = vec![space.sample(&mut rng_for(9, "given", 0))];
        for at in 0..3 {
            let mut search = StartingWith::new(space.clone(), given.clone(), strategies(&space).remove(at));
            let first = search.ask(3).unwrap().proposals;
            let state = search.save().unwrap();
            let mut other = StartingWith::new(space.clone(), given.clone(), strategies(&space).remove(at));
            other.restore(&state, &[]).unwrap();
            let told: Vec<_> = first.iter().enumerate().map(|(i, one)| observed(i, &one.arch)).collect();
            for search in [&mut search, &mut other] {
                search.tell(&told).unwrap();
            }
            assert_eq!(search.ask(3).unwrap(), other.ask(3).unwrap());
        }
    }
}
