//! Runs the real `nao` program.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Held for writing by tests that keep every processor busy, and for reading by tests that fail when all of them are.
static MACHINE: RwLock<()> = RwLock::new(());

/// Waits for the tests whose time is limited, and keeps them and the like of itself waiting until the guard is dropped.
#[cfg(target_os = "linux")]
pub fn without_timed_tests() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a test that keeps every processor busy, and keeps the next one waiting until the guard is dropped.
#[cfg(unix)]
pub fn timed() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}

/// The program in a folder, without settings from outside.
pub fn nao(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nao"));
    command.current_dir(folder).env_remove("NAO_LOG").env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    command.env("NAO_CACHE", folder.join("cache"));
    command
}

/// Runs `nao` with these words to its end.
pub fn run(folder: &Path, words: &[&str]) -> Output {
    nao(folder).args(words).output().expect("nao starts")
}

/// Standard output of a run that succeeded.
pub fn stdout(output: Output) -> String {
    assert!(output.status.success(), "{}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("nao writes UTF-8")
}
