//! The small commands of the real program, as a user and as a script would call them.

use crate::support::{nao, run, stdout};
use serde_json::Value;

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
    assert_eq!(all.as_array().unwrap().len(), 26);
    let nasnet = all.as_array().unwrap().iter().find(|entry| entry["name"] == "NASNet-A").unwrap();
    assert_eq!(nasnet["params"], 3_346_538);
    let recurrent = json(folder.path(), &["zoo", "NAO-RNN", "--json"]);
    assert_eq!(recurrent["params"], 27_295_000);
    assert_eq!(recurrent["published"][2]["params"], 36_067_878);
    assert_eq!(json(folder.path(), &["zoo", "@darts-rnn-v2", "--json"])["params"], 22_960_000);
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
    // The name of a file tells the format, and one that tells none is not written.
    stdout(run(folder.path(), &["draw", "@NAONet-B", "-o", "cell.dot"]));
    assert_eq!(std::fs::read_to_string(folder.path().join("cell.dot")).unwrap().trim_end(), dot.trim_end());
    let output = run(folder.path(), &["draw", "@NAONet-B", "-o", "cell.png"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("rsvg-convert"));
    assert!(!folder.path().join("cell.png").exists());
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
    assert!(text.contains("validation") && text.contains("digits, 1 epoch"), "{text}");
    assert!(text.contains("without parameters") && text.contains("selection: of all trials"), "{text}");
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
    let mut child = nao(folder.path()).args(train("broken", "4")).spawn().unwrap();
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
    let rows = json(folder.path(), &["published", "--json"]);
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
    let text = stdout(run(folder.path(), &["published"]));
    assert!(
        text.contains("25,624,430")
            && text.contains("no cell 1")
            && text.lines().any(|line| line.starts_with("1  they are drawn"))
    );
    let markdown = stdout(run(folder.path(), &["published", "--markdown"]));
    assert!(markdown.contains("| ResNeXt-29 | - | - | - | - | 3.58 | 68.1M | 68,155,210 |"));
    // The command's earlier name.
    assert_eq!(stdout(run(folder.path(), &["table", "--markdown"])), markdown);
}

#[test]
fn searches_of_the_built_in_table_are_charged_and_stand_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["bench", "--seeds=3", "--budget=60", "--mode=enumerate", "--json"];
    let results = json(folder.path(), &words);
    let results = results.as_array().unwrap();
    let names: Vec<&str> = results.iter().map(|result| result["strategy"].as_str().unwrap()).collect();
    assert_eq!(names, ["nao", "linear", "local", "evolution", "random"]);
    for result in results {
        assert_eq!((&result["seeds"], &result["table"]), (&Value::from(3), &Value::from("nasbench201")));
        assert!((result["optimum"].as_f64().unwrap() - 0.94374).abs() < 1e-4);
        let [best, last] = ["50", "100"].map(|count| result["best_at"][count].as_f64());
        assert!(best.unwrap() > 0.9 && last.is_none(), "the budget ends before 100");
        let misses = result["misses"].as_u64().unwrap();
        let median = result["median_queries_to_optimum"].as_f64().unwrap();
        assert!(median <= 61.0 && (misses < 2) == (median < 61.0), "{result}");
    }
    // The optimum of 6,466 classes within 60 queries.
    assert_eq!(results[0]["misses"], 0);
    let queries = |results: &Value| {
        let kept = ["strategy", "median_queries_to_optimum", "interval", "best_at", "origins"];
        results.as_array().unwrap().iter().map(|one| kept.map(|key| one[key].clone())).collect::<Vec<_>>()
    };
    let again = json(folder.path(), &words);
    assert_eq!(queries(&again), queries(&Value::from(results.clone())), "the same seeds, the same result");

    let chosen = ["bench", "--strategies=linear,nao:v2", "--protocol=validation", "--seeds=1", "--json"];
    let chosen = json(
        folder.path(),
        &[&chosen[..], &["--budget=50", "--initial=20", "--controller-epochs=3"]].concat(),
    );
    assert!(
        chosen[0]["median_queries_to_optimum"].is_null()
            && chosen[0]["best_at"]["50"].as_f64().unwrap() > 0.9
    );
    assert_eq!(chosen[1]["strategy"], "nao:v2");
    assert_eq!(chosen[2]["strategy"], "random", "random search is always there");

    for (word, named) in [
        ("--metric=mnist", "cifar100"),
        ("--strategies=magic", "evolution"),
        ("--strategies=evolution:v1", "evolution:non-aging"),
        ("--strategies=nao:v9", "v2"),
        ("--table=mine", "nasbench201"),
        ("--table=nasbench101:none.csv", "none.csv"),
        ("--strategies=nao:no-luck", "no-ascent"),
        ("--with=none.json", "none.json"),
    ] {
        let output = run(folder.path(), &["bench", word]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(named) && error.trim_end().lines().count() == 1, "{error}");
    }
}

