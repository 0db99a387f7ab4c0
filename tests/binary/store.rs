//! Run folders in distress: a full disk, a read-only folder, torn files, a store of a newer program.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::history::{Row, count_done, history, search, wait_until};
use crate::support::{run, stdout};
use rusqlite::Connection;
use tempfile::TempDir;

/// A finished search of five cells in two rounds.
fn finished(folder: &Path, out: &str, strategy: &str) -> PathBuf {
    let mut command = search(folder, out, "2");
    command.args(["--set=rounds.initial=3", "--set=rounds.per_round=2", "--set=rounds.budget=5"]);
    command.args(["--strategy", strategy]);
    stdout(command.stderr(Stdio::piped()).output().unwrap());
    folder.join(out)
}

/// The one line of a command that was refused for its input.
fn refused(output: &Output) -> String {
    let message = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.starts_with("error: ") && message.lines().count() == 1, "not one line: {message}");
    assert!(output.stdout.is_empty(), "{message}");
    message
}

/// All files below a folder.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(contents(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}

/// A mounted file system, which only root can make.
struct Disk {
    folder: TempDir,
}

impl Disk {
    fn of_megabytes(size: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size}m");
        let mut mount = Command::new("mount");
        let output =
            mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "no file system can be mounted here: {told}");
        Disk { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let status = Command::new("mount").args(["-o", &options]).arg(self.path()).status().unwrap();
        assert!(status.success(), "mount -o {options}: {status}");
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut filler = fs::File::create(self.path().join("filler")).unwrap();
        while filler.write_all(&[1; 4096]).is_ok() {}
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a worker that is about to end may still stand in it.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[test]
#[cfg_attr(not(mount), ignore = "needs NAO_TEST_MOUNT=1 and the right to mount a file system")]
fn a_search_on_a_full_disk_says_so_and_goes_on_when_there_is_room() {
    let disk = Disk::of_megabytes(8);
    let folder = tempfile::tempdir().unwrap();
    assert!(search(folder.path(), "whole", "2").status().unwrap().success());
    let whole = history(&folder.path().join("whole"));

    let out = disk.path().join("run");
    let out_text = out.to_str().unwrap();
    let mut child = search(folder.path(), out_text, "2").stderr(Stdio::piped()).spawn().unwrap();
    wait_until(&mut child, "three trials done", || count_done(&out) >= 3);
    disk.fill();
    let says_full = |message: &str| {
        assert!(message.contains(out_text), "{message}");
        assert!(
            message.contains("the disk is full") || message.contains("database or disk is full"),
            "{message}"
        );
    };
    says_full(&refused(&child.wait_with_output().unwrap()));
    let before = history(&out);
    let is_kept = |row: &&Row| row.status == "done";
    let kept: Vec<&Row> = before.iter().filter(is_kept).collect();
    assert!((3..10).contains(&kept.len()), "{before:#?}");
    assert!(kept.iter().all(|row| whole.contains(row)), "{before:#?}");

    // Results can be looked at all the same; going on takes room.
    assert!(stdout(run(folder.path(), &["best", out_text])).contains("accuracy"));
    says_full(&refused(&run(folder.path(), &["resume", out_text, "--json"])));
    assert_eq!(history(&out).iter().filter(is_kept).collect::<Vec<_>>(), kept);

    disk.remount("size=32m");
    stdout(run(folder.path(), &["resume", out_text]));
    assert_eq!(history(&out), whole);
}

// Permissions do not bind root, only a file system that is mounted for reading does.
#[cfg(unix)]
#[test]
#[cfg_attr(all(root, not(mount)), ignore = "needs NAO_TEST_MOUNT=1 and the right to mount a file system")]
fn a_read_only_folder_can_be_looked_at_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let disk = cfg!(mount).then(|| Disk::of_megabytes(32));
    let place = disk.as_ref().map_or(folder.path(), Disk::path);
    let run_folder = finished(place, "run", "random");
    let text = run_folder.to_str().unwrap();
    let unfinished =
        fs::read_to_string(run_folder.join("run.toml")).unwrap().replace("budget = 5", "budget = 6");
    fs::write(run_folder.join("run.toml"), unfinished).unwrap();
    let best = stdout(run(folder.path(), &["best", text]));
    let chmod = |mode: &str| {
        assert!(Command::new("chmod").args(["-R", mode, text]).status().unwrap().success());
    };
    match &disk {
        Some(disk) => disk.remount("ro"),
        None => chmod("a-w"),
    }

    let before = contents(&run_folder);
    assert_eq!(stdout(run(folder.path(), &["best", text])), best);
    assert!(stdout(run(folder.path(), &["draw", text, "--rank", "2"])).contains("<svg"));
    stdout(run(folder.path(), &["export", text, "--format=json", "--output=best.json"]));
    let message = refused(&run(folder.path(), &["resume", text, "--json"]));
    assert!(message.contains("lock") && message.contains("read-only"), "{message}");
    assert_eq!(contents(&run_folder), before);

    match &disk {
        Some(disk) => disk.remount("rw"),
        None => chmod("u+w"),
    }
    stdout(run(folder.path(), &["resume", text]));
    assert_eq!(history(&run_folder).len(), 6);
}

