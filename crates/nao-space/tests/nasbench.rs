//! The spaces of the benchmarks against the benchmarks' own tables, where `NAO_DATA` names the folder with them.

use std::collections::HashMap;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use nao_space::{ArchKey, NasBench201Space, Space};

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
    let keys: std::collections::HashSet<_> = key_of.values().collect();
    assert_eq!((key_of.len(), keys.len()), (6466, 6466));
}
