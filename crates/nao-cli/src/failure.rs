//! Exit codes: which error gives which, and how it is said.

use std::io;
use std::process::ExitCode;

/// The run itself failed, with sound input: exit code 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RunFailed(pub String);

/// The user stopped the run: exit code 130. The message says how to go on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Interrupted(pub String);

/// Says an error in one line and gives its exit code.
pub fn report(error: &anyhow::Error) -> ExitCode {
    if is_closed_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let message = format!("{error:#}").replace('\n', " ");
    if error.downcast_ref::<Interrupted>().is_some() {
        eprintln!("{message}");
        return ExitCode::from(130);
    }
    eprintln!("error: {message}");
    ExitCode::from(if error.downcast_ref::<RunFailed>().is_some() { 1 } else { 2 })
}

/// A reader such as `head` that has seen enough is no error.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.into_iter().any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
