//! A cluster with a clock of its own: its tasks claim, wait and publish as real workers do.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use cpu_time::ThreadTime;
use nao_space::{Fidelity, Measurement, Objective, TrialId};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::executor::{
    ArrayJob, Batch, Claim, Claimant, Clock, Exchange, JobNumber, Scheduler, SchedulerError, SchedulerLimits,
    TaskKey, TaskReport, TaskResult, TaskState, WorkerId,
};

/// How long the scheduler remembers a task that has ended.
const MEMORY: Duration = Duration::from_secs(300);

/// The largest array, as most clusters have it.
const ARRAY: usize = 1_001;

/// Machines, scheduler and time.
pub struct Cluster {
    exchange: Exchange,
    slots: usize,
    mean: Duration,
    /// The share of tasks that end without a result.
    lost_share: f64,
    rng: ChaCha8Rng,
    now: Duration,
    waiting: VecDeque<Task>,
    running: BinaryHeap<Reverse<Running>>,
    states: BTreeMap<(String, u32), (TaskState, Duration)>,
    claimant: Claimant,
    busy: Duration,
    /// Processor time of the simulation itself.
    pub own_cost: Duration,
    /// Questions and orders to the scheduler.
    pub calls: u64,
    /// Array jobs.
    pub jobs: u64,
    /// Tasks that ended without a result.
    pub lost: u64,
    /// Most open tasks, results and attempts at a time.
    pub most_open_files: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Task {
    token: String,
    index: u32,
    keys: Vec<TaskKey>,
}

/// A task on a slot; ordered by its end.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Running {
    end: Duration,
    task: Task,
    is_lost: bool,
}

impl Cluster {
    /// A cluster at a run folder, with so many slots, whose trials take `mean` on average, and of whose tasks this share is
    /// lost.
    pub fn new(exchange: Exchange, slots: usize, mean: Duration, lost_share: f64, rng: ChaCha8Rng) -> Self {
        let lease = Duration::ZERO;
        Cluster {
            exchange,
            slots,
            mean,
            lost_share,
            rng,
            now: Duration::ZERO,
            waiting: VecDeque::new(),
            running: BinaryHeap::new(),
            states: BTreeMap::new(),
            claimant: Claimant {
                holder: WorkerId::me(),
                lease,
                max_attempts: u32::MAX,
                leases: Default::default(),
            },
            busy: Duration::ZERO,
            own_cost: Duration::ZERO,
            calls: 0,
            jobs: 0,
            lost: 0,
            most_open_files: 0,
        }
    }

    /// The time of the cluster.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Time that all slots have trained.
    pub fn busy(&self) -> Duration {
        self.busy
    }

    fn advance(&mut self, time: Duration) {
        let begun = ThreadTime::now();
        let until = self.now + time;
        self.start();
        while let Some(Reverse(next)) = self.running.peek()
            && next.end <= until
        {
            let Some(Reverse(running)) = self.running.pop() else { break };
            self.now = running.end;
            self.end(&running);
            self.start();
        }
        self.now = until;
        self.states.retain(|_, (state, since)| !state.has_ended() || until < *since + MEMORY);
        self.own_cost += begun.elapsed();
    }

    /// Gives free slots to waiting tasks.
    fn start(&mut self) {
        while self.running.len() < self.slots {
            let Some(task) = self.waiting.pop_front() else { return };
            let mut time = Duration::ZERO;
            for key in &task.keys {
                let claimed = self.exchange.claim(key, &mut self.claimant, self.now);
                if matches!(claimed, Ok(Claim::Mine(_))) {
                    time += self.mean.mul_f64(self.rng.random_range(0.5..1.5));
                }
            }
            let is_lost = self.rng.random_bool(self.lost_share);
            if is_lost {
                time = time.mul_f64(self.rng.random());
            }
            self.busy += time;
            self.states.insert((task.token.clone(), task.index), (TaskState::Running, self.now));
            self.running.push(Reverse(Running { end: self.now + time, task, is_lost }));
        }
    }

