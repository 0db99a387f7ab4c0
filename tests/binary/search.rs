//! Searches of the real program: killed and resumed, with one worker and with two.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::history::{MANY, Row, count_done, history, on_one_machine, search, wait_until};
use crate::support::{nao, run, stdout};
use rusqlite::Connection;

/// Kills a search with SIGKILL as soon as `done` trials have their result.
fn kill_after(mut search: Child, run: &Path, done: usize) {
    wait_until(&mut search, &format!("{done} trials done"), || count_done(run) >= done);
    search.kill().unwrap();
    search.wait().unwrap();
}

/// A search that has its first result, and its run folder.
fn started(folder: &Path, workers: &str) -> (Child, PathBuf) {
    let run = folder.join("run");
    let mut child = search(folder, "run", workers).stderr(Stdio::piped()).spawn().unwrap();
    wait_until(&mut child, "the first result", || count_done(&run) > 0);
    (child, run)
}

#[test]
fn one_worker_and_two_give_the_same_history() {
    let folder = tempfile::tempdir().unwrap();
    for (out, workers) in [("one", "1"), ("two", "2")] {
        assert!(search(folder.path(), out, workers).status().unwrap().success());
    }
    let (one, two) = (history(&folder.path().join("one")), history(&folder.path().join("two")));
    assert_eq!(one.len(), 10);
    assert!(one.iter().all(|row| row.status == "done"));
    assert_eq!(one, two);
    let by_ascent = one.iter().filter(|row| row.origin.contains("\"ascent\"")).count();
    assert!(by_ascent > 0, "NAO proposed nothing by ascent: {one:#?}");
}

#[test]
fn a_killed_search_resumes_to_the_history_of_an_unbroken_one() {
    let folder = tempfile::tempdir().unwrap();
    assert!(search(folder.path(), "whole", "2").status().unwrap().success());
    let whole = history(&folder.path().join("whole"));

    let broken = folder.path().join("broken");
    kill_after(search(folder.path(), "broken", "2").stderr(Stdio::null()).spawn().unwrap(), &broken, 2);
    for done in [5, 8] {
        let before = history(&broken);
        let mut resume = nao(folder.path());
        resume.args(["resume", "broken", "--workers", "1"]).stdout(Stdio::null()).stderr(Stdio::null());
        kill_after(resume.spawn().unwrap(), &broken, done);
        // What was done stays as it was, byte for byte: nothing finished is trained again.
        let after = history(&broken);
        for row in before.iter().filter(|row| row.status == "done") {
            assert!(after.contains(row), "{row:?} is gone");
        }
    }
    stdout(run(folder.path(), &["resume", "broken"]));
    assert_eq!(history(&broken), whole);
    let store = Connection::open(broken.join("trials.sqlite")).unwrap();
    let attempts: i64 = store.query_row("SELECT MAX(attempts) FROM trials", [], |row| row.get(0)).unwrap();
    assert!(attempts <= 4, "a trial was started {attempts} times for three kills");

    // Resuming a finished run changes nothing and shows the result again.
    let best = stdout(run(folder.path(), &["resume", "broken", "--json"]));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&best).unwrap().as_array().unwrap().len(), 5);
    assert_eq!(history(&broken), whole);
}