#[test]
fn results_can_be_looked_at_while_a_search_writes_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = search(folder.path(), "run", "2").stderr(Stdio::null()).spawn().unwrap();
    wait_until(&mut child, "the store", || folder.path().join("run").exists());
    let look = || {
        let best = stdout(run(folder.path(), &["best", "run", "--top", "10", "--json"]));
        serde_json::from_str::<serde_json::Value>(&best).unwrap().as_array().unwrap().len()
    };
    let mut seen = vec![0];
    while child.try_wait().unwrap().is_none() {
        seen.push(look());
    }
    assert!(child.wait().unwrap().success());
    seen.push(look());
    assert!(seen.is_sorted() && seen.ends_with(&[10]), "{seen:?}");
    assert!(seen.iter().any(|count| (1..10).contains(count)), "no result was read in between: {seen:?}");
}

#[test]
fn a_torn_file_is_named_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = finished(folder.path(), "run", "nao");
    let whole = history(&run_folder);
    for name in ["run.toml", "manifest.json", "controller/round-001.state", "trials.sqlite"] {
        let path = run_folder.join(name);
        let content = fs::read(&path).unwrap();
        let size = content.len();
        for end in [0, 60, size / 3, size / 2, size - 30] {
            fs::write(&path, &content[..end]).unwrap();
            let mut messages = vec![refused(&run(folder.path(), &["resume", "run", "--json"]))];
            if name == "trials.sqlite" {
                messages.push(refused(&run(folder.path(), &["best", "run"])));
                messages.push(refused(&run(folder.path(), &["draw", "run"])));
            }
            for message in messages {
                assert!(message.contains(name), "{name} cut to {end} of {size} bytes: {message}");
            }
        }
        fs::write(&path, &content).unwrap();
    }
    stdout(run(folder.path(), &["resume", "run"]));
    assert_eq!(history(&run_folder), whole);

    // What is no journal is no harm; what is half a one is named.
    let journal = run_folder.join("trials.sqlite-journal");
    fs::write(&journal, "garbage").unwrap();
    stdout(run(folder.path(), &["best", "run"]));
    assert_eq!(fs::read(&journal).unwrap(), b"garbage", "looking changes nothing");
    stdout(run(folder.path(), &["resume", "run"]));
    assert_eq!(history(&run_folder), whole);
    fs::write(&journal, b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7 and no more").unwrap();
    for words in [&["resume", "run", "--json"][..], &["best", "run"]] {
        let message = refused(&run(folder.path(), words));
        assert!(message.contains("trials.sqlite-journal is torn"), "{message}");
    }
    fs::remove_file(&journal).unwrap();
    assert_eq!(history(&run_folder), whole);
}

#[test]
fn a_store_of_a_newer_program_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = finished(folder.path(), "run", "random");
    let store = run_folder.join("trials.sqlite");
    Connection::open(&store).unwrap().pragma_update(None, "user_version", 3).unwrap();
    let before = fs::read(&store).unwrap();
    for words in [&["resume", "run", "--json"][..], &["best", "run"], &["draw", "run"]] {
        let message = refused(&run(folder.path(), words));
        assert!(message.contains("trials.sqlite has version 3"), "{message}");
        assert!(message.contains("a newer nao wrote it"), "{message}");
        assert_eq!(fs::read(&store).unwrap(), before);
    }
}
