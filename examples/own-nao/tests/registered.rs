//! What a program registers is there wherever names are: in help texts, messages, searches, contests and commands.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_own-nao"));
    command.current_dir(folder).env("NAO_CACHE", folder.join("cache")).env_remove("NAO_LOG");
    command.args(words).output().expect("own-nao starts")
}

fn stdout(folder: &Path, words: &[&str]) -> String {
    let output = run(folder, words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(folder: &Path, words: &[&str]) -> String {
    let output = run(folder, words);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), message.trim().lines().count()), (Some(2), 1), "{words:?}: {message}");
    message
}

/// A help text without its line breaks.
fn help(folder: &Path, command: &[&str]) -> String {
    stdout(folder, &[command, &["--help"]].concat()).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_strategy_is_in_help_messages_search_and_bench() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for command in ["search", "bench"] {
        assert!(
            help(path, &[command]).contains("climb mutations of the best architecture so far"),
            "{command}"
        );
    }
    assert!(refused(path, &["search", "--strategy=?"]).contains("climb"));
    assert!(refused(path, &["bench", "--strategies=?"]).contains("climb"));
    assert!(
        refused(path, &["search", "--strategy=climb", "--set=strategy.elsewhere=many"]).contains("elsewhere")
    );
    assert!(refused(path, &["search", "--strategy=climb", "--set=strategy.elsewere=2"]).contains("elsewere"));

    let settings = ["search", "--strategy=climb", "--set=strategy.elsewhere=3", "--recipe=glance"];
    let printed = stdout(path, &[&settings[..], &["--dry-run"]].concat());
    assert!(printed.contains("[strategy]\nname = \"climb\"\nelsewhere = 3\n"), "{printed}");
    fs::write(path.join("climb.toml"), &printed).unwrap();
    assert_eq!(stdout(path, &["search", "--config=climb.toml", "--dry-run"]), printed);

    let rounds = ["--initial=2", "--per-round=2", "--budget=4", "--nodes=2", "--out=run"];
    stdout(path, &[&settings[..], &rounds].concat());
    let best = stdout(path, &["best", "run", "--json"]);
    assert!(best.contains("glance"), "{best}");
    assert!(stdout(path, &["resume", "run", "--budget=5"]).contains("5"), "it goes on from its own state");

    let bench = ["bench", "--strategies=climb", "--seeds=2", "--budget=30", "--json"];
    let results = stdout(path, &bench);
    assert!(results.contains("\"strategy\": \"climb\""), "{results}");
}

#[test]
fn a_recipe_is_in_help_messages_search_and_train() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for command in ["search", "train"] {
        assert!(help(path, &[command]).contains("glance"), "{command}");
    }
    assert!(refused(path, &["search", "--recipe=?", "--dry-run"]).contains("glance"));
    let printed = stdout(path, &["train", "--recipe=glance", "--dry-run"]);
    assert!(printed.contains("name = \"glance\"") && printed.contains("epochs = 1\n"), "{printed}");
}

#[test]
fn a_space_is_in_every_command_that_takes_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for command in [&["space", "sample"][..], &["draw"], &["fit"], &["benchmark", "check"]] {
        assert!(help(path, command).contains("choice:FILE, filters"), "{command:?}");
    }
    assert!(refused(path, &["space", "describe", "--space=?"]).contains("filters"));
    let space = "--space=filters";
    assert!(stdout(path, &["space", "describe", space]).contains("filters/4"));
    let sample = stdout(path, &["space", "sample", "-n=12", space]);
    let chains: Vec<&str> = sample.lines().collect();
    assert_eq!(chains.len(), 12);
    let tokens = stdout(path, &["space", "encode", chains[0], space]);
    assert_eq!(stdout(path, &["space", "decode", tokens.trim(), space]).trim(), chains[0]);
    let svg = stdout(path, &["draw", chains[0], space]);
    assert!(svg.starts_with("<svg") && svg.contains("step 4"), "{svg}");

    let score = |chain: &str| chain.matches("smooth").count() * 3 + chain.matches("comb").count();
    let rows: String = chains.iter().map(|chain| format!("{chain},{}\n", score(chain))).collect();
    fs::write(path.join("pairs.csv"), format!("architecture,score\n{rows}")).unwrap();
    let fit = ["fit", "pairs.csv", space, "--direction=maximize", "--unit=points", "--splits=1"];
    stdout(path, &[&fit[..], &["--output=predictor.json"]].concat());
    fs::write(path.join("asked.txt"), chains[..3].join("\n")).unwrap();
    let predicted = stdout(path, &["predict", "predictor.json", "asked.txt", "--json"]);
    assert!(predicted.contains(chains[0]), "{predicted}");

    let schema = "name = 'filters'\narchitecture = ['architecture']\nobjective = 'score'\ndirection = 'maximize'\n\
                  unit = 'points'\n[[labels]]\ncolumn = 'score'\nlabel = { dataset = 'signal', split = 'test', epochs = 1, run = 'average' }\n";
    fs::write(path.join("schema.toml"), schema).unwrap();
    let checked = run(path, &["benchmark", "check", "pairs.csv", space, "--schema=schema.toml"]);
    let said =
        String::from_utf8_lossy(&checked.stdout).into_owned() + &String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && said.contains("rows of filters/4"), "{said}");
}