#[test]
fn cheap_looks_are_charged_as_their_part_of_a_query() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["bench", "--strategies=nao:cheap", "--mode=enumerate", "--seeds=3", "--json"];
    let bench = |more: &[&str]| json(folder.path(), &[&words[..], more].concat())[0].clone();
    let found = bench(&["--budget=60"]);
    let looks = 3.0 * found["cheap_looks"].as_f64().unwrap();
    assert!(looks >= 3.0 * 30.0 && looks.fract() < 1e-9, "{found}");
    // A search of whole queries and of cheap queries at 12 / 200.
    let median = found["median_queries_to_optimum"].as_f64().unwrap();
    let hundredths = 100.0 * median;
    assert!(median < 60.0 && (hundredths - hundredths.round()).abs() < 1e-9, "{found}");
    // 10 queries, then 10 cheap ones for them, 50 for candidates and 5 more queries: 18.6 of 19. The rest is less than a
    // query.
    let short = bench(&["--budget=19", "--cheap-looks=50", "--protocol=validation"]);
    let queries: u64 =
        short["origins"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!((queries, short["cheap_looks"].as_f64()), (3 * 15, Some(60.0)), "{short}");
    let text =
        stdout(run(folder.path(), &["bench", "--strategies=nao:cheap", "--mode=enumerate", "--seeds=1"]));
    assert!(text.contains("nao:cheap: its queries contain"), "{text}");
    let none = run(folder.path(), &["bench", "--strategies=nao:cheap", "--cheap-looks=0"]);
    assert_eq!(none.status.code(), Some(2), "without a query nothing could be proposed");
}

#[test]
fn a_predictor_is_fitted_to_ones_own_scores_and_predicts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let cells = stdout(run(path, &["space", "sample", "--space=nasbench201", "-n", "120", "--seed=3"]));
    let cells: Vec<&str> = cells.lines().collect();
    // An error that falls with convolutions: smaller is better.
    let error = |cell: &str| 20.0 - cell.matches("nor_conv_3x3").count() as f64;
    let rows: String = cells[..90].iter().map(|cell| format!("{cell},{}\n", error(cell))).collect();
    std::fs::write(path.join("pairs.csv"), format!("architecture,error\n{rows}")).unwrap();
    let fit = ["fit", "pairs.csv", "--space=nasbench201", "--score=error", "--labels=20,60", "--splits=3"];
    let asked = ["--direction=minimize", "--unit=percent", "--output=model.json", "--json"];
    let result = json(path, &[&fit[..], &asked].concat());
    let assessments = result["assessments"].as_array().unwrap();
    assert_eq!(assessments[1]["labels"], 60);
    let tau = |at: usize| assessments[at]["kendall_tau"].as_f64().unwrap();
    assert!(tau(1) > 0.6 && tau(1) > tau(0), "{result}");

    std::fs::write(path.join("new.txt"), cells[90..].join("\n")).unwrap();
    let predicted = json(path, &["predict", "model.json", "new.txt", "--json"]);
    let predictions = predicted["predictions"].as_array().unwrap();
    assert_eq!((predictions.len(), predicted["unit"].as_str()), (30, Some("percent")));
    let off =
        |one: &Value| (one["score"].as_f64().unwrap() - error(one["architecture"].as_str().unwrap())).abs();
    assert!(predictions.iter().map(off).sum::<f64>() / 30.0 < 0.5, "{predicted}");
    // What no prediction leaves is said.
    assert_eq!(predicted["learned_from"], result["pairs"]);
    let [low, high] = [0, 1].map(|end| predicted["range"][end].as_f64().unwrap());
    let inside = |one: &Value| (low..=high).contains(&one["score"].as_f64().unwrap());
    assert!(predictions.iter().all(inside) && predictions[0]["is_beyond"].is_boolean(), "{predicted}");
    let text = stdout(run(path, &["predict", "model.json", "new.txt"]));
    assert!(text.contains(&format!("from {low:.4} to {high:.4}: no prediction leaves")), "{text}");
    // The best first: the smallest error.
    let score = |at: usize| predictions[at]["score"].as_f64().unwrap();
    assert!(score(0) < score(29));

    std::fs::write(path.join("bad.csv"), "architecture,error\n|none~0|,1\n").unwrap();
    for (words, named) in [
        (&fit[..][..4], "--direction"),
        (&[&fit[..], &["--direction=minimize"]].concat()[..], "--unit"),
        (
            &["fit", "bad.csv", "--space=nasbench201", "--score=error", "--direction=minimize", "--unit=x"],
            "line 2",
        ),
        (
            &["fit", "pairs.csv", "--space=nasbench201", "--direction=minimize", "--unit=x"],
            "no column `score`",
        ),
        (&["predict", "new.txt", "new.txt"], "no predictor"),
        (&["predict", "model.json", "bad.csv"], "line 2"),
    ] {
        let output = run(path, words);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && error.contains(named), "{words:?}: {error}");
    }
}