#[test]
fn a_child_that_was_under_way_goes_on_from_its_last_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = folder.path().join("run");
    let mut command = search(folder.path(), "run", "1");
    let mut child = command.args(MANY).arg("--set=execution.cluster.checkpoint=0").spawn().unwrap();
    let lines = |trial: u64| {
        let path = run_folder.join("children").join(trial.to_string()).join("epochs.jsonl");
        fs::read_to_string(path).unwrap_or_default().lines().count()
    };
    wait_until(&mut child, "the third child in its third epoch", || lines(3) >= 3);
    child.kill().unwrap();
    child.wait().unwrap();
    let done = count_done(&run_folder) as u64;
    let under_way = done + 1;
    let resumed = nao(folder.path()).args(["resume", "run", "--workers", "1"]).output().unwrap();
    assert!(resumed.status.success());
    assert_eq!(&history(&run_folder), on_one_machine());
    let children = run_folder.join("children").join(under_way.to_string());
    let mut left: Vec<_> = fs::read_dir(&children).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["curve.json"], "what is needed under way is gone");
    let curve: serde_json::Value =
        serde_json::from_slice(&fs::read(children.join("curve.json")).unwrap()).unwrap();
    let epochs: Vec<u64> =
        curve.as_array().unwrap().iter().map(|report| report["epoch"].as_u64().unwrap()).collect();
    assert_eq!(epochs, [1, 2, 3, 4, 5, 6]);
}

#[cfg(unix)]
#[test]
fn a_changed_seed_space_or_recipe_is_refused_field_by_field() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, run_folder) = started(folder.path(), "2");
    // While it exists, at work or not, no other process may.
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-STOP", &id]).status().unwrap().success());
    let second = run(folder.path(), &["resume", "run"]);
    assert_eq!(second.status.code(), Some(2));
    let message = String::from_utf8_lossy(&second.stderr).into_owned();
    let holder = fs::read_to_string(run_folder.join("lock")).unwrap();
    assert!(holder.starts_with(&format!("process {} on ", child.id())), "{holder}");
    assert!(holder.contains(" since 2") && holder.ends_with('Z'), "{holder}");
    assert_eq!(message, format!("error: run is in use by {holder}: wait for it or stop it\n"));
    child.kill().unwrap();
    child.wait().unwrap();

    // The lock is gone with it, though its file still names it; what keeps others out now is that they ask for something
    // else.
    assert_eq!(fs::read_to_string(run_folder.join("lock")).unwrap(), holder);
    let before = history(&run_folder);
    for (words, difference) in [
        (vec!["--seed", "4"], "seed: 3 in the run, 4 asked"),
        (vec!["--nodes", "3"], "space.nodes: 2 in the run, 3 asked"),
        (vec!["--ops", "enas-5"], "space.ops: \"paper-11\" in the run, \"enas-5\" asked"),
        (vec!["--epochs", "2"], "recipe.epochs: 1 in the run, 2 asked"),
        (vec!["--set", "recipe.batch=64"], "recipe.batch: 128 in the run, 64 asked"),
        (vec!["--strategy", "random"], "strategy.name: \"nao\" in the run, \"random\" asked"),
    ] {
        let refused = run(folder.path(), &[&["resume", "run"], &words[..]].concat());
        assert_eq!(refused.status.code(), Some(2), "{words:?}");
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(message.contains(difference), "{words:?}: {message}");
    }
    assert_eq!(history(&run_folder), before);
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_cleanly_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (child, run_folder) = started(folder.path(), "2");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("nao resume run"), "{message}");
    assert!(history(&run_folder).iter().all(|row| row.status != "running"), "a trial was left running");
}

#[test]
fn a_child_past_its_time_limit_fails_alone_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = search(folder.path(), "run", "2");
    // A microsecond is over before the first step, so every trial of the first round fails, which ends the search, however
    // many failures it would bear.
    command.args(["--time-limit", "0.000001", "--max-failed-share", "1"]);
    let output = command.stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("every trial of round 1 failed") && message.contains("time limit"), "{message}");
    let rows = history(&folder.path().join("run"));
    assert!(rows.iter().all(|row| row.error.as_deref().is_some_and(|error| error.contains("time_limit"))));
}

