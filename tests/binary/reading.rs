//! Files that the real program reads: whole, once, within limits, and noticed where they are damaged.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::history::{history, search};
use crate::support::{run, stdout};
use nao_space::notation::cnn_to_json;
use nao_space::{CnnSpace, OpSet, Space};
use serde_json::Value;

/// The most characters of a message: a screen of 24 lines of 80.
const SCREEN: usize = 24 * 80;

/// The output must be a refusal in one line, no longer than a screen, that contains `words`.
fn assert_refused(output: &Output, words: &[&str], what: &str) {
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{what}: {message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{what}: {message}");
    assert!(message.chars().count() <= SCREEN, "{what}: {} characters", message.chars().count());
    for word in words {
        assert!(message.contains(word), "{what}: `{word}` is missing in: {message}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// That many zeros, packed into next to nothing.
fn packed_zeros(mebibytes: usize) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    let zeros = vec![0; 1 << 20];
    (0..mebibytes).for_each(|_| encoder.write_all(&zeros).unwrap());
    encoder.finish().unwrap()
}

const CELL: &str = "0 0 1 2 0 4 2 3 0 4 1 1 1 0 2 3";
const TABLE: &str = "name = \"t\"\narchitecture = [\"arch\"]\nobjective = \"accuracy\"\ndirection = \"maximize\"\n\
                     unit = \"fraction\"\n[[labels]]\ncolumn = \"score\"\ndivisor = 1.0\n\
                     label = { dataset = \"d\", split = \"test\", epochs = 1, run = \"average\" }\n";

/// A search of recurrent cells that takes a moment.
const TINY: &[&str] = &[
    "--set=recipe.hidden=8",
    "--set=recipe.epochs=1",
    "--set=recipe.batch=4",
    "--set=recipe.validation_batch=2",
    "--set=recipe.segment=10",
    "--set=space.nodes=3",
    "--set=rounds.initial=2",
    "--set=rounds.per_round=2",
    "--set=rounds.budget=2",
    "--set=strategy.name=random",
];

/// A text of sentences that follow a pattern, in the folder `name`; that for training as `training` makes it.
fn write_text(folder: &Path, name: &str, training: (&str, impl Fn(&str) -> Vec<u8>)) {
    let text = folder.join(name);
    fs::create_dir(&text).unwrap();
    let sentences = |from: usize, to: usize| {
        let words = |i: usize| format!("the {} sees {}", ["cat", "dog", "bird", "fox"][i % 4], i * i % 23);
        (from..to).map(words).collect::<Vec<_>>().join("\n")
    };
    fs::write(text.join(training.0), training.1(&sentences(0, 120))).unwrap();
    fs::write(text.join("valid.txt"), sentences(300, 330)).unwrap();
    fs::write(text.join("test.txt"), sentences(400, 420)).unwrap();
}

#[test]
fn every_member_of_a_text_is_trained_on_and_the_files_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_text(path, "plain", ("train.txt", |text| text.as_bytes().to_vec()));
    write_text(
        path,
        "members",
        ("a.train.txt.gz", |text| {
            let (first, second) = text.split_at(text.len() / 2);
            [gzip(format!("\u{feff}{first}").as_bytes()), gzip(second.as_bytes())].concat()
        }),
    );
    let manifest = |text: &str| {
        let data = format!("text:{text}");
        let output =
            run(path, &[&["search", "--data", &data, "--out", &format!("run-{text}")], TINY].concat());
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        stdout(output);
        let manifest = fs::read(path.join(format!("run-{text}/manifest.json"))).unwrap();
        (messages, serde_json::from_slice::<Value>(&manifest).unwrap())
    };
    let (_, plain) = manifest("plain");
    let (messages, members) = manifest("members");
    assert_eq!(members["data_checksum"], plain["data_checksum"]);
    assert_eq!(members["examples"], plain["examples"]);
    let told =
        "data: 1 training file (a.train.txt.gz) with 600 words, 1 validation file (valid.txt) with 150 words";
    assert!(messages.contains(told), "{messages}");
    assert!(messages.contains("warning: 30 of the 30 lines of the validation text stand in"), "{messages}");
    let file = &members["files"][0];
    assert_eq!((file["part"].as_str(), file["examples"].as_u64()), (Some("training"), Some(600)));
    assert!(file["files"][0].as_str().unwrap().ends_with("members/a.train.txt.gz"), "{file}");
}

#[test]
fn no_image_is_read_twice() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let images = |first: u8| -> Vec<u8> {
        (0..40 * 3073).map(|at| if at % 3073 == 0 { at as u8 % 10 } else { first }).collect()
    };
    let first = images(1);
    fs::write(data.join("data_batch_1.bin"), &first).unwrap();
    let attempt = |name: &str, bytes: &[u8]| {
        fs::write(data.join(name), bytes).unwrap();
        let refused = run(folder.path(), &["search", "--data", "cifar10:data", "--recipe", "cifar10-small"]);
        assert_refused(&refused, &["data_batch_1.bin", name, "take one of them away"], name);
        fs::remove_file(data.join(name)).unwrap();
    };
    attempt("data_batch_1.bin.zst", &zstd::encode_all(first.as_slice(), 1).unwrap());
    attempt("data_batch_1 (1).bin", &images(2));
    attempt("data_batch_1 - Copy.bin", &first);
    attempt("data_batch_2.bin", &first);
    attempt("test_batch.bin", &first);
}

#[test]
fn a_byte_order_mark_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let marked = |name: &str, text: &str| fs::write(path.join(name), format!("\u{feff}{text}")).unwrap();
    let space = CnnSpace::new(2, OpSet::enas_5()).unwrap();
    let json = cnn_to_json(&space.parse(CELL).unwrap());
    marked("cell.json", &json);
    let draw = |arch: &str| stdout(run(path, &["draw", arch, "--ops=enas-5", "--nodes=2", "--format=dot"]));
    assert_eq!(draw("cell.json"), draw(CELL));
    marked("space.toml", "name = \"s\"\n[[position]]\nname = \"p\"\nchoices = [\"a\", \"b\"]\n");
    stdout(run(path, &["space", "check", "--space=choice:space.toml", "p=a"]));
    marked("schema.toml", TABLE);
    marked("table.csv", &format!("arch,score\n{CELL},0.5\n"));
    stdout(run(
        path,
        &[
            "benchmark",
            "check",
            "table.csv",
            "--space=cnn",
            "--ops=enas-5",
            "--nodes=2",
            "--schema=schema.toml",
        ],
    ));
    marked("run.toml", "[rounds]\nbudget = 7\n");
    let resolved = stdout(run(path, &["search", "--config", "run.toml", "--dry-run"]));
    assert!(resolved.contains("budget = 7"), "{resolved}");
}

