//! The store against a model of it in memory, through anything that may happen to it in any order.

use std::fs;
use std::path::Path;

use nao_space::search::{Origin, Stop};
use nao_space::{ArchKey, EvaluationError, Measurement, TrialId};
use proptest::prelude::*;
use proptest::sample::Index;
use tempfile::TempDir;

use super::header::with_suffix;
use super::tests::measured;
use super::{Recorded, RoundRecord, Store, StoredTrial, Tally, TrialStatus};

#[derive(Clone, Debug)]
enum Action {
    OpenRound {
        trials: u8,
        flaw: Option<Flaw>,
    },
    Start(Index),
    Started(Index, u32),
    PutBack(Index),
    Record(Index, Outcome),
    /// The end of one coordinator and the start of the next.
    Reopen,
    /// The process is killed in the middle of these writes.
    Crash(Half),
}

/// Why a round is refused.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    RoundTaken,
    ArchTaken,
}

/// A transaction that does not come to its end.
#[derive(Clone, Debug)]
struct Half {
    started: Vec<Index>,
    recorded: Vec<Index>,
    /// How far it comes: with every page in the journal, any of those that it changes may be in the store already, here
    /// where the bit of the page is set. Without, its journal does not count yet.
    pages: Option<u64>,
}

type Outcome = Result<Measurement, EvaluationError>;

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        prop::num::f64::NORMAL.prop_map(measured),
        (1u32..5).prop_map(|epoch| Err(EvaluationError::NotFinite { epoch, loss: "NaN".into() })),
        ".{0,20}".prop_map(|status| Err(EvaluationError::WorkerDied { status })),
        Just(Err(EvaluationError::TimeLimit { seconds: 0.1 })),
    ]
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let index = any::<Index>;
    let flaws = prop_oneof![
        4 => Just(None),
        1 => Just(Some(Flaw::RoundTaken)),
        1 => Just(Some(Flaw::ArchTaken)),
    ];
    let halves =
        (prop::collection::vec(index(), 0..3), prop::collection::vec(index(), 0..3), any::<Option<u64>>());
    let action = prop_oneof![
        3 => (0u8..5, flaws).prop_map(|(trials, flaw)| Action::OpenRound { trials, flaw }),
        4 => index().prop_map(Action::Start),
        3 => (index(), 1u32..4).prop_map(|(trial, attempt)| Action::Started(trial, attempt)),
        2 => index().prop_map(Action::PutBack),
        6 => (index(), outcomes()).prop_map(|(trial, outcome)| Action::Record(trial, outcome)),
        1 => Just(Action::Reopen),
        2 => halves.prop_map(|(started, recorded, pages)| Action::Crash(Half { started, recorded, pages })),
    ];
    prop::collection::vec(action, 1..30)
}

/// What a store is, in the plainest words.
#[derive(Default)]
struct Model {
    rounds: Vec<RoundRecord>,
    trials: Vec<StoredTrial>,
}

impl Model {
    fn next_round(&self, trials: u8, flaw: Option<Flaw>) -> (RoundRecord, Vec<StoredTrial>) {
        let (known, round) = (self.trials.len() as u64, self.rounds.len() as u64);
        let round = if matches!(flaw, Some(Flaw::RoundTaken)) { round.saturating_sub(1) } else { round };
        let record = RoundRecord {
            round,
            stop: (trials == 0).then_some(Stop::SpaceExhausted),
            warnings: vec![format!("warning \"{round}\""); usize::from(trials % 2)],
            seconds: 0.1 * f64::from(trials),
        };
        let mut trials: Vec<StoredTrial> = (known + 1..=known + u64::from(trials))
            .map(|id| StoredTrial {
                id: TrialId(id),
                round,
                arch: format!("arch {id} of {round}"),
                key: ArchKey(format!("key {id}")),
                seed: u64::MAX - id,
                origin: Origin::Random,
                attempts: 0,
                status: TrialStatus::Proposed,
            })
            .collect();
        if let (Some(Flaw::ArchTaken), Some(last), Some(known)) =
            (flaw, trials.last_mut(), self.trials.first())
        {
            last.key = known.key.clone();
        }
        (record, trials)
    }

    fn open_round(&mut self, round: RoundRecord, trials: Vec<StoredTrial>) -> bool {
        let round_taken = self.rounds.iter().any(|known| known.round == round.round);
        let arch_taken = trials.iter().any(|trial| self.trials.iter().any(|known| known.key == trial.key));
        if !round_taken && !arch_taken {
            self.rounds.push(round);
            self.trials.extend(trials);
        }
        !round_taken && !arch_taken
    }

    fn trial(&mut self, index: &Index) -> Option<&mut StoredTrial> {
        (!self.trials.is_empty()).then(|| index.get_mut(&mut self.trials[..]))
    }

    fn id(&mut self, index: &Index) -> Option<TrialId> {
        self.trial(index).map(|trial| trial.id)
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for trial in &self.trials {
            *match &trial.status {
                TrialStatus::Proposed => &mut tally.proposed,
                TrialStatus::Running => &mut tally.running,
                TrialStatus::Done(_) => &mut tally.done,
                TrialStatus::Failed(error) => tally.failed.entry(error.reason()).or_default(),
            } += 1;
        }
        tally
    }

