//! The small commands of the real program, as a user and as a script would call them.

mod support;

use serde_json::Value;
use support::{run, stdout};

const NAONET_A: &str =
    "0 7 1 15 2 8 1 7 0 6 1 7 0 8 4 7 1 5 0 7 0 7 1 13 0 6 0 14 0 9 1 10 0 14 2 6 1 11 0 7";

fn json(folder: &std::path::Path, words: &[&str]) -> Value {
    serde_json::from_str(&stdout(run(folder, words))).expect("valid JSON")
}

#[test]
fn the_zoo_counts_what_the_authors_count() {
    let folder = tempfile::tempdir().unwrap();
    let entry = json(folder.path(), &["zoo", "NAONet-A", "--json"]);
    assert_eq!(entry["params"], 11_470_150);
    assert_eq!(entry["params_with_auxiliary"], 11_946_576);
    assert_eq!(entry["architecture"], NAONET_A);
    assert_eq!(entry["skeleton"]["cells_per_stage"], 6);
    assert!(entry["macs"].as_u64().unwrap() > 1_000_000_000);
    assert!(entry["published"].as_array().is_some_and(|figures| !figures.is_empty()));
    let all = json(folder.path(), &["zoo", "--json"]);
    assert_eq!(all.as_array().unwrap().len(), 20);
    let nasnet = all.as_array().unwrap().iter().find(|entry| entry["name"] == "NASNet-A").unwrap();
    assert_eq!(nasnet["params"], 3_346_538);
}

#[test]
fn tokens_text_and_json_lead_back_to_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = stdout(run(folder.path(), &["space", "encode", NAONET_A]));
    assert_eq!(tokens.split_whitespace().count(), 40);
    assert_eq!(stdout(run(folder.path(), &["space", "decode", tokens.trim()])).trim(), NAONET_A);
    assert_eq!(
        stdout(run(folder.path(), &["space", "decode", &tokens.trim().replace(' ', ",")])).trim(),
        NAONET_A
    );

    stdout(run(folder.path(), &["draw", NAONET_A, "--format", "json", "-o", "cell.json"]));
    let check = json(folder.path(), &["space", "check", "cell.json", "--json"]);
    assert_eq!(check["architecture"], NAONET_A);
    assert_eq!(check["loose_ends"]["normal"], serde_json::json!([3, 5, 6]));
}

#[test]
fn samples_follow_the_seed() {
    let folder = tempfile::tempdir().unwrap();
    let sample = |seed| stdout(run(folder.path(), &["space", "sample", "-n", "3", "--seed", seed]));
    assert_eq!(sample("5"), sample("5"));
    assert_ne!(sample("5"), sample("6"));
    assert_eq!(sample("5").lines().count(), 3);
}

#[test]
fn the_space_is_described_for_people_and_programs() {
    let folder = tempfile::tempdir().unwrap();
    let text = stdout(run(folder.path(), &["space", "describe"]));
    assert!(text.contains("conv_1x7_7x1") && text.contains("avg pool 5x5"), "{text}");
    let space = json(folder.path(), &["space", "describe", "--ops", "enas-5", "--json"]);
    assert_eq!(space["vocabulary"].as_array().unwrap().len(), 12);
    assert_eq!(space["operations"][0]["name"], "sep_conv_3x3");
}

#[test]
fn a_drawing_is_svg_or_dot() {
    let folder = tempfile::tempdir().unwrap();
    stdout(run(folder.path(), &["draw", "@NAONet-A", "--format", "svg", "-o", "cell.svg"]));
    let svg = std::fs::read_to_string(folder.path().join("cell.svg")).unwrap();
    assert!(svg.starts_with("<svg") || svg.starts_with("<?xml"), "{}", &svg[..80]);
    assert!(svg.contains("NAONet-A") && svg.trim_end().ends_with("</svg>"));
    let dot = stdout(run(folder.path(), &["draw", "@NAONet-B", "--format", "dot"]));
    assert!(dot.contains("digraph"), "{dot}");
}

