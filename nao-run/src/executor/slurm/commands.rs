//! Slurm by its commands: `sbatch`, `squeue`, `scancel`, `scontrol`. Text with a format of our own, which is the same in
//! every version; its JSON is not. Accounting (`sacct`) is not needed.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::scheduler::{
    ArrayJob, JobNumber, Scheduler, SchedulerError, SchedulerLimits, TaskReport, TaskState,
};
use crate::error::bail;

/// How long a command may take. Slurm's own clients give up earlier.
const PATIENCE: Duration = Duration::from_secs(60);

/// Arrays of a Slurm that does not say how large they may be.
const USUAL_ARRAY: usize = 1_001;

/// Seconds before its time limit that a task is told of it.
const WARNING: u32 = 120;

/// The Slurm of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SlurmCommands;

impl Scheduler for SlurmCommands {
    fn limits(&mut self) -> Result<SchedulerLimits, SchedulerError> {
        let text = ask("scontrol", &["show".into(), "config".into()]).map_err(unknown)?;
        Ok(SchedulerLimits { tasks: array_limit(&text).unwrap_or(USUAL_ARRAY) })
    }

    fn submit(&mut self, job: &ArrayJob) -> Result<JobNumber, SchedulerError> {
        let text = ask("sbatch", &submission(job))?;
        // `ID` or `ID;CLUSTER`, after whatever a site's plugins say.
        let last = text.lines().last().unwrap_or_default().trim();
        let number = last.split(';').next().unwrap_or_default();
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(SchedulerError::Unreachable(format!("sbatch said `{last}` instead of a job number")));
        }
        Ok(JobNumber(number.to_owned()))
    }

    fn reports(&mut self, name: &str) -> Result<Vec<TaskReport>, SchedulerError> {
        let arguments = ["-h", "-r", "-t", "all", "-o", "%k|%K|%T|%N|%M"].map(str::to_owned);
        let text = ask("squeue", &[&arguments[..], &[format!("--name={name}")]].concat()).map_err(unknown)?;
        Ok(text.lines().filter_map(report).collect())
    }

    fn cancel(&mut self, name: &str) -> Result<(), SchedulerError> {
        ask("scancel", &[format!("--name={name}")]).map(drop)
    }
}

/// Whatever a question is answered with that is no answer, nothing is known, and nothing has failed.
fn unknown(error: SchedulerError) -> SchedulerError {
    match error {
        SchedulerError::Refused(text) | SchedulerError::Full(text) => SchedulerError::Unreachable(text),
        error => error,
    }
}

/// The arguments of `sbatch`. The user's come last, for the last word counts.
fn submission(job: &ArrayJob) -> Vec<String> {
    let mut arguments = vec![
        "--parsable".to_owned(),
        "--requeue".to_owned(),
        "--open-mode=append".to_owned(),
        format!("--signal=B:USR1@{WARNING}"),
        format!("--job-name={}", job.name),
        format!("--comment={}", job.token),
        format!("--output={}", job.folder.join("task-%a.log").display()),
        match job.parallel {
            Some(parallel) => format!("--array=0-{}%{}", job.tasks - 1, parallel.max(1)),
            None => format!("--array=0-{}", job.tasks - 1),
        },
    ];
    if !job.exclude.is_empty() {
        arguments.push(format!("--exclude={}", job.exclude.join(",")));
    }
    arguments.extend(job.arguments.iter().cloned());
    arguments.push(job.folder.join("job.sh").display().to_string());
    arguments
}

/// Options that are ours.
const OURS: [(&str, &str); 6] = [
    ("--array", "-a"),
    ("--job-name", "-J"),
    ("--comment", "--comment"),
    ("--output", "-o"),
    ("--wrap", "--wrap"),
    ("--wait", "-W"),
];

/// Checks that there is a Slurm here. Whether it answers at the moment does not matter.
pub fn check_slurm() -> crate::Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |program: &str| std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    for program in ["sbatch", "squeue", "scancel", "scontrol"] {
        if !is_there(program) {
            bail!("no {program} here: --executor slurm is for machines from which jobs are handed in");
        }
    }
    Ok(())
}

/// The words of `--slurm-args`.
pub fn check_arguments(text: &str) -> crate::Result<Vec<String>> {
    let Some(words) = shlex::split(text) else { bail!("--slurm-args: a quote in `{text}` is not closed") };
    for word in &words {
        let is = |(long, short): &(&str, &str)| {
            let name = word.split('=').next().unwrap_or_default();
            name == *long || (short.len() == 2 && !word.starts_with("--") && word.starts_with(short))
        };
        if let Some((option, _)) = OURS.iter().find(|option| is(option)) {
            bail!("--slurm-args: {option} is set by nao; leave it out");
        }
    }
    if words.first().is_some_and(|word| !word.starts_with('-')) {
        bail!("--slurm-args: expected options of sbatch, such as --partition=gpu; found `{}`", words[0]);
    }
    Ok(words)
}

/// What a command prints.
fn ask(program: &str, arguments: &[String]) -> Result<String, SchedulerError> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|error| {
        SchedulerError::Refused(format!("cannot start {program} ({error}): is Slurm on this machine?"))
    })?;
    let Some((success, output, errors)) = outcome(child) else {
        return Err(SchedulerError::Unreachable(format!(
            "{program} took more than {} s",
            PATIENCE.as_secs()
        )));
    };
    if success { Ok(output) } else { Err(refusal(program, &errors)) }
}