    fn assert_is(&self, store: &Store) {
        assert_eq!(store.rounds().unwrap(), self.rounds);
        assert_eq!(store.trials().unwrap(), self.trials);
        assert_eq!(store.count().unwrap(), self.trials.len() as u64);
        assert_eq!(store.tally().unwrap(), self.tally());
        for round in &self.rounds {
            let of_round = self.trials.iter().filter(|trial| trial.round == round.round);
            assert_eq!(store.trials_of_round(round.round).unwrap(), of_round.cloned().collect::<Vec<_>>());
        }
    }
}

fn is_open(trial: &StoredTrial) -> bool {
    matches!(trial.status, TrialStatus::Proposed | TrialStatus::Running)
}

/// A store in a folder of its own, beside its model.
struct Bench {
    folder: TempDir,
    store: Option<Store>,
    model: Model,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Store::create(&folder.path().join("trials.sqlite")).unwrap();
        let mut bench = Bench { folder, store: None, model: Model::default() };
        bench.reopen();
        bench
    }

    fn store(&mut self) -> &mut Store {
        self.store.as_mut().expect("it is open between two actions")
    }

    /// Those who look change nothing and see what is there, also after a crash and before anything is put right.
    fn reopen(&mut self) {
        drop(self.store.take());
        let before = contents(self.folder.path());
        let path = self.folder.path().join("trials.sqlite");
        self.model.assert_is(&Store::open_to_read(&path).unwrap());
        assert_eq!(contents(self.folder.path()), before);
        self.store = Some(Store::open(&path).unwrap());
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::OpenRound { trials, flaw } => {
                let (round, trials) = self.model.next_round(*trials, *flaw);
                let opened = self.store().open_round(&round, &trials);
                assert_eq!(opened.is_ok(), self.model.open_round(round, trials), "{opened:?}");
            }
            Action::Start(index) => {
                let Some(id) = self.model.id(index) else { return };
                self.store().start(id).unwrap();
                if let Some(trial) = self.model.trial(index).filter(|trial| is_open(trial)) {
                    trial.status = TrialStatus::Running;
                    trial.attempts += 1;
                }
            }
            Action::Started(index, attempt) => {
                let Some(id) = self.model.id(index) else { return };
                self.store().started(id, *attempt).unwrap();
                if let Some(trial) = self.model.trial(index).filter(|trial| is_open(trial)) {
                    trial.status = TrialStatus::Running;
                    trial.attempts = trial.attempts.max(*attempt);
                }
            }
            Action::PutBack(index) => {
                let Some(id) = self.model.id(index) else { return };
                self.store().put_back(id).unwrap();
                let running = |trial: &&mut StoredTrial| trial.status == TrialStatus::Running;
                if let Some(trial) = self.model.trial(index).filter(running) {
                    trial.status = TrialStatus::Proposed;
                    trial.attempts -= 1;
                }
            }
            Action::Record(index, outcome) => {
                let Some(id) = self.model.id(index) else { return };
                let recorded = self.store().record(id, outcome).unwrap();
                let open = self.model.trial(index).filter(|trial| is_open(trial));
                assert_eq!(recorded, if open.is_some() { Recorded::New } else { Recorded::Duplicate });
                if let Some(trial) = open {
                    trial.status = match outcome {
                        Ok(measurement) => TrialStatus::Done(measurement.clone()),
                        Err(error) => TrialStatus::Failed(error.clone()),
                    };
                }
            }
            Action::Reopen => self.reopen(),
            Action::Crash(half) => self.crash(half),
        }
    }

    /// Goes on with the files as they are in the middle of a transaction.
    fn crash(&mut self, half: &Half) {
        let (started, recorded) = (self.ids(&half.started), self.ids(&half.recorded));
        let path = self.folder.path().join("trials.sqlite");
        let journal = with_suffix(&path, "-journal");
        let before = fs::read(&path).unwrap();
        let store = self.store.take().unwrap();
        // Many pages, some of them new.
        let begin = "BEGIN; INSERT INTO rounds VALUES (99, NULL, hex(zeroblob(20000)), 0)";
        store.connection.execute_batch(begin).unwrap();
        for id in started {
            store.start(id).unwrap();
        }
        for id in recorded {
            store.record(id, &measured(0.5)).unwrap();
        }
        let left = tempfile::tempdir().unwrap();
        let left_path = left.path().join("trials.sqlite");
        match half.pages {
            None => {
                fs::copy(&path, &left_path).unwrap();
                fs::copy(&journal, with_suffix(&left_path, "-journal")).unwrap();
            }
            Some(pages) => {
                // The journal is whole for a moment only; its second name outlives the first.
                let kept = with_suffix(&left_path, "-journal");
                fs::hard_link(&journal, &kept).unwrap();
                store.connection.execute_batch("COMMIT").unwrap();
                let mut mixed = fs::read(&path).unwrap();
                for (number, page) in before.chunks(4096).enumerate() {
                    if pages >> (number % 64) & 1 == 0 {
                        mixed[4096 * number..][..page.len()].copy_from_slice(page);
                    }
                }
                fs::write(&left_path, mixed).unwrap();
            }
        }
        // A process that is killed closes nothing and rolls nothing back.
        std::mem::forget(store);
        self.folder = left;
        self.reopen();
    }

    fn ids(&mut self, indices: &[Index]) -> Vec<TrialId> {
        indices.iter().filter_map(|index| self.model.id(index)).collect()
    }
}

/// The files of a folder by name.
fn contents(folder: &Path) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name(), fs::read(entry.path()).unwrap())
    });
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_store_holds_what_its_model_holds_whatever_happens(actions in actions()) {
        let mut bench = Bench::new();
        for action in &actions {
            bench.act(action);
            bench.model.assert_is(bench.store.as_ref().unwrap());
        }
    }
}
