//! Exit codes: which error gives which, and how it is said.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use nao_run::{RunError, quoted};
use nao_space::excerpt::shortened;

use crate::output::tell;

/// The most characters of a message: a screen of 24 lines, less one for the prompt.
const SCREEN: usize = 23 * 80 - 40;

/// The exit code of a command that was stopped from outside.
pub const STOPPED: u8 = 130;

/// The run itself failed, with sound input: exit code 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RunFailed(pub String);

/// The user stopped the run: exit code 130. The message says how to go on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Interrupted(pub String);

/// The last words of a command that was stopped and can go on from a folder.
pub fn stopped_at(folder: &Path) -> String {
    format!("stopped; go on with:  nao resume {}", quoted(folder))
}

/// Says an error in one line, which fits on a screen, and gives its exit code.
pub fn report(error: &anyhow::Error) -> ExitCode {
    if is_closed_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let message = shortened(&told_once(error).replace('\n', " "), SCREEN);
    let of_run = error.chain().find_map(|cause| cause.downcast_ref::<RunError>()).map(RunError::root);
    if error.downcast_ref::<Interrupted>().is_some() || matches!(of_run, Some(RunError::Interrupted(_))) {
        tell(message);
        return ExitCode::from(STOPPED);
    }
    tell(format_args!("error: {message}"));
    let has_failed =
        error.downcast_ref::<RunFailed>().is_some() || matches!(of_run, Some(RunError::Failed(_)));
    ExitCode::from(if has_failed { 1 } else { 2 })
}

/// An error with its causes. Many errors of the libraries say their cause themselves; it is not said twice.
fn told_once(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// A reader such as `head` that has seen enough is no error.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.into_iter().any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let cause = || io::Error::other("the disk is full");
        let quiet = anyhow::Error::new(cause()).context("cannot write a.json");
        assert_eq!(told_once(&quiet), "cannot write a.json: the disk is full");
        let telling =
            anyhow::Error::new(cause()).context("cannot write a.json (the disk is full); free some space");
        assert_eq!(told_once(&telling), "cannot write a.json (the disk is full); free some space");
    }
}
