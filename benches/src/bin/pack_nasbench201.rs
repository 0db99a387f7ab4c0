//! Packs the columns of `nasbench201.csv.gz` that come with the crate: `pack_nasbench201 TABLE.csv.gz OUTPUT`.

use std::error::Error;
use std::fs::File;

use flate2::read::GzDecoder;
use nao_space::NasBench201Space;

/// The columns in their order, and by what their numbers are multiplied to become whole.
const COLUMNS: [(&str, f64); 13] = [
    ("c10_val_e200", 1500.0),
    ("c10_test_e200", 600.0),
    ("c100_val_e200", 300.0),
    ("c100_test_e200", 300.0),
    ("in16_val_e200", 180.0),
    ("in16_test_e200", 180.0),
    ("c10_train_time_e200_s", 100.0),
    ("c10_val_e12", 500.0),
    ("c10_test_e12", 100.0),
    ("c100_val_e12", 50.0),
    ("c100_test_e12", 50.0),
    ("in16_val_e12", 30.0),
    ("in16_test_e12", 30.0),
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [table, output] = arguments.as_slice() else {
        return Err("usage: pack_nasbench201 TABLE.csv.gz OUTPUT".into());
    };
    let mut reader = csv::Reader::from_reader(GzDecoder::new(File::open(table)?));
    let headings = reader.headers()?.clone();
    let find =
        |name: &str| headings.iter().position(|heading| heading == name).ok_or(format!("no column {name}"));
    let digits = find("ops")?;
    let mut rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>()?;
    if rows.len() != NasBench201Space::CELLS {
        return Err(format!("{} rows, expected {}", rows.len(), NasBench201Space::CELLS).into());
    }
    // Digits in the order of edges sort like the cells.
    rows.sort_by(|a, b| a[digits].cmp(&b[digits]));
    let mut bytes = Vec::new();
    for (name, scale) in COLUMNS {
        let at = find(name)?;
        let numbers = rows.iter().map(|row| Ok((row[at].parse::<f64>()? * scale).round() as u32));
        let numbers: Vec<u32> = numbers.collect::<Result<_, std::num::ParseFloatError>>()?;
        for byte in 0..3 {
            bytes.extend(numbers.iter().map(|number| number.to_le_bytes()[byte]));
        }
    }
    std::fs::write(output, zstd::encode_all(bytes.as_slice(), 19)?)?;
    Ok(())
}
