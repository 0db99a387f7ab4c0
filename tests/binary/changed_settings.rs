//! Settings of runs and trainings that change between two starts: what defines what is measured may not, the rest may.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::history::{history, search};
use crate::support::{run, stdout};
use serde_json::Value;

/// A finished search of three cells.
fn finished(folder: &Path, out: &str) -> PathBuf {
    let mut command = search(folder, out, "2");
    command.args(["--set=rounds.initial=3", "--set=rounds.budget=3", "--strategy=random"]);
    stdout(command.stderr(Stdio::piped()).output().unwrap());
    folder.join(out)
}

/// The one line of a command that was refused for its input.
fn refused(folder: &Path, words: &[&str]) -> String {
    let output = run(folder, words);
    let message = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {message}");
    assert!(message.starts_with("error: ") && message.lines().count() == 1, "{words:?}: {message}");
    message
}

/// Changes a file of settings.
fn edit(path: &Path, changes: &[(&str, &str)]) {
    let mut text = fs::read_to_string(path).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "no `{from}` in {text}");
        text = text.replacen(from, to, 1);
    }
    fs::write(path, text).unwrap();
}

/// What is put in place of what in a file, and what is said of it.
type Edit<'a> = (&'a [(&'a str, &'a str)], &'a str);

#[test]
fn a_run_whose_settings_were_edited_is_refused_field_by_field() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let run_folder = finished(path, "run");
    let before = history(&run_folder);
    let toml = run_folder.join("run.toml");
    let kept = fs::read_to_string(&toml).unwrap();
    let edits: [Edit<'_>; 7] = [
        (&[("width = 4", "width = 12")], "recipe.structure.width: 4 in the run, 12 in run.toml"),
        (&[("seed = 3", "seed = 4")], "seed: 3 in the run, 4 in run.toml"),
        (&[("nodes = 2", "nodes = 3")], "space.nodes: 2 in the run, 3 in run.toml"),
        (&[("kind = \"cnn\"", "kind = \"rnn\"")], "space.kind: \"cnn\" in the run, \"rnn\" in run.toml"),
        (
            &[("name = \"random\"", "name = \"nao\"")],
            "strategy.name: \"random\" in the run, \"nao\" in run.toml",
        ),
        (&[("per_round = 3", "per_round = 4")], "rounds.per_round: 3 in the run, 4 in run.toml"),
        (
            &[("batch = 128", "batch = 64"), ("learning_rate = 0.025", "learning_rate = 0.05")],
            "recipe.batch: 128 in the run, 64 in run.toml; recipe.learning_rate: 0.025 in the run, 0.05 in run.toml",
        ),
    ];
    for (changes, said) in edits {
        edit(&toml, changes);
        for words in [
            &["resume", "run"][..],
            &["resume", "run", "--budget", "9"],
            &["worker", "run", "--stdio"],
            &["draw", "run"],
            &["train", "--from", "run", "--dry-run"],
            &["export", "run", "--format", "json"],
        ] {
            let message = refused(path, words);
            assert!(message.contains(said), "{words:?}: {message}");
            assert!(
                message.contains("run was started with other settings than run.toml has now"),
                "{message}"
            );
        }
        fs::write(&toml, &kept).unwrap();
    }
    edit(&toml, &[("width = 4", "width = 12")]);
    let status = stdout(run(path, &["status", "run"]));
    assert!(status.contains("edited       recipe.structure.width: 4 in the run, 12 in run.toml"), "{status}");
    assert!(!status.contains("nao resume"), "{status}");
    fs::write(&toml, &kept).unwrap();
    assert_eq!(history(&run_folder), before);

    // What changes nothing about the result may.
    edit(&toml, &[("workers = 2", "workers = 1"), ("max_attempts = 10", "max_attempts = 9")]);
    stdout(run(path, &["resume", "run", "--time-limit", "500", "--device", "cpu"]));
    assert_eq!(history(&run_folder), before);
}

#[cfg(target_os = "linux")]
#[test]
fn a_search_whose_settings_are_edited_under_it_stops_and_fails_no_trial() {
    use crate::history::{MANY, count_done, wait_until};
    let folder = tempfile::tempdir().unwrap();
    let run_folder = folder.path().join("run");
    let mut command = search(folder.path(), "run", "1");
    let mut child = command.args(MANY).stderr(Stdio::piped()).spawn().unwrap();
    wait_until(&mut child, "the first result", || count_done(&run_folder) > 0);
    edit(&run_folder.join("run.toml"), &[("width = 4", "width = 12")]);
    // The next worker reads it.
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
    let worker = children.split_whitespace().next().expect("a worker is at work").to_owned();
    let signal = |name: &str| {
        assert!(std::process::Command::new("kill").args([name, &worker]).status().unwrap().success());
    };
    // Standing still, it is given a trial if it has none, which it takes along.
    signal("-STOP");
    std::thread::sleep(std::time::Duration::from_millis(500));
    signal("-KILL");
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("recipe.structure.width: 4 in the run, 12 in run.toml"), "{message}");
    assert!(message.contains("a worker refuses run, for the reason above"), "{message}");
    let failed = history(&run_folder).iter().filter(|row| row.status == "failed").count();
    assert_eq!(failed, 1, "the killed one alone");
}

