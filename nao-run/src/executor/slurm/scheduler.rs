//! What is needed of a scheduler, and what it says. Narrow, so that a simulation can stand in for it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A scheduler of array jobs.
pub trait Scheduler {
    /// How large an array may be.
    fn limits(&mut self) -> Result<SchedulerLimits, SchedulerError>;

    /// Hands a job in. An error does not say that the scheduler has not taken it.
    fn submit(&mut self, job: &ArrayJob) -> Result<JobNumber, SchedulerError>;

    /// What there is to say of all tasks of all jobs of that name. Tasks that ended a while ago are forgotten.
    fn reports(&mut self, name: &str) -> Result<Vec<TaskReport>, SchedulerError>;

    /// Ends all jobs of that name.
    fn cancel(&mut self, name: &str) -> Result<(), SchedulerError>;
}

/// Why a scheduler has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchedulerError {
    /// It did not answer, or said to come again.
    #[error("the scheduler does not answer: {0}")]
    Unreachable(String),
    /// It takes no more jobs of this user for now.
    #[error("the scheduler takes no more jobs for now: {0}")]
    Full(String),
    /// It said no.
    #[error("the scheduler refuses: {0}")]
    Refused(String),
}

/// How large an array may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchedulerLimits {
    /// Most tasks of one array; their largest index is one less.
    pub tasks: usize,
}

/// The number of a job. The scheduler may give it out again after a crash: it names nothing that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobNumber(pub String);

impl fmt::Display for JobNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A job of many tasks, numbered from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayJob {
    /// The name of all jobs of the run.
    pub name: String,
    /// What no other job has.
    pub token: String,
    /// How many tasks.
    pub tasks: usize,
    /// How many of them at a time.
    pub parallel: Option<usize>,
    /// Nodes that get none.
    pub exclude: Vec<String>,
    /// What the user asked for.
    pub arguments: Vec<String>,
    /// The folder of the batch, with the script in `job.sh`.
    pub folder: PathBuf,
}

/// What the scheduler says of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskReport {
    /// That of its job.
    pub token: String,
    /// Its index; none where one line speaks of all tasks of the job that have not begun.
    pub index: Option<u32>,
    /// Its state.
    pub state: TaskState,
    /// Where it is or was.
    pub node: Option<String>,
    /// For how long.
    pub elapsed: Duration,
}

/// The state of a task. What is not known to be an end is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Waiting for its turn.
    Pending,
    /// On a node.
    Running,
    /// Ended well, as it thinks.
    Completed,
    /// Ended with an error.
    Failed,
    /// Ended by somebody.
    Cancelled,
    /// Ended by the time limit of the job.
    TimedOut,
    /// Ended for the memory that it took.
    OutOfMemory,
    /// Lost with its node; it may be started again.
    NodeFailed,
    /// Sent away for others; it may be started again.
    Preempted,
    /// Anything else, such as on its way from one state to another.
    Other(String),
}

impl TaskState {
    /// The state of a word of Slurm, in any version.
    pub fn of_word(word: &str) -> Self {
        match word {
            "PENDING" => TaskState::Pending,
            "RUNNING" => TaskState::Running,
            "COMPLETED" => TaskState::Completed,
            "FAILED" | "BOOT_FAIL" => TaskState::Failed,
            "CANCELLED" | "REVOKED" => TaskState::Cancelled,
            "TIMEOUT" | "DEADLINE" => TaskState::TimedOut,
            "OUT_OF_MEMORY" => TaskState::OutOfMemory,
            "NODE_FAIL" => TaskState::NodeFailed,
            "PREEMPTED" => TaskState::Preempted,
            other => TaskState::Other(other.to_owned()),
        }
    }

    /// Whether the task will do no more, if the scheduler does not start it again.
    pub fn has_ended(&self) -> bool {
        !matches!(self, TaskState::Pending | TaskState::Running | TaskState::Other(_))
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TaskState::Pending => "pending",
            TaskState::Running => "running",
            TaskState::Completed => "completed",
            TaskState::Failed => "failed",
            TaskState::Cancelled => "cancelled",
            TaskState::TimedOut => "timed out",
            TaskState::OutOfMemory => "out of memory",
            TaskState::NodeFailed => "node failed",
            TaskState::Preempted => "preempted",
            TaskState::Other(word) => return f.write_str(&word.to_lowercase()),
        })
    }
}