/// Sampled cells with a score each, as a CSV file `pairs.csv`.
fn write_pairs(path: &std::path::Path, count: usize, score: impl Fn(&str) -> f64) -> Vec<String> {
    let count = format!("-n{count}");
    let cells = stdout(run(path, &["space", "sample", "--space=nasbench201", &count, "--seed=3"]));
    let rows: String = cells.lines().map(|cell| format!("{cell},{}\n", score(cell))).collect();
    std::fs::write(path.join("pairs.csv"), format!("architecture,score\n{rows}")).unwrap();
    cells.lines().map(str::to_owned).collect()
}

const FIT: [&str; 5] = ["fit", "pairs.csv", "--space=nasbench201", "--direction=maximize", "--unit=points"];

fn convolutions(cell: &str) -> f64 {
    cell.matches("nor_conv_3x3").count() as f64
}

#[test]
fn a_kept_predictor_is_taken_up_as_it_was_fitted_and_one_of_version_1_is_fitted_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let cells = write_pairs(path, 60, convolutions);
    std::fs::write(path.join("new.txt"), cells[..3].join("\n")).unwrap();
    let fit = || {
        stdout(run(path, &[&FIT[..], &["--labels=30", "--splits=1", "--output=model.json"]].concat()));
        let kept = std::fs::read_to_string(path.join("model.json")).unwrap();
        let file: Value = serde_json::from_str(&kept).unwrap();
        let cells: Vec<String> = serde_json::from_value(file["architectures"].clone()).unwrap();
        (kept, file, cells)
    };
    // One spelling of each cell, so that no scores are averaged.
    let (.., cells) = fit();
    let rows: String = cells.iter().map(|cell| format!("{cell},{}\n", convolutions(cell))).collect();
    std::fs::write(path.join("pairs.csv"), format!("architecture,score\n{rows}")).unwrap();
    let (kept, file, _) = fit();
    assert_eq!((&file["version"], &file["learned_from"]), (&Value::from(2), &Value::from(cells.len())));
    let new = json(path, &["predict", "model.json", "new.txt", "--json"]);

    let pairs: Vec<Value> = cells
        .iter()
        .map(|cell| serde_json::json!({"architecture": cell, "score": convolutions(cell)}))
        .collect();
    let mut old = serde_json::json!({"format": "nao-predictor", "version": 1, "seed": 1, "pairs": pairs});
    for field in ["options", "space", "score"] {
        old[field] = file[field].clone();
    }
    std::fs::write(path.join("old.json"), old.to_string()).unwrap();
    let output = run(path, &["predict", "old.json", "new.txt", "--json"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("is of version 1"), "{output:?}");
    let again: Value = serde_json::from_str(&stdout(output)).unwrap();
    assert_eq!(again, new, "the same fit");

    for (text, named) in [
        (kept.replace("\"learned_from\": 5", "\"learned_from\": 6"), "checksum"),
        (kept.replace("\"version\": 2", "\"version\": 3"), "of version 3; this program reads"),
    ] {
        std::fs::write(path.join("bad.json"), text).unwrap();
        let output = run(path, &["predict", "bad.json", "new.txt"]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && error.contains(named), "{named}: {error}");
    }
}

