//! The loop of a run: asks the strategy, hands trials to the executor, keeps every result. Only it writes the
//! store.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use nao_space::search::{Observation, Proposals, RoundLimits, SearchLoop, Stop, Strategy};
use nao_space::{EpochReport, EvaluationError, Measurement, Objective, Space, Trial, TrialId};

use crate::error::{Context, Result, RunError};
use crate::executor::{Event, Executor, OpenTrials, Start};
use crate::files::{read_tensors, write_whole};
use crate::folder::RunFolder;
use crate::interruption::Interruption;
use crate::store::{Recorded, RoundRecord, Store, StoredTrial, TrialStatus};
use crate::stored_arch::parse_stored;
use crate::watcher::{RunEvent, Watcher};

/// Time between two looks for a word of `nao cancel`.
const QUESTION_EVERY: Duration = Duration::from_secs(1);

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// Every trial of the budget has its outcome.
    BudgetSpent,
    /// The strategy had nothing more to propose.
    Stopped(Stop),
    /// The user asked to stop; the run can be resumed.
    Interrupted(OpenTrials),
    /// `nao cancel` asked to stop, and everything that works for the run as well; it can be resumed.
    Cancelled,
}

/// When a run gives up.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A trial that was started this often without outcome is given up. None where the executor counts.
    pub max_attempts: Option<u32>,
    /// The share of the trials of the run, 0 to 1, of which more may not fail.
    pub max_failed_share: f64,
}

/// The learning curve of a trial, by epoch.
type Curve = BTreeMap<u32, EpochReport>;

/// What defines a search beside its space and its strategy.
#[derive(Clone, Debug)]
pub struct SearchSettings {
    /// What is measured.
    pub objective: Objective,
    /// Rounds and budget.
    pub limits: RoundLimits,
    /// The seed of the run.
    pub seed: u64,
    /// When the run gives up.
    pub patience: Patience,
}

/// Runs a search to its end.
pub struct Coordinator<'a, S: Space> {
    folder: &'a RunFolder,
    store: Store,
    space: &'a S,
    settings: SearchSettings,
    strategy: Box<dyn Strategy<S> + 'a>,
    executor: Box<dyn Executor<S::Arch> + 'a>,
    watcher: &'a mut dyn Watcher,
    interruption: Box<dyn Interruption + 'a>,
}

impl<'a, S: Space> Coordinator<'a, S> {
    /// A coordinator that keeps everything in `folder`, whose lock its caller holds, and in the store of that folder;
    /// asks `strategy` what to try, has it tried by `executor` and tells `watcher` what happens.
    pub fn new(
        folder: &'a RunFolder,
        store: Store,
        space: &'a S,
        settings: SearchSettings,
        strategy: Box<dyn Strategy<S> + 'a>,
        executor: Box<dyn Executor<S::Arch> + 'a>,
        watcher: &'a mut dyn Watcher,
    ) -> Self {
        let interruption = Box::new(Arc::new(AtomicBool::new(false)));
        Coordinator { folder, store, space, settings, strategy, executor, watcher, interruption }
    }

    /// Stops soon after it is asked to.
    pub fn stopped_by(mut self, interruption: impl Interruption + 'a) -> Self {
        self.interruption = Box::new(interruption);
        self
    }

    /// The store, when the search has ended.
    pub fn into_store(self) -> Store {
        self.store
    }

    /// Goes on from wherever the store stands until the search ends.
    ///
    /// Each round is opened in one transaction, after the state of the strategy that goes with it is on disk; its
    /// trials then run, and the strategy is told all outcomes in the order of the trials. Whatever happens in
    /// between, the next start finds the last opened round and the state that belongs to it.
    ///
    /// # Errors
    /// When the folder cannot be read or written, the strategy fails, or too many trials do ([`Patience`]).
    pub fn run(&mut self) -> Result<Ending> {
        self.take_in()?;
        let ending = self.rounds()?;
        if matches!(ending, Ending::BudgetSpent | Ending::Stopped(_)) {
            self.executor.dismiss("the search is over")?;
        }
        Ok(ending)
    }

    /// Records what workers have published while no coordinator was there, or what one before this had not put away.
    fn take_in(&mut self) -> Result<()> {
        let (folder, store) = (self.folder, &self.store);
        let mut open: Option<BTreeSet<TrialId>> = None;
        self.executor.recover(&mut |found| {
            let open = match &mut open {
                Some(open) => open,
                None => open.insert(open_trials(store)?),
            };
            if open.contains(&found.trial) {
                let curve = found.curve.into_iter().map(|report| (report.epoch, report)).collect();
                keep(folder, store, found.trial, &found.outcome, &curve)?;
            }
            Ok(())
        })
    }