#[test]
fn a_dry_run_prints_a_configuration_that_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        stdout(run(folder.path(), &["search", "--dry-run", "--seed", "9", "--set", "recipe.epochs=3"]));
    assert!(text.contains("seed = 9") && text.contains("epochs = 3"), "{text}");
    std::fs::write(folder.path().join("my.toml"), &text).unwrap();
    assert_eq!(stdout(run(folder.path(), &["search", "--dry-run", "--config", "my.toml"])), text);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a dry run writes nothing");
}

#[test]
fn a_search_is_ranked_drawn_and_trained_from_its_folder_alone() {
    let folder = tempfile::tempdir().unwrap();
    let tiny = [
        "--set=recipe.structure.width=4",
        "--set=recipe.structure.cells_per_stage=1",
        "--epochs=1",
        "--nodes=2",
    ];
    let rounds = ["--initial=3", "--per-round=1", "--budget=3", "--strategy=random", "--out=run"];
    let text = stdout(run(folder.path(), &[&["search"], &tiny[..], &rounds[..]].concat()));
    assert!(text.contains("nao train --from run --rank 1"), "{text}");
    assert!(text.contains("validation") && text.contains("digits, 1 epochs"), "{text}");
    assert!(folder.path().join("run/best.svg").is_file());

    let best = json(folder.path(), &["best", "run", "--top", "3", "--json"]);
    let best = best.as_array().unwrap();
    assert_eq!(best.len(), 3);
    for (index, entry) in best.iter().enumerate() {
        assert_eq!(entry["rank"], index as u64 + 1);
        assert_eq!(entry["objective"]["name"], "accuracy");
        assert_eq!(entry["objective"]["direction"], "maximize");
        assert_eq!(entry["objective"]["unit"], "fraction");
        assert_eq!(entry["objective"]["split"], "validation");
        assert_eq!(entry["fidelity"]["epochs"], 1);
        assert_eq!(entry["origin"], serde_json::json!({"kind": "random", "parent": null, "step": null}));
        assert!(entry["params"].as_u64().unwrap() > 0 && entry["macs"].as_u64().unwrap() > 0);
        assert!(entry["trial"].is_u64() && entry["architecture"].is_string());
    }
    let values: Vec<f64> = best.iter().map(|entry| entry["objective"]["value"].as_f64().unwrap()).collect();
    assert!(values.is_sorted_by(|a, b| a >= b), "{values:?}");

    let trained =
        ["train", "--from", "run", "--rank", "2", "--epochs", "1", "--set", "structure.width=4", "--set"];
    let result = json(
        folder.path(),
        &[&trained[..], &["structure.cells_per_stage=1", "--out", "final", "--json"]].concat(),
    );
    assert_eq!(result["architecture"], best[1]["architecture"]);
    assert_eq!(result["objective"]["split"], "test");
    assert!(folder.path().join("final/weights.safetensors").is_file());
}