#[test]
fn many_architectures_are_learned_from_by_way_of_some() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let cells = write_pairs(path, 8000, convolutions);
    std::fs::write(path.join("new.txt"), cells[..3].join("\n")).unwrap();
    let output = run(path, &[&FIT[..], &["--labels=50", "--splits=1", "--output=model.json"]].concat());
    assert!(output.status.success(), "{output:?}");
    let file: Value = serde_json::from_slice(&std::fs::read(path.join("model.json")).unwrap()).unwrap();
    assert!(file["learned_from"].as_u64().unwrap() > 2000, "distinct cells of 8,000");
    assert_eq!(file["architectures"].as_array().unwrap().len(), 1500);
    let predicted = json(path, &["predict", "model.json", "new.txt", "--json"]);
    for one in predicted["predictions"].as_array().unwrap() {
        let truth = convolutions(one["architecture"].as_str().unwrap());
        assert!((one["score"].as_f64().unwrap() - truth).abs() < 0.5, "{one}");
    }
}

#[test]
fn figures_without_meaning_are_null_or_a_dash_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_pairs(path, 30, convolutions);
    let one = [&FIT[..], &["--labels=15", "--splits=1"]].concat();
    let result = json(path, &[&one[..], &["--json"]].concat());
    assert!(result["assessments"][0]["kendall_tau_error"].is_null(), "{result}");
    assert!(result["assessments"][0]["kendall_tau"].is_f64(), "{result}");
    let text = stdout(run(path, &one));
    assert!(text.contains("at least two splits") && !text.contains("0.000"), "{text}");
    // Of one label nothing is ranked, nor is there a scale.
    let result = json(path, &[&FIT[..], &["--labels=1", "--json"]].concat());
    for figure in ["kendall_tau", "pairwise_accuracy", "inside_50"] {
        assert!(result["assessments"][0][figure].is_null(), "{figure}: {result}");
    }
    // Three rows are enough without further words.
    write_pairs(path, 3, convolutions);
    assert!(stdout(run(path, &FIT)).contains("says little"));
    write_pairs(path, 30, |_| 3.0);
    for (words, named) in [(vec![], "every score is 3"), (vec!["--splits=0"], "--splits")] {
        let output = run(path, &[&FIT[..], &words].concat());
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && error.contains(named), "{words:?}: {error}");
    }

    let bench = ["bench", "--strategies=random", "--budget=60", "--initial=10"];
    let few = json(path, &[&bench[..], &["--seeds=5", "--protocol=validation", "--json"]].concat());
    for figure in [&few[0]["misses"], &few[0]["interval"], &few[0]["best_at_interval"]["50"]] {
        assert!(figure.is_null(), "{few}");
    }
    let text = stdout(run(path, &[&bench[..], &["--seeds=1"]].concat()));
    assert!(text.contains("only 1 search of a strategy: no 95 % interval") && !text.contains("±0"), "{text}");
}

