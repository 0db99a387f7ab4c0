//! Searches in a relaxed network (DARTS) by the real program, on tiny networks of digits.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{nao, run, stdout};
use serde_json::Value;

fn search(folder: &Path, strategy: &str, out: &str) -> Command {
    let mut command = nao(folder);
    command.args(["search", "--strategy", strategy, "--out", out, "--epochs=1", "--seed=3"]).args([
        "--set=relaxed.weights.epochs=3",
        "--set=relaxed.weights.cosine_epochs=3",
        "--set=relaxed.weights.structure.width=2",
        "--set=relaxed.weights.batch=250",
        "--set=recipe.structure.width=4",
        "--set=recipe.batch=128",
    ]);
    command
}

fn report(run: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(run.join("relaxed/report.json")).unwrap()).unwrap()
}

#[test]
fn a_killed_search_goes_on_to_the_same_cells_which_are_then_trained() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = stdout(search(folder, "darts", "whole").output().unwrap());
    for word in
        ["relaxed network", "derived: Genotype(normal=[", "of the edges without parameters", "selection"]
    {
        assert!(text.contains(word), "{word}: {text}");
    }
    let mut child =
        search(folder, "darts", "broken").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let checkpoint = folder.join("broken/relaxed/search.safetensors");
    let deadline = Instant::now() + Duration::from_secs(120);
    while !checkpoint.is_file() {
        assert!(child.try_wait().unwrap().is_none() && Instant::now() < deadline, "no first epoch");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let resumed = run(folder, &["resume", "broken"]);
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
    let whole = report(&folder.join("whole"));
    assert_eq!(whole, report(&folder.join("broken")));
    assert_eq!(whole["epochs"].as_array().unwrap().len(), 3);

    let best: Value = serde_json::from_str(&stdout(run(folder, &["best", "whole", "--json"]))).unwrap();
    assert_eq!((best.as_array().unwrap().len(), &best[0]["origin"]["kind"]), (1, &"relaxed".into()));
    assert!(best[0]["objective"]["value"].as_f64().unwrap() > 0.0);
    // The genotype is the cell that was trained.
    let genotype = whole["epochs"][2]["genotype"].as_str().unwrap();
    let encoded = stdout(run(folder, &["space", "encode", genotype, "--space", "darts"]));
    assert_eq!(encoded.split_whitespace().count(), 32, "{encoded}");
}

#[test]
fn what_a_relaxed_network_cannot_be_is_refused_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |words: &[&str]| {
        let output = run(folder.path(), &[&["search", "--out", "run"], words].concat());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), message.trim_end().lines().count()), (Some(2), 1), "{message}");
        message
    };
    assert!(refused(&["--strategy=darts", "--ops=enas-5"]).contains("darts-7"));
    assert!(refused(&["--strategy=darts", "--set=rounds.budget=9"]).contains("relaxed.weights.epochs"));
    assert!(refused(&["--strategy=darts:third"]).contains("darts:second"));
    assert!(refused(&["--set=relaxed.order=first"]).contains("[relaxed]"));
    let rate = ["--strategy=darts:second", "--set=relaxed.mixtures.learning_rate=0.0"];
    assert!(refused(&rate).contains("mixtures.learning_rate"));
    assert!(!folder.path().join("run").exists());
}
