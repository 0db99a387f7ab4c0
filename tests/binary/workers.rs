//! Workers that share a run folder: many at once, killed, stopped, sent away.

#[cfg(target_os = "linux")]
use std::cell::RefCell;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::history::{MANY, TINY, count_done, history, is_tidy, logs, on_one_machine};
use crate::support::{nao, run, stdout};

/// Short times, so that what a cluster does in minutes takes seconds. The lease is not one of them: a worker that is
/// only slow must not lose its trial.
const QUICK: &[&str] = &[
    "--executor=workers",
    "--set=execution.cluster.heartbeat=0.25",
    "--set=execution.cluster.checkpoint=0",
    "--set=execution.cluster.look=0.2",
];

fn search(folder: &Path, out: &str, words: &[&str]) -> Command {
    let mut command = nao(folder);
    command
        .arg("search")
        .args(TINY)
        .args(MANY)
        .args(QUICK)
        .args(words)
        .args(["--out", out])
        .stdout(Stdio::null());
    command
}

fn worker(folder: &Path, run: &str) -> Command {
    let mut command = nao(folder);
    command.args(["worker", run, "--threads", "1", "--idle", "60"]).stdout(Stdio::null());
    command
}

/// Processes that do not outlive the test, however it ends.
#[derive(Default)]
struct Crowd(Vec<Child>);

impl Crowd {
    fn start(&mut self, command: &mut Command) -> usize {
        self.0.push(command.spawn().unwrap());
        self.0.len() - 1
    }

    /// Waits for all of them; each has to succeed.
    fn all_succeed(&mut self) {
        for child in &mut self.0 {
            assert!(ends(child, 120).success(), "a worker failed");
        }
        self.0.clear();
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits for the end of a process, but not for ever.
fn ends(child: &mut Child, seconds: u64) -> std::process::ExitStatus {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < deadline, "still there after {seconds} s");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < deadline, "not after two minutes: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn twenty_workers_that_start_with_the_search_give_one_consistent_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut crowd = Crowd::default();
    for _ in 0..20 {
        crowd.start(worker(folder.path(), "run").stderr(Stdio::null()));
    }
    stdout(search(folder.path(), "run", &[]).stderr(Stdio::piped()).output().unwrap());
    crowd.all_succeed();
    let shared = folder.path().join("run");
    is_tidy(&shared);
    // No worker trained the trial of another one.
    assert_eq!(logs(&shared).matches("attempt 2:").count(), 0, "{}", logs(&shared));
    assert_eq!(&history(&shared), on_one_machine());
}

#[cfg(target_os = "linux")]
#[test]
fn workers_that_are_killed_frozen_and_sent_away_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("run");
    let mut crowd = Crowd::default();
    let mut coordinator = search(folder.path(), "run", &["--set=execution.cluster.lease=2"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = |crowd: &mut Crowd| crowd.start(worker(folder.path(), "run").stderr(Stdio::null()));
    let catch = |crowd: &mut Crowd| {
        let index = start(crowd);
        let process = crowd.0[index].id();
        let caught = RefCell::new(None);
        wait_until("the worker is in the middle of a trial", || {
            *caught.borrow_mut() = crate::holders::catch(&shared, |holder| holder["process"] == process);
            caught.borrow().is_some()
        });
        (index, caught.into_inner().unwrap())
    };
    // One dies, one is frozen for longer than its lease and comes back as a second copy.
    let (dead, killed) = catch(&mut crowd);
    killed.kill();
    let (_, frozen) = catch(&mut crowd);
    // One is asked to go.
    let (gone, caught) = catch(&mut crowd);
    caught.ask_to_go();
    drop(caught);
    assert!(ends(&mut crowd.0[gone], 60).success());
    start(&mut crowd);
    wait_until("others have their trials", || killed.has_a_successor() && frozen.has_a_successor());
    drop(frozen);
    // The coordinator may die as well; the workers work on.
    coordinator.kill().unwrap();
    coordinator.wait().unwrap();
    stdout(run(folder.path(), &["resume", "run"]));
    crowd.0.remove(dead).wait().unwrap();
    crowd.all_succeed();
    is_tidy(&shared);
    let logs = logs(&shared);
    // Each of the three cost an attempt, of whichever trial.
    let attempts = logs.lines().filter(|line| line.starts_with("attempt ")).count();
    assert!(logs.contains("put back") && attempts >= 24 + 3, "{logs}");
    assert_eq!(&history(&shared), on_one_machine());
}

#[test]
fn a_cancelled_run_stops_everywhere_and_can_be_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("run");
    let mut crowd = Crowd::default();
    let mut coordinator = search(folder.path(), "run", &[]).stderr(Stdio::piped()).spawn().unwrap();
    for _ in 0..2 {
        crowd.start(worker(folder.path(), "run").stderr(Stdio::null()));
    }
    wait_until("two trials done", || count_done(&shared) >= 2);
    let status = stdout(run(folder.path(), &["status", "run"]));
    assert!(status.contains("of 24 trials done") && status.contains("coordinator  process"), "{status}");
    let told = stdout(run(folder.path(), &["cancel", "run"]));
    assert!(told.contains("nao resume run"), "{told}");
    assert_eq!(ends(&mut coordinator, 60).code(), Some(130));
    let message = error(&coordinator.wait_with_output().unwrap());
    assert!(message.contains("stopped by nao cancel; go on with:  nao resume run"), "{message}");
    crowd.all_succeed();

    let status = stdout(run(folder.path(), &["status", "run", "--json"]));
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["running"].as_array().unwrap().len(), 0, "{status}");
    assert_eq!(status["coordinator"], serde_json::Value::Null);
    assert!(status["done"].as_u64().unwrap() >= 2 && status["waiting"].as_u64().unwrap() > 0, "{status}");

