//! How the real program ends that is told to: soon, quietly, with what is done kept, whatever it is at.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::history::{history, wait_until};
use crate::support::{nao, run, stdout, timed};

/// What a command may take to end. It ends within two seconds of a machine that has a core for it; here others want the
/// cores as well.
const SOON: Duration = Duration::from_secs(6);

/// A search whose space would be learned for hours.
const LEARNING: &[&str] = &[
    "search",
    "--out=run",
    "--workers=1",
    "--nodes=2",
    "--budget=4",
    "--initial=2",
    "--per-round=2",
    "--epochs=1",
    "--set=recipe.structure.width=4",
    "--set=recipe.structure.cells_per_stage=1",
    "--set=strategy.preset=structure",
    "--set=strategy.structure.pretraining.steps=10000000",
    "--set=strategy.structure.pretraining.cells=300",
    "--set=strategy.structure.pretraining.feature_samples=100",
];

fn begin(folder: &Path, words: &[&str]) -> Child {
    nao(folder).args(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn send(child: &Child, signal: &str) {
    let told = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(told.success(), "it has ended already");
}

/// Waits for a child that was told to end.
fn ended(mut child: Child, what: &str) -> Output {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > SOON {
            child.kill().unwrap();
            panic!("{what} goes on: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

/// It ended because it was told to, and says so in lines without a panic.
fn check_stopped(output: &Output, what: &str) -> String {
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{what}: {message}");
    assert!(message.contains("stop") && !message.contains("panic"), "{what}: {message}");
    message
}

#[test]
fn a_search_stops_while_its_space_is_learned() {
    let _timed = timed();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for signal in ["-TERM", "-INT", "-HUP"] {
        let _ = fs::remove_dir_all(folder.join("run"));
        let mut child = begin(folder, LEARNING);
        wait_until(&mut child, "a run folder", || folder.join("run/lock").is_file());
        std::thread::sleep(Duration::from_millis(500));
        send(&child, signal);
        let message = check_stopped(&ended(child, signal), signal);
        assert!(message.contains("nao resume run"), "{message}");
        // Nothing half-written stays, and no process holds the run.
        let left = fs::read_dir(folder.join("run/controller")).unwrap().count();
        assert_eq!(left, 0, "{signal}");
        assert!(stdout(run(folder, &["status", "run"])).contains("nao resume"));
    }
}

#[test]
fn an_ignored_hang_up_stays_ignored() {
    let _timed = timed();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for words in [LEARNING, &["worker", "run", "--idle=1000"]] {
        let mut command = Command::new("sh");
        command.current_dir(folder).env("NAO_CACHE", folder.join("cache")).arg0("sh");
        command.args(["-c", "trap '' HUP; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_nao")]).args(words);
        let mut child =
            command.stdin(Stdio::null()).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        wait_until(&mut child, "a run folder", || folder.join("run/lock").is_file());
        std::thread::sleep(Duration::from_secs(1));
        send(&child, "-HUP");
        std::thread::sleep(Duration::from_secs(1));
        assert!(child.try_wait().unwrap().is_none(), "{words:?} ended of an ignored SIGHUP");
        send(&child, "-TERM");
        ended(child, "after SIGTERM");
    }
}

/// Commands that keep nothing on the way: they end where they are.
#[test]
fn every_long_command_stops_soon() {
    let _timed = timed();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let drawn = stdout(run(folder, &["space", "sample", "--space=nasbench201", "-n", "1500"]));
    let rows = drawn.lines().enumerate().map(|(score, cell)| format!("{cell},{}\n", (score * 7919) % 1009));
    fs::write(folder.join("scores.csv"), format!("architecture,score\n{}", rows.collect::<String>()))
        .unwrap();
    let fit = [
        "fit",
        "scores.csv",
        "--space=nasbench201",
        "--score=score",
        "--direction=maximize",
        "--unit=points",
    ];
    for words in [
        &[&fit[..], &["--labels=800", "--splits=1000", "-o", "predictor.json"]].concat()[..],
        &["bench", "--strategies=evolution,random", "--seeds=100000"],
        &["simulate", "--trials=10000000", "--slots=1000"],
        &["space", "sample", "-n", "100000000000"],
    ] {
        for signal in ["-TERM", "-INT"] {
            let temporary = folder.join("temporary");
            fs::create_dir_all(&temporary).unwrap();
            let mut command = nao(folder);
            command.args(words).env("TMPDIR", &temporary);
            let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(1_500));
            send(&child, signal);
            check_stopped(&ended(child, words[0]), words[0]);
            assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "{words:?} leaves something");
            assert!(!folder.join("predictor.json").exists());
        }
    }
}

/// Strategies that are done are printed, though others are not.
#[test]
fn a_bench_that_is_stopped_shows_what_is_done() {
    let _timed = timed();
    let folder = tempfile::tempdir().unwrap();
    let words = [
        "bench",
        "--strategies=random,nao:v1",
        "--seeds=2",
        "--budget=100",
        "--controller-epochs=100000",
        "--json",
    ];
    let stopped_after = |seconds: u64| {
        let child = begin(folder.path(), &words);
        std::thread::sleep(Duration::from_secs(seconds));
        send(&child, "-TERM");
        let output = ended(child, "bench");
        check_stopped(&output, "bench");
        output
    };
    // The first strategy takes a moment, the second hours.
    let output =
        [2, 8, 32, 64].into_iter().map(stopped_after).find(|output| !output.stdout.is_empty()).unwrap();
    let done: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((done.as_array().unwrap().len(), &done[0]["strategy"]), (1, &"random".into()));
}

/// A training with one long epoch, of which every batch counts.
const TRAINING: &[&str] = &[
    "train",
    "--arch=@NAONet-A",
    "--epochs=1",
    "--set=structure.width=4",
    "--set=structure.cells_per_stage=1",
    "--set=batch=2",
];

#[test]
fn a_training_that_is_stopped_keeps_its_batches() {
    let _timed = timed();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    stdout(run(folder, &[TRAINING, &["--out=whole"]].concat()));
    let mut child = begin(folder, &[TRAINING, &["--out=broken"]].concat());
    wait_until(&mut child, "a folder", || folder.join("broken/train.toml").is_file());
    std::thread::sleep(Duration::from_millis(400));
    send(&child, "-TERM");
    let message = check_stopped(&ended(child, "train"), "train");
    assert!(message.contains("nao resume broken"), "{message}");
    assert!(folder.join("broken/checkpoint.safetensors").is_file(), "its batches are lost");
    stdout(run(folder, &["resume", "broken"]));
    let result = |out: &str| fs::read_to_string(folder.join(out).join("curve.json")).unwrap();
    assert_eq!(result("whole"), result("broken"));
}

/// The children of a search on this machine.
#[test]
fn children_of_a_search_that_is_stopped_keep_their_batches() {
    let _timed = timed();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let words = |out: &'static str| {
        let cells =
            ["--nodes=2", "--set=recipe.structure.width=4", "--set=recipe.structure.cells_per_stage=1"];
        let one = [
            "search",
            "--strategy=random",
            "--workers=1",
            "--budget=1",
            "--epochs=60",
            "--set=recipe.batch=16",
        ];
        [&one[..], &cells, &["--out", out]].concat()
    };
    stdout(run(folder, &words("whole")));
    let mut child = begin(folder, &words("run"));
    wait_until(&mut child, "a trial at work", || folder.join("run/children/1/epochs.jsonl").is_file());
    send(&child, "-TERM");
    check_stopped(&ended(child, "search"), "search");
    assert!(
        folder.join("run/children/1/checkpoint.safetensors").is_file(),
        "the batches of the trial are lost"
    );
    stdout(run(folder, &["resume", "run"]));
    assert_eq!(history(&folder.join("whole")), history(&folder.join("run")));
}

/// Searches before which weights of all cells, or mixtures, are learned.
#[test]
fn shared_and_relaxed_steps_are_kept_when_a_search_is_stopped() {
    let _timed = timed();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let shared = [
        "--strategy=random-ws",
        "--nodes=2",
        "--set=sharing.rounds=2",
        "--set=sharing.pool=4",
        "--set=sharing.per_round=0",
        "--set=sharing.finalists=1",
        "--set=sharing.training.epochs=3",
        "--set=sharing.training.batch=16",
        "--set=sharing.training.structure.width=4",
    ];
    let relaxed = [
        "--strategy=darts",
        "--set=relaxed.weights.epochs=1",
        "--set=relaxed.weights.cosine_epochs=1",
        "--set=relaxed.weights.structure.width=2",
        "--set=relaxed.weights.batch=50",
    ];
    let alone = [
        "search",
        "--epochs=1",
        "--seed=3",
        "--workers=1",
        "--set=recipe.structure.width=4",
        "--set=recipe.batch=128",
    ];
    for (words, kept, report) in [
        (&shared[..], "supernet/round-000.part.json", "supernet/report.json"),
        (&relaxed[..], "relaxed/search.safetensors", "relaxed/report.json"),
    ] {
        let out = |name: &str| format!("{}-{name}", words[0].trim_start_matches("--strategy="));
        let begun = Instant::now();
        stdout(run(folder, &[&alone, words, &["--out", &out("whole")]].concat()));
        let whole = begun.elapsed();
        let broken = folder.join(out("broken"));
        let mut child = begin(folder, &[&alone, words, &["--out", &out("broken")]].concat());
        wait_until(&mut child, "a run folder", || broken.join("lock").is_file());
        std::thread::sleep((whole / 8).min(Duration::from_secs(3)));
        send(&child, "-TERM");
        check_stopped(&ended(child, words[0]), words[0]);
        assert!(broken.join(kept).is_file(), "{words:?}: its steps are lost");
        assert!(!broken.join(report).exists(), "{words:?} was done already");
        stdout(run(folder, &["resume", &out("broken")]));
        let report_of = |run: &Path| {
            let text = fs::read_to_string(run.join(report)).unwrap();
            let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
            for round in value["rounds"].as_array_mut().into_iter().flatten() {
                round.as_object_mut().unwrap().remove("seconds");
            }
            value
        };
        assert_eq!(report_of(&folder.join(out("whole"))), report_of(&broken));
        assert!(!broken.join(kept).exists() || kept.ends_with(".safetensors"));
    }
}

/// A second Ctrl-C does not wait for a border.
#[test]
fn a_second_interrupt_ends_at_once() {
    let _timed = timed();
    let folder = tempfile::tempdir().unwrap();
    let mut words = TRAINING.to_vec();
    // A batch of the whole data takes long.
    words.retain(|word| !word.contains("batch"));
    words.extend(["--set=batch=1200", "--set=structure.width=64", "--out=slow"]);
    let mut child = begin(folder.path(), &words);
    wait_until(&mut child, "a folder", || folder.path().join("slow/train.toml").is_file());
    std::thread::sleep(Duration::from_millis(1_000));
    send(&child, "-INT");
    std::thread::sleep(Duration::from_millis(300));
    if child.try_wait().unwrap().is_none() {
        send(&child, "-INT");
    }
    check_stopped(&ended(child, "the second Ctrl-C"), "train");
}
