//! Trials for `nao worker RUN` processes, on any machines that share the run folder.

use std::time::Duration;

use nao_space::{Trial, TrialId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Clock, Event, Exchange, Executor, Naming, OpenTrials, Pace, TaskBoard, TrialOutcome, WorkOrder};
use crate::error::Result;

/// Puts trials up in the run folder and waits for whoever takes them.
pub struct WorkersExecutor<A, C> {
    board: TaskBoard<A>,
    clock: C,
}

impl<A: Serialize + DeserializeOwned, C: Clock> WorkersExecutor<A, C> {
    /// An executor at the run folder, which asks this of workers.
    pub fn new(
        exchange: Exchange,
        naming: Naming<A>,
        order: &WorkOrder,
        pace: Pace,
        clock: C,
    ) -> Result<Self> {
        exchange.prepare()?;
        exchange.write_order(order)?;
        let board = TaskBoard::new(exchange, naming, pace, clock.now());
        Ok(WorkersExecutor { board, clock })
    }
}

impl<A: Serialize + DeserializeOwned, C: Clock> Executor<A> for WorkersExecutor<A, C> {
    fn recover(&mut self, record: &mut dyn FnMut(TrialOutcome) -> Result<()>) -> Result<()> {
        self.board.exchange().recover(record)
    }

    fn asked_to_stop(&self) -> Option<String> {
        self.board.exchange().asked_to_stop()
    }

    fn submit(&mut self, trials: Vec<Trial<A>>) -> Result<()> {
        self.board.put_up(trials, self.clock.now()).map(drop)
    }

    fn poll(&mut self, timeout: Duration) -> Result<Vec<Event>> {
        let until = self.clock.now() + timeout;
        loop {
            let now = self.clock.now();
            let events = self.board.news(now)?;
            if !events.is_empty() || now >= until {
                return Ok(events);
            }
            let next = until.min(self.board.next_look());
            self.clock.sleep(next.saturating_sub(now).max(Duration::from_millis(1)));
        }
    }

    fn settled(&mut self, trial: TrialId) -> Result<()> {
        self.board.settled(trial)
    }

    fn leave(&mut self) -> OpenTrials {
        OpenTrials::Working("the workers go on with what is open".into())
    }

    fn dismiss(&mut self, why: &str) -> Result<()> {
        self.board.close(why)
    }
}
