//! Where the real program writes: what `-o` may not destroy, what belongs to standard output alone, and the rights of what
//! is made.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::language::{TINY, write_text};
use crate::support::{nao, run, stdout};

/// Tiny cells.
const CELLS: &str = "--initial=2 --nodes=2 --epochs=1 --workers=1 --set=recipe.structure.width=4 \
                     --set=recipe.structure.cells_per_stage=1 --set=recipe.batch=128";

/// A search of two of them.
fn tiny_search(folder: &Path) {
    let words = format!("search --strategy=random --budget=2 {CELLS} --out=run");
    stdout(run(folder, &words.split_whitespace().collect::<Vec<_>>()));
}

/// Architectures with scores, for `nao fit`.
fn write_scores(folder: &Path) {
    let drawn = stdout(run(folder, &["space", "sample", "--space=nasbench201", "-n", "30"]));
    let rows = drawn.lines().enumerate().map(|(score, cell)| format!("{cell},{score}\n"));
    fs::write(folder.join("scores.csv"), format!("architecture,score\n{}", rows.collect::<String>()))
        .unwrap();
}

const FIT: &[&str] = &[
    "fit",
    "scores.csv",
    "--space=nasbench201",
    "--score=score",
    "--direction=maximize",
    "--unit=points",
    "--labels=20",
    "--splits=2",
];

/// Commands that write one file, without the option that says where.
fn writers(folder: &Path) -> Vec<Vec<&'static str>> {
    write_scores(folder);
    tiny_search(folder);
    vec![
        vec!["draw", "@NAONet-A", "--format=svg"],
        vec!["draw", "@NAONet-A", "--format=dot"],
        vec!["draw", "@NAONet-A", "--format=json"],
        vec!["export", "run", "--format=json"],
        FIT.to_vec(),
    ]
}

/// As a shell would run it.
fn shell(folder: &Path, script: &str) -> std::process::Output {
    let mut command = Command::new("sh");
    command.current_dir(folder).env("NAO", env!("CARGO_BIN_EXE_nao")).env("NAO_CACHE", folder.join("cache"));
    command.args(["-c", script]).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn output_goes_through_what_is_no_file_and_follows_links() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (number, words) in writers(folder).iter().enumerate() {
        let at = |name: &str| folder.join(format!("{name}-{number}"));
        let to = |path: &Path| run(folder, &[&words[..], &["-o", path.to_str().unwrap()]].concat());
        // A regular file says what is right.
        stdout(to(&at("whole")));
        let whole = fs::read(at("whole")).unwrap();
        assert!(!whole.is_empty());

        // A pipe stays one.
        let pipe = at("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = {
            let pipe = pipe.clone();
            std::thread::spawn(move || fs::read(pipe).unwrap())
        };
        stdout(to(&pipe));
        assert_eq!(reader.join().unwrap(), whole, "{words:?}");
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());

        // A device as well: even a user with the right to replace it does not.
        stdout(to(Path::new("/dev/null")));
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());

        // Of a link the target is written.
        fs::write(at("target"), "old").unwrap();
        symlink(at("target"), at("link")).unwrap();
        stdout(to(&at("link")));
        assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
        assert_eq!(fs::read(at("target")).unwrap(), whole);

        // A write-protected file is not replaced, not even by root.
        fs::set_permissions(at("target"), fs::Permissions::from_mode(0o444)).unwrap();
        fs::write(at("target"), "kept")
            .or_else(|_| {
                fs::set_permissions(at("target"), fs::Permissions::from_mode(0o644))?;
                fs::write(at("target"), "kept")?;
                fs::set_permissions(at("target"), fs::Permissions::from_mode(0o444))
            })
            .unwrap();
        for path in [at("target"), at("link")] {
            let refused = to(&path);
            let message = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert_eq!(
                (refused.status.code(), message.lines().count()),
                (Some(2), 1),
                "{words:?}: {message}"
            );
            assert!(message.contains("write-protected"), "{message}");
        }
        assert_eq!(fs::read(at("target")).unwrap(), b"kept");
    }
    let left = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with('.')).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn output_on_standard_output_stands_there_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for words in writers(folder) {
        let to = |path: &str| run(folder, &[&words[..], &["-o", path]].concat());
        stdout(to("whole"));
        let whole = fs::read_to_string(folder.join("whole")).unwrap();
        for path in ["-", "/dev/stdout"] {
            assert_eq!(stdout(to(path)).trim_end(), whole.trim_end(), "{words:?} {path}");
        }
        // A log that standard output is appended to keeps what it has.
        let line = format!("echo first > log; \"$NAO\" {} -o /dev/stdout >> log", words.join(" "));
        assert!(shell(folder, &line).status.success());
        let log = fs::read_to_string(folder.join("log")).unwrap();
        assert_eq!(log.trim_end(), format!("first\n{}", whole.trim_end()), "{words:?}");
        assert!(!folder.join("-").exists());
    }
    // Where a folder is made, there is no standard output.
    for words in [&["search"][..], &["train", "--arch=@NAONet-A"]] {
        let refused = run(folder, &[words, &["--out", "-"]].concat());
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!((refused.status.code(), message.lines().count()), (Some(2), 1), "{message}");
        assert!(!folder.join("-").exists());
    }
}

