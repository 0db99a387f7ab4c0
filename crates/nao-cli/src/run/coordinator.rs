//! The loop of a run: asks the strategy, hands trials to the executor, keeps every result. Only it writes the
//! store.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nao_space::search::{Asked, Observation, RoundLimits, SearchLoop, Stop, Strategy};
use nao_space::{EpochReport, EvaluationError, Measurement, Objective, Space, Trial, TrialId};

use super::folder::RunFolder;
use super::store::{Recorded, RoundRecord, Store, StoredTrial, TrialStatus};
use crate::executor::{Event, Executor};
use crate::failure::RunFailed;
use crate::files::write_whole;
use crate::report::SearchProgress;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ending {
    /// Every trial of the budget has its outcome.
    BudgetSpent,
    /// The strategy had nothing more to propose.
    Stopped(Stop),
    /// The user asked to stop; the run can be resumed.
    Interrupted,
}

/// Runs a search to its end.
pub struct Coordinator<'a, S: Space> {
    /// Where everything is kept.
    pub folder: &'a RunFolder,
    /// The store of the folder.
    pub store: Store,
    /// The search space.
    pub space: &'a S,
    /// What is measured.
    pub objective: Objective,
    /// Rounds and budget.
    pub limits: RoundLimits,
    /// The seed of the run.
    pub seed: u64,
    /// A trial that was started this often without outcome is given up.
    pub max_attempts: u32,
    /// Who proposes.
    pub strategy: Box<dyn Strategy<S> + 'a>,
    /// Where trials run.
    pub executor: Box<dyn Executor<S::Arch>>,
    /// Set when the user asks to stop.
    pub interrupted: Arc<AtomicBool>,
    /// Where a person watches.
    pub progress: SearchProgress,
}

