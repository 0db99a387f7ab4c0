//! Who works on a task.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::host::host;

/// A process on some machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerId {
    /// The name of the machine, the scheduler's where there is one.
    pub host: String,
    /// The process.
    pub process: u32,
    /// When the process started, in ticks of its machine; tells it from a later one of the same number.
    pub started: Option<u64>,
    /// What tells apart the process numbers of this machine from those of others: boot and name space.
    pub machine: Option<String>,
    /// Its place in a scheduler.
    pub place: Option<Place>,
}

/// Where the scheduler runs a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The job.
    pub job: String,
    /// The task within its array.
    pub task: u32,
    /// How often the scheduler has started it again.
    pub restarts: u32,
}

impl WorkerId {
    /// This process.
    pub fn me() -> Self {
        let process = std::process::id();
        WorkerId {
            host: variable("SLURMD_NODENAME").unwrap_or_else(host),
            process,
            started: start_ticks(process),
            machine: machine(),
            place: Place::from_environment(),
        }
    }

    /// Whether this is certainly a process of this machine that is no more. Of other machines nothing is known.
    pub fn is_dead(&self) -> bool {
        let (Some(machine), Some(started)) = (&self.machine, self.started) else { return false };
        self::machine().as_ref() == Some(machine) && start_ticks(self.process) != Some(started)
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {}", self.process, self.host)?;
        match &self.place {
            Some(Place { job, task, .. }) => write!(f, " (job {job}, task {task})"),
            None => Ok(()),
        }
    }
}

impl Place {
    fn from_environment() -> Option<Self> {
        let number = |name| variable(name)?.parse().ok();
        Some(Place {
            job: variable("SLURM_ARRAY_JOB_ID")?,
            task: number("SLURM_ARRAY_TASK_ID")?,
            restarts: number("SLURM_RESTART_COUNT").unwrap_or(0),
        })
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What process numbers of this machine go with; none where the system does not say.
fn machine() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), space.display()))
}

/// When a process of this machine started; none for one that is no more, or only waits to be buried.
fn start_ticks(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join("stat")).ok()?;
    // The name, in parentheses, may hold anything; the state follows it, and the start is the twentieth word from there.
    let mut words = stat.rsplit_once(')')?.1.split_whitespace();
    let state = words.next()?;
    if matches!(state, "Z" | "X") { None } else { words.nth(18)?.parse().ok() }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_living_are_told_from_the_dead_and_from_strangers() {
        let me = WorkerId::me();
        assert!(!me.is_dead());
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let holder = WorkerId { process: child.id(), started: start_ticks(child.id()), ..me.clone() };
        assert!(!holder.is_dead());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(holder.is_dead());
        assert!(!WorkerId { machine: Some("another".into()), ..holder.clone() }.is_dead());
        // The number was given out again.
        assert!(WorkerId { started: Some(1), ..me.clone() }.is_dead());
        assert_eq!(serde_json::from_str::<WorkerId>(&serde_json::to_string(&me).unwrap()).unwrap(), me);
    }
}