#[test]
fn a_file_that_unpacks_to_a_gigabyte_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let bomb = packed_zeros(1100);
    assert!(bomb.len() < 1 << 20);
    fs::write(path.join("schema.toml"), TABLE).unwrap();
    for name in ["bomb.csv.zst", "bomb.json", "bomb.toml", "test_batch.bin.zst", "data_batch_1.bin.zst"] {
        fs::write(path.join(name), &bomb).unwrap();
    }
    let check = ["benchmark", "check", "bomb.csv.zst", "--space=cnn", "--schema=schema.toml"];
    assert_refused(&run(path, &check), &["bomb.csv.zst", "more than 512 MiB"], "a table");
    assert_refused(&run(path, &["draw", "bomb.json"]), &["bomb.json", "more than 16 MiB"], "an architecture");
    let space = run(path, &["space", "describe", "--space=choice:bomb.toml"]);
    assert_refused(&space, &["bomb.toml", "more than 16 MiB"], "a space");
    let images = run(path, &["search", "--data=cifar10:.", "--recipe=cifar10-small"]);
    assert_refused(&images, &["data_batch_1.bin.zst", "more than 512 MiB"], "images");
    write_text(path, "text", ("train.txt.zst", |_| bomb.clone()));
    assert_refused(
        &run(path, &["search", "--data=text:text"]),
        &["train.txt.zst", "a word has more than"],
        "a text",
    );
    assert_refused(
        &run(path, &["import", "/dev/zero", "--arch", CELL, "--ops=enas-5", "--nodes=2"]),
        &["/dev/zero", "64 MiB"],
        "weights",
    );
}

