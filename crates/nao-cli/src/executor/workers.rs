//! Trials for `nao worker RUN` processes, on any machines that share the run folder.

use std::time::Duration;

use anyhow::Result;
use nao_space::{Trial, TrialId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Clock, Desk, Event, Exchange, Executor, Left, Naming, WorkOrder};

/// How workers are followed.
#[derive(Clone, Debug)]
pub struct WorkersSettings {
    /// What is asked of them.
    pub order: WorkOrder,
    /// Time between two looks for results.
    pub files_every: Duration,
    /// Time between two looks at heartbeats.
    pub attempts_every: Duration,
}

/// Puts trials up in the run folder and waits for whoever takes them.
pub struct WorkersExecutor<A, C> {
    desk: Desk<A>,
    settings: WorkersSettings,
    clock: C,
    next_files: Duration,
    next_attempts: Duration,
}

impl<A: Serialize + DeserializeOwned, C: Clock> WorkersExecutor<A, C> {
    /// An executor at the run folder.
    pub fn new(exchange: Exchange, naming: Naming<A>, settings: WorkersSettings, clock: C) -> Result<Self> {
        exchange.prepare()?;
        exchange.write_order(&settings.order)?;
        let now = clock.now();
        let desk = Desk::new(exchange, naming);
        Ok(WorkersExecutor { desk, settings, clock, next_files: now, next_attempts: now })
    }
}

impl<A: Serialize + DeserializeOwned, C: Clock> Executor<A> for WorkersExecutor<A, C> {
    fn submit(&mut self, trials: Vec<Trial<A>>) -> Result<()> {
        self.desk.put_up(trials)?;
        self.next_attempts = self.clock.now() + 2 * self.settings.files_every;
        Ok(())
    }

    fn poll(&mut self, timeout: Duration) -> Result<Vec<Event>> {
        let until = self.clock.now() + timeout;
        loop {
            let now = self.clock.now();
            let mut events = Vec::new();
            if now >= self.next_files {
                self.next_files = now + self.settings.files_every;
                events.extend(self.desk.collect()?);
            }
            if now >= self.next_attempts {
                self.next_attempts = now + self.settings.attempts_every;
                events.extend(self.desk.follow(self.settings.order.lease(), now)?);
            }
            if !events.is_empty() || now >= until {
                return Ok(events);
            }
            let next = until.min(self.next_files).min(self.next_attempts);
            self.clock.sleep(next.saturating_sub(now).max(Duration::from_millis(1)));
        }
    }

    fn settled(&mut self, trial: TrialId) -> Result<()> {
        self.desk.settled(trial)
    }

    fn leave(&mut self) -> Left {
        Left::Working("the workers go on with what is open".into())
    }

    fn dismiss(&mut self, why: &str) -> Result<()> {
        self.desk.close(why)
    }
}