    fn end(&mut self, running: &Running) {
        let Running { task, is_lost, .. } = running;
        let state = if *is_lost { TaskState::Failed } else { TaskState::Completed };
        self.states.insert((task.token.clone(), task.index), (state, self.now));
        if *is_lost {
            self.lost += 1;
            return;
        }
        for key in &task.keys {
            let Ok(Some(file)) = self.exchange.read_task::<serde_json::Value>(key) else { continue };
            let result = TaskResult {
                key: *key,
                trial: file.trial.id,
                outcome: Ok(self.measurement(file.trial.id)),
                curve: Vec::new(),
                holder: self.claimant.holder.clone(),
            };
            // A simulated worker that cannot publish is one that is lost.
            let _ = self.exchange.publish(&result);
        }
    }

    fn measurement(&mut self, trial: TrialId) -> Measurement {
        Measurement::new(Objective::validation_accuracy(), 0.5 + (trial.0 % 97) as f64 / 200.0)
            .at(Fidelity::new("simulated", 1))
            .with_cost(1, 1)
            .in_seconds(self.mean.as_secs_f64())
    }
}

/// The time of a cluster.
pub struct SimulatedClock(pub Rc<RefCell<Cluster>>);

impl Clock for SimulatedClock {
    fn now(&self) -> Duration {
        self.0.borrow().now
    }

    fn sleep(&self, time: Duration) {
        self.0.borrow_mut().advance(time);
    }
}

/// The scheduler of a cluster.
pub struct SimulatedScheduler(pub Rc<RefCell<Cluster>>);

impl Scheduler for SimulatedScheduler {
    fn limits(&mut self) -> Result<SchedulerLimits, SchedulerError> {
        self.0.borrow_mut().calls += 1;
        Ok(SchedulerLimits { tasks: ARRAY })
    }

    fn submit(&mut self, job: &ArrayJob) -> Result<JobNumber, SchedulerError> {
        let begun = ThreadTime::now();
        let cluster = &mut *self.0.borrow_mut();
        cluster.calls += 1;
        cluster.jobs += 1;
        let number = job.token.rsplit(':').next().and_then(|number| number.parse().ok());
        let batch = number.and_then(|number| Batch::read(&cluster.exchange, number).ok());
        let Some(batch) = batch else {
            return Err(SchedulerError::Refused(format!("no batch of {}", job.token)));
        };
        for (index, keys) in (0..).zip(batch.tasks) {
            let task = Task { token: job.token.clone(), index, keys };
            cluster.states.insert((task.token.clone(), index), (TaskState::Pending, cluster.now));
            cluster.waiting.push_back(task);
        }
        let open = std::fs::read_dir(cluster.exchange.run().join("tasks")).map_or(0, Iterator::count);
        let tried = std::fs::read_dir(cluster.exchange.run().join("attempts")).map_or(0, Iterator::count);
        cluster.most_open_files = cluster.most_open_files.max(open + tried);
        cluster.own_cost += begun.elapsed();
        Ok(JobNumber(cluster.jobs.to_string()))
    }

    fn reports(&mut self, _name: &str) -> Result<Vec<TaskReport>, SchedulerError> {
        let begun = ThreadTime::now();
        let cluster = &mut *self.0.borrow_mut();
        cluster.calls += 1;
        let reports = cluster.states.iter().map(|((token, index), (state, since))| TaskReport {
            token: token.clone(),
            index: Some(*index),
            state: state.clone(),
            node: None,
            elapsed: cluster.now.saturating_sub(*since),
        });
        let reports = reports.collect();
        cluster.own_cost += begun.elapsed();
        Ok(reports)
    }

    fn cancel(&mut self, _name: &str) -> Result<(), SchedulerError> {
        let mut cluster = self.0.borrow_mut();
        cluster.calls += 1;
        cluster.waiting.clear();
        Ok(())
    }
}
