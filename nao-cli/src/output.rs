//! Where what a command makes goes: to standard output, or into a file that the user named.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use nao_run::files::write_whole;
use serde::Serialize;

/// The place that `-o` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Standard output, which then holds nothing else.
    Standard,
    /// A file.
    File(PathBuf),
}

impl Output {
    /// What the user named: nothing, `-` and `/dev/stdout` are standard output.
    pub fn of(named: Option<&Path>) -> Self {
        let standard = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].map(Path::new);
        match named {
            Some(path) if !standard.contains(&path) => Output::File(path.to_owned()),
            _ => Output::Standard,
        }
    }

    /// The name of the file, where it says what is to be in it: that of a device or a pipe says nothing.
    pub fn telling_name(&self) -> Option<&Path> {
        match self {
            Output::File(path) if path.is_file() || !path.exists() => Some(path),
            _ => None,
        }
    }

    /// Writes text.
    pub fn write_text(&self, text: &str) -> Result<()> {
        match self {
            Output::Standard => print_text(text),
            Output::File(path) => Ok(write_whole(path, text.as_bytes())?),
        }
    }

    /// Writes what is no text.
    pub fn write_bytes(&self, content: &[u8]) -> Result<()> {
        match self {
            Output::Standard if io::stdout().is_terminal() => {
                bail!(
                    "tensors are no text for a terminal: name a file with --output, or send them to a program"
                )
            }
            Output::Standard => {
                let mut out = io::stdout().lock();
                out.write_all(content)?;
                Ok(out.flush()?)
            }
            Output::File(path) => Ok(write_whole(path, content)?),
        }
    }

    /// Says something besides: on standard output, unless that is where the output goes.
    pub fn say(&self, text: &str) -> Result<()> {
        match self {
            Output::Standard => {
                tell(text.trim_end_matches('\n'));
                Ok(())
            }
            Output::File(_) => print_text(text),
        }
    }
}

/// Prints a value as indented JSON.
pub fn print_json<T: Serialize>(value: &T) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// Prints text; a closed pipe comes back as an error and is none at the end.
pub fn print_text(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", text.trim_end_matches('\n'))?;
    Ok(out.flush()?)
}

/// Prints texts as they come: one on a line, or as an indented JSON array.
pub fn print_each(texts: impl Iterator<Item = String>, json: bool) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    if !json {
        for text in texts {
            writeln!(out, "{text}")?;
        }
        return Ok(out.flush()?);
    }
    let mut between = "[";
    for text in texts {
        write!(out, "{between}\n  ")?;
        serde_json::to_writer(&mut out, &text).map_err(io::Error::from)?;
        between = ",";
    }
    let end = if between == "[" { "[]" } else { "\n]" };
    writeln!(out, "{end}")?;
    Ok(out.flush()?)
}

/// Prints a message on standard error, whose reader may be gone.
pub fn tell(message: impl Display) {
    let _ = writeln!(io::stderr(), "{message}");
}

/// Prints a message on standard output before the command ends; its reader may be gone.
pub fn mention(message: impl Display) {
    let _ = writeln!(io::stdout(), "{message}");
}
