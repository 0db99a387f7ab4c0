//! Runs the real `nao` program.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program, in a folder of its own and without settings from outside.
pub fn nao(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nao"));
    command.current_dir(folder).env_remove("NAO_LOG").env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    command.env("NAO_CACHE", folder.join("cache"));
    command
}

/// Runs `nao` with these words to its end.
#[allow(dead_code, reason = "not every test file runs it to its end")]
pub fn run(folder: &Path, words: &[&str]) -> Output {
    nao(folder).args(words).output().expect("nao starts")
}

/// Standard output of a run that succeeded.
#[allow(dead_code, reason = "not every test file looks at it")]
pub fn stdout(output: Output) -> String {
    assert!(output.status.success(), "{}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("nao writes UTF-8")
}