    fn rounds(&mut self) -> Result<Ending> {
        let mut rounds = self.store.rounds()?;
        if let Some(last) = rounds.last() {
            self.restore_strategy(last.round)?;
        }
        let budget = self.settings.limits.budget;
        self.watcher.watch(RunEvent::Begun { trials: &self.store.trials()?, budget });
        let trials = self.store.count()?;
        let mut search =
            SearchLoop::resumed(self.settings.limits, self.settings.seed, rounds.len() as u64, trials);
        loop {
            if let Some(last) = rounds.last() {
                if let Some(ending) = self.run_open_trials(last.round)? {
                    return Ok(ending);
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
                return Ok(Ending::Interrupted(self.executor.leave()));
            }
            rounds.push(self.open_round(&mut search, round.index, round.trials)?);
        }
    }

    /// Asks for a round and writes it down.
    fn open_round(&mut self, search: &mut SearchLoop, index: u64, trials: u64) -> Result<RoundRecord> {
        self.watcher.watch(RunEvent::Choosing { round: index, trials });
        let begun = Instant::now();
        // What it has thought out of a round is worth nothing before the round is written down.
        let mut asked = None;
        let strategy = &mut self.strategy;
        self.interruption.at_once(&mut || asked = Some(strategy.ask(trials as usize)));
        let asked = asked.ok_or_else(|| RunError::Interrupted("stopped".to_owned()))?;
        let asked = asked.map_err(|error| RunError::Failed(error.to_string()))?;
        let seconds = begun.elapsed().as_secs_f64();
        let record =
            RoundRecord { round: index, stop: asked.stop, warnings: asked.warnings.clone(), seconds };
        asked.warnings.iter().for_each(|warning| self.watcher.watch(RunEvent::Note(warning)));
        write_whole(&self.folder.strategy_state(index), &self.strategy.save()?)?;
        if let Some(report) = self.strategy.report() {
            let report = serde_json::to_vec_pretty(&report).context("a report has no JSON form")?;
            write_whole(&self.folder.strategy_report(index), &report)?;
        }
        let trials = self.number(search, index, asked);
        self.store.open_round(&record, &trials)?;
        Ok(record)
    }

    fn number(&self, search: &mut SearchLoop, round: u64, asked: Proposals<S::Arch>) -> Vec<StoredTrial> {
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

    /// Runs what is open in a round. Gives the ending when it is to end before.
    fn run_open_trials(&mut self, round: u64) -> Result<Option<Ending>> {
        let trials = self.store.trials_of_round(round)?;
        self.watcher.watch(RunEvent::Round { round, trials: &trials });
        let mut open = HashMap::new();
        let mut submitted = Vec::new();
        for trial in &trials {
            if !matches!(trial.status, TrialStatus::Proposed | TrialStatus::Running) {
                continue;
            }
            if self.settings.patience.max_attempts.is_some_and(|most| trial.attempts >= most) {
                let status = format!("given up after {} starts without an outcome", trial.attempts);
                let outcome = Err(EvaluationError::WorkerDied { status });
                keep(self.folder, &self.store, trial.id, &outcome, &Curve::new())?;
                self.watcher.watch(RunEvent::Finished { slot: None, trial: trial.id, outcome: &outcome });
                continue;
            }
            let arch = self.read_arch(trial)?;
            submitted.push(Trial { id: trial.id, arch, seed: trial.seed });
            open.insert(trial.id, Curve::new());
        }
        self.executor.submit(submitted)?;
        let mut next_question = Instant::now();
        while !open.is_empty() {
            let mut is_cancelled = false;
            if Instant::now() >= next_question {
                next_question = Instant::now() + QUESTION_EVERY;
                is_cancelled = self.executor.asked_to_stop().is_some();
            }
            if self.is_interrupted() || is_cancelled {
                let left = self.executor.leave();
                if left == OpenTrials::Stopped {
                    for id in open.keys() {
                        self.store.put_back(*id)?;
                    }
                }
                return Ok(Some(if is_cancelled { Ending::Cancelled } else { Ending::Interrupted(left) }));
            }
            for event in self.executor.poll(Duration::from_millis(200))? {
                self.handle(event, &mut open)?;
            }
            self.watcher.watch(RunEvent::Tick);
        }
        self.check_not_all_failed(round)?;
        Ok(None)
    }

    fn handle(&mut self, event: Event, open: &mut HashMap<TrialId, Curve>) -> Result<()> {
        match event {
            Event::Started { slot, trial, start } => {
                match start {
                    Start::Next => self.store.start(trial)?,
                    Start::Number(attempt) => self.store.started(trial, attempt)?,
                }
                self.watcher.watch(RunEvent::Started { slot, trial });
            }
            Event::Epoch { slot, trial, report } => {
                self.watcher.watch(RunEvent::Epoch { slot, trial, report: &report });
                if let Some(curve) = open.get_mut(&trial) {
                    // An epoch that was trained again, after a stop, comes again.
                    curve.insert(report.epoch, report);
                }
            }
            Event::Finished { slot, trial, outcome } => {
                let curve = open.remove(&trial).unwrap_or_default();
                keep(self.folder, &self.store, trial, &outcome, &curve)?;
                self.executor.settled(trial)?;
                self.watcher.watch(RunEvent::Finished { slot, trial, outcome: &outcome });
                if let Err(error) = &outcome {
                    self.check_failed_share(trial, error)?;
                }
            }
            Event::Standing(standing) => self.watcher.watch(RunEvent::Standing(standing)),
            Event::Note(note) => self.watcher.watch(RunEvent::Note(&note)),
        }
        Ok(())
    }

    fn tell(&mut self, round: u64) -> Result<()> {
        let observations = self.observations(self.store.trials_of_round(round)?)?;
        self.strategy.tell(&observations).map_err(|error| RunError::Failed(error.to_string()))
    }

    /// What a strategy is told of trials.
    fn observations(&self, trials: Vec<StoredTrial>) -> Result<Vec<Observation<S::Arch>>> {
        let mut observations = Vec::with_capacity(trials.len());
        for trial in trials {
            let arch = self.read_arch(&trial)?;
            let (objective, value) = match trial.status {
                TrialStatus::Done(measurement) => (measurement.objective, Some(measurement.value)),
                _ => (self.settings.objective.clone(), None),
            };
            observations.push(Observation { trial: trial.id, arch, objective, value });
        }
        Ok(observations)
    }

    /// When most trials fail, something is wrong with the data, the recipe or the machines, and the rest would be lost as
    /// well.
    fn check_failed_share(&mut self, last: TrialId, error: &EvaluationError) -> Result<()> {
        let tally = self.store.tally()?;
        let (count, all) = (tally.failures(), tally.trials());
        if count as f64 <= self.settings.patience.max_failed_share * all as f64 {
            return Ok(());
        }
        let reasons: Vec<String> =
            tally.failed.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        self.executor.dismiss("too many trials failed")?;
        let message = format!(
            "{count} of {all} trials failed ({}), more than execution.max_failed_share = {} allows; trial {last}: {error}",
            reasons.join(", "),
            self.settings.patience.max_failed_share
        );
        Err(RunError::Failed(message))
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
                let message = format!("every trial of round {} failed; trial {id}: {error}", round + 1);
                Err(RunError::Failed(message))
            }
        }
    }

