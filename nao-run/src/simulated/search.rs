//! A whole search on a simulated cluster, and what it cost.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use cpu_time::ThreadTime;
use nao_space::search::{RandomSearch, RoundLimits};
use nao_space::seed::rng_for;
use nao_space::{Fidelity, Objective, Space};
use serde::Serialize;

use super::{Cluster, SimulatedClock, SimulatedScheduler};
use crate::coordinator::{Coordinator, Patience, SearchSettings};
use crate::error::Result;
use crate::execution::{ExecutionConfig, slurm_settings};
use crate::executor::{Exchange, Pace, SlurmExecutor, SlurmSettings, TaskKey, TaskStart};
use crate::folder::RunFolder;
use crate::memory::resident_mib;
use crate::watcher::Watcher;

/// A random search on a cluster of some size.
#[derive(Clone, Debug)]
pub struct SimulatedSearch {
    /// Trials in all.
    pub trials: u64,
    /// Trials of each round.
    pub per_round: u64,
    /// Trainings that the cluster has room for.
    pub slots: usize,
    /// Trainings that one task of an array does one after the other.
    pub trials_per_task: usize,
    /// The time of a training, on average.
    pub mean: Duration,
    /// The share of tasks, 0 to 1, that end without a result.
    pub lost_share: f64,
    /// Seed of everything random.
    pub seed: u64,
}

/// What a simulated search took.
#[derive(Clone, Debug, Serialize)]
pub struct SimulationCost {
    /// Trials in all.
    pub trials: u64,
    /// Trainings that the cluster had room for.
    pub slots: usize,
    /// Trials of each round.
    pub per_round: u64,
    /// Time that would have gone by.
    pub hours: f64,
    /// Share of the slots that trained, on average.
    pub busy: f64,
    /// Jobs that ended without a result and were made up for.
    pub lost: u64,
    /// Processor time of the coordinator in milliseconds.
    pub cpu_ms_per_trial: f64,
    /// Memory of this process at the end, in MiB.
    pub memory_mib: Option<f64>,
    /// Files and folders in the run folder at the end.
    pub files_per_trial: f64,
    /// Most open tasks, results and attempts in the run folder at a time.
    pub most_open_files: usize,
    /// Questions and orders to the scheduler.
    pub scheduler_calls: u64,
    /// The same by the hour.
    pub scheduler_calls_per_hour: f64,
    /// Array jobs.
    pub jobs: u64,
}

impl SimulatedSearch {
    /// Carries the search out in a new run folder, over a space, with the times of an execution.
    ///
    /// # Errors
    /// As a real search: when the folder cannot be read or written.
    pub fn run<S: Space + Clone + 'static>(
        &self,
        folder: &RunFolder,
        space: &S,
        fidelity: Fidelity,
        execution: &ExecutionConfig,
        watcher: &mut dyn Watcher,
    ) -> Result<SimulationCost> {
        let exchange = Exchange::of(folder.path());
        let cluster = Rc::new(RefCell::new(Cluster::new(
            exchange.clone(),
            self.slots,
            self.mean,
            self.lost_share,
            rng_for(self.seed, "simulated cluster", 0),
        )));
        let naming = TaskKey::naming(space.clone(), fidelity);
        let (scheduler, clock) = (SimulatedScheduler(cluster.clone()), SimulatedClock(cluster.clone()));
        let executor = SlurmExecutor::new(exchange, naming, scheduler, self.settings(execution)?, clock)?;
        let settings = SearchSettings {
            objective: Objective::validation_accuracy(),
            limits: RoundLimits { initial: self.per_round, per_round: self.per_round, budget: self.trials },
            seed: self.seed,
            patience: Patience { max_attempts: None, max_failed_share: 1.0 },
        };
        let (store, strategy) = (folder.store()?, Box::new(RandomSearch::new(space.clone(), self.seed)));
        let executor = Box::new(executor);
        let mut coordinator = Coordinator::new(folder, store, space, settings, strategy, executor, watcher);
        let begun = ThreadTime::now();
        coordinator.run()?;
        let (cpu, memory_mib) = (begun.elapsed(), resident_mib());
        drop(coordinator);
        let cluster = cluster.borrow();
        Ok(self.cost(&cluster, cpu, memory_mib, entries_below(folder.path())))
    }

    fn settings(&self, execution: &ExecutionConfig) -> Result<SlurmSettings> {
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let pace = Pace {
            files_every: seconds(execution.cluster.look),
            attempts_every: Duration::from_secs(30),
            lease: seconds(execution.cluster.lease),
        };
        let start = TaskStart { program: "nao".into(), slots: 1 };
        let settings = slurm_settings(execution, start, pace)?;
        Ok(SlurmSettings { trials_per_task: self.trials_per_task, parallel: None, ..settings })
    }

    fn cost(
        &self,
        cluster: &Cluster,
        cpu: Duration,
        memory_mib: Option<f64>,
        files: usize,
    ) -> SimulationCost {
        let hours = cluster.now().as_secs_f64() / 3_600.0;
        let trials = self.trials as f64;
        SimulationCost {
            trials: self.trials,
            slots: self.slots,
            per_round: self.per_round,
            hours,
            busy: cluster.busy().as_secs_f64() / 3_600.0 / (hours * self.slots as f64),
            lost: cluster.lost,
            cpu_ms_per_trial: cpu.saturating_sub(cluster.own_cost).as_secs_f64() * 1e3 / trials,
            memory_mib,
            files_per_trial: files as f64 / trials,
            most_open_files: cluster.most_open_files,
            scheduler_calls: cluster.calls,
            scheduler_calls_per_hour: cluster.calls as f64 / hours,
            jobs: cluster.jobs,
        }
    }
}

/// Files and folders below a folder.
fn entries_below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| 1 + if entry.path().is_dir() { entries_below(&entry.path()) } else { 0 }).sum()
}

#[cfg(test)]
mod tests {
    use nao_space::CnnSpace;

    use super::*;
    use crate::watcher::RunEvent;

    #[test]
    fn a_simulated_search_measures_every_trial_and_makes_up_for_lost_tasks() {
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(&place.path().join("run"), &[]).unwrap();
        let search = SimulatedSearch {
            trials: 60,
            per_round: 20,
            slots: 10,
            trials_per_task: 2,
            mean: Duration::from_secs(600),
            lost_share: 0.2,
            seed: 1,
        };
        let (space, fidelity) = (CnnSpace::default(), Fidelity::new("simulated", 1));
        let mut watcher = |_: RunEvent<'_>| {};
        let cost = search.run(&folder, &space, fidelity, &ExecutionConfig::here(), &mut watcher).unwrap();
        assert_eq!(folder.store().unwrap().tally().unwrap().done, 60);
        assert!(cost.lost > 0 && cost.jobs > 3 && cost.busy > 0.0 && cost.busy <= 1.0, "{cost:?}");
        // Six rounds of two trainings at a time would take an hour, at the least half of it.
        assert!(cost.hours > 0.5 && cost.scheduler_calls > 0, "{cost:?}");
    }
}