#[test]
fn a_training_that_was_killed_resumes_to_the_same_result() {
    let folder = tempfile::tempdir().unwrap();
    let train = |out: &'static str, epochs: &'static str| {
        let words = ["train", "--arch", "@NAONet-B", "--epochs", epochs, "--out", out, "--json"];
        [&words[..], &["--set", "structure.width=4", "--set", "structure.cells_per_stage=1"]].concat()
    };
    let whole = json(folder.path(), &train("whole", "4"));
    let mut child = support::nao(folder.path()).args(train("broken", "4")).spawn().unwrap();
    let checkpoint = folder.path().join("broken/checkpoint.safetensors");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !checkpoint.is_file() {
        assert!(std::time::Instant::now() < deadline && child.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!folder.path().join("broken/result.json").exists(), "it was killed too late to tell");
    let resumed = json(folder.path(), &["resume", "broken", "--json"]);
    for field in ["value", "last_value", "epoch", "architecture"] {
        assert_eq!(resumed[field], whole[field], "{field}");
    }
    let weights = |out: &str| std::fs::read(folder.path().join(out).join("weights.safetensors")).unwrap();
    assert!(weights("whole") == weights("broken"), "the weights differ");
}

/// NASNet's network is not the one that our own cells get: other concatenations, other calibration.
#[test]
fn a_published_network_is_trained_as_it_was_published() {
    let folder = tempfile::tempdir().unwrap();
    let structure = ["--set=structure.width=8", "--set=structure.cells_per_stage=1", "--epochs=1", "--out=t"];
    let trained = json(folder.path(), &[&["train", "--arch=@NASNet-A", "--json"][..], &structure].concat());
    let described = json(folder.path(), &["export", "t", "--format=json"]);
    assert_eq!(described["cost"]["params"], trained["params"]);
    let skeleton = &described["plan"]["skeleton"];
    assert_eq!((&skeleton["convention"], &skeleton["width"]), (&Value::from("slim"), &Value::from(8)));
    let states = |cell: usize| -> Vec<u64> {
        let pieces = described["plan"]["cells"][cell]["pieces"].as_array().unwrap();
        pieces.iter().map(|piece| piece["state"].as_u64().unwrap()).collect()
    };
    assert_eq!((states(0), states(1)), (vec![0, 2, 3, 4, 5, 6], vec![3, 4, 5, 6]));
    let checked = json(folder.path(), &["space", "check", "@NASNet-A", "--json"]);
    assert_eq!(checked["concatenates"]["normal"], Value::from(states(0)));
    assert_ne!(checked["concatenates"], checked["loose_ends"]);
    // Resuming finds the same network again: the training is over.
    let resumed = json(folder.path(), &["resume", "t", "--json"]);
    assert_eq!(resumed["value"], trained["value"]);
}

#[test]
fn the_results_table_has_every_row_with_its_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let rows = json(folder.path(), &["table", "--json"]);
    let rows = rows.as_array().unwrap();
    let of = |name: &str| rows.iter().filter(|row| row["name"] == name).collect::<Vec<_>>();
    for (name, params) in [
        ("DenseNet-BC", 25_624_430),
        ("ResNeXt-29", 68_155_210),
        ("NASNet-A", 3_346_538),
        ("AmoebaNet-A", 3_218_266),
        ("PNASNet-5", 3_189_082),
        ("NAONet-WS", 2_466_252),
    ] {
        assert_eq!(of(name)[0]["params"], params, "{name}");
        assert_eq!(of(name)[0]["verdict"]["is"], "exact", "{name}");
    }
    for name in ["NASNet-B", "NASNet-C", "Hier-EA", "Random-WS"] {
        assert_eq!(of(name)[0]["verdict"]["is"], "cells_unknown", "{name}");
        let output = run(folder.path(), &["draw", &format!("@{name}")]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("not published"), "{name}");
        assert!(stdout(run(folder.path(), &["zoo", name])).contains("cell not published"));
    }
    let text = stdout(run(folder.path(), &["table"]));
    assert!(
        text.contains("25,624,430")
            && text.contains("no cell 1")
            && text.lines().any(|line| line.starts_with("1  they are drawn"))
    );
    let markdown = stdout(run(folder.path(), &["table", "--markdown"]));
    assert!(markdown.contains("| ResNeXt-29 | - | - | - | - | 3.58 | 68.1M | 68,155,210 |"));
}

