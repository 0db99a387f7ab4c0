//! What became of tasks that left no result.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use nao_space::EvaluationError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::scheduler::{Scheduler, TaskReport, TaskState};
use super::suspicion::Liveness;
use super::{SlurmExecutor, SubmittedBatch};
use crate::error::Result;
use crate::executor::exchange::{CopyOfAttempt, TaskKey};
use crate::executor::{Clock, Event};

/// A task that ends this soon without a result speaks against its node.
const QUICK: Duration = Duration::from_secs(60);

/// So many trials that ended soon exclude a node.
const QUICK_ENDS: usize = 2;

impl<A, S, C> SlurmExecutor<A, S, C>
where
    A: Serialize + DeserializeOwned,
    S: Scheduler,
    C: Clock,
{
    /// Asks what became of tasks without result, and gives up those that are lost.
    pub(super) fn look(&mut self) -> Result<()> {
        let now = self.clock.now();
        let open = |sent: &SubmittedBatch| {
            sent.batch.job.is_some() && sent.alive().any(|key| self.board.is_open(key))
        };
        if !self.batches.iter().any(open) {
            self.next_question = now + self.settings.scheduler_every;
            return Ok(());
        }
        let reports = match self.scheduler.reports(&self.name) {
            Ok(reports) => reports,
            Err(error) => {
                self.unanswered(&error);
                return Ok(());
            }
        };
        self.silence = 0;
        self.next_question = now + self.settings.scheduler_every;
        let mut by_token: BTreeMap<&str, Vec<&TaskReport>> = BTreeMap::new();
        for report in &reports {
            by_token.entry(&report.token).or_default().push(report);
        }
        let mut lost = Vec::new();
        for (place, sent) in self.batches.iter().enumerate().filter(|(_, sent)| sent.batch.job.is_some()) {
            let reports = by_token.get(sent.batch.token.as_str()).map_or(&[][..], Vec::as_slice);
            for (task, keys) in sent.batch.tasks.iter().enumerate() {
                let task = task as u32;
                if sent.over.contains(&task) || !keys.iter().any(|key| self.board.is_open(key)) {
                    continue;
                }
                let of_task = reports.iter().filter(|report| report.index.is_none_or(|index| index == task));
                let of_task: Vec<&TaskReport> = of_task.copied().collect();
                if self.is_put_back(keys, &of_task)? {
                    lost.push((place, task, of_task.last().map(|report| (*report).clone())));
                    continue;
                }
                let place_of_task = (sent.batch.number, task);
                let verdict =
                    self.suspicions.judge(place_of_task, of_task.into_iter(), now, self.settings.grace);
                if let Liveness::Lost(last) = verdict {
                    lost.push((place, task, last));
                }
            }
        }
        self.note(&lost);
        for (place, task, last) in lost {
            self.lose(place, task, last.as_ref())?;
        }
        self.forget_old_batches();
        Ok(())
    }

    /// Says in one line what was lost.
    fn note(&mut self, lost: &[(usize, u32, Option<TaskReport>)]) {
        if lost.is_empty() {
            return;
        }
        let mut ways: BTreeMap<String, usize> = BTreeMap::new();
        for (_, _, last) in lost {
            *ways.entry(end_of(last.as_ref())).or_default() += 1;
        }
        let ways: Vec<String> = ways.iter().map(|(way, count)| format!("{count} {way}")).collect();
        let note =
            format!("tasks of {} that ended without all their results: {}", self.name, ways.join(", "));
        self.notes.push(Event::Note(note));
    }

    /// Whether a task has ended for good and its workers have put its trials back: nothing is on its way any more.
    fn is_put_back(&self, keys: &[TaskKey], reports: &[&TaskReport]) -> Result<bool> {
        let for_good = |report: &&TaskReport| {
            let preempted = matches!(report.state, TaskState::Preempted | TaskState::NodeFailed);
            report.state.has_ended() && !preempted
        };
        if reports.is_empty() || !reports.iter().all(for_good) {
            return Ok(false);
        }
        for key in keys.iter().filter(|key| self.board.is_open(key)) {
            if !self.board.exchange().copies(key)?.last().is_some_and(CopyOfAttempt::is_released) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A task of the array will do no more, and some of its trials have no result.
    fn lose(&mut self, place: usize, task: u32, last: Option<&TaskReport>) -> Result<()> {
        let sent = &mut self.batches[place];
        sent.over.insert(task);
        let how = end_of(last);
        let job = format!("{} task {task}", sent.batch.token);
        let keys: Vec<TaskKey> =
            sent.batch.tasks[task as usize].iter().filter(|key| self.board.is_open(key)).copied().collect();
        let later: BTreeSet<TaskKey> =
            self.batches[place + 1..].iter().flat_map(SubmittedBatch::alive).copied().collect();
        let mut at_work = BTreeSet::new();
        for key in &keys {
            let copies = self.board.exchange().copies(key)?;
            at_work.extend(copies.last().is_some_and(|last| !last.is_released()).then_some(*key));
        }
        for key in keys {
            let was_at_work = at_work.contains(&key);
            if was_at_work && let Some(report) = last {
                self.speak_against(report, key);
            }
            // Of several side by side nobody knows whose memory it was: each is tried again in a task of its own.
            let is_alone = was_at_work && at_work.len() == 1;
            if is_alone && last.is_some_and(|report| report.state == TaskState::OutOfMemory) {
                let detail = format!("the scheduler ended {job}");
                self.board.fail(&key, EvaluationError::OutOfMemory { detail })?;
                continue;
            }
            let jobs =
                self.batches.iter().filter(|sent| sent.batch.tasks.iter().flatten().any(|k| *k == key));
            let attempts = self.board.exchange().copies(&key)?.len();
            let without_attempt = jobs.count().saturating_sub(attempts) as u32;
            let fruitless = self.board.exchange().fruitless(&key)?.max(without_attempt);
            if fruitless >= self.settings.order.max_attempts {
                let log = self.batches[place].batch.folder.join(format!("task-{task}.log"));
                let status = format!(
                    "given up after {fruitless} attempts that came no further; the last, {job}: {how}; see {}",
                    log.display()
                );
                self.board.fail(&key, EvaluationError::WorkerDied { status })?;
            } else if !later.contains(&key) && !self.waiting.contains(&key) {
                self.waiting.push(key);
            }
        }
        Ok(())
    }

    /// Two different trials that end soon on a node exclude it: one alone may be to blame itself.
    fn speak_against(&mut self, report: &TaskReport, key: TaskKey) {
        let ended_badly = matches!(report.state, TaskState::Failed | TaskState::NodeFailed);
        let (true, Some(node)) = (ended_badly && report.elapsed < QUICK, &report.node) else { return };
        let trials = self.quick.entry(node.clone()).or_default();
        trials.insert(key);
        if trials.len() >= QUICK_ENDS && self.excluded.insert(node.clone()) {
            let note =
                format!("node {node} is left out from now on: {QUICK_ENDS} trials ended there at once");
            self.notes.push(Event::Note(note));
        }
    }

    /// Old batches, all of whose trials have their results, need no more looks. Their number and keys stay on disk.
    fn forget_old_batches(&mut self) {
        let last = self.batches.last().map(|sent| sent.batch.number);
        let board = &self.board;
        self.batches.retain(|sent| {
            Some(sent.batch.number) == last || sent.batch.tasks.iter().flatten().any(|key| board.is_open(key))
        });
    }
}

/// How a task ended, in words.
fn end_of(last: Option<&TaskReport>) -> String {
    last.map_or("forgotten by the scheduler".to_owned(), |report| report.state.to_string())
}