impl<S: Space> Coordinator<'_, S> {
    /// Goes on from wherever the store stands until the search ends.
    ///
    /// Each round is opened in one transaction, after the state of the strategy that goes with it is on disk; its
    /// trials then run, and the strategy is told all outcomes in the order of the trials. Whatever happens in
    /// between, the next start finds the last opened round and the state that belongs to it.
    pub fn run(&mut self) -> Result<Ending> {
        let mut rounds = self.store.rounds()?;
        if let Some(last) = rounds.last() {
            self.restore_strategy(last.round)?;
        }
        self.progress.begin(&self.store.trials()?, self.limits.budget);
        let trials = self.store.count()?;
        let mut search = SearchLoop::resumed(self.limits, self.seed, rounds.len() as u64, trials);
        loop {
            if let Some(last) = rounds.last() {
                if !self.run_open_trials(last.round)? {
                    return Ok(Ending::Interrupted);
                }
                if let Some(stop) = last.stop {
                    return Ok(Ending::Stopped(stop));
                }
            }
            let Some(round) = search.next_round() else { return Ok(Ending::BudgetSpent) };
            if let Some(last) = rounds.last() {
                self.tell(last.round)?;
            }
            if self.is_interrupted() {
                return Ok(Ending::Interrupted);
            }
            rounds.push(self.open_round(&mut search, round.index, round.trials)?);
        }
    }

    /// Asks for a round and writes it down.
    fn open_round(&mut self, search: &mut SearchLoop, index: u64, trials: u64) -> Result<RoundRecord> {
        self.progress.thinking(index, trials);
        let begun = Instant::now();
        let asked = self.strategy.ask(trials as usize).map_err(|error| RunFailed(error.to_string()))?;
        let seconds = begun.elapsed().as_secs_f64();
        let record =
            RoundRecord { round: index, stop: asked.stop, warnings: asked.warnings.clone(), seconds };
        self.progress.warnings(&asked.warnings);
        write_whole(&self.folder.strategy_state(index), &self.strategy.save()?)?;
        if let Some(report) = self.strategy.report() {
            let report = serde_json::to_vec_pretty(&report).context("a report has no JSON form")?;
            write_whole(&self.folder.strategy_report(index), &report)?;
        }
        let trials = self.number(search, index, asked);
        self.store.open_round(&record, &trials)?;
        Ok(record)
    }

    fn number(&self, search: &mut SearchLoop, round: u64, asked: Asked<S::Arch>) -> Vec<StoredTrial> {
        let opened = search.open_round(asked).into_iter();
        let stored = opened.map(|(trial, origin)| StoredTrial {
            id: trial.id,
            round,
            arch: self.space.format(&trial.arch),
            key: self.space.key(&trial.arch),
            seed: trial.seed,
            origin,
            attempts: 0,
            status: TrialStatus::Proposed,
        });
        stored.collect()
    }

    /// Runs what is open in a round. `false` when the user asked to stop.
    fn run_open_trials(&mut self, round: u64) -> Result<bool> {
        let trials = self.store.trials_of_round(round)?;
        self.progress.round(round, &trials);
        let mut open = HashMap::new();
        let mut submitted = Vec::new();
        for trial in &trials {
            if !matches!(trial.status, TrialStatus::Proposed | TrialStatus::Running) {
                continue;
            }
            if trial.attempts >= self.max_attempts {
                let status = format!("given up after {} starts without an outcome", trial.attempts);
                let outcome = Err(EvaluationError::WorkerDied { status });
                self.keep(trial.id, &outcome, &[])?;
                self.progress.over(trial.id, &outcome);
                continue;
            }
            let arch = self.read_arch(trial)?;
            submitted.push(Trial { id: trial.id, arch, seed: trial.seed });
            open.insert(trial.id, Vec::new());
        }
        self.executor.submit(submitted);
        while !open.is_empty() {
            if self.is_interrupted() {
                self.executor.stop();
                for id in open.keys() {
                    self.store.put_back(*id)?;
                }
                return Ok(false);
            }
            for event in self.executor.poll(Duration::from_millis(200))? {
                self.handle(event, &mut open)?;
            }
            self.progress.tick();
        }
        self.check_not_all_failed(round)?;
        Ok(true)
    }

    fn handle(&mut self, event: Event, open: &mut HashMap<TrialId, Vec<EpochReport>>) -> Result<()> {
        match event {
            Event::Started { slot, trial } => {
                self.store.start(trial)?;
                self.progress.started(slot, trial);
            }
            Event::Epoch { slot, trial, report } => {
                self.progress.epoch(slot, trial, &report);
                if let Some(curve) = open.get_mut(&trial) {
                    curve.push(report);
                }
            }
            Event::Finished { slot, trial, outcome } => {
                let curve = open.remove(&trial).unwrap_or_default();
                self.keep(trial, &outcome, &curve)?;
                self.progress.finished(slot, trial, &outcome);
            }
        }
        Ok(())
    }

    /// The curve first: a trial that counts as done has everything it left.
    fn keep(
        &self,
        id: TrialId,
        outcome: &Result<Measurement, EvaluationError>,
        curve: &[EpochReport],
    ) -> Result<()> {
        if !curve.is_empty() {
            let path = self.folder.curve(id);
            let parent = path.parent().expect("a curve lies in the folder of its trial");
            std::fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
            write_whole(&path, &serde_json::to_vec_pretty(curve).context("a curve has no JSON form")?)?;
        }
        if self.store.record(id, outcome)? == Recorded::Duplicate {
            tracing::warn!("trial {id} had an outcome already; the new one is not kept");
        }
        Ok(())
    }

    fn tell(&mut self, round: u64) -> Result<()> {
        let mut observations = Vec::new();
        for trial in self.store.trials_of_round(round)? {
            let arch = self.read_arch(&trial)?;
            let (objective, value) = match trial.status {
                TrialStatus::Done(measurement) => (measurement.objective, Some(measurement.value)),
                _ => (self.objective.clone(), None),
            };
            observations.push(Observation { trial: trial.id, arch, objective, value });
        }
        self.strategy.tell(&observations).map_err(|error| RunFailed(error.to_string()).into())
    }

    /// Going on after a round without a single measurement would spend the budget for nothing.
    fn check_not_all_failed(&self, round: u64) -> Result<()> {
        let mut last = None;
        for trial in self.store.trials_of_round(round)? {
            match trial.status {
                TrialStatus::Failed(error) => last = Some((trial.id, error)),
                _ => return Ok(()),
            }
        }
        match last {
            None => Ok(()),
            Some((id, error)) => {
                let message = format!("every trial of round {round} failed; trial {id}: {error}");
                Err(RunFailed(message).into())
            }
        }
    }

    fn restore_strategy(&mut self, round: u64) -> Result<()> {
        let path = self.folder.strategy_state(round);
        let state = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        self.strategy.restore(&state).with_context(|| format!("cannot go on from {}", path.display()))
    }

    fn read_arch(&self, trial: &StoredTrial) -> Result<S::Arch> {
        self.space.parse(&trial.arch).with_context(|| format!("the store is damaged: trial {}", trial.id))
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}