#[test]
fn a_training_whose_settings_were_edited_is_refused_field_by_field() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let small = ["--set=structure.width=4", "--set=structure.cells_per_stage=1", "--epochs=1"];
    stdout(run(path, &[&["train", "--arch", "@NAONet-B", "--out", "t", "--json"][..], &small].concat()));
    let toml = path.join("t/train.toml");
    let kept = fs::read_to_string(&toml).unwrap();
    for (change, said) in [
        (("width = 4", "width = 8"), "recipe.structure.width: 4 in the run, 8 in train.toml"),
        (("seed = 1", "seed = 2"), "seed: 1 in the run, 2 in train.toml"),
        (("published = \"NAONet-B\"", "published = \"NAONet-A\""), "published: \"NAONet-B\" in the run"),
    ] {
        edit(&toml, &[change]);
        for words in [&["resume", "t"][..], &["export", "t", "--format", "json"]] {
            let message = refused(path, words);
            assert!(message.contains(said) && !message.contains("recipe.batch"), "{message}");
        }
        fs::write(&toml, &kept).unwrap();
    }
    let message = refused(path, &["resume", "t", "--epochs", "5", "--workers", "2"]);
    assert!(message.contains("execution.workers, epochs"), "{message}");

    // A folder of an earlier version has no manifest: its checkpoint says what it is of, field by field as well.
    fs::remove_file(path.join("t/manifest.json")).unwrap();
    edit(&toml, &[("batch = 32", "batch = 64")]);
    let message = refused(path, &["resume", "t"]);
    assert!(
        message.contains("another recipe (found batch 32, expected batch 64)") && !message.contains("width"),
        "{message}"
    );
    fs::write(&toml, &kept).unwrap();
    stdout(run(path, &["resume", "t"]));
}

#[test]
fn searches_that_choose_cells_first_refuse_edited_settings_and_budgets_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let relaxed = [
        "search",
        "--strategy=darts",
        "--out=relaxed",
        "--epochs=1",
        "--set=relaxed.weights.epochs=1",
        "--set=relaxed.weights.structure.width=2",
        "--set=relaxed.weights.batch=250",
        "--set=recipe.structure.width=4",
    ];
    let shared = [
        "search",
        "--strategy=random-ws",
        "--out=shared",
        "--epochs=1",
        "--nodes=2",
        "--set=sharing.rounds=1",
        "--set=sharing.pool=3",
        "--set=sharing.per_round=0",
        "--set=sharing.training.batch=100",
        "--set=sharing.finalists=1",
        "--set=sharing.training.epochs=1",
        "--set=sharing.training.structure.width=4",
        "--set=recipe.structure.width=4",
    ];
    stdout(run(path, &relaxed));
    stdout(run(path, &shared));
    for (out, change, said, budget) in [
        (
            "relaxed",
            ("batch = 250", "batch = 200"),
            "relaxed.weights.batch: 250 in the run, 200",
            "gives 1 cell",
        ),
        ("shared", ("pool = 3", "pool = 4"), "sharing.pool: 3 in the run, 4", "sharing.finalists = 1"),
    ] {
        assert!(refused(path, &["resume", out, "--budget", "5"]).contains(budget));
        let toml = path.join(out).join("run.toml");
        let kept = fs::read_to_string(&toml).unwrap();
        edit(&toml, &[change]);
        let message = refused(path, &["resume", out]);
        assert!(message.contains(said), "{message}");
        fs::write(&toml, &kept).unwrap();
        stdout(run(path, &["resume", out]));
    }
}

/// A text of sentences that follow a pattern.
fn write_text(text: &Path, sentences: usize) {
    fs::create_dir_all(text).unwrap();
    for (part, count) in [("train", sentences), ("valid", 30), ("test", 20)] {
        let line = |i: usize| format!("{} {} it", ["the cat", "a dog"][i % 2], ["sees", "hears"][i / 2 % 2]);
        let lines: Vec<String> = (0..count).map(line).collect();
        fs::write(text.join(format!("{part}.txt")), lines.join("\n")).unwrap();
    }
}

/// A search and a training that take seconds, on the text in the folder `text`.
fn on_text(path: &Path) {
    let small =
        ["--set=recipe.hidden=8", "--set=recipe.batch=4", "--set=recipe.validation_batch=2", "--epochs=1"];
    let search = ["search", "--data=text:text", "--strategy=random", "--nodes=3", "--budget=2", "--out=run"];
    stdout(run(path, &[&search[..], &small].concat()));
    let small = ["--set=hidden=8", "--set=batch=4", "--set=validation_batch=2", "--epochs=1"];
    let train = ["train", "--arch=@NAO-RNN", "--data=text:text", "--recipe=ptb-final", "--out=trained"];
    stdout(run(path, &[&train[..], &small].concat()));
}

