//! The spaces of the benchmarks against the benchmarks' own tables, in the folder that `NAO_DATA` names.

use std::collections::{HashMap, HashSet};

use flate2::read::GzDecoder;
use nao_space::table::{Label, Table, TableSchema};
use nao_space::{ArchKey, Evaluator, NasBench101Space, NasBench201Space, Quiet, Space, Trial, TrialId};
use nao_tests::golden::data_folder;

/// The rows of a table in the data folder.
fn rows(file: &str) -> Vec<HashMap<String, String>> {
    let path = data_folder().join(file);
    let open = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut reader = csv::Reader::from_reader(GzDecoder::new(open));
    reader.deserialize().map(|row| row.expect("a row of the table")).collect()
}

#[test]
#[cfg_attr(not(data), ignore = "needs NAO_DATA, the folder of the data sets")]
fn nasbench201_classes_are_those_of_the_benchmark() {
    let rows = rows("nasbench201/nasbench201.csv.gz");
    assert_eq!(rows.len(), NasBench201Space::CELLS);
    let space = NasBench201Space::default();
    let mut key_of: HashMap<&str, ArchKey> = HashMap::new();
    for row in &rows {
        let arch = space.parse(&row["arch_str"]).unwrap();
        assert_eq!(space.format(&arch), row["arch_str"]);
        assert_eq!(arch.function(), row["unique_str"], "{}", row["arch_str"]);
        let digits: String = arch.edges.iter().map(|&op| char::from(b'0' + op as u8)).collect();
        assert_eq!(digits, row["ops"]);
        let key = space.key(&arch);
        assert_eq!(*key_of.entry(&row["unique_str"]).or_insert_with(|| key.clone()), key);
    }
    let keys: HashSet<_> = key_of.values().collect();
    assert_eq!((key_of.len(), keys.len()), (6466, 6466));
}

#[test]
#[cfg_attr(not(data), ignore = "needs NAO_DATA, the folder of the data sets")]
fn nasbench101_cells_are_pruned_and_distinct() {
    let rows = rows("nasbench101-subset/nasbench101_subset.csv.gz");
    assert_eq!(rows.len(), 30_001);
    let space = NasBench101Space::default();
    let mut keys = HashSet::new();
    for row in &rows {
        let text = format!("{} {}", row["adjacency"], row["ops"]);
        let arch = space.parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(space.format(&arch), text, "nothing was pruned");
        assert_eq!(arch.vertices().to_string(), row["n_vertices"]);
        assert_eq!(arch.edges().to_string(), row["n_edges"]);
        assert_eq!(space.decode(&space.encode(&arch)).as_ref(), Ok(&arch));
        assert!(keys.insert(space.key(&arch)), "{text}: this cell is there twice");
    }
}

#[test]
#[cfg_attr(not(data), ignore = "needs NAO_DATA, the folder of the data sets")]
fn the_built_in_table_is_that_of_the_benchmark() {
    let rows = rows("nasbench201/nasbench201.csv.gz");
    let table = Table::nasbench201();
    let mut other_params = 0;
    for (prefix, dataset) in [("c10", "cifar10"), ("c100", "cifar100"), ("in16", "imagenet16-120")] {
        for (short, split) in [("val", "validation"), ("test", "test")] {
            let evaluator = table.evaluator(&Label::average(dataset, split, 200)).unwrap();
            for row in &rows {
                let number = |column: &str| row[&format!("{prefix}_{column}")].parse::<f64>().unwrap();
                let arch = table.space().parse(&row["arch_str"]).unwrap();
                let measured =
                    evaluator.evaluate(&Trial { id: TrialId(1), arch, seed: 0 }, &mut Quiet).unwrap();
                // The table gives four decimals of per cents; the crate keeps what was rounded.
                let percent = (measured.value * 1e6).round() / 1e4;
                assert_eq!(
                    percent,
                    number(&format!("{short}_e200")),
                    "{dataset}, {split}: {}",
                    row["arch_str"]
                );
                assert!((measured.seconds - number("train_time_e200_s")).abs() < 0.04);
                other_params += usize::from(measured.params != (number("params_m") * 1e6).round() as u64);
            }
            let cheap = table.evaluator(&Label::average(dataset, split, 12)).unwrap();
            for row in &rows {
                let arch = table.space().parse(&row["arch_str"]).unwrap();
                let measured = cheap.evaluate(&Trial { id: TrialId(1), arch, seed: 0 }, &mut Quiet).unwrap();
                let written: f64 = row[&format!("{prefix}_{short}_e12")].parse().unwrap();
                assert_eq!((measured.value * 1e6).round() / 1e4, written, "12 epochs: {}", row["arch_str"]);
                assert_eq!((measured.fidelity.epochs, measured.seconds), (12, 0.0));
            }
            let ledger = evaluator.ledger();
            assert_eq!((ledger.looks, ledger.charged), (15_625, 6466));
        }
    }
    // In all three data sets and both splits, the stored count of 150 cells is off by one operation.
    assert_eq!(other_params, 150 * 6);
}

#[test]
#[cfg_attr(not(data), ignore = "needs NAO_DATA, the folder of the data sets")]
fn tables_of_both_benchmarks_are_read_from_csv() {
    let folder = data_folder();
    let path = folder.join("nasbench201/nasbench201.csv.gz");
    let table = Table::read(NasBench201Space::default(), &path, &TableSchema::nasbench201()).unwrap();
    for label in Table::nasbench201().labels() {
        let [(_, read), (_, built_in)] =
            [table.best(label), Table::nasbench201().best(label)].map(|best| best.unwrap().unwrap());
        assert!((read - built_in).abs() < 1e-6, "{label}: {read}, {built_in}");
    }
    let path = folder.join("nasbench101-subset/nasbench101_subset.csv.gz");
    let table = Table::read(NasBench101Space::default(), &path, &TableSchema::nasbench101()).unwrap();
    let (_, best) = table.best(&Label::single("cifar10", "validation", 108, 0)).unwrap().unwrap();
    assert_eq!((table.len(), best), (30_001, 0.949119));
}
