//! Workers that share a run folder: many at once, killed, stopped, sent away.

mod history;
mod support;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use history::{MANY, TINY, count_done, history, is_tidy, logs, on_one_machine};
use support::{nao, run, stdout};

/// Short times, so that what a cluster does in minutes takes seconds.
const QUICK: &[&str] = &[
    "--executor=workers",
    "--set=execution.cluster.heartbeat=0.25",
    "--set=execution.cluster.lease=2",
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

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
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
    // Nobody trained what another one had.
    assert_eq!(logs(&shared).matches("attempt 2:").count(), 0, "{}", logs(&shared));
    assert_eq!(history(&shared), on_one_machine(folder.path()));
}

/// The processes that work on a trial at the moment.
fn at_work(run: &Path) -> Vec<u32> {
    let trials = std::fs::read_dir(run.join("attempts")).into_iter().flatten().flatten();
    let attempts = trials.flat_map(|trial| std::fs::read_dir(trial.path()).into_iter().flatten().flatten());
    let holders = attempts.filter_map(|attempt| std::fs::read(attempt.path().join("holder.json")).ok());
    let holders = holders.filter_map(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    holders.filter_map(|holder| u32::try_from(holder["process"].as_u64()?).ok()).collect()
}

#[cfg(unix)]
#[test]
fn workers_that_are_killed_frozen_and_sent_away_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("run");
    let mut crowd = Crowd::default();
    let mut coordinator = search(folder.path(), "run", &[]).stderr(Stdio::null()).spawn().unwrap();
    let start = |crowd: &mut Crowd| crowd.start(worker(folder.path(), "run").stderr(Stdio::null()));
    let hit = |crowd: &mut Crowd, name: &str| {
        let index = start(crowd);
        wait_until("the worker has a trial", || at_work(&shared).contains(&crowd.0[index].id()));
        signal(&crowd.0[index], name);
        index
    };
    // One dies, one is frozen for longer than its lease and comes back as a second copy.
    let dead = hit(&mut crowd, "-KILL");
    let frozen = hit(&mut crowd, "-STOP");
    start(&mut crowd);
    let done = count_done(&shared);
    wait_until("others go on", || count_done(&shared) >= done + 3);
    // One is asked to go. It may just have ended its trial; some will be in the middle of one.
    let is_put_back = || {
        let attempts = std::fs::read_dir(shared.join("attempts")).unwrap().flatten();
        let mut folders =
            attempts.flat_map(|trial| std::fs::read_dir(trial.path()).into_iter().flatten().flatten());
        logs(&shared).contains("put back") || folders.any(|attempt| attempt.path().join("released").exists())
    };
    for _ in 0..5 {
        let gone = hit(&mut crowd, "-TERM");
        assert!(ends(&mut crowd.0[gone], 60).success());
        if is_put_back() {
            break;
        }
    }
    signal(&crowd.0[frozen], "-CONT");
    // The coordinator may die as well; the workers work on.
    coordinator.kill().unwrap();
    coordinator.wait().unwrap();
    stdout(run(folder.path(), &["resume", "run"]));
    crowd.0.remove(dead).wait().unwrap();
    crowd.all_succeed();
    is_tidy(&shared);
    let logs = logs(&shared);
    assert!(logs.contains("put back") && logs.contains("attempt 2: "), "{logs}");
    assert_eq!(history(&shared), on_one_machine(folder.path()));
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
    assert_eq!(history(&shared), on_one_machine(folder.path()));
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