/// How a command ended, and what it printed; `None` if it had to be killed.
fn outcome(mut child: Child) -> Option<(bool, String, String)> {
    let reader = |source: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut source) = source {
                let _ = source.read_to_end(&mut bytes);
            }
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let output = reader(child.stdout.take().map(|pipe| Box::new(pipe) as _));
    let errors = reader(child.stderr.take().map(|pipe| Box::new(pipe) as _));
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(5)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    };
    Some((status.success(), output.join().ok()?, errors.join().ok()?))
}

/// What an error of a Slurm command means.
fn refusal(program: &str, errors: &str) -> SchedulerError {
    let said: Vec<&str> = errors.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let text = format!("{program}: {}", said.join("; "));
    let any = |words: &[&str]| words.iter().any(|word| errors.to_lowercase().contains(word));
    if any(&["submit limit", "maxsubmit", "job count", "qosmax", "assocmax", "assocgrp"]) {
        return SchedulerError::Full(text);
    }
    let passing = [
        "timed out",
        "unable to contact",
        "connection refused",
        "connection reset",
        "zero bytes",
        "temporarily",
        "communication",
        "unexpected message",
        "slurm backup controller",
        "i/o error writing script",
        "security violation",
        "protocol authentication",
    ];
    if said.is_empty() || any(&passing) {
        SchedulerError::Unreachable(text)
    } else {
        SchedulerError::Refused(text)
    }
}

/// The most tasks that an array may have, as `scontrol show config` says.
fn array_limit(config: &str) -> Option<usize> {
    let value = |key: &str| {
        let line =
            config.lines().find(|line| line.split('=').next().is_some_and(|name| name.trim() == key))?;
        Some(line.split_once('=')?.1.trim())
    };
    let largest = value("MaxArraySize").and_then(|text| text.parse().ok());
    let parameters = value("SchedulerParameters").unwrap_or_default();
    let at_once = parameters.split(',').find_map(|word| word.strip_prefix("max_array_tasks="));
    let at_once = at_once.and_then(|text| text.parse().ok());
    let limit: Option<usize> = largest.into_iter().chain(at_once).min();
    limit.filter(|limit| *limit > 0)
}

/// A line of `squeue`; none for a job that is not ours.
fn report(line: &str) -> Option<TaskReport> {
    let mut words = line.split('|').map(str::trim);
    let (token, index, state) = (words.next()?, words.next()?, words.next()?);
    let (node, elapsed) = (words.next()?, words.next()?);
    Some(TaskReport {
        token: token.to_owned(),
        index: index.parse().ok(),
        state: TaskState::of_word(state),
        node: Some(node.to_owned()).filter(|node| !node.is_empty()),
        elapsed: span(elapsed).unwrap_or_default(),
    })
}

/// A time of Slurm: `[DAYS-]HOURS:MINUTES:SECONDS`, or `MINUTES:SECONDS`.
fn span(text: &str) -> Option<Duration> {
    let (days, clock) = text.split_once('-').unwrap_or(("0", text));
    let mut seconds = 0;
    for part in clock.split(':') {
        seconds = seconds * 60 + part.parse::<u64>().ok()?;
    }
    Some(Duration::from_secs(days.parse::<u64>().ok()? * 86_400 + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_the_smaller_of_two() {
        let config = "Configuration data\nMaxArraySize            = 1001\nMaxJobCount = 5\n";
        assert_eq!(array_limit(config), Some(1001));
        let config = format!("{config}SchedulerParameters = bf_interval=1,max_array_tasks=10\n");
        assert_eq!(array_limit(&config), Some(10));
        assert_eq!(array_limit("nothing = 1"), None);
    }

    #[test]
    fn lines_of_the_queue_are_read() {
        let read = report("nao-1:2|7|RUNNING|n1|1-02:03:04").unwrap();
        assert_eq!((read.token.as_str(), read.index, &read.state), ("nao-1:2", Some(7), &TaskState::Running));
        assert_eq!(read.elapsed, Duration::from_secs(86_400 + 2 * 3_600 + 3 * 60 + 4));
        let waiting = report("nao-1:2|3-9%2|PENDING||0:00").unwrap();
        assert_eq!((waiting.index, waiting.node), (None, None));
        assert!(!report("(null)|N/A|SOMETHING_NEW||INVALID").unwrap().state.has_ended());
        assert!(report("").is_none());
    }

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        let lines = [
            ("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation", "answer"),
            ("slurm_load_jobs error: Unable to contact slurm controller (connect failure)", "answer"),
            ("", "answer"),
            (
                "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
                "takes no more",
            ),
            (
                "sbatch: error: invalid partition specified: nowhere\nsbatch: error: Batch job submission failed: Invalid partition name specified",
                "refuses",
            ),
            ("sbatch: error: Batch job submission failed: Invalid job array specification", "refuses"),
        ];
        for (line, word) in lines {
            let error = refusal("sbatch", line).to_string();
            assert!(error.contains(word) && !error.contains('\n'), "{line}: {error}");
        }
    }

    #[test]
    fn options_of_ours_are_refused() {
        assert_eq!(check_arguments("-p gpu --time='1:00 '").unwrap(), ["-p", "gpu", "--time=1:00 "]);
        assert_eq!(check_arguments("").unwrap(), Vec::<String>::new());
        for text in ["--array=0-3", "-a0-3", "--comment x", "-J name", "-oout", "'open", "gpu"] {
            assert!(check_arguments(text).is_err(), "{text}");
        }
        // Those that only look alike are not ours.
        assert!(check_arguments("--account=a --array-inx=3 -A x").is_ok());
    }
}
