//! The executor against a scheduler that does as it is told.

use std::path::Path;

use nao_space::{ArchKey, EvaluationError, Fidelity};

use super::scripted::{Answer, Script, Told, unreachable};
use super::*;
use crate::executor::exchange::{Claim, Claimant, Leases, TaskResult, WorkerId};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn settings(trials_per_task: usize) -> SlurmSettings {
    SlurmSettings {
        order: WorkOrder {
            device: "cpu".into(),
            time_limit: None,
            memory_limit: None,
            heartbeat: 5.0,
            lease: 20.0,
            checkpoint: 0.0,
            max_attempts: 3,
        },
        start: batch::Start { program: "/bin/nao".into(), slots: 1 },
        arguments: vec!["--time=5".into()],
        trials_per_task,
        parallel: Some(8),
        pace: Pace { files_every: seconds(1), attempts_every: seconds(10), lease: seconds(20) },
        scheduler_every: seconds(10),
        grace: seconds(15),
    }
}

fn naming() -> Naming<String> {
    Box::new(|trial| TaskKey::new("space", &ArchKey(trial.arch.clone()), &Fidelity::new("r", 1), trial.seed))
}

fn trials(count: u64) -> Vec<Trial<String>> {
    (1..=count).map(|id| Trial { id: TrialId(id), arch: format!("arch {id}"), seed: id }).collect()
}

struct Bench {
    told: Told,
    run: tempfile::TempDir,
    executor: SlurmExecutor<String, Told, Told>,
}

impl Bench {
    fn new(limit: usize, trials_per_task: usize) -> Self {
        let run = tempfile::tempdir().unwrap();
        let told = Told::of(Script { limit, ..Script::default() });
        let executor = Self::executor(run.path(), &told, trials_per_task);
        Bench { told, run, executor }
    }

    fn executor(run: &Path, told: &Told, trials_per_task: usize) -> SlurmExecutor<String, Told, Told> {
        let (exchange, settings) = (Exchange::of(run), settings(trials_per_task));
        SlurmExecutor::new(exchange, naming(), told.clone(), settings, told.clone()).unwrap()
    }

    fn jobs(&self) -> usize {
        self.told.0.borrow().jobs.len()
    }

    fn wait(&mut self, time: u64) -> Vec<Event> {
        self.try_wait(time).unwrap()
    }

    fn try_wait(&mut self, time: u64) -> Result<Vec<Event>> {
        let until = self.told.now() + seconds(time);
        let mut events = Vec::new();
        while self.told.now() < until {
            events.extend(self.executor.poll(seconds(1))?);
        }
        Ok(events)
    }

    /// A worker takes a trial, and dies or puts it back.
    fn attempt(&self, id: u64, put_back: bool) {
        let mut claimant = Claimant {
            holder: WorkerId { host: "n0".into(), ..WorkerId::me() },
            lease: Duration::ZERO,
            max_attempts: 99,
            leases: Leases::default(),
        };
        let exchange = Exchange::of(self.run.path());
        match exchange.claim(&key(id), &mut claimant, self.told.now()).unwrap() {
            Claim::Mine(attempt) if put_back => attempt.release("test"),
            Claim::Mine(_) => {}
            other => panic!("{other:?}"),
        }
    }

    fn publish(&self, id: u64) {
        let outcome = Err(EvaluationError::Unsuitable { message: "test".into() });
        let result = TaskResult {
            key: key(id),
            trial: TrialId(id),
            outcome,
            curve: Vec::new(),
            holder: WorkerId::me(),
        };
        Exchange::of(self.run.path()).publish(&result).unwrap();
    }

    /// All tasks of a job get a state.
    fn all_are(&self, job: usize, state: TaskState) {
        let script = &mut *self.told.0.borrow_mut();
        let token = script.jobs[job].token.clone();
        script
            .states
            .iter_mut()
            .filter(|report| report.token == token)
            .for_each(|report| report.state = state.clone());
    }

    fn forget_all(&self) {
        self.told.0.borrow_mut().states.clear();
    }
}

fn key(id: u64) -> TaskKey {
    naming()(&Trial { id: TrialId(id), arch: format!("arch {id}"), seed: id })
}

fn finished(events: &[Event]) -> Vec<(u64, String)> {
    let outcomes = events.iter().filter_map(|event| match event {
        Event::Finished { trial, outcome: Err(error), .. } => Some((trial.0, error.to_string())),
        _ => None,
    });
    outcomes.collect()
}

