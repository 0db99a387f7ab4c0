//! Time as a passed value, so that a simulation can have its own.

use std::time::{Duration, Instant};

/// A clock that can be waited on.
pub trait Clock {
    /// Time since some moment, which stays the same.
    fn now(&self) -> Duration;

    /// Waits.
    fn sleep(&self, time: Duration);
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug)]
pub struct RealClock {
    since: Instant,
}

impl RealClock {
    /// A clock that starts at zero.
    pub fn start() -> Self {
        RealClock { since: Instant::now() }
    }
}

impl Clock for RealClock {
    fn now(&self) -> Duration {
        self.since.elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
