//! A whole search in a few lines: persistent, resumable, parallel.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nao_space::search::{FinishedTrial, History, RoundLimits, Strategy};
use nao_space::settings::{Setting, at_least};
use nao_space::{Evaluator, Space, Trial};
use serde::{Deserialize, Serialize};

use crate::coordinator::{Coordinator, Ending, Patience, SearchSettings};
use crate::error::{Context, Result, RunError, bail};
use crate::executor::ThreadsExecutor;
use crate::files::read_text;
use crate::folder::RunFolder;
use crate::store::{Store, StoredTrial, TrialStatus};
use crate::watcher::{RunEvent, Watcher};

/// The file in which a folder says what its search is.
const DEFINITION: &str = "search.json";

/// A search over a space, by a strategy, with an evaluator on threads of this process.
///
/// Everything is kept in a folder after every trial. [`run`](Search::run) with a folder that is there goes on with it: after
/// a stop, a crash or `kill -9` the search ends with the same history as one that was never broken. Neither that nor the
/// number of workers changes the history.
pub struct Search<'a, S: Space, E> {
    space: S,
    strategy: Box<dyn Strategy<S>>,
    evaluator: E,
    seed: u64,
    limits: RoundLimits,
    folder: Option<PathBuf>,
    workers: usize,
    patience: Patience,
    watcher: Box<dyn Watcher + 'a>,
    interrupted: Arc<AtomicBool>,
}

impl<'a, S, E> Search<'a, S, E>
where
    S: Space,
    E: Evaluator<S::Arch> + Send + Sync + 'static,
{
    /// A search of 100 trials, 20 of them in the first round and 10 in each later one, with seed 1, on all processors, in a
    /// temporary folder.
    pub fn new(space: S, strategy: impl Strategy<S> + 'static, evaluator: E) -> Self {
        Search {
            space,
            strategy: Box::new(strategy),
            evaluator,
            seed: 1,
            limits: RoundLimits { initial: 20, per_round: 10, budget: 100 },
            folder: None,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            patience: Patience { max_attempts: Some(10), max_failed_share: 0.5 },
            watcher: Box::new(|_: RunEvent<'_>| {}),
            interrupted: Arc::default(),
        }
    }

    /// Trials in all. A larger budget than before goes on with a search that is over; its last round may have been a short
    /// one.
    pub fn budget(mut self, trials: u64) -> Self {
        self.limits.budget = trials;
        self
    }

    /// Trials of the first round.
    pub fn initial(mut self, trials: u64) -> Self {
        self.limits.initial = trials;
        self
    }

    /// Trials of each later round: the strategy learns from one before it chooses the next.
    pub fn per_round(mut self, trials: u64) -> Self {
        self.limits.per_round = trials;
        self
    }

    /// The seed from which each trial gets its own. That of the strategy is given where it is made.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Where everything is kept. Without a folder the search cannot be gone on with.
    pub fn folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.folder = Some(path.into());
        self
    }

    /// Trials at a time.
    pub fn workers(mut self, count: usize) -> Self {
        self.workers = count;
        self
    }

    /// When the search gives up a trial, or itself.
    pub fn patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Tells what happens. Nothing that the closure does changes the search.
    pub fn watch(mut self, watcher: impl FnMut(RunEvent<'_>) + 'a) -> Self {
        self.watcher = Box::new(watcher);
        self
    }

    /// Stops soon after that flag is raised, as by a handler of Ctrl-C.
    pub fn stopped_by(mut self, flag: Arc<AtomicBool>) -> Self {
        self.interrupted = flag;
        self
    }

    /// Runs the search to its end, or goes on with it where its folder is there.
    ///
    /// # Errors
    /// [`RunError::Setting`] when a setting makes no sense; [`RunError::Refused`] when the folder belongs to a search with other settings, or
    /// another process is at work in it; [`RunError::Interrupted`] when it was stopped; [`RunError::Failed`] when the
    /// strategy fails or too many trials do; others when the folder cannot be read or written.
    pub fn run(mut self) -> Result<History<S::Arch>> {
        self.check()?;
        let (path, _temporary) = self.place()?;
        let (folder, definition) = self.open(&path)?;
        let _lock = folder.lock()?;
        let store = folder.store()?;
        let done = store.count()?;
        if self.limits.budget < done {
            let (path, budget) = (path.display(), self.limits.budget);
            bail!("{path} has {done} trials, and a budget of {budget} is less: take {done} or more");
        }
        self.check_first_round(&store, &definition)?;
        let settings = SearchSettings {
            objective: self.evaluator.objective(),
            limits: self.limits,
            seed: self.seed,
            patience: self.patience,
        };
        let executor = Box::new(ThreadsExecutor::new(&folder, Arc::new(self.evaluator), self.workers));
        let coordinator = Coordinator::new(
            &folder,
            store,
            &self.space,
            settings,
            self.strategy,
            executor,
            &mut *self.watcher,
        );
        let mut coordinator = coordinator.stopped_by(self.interrupted);
        let ending = coordinator.run()?;
        let store = coordinator.into_store();
        if matches!(ending, Ending::Interrupted(_) | Ending::Cancelled) {
            let path = folder.path().display();
            return Err(RunError::Interrupted(format!("stopped; run the search with {path} again to go on")));
        }
        history(&self.space, &store)
    }

    fn check(&self) -> Result<()> {
        let RoundLimits { initial, per_round, budget } = self.limits;
        let setting = |field| Setting { section: "", field };
        for (field, trials) in [("budget", budget), ("initial", initial), ("per_round", per_round)] {
            at_least(setting(field), trials, 1)?;
        }
        Ok(at_least(setting("workers"), self.workers, 1)?)
    }

    /// The path of the folder, and what removes it where it is not to stay.
    fn place(&self) -> Result<(PathBuf, Option<tempfile::TempDir>)> {
        if let Some(path) = &self.folder {
            return Ok((path.clone(), None));
        }
        let temporary = tempfile::tempdir().context("cannot create a temporary folder")?;
        Ok((temporary.path().join("search"), Some(temporary)))
    }

    /// The folder, made where there is none; refused where it is of another search.
    fn open(&self, path: &Path) -> Result<(RunFolder, Definition)> {
        let asked = self.definition();
        if !path.exists() {
            let text = serde_json::to_vec_pretty(&asked).context("a definition has no JSON form")?;
            match RunFolder::create(path, &[(DEFINITION, &text)]) {
                // Another process was first.
                Err(_) if path.exists() => {}
                created => return Ok((created?, asked)),
            }
        }
        let folder = RunFolder::open_as(path, DEFINITION)?;
        let file = path.join(DEFINITION);
        let known: Definition = serde_json::from_str(&read_text(&file)?)
            .with_context(|| format!("{} is damaged", file.display()))?;
        let differences = known.differences(&asked);
        if !differences.is_empty() {
            bail!(
                "{} was started with other settings; choose another folder for them: {}",
                path.display(),
                differences.join("; ")
            );
        }
        Ok((folder, known))
    }

    /// Refuses a strategy with another seed or other settings, as far as they show in its first proposals. Those depend on
    /// nothing else; and what it proposes here is forgotten when it takes over the state of the last round.
    fn check_first_round(&mut self, store: &Store, definition: &Definition) -> Result<()> {
        let known = store.trials_of_round(0)?;
        if known.is_empty() {
            return Ok(());
        }
        let asked = self.strategy.ask(definition.initial.min(definition.budget) as usize)?;
        let keys = asked.proposals.iter().map(|proposal| self.space.key(&proposal.arch));
        if !keys.eq(known.into_iter().map(|trial| trial.key)) {
            bail!(
                "the strategy {} proposes other first trials than those of this search: give it the seed and the settings \
                 that it had, or choose another folder",
                self.strategy.name()
            );
        }
        Ok(())
    }

    fn definition(&self) -> Definition {
        let objective = self.evaluator.objective();
        Definition {
            space: self.space.name(),
            strategy: self.strategy.name().to_owned(),
            objective: format!("{} on {}", objective.name, objective.split),
            seed: self.seed,
            initial: self.limits.initial,
            per_round: self.limits.per_round,
            budget: self.limits.budget,
        }
    }
}

/// What a search is, as far as it can be told; the number of workers is no part of it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Definition {
    space: String,
    strategy: String,
    objective: String,
    seed: u64,
    initial: u64,
    per_round: u64,
    /// That of the first start.
    budget: u64,
}