#[test]
fn data_that_moved_is_taken_where_it_is_the_same_and_refused_where_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_text(&path.join("text"), 60);
    on_text(path);
    fs::rename(path.join("text"), path.join("moved")).unwrap();
    write_text(&path.join("other"), 61);
    for out in ["run", "trained"] {
        let message = refused(path, &["resume", out]);
        assert!(
            message.contains(&format!("where it has moved:  nao resume {out} --data text:DIR")),
            "{message}"
        );
        let message = refused(path, &["resume", out, "--data", "text:other"]);
        let said = format!("are not those that {out} was started with");
        assert!(message.contains(&said) && message.contains("words of text:"), "{message}");
        assert!(refused(path, &["resume", out]).contains("where it has moved"), "a refusal changes nothing");
        stdout(run(path, &["resume", out, "--data", "text:moved"]));
        // Workers and later starts know the new place.
        stdout(run(path, &["resume", out]));
    }
    let resumed = run(path, &["resume", "run", "--budget", "3", "--json"]);
    let best: Value = serde_json::from_str(&stdout(resumed)).unwrap();
    assert_eq!(best.as_array().unwrap().len(), 3, "a worker has read the data: {best}");
    stdout(run(path, &["export", "trained", "--format", "json"]));
}

/// A copy of a folder of version 0.1.
fn of_version_0_1(name: &str, to: &Path) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/run-folders/v0.1").join(name);
    let copy = to.join(name);
    copy_folder(&from, &copy);
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let copy = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy_folder(&entry.path(), &copy),
            false => drop(fs::copy(entry.path(), copy).unwrap()),
        }
    }
}

#[test]
fn folders_of_version_0_1_are_read_and_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let said = |words: &[&str]| {
        let output = run(path, words);
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words:?}: {messages}");
        (String::from_utf8(output.stdout).unwrap(), messages)
    };
    for (name, done, budget) in [("finished", 5, 5), ("interrupted", 4, 8)] {
        let run_folder = of_version_0_1(name, path);
        let before = history(&run_folder);
        let (status, _) = said(&["status", name]);
        assert!(status.contains(&format!("{done} of {budget} trials done")), "{status}");
        assert_eq!(status.contains("nao resume"), done < budget, "{status}");
        let (best, _) = said(&["best", name, "--top", "9", "--json"]);
        assert_eq!(serde_json::from_str::<Value>(&best).unwrap().as_array().unwrap().len(), done);
        assert!(said(&["draw", name]).0.contains("<svg"));
        assert_eq!(history(&run_folder), before, "looking changes nothing");

        let (_, messages) = said(&["resume", name]);
        assert!(messages.contains("was started by a nao that kept no settings"), "{messages}");
        let after = history(&run_folder);
        assert_eq!(after.len(), budget);
        let kept = before.iter().filter(|row| row.status == "done");
        assert!(kept.clone().count() == done && kept.clone().all(|row| after.contains(row)), "{after:#?}");
        let (_, messages) = said(&["resume", name, "--budget", "9"]);
        assert!(!messages.contains("kept no settings"), "{messages}");
        // Scores of before and after rank together. The controller of the finished run may find nothing new.
        let rows = history(&run_folder).len();
        assert!(rows == 9 || name == "finished", "{rows} trials");
        let (best, messages) = said(&["best", name, "--top", "9", "--json"]);
        assert_eq!(
            serde_json::from_str::<Value>(&best).unwrap().as_array().unwrap().len(),
            rows,
            "{messages}"
        );
        edit(&run_folder.join("run.toml"), &[("width = 4", "width = 12")]);
        assert!(
            refused(path, &["resume", name]).contains("recipe.structure.width: 4 in the run, 12 in run.toml")
        );
    }
    of_version_0_1("training", path);
    let (result, _) = said(&["resume", "training", "--json"]);
    assert!(serde_json::from_str::<Value>(&result).unwrap()["value"].as_f64().unwrap() > 0.0);
}

#[test]
fn what_a_run_of_version_0_1_has_measured_shows_that_its_settings_were_edited() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let run_folder = of_version_0_1("interrupted", path);
    let toml = run_folder.join("run.toml");
    let kept = fs::read_to_string(&toml).unwrap();
    let before = history(&run_folder);
    for (change, said) in [
        (("width = 4", "width = 12"), "parameters of trial 1: "),
        (("seed = 3", "seed = 4"), "seed: 3 in the run, 4 in run.toml"),
        (("\nepochs = 1\n", "\nepochs = 2\n"), "recipe.epochs: 1 in the run, 2 in run.toml"),
        (("nodes = 2", "nodes = 3"), "the space differs from that of the run"),
    ] {
        edit(&toml, &[change]);
        let message = refused(path, &["resume", "interrupted"]);
        assert!(message.contains(said), "{message}");
        fs::write(&toml, &kept).unwrap();
    }
    assert_eq!(history(&run_folder), before);
    // What was refused was not kept.
    stdout(run(path, &["resume", "interrupted"]));
}