    /// The strategy as it was when a round was opened: its state, and everything that earlier rounds measured, which the
    /// store alone keeps.
    fn restore_strategy(&mut self, round: u64) -> Result<()> {
        let path = self.folder.strategy_state(round);
        let state = read_tensors(&path)?;
        let mut earlier = self.store.trials()?;
        earlier.retain(|trial| trial.round < round);
        let told = self.observations(earlier)?;
        self.strategy.restore(&state, &told).with_context(|| format!("cannot go on from {}", path.display()))
    }

    fn read_arch(&self, trial: &StoredTrial) -> Result<S::Arch> {
        parse_stored(self.space, trial.id, &trial.arch, &trial.key)
    }

    fn is_interrupted(&self) -> bool {
        self.interruption.is_raised()
    }
}

/// The trials that wait for their outcomes.
fn open_trials(store: &Store) -> Result<BTreeSet<TrialId>> {
    let is_open = |trial: &StoredTrial| matches!(trial.status, TrialStatus::Proposed | TrialStatus::Running);
    Ok(store.trials()?.iter().filter(|trial| is_open(trial)).map(|trial| trial.id).collect())
}

/// The curve first: a trial that counts as done has everything it left.
fn keep(
    folder: &RunFolder,
    store: &Store,
    id: TrialId,
    outcome: &Result<Measurement, EvaluationError>,
    curve: &Curve,
) -> Result<()> {
    if !curve.is_empty() {
        let path = folder.curve(id);
        let parent = path.parent().expect("a curve lies in the folder of its trial");
        std::fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
        let curve: Vec<&EpochReport> = curve.values().collect();
        write_whole(&path, &serde_json::to_vec_pretty(&curve).context("a curve has no JSON form")?)?;
    }
    if store.record(id, outcome)? == Recorded::Duplicate {
        tracing::warn!("trial {id} had an outcome already; the new one is not kept");
    }
    Ok(())
}
