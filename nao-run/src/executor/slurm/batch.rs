//! Batches: what one array job is to do, written down before it is handed in.
//!
//! ```text
//! batches/name                 the name of all jobs of the run
//! batches/00003/manifest       a line per task: the keys of its trials
//! batches/00003/job.sh         the script
//! batches/00003/job            the number that the scheduler gave it, once it did
//! batches/00003/task-7.log     what task 7 printed
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::scheduler::JobNumber;
use crate::error::{Context, Result, bail};
use crate::executor::exchange::{Exchange, TaskKey, publish_once};
use crate::files::{read_text, write_whole};

/// How a task of an array starts its workers.
#[derive(Clone, Debug)]
pub struct Start {
    /// The `nao` program, where every node finds it.
    pub program: PathBuf,
    /// Workers side by side.
    pub slots: usize,
}

/// An array job of the run.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Counted from 1 over the life of the run.
    pub number: u32,
    /// Its folder.
    pub folder: PathBuf,
    /// What no other job has.
    pub token: String,
    /// The trials of each task of the array.
    pub tasks: Vec<Vec<TaskKey>>,
    /// The number that the scheduler gave it, as far as known.
    pub job: Option<JobNumber>,
}

impl Batch {
    /// Writes a batch down, whole.
    pub fn create(exchange: &Exchange, number: u32, tasks: Vec<Vec<TaskKey>>, start: &Start) -> Result<Self> {
        let failed = || format!("cannot write to {}: is the disk full?", exchange.batches().display());
        let name = job_name(exchange)?;
        let building =
            tempfile::Builder::new().prefix(".new-").tempdir_in(exchange.batches()).with_context(failed)?;
        let lines: Vec<String> = tasks
            .iter()
            .map(|keys| keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
            .collect();
        write_whole(&building.path().join("manifest"), format!("{}\n", lines.join("\n")).as_bytes())?;
        let script = script(exchange.run(), number, start)?;
        write_whole(&building.path().join("job.sh"), script.as_bytes())?;
        let folder = folder_of(exchange, number);
        fs::rename(building.path(), &folder).with_context(failed)?;
        let _ = building.keep();
        Ok(Batch { number, token: token(&name, number), folder, tasks, job: None })
    }

    /// All batches of the run in order.
    pub fn all(exchange: &Exchange) -> Result<Vec<Self>> {
        let folder = exchange.batches();
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let names = entries.flatten().map(|entry| entry.file_name());
        let mut numbers: Vec<u32> = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
        numbers.sort_unstable();
        numbers.into_iter().map(|number| Self::read(exchange, number)).collect()
    }

    /// One batch.
    pub fn read(exchange: &Exchange, number: u32) -> Result<Self> {
        let folder = folder_of(exchange, number);
        let manifest = folder.join("manifest");
        let mut tasks = Vec::new();
        for line in read_text(&manifest)?.lines() {
            let keys: Result<Vec<TaskKey>, _> = line.split_whitespace().map(str::parse).collect();
            tasks.push(keys.with_context(|| format!("{} is damaged", manifest.display()))?);
        }
        let job = fs::read_to_string(folder.join("job")).ok().map(|text| JobNumber(text.trim().to_owned()));
        Ok(Batch { number, token: token(&job_name(exchange)?, number), folder, tasks, job })
    }

    /// Keeps the number that the scheduler gave it.
    pub fn handed_in(&mut self, job: JobNumber) -> Result<()> {
        write_whole(&self.folder.join("job"), job.0.as_bytes())?;
        self.job = Some(job);
        Ok(())
    }
}

/// The name of all jobs of the run, which no other run has.
pub fn job_name(exchange: &Exchange) -> Result<String> {
    let path = exchange.batches().join("name");
    if !path.exists() {
        // Says nothing about results, so a clock may help to make it unique.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let run = std::path::absolute(exchange.run()).unwrap_or_else(|_| exchange.run().to_owned());
        let text = format!("{} {since} {}", run.display(), std::process::id());
        let digest = Sha256::digest(text.as_bytes());
        let word: String = digest[..5].iter().map(|byte| format!("{byte:02x}")).collect();
        publish_once(&path, format!("nao-{word}").as_bytes())?;
    }
    Ok(read_text(&path)?.trim().to_owned())
}

/// Whether a run has, or had, jobs.
pub fn has_jobs(exchange: &Exchange) -> bool {
    exchange.batches().join("name").is_file()
}

fn folder_of(exchange: &Exchange, number: u32) -> PathBuf {
    exchange.batches().join(format!("{number:05}"))
}

fn token(name: &str, number: u32) -> String {
    format!("{name}:{number}")
}

/// The script: the program takes the place of the shell, and so gets the signals that are meant for it.
fn script(run: &Path, number: u32, start: &Start) -> Result<String> {
    let quoted = |path: &Path| -> Result<String> {
        let path = std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()))?;
        let Some(text) = path.to_str() else { bail!("{} has a name that is no text", path.display()) };
        Ok(shlex::try_quote(text).with_context(|| format!("{text} cannot be quoted"))?.into_owned())
    };
    let Start { program, slots } = start;
    Ok(format!(
        "#!/bin/sh\nexec {} worker {} --batch {number} --slots {slots}\n",
        quoted(program)?,
        quoted(run)?
    ))
}