#[test]
fn a_predictor_that_rests_on_cheap_labels_says_so_and_asks_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let cells = stdout(run(path, &["space", "sample", "--space=nasbench201", "-n", "120", "--seed=3"]));
    // The score is what structure shows and what it does not, of which the cheap label, a loss, tells.
    let hidden = |row: usize| (row * 37 % 101) as f64 / 25.0;
    let rows: Vec<String> = cells
        .lines()
        .enumerate()
        .map(|(row, cell)| {
            let score = cell.matches("nor_conv_3x3").count() as f64 + hidden(row);
            format!("{cell},{score},{}\n", 5.0 - hidden(row))
        })
        .collect();
    let header = "architecture,score,e12\n";
    std::fs::write(path.join("pairs.csv"), format!("{header}{}", rows[..90].concat())).unwrap();
    std::fs::write(path.join("new.csv"), format!("{header}{}", rows[90..].concat())).unwrap();
    let fit =
        ["fit", "pairs.csv", "--space=nasbench201", "--direction=maximize", "--unit=points", "--labels=60"];
    let cheap = ["--cheap=e12", "--cheap-direction=minimize", "--output=model.json"];
    let words = [&fit[..], &cheap].concat();
    let result = json(path, &[&words[..], &["--json"]].concat());
    let tau = |key: &str| result[key][0]["kendall_tau"].as_f64().unwrap();
    assert!(tau("assessments") > tau("assessments_without_cheap") + 0.2, "{result}");
    assert!(result["assessments"][0]["cheap_slope"].as_f64().unwrap() > 0.4, "{result}");
    // Without the label everything is as where none was named.
    let plain = json(path, &[&fit[..], &["--output=plain.json", "--json"]].concat());
    assert_eq!(plain["assessments"], result["assessments_without_cheap"]);
    assert!(plain.get("cheap").is_none());
    let text = stdout(run(path, &words));
    assert!(text.contains("cheap label: e12, smaller is better") && text.contains("without"), "{text}");
    assert!(text.contains("ARCHITECTURES.csv (with a column `e12`)"), "{text}");

    let predicted = json(path, &["predict", "model.json", "new.csv", "--json"]);
    assert_eq!(predicted["cheap"], serde_json::json!({"column": "e12", "direction": "minimize"}));
    let first = &predicted["predictions"][0];
    let row = rows.iter().find(|row| row.starts_with(first["architecture"].as_str().unwrap())).unwrap();
    assert!(row.trim_end().ends_with(&format!(",{}", first["cheap"])), "{row} {first}");
    assert!(stdout(run(path, &["predict", "model.json", "new.csv"])).starts_with("cheap label: e12\n"));

    std::fs::write(path.join("lines.txt"), cells.lines().take(3).collect::<Vec<_>>().join("\n")).unwrap();
    let missing = rows[0].rsplit_once(',').unwrap().0;
    std::fs::write(path.join("gap.csv"), format!("{header}{}{missing},\n", rows[1..9].concat())).unwrap();
    let equal = "architecture,score,e12\n".to_owned()
        + &rows[..9].iter().map(|row| format!("{},1\n", row.rsplit_once(',').unwrap().0)).collect::<String>();
    std::fs::write(path.join("equal.csv"), equal).unwrap();
    let short = &fit[2..5];
    for (words, named) in [
        (vec!["predict", "model.json", "lines.txt"], "rests on the cheap label `e12`"),
        (vec!["predict", "model.json", "gap.csv"], "line 10, column e12"),
        ([&["fit", "gap.csv", "--cheap=e12"], short].concat(), "line 10, column e12"),
        ([&["fit", "equal.csv", "--cheap=e12"], short].concat(), "leave out --cheap"),
        ([&["fit", "pairs.csv", "--cheap=e36"], short].concat(), "no column `e36`"),
        ([&["fit", "pairs.csv", "--cheap-direction=minimize"], short].concat(), "--cheap"),
    ] {
        let output = run(path, &words);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && error.contains(named), "{words:?}: {error}");
    }
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
    let words =
        ["benchmark", "check", "t.csv", "--space=cnn", "--ops=enas-5", "--nodes=1", "--schema=schema.toml"];
    let summary = json(path, &[&words[..], &["--json"]].concat());
    // The command's earlier name.
    assert_eq!(json(path, &[&["table-check"], &words[2..], &["--json"]].concat()), summary);
    assert_eq!((&summary["rows"], &summary["distinct"]), (&Value::from(3), &Value::from(2)));
    assert_eq!(
        (&summary["labels"][0]["best"], &summary["labels"][0]["ranks"]),
        (&Value::from(0.91), &Value::from(true))
    );
    // Figures without meaning are said: equal values rank nothing.
    std::fs::write(path.join("t.csv"), rows.replace("91", "90")).unwrap();
    assert!(stdout(run(path, &words)).contains("every value is 0.9000: nothing to rank"));
    std::fs::write(path.join("t.csv"), rows.replace("91", "high")).unwrap();
    let output = run(path, &words);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("high") && error.trim_end().lines().count() == 1, "{error}");
    let output = run(path, &["benchmark", "check", "t.csv", "--space=cnn"]);
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

#[test]
fn searches_are_put_beside_earlier_ones_of_the_same_table_alone() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["bench", "--mode=enumerate", "--strategies=nao:regression,nao:no-ensemble"];
    let words = [&words[..], &["--seeds=2", "--budget=20", "--initial=10"]].concat();
    let old = stdout(run(folder.path(), &[&words[..], &["--json"]].concat()));
    std::fs::write(folder.path().join("old.json"), old).unwrap();
    let other = ["bench", "--strategies=random", "--with=old.json", "--mode=enumerate"];
    let other = [&other[..], &["--seeds=2", "--initial=10"]].concat();
    let text = stdout(run(folder.path(), &[&other[..], &["--budget=20"]].concat()));
    for part in ["nao:regression", "nao:no-ensemble", "(old.json)", "only 2 searches"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let output = run(folder.path(), &[&other[..], &["--budget=30"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("its budget is 20"));
    // What only generated candidates have cannot be left out where all cells are scored.
    let output = run(folder.path(), &["bench", "--mode=enumerate", "--ablations"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("--mode generate"));
}