impl Definition {
    /// The settings that differ, in words.
    fn differences(&self, asked: &Self) -> Vec<String> {
        let [known, asked] = [self, asked].map(|definition| {
            [
                ("space", definition.space.clone()),
                ("strategy", definition.strategy.clone()),
                ("objective", definition.objective.clone()),
                ("seed", definition.seed.to_string()),
                ("initial", definition.initial.to_string()),
                ("per_round", definition.per_round.to_string()),
            ]
        });
        let pairs = known.into_iter().zip(asked).filter(|(known, asked)| known != asked);
        pairs
            .map(|((name, known), (_, asked))| format!("{name}: {known} in the folder, {asked} asked"))
            .collect()
    }
}

/// What the store says that the search did.
fn history<S: Space>(space: &S, store: &Store) -> Result<History<S::Arch>> {
    let mut trials = Vec::new();
    for stored in store.trials()? {
        let StoredTrial { id, round, origin, seed, arch, status, .. } = stored;
        let arch = space.parse(&arch).with_context(|| format!("the store is damaged: trial {id}"))?;
        let outcome = match status {
            TrialStatus::Done(measurement) => Ok(measurement),
            TrialStatus::Failed(error) => Err(error),
            TrialStatus::Proposed | TrialStatus::Running => continue,
        };
        trials.push(FinishedTrial { trial: Trial { id, arch, seed }, round, origin, outcome });
    }
    let rounds = store.rounds()?;
    let stop = rounds.last().and_then(|round| round.stop);
    let warnings = rounds.into_iter().flat_map(|round| round.warnings).collect();
    Ok(History { trials, stop, warnings })
}
