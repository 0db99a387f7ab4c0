//! Weights of the real program leave it and come back.

use std::fs;
use std::path::Path;

use crate::support::{run, stdout};
use burn::tensor::Device;
use nao_controller::{Controller, ControllerConfig, Language};
use nao_space::seed::rng_for;
use nao_space::{CnnSpace, OpSet};
use serde_json::Value;

/// Two nodes of which one is an identity at stride 2: there the names of V1 and V2 differ.
const CELL: &str = "0 0 1 2 0 4 2 3 0 4 1 1 1 0 2 3";
const STRUCTURE: [&str; 2] = ["--set=structure.width=4", "--set=structure.cells_per_stage=1"];

fn trained(folder: &Path) {
    let words = ["train", "--arch", CELL, "--ops=enas-5", "--nodes=2", "--epochs=1", "--out=trained"];
    stdout(run(folder, &[&words[..], &STRUCTURE].concat()));
}

fn import(folder: &Path, file: &str, more: &[&str]) -> std::process::Output {
    let words = ["import", file, "--arch", CELL, "--ops=enas-5", "--nodes=2", "--json"];
    run(folder, &[&words[..], &STRUCTURE, more].concat())
}

fn value(file: &Path) -> f64 {
    let result: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    result["value"].as_f64().unwrap()
}

#[test]
fn exported_weights_come_back_with_the_same_accuracy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    trained(path);
    stdout(run(path, &["export", "trained", "--format=safetensors", "--names=v2", "-o", "v2.safetensors"]));
    let v2 = fs::read(path.join("v2.safetensors")).unwrap();
    let text = String::from_utf8_lossy(&v2);
    assert!(text.contains("cells.1.ops.0.x_op.path1.1.weight") && !text.contains("id_fact_reduce"));

    let back: Value =
        serde_json::from_str(&stdout(import(path, "v2.safetensors", &["--names=v2", "--out=back"]))).unwrap();
    assert_eq!(back["value"].as_f64().unwrap(), value(&path.join("trained/result.json")));
    // What came back is a folder of its own: exported once more, it is the same file.
    stdout(run(path, &["export", "back", "--format=safetensors", "--names=v2", "-o", "again.safetensors"]));
    assert_eq!(fs::read(path.join("again.safetensors")).unwrap(), v2);

    // A checkpoint holds the state of the training besides; that stays here.
    let file = "trained/checkpoint.safetensors";
    stdout(run(path, &["export", file, "--format=safetensors", "-o", "last.safetensors"]));
    assert!(!String::from_utf8_lossy(&fs::read(path.join("last.safetensors")).unwrap()).contains("momentum"));

    let described: Value =
        serde_json::from_str(&stdout(run(path, &["export", "trained", "--format=json"]))).unwrap();
    let tensors = described["tensors"].as_array().unwrap();
    let count = |tensor: &Value| -> u64 {
        tensor["shape"].as_array().unwrap().iter().map(|side| side.as_u64().unwrap()).product()
    };
    let trainable = tensors.iter().filter(|tensor| tensor["trainable"] == true);
    assert_eq!(trainable.map(count).sum::<u64>(), described["cost"]["params"].as_u64().unwrap());
    assert_eq!(described["plan"]["cells"].as_array().unwrap().len(), 5);
}

#[test]
fn weights_of_another_network_are_refused_with_every_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    trained(path);
    let refused = |output: std::process::Output, words: &[&str]| {
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(error.trim_end().lines().count(), 1, "{error}");
        words.iter().for_each(|word| assert!(error.contains(word), "{error}"));
        assert!(!path.join("runs").exists(), "nothing is left behind");
    };
    refused(
        import(path, "trained/weights.safetensors", &["--names=v2"]),
        &[
            "missing [cells.1.ops.0.x_op.path1.1.weight",
            "unknown [",
            "cells.1.ops.0.x_id_fact_reduce.bn.bias",
        ],
    );
    refused(
        import(path, "trained/weights.safetensors", &["--set=structure.width=6"]),
        &["of another shape [", "classifier.weight: found [10, "],
    );
    fs::write(path.join("model.pt"), b"PK\x03\x04 and so on").unwrap();
    refused(import(path, "model.pt", &[]), &["safetensors.torch.save_file"]);
    fs::write(path.join("stray.safetensors"), b"").unwrap();
    refused(run(path, &["export", "stray.safetensors", "--format=json"]), &["its network is unknown"]);
    refused(run(path, &["export", "trained", "--format=safetensors"]), &["--output"]);
    refused(run(path, &["export", "nowhere", "--format=json"]), &["no run folder nowhere"]);
    // An import has no training to go on with.
    stdout(import(path, "trained/weights.safetensors", &["--out=imported"]));
    refused(run(path, &["resume", "imported"]), &["nothing to go on with"]);
}

#[test]
fn the_controller_of_a_search_leaves_under_the_authors_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let settings = [
        "--set=recipe.structure.width=4",
        "--set=recipe.structure.cells_per_stage=1",
        "--set=recipe.epochs=1",
        "--set=rounds.initial=3",
        "--set=rounds.per_round=2",
        "--set=rounds.budget=5",
        "--preset=v1",
        "--set=strategy.nao.seeds=2",
        "--set=strategy.nao.controller.epochs=2",
        "--set=strategy.nao.controller.hidden=16",
        "--set=strategy.nao.controller.embedding=8",
        "--nodes=2",
        "--out=run",
    ];
    stdout(run(path, &[&["search"][..], &settings].concat()));
    stdout(run(path, &["export", "run", "--format=safetensors", "-o", "controller.safetensors"]));
    let config = ControllerConfig { embedding: 8, hidden: 16, ..ControllerConfig::default() };
    let language = Language::of(&CnnSpace::new(2, OpSet::paper_11()).unwrap());
    let mut controller =
        Controller::new(config, language, &Device::flex(), &mut rng_for(1, "weights", 0)).unwrap();
    let before = controller.parameters();
    controller.load_safetensors(&fs::read(path.join("controller.safetensors")).unwrap()).unwrap();
    assert_ne!(controller.parameters(), before);

    let described: Value =
        serde_json::from_str(&stdout(run(path, &["export", "run", "--format=json", "--rank=2"]))).unwrap();
    let best: Value =
        serde_json::from_str(&stdout(run(path, &["best", "run", "--top=2", "--json"]))).unwrap();
    assert_eq!(described["notation"], best[1]["architecture"]);
}
