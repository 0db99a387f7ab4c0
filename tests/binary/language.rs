//! Recurrent cells in the real program: searched, trained, drawn and exported on a small text.

use std::fs;
use std::path::Path;

use crate::support::{run, stdout};
use rusqlite::Connection;
use serde_json::Value;

/// A search that takes seconds.
pub const TINY: &[&str] = &[
    "--set=recipe.hidden=8",
    "--set=recipe.epochs=2",
    "--set=recipe.batch=4",
    "--set=recipe.validation_batch=2",
    "--set=recipe.segment=10",
    "--set=recipe.learning_rate=5",
    "--set=space.nodes=3",
    "--set=rounds.initial=4",
    "--set=rounds.per_round=3",
    "--set=rounds.budget=10",
    "--seed=3",
];

/// A small `nao` strategy with a controller of the authors' kind.
const CONTROLLER: &[&str] = &[
    "--preset=rnn-ws",
    "--set=strategy.nao.seeds=3",
    "--set=strategy.nao.controller.epochs=5",
    "--set=strategy.nao.controller.hidden=16",
    "--set=strategy.nao.controller.embedding=8",
];

/// A text of sentences that follow a pattern, in the folder `text`.
pub fn write_text(folder: &Path) {
    let text = folder.join("text");
    fs::create_dir(&text).unwrap();
    let sentence = |i: usize| {
        let (who, what) = (["the cat", "a dog", "some bird"][i % 3], ["sees", "hears"][i / 3 % 2]);
        format!("{who} {what} {}", ["the tree", "a stone", "some water", "nothing"][i * i % 4])
    };
    for (part, sentences) in [("train", 120), ("valid", 30), ("test", 20)] {
        let lines: Vec<String> = (0..sentences).map(sentence).collect();
        fs::write(text.join(format!("small.{part}.txt")), lines.join("\n")).unwrap();
    }
}

fn json(folder: &Path, words: &[&str]) -> Value {
    serde_json::from_str(&stdout(run(folder, words))).expect("valid JSON")
}

fn refused(folder: &Path, words: &[&str]) -> String {
    let output = run(folder, words);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{words:?}: {message}");
    message
}

