//! When a task that left no result is lost. The scheduler may be wrong, late, or about to start the task again.

use std::collections::HashMap;
use std::time::Duration;

use super::scheduler::TaskReport;

/// Which task of which batch.
type TaskPlace = (u32, u32);

/// What is held against tasks.
#[derive(Debug, Default)]
pub struct Suspicions {
    since: HashMap<TaskPlace, Duration>,
}

/// What is thought of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// It may still give its results.
    Alive,
    /// It will not; with the last that was said of it, if anything was.
    Lost(Option<TaskReport>),
}

impl Suspicions {
    /// Judges a task without result by what the scheduler says now: lost is what has ended, or is not known, at two looks
    /// in a row with the grace between them. Results may be that long on their way between two machines.
    pub fn judge<'a>(
        &mut self,
        place: TaskPlace,
        reports: impl Iterator<Item = &'a TaskReport>,
        now: Duration,
        grace: Duration,
    ) -> Liveness {
        let reports: Vec<&TaskReport> = reports.collect();
        // There may be two jobs of one token, if one was handed in twice.
        if reports.iter().any(|report| !report.state.has_ended()) {
            self.since.remove(&place);
            return Liveness::Alive;
        }
        let Some(since) = self.since.get(&place) else {
            self.since.insert(place, now);
            return Liveness::Alive;
        };
        if now.saturating_sub(*since) < grace {
            return Liveness::Alive;
        }
        self.since.remove(&place);
        Liveness::Lost(reports.last().map(|report| (*report).clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::scheduler::TaskState;
    use super::*;

    fn report(state: TaskState) -> TaskReport {
        TaskReport { token: "t".into(), index: Some(0), state, node: None, elapsed: Duration::ZERO }
    }

    #[test]
    fn lost_is_what_is_gone_twice_with_the_grace_between() {
        let seconds = Duration::from_secs;
        let mut suspicions = Suspicions::default();
        let mut look = |state: Option<TaskState>, now| {
            let reports: Vec<TaskReport> = state.map(report).into_iter().collect();
            suspicions.judge((1, 0), reports.iter(), seconds(now), seconds(15))
        };
        assert_eq!(look(Some(TaskState::Running), 0), Liveness::Alive);
        assert_eq!(look(Some(TaskState::NodeFailed), 10), Liveness::Alive);
        assert_eq!(look(None, 20), Liveness::Alive);
        // Started again: all is forgiven.
        assert_eq!(look(Some(TaskState::Pending), 30), Liveness::Alive);
        assert_eq!(look(None, 40), Liveness::Alive);
        assert_eq!(look(None, 54), Liveness::Alive);
        assert_eq!(look(None, 55), Liveness::Lost(None));
        assert_eq!(look(Some(TaskState::Failed), 60), Liveness::Alive);
        assert_eq!(look(Some(TaskState::Failed), 80), Liveness::Lost(Some(report(TaskState::Failed))));
        // A word that no version of ours knows is no end.
        assert_eq!(look(Some(TaskState::Other("THINKING".into())), 90), Liveness::Alive);
        assert_eq!(look(Some(TaskState::Other("THINKING".into())), 200), Liveness::Alive);
    }

    #[test]
    fn of_two_jobs_with_one_token_one_alive_is_enough() {
        let mut suspicions = Suspicions::default();
        let reports = [report(TaskState::Failed), report(TaskState::Running)];
        for now in [0, 100, 200] {
            let verdict =
                suspicions.judge((1, 0), reports.iter(), Duration::from_secs(now), Duration::from_secs(1));
            assert_eq!(verdict, Liveness::Alive);
        }
    }
}
