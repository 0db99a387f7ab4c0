//! Progress on the terminal: one bar per worker, one for the round, one for the run. Nothing where standard
//! error is no terminal.

use std::fmt::Write;
use std::time::Duration;

use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use nao_run::executor::Standing;
use nao_run::{RunEvent, StoredTrial, TrialStatus, Watcher};
use nao_space::{EpochReport, EvaluationError, Measurement, Progress, TrialId};

use crate::figures::figure;

/// The bars of a search.
pub struct SearchProgress {
    bars: MultiProgress,
    workers: Vec<ProgressBar>,
    round: ProgressBar,
    run: ProgressBar,
    best: Option<(TrialId, f64, f64)>,
    /// Whether what happens is worth no more than a whisper.
    is_simulated: bool,
}

impl SearchProgress {
    /// Bars for that many workers on this machine and that many trials.
    pub fn new(workers: usize, budget: u64) -> Self {
        let bars = MultiProgress::new();
        let workers = (0..workers)
            .map(|slot| {
                let bar = bars.add(
                    ProgressBar::new(1).with_style(style("  worker {prefix}  [{bar:20.blue/dim}] {msg}")),
                );
                bar.set_prefix((slot + 1).to_string());
                bar.set_message("idle");
                bar
            })
            .collect();
        let round = bars.add(
            ProgressBar::new(1).with_style(style("  {prefix:9} [{bar:20.cyan/dim}] {pos}/{len}  {msg}")),
        );
        let run = bars.add(ProgressBar::new(budget).with_style(style(
            "  search    [{bar:20.green/dim}] {pos}/{len} trials  {elapsed} gone, {left}  {msg}",
        )));
        SearchProgress { bars, workers, round, run, best: None, is_simulated: false }
    }

    /// Bars for a search whose trials and their failures are made up.
    pub fn of_simulation(budget: u64) -> Self {
        SearchProgress { is_simulated: true, ..SearchProgress::new(0, budget) }
    }

    /// The strategy is at work on a round.
    fn thinking(&self, round: u64, trials: u64) {
        self.round.set_prefix(format!("round {}", round + 1));
        self.round.set_message("choosing cells ...");
        self.round.set_length(trials);
        self.round.set_position(0);
        self.round.tick();
        for worker in &self.workers {
            worker.set_message("idle");
            worker.set_position(0);
        }
    }

    /// The search begins, or goes on with these trials of earlier starts, which are no measure of the speed of this one.
    fn begin(&mut self, trials: &[StoredTrial], budget: u64) {
        self.run.set_length(budget);
        self.run.set_position(trials.iter().filter(|trial| is_over(trial)).count() as u64);
        self.run.reset_eta();
        for trial in trials {
            if let TrialStatus::Done(measurement) = &trial.status {
                self.consider(trial.id, measurement);
            }
        }
    }

    /// A round of these trials begins, or goes on.
    fn round(&mut self, round: u64, trials: &[StoredTrial]) {
        self.round.set_prefix(format!("round {}", round + 1));
        self.round.set_length(trials.len() as u64);
        self.round.set_position(trials.iter().filter(|trial| is_over(trial)).count() as u64);
        self.round.set_message("");
    }

    /// A trial began.
    fn started(&self, slot: Option<usize>, trial: TrialId) {
        if let Some(bar) = self.bar(slot) {
            bar.set_position(0);
            bar.set_message(format!("trial {trial}"));
        }
    }

    /// A trial finished an epoch.
    fn epoch(&self, slot: Option<usize>, trial: TrialId, report: &EpochReport) {
        if let Some(bar) = self.bar(slot) {
            bar.set_length(report.epochs.into());
            bar.set_position(report.epoch.into());
            bar.set_message(format!("trial {trial}  {}", epoch_words(report)));
        }
    }

    /// A trial is over, and its worker, where it has one here, idle.
    fn finished(
        &mut self,
        slot: Option<usize>,
        trial: TrialId,
        outcome: &Result<Measurement, EvaluationError>,
    ) {
        self.over(trial, outcome);
        if let Some(bar) = self.bar(slot) {
            bar.set_message("idle");
        }
    }

    /// A trial is over, whoever had it.
    fn over(&mut self, trial: TrialId, outcome: &Result<Measurement, EvaluationError>) {
        self.round.inc(1);
        self.run.inc(1);
        match outcome {
            Ok(measurement) => {
                tracing::info!("trial {trial}: {} {}", measurement.objective.name, figure(measurement.value));
                self.consider(trial, measurement);
            }
            Err(error) => {
                self.warn(&format!("trial {trial} failed: {error}"));
            }
        }
    }

    /// Where the open trials of the round stand, on other machines.
    fn standing(&self, standing: Standing) {
        let Standing { running, stale, waiting } = standing;
        let stale = if stale > 0 { format!(", {stale} without a sign of life") } else { String::new() };
        self.round.set_message(format!("{running} running{stale}, {waiting} waiting"));
    }