/// Everything of a history but wall time and memory.
fn history(run: &Path) -> Vec<(String, String, f64)> {
    let store = Connection::open(run.join("trials.sqlite")).unwrap();
    let mut statement = store.prepare("SELECT arch, origin, measurement FROM trials ORDER BY id").unwrap();
    let rows = statement.query_map([], |row| {
        let measurement: Value = serde_json::from_str(&row.get::<_, String>(2)?).unwrap();
        Ok((row.get(0)?, row.get(1)?, measurement["value"].as_f64().unwrap()))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_search_minimises_perplexity_whatever_the_number_of_workers() {
    let folder = tempfile::tempdir().unwrap();
    write_text(folder.path());
    let search = |out: &str, workers: &str| {
        let words = [&["search", "--space", "rnn", "--data", "text:text"], TINY, CONTROLLER].concat();
        stdout(run(folder.path(), &[&words[..], &["--out", out, "--workers", workers]].concat()))
    };
    let said = search("one", "1");
    assert!(said.contains("perplexity") && !said.contains("accuracy"), "{said}");
    search("two", "2");
    let trials = history(&folder.path().join("one"));
    assert_eq!(trials, history(&folder.path().join("two")));
    assert_eq!(trials.len(), 10);
    assert!(trials.iter().any(|(_, origin, _)| origin.contains("ascent")), "{trials:?}");

    let best = json(folder.path(), &["best", "one", "--top", "10", "--json"]);
    let best = best.as_array().unwrap();
    let values: Vec<f64> = best.iter().map(|entry| entry["objective"]["value"].as_f64().unwrap()).collect();
    assert!(values.is_sorted(), "{values:?}");
    // A model that knows nothing but the number of words would be perplexed by 18.
    assert!(values[0] > 1.0 && values[0] < 15.0, "{values:?}");
    assert_eq!(best[0]["objective"]["name"], "perplexity");
    assert_eq!(best[0]["objective"]["direction"], "minimize");
    // The cells that were moved are the best of those known, which are the least perplexed.
    let first: Vec<f64> = trials[..4].iter().map(|(_, _, value)| *value).collect();
    let least = first.iter().copied().fold(f64::INFINITY, f64::min);
    let parents = trials[4..7]
        .iter()
        .filter_map(|(_, origin, _)| serde_json::from_str::<Value>(origin).unwrap()["parent"].as_u64());
    let of_best = parents.filter(|&parent| first[parent as usize - 1] == least).count();
    assert!(of_best > 0, "{trials:?}");

    let vocabulary = fs::read_to_string(folder.path().join("one/vocabulary.txt")).unwrap();
    assert!(vocabulary.starts_with("the\ncat\nsees\n"), "{vocabulary}");
    assert!(fs::read_to_string(folder.path().join("one/best.svg")).unwrap().contains("perplexity"));
    stdout(run(folder.path(), &["draw", "one", "-o", "cell.svg"]));
    assert!(fs::read_to_string(folder.path().join("cell.svg")).unwrap().contains("h[t-1]"));
    assert_eq!(json(folder.path(), &["export", "one", "--format", "json"])["skeleton"]["hidden"], 8);

    // A finished search resumes to itself; one of a changed text does not.
    stdout(run(folder.path(), &["resume", "one"]));
    assert!(refused(folder.path(), &["resume", "one", "--epochs", "3"]).contains("recipe.epochs"));
    let test = folder.path().join("text/small.test.txt");
    fs::write(&test, "the cat sees a tree").unwrap();
    assert!(refused(folder.path(), &["resume", "one"]).contains("words of text:"));
    fs::write(&test, "the cat sees\nan elephant").unwrap();
    let unknown = refused(folder.path(), &["resume", "one"]);
    assert!(unknown.contains("line 2: `an` is not in the vocabulary"), "{unknown}");
}

#[test]
fn every_strategy_searches_recurrent_cells() {
    let folder = tempfile::tempdir().unwrap();
    write_text(folder.path());
    let rivals = ["random", "evolution", "evolution:non-aging", "hier-ea", "local", "linear"];
    for strategy in rivals.into_iter().chain(["reinforce", "ppo:short", "pnas"]) {
        let words = [&["search", "--data", "text:text", "--strategy", strategy, "--json"], TINY].concat();
        let best = json(folder.path(), &[&words[..], &["--out", strategy]].concat());
        assert_eq!(best[0]["objective"]["name"], "perplexity", "{strategy}");
        assert_eq!(history(&folder.path().join(strategy)).len(), 10, "{strategy}");
    }
}

#[test]
fn a_cell_is_trained_to_the_end_goes_on_and_goes_home() {
    let folder = tempfile::tempdir().unwrap();
    write_text(folder.path());
    let small = ["--set=hidden=8", "--set=batch=4", "--set=validation_batch=2", "--epochs", "3"];
    let train = |arch: &str, out: &str| {
        let words = ["train", "--arch", arch, "--recipe", "ptb-final", "--data", "text:text", "--out", out];
        json(folder.path(), &[&words[..], &small, &["--json"]].concat())
    };
    let result = train("@NAO-RNN", "trained");
    assert_eq!(
        (&result["objective"]["name"], &result["objective"]["split"]),
        (&"perplexity".into(), &"test".into())
    );
    assert!(result["value"].as_f64().unwrap() > 1.0);
    assert!(result["validation_value"].as_f64().unwrap() > 1.0);
    assert!(!result.to_string().contains("accuracy"), "{result}");
    // Going on from the end gives the same result once more.
    assert_eq!(json(folder.path(), &["resume", "trained", "--json"]), result);
    // The published cell of ENAS averages other states, so it is another model.
    stdout(run(folder.path(), &["draw", "@ENAS-RNN", "--format", "json", "-o", "enas.json"]));
    assert_ne!(train("@ENAS-RNN", "enas")["value"], train("enas.json", "enas-all")["value"]);

    let described = json(folder.path(), &["export", "trained", "--format", "json"]);
    assert_eq!(described["format"], "nao-language-model");
    assert_eq!(described["cost"]["params"], result["params"]);
    assert_eq!(described["tensors"][0]["name"], "encoder.weight");
    stdout(run(folder.path(), &["export", "trained", "--format", "safetensors", "-o", "model.safetensors"]));
    assert!(fs::metadata(folder.path().join("model.safetensors")).unwrap().len() > 1000);
}

#[test]
fn a_dry_run_prints_every_published_value() {
    let folder = tempfile::tempdir().unwrap();
    let text = stdout(run(folder.path(), &["train", "--recipe", "ptb-final", "--dry-run"]));
    for line in [
        "hidden = 850",
        "epochs = 4000",
        "batch = 64",
        "learning_rate = 20.0",
        "clip = 0.25",
        "weight_decay = 0.0000008",
        "activation_penalty = 0.0",
        "temporal_penalty = 0.001",
        "segment = 35",
        "halved = 0.05",
        "jitter = 5.0",
        "shortest = 5",
        "longest = 55",
        "patience = 5",
        "validation_batch = 10",
        "test_batch = 1",
        "word = 0.0",
        "input = 0.2",
        "x = 0.75",
        "hidden = 0.25",
        "output = 0.75",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in {text}");
    }
    let of_cell = ["train", "--arch", "@NAO-RNN", "--recipe", "wt2-final", "--dry-run"];
    let text = stdout(run(folder.path(), &of_cell));
    assert!(text.contains("published = \"NAO-RNN\"") && text.contains("hidden = 700"), "{text}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn texts_and_settings_that_cannot_be_are_refused_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    write_text(folder.path());
    let search = |words: &[&str]| refused(folder.path(), &[&["search", "--out", "run"], words].concat());
    assert!(search(&["--space", "rnn"]).contains("--data text:DIR"));
    assert!(search(&["--space", "rnn", "--data", "digits"]).contains("--data text:DIR"));
    assert!(search(&["--space", "cnn", "--data", "text:text"]).contains("--space rnn"));
    assert!(search(&["--data", "text:none"]).contains("none"));
    assert!(search(&["--data", "text:text", "--order", "alphabetic"]).contains("nao-ws"));
    assert!(search(&["--data", "text:text", "--ops", "enas-5"]).contains("ops"));
    assert!(search(&["--data", "text:text", "--nodes", "65"]).contains("65"));
    assert!(search(&["--data", "text:text", "--recipe", "digits"]).contains("ptb-search"));
    assert!(search(&["--data", "text:text", "--set", "recipe.dropouts.x=1"]).contains("dropouts.x"));
    assert!(search(&["--data", "text:text", "--set", "recipe.batch=5000"]).contains("too few"));
    assert!(refused(folder.path(), &["train", "--arch", "@NAO-RNN"]).contains("--data text:DIR"));
    assert!(refused(folder.path(), &["train", "--arch", "@NAO-LSTM"]).contains("NAO-RNN"));
    assert!(refused(folder.path(), &["draw", "0 1 1", "--space", "rnn"]).contains("22 numbers"));

    fs::write(folder.path().join("text/small.test.txt"), " \n").unwrap();
    assert!(search(&["--data", "text:text"]).contains("small.test.txt: the file is empty"));
    fs::remove_file(folder.path().join("text/small.test.txt")).unwrap();
    assert!(search(&["--data", "text:text"]).contains("no test text"));
    fs::write(folder.path().join("text/small.test.txt.gz"), "no gzip").unwrap();
    assert!(search(&["--data", "text:text"]).contains("cannot be unpacked"));
    assert!(!folder.path().join("run").exists());
}
