//! Tiny searches, and what they leave in their stores.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::support::nao;

/// A search on real digits with tiny networks: three rounds, the last two by NAO.
pub const TINY: &[&str] = &[
    "--set=recipe.structure.width=4",
    "--set=recipe.structure.cells_per_stage=1",
    "--set=recipe.epochs=1",
    "--set=recipe.batch=128",
    "--set=rounds.initial=4",
    "--set=rounds.per_round=3",
    "--set=rounds.budget=10",
    "--set=strategy.preset=v1",
    "--set=strategy.nao.seeds=3",
    "--set=strategy.nao.controller.epochs=5",
    "--set=strategy.nao.controller.hidden=16",
    "--set=strategy.nao.controller.embedding=8",
    "--set=space.nodes=2",
    "--seed=3",
];

/// What makes such a search one of 24 children that take a second each: enough to die in the middle of.
pub const MANY: &[&str] = &[
    "--set=recipe.epochs=6",
    "--set=recipe.batch=32",
    "--set=rounds.initial=12",
    "--set=rounds.per_round=6",
    "--set=rounds.budget=24",
];

/// Such a search, still to be started, in silence.
pub fn search(folder: &Path, out: &str, workers: &str) -> Command {
    let mut command = nao(folder);
    command.arg("search").args(TINY).args(["--out", out, "--workers", workers]);
    command.stdout(Stdio::null());
    command
}

/// One trial of a history, without what may differ between two runs: wall time and attempts.
#[derive(Debug, PartialEq)]
pub struct Row {
    pub id: i64,
    pub round: i64,
    pub arch: String,
    pub seed: i64,
    pub origin: String,
    pub status: String,
    pub measurement: Option<serde_json::Value>,
    pub error: Option<String>,
}

pub fn history(run: &Path) -> Vec<Row> {
    let store = Connection::open(run.join("trials.sqlite")).unwrap();
    let sql = "SELECT id, round, arch, seed, origin, status, measurement, error FROM trials ORDER BY id";
    let mut statement = store.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        let measurement: Option<String> = row.get(6)?;
        let measurement = measurement.map(|text| {
            let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
            value.as_object_mut().unwrap().remove("seconds");
            // Nor is memory part of what a seed decides.
            value["extra"]
                .as_object_mut()
                .unwrap()
                .remove("peak_memory_mib")
                .expect("workers report their memory");
            value
        });
        Ok(Row {
            id: row.get(0)?,
            round: row.get(1)?,
            arch: row.get(2)?,
            seed: row.get(3)?,
            origin: row.get(4)?,
            status: row.get(5)?,
            measurement,
            error: row.get(7)?,
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// How many trials have been measured; none if there is no store yet.
pub fn count_done(run: &Path) -> usize {
    let Ok(store) = Connection::open_with_flags(
        run.join("trials.sqlite"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX,
    ) else {
        return 0;
    };
    let _ = store.busy_timeout(Duration::from_secs(5));
    let sql = "SELECT COUNT(*) FROM trials WHERE status = 'done'";
    store.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap_or(0) as usize
}

/// The history of the search of many children on one machine, which the first test that asks carries out for all.
pub fn on_one_machine() -> &'static Vec<Row> {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        assert!(search(folder.path(), "local", "2").args(MANY).status().unwrap().success());
        let rows = history(&folder.path().join("local"));
        assert!(rows.len() == 24 && rows.iter().all(|row| row.status == "done"));
        rows
    })
}

/// A run of workers that share its folder has put everything away, and every trial kept the one result that counts.
pub fn is_tidy(run: &Path) {
    for sub in ["tasks", "results", "attempts"] {
        let entries = std::fs::read_dir(run.join(sub)).unwrap().flatten();
        let left: Vec<_> = entries.map(|entry| entry.path()).collect();
        assert!(left.is_empty(), "left in {sub}: {left:?}");
    }
    for row in history(run) {
        let result = run.join("children").join(row.id.to_string()).join("result.json");
        let result: serde_json::Value = serde_json::from_slice(&std::fs::read(result).unwrap()).unwrap();
        assert_eq!(result["trial"], row.id);
    }
}

/// The logs of all trials of such a run.
pub fn logs(run: &Path) -> String {
    let trials =
        history(run).into_iter().map(|row| run.join("children").join(row.id.to_string()).join("log"));
    trials.filter_map(|path| std::fs::read_to_string(path).ok()).collect()
}

/// Waits, at most two minutes, until something holds of a search that still runs.
pub fn wait_until(search: &mut Child, what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(search.try_wait().unwrap().is_none(), "the search ended before: {what}");
        assert!(Instant::now() < deadline, "not after two minutes: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
