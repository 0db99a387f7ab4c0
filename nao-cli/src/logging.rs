//! Logging to standard error, by `--verbose` or `NAO_LOG`.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts the logger: warnings by default, more with each `-v`. `NAO_LOG` (such as `nao_child=debug`) wins.
pub fn start(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "nao=info,nao_cli=info,nao_child=info,nao_controller=info,nao_space=info",
        2 => "nao=debug,nao_cli=debug,nao_child=debug,nao_controller=debug,nao_space=debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_env("NAO_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Colours are for terminals, unless NO_COLOR is set.
    let is_coloured =
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|word| word.is_empty());
    // A log whose reader is gone does not stop the command.
    subscriber.with_target(false).with_ansi(is_coloured).log_internal_errors(false).init();
}