#[test]
fn a_search_of_the_built_in_table_is_charged_and_measured_against_its_best() {
    let folder = tempfile::tempdir().unwrap();
    let small =
        ["--budget=40", "--initial=20", "--per-round=10", "--seeds=2", "--controller-epochs=5", "--json"];
    for strategy in ["random", "nao"] {
        let words = [&["bench", "--strategy", strategy][..], &small].concat();
        let result = json(folder.path(), &words);
        assert_eq!(result["seeds"].as_array().unwrap().len(), 2);
        for seed in result["seeds"].as_array().unwrap() {
            assert_eq!(seed["looks"], 40);
            let (value, regret) = (seed["value"].as_f64().unwrap(), seed["regret"].as_f64().unwrap());
            assert!(
                regret >= 0.0 && (value + regret - result["best_of_table"].as_f64().unwrap()).abs() < 1e-12
            );
        }
        assert_eq!(json(folder.path(), &words), result, "the same seeds, the same result");
    }
    let output = run(folder.path(), &["bench", "--dataset=mnist"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cifar100"));
}

#[test]
fn a_table_of_ones_own_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let schema = "name = 'mine'\narchitecture = ['cell']\nobjective = 'accuracy'\ndirection = 'maximize'\nunit = 'fraction'\n\
                  [[labels]]\ncolumn = 'acc'\ndivisor = 100.0\n\
                  label = { dataset = 'digits', split = 'validation', epochs = 3, run = 'average' }\n";
    std::fs::write(path.join("schema.toml"), schema).unwrap();
    let rows = "cell,acc\n0 0 1 1 0 0 1 1,90\n1 1 0 0 1 1 0 0,91\n0 2 1 3 0 0 1 1,\n";
    std::fs::write(path.join("t.csv"), rows).unwrap();
    let words = ["table-check", "t.csv", "--space=cnn", "--ops=enas-5", "--nodes=1", "--schema=schema.toml"];
    let summary = json(path, &[&words[..], &["--json"]].concat());
    assert_eq!((&summary["rows"], &summary["distinct"]), (&Value::from(3), &Value::from(2)));
    assert_eq!(summary["labels"][0]["best"], 0.91);
    std::fs::write(path.join("t.csv"), rows.replace("91", "high")).unwrap();
    let output = run(path, &words);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("high") && error.trim_end().lines().count() == 1, "{error}");
    let output = run(path, &["table-check", "t.csv", "--space=cnn"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("--schema"));
}

#[test]
fn every_space_is_described_sampled_and_explained() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let toml = "name = 'net'\n[[position]]\nname = 'depth'\nchoices = ['8', '14']\n\
                [[position]]\nname = 'width'\nchoices = ['narrow', 'wide']\n";
    std::fs::write(path.join("net.toml"), toml).unwrap();
    for space in ["cnn", "rnn", "darts", "nasbench101", "nasbench201", "choice:net.toml"] {
        let option = format!("--space={space}");
        let sample = stdout(run(path, &["space", "sample", "-n3", &option]));
        assert_eq!(sample.lines().count(), 3, "{space}");
        for text in sample.lines() {
            let tokens = stdout(run(path, &["space", "encode", text, &option]));
            assert_eq!(stdout(run(path, &["space", "decode", &tokens, &option])).trim(), text, "{space}");
            assert!(stdout(run(path, &["space", "check", text, &option])).starts_with("valid in "));
            let words = stdout(run(path, &["space", "explain", &tokens, &option]));
            assert_eq!(words.lines().count(), tokens.split_whitespace().count(), "{space}: {words}");
            assert!(!words.contains("not allowed"), "{space}: {words}");
        }
        assert!(json(path, &["space", "describe", &option, "--json"])["size"].is_string());
        assert!(!stdout(run(path, &["space", "describe", &option])).is_empty());
    }
    let tf = [
        "space",
        "encode",
        "0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1",
    ];
    let tokens = stdout(run(path, &[&tf[..], &["--ops=v2-11", "--encoding=kind-size"]].concat()));
    assert_eq!(tokens.split_whitespace().count(), 60);
    for (words, message) in [
        (&["--space=mnist"][..], "known are cnn, rnn"),
        (&["--space=rnn", "--ops=enas-5"], "--ops means nothing"),
        (&["--encoding=words"], "kind-size"),
        (&["--space=choice:nowhere.toml"], "nowhere.toml"),
    ] {
        let output = run(path, &[&["space", "describe"][..], words].concat());
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(message), "{words:?}");
    }
}