#[test]
fn trials_are_packed_and_chunked() {
    let mut bench = Bench::new(3, 2);
    bench.executor.submit(trials(11)).unwrap();
    bench.wait(2);
    let script = bench.told.0.borrow();
    let sizes: Vec<usize> = script.jobs.iter().map(|job| job.tasks).collect();
    assert_eq!(sizes, [3, 3]);
    // What is allowed at a time is shared between the chunks.
    assert!(script.jobs.iter().all(|job| job.parallel == Some(4) && job.arguments == ["--time=5"]));
    let script = std::fs::read_to_string(script.jobs[1].folder.join("job.sh")).unwrap();
    assert!(script.contains("exec /bin/nao worker") && script.contains("--batch 2"), "{script}");
}

#[test]
fn a_submission_that_was_taken_is_not_repeated_and_one_that_was_not_is() {
    let mut bench = Bench::new(100, 1);
    bench.told.0.borrow_mut().answers = [Answer::TakenBut(unreachable())].into();
    bench.executor.submit(trials(4)).unwrap();
    bench.wait(60);
    assert_eq!(bench.jobs(), 1);

    let mut bench = Bench::new(100, 1);
    let full = SchedulerError::Full("submit limit".into());
    bench.told.0.borrow_mut().answers = [Answer::Not(unreachable()), Answer::Not(full)].into();
    bench.executor.submit(trials(4)).unwrap();
    bench.wait(60);
    assert_eq!(bench.jobs(), 1);
    // Nor does a coordinator that was killed in between repeat it.
    let mut second = Bench::executor(bench.run.path(), &bench.told, 1);
    second.submit(trials(4)).unwrap();
    for _ in 0..60 {
        second.poll(seconds(1)).unwrap();
    }
    assert_eq!(bench.jobs(), 1);
}

#[test]
fn a_job_that_is_refused_thrice_ends_the_run_with_the_words_of_the_scheduler() {
    let mut bench = Bench::new(100, 1);
    let refused = || Answer::Not(SchedulerError::Refused("sbatch: invalid partition".into()));
    bench.told.0.borrow_mut().answers = [refused(), refused(), refused()].into();
    bench.executor.submit(trials(1)).unwrap();
    let error = bench.try_wait(60).unwrap_err();
    assert!(
        matches!(error, RunError::Failed(_)) && error.to_string().contains("invalid partition"),
        "{error}"
    );
}

#[test]
fn results_count_whatever_the_scheduler_says_or_does_not_say() {
    let mut bench = Bench::new(100, 1);
    bench.executor.submit(trials(2)).unwrap();
    bench.wait(2);
    bench.told.0.borrow_mut().silent = true;
    bench.publish(1);
    let events = bench.wait(5_000);
    assert_eq!(finished(&events).len(), 1);
    // Asked less and less.
    let questions = bench.told.0.borrow().questions;
    assert!((5..40).contains(&questions), "{questions} questions");
    bench.executor.settled(TrialId(1)).unwrap();
    bench.told.0.borrow_mut().silent = false;
    bench.publish(2);
    assert_eq!(finished(&bench.wait(5)).len(), 1);
    bench.executor.settled(TrialId(2)).unwrap();
    // A late copy of what is recorded is no news.
    bench.publish(1);
    assert_eq!(finished(&bench.wait(5)).len(), 0);
    assert_eq!(bench.jobs(), 1);
}

#[test]
fn a_scheduler_that_is_silent_from_the_start_is_asked_less_and_less() {
    let mut bench = Bench::new(100, 1);
    bench.told.0.borrow_mut().silent = true;
    bench.executor.submit(trials(2)).unwrap();
    let events = bench.wait(3_000);
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Note(_))).count(), 1, "{events:?}");
    let questions = bench.told.0.borrow().questions;
    assert!((5..30).contains(&questions), "{questions} questions");
    bench.told.0.borrow_mut().silent = false;
    bench.wait(400);
    assert_eq!(bench.jobs(), 1);
}

#[test]
fn what_is_lost_is_handed_in_again_after_the_grace() {
    let mut bench = Bench::new(100, 2);
    bench.executor.submit(trials(2)).unwrap();
    bench.wait(2);
    bench.forget_all();
    bench.wait(20);
    assert_eq!(bench.jobs(), 1, "a result may still be on its way");
    bench.wait(30);
    // Each trial has a task of its own now.
    assert_eq!((bench.jobs(), bench.told.0.borrow().jobs[1].tasks), (2, 2));
    // A state that nobody knows is none that ends.
    bench.all_are(1, TaskState::Other("SPECIAL_EXIT_SOON".into()));
    bench.wait(500);
    assert_eq!(bench.jobs(), 2);
}