    fn bar(&self, slot: Option<usize>) -> Option<&ProgressBar> {
        self.workers.get(slot?)
    }

    /// Above the bars where there are any, so that they stay whole; into the log otherwise.
    fn warn(&self, message: &str) {
        if self.is_simulated {
            tracing::info!("{message}");
        } else if self.bars.is_hidden() {
            tracing::warn!("{message}");
        } else {
            let _ = self.bars.println(format!("  {message}"));
        }
    }

    /// Takes the bars away, from whatever thread.
    pub fn clearing(&self) -> impl FnOnce() + Clone + Send + 'static {
        let bars = self.bars.clone();
        move || {
            let _ = bars.clear();
        }
    }

    /// Takes the bars away.
    pub fn clear(&self) {
        let _ = self.bars.clear();
    }

    fn consider(&mut self, trial: TrialId, measurement: &Measurement) {
        let merit = measurement.objective.merit(measurement.value);
        if self.best.is_none_or(|(_, best, _)| merit > best) {
            self.best = Some((trial, merit, measurement.value));
            self.run.set_message(format!("best {} (trial {trial})", figure(measurement.value)));
        }
    }
}

impl Watcher for SearchProgress {
    fn watch(&mut self, event: RunEvent<'_>) {
        match event {
            RunEvent::Begun { trials, budget } => self.begin(trials, budget),
            RunEvent::Choosing { round, trials } => self.thinking(round, trials),
            RunEvent::Round { round, trials } => self.round(round, trials),
            RunEvent::Started { slot, trial } => self.started(slot, trial),
            RunEvent::Epoch { slot, trial, report } => self.epoch(slot, trial, report),
            RunEvent::Finished { slot, trial, outcome } => self.finished(slot, trial, outcome),
            RunEvent::Standing(standing) => self.standing(standing),
            RunEvent::Note(note) => self.warn(note),
            RunEvent::Tick => self.run.tick(),
            // A new kind of event is worth no bar before it has one.
            _ => {}
        }
    }
}

fn is_over(trial: &StoredTrial) -> bool {
    matches!(trial.status, TrialStatus::Done(_) | TrialStatus::Failed(_))
}

/// The bar of a single training.
pub struct TrainProgress {
    bar: ProgressBar,
    stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
    /// The curve so far.
    pub curve: Vec<EpochReport>,
}

impl TrainProgress {
    /// A bar of that many epochs; the training stops when `stop` is set.
    pub fn new(epochs: u32, stop: std::sync::Arc<std::sync::atomic::AtomicBool>) -> Self {
        let bar = ProgressBar::new(epochs.into())
            .with_style(style("  epoch {pos}/{len} [{bar:30.green/dim}] {elapsed} gone, {left}  {msg}"));
        bar.enable_steady_tick(Duration::from_millis(500));
        TrainProgress { bar, stop, curve: Vec::new() }
    }
}

impl TrainProgress {
    /// Takes the bar away, from whatever thread.
    pub fn clearing(&self) -> impl FnOnce() + Send + 'static {
        let bar = self.bar.clone();
        move || bar.finish_and_clear()
    }

    /// Says something above the bar, or in the log.
    pub fn note(&self, message: &str) {
        if self.bar.is_hidden() {
            tracing::info!("{message}");
        } else {
            self.bar.println(format!("  {message}"));
        }
    }
}

impl Progress for TrainProgress {
    fn epoch(&mut self, report: &EpochReport) {
        tracing::info!("epoch {}: {}", report.epoch, epoch_words(report));
        self.bar.set_position(report.epoch.into());
        self.bar.set_message(epoch_words(report));
        self.curve.push(report.clone());
    }

    fn warning(&mut self, message: &str) {
        if self.bar.is_hidden() {
            tracing::warn!("{message}");
        } else {
            self.bar.println(format!("  {message}"));
        }
    }

    fn should_stop(&self) -> bool {
        self.stop.load(std::sync::atomic::Ordering::Relaxed)
    }
}

impl Drop for TrainProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn epoch_words(report: &EpochReport) -> String {
    let value = report.value.map_or(String::new(), |value| format!("  validation {}", figure(value)));
    format!("epoch {}/{}  loss {:.3}{value}", report.epoch, report.epochs, report.train_loss)
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    style.progress_chars("=> ").with_key("left", write_time_left)
}

/// The time that is left, once something is done by which it can be told.
fn write_time_left(state: &ProgressState, into: &mut dyn Write) {
    let is_open = state.len().is_some_and(|len| state.pos() < len);
    let left = match state.eta() {
        eta if eta.is_zero() && is_open => "time left not known yet".to_owned(),
        eta => format!("about {:#} left", HumanDuration(eta)),
    };
    // A bar that cannot be written is not worth a word.
    let _ = into.write_str(&left);
}