    // On this machine alone, too, with what the workers have done.
    let done = history(&shared).into_iter().filter(|row| row.status == "done").count();
    stdout(run(folder.path(), &["resume", "run", "--executor", "local"]));
    let results = history(&shared).into_iter().map(|row| shared.join("children").join(row.id.to_string()));
    assert!(results.filter(|child| child.join("result.json").is_file()).count() >= done);
    for sub in ["tasks", "results"] {
        assert_eq!(std::fs::read_dir(shared.join(sub)).unwrap().count(), 0, "left in {sub}");
    }
    assert_eq!(&history(&shared), on_one_machine());
}

#[test]
fn a_search_most_of_whose_trials_fail_stops_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let mut crowd = Crowd::default();
    crowd.start(worker(folder.path(), "run").stderr(Stdio::null()));
    let output =
        search(folder.path(), "run", &["--memory-limit", "1"]).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = error(&output);
    assert!(message.contains("7 of 12 trials failed (7 out of memory)"), "{message}");
    assert!(message.contains("execution.max_failed_share = 0.5"), "{message}");
    // The worker is sent home.
    crowd.all_succeed();
    assert!(history(&folder.path().join("run")).iter().all(|row| row.measurement.is_none()));

    let output = run(
        folder.path(),
        &[&["search"], TINY, MANY, &["--memory-limit", "1", "--workers", "2", "--out", "here"]].concat(),
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(error(&output).contains("out of memory"), "{}", error(&output));
}

#[test]
fn workers_without_work_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["worker", "none", "--idle", "0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(error(&output).contains("no run folder none"), "{}", error(&output));
    // A run for workers of one machine's own gives none to others.
    let local =
        run(folder.path(), &[&["search"], TINY, &["--set=rounds.budget=2", "--out", "local"]].concat());
    stdout(local);
    let output = run(folder.path(), &["worker", "local", "--idle", "0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(error(&output).contains("--executor workers"), "{}", error(&output));
}