#[test]
fn a_message_about_a_file_fits_on_a_screen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let long = "x".repeat(1 << 20);
    fs::write(path.join("cell.json"), format!("{{\"{long}\": 1}}")).unwrap();
    assert_refused(&run(path, &["draw", "cell.json"]), &["cell.json"], "an architecture");
    fs::write(path.join("run.toml"), format!("{long} = 1")).unwrap();
    assert_refused(
        &run(path, &["search", "--config=run.toml", "--dry-run"]),
        &["characters left out"],
        "a configuration",
    );
    fs::write(path.join("space.toml"), format!("name = \"{long}\"")).unwrap();
    assert_refused(
        &run(path, &["space", "describe", "--space=choice:space.toml"]),
        &["space.toml"],
        "a space",
    );
    fs::write(path.join("schema.toml"), format!("\"{long}\" = 1")).unwrap();
    fs::write(path.join("table.csv"), format!("{long},b\n1,2\n")).unwrap();
    let check = |schema: &str| {
        run(path, &["benchmark", "check", "table.csv", "--space=cnn", &format!("--schema={schema}")])
    };
    assert_refused(&check("schema.toml"), &["schema.toml"], "a schema");
    fs::write(path.join("good.toml"), TABLE).unwrap();
    assert_refused(&check("good.toml"), &["no column `arch`"], "a table");
    fs::write(path.join("predictor.json"), format!("{{\"{long}\": 1}}")).unwrap();
    assert_refused(
        &run(path, &["predict", "predictor.json", "table.csv"]),
        &["predictor.json"],
        "a predictor",
    );
    let fit = [
        "fit",
        "table.csv",
        "--space=nasbench201",
        "--score=score",
        "--direction=maximize",
        "--unit=percent",
    ];
    assert_refused(&run(path, &fit), &["table.csv"], "pairs");
    write_text(path, "text", ("train.txt", |_| format!("a {long}").into_bytes()));
    assert_refused(&run(path, &["search", "--data=text:text"]), &["train.txt"], "a text");
}

/// The default strategy, with a space that is learned in a moment.
const STRUCTURE: &[&str] = &[
    "--set=strategy.preset=structure",
    "--set=strategy.structure.pretraining.steps=20",
    "--set=strategy.structure.pretraining.cells=300",
    "--set=strategy.structure.pretraining.feature_samples=100",
    "--set=strategy.structure.pretraining.batch=32",
];

/// A copy with its last number changed, and one with nothing but zeros.
fn damaged(whole: &[u8]) -> [Vec<u8>; 2] {
    let mut changed = whole.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    let numbers = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    [changed, [&whole[..numbers], &vec![0; whole.len() - numbers]].concat()]
}

#[test]
fn a_damaged_cache_is_learned_anew_and_a_damaged_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let begin = |out: &str| {
        let mut search = search(path, out, "1");
        let output =
            search.args(STRUCTURE).args(["--set=rounds.budget=7"]).stderr(Stdio::piped()).output().unwrap();
        let messages = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{messages}");
        messages
    };
    begin("first");
    let first = history(&path.join("first"));
    let cached = fs::read_dir(path.join("cache/pretrained")).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&cached).unwrap();
    for (number, damaged) in damaged(&whole).into_iter().enumerate() {
        fs::write(&cached, damaged).unwrap();
        let out = format!("again-{number}");
        let messages = begin(&out);
        assert!(messages.contains("written anew") && messages.contains("learning the space"), "{messages}");
        assert_eq!(history(&path.join(out)), first);
        assert!(!begin(&format!("after-{number}")).contains("learning"));
    }
    let own = path.join("first/controller/pretrained.safetensors");
    let whole = fs::read(&own).unwrap();
    for damaged in damaged(&whole) {
        fs::write(&own, damaged).unwrap();
        let resumed = run(path, &["resume", "first"]);
        assert_refused(&resumed, &["pretrained.safetensors", "checksum", "delete it"], "a run");
        let exported = run(path, &["export", "first", "--format=safetensors", "-o", "out.safetensors"]);
        assert_refused(&exported, &["pretrained.safetensors", "checksum"], "an export");
    }
    assert!(!path.join("out.safetensors").exists());
}

#[test]
fn damaged_weights_and_checkpoints_are_refused_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let words = ["train", "--arch", CELL, "--ops=enas-5", "--nodes=2", "--epochs=1", "--out=trained"];
    let small = ["--set=structure.width=4", "--set=structure.cells_per_stage=1"];
    stdout(run(path, &[&words[..], &small].concat()));
    let weights = fs::read(path.join("trained/weights.safetensors")).unwrap();
    for damaged in damaged(&weights) {
        fs::write(path.join("w.safetensors"), damaged).unwrap();
        let words = ["import", "w.safetensors", "--arch", CELL, "--ops=enas-5", "--nodes=2"];
        let refused = run(path, &[&words[..], &small].concat());
        assert_refused(&refused, &["w.safetensors", "checksum", "sound copy"], "weights");
    }
    let checkpoint = path.join("trained/checkpoint.safetensors");
    let whole = fs::read(&checkpoint).unwrap();
    for damaged in damaged(&whole) {
        fs::write(&checkpoint, damaged).unwrap();
        let resumed = run(path, &["resume", "trained", "--json"]);
        assert_refused(&resumed, &["checkpoint.safetensors", "checksum", "deleted"], "a checkpoint");
    }
}
