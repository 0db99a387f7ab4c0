//! A scheduler, with a clock, that does as it is told.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use super::{ArrayJob, JobNumber, Scheduler, SchedulerError, SchedulerLimits, TaskReport, TaskState};
use crate::executor::Clock;

/// What the scheduler is told to do, and what it was asked.
#[derive(Default)]
pub(super) struct Script {
    pub(super) now: Duration,
    pub(super) limit: usize,
    /// Answers to submissions; taken where there is none left.
    pub(super) answers: VecDeque<Answer>,
    pub(super) silent: bool,
    pub(super) jobs: Vec<ArrayJob>,
    pub(super) states: Vec<TaskReport>,
    pub(super) questions: usize,
    pub(super) is_cancelled: bool,
}

pub(super) enum Answer {
    /// Taken, and said so.
    Taken,
    /// Taken, though it says otherwise.
    TakenBut(SchedulerError),
    Not(SchedulerError),
}

#[derive(Clone)]
pub(super) struct Told(pub(super) Rc<RefCell<Script>>);

impl Told {
    pub(super) fn of(script: Script) -> Self {
        Told(Rc::new(RefCell::new(script)))
    }
}

impl Clock for Told {
    fn now(&self) -> Duration {
        self.0.borrow().now
    }

    fn sleep(&self, time: Duration) {
        self.0.borrow_mut().now += time;
    }
}

impl Scheduler for Told {
    fn limits(&mut self) -> Result<SchedulerLimits, SchedulerError> {
        let script = &mut *self.0.borrow_mut();
        script.questions += 1;
        if script.silent { Err(unreachable()) } else { Ok(SchedulerLimits { tasks: script.limit }) }
    }

    fn submit(&mut self, job: &ArrayJob) -> Result<JobNumber, SchedulerError> {
        let script = &mut *self.0.borrow_mut();
        let answer = script.answers.pop_front().unwrap_or(Answer::Taken);
        if let Answer::Not(error) = answer {
            return Err(error);
        }
        script
            .states
            .extend((0..job.tasks).map(|index| report(&job.token, index as u32, TaskState::Pending)));
        script.jobs.push(job.clone());
        match answer {
            Answer::TakenBut(error) => Err(error),
            _ => Ok(JobNumber(script.jobs.len().to_string())),
        }
    }

    fn reports(&mut self, _name: &str) -> Result<Vec<TaskReport>, SchedulerError> {
        let script = &mut *self.0.borrow_mut();
        script.questions += 1;
        if script.silent { Err(unreachable()) } else { Ok(script.states.clone()) }
    }

    fn cancel(&mut self, _name: &str) -> Result<(), SchedulerError> {
        self.0.borrow_mut().is_cancelled = true;
        Ok(())
    }
}

fn report(token: &str, index: u32, state: TaskState) -> TaskReport {
    let node = Some(format!("n{index}"));
    TaskReport { token: token.into(), index: Some(index), state, node, elapsed: Duration::from_secs(5) }
}

pub(super) fn unreachable() -> SchedulerError {
    SchedulerError::Unreachable("timed out".into())
}