/// Everything below a folder with the bits of its rights.
fn rights(folder: &Path) -> Vec<(PathBuf, bool, u32)> {
    let mut all = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        all.push((path, metadata.is_dir(), metadata.permissions().mode() & 0o777));
    }
    all
}

#[test]
fn files_and_folders_have_the_rights_that_the_umask_leaves() {
    for umask in [0o077, 0o022, 0o002] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let structure = "--strategy=nao --set=strategy.preset=structure --budget=3 --per-round=1 \
             --set=strategy.structure.pretraining.steps=2 --set=strategy.structure.pretraining.cells=60 \
             --set=strategy.structure.pretraining.feature_samples=50 --set=strategy.structure.pretraining.batch=8";
        let random = "--strategy=random --budget=2";
        let small = "--epochs=1 --set=structure.width=4 --set=structure.cells_per_stage=1 --set=batch=128";
        let shared = CELLS.replace("--workers=1", "--executor=workers");
        let script = format!(
            "umask {umask:03o} && \"$NAO\" search {random} {CELLS} --out=run && \
             \"$NAO\" search {structure} {CELLS} --out=learned && \
             \"$NAO\" train --from run {small} --out=trained && \
             \"$NAO\" export trained --format=safetensors -o weights.safetensors && \
             \"$NAO\" draw @NAONet-A -o cell.svg && \
             (\"$NAO\" search {random} {shared} --out=shared & \
             \"$NAO\" worker shared --idle=60 && wait)"
        );
        let output = shell(folder, &script);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let wrong: Vec<String> =
            ["run", "learned", "trained", "shared", "cache", "weights.safetensors", "cell.svg"]
                .iter()
                .flat_map(|name| rights(&folder.join(name)))
                .filter(|(_, is_folder, mode)| *mode != if *is_folder { 0o777 } else { 0o666 } & !umask)
                .map(|(path, _, mode)| format!("{} {mode:03o}", path.display()))
                .collect();
        assert!(wrong.is_empty(), "umask {umask:03o}: {wrong:#?}");
    }
}

#[test]
fn what_is_long_is_printed_as_it_comes_and_ends_with_its_reader() {
    let folder = tempfile::tempdir().unwrap();
    for json in ["", "--json"] {
        let line =
            format!("\"$NAO\" space sample -n 100000000000 {json} | head -n 3; echo ${{PIPESTATUS:-}}");
        let output = shell(folder.path(), &line);
        assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 4, "{output:?}");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let two = |more: &[&str]| stdout(run(folder.path(), &[&["space", "sample", "-n", "2"], more].concat()));
    let array: Vec<String> = serde_json::from_str(&two(&["--json"])).unwrap();
    assert_eq!(array, two(&[]).lines().collect::<Vec<_>>());
    let none = stdout(run(folder.path(), &["space", "sample", "-n", "0", "--json"]));
    assert_eq!(none.trim(), "[]");
}

/// A reader that has gone is no error, of either stream.
#[test]
fn a_closed_pipe_ends_a_command_quietly() {
    let folder = tempfile::tempdir().unwrap();
    tiny_search(folder.path());
    for words in [
        &["zoo"][..],
        &["zoo", "--json"],
        &["space", "describe"],
        &["space", "sample", "-n", "5000"],
        &["best", "run"],
        &["best", "run", "--json"],
        &["status", "run"],
        &["draw", "@NAONet-A"],
        &["export", "run", "--format=json"],
        &["published"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = nao(folder.path()).args(words).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), &*message), (Some(0), ""), "{words:?}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let refused = nao(folder.path()).args(["draw", "@nobody"]).stderr(writer).status().unwrap();
        assert_eq!(refused.code(), Some(2));
    }
}

/// A search reports on standard error; it continues when the reader of that is gone.
#[test]
fn a_search_whose_messages_have_no_reader_ends_well() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_text(folder);
    // The reader ends at once, the search begins later.
    let script = format!(
        "{{ sleep 0.3; \"$NAO\" search --strategy=random --space=rnn --data=text:text {} --set=rounds.initial=2 \
         --set=rounds.budget=2 --out=run; echo $? > code; }} 2>&1 >/dev/null | true",
        TINY.join(" ")
    );
    shell(folder, &script);
    assert_eq!(fs::read_to_string(folder.join("code")).unwrap().trim(), "0");
    assert!(stdout(run(folder, &["best", "run"])).contains("perplexity"));
}

#[test]
fn numbers_of_processes_that_no_machine_has_room_for_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    tiny_search(folder.path());
    for words in [
        &["search", "--out=never", "--workers=1000000"][..],
        &["search", "--out=never", "--dry-run", "--set=execution.workers=1000000"],
        &["search", "--out=never", "--budget=100000000000"],
        &["resume", "run", "--workers=1000000"],
        &["worker", "run", "--slots=60000"],
        &["worker", "run", "--threads=1000000"],
        &["simulate", "--trials=100000000000"],
        &["simulate", "--slots=100000000000"],
        &["bench", "--budget=100000000000"],
    ] {
        let begun = std::time::Instant::now();
        let output = run(folder.path(), words);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {message}");
        assert!(begun.elapsed().as_secs() < 20, "{words:?}");
        assert!(!folder.path().join("never").exists());
    }
}
