//! Bad input to the real program: one clear line, exit code 2, no panic, nothing half-written.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::{nao, run};

/// The output must be a refusal in one line that contains `words`.
fn assert_refused(output: &Output, words: &[&str], what: &str) {
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{what}: {message}");
    assert!(!message.contains("panicked"), "{what}: {message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{what}: {message}");
    for word in words {
        assert!(message.contains(word), "{what}: `{word}` is missing in: {message}");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

const NAONET_A: &str =
    "0 7 1 15 2 8 1 7 0 6 1 7 0 8 4 7 1 5 0 7 0 7 1 13 0 6 0 14 0 9 1 10 0 14 2 6 1 11 0 7";

#[test]
fn malformed_architectures_are_refused_with_place_and_choice() {
    let folder = tempfile::tempdir().unwrap();
    let truncated = &NAONET_A[..50];
    let forward = NAONET_A.replacen("2 8", "3 8", 1);
    let unknown_op = NAONET_A.replacen("0 7", "0 99", 1);
    let word = NAONET_A.replacen("0 7", "0 conv", 1);
    for (arch, words) in [
        (truncated, vec!["expected 40 numbers", "found"]),
        (forward.as_str(), vec!["position 4", "3 is not allowed", "0 to 2"]),
        (unknown_op.as_str(), vec!["position 1", "99 is not allowed", "5, 6, 7"]),
        (word.as_str(), vec!["position 1", "`conv` is not a whole number"]),
        ("@NAONet-Z", vec!["NAONet-Z", "NAONet-A"]),
        ("cell.json", vec!["cell.json"]),
        ("", vec!["expected 40 numbers"]),
    ] {
        assert_refused(&run(folder.path(), &["draw", arch, "-o", "cell.svg"]), &words, arch);
        assert_refused(&run(folder.path(), &["space", "check", arch]), &words, arch);
    }
    fs::write(folder.path().join("cell.json"), "{\"format\": \"nao-cnn\", \"version\": 1").unwrap();
    assert_refused(&run(folder.path(), &["draw", "cell.json"]), &["cell.json", "JSON"], "truncated JSON");
    let decoded = run(folder.path(), &["space", "decode", "1 8 1"]);
    assert_refused(&decoded, &["40 tokens", "has 3"], "too few tokens");
    assert_eq!(names(folder.path()), ["cell.json"]);
}

#[test]
fn unknown_names_and_impossible_settings_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for (words, message) in [
        (vec!["--budget", "0"], vec!["budget is 0"]),
        (vec!["--workers", "0"], vec!["workers is 0"]),
        (vec!["--ops", "paper-12"], vec!["paper-12", "paper-11"]),
        (vec!["--nodes", "13"], vec!["13", "1 to 12"]),
        (vec!["--strategy", "magic"], vec!["magic", "random"]),
        (vec!["--preset", "v9"], vec!["v9", "v1"]),
        (vec!["--recipe", "fast"], vec!["fast", "digits"]),
        (vec!["--device", "gpu"], vec!["gpu", "cuda:N"]),
        (vec!["--data", "mnist"], vec!["mnist", "cifar10:DIR"]),
        (vec!["--time-limit=-1"], vec!["time_limit"]),
        (vec!["--time-limit=1e300"], vec!["time_limit"]),
        (vec!["--seed=18446744073709551615"], vec!["too large"]),
        (vec!["--config", "none.toml"], vec!["none.toml"]),
        (vec!["--set", "recipe.structure.widht=3"], vec!["widht", "width"]),
        (vec!["--set", "recipe.structure.width=3"], vec!["width", "even"]),
        (vec!["--recipe", "search"], vec!["search", "digits"]),
    ] {
        let refused = run(folder.path(), &[&["search", "--out", "run"], &words[..]].concat());
        assert_refused(&refused, &message, &words.join(" "));
    }
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_seed_that_no_file_can_hold_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        run(folder.path(), &["train", "--arch", "@NAONet-A", "--seed=18446744073709551615", "--dry-run"]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("--seed") && !message.contains("panicked"), "{message}");
}

#[test]
fn an_output_folder_that_exists_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("run")).unwrap();
    let refused = run(folder.path(), &["search", "--out", "run"]);
    assert_refused(&refused, &["run exists already: choose another --out"], "existing folder");
    // It is no run: to go on with it is no remedy.
    assert!(!String::from_utf8_lossy(&refused.stderr).contains("resume"));
    assert_eq!(names(&folder.path().join("run")), [""; 0]);
    assert_refused(&run(folder.path(), &["resume", "run"]), &["not a run folder"], "no run");
    assert_refused(&run(folder.path(), &["best", "nowhere"]), &["no run folder nowhere"], "no folder");
}