#[test]
fn what_was_put_back_is_handed_in_again_at_once() {
    let mut bench = Bench::new(100, 1);
    bench.executor.submit(trials(1)).unwrap();
    bench.wait(2);
    bench.attempt(1, true);
    bench.all_are(0, TaskState::TimedOut);
    bench.wait(11);
    assert_eq!(bench.jobs(), 2);
    // While a preempted one is started again by the scheduler itself.
    bench.attempt(1, true);
    bench.all_are(1, TaskState::Preempted);
    bench.wait(11);
    assert_eq!(bench.jobs(), 2);
    bench.all_are(1, TaskState::Pending);
    bench.wait(100);
    assert_eq!(bench.jobs(), 2);
}

#[test]
fn memory_that_runs_out_is_an_outcome_of_the_trial_that_was_at_work() {
    let mut bench = Bench::new(100, 3);
    bench.executor.submit(trials(3)).unwrap();
    bench.wait(2);
    bench.attempt(1, false);
    bench.all_are(0, TaskState::OutOfMemory);
    let events = bench.wait(60);
    let [(1, error)] = &finished(&events)[..] else { panic!("{events:?}") };
    assert!(error.contains("ran out of memory"), "{error}");
    // The others did not begin.
    assert_eq!((bench.jobs(), bench.told.0.borrow().jobs[1].tasks), (2, 2));
}

#[test]
fn of_trials_side_by_side_nobody_knows_whose_memory_ran_out() {
    let mut bench = Bench::new(100, 2);
    bench.executor.submit(trials(2)).unwrap();
    bench.wait(2);
    bench.attempt(1, false);
    bench.attempt(2, false);
    bench.all_are(0, TaskState::OutOfMemory);
    assert_eq!(finished(&bench.wait(60)), []);
    assert_eq!((bench.jobs(), bench.told.0.borrow().jobs[1].tasks), (2, 2));
    // Alone it tells.
    bench.attempt(2, false);
    {
        let script = &mut *bench.told.0.borrow_mut();
        let token = script.jobs[1].token.clone();
        let of_second = |report: &&mut TaskReport| report.token == token && report.index == Some(1);
        script.states.iter_mut().filter(of_second).for_each(|report| report.state = TaskState::OutOfMemory);
    }
    let [(2, error)] = &finished(&bench.wait(60))[..] else { panic!("the second one was alone") };
    assert!(error.contains("ran out of memory"), "{error}");
}

#[test]
fn trials_that_never_come_further_are_given_up() {
    for begins in [true, false] {
        let mut bench = Bench::new(100, 1);
        bench.executor.submit(trials(1)).unwrap();
        bench.wait(2);
        let mut events = Vec::new();
        for job in 0..3 {
            assert_eq!(bench.jobs(), job + 1);
            if begins {
                bench.attempt(1, false);
            }
            bench.all_are(job, TaskState::Failed);
            events.extend(bench.wait(60));
        }
        let [(1, error)] = &finished(&events)[..] else { panic!("{events:?}") };
        assert!(error.contains("given up after 3 attempts") && error.contains("task-0.log"), "{error}");
        assert_eq!(bench.jobs(), 3);
    }
}

#[test]
fn a_node_where_two_trials_end_at_once_is_left_out() {
    let mut bench = Bench::new(100, 1);
    bench.executor.submit(trials(3)).unwrap();
    bench.wait(2);
    let on_one_node = |bench: &Bench| {
        bench.told.0.borrow_mut().states.iter_mut().for_each(|report| report.node = Some("bad".into()));
    };
    on_one_node(&bench);
    for id in 1..=3 {
        bench.attempt(id, false);
    }
    bench.told.0.borrow_mut().states[0].state = TaskState::Failed;
    bench.wait(60);
    assert!(bench.told.0.borrow().jobs[1].exclude.is_empty(), "one trial may be to blame itself");
    bench.told.0.borrow_mut().states[1].state = TaskState::Failed;
    bench.wait(60);
    assert_eq!(bench.told.0.borrow().jobs[2].exclude, ["bad"]);
    // If nothing is left without it, it is better than nothing.
    let refused = || Answer::Not(SchedulerError::Refused("node configuration is not available".into()));
    bench.told.0.borrow_mut().answers = [refused(), refused()].into();
    bench.told.0.borrow_mut().states[2].state = TaskState::Failed;
    bench.wait(120);
    assert!(bench.told.0.borrow().jobs[3].exclude.is_empty());
}

#[test]
fn a_dismissal_ends_what_still_runs() {
    let mut bench = Bench::new(100, 1);
    bench.executor.submit(trials(1)).unwrap();
    bench.wait(2);
    bench.executor.dismiss("test").unwrap();
    assert!(bench.told.0.borrow().is_cancelled);
    assert_eq!(Exchange::of(bench.run.path()).asked_to_stop().as_deref(), Some("test"));
}
