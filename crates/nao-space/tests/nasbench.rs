//! The spaces of the benchmarks against the benchmarks' own tables, where `NAO_DATA` names the folder with them.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use nao_space::{ArchKey, NasBench101Space, NasBench201Space, Space};

/// The rows of a table under the data folder; `None` where no folder is named.
fn rows(file: &str) -> Option<Vec<HashMap<String, String>>> {
    let Some(folder) = std::env::var_os("NAO_DATA") else {
        eprintln!("NAO_DATA is not set: {file} is not read");
        return None;
    };
    let path = PathBuf::from(folder).join(file);
    let open = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut reader = csv::Reader::from_reader(GzDecoder::new(open));
    Some(reader.deserialize().map(|row| row.expect("a row of the table")).collect())
}

#[test]
fn nasbench201_classes_are_those_of_the_benchmark() {
    let Some(rows) = rows("nasbench201/nasbench201.csv.gz") else { return };
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
fn nasbench101_cells_are_pruned_and_distinct() {
    let Some(rows) = rows("nasbench101-subset/nasbench101_subset.csv.gz") else { return };
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
