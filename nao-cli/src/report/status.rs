//! How a run stands, for people.

use std::path::Path;

use nao_run::quoted;
use nao_run::status::{RunStatus, RunningTrial, SchedulerStatus};

use super::table::plain_table;
use crate::figures::figure;

/// The status for people.
pub fn status_text(status: &RunStatus) -> String {
    let RunStatus { done, failed, unrecorded, waiting, running, .. } = status;
    let unrecorded =
        if *unrecorded > 0 { format!(", {unrecorded} over and to be recorded") } else { String::new() };
    let failures: usize = failed.values().sum();
    let by_reason: Vec<String> = failed.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let reasons = if failed.is_empty() { String::new() } else { format!(" ({})", by_reason.join(", ")) };
    let mut lines = vec![
        format!(
            "{}: round {}, {} of {} trials done, {failures} failed{reasons}{unrecorded}, {} running, {waiting} waiting",
            status.run,
            status.rounds,
            done,
            status.budget,
            running.len(),
        ),
        match &status.coordinator {
            Some(holder) => format!("coordinator  {holder}"),
            None if status.ended.is_none() && status.edited.is_empty() => {
                format!("coordinator  none; go on with:  nao resume {}", quoted(Path::new(&status.run)))
            }
            None => "coordinator  none".to_owned(),
        },
    ];
    lines.extend(status.ended.as_ref().map(|why| format!("ended        {why}")));
    if !status.edited.is_empty() {
        lines.push(format!("edited       {}; put the old settings back to go on", status.edited.join("; ")));
    }
    lines.extend(status.stopped.as_ref().map(|why| format!("stopped      {why}")));
    lines.extend(status.scheduler.as_ref().map(scheduler_line));
    if !running.is_empty() {
        lines.push(running_table(running));
    }
    lines.join("\n")
}

fn scheduler_line(scheduler: &SchedulerStatus) -> String {
    let tasks: Vec<String> =
        scheduler.tasks.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let what = match &scheduler.error {
        Some(error) => error.clone(),
        None if tasks.is_empty() => "no tasks".to_owned(),
        None => format!("tasks: {}", tasks.join(", ")),
    };
    format!("jobs         {}, {what}", scheduler.jobs)
}

fn running_table(running: &[RunningTrial]) -> String {
    let rows = running.iter().map(|trial| {
        let place = trial.holder.as_ref().and_then(|holder| holder.place.as_ref());
        vec![
            trial.trial.to_string(),
            trial.attempt.to_string(),
            trial.holder.as_ref().map_or("here".to_owned(), |holder| holder.host.clone()),
            trial.holder.as_ref().map_or(String::new(), |holder| holder.process.to_string()),
            place.map_or(String::new(), |place| format!("{}_{}", place.job, place.task)),
            match trial.epochs {
                Some(epochs) => format!("{}/{epochs}", trial.epoch),
                None => String::new(),
            },
            trial.train_loss.map_or(String::new(), |loss| format!("{loss:.3}")),
            trial.value.map_or(String::new(), figure),
            format!("{:.0} s", trial.spent),
            match trial.silent {
                Some(silent) if trial.stale => format!("{silent:.0} s ago, stale"),
                Some(silent) => format!("{silent:.0} s ago"),
                None => String::new(),
            },
        ]
    });
    let header =
        ["trial", "attempt", "host", "process", "job", "epoch", "loss", "validation", "spent", "heartbeat"];
    plain_table(&header, &[0, 1, 3, 5, 6, 7, 8], rows.collect())
}
