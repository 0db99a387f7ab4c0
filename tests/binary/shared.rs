//! Searches with shared weights by the real program, on tiny networks of digits.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{nao, run, stdout};
use serde_json::Value;

/// Three rounds of one epoch on a pool of six cells of two nodes; two are trained from scratch.
const TINY: &[&str] = &[
    "--set=sharing.rounds=3",
    "--set=sharing.pool=6",
    "--set=sharing.per_round=3",
    "--set=sharing.finalists=2",
    "--set=sharing.training.epochs=1",
    "--set=sharing.training.batch=100",
    "--set=sharing.training.structure.width=4",
    "--set=recipe.structure.width=4",
    "--set=recipe.batch=128",
    "--set=strategy.nao.seeds=3",
    "--set=strategy.nao.controller.epochs=60",
    "--set=strategy.nao.controller.hidden=24",
    "--set=strategy.nao.controller.embedding=12",
    "--nodes=2",
    "--epochs=1",
    "--seed=3",
];

fn search(folder: &Path, strategy: &str, out: &str, workers: &str) -> Command {
    let mut command = nao(folder);
    command.args(["search", "--strategy", strategy, "--out", out, "--workers", workers]).args(TINY);
    command
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The record of the rounds without wall times.
fn report(run: &Path) -> Value {
    let mut report = json(&run.join("supernet/report.json"));
    for round in report["rounds"].as_array_mut().unwrap() {
        let round = round.as_object_mut().unwrap();
        round.remove("seconds").unwrap();
        if let Some(proposer) = round.get_mut("proposer").and_then(Value::as_object_mut) {
            proposer.retain(|key, _| !key.ends_with("seconds"));
        }
    }
    report
}

/// What `nao best` says, without wall times.
fn best(folder: &Path, out: &str) -> Value {
    let text = stdout(run(folder, &["best", out, "--json"]));
    let mut best: Value = serde_json::from_str(&text).unwrap();
    for entry in best.as_array_mut().unwrap() {
        entry.as_object_mut().unwrap().remove("seconds").unwrap();
    }
    best
}

#[test]
fn a_killed_search_goes_on_to_the_same_result_with_another_number_of_workers() {
    let folder = tempfile::tempdir().unwrap();
    let text = stdout(search(folder.path(), "nao-ws", "whole", "2").output().unwrap());
    for word in
        ["rounds with shared weights", "sep_conv_3x3", "parameter-free", "selection: the 2 best cells"]
    {
        assert!(text.contains(word), "{word}: {text}");
    }
    let mut child = search(folder.path(), "nao-ws", "broken", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let broken = folder.path().join("broken");
    let deadline = Instant::now() + Duration::from_secs(120);
    while !broken.join("supernet/round-001.json").is_file() {
        assert!(child.try_wait().unwrap().is_none() && Instant::now() < deadline, "no second round");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let resumed = run(folder.path(), &["resume", "broken"]);
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
    assert_eq!(report(&folder.path().join("whole")), report(&broken));
    assert_eq!(best(folder.path(), "whole"), best(folder.path(), "broken"));

    let rounds = report(&broken)["rounds"].as_array().unwrap().clone();
    assert_eq!(rounds.len(), 3);
    for (number, round) in rounds.iter().enumerate() {
        assert_eq!((round["round"].as_u64(), round["pool"].as_u64()), (Some(number as u64), Some(6)));
        let edges: u64 =
            round["pool_operations"]["edges"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        assert_eq!(edges, 6 * 8);
        let by = if number < 2 { 3 } else { 0 };
        assert_eq!(round["proposed"].as_u64(), Some(by));
        assert_eq!(round["proposer"].is_object(), number < 2);
    }
    let stored = json(&broken.join("supernet/round-002.json"));
    let scored =
        stored["state"]["members"].as_array().unwrap().iter().filter(|member| member["in_pool"] == true);
    assert!(scored.clone().all(|member| member["score"].is_f64()) && scored.count() == 6);
}

#[test]
fn finalists_are_trials_that_are_drawn_and_trained_from_shared_weights() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    stdout(search(folder, "nao-v2", "ws", "2").output().unwrap());
    let ranked = best(folder, "ws");
    assert_eq!(ranked.as_array().unwrap().len(), 2);
    assert_eq!(ranked[0]["origin"]["kind"], "shared weights");
    assert!(ranked[0]["origin"]["shared_score"].is_f64());
    assert!(folder.join("ws/best.svg").is_file());
    let cell = ranked[1]["architecture"].as_str().unwrap();
    stdout(run(folder, &["draw", cell, "--ops", "enas-5", "--nodes", "2", "-o", "cell.svg"]));

    let train = |init: &str, width: &str, out: &str| {
        let width = format!("--set=structure.width={width}");
        let words =
            ["train", "--from", "ws", "--epochs", "1", "--init-from", init, &width, "--out", out, "--json"];
        run(folder, &words)
    };
    let trained: Value = serde_json::from_str(&stdout(train("ws", "4", "started"))).unwrap();
    let init = &trained["init_from"];
    let not_found: Vec<&str> =
        init["not_found"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(
        not_found.contains(&"classifier.weight") && !not_found.contains(&"stem.0.weight"),
        "{not_found:?}"
    );
    assert!(init["copied"].as_u64().unwrap() > 20, "{init}");
    // The file alone works as well as its run, and a start from it differs from a fresh start.
    let file = init["file"].as_str().unwrap();
    let again: Value = serde_json::from_str(&stdout(train(file, "4", "again"))).unwrap();
    assert_eq!(again["value"], trained["value"]);
    let fresh =
        ["train", "--from", "ws", "--epochs", "1", "--set=structure.width=4", "--out", "fresh", "--json"];
    stdout(run(folder, &fresh));
    let curve = |out: &str| json(&folder.join(out).join("curve.json"))[0]["train_loss"].clone();
    assert_ne!(curve("started"), curve("fresh"));

    let refused = train("ws", "8", "wide");
    assert_eq!(refused.status.code(), Some(2));
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        message.contains("width 4") && message.contains("width 8") && message.trim().lines().count() == 1,
        "{message}"
    );
    assert!(!folder.join("wide").exists());
    let refused = train("started", "4", "none");
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("holds no shared weights"));
    let refused = train("started/weights.safetensors", "4", "none");
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no supernet"));
}

#[test]
fn a_random_search_trains_on_the_whole_space_and_the_structure_preset_proposes_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = search(folder.path(), "random-ws", "random", "2");
    random.arg("--set=sharing.per_round=0");
    stdout(random.output().unwrap());
    let rounds = report(&folder.path().join("random"))["rounds"].clone();
    assert!(rounds.as_array().unwrap().iter().all(|round| round["proposed"] == 0 && round["pool"] == 6));

    let mut structure = search(folder.path(), "nao-ws", "structure", "2");
    structure.args([
        "--preset=structure",
        "--set=strategy.structure.pretraining.steps=5",
        "--set=strategy.structure.pretraining.cells=64",
    ]);
    stdout(structure.output().unwrap());
    let round = &report(&folder.path().join("structure"))["rounds"][0];
    assert_eq!(round["proposed"], 3);
    assert!(round["proposer"]["trained_on"].as_u64() == Some(6), "{round}");
}

#[test]
fn settings_that_shared_weights_cannot_have_are_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    for (words, said) in [
        (&["--strategy", "nao-ws", "--budget", "9"][..], "sharing.finalists"),
        (&["--strategy", "nao-ws", "--set", "sharing.per_round=99"], "at most the pool"),
        (&["--strategy", "nao-ws", "--set", "sharing.norms=none"], "batch_in_cells"),
        (&["--strategy", "nao-v3"], "nao-ws, nao-v2, random-ws"),
        (&["--set", "sharing.pool=9"], "sharing"),
    ] {
        let refused = run(folder.path(), &[&["search", "--out", "run"], words].concat());
        assert_eq!(refused.status.code(), Some(2), "{words:?}");
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(message.contains(said) && message.trim().lines().count() == 1, "{words:?}: {message}");
        assert!(!folder.path().join("run").exists());
    }
}