#[test]
fn damaged_data_files_are_named_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let search = || run(folder.path(), &["search", "--data", "cifar10:data", "--recipe", "cifar10-small"]);
    assert_refused(&search(), &["data"], "no folder");
    fs::create_dir(&data).unwrap();
    assert_refused(&search(), &["data", ".bin"], "empty folder");

    let file = data.join("data_batch_1.bin");
    let mut good = vec![0u8; 3073 * 40];
    fs::write(&file, []).unwrap();
    assert_refused(&search(), &["data_batch_1.bin", "empty"], "empty file");
    fs::write(&file, &good[..3073 * 40 - 5]).unwrap();
    assert_refused(&search(), &["data_batch_1.bin", "3073"], "truncated file");
    good[3073 * 7] = 10;
    fs::write(&file, &good).unwrap();
    assert_refused(&search(), &["data_batch_1.bin", "label 10", "7"], "wrong label");

    fs::remove_file(&file).unwrap();
    let packed = zstd::encode_all(&vec![0u8; 3073 * 40][..], 3).unwrap();
    fs::write(data.join("data_batch_1.bin.zst"), &packed[..packed.len() / 2]).unwrap();
    assert_refused(&search(), &["data_batch_1.bin.zst"], "truncated zst");
    assert_eq!(names(folder.path()), ["data"]);
}

#[test]
fn a_recipe_for_other_data_is_refused_with_the_fitting_one() {
    let folder = tempfile::tempdir().unwrap();
    let refused = run(
        folder.path(),
        &["train", "--recipe", "cifar10-final", "--data", "digits", "--arch", "@NAONet-A", "--dry-run"],
    );
    assert_refused(&refused, &["cifar10-final", "digits"], "a recipe for other data");
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_one_clear_error_and_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    // A limit on file sizes stands in for a full disk: writing the store fails just as it would there.
    let script = format!("trap '' XFSZ; ulimit -f 8; exec '{}' search --out run", env!("CARGO_BIN_EXE_nao"));
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_refused(&output, &["disk full"], "full disk");
    assert_eq!(names(folder.path()), [""; 0]);

    let script =
        format!("trap '' XFSZ; ulimit -f 1; exec '{}' draw @NAONet-A -o cell.svg", env!("CARGO_BIN_EXE_nao"));
    let output = Command::new("bash").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
    assert_refused(&output, &["cell.svg", "disk full"], "full disk");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_read_only_folder_is_one_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let refused = run(folder.path(), &["search", "--out", "file/run"]);
    assert_refused(&refused, &["cannot create a run folder in file"], "a file as parent");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut child =
        nao(folder.path()).args(["space", "sample", "-n", "20000"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_unknown_choice_of_kernels_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = nao(folder.path()).args(["zoo"]).env("NAO_KERNELS", "sse4").output().unwrap();
    assert_refused(&output, &["NAO_KERNELS", "sse4", "auto", "burn"], "kernels");
    for known in ["auto", "avx2", "plain", "burn"] {
        let output = nao(folder.path()).args(["zoo"]).env("NAO_KERNELS", known).output().unwrap();
        assert!(output.status.success(), "{known}");
    }
}
