//! How far runs go: a larger budget goes on, a smaller one cannot be, and what has ended is said to have.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::history::{Row, history, search};
use crate::support::{run, stdout};
use serde_json::Value;

fn refused(folder: &Path, words: &[&str]) -> String {
    let output = run(folder, words);
    let message = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {message}");
    assert!(message.starts_with("error: ") && message.lines().count() == 1, "{words:?}: {message}");
    message
}

#[test]
fn a_larger_budget_goes_on_as_if_it_had_been_given_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    stdout(search(path, "whole", "2").stderr(Stdio::piped()).output().unwrap());
    let whole = history(&path.join("whole"));
    let mut short = search(path, "short", "2");
    stdout(short.args(["--set=rounds.budget=4"]).stderr(Stdio::piped()).output().unwrap());
    let done: Vec<Row> = history(&path.join("short"));
    assert_eq!(done.len(), 4);
    let status = stdout(run(path, &["status", "short"]));
    assert!(status.contains("ended        budget spent") && !status.contains("nao resume"), "{status}");

    let before = fs::read(path.join("short/run.toml")).unwrap();
    let message = refused(path, &["resume", "short", "--budget", "3"]);
    assert!(message.contains("short has 4 trials, and a budget of 3 is less"), "{message}");
    assert_eq!(fs::read(path.join("short/run.toml")).unwrap(), before);

    // In two steps, and with another number of workers.
    stdout(run(path, &["resume", "short", "--budget", "7", "--workers", "1"]));
    stdout(run(path, &["resume", "short", "--set", "rounds.budget=10"]));
    assert_eq!(history(&path.join("short")), whole);
    let status: Value = serde_json::from_str(&stdout(run(path, &["status", "short", "--json"]))).unwrap();
    assert_eq!((&status["budget"], &status["done"]), (&10.into(), &10.into()));
    assert_eq!(status["ended"], "budget spent");
    let told = stdout(run(path, &["cancel", "short"]));
    assert!(told.contains("has ended (budget spent)") && !told.contains("resume"), "{told}");
}

/// Recurrent cells of one node: one for each activation.
#[test]
fn an_exhausted_space_takes_no_larger_budget_and_no_message_asks_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text = path.join("text");
    fs::create_dir(&text).unwrap();
    for part in ["train", "valid", "test"] {
        fs::write(text.join(format!("{part}.txt")), format!("the cat of {part} sees a dog\n").repeat(30))
            .unwrap();
    }
    let words = [
        "search",
        "--data=text:text",
        "--strategy=random",
        "--nodes=1",
        "--budget=50",
        "--epochs=1",
        "--set=recipe.hidden=4",
        "--set=recipe.batch=4",
        "--set=recipe.validation_batch=2",
        "--out=run",
    ];
    let said = stdout(run(path, &words));
    assert!(said.contains("stopped early: space exhausted"), "{said}");
    let cells = history(&path.join("run")).len();
    assert!((2..50).contains(&cells), "{cells} cells");

    let status = stdout(run(path, &["status", "run"]));
    assert!(status.contains("ended        space exhausted") && !status.contains("nao resume"), "{status}");
    let message = refused(path, &["resume", "run", "--budget", "99"]);
    assert!(message.contains(&format!("every cell of its space in {cells} trials")), "{message}");
    let told = stdout(run(path, &["cancel", "run"]));
    assert!(told.contains("has ended (space exhausted)") && !told.contains("resume"), "{told}");
    let worker = refused(path, &["worker", "run", "--idle", "0"]);
    assert!(worker.contains("has ended (space exhausted)") && !worker.contains("resume"), "{worker}");
    // As it is, it shows its result again.
    assert!(stdout(run(path, &["resume", "run"])).contains("space exhausted"));
    assert_eq!(history(&path.join("run")).len(), cells);
}

#[test]
fn a_run_whose_round_failed_is_not_said_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = search(folder.path(), "run", "2");
    command.args(["--time-limit", "0.000001", "--max-failed-share", "1"]);
    assert_eq!(command.stderr(Stdio::null()).status().unwrap().code(), Some(1));
    let status = stdout(run(folder.path(), &["status", "run"]));
    assert!(status.contains("ended        every trial of round 1 failed"), "{status}");
    assert!(!status.contains("nao resume"), "{status}");
}