/// In the search of ENAS the cells of the second round are those of the policy, and a killed one goes on alike.
#[test]
fn a_policy_draws_the_cells_that_are_trained() {
    let folder = tempfile::tempdir().unwrap();
    let enas = |out: &str, workers: &str| {
        let mut command = search(folder.path(), "enas", out, workers);
        command.args(["--set=sharing.policy_updates=2", "--set=sharing.per_round=6"]);
        command
    };
    let text = stdout(enas("whole", "2").output().unwrap());
    assert!(text.contains("by a policy after 2 updates"), "{text}");
    let mut child = enas("broken", "1").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let broken = folder.path().join("broken");
    let deadline = Instant::now() + Duration::from_secs(120);
    while !broken.join("supernet/round-001.json").is_file() {
        assert!(child.try_wait().unwrap().is_none() && Instant::now() < deadline, "no second round");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    stdout(run(folder.path(), &["resume", "broken"]));
    let rounds = report(&broken);
    assert_eq!(report(&folder.path().join("whole")), rounds);
    assert_eq!(best(folder.path(), "whole"), best(folder.path(), "broken"));
    let proposer = &rounds["rounds"][0]["proposer"];
    assert_eq!(proposer["updates"], 2);
    assert!((0.0..=1.0).contains(&proposer["reward"].as_f64().unwrap()), "{proposer}");
    let stored = json(&broken.join("supernet/round-002.json"));
    let drawn =
        stored["state"]["members"].as_array().unwrap().iter().filter(|member| member["in_pool"] == true);
    assert!(drawn.clone().count() > 0);
    assert!(drawn.clone().all(|member| member["origin"]["kind"] == "policy"), "{stored}");
}