#[test]
fn a_diverging_training_fails_its_trial_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = search(folder.path(), "run", "2");
    let output = command.arg("--set=recipe.learning_rate=1e30").stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("the loss became"), "{message}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_that_is_killed_fails_its_trial_and_the_search_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, run_folder) = started(folder.path(), "1");
    let worker = workers_of(child.id()).pop().expect("a worker is at work");
    let signal =
        |name| assert!(Command::new("kill").args([name, worker.as_str()]).status().unwrap().success());
    // It may just have ended a trial. Standing still, it is given the next one, and that one it takes along.
    signal("-STOP");
    std::thread::sleep(Duration::from_millis(500));
    signal("-KILL");
    assert!(child.wait().unwrap().success());
    let rows = history(&run_folder);
    let failed: Vec<&Row> = rows.iter().filter(|row| row.status == "failed").collect();
    let last_done = rows.iter().rposition(|row| row.status == "done");
    assert_eq!(failed.len(), 1, "{rows:#?}");
    assert!(
        last_done > rows.iter().position(|row| row.status == "failed"),
        "nothing came after it: {rows:#?}"
    );
    assert!(failed[0].error.as_deref().unwrap().contains("worker_died"));
}

#[cfg(target_os = "linux")]
#[test]
fn workers_end_with_a_coordinator_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, _) = started(folder.path(), "2");
    let workers = workers_of(child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    // A zombie has ended too; its parent, the system, has only not looked at it yet.
    let alive = |worker: &String| {
        let status = std::fs::read_to_string(format!("/proc/{worker}/status")).unwrap_or_default();
        status.contains("State:") && !status.contains("State:\tZ")
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    while workers.iter().any(alive) {
        assert!(Instant::now() < deadline, "a worker outlives its coordinator");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The process ids of the workers of a coordinator.
#[cfg(target_os = "linux")]
fn workers_of(coordinator: u32) -> Vec<String> {
    let mut workers = Vec::new();
    for thread in std::fs::read_dir(format!("/proc/{coordinator}/task")).into_iter().flatten().flatten() {
        let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        workers.extend(children.split_whitespace().map(str::to_owned));
    }
    workers
}

/// The default strategy, with a space that is learned in a moment.
const STRUCTURE: &[&str] = &[
    "--set=strategy.preset=structure",
    "--set=strategy.structure.pretraining.steps=20",
    "--set=strategy.structure.pretraining.cells=300",
    "--set=strategy.structure.pretraining.feature_samples=100",
    "--set=strategy.structure.pretraining.batch=32",
];

#[test]
fn a_search_on_structure_learns_its_space_once_and_goes_on_alike_after_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let begin = |out: &str, more: &[&str]| {
        let output =
            search(path, out, "2").args(STRUCTURE).args(more).stderr(Stdio::piped()).output().unwrap();
        let messages = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{messages}");
        messages
    };
    assert!(begin("whole", &[]).contains("learning the space cnn/paper-11/2 once"));
    // The second search finds what the first one learned.
    assert!(!begin("again", &[]).contains("learning"));
    let whole = history(&path.join("whole"));
    assert_eq!(whole, history(&path.join("again")));
    let origins = ["ascent", "mutation"].map(|kind| whole.iter().any(|row| row.origin.contains(kind)));
    assert!(origins.contains(&true), "{whole:?}");
    let report = std::fs::read_to_string(path.join("whole/controller/round-001.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["trained_on"], 4);
    assert_eq!(report["proposals"].as_object().unwrap().values().filter_map(|n| n.as_u64()).sum::<u64>(), 3);

    // A run keeps what it needs: without the cache, it goes on after its first round.
    begin("stopped", &["--set=rounds.budget=4"]);
    let toml = path.join("stopped/run.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    std::fs::write(&toml, text.replace("budget = 4", "budget = 10")).unwrap();
    std::fs::remove_dir_all(path.join("cache")).unwrap();
    let resumed = run(path, &["resume", "stopped"]);
    assert!(!String::from_utf8_lossy(&resumed.stderr).contains("learning"));
    stdout(resumed);
    assert_eq!(history(&path.join("stopped")), whole);
    let exported = run(path, &["export", "whole", "--format=safetensors", "--output=learned.safetensors"]);
    stdout(exported);
    assert!(std::fs::metadata(path.join("learned.safetensors")).unwrap().len() > 10_000);
}
