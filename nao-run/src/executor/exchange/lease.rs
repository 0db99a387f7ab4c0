//! Who still holds a task, judged on one's own clock.

use std::collections::HashMap;
use std::time::Duration;

use super::{AttemptNumber, CopyOfAttempt, TaskKey};

/// What one watcher has seen of heartbeats.
#[derive(Debug, Default)]
pub struct Leases {
    seen: HashMap<TaskKey, Seen>,
}

/// The last new heartbeat of a task.
#[derive(Clone, Copy, Debug)]
struct Seen {
    attempt: AttemptNumber,
    beat: u64,
    /// When it was first seen, on the watcher's clock.
    at: Duration,
}

impl Leases {
    /// Whether the holder of an attempt has gone without putting the task back: its process is known to be dead, or its
    /// heartbeat has stood still for the whole lease while we watched. `now` is the watcher's own clock.
    pub fn has_lapsed(&mut self, copy: &CopyOfAttempt, lease: Duration, now: Duration) -> bool {
        if copy.holder().is_some_and(|holder| holder.is_dead()) {
            return true;
        }
        now.saturating_sub(self.last_beat(copy, now)) >= lease
    }

    /// When the last heartbeat was first seen.
    pub fn last_beat(&mut self, copy: &CopyOfAttempt, now: Duration) -> Duration {
        let beat = copy.beat().map_or(0, |beat| beat.count);
        let fresh = Seen { attempt: copy.number, beat, at: now };
        let seen = self.seen.entry(copy.key).or_insert(fresh);
        if (seen.attempt, seen.beat) != (fresh.attempt, fresh.beat) {
            *seen = fresh;
        }
        seen.at
    }

    /// Forgets a task.
    pub fn forget(&mut self, key: &TaskKey) {
        self.seen.remove(key);
    }
}
