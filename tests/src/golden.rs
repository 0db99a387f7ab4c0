//! Reads golden files (`tests/golden/README.md` says what they are) and compares numbers with them.

use std::collections::HashMap;
use std::path::PathBuf;

use safetensors::{Dtype, SafeTensors};

/// The folder of golden files: `NAO_GOLDEN` if set, else the selection in the repository.
pub fn folder() -> PathBuf {
    match std::env::var_os("NAO_GOLDEN") {
        Some(folder) => folder.into(),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden"),
    }
}

/// The folder of data sets that are not in the repository, which `NAO_DATA` names.
///
/// # Panics
/// When the variable is not set: tests that need the folder are ignored then.
pub fn data_folder() -> PathBuf {
    std::env::var_os("NAO_DATA").expect("NAO_DATA names the folder of the data sets").into()
}

/// Whether the complete set is at hand.
pub fn is_complete() -> bool {
    std::env::var_os("NAO_GOLDEN").is_some()
}

/// A tensor of a golden file.
#[derive(Clone, Debug)]
pub struct Values<T> {
    /// The values in row-major order.
    pub values: Vec<T>,
    /// The shape.
    pub shape: Vec<usize>,
}

/// One golden file.
pub struct Golden {
    name: String,
    floats: HashMap<String, Values<f32>>,
    doubles: HashMap<String, Values<f64>>,
    integers: HashMap<String, Values<i64>>,
    metadata: HashMap<String, String>,
}

impl Golden {
    /// Reads a file such as `controller/v2_default`.
    ///
    /// # Panics
    /// When it is not there or not a safetensors file: a golden test never passes by skipping.
    pub fn open(name: &str) -> Self {
        let path = folder().join(format!("{name}.safetensors"));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (_, header) = SafeTensors::read_metadata(&bytes).expect("a safetensors header");
        let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
        let mut golden = Golden {
            name: name.to_owned(),
            floats: HashMap::new(),
            doubles: HashMap::new(),
            integers: HashMap::new(),
            metadata: header.metadata().clone().unwrap_or_default(),
        };
        for (key, view) in file.tensors() {
            let (bytes, shape) = (view.data(), view.shape().to_vec());
            match view.dtype() {
                Dtype::F32 => {
                    let values = bytes.as_chunks().0.iter().map(|&c| f32::from_le_bytes(c)).collect();
                    golden.floats.insert(key, Values { values, shape });
                }
                Dtype::F64 => {
                    let values = bytes.as_chunks().0.iter().map(|&c| f64::from_le_bytes(c)).collect();
                    golden.doubles.insert(key, Values { values, shape });
                }
                Dtype::I64 => {
                    let values = bytes.as_chunks().0.iter().map(|&c| i64::from_le_bytes(c)).collect();
                    golden.integers.insert(key, Values { values, shape });
                }
                other => panic!("{name}: {key} has type {other:?}"),
            }
        }
        golden
    }

    /// The name under which the file was opened.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A float32 tensor.
    pub fn floats(&self, key: &str) -> &Values<f32> {
        self.floats.get(key).unwrap_or_else(|| panic!("{}: no float32 tensor {key}", self.name))
    }

    /// A float64 tensor.
    pub fn doubles(&self, key: &str) -> &Values<f64> {
        self.doubles.get(key).unwrap_or_else(|| panic!("{}: no float64 tensor {key}", self.name))
    }

    /// An integer tensor.
    pub fn integers(&self, key: &str) -> &Values<i64> {
        self.integers.get(key).unwrap_or_else(|| panic!("{}: no integer tensor {key}", self.name))
    }

    /// Whether there is a tensor of that name.
    pub fn has(&self, key: &str) -> bool {
        self.floats.contains_key(key) || self.doubles.contains_key(key) || self.integers.contains_key(key)
    }

    /// The float32 names below a prefix such as `grad/`, without it, sorted.
    pub fn names_under(&self, prefix: &str) -> Vec<String> {
        let mut names: Vec<String> =
            self.floats.keys().filter_map(|key| key.strip_prefix(prefix)).map(str::to_owned).collect();
        names.sort_unstable();
        names
    }

    /// Whether there is an entry of that name in the metadata.
    pub fn has_metadata(&self, key: &str) -> bool {
        self.metadata.contains_key(key)
    }

    /// An entry of the metadata.
    pub fn metadata(&self, key: &str) -> &str {
        self.metadata.get(key).unwrap_or_else(|| panic!("{}: no metadata {key}", self.name))
    }
}

/// The largest difference met so far, per kind of value, for one line of output per file.
#[derive(Default)]
pub struct Differences {
    rows: Vec<(String, f64)>,
}

impl Differences {
    /// Forward values: `|a - b| <= 1e-4 + 1e-4 |b|`.
    pub fn forward(&mut self, what: &str, found: &[f32], expected: &[f32]) {
        self.compare(what, found, expected, |b| 1e-4 + 1e-4 * b.abs());
    }

    /// Values within an absolute tolerance.
    pub fn within(&mut self, what: &str, found: &[f32], expected: &[f32], tolerance: f64) {
        self.compare(what, found, expected, |_| tolerance);
    }

    fn compare(&mut self, what: &str, found: &[f32], expected: &[f32], tolerance: impl Fn(f64) -> f64) {
        assert_eq!(found.len(), expected.len(), "{what}: number of values");
        let mut largest = 0f64;
        for (index, (&a, &b)) in found.iter().zip(expected).enumerate() {
            let (a, b) = (f64::from(a), f64::from(b));
            let difference = (a - b).abs();
            assert!(difference <= tolerance(b), "{what}[{index}]: found {a}, expected {b}");
            largest = largest.max(difference);
        }
        self.note(what, largest);
    }

    /// Records a difference that was judged elsewhere.
    pub fn note(&mut self, what: &str, difference: f64) {
        match self.rows.iter_mut().find(|(known, _)| known == what) {
            Some((_, largest)) => *largest = largest.max(difference),
            None => self.rows.push((what.to_owned(), difference)),
        }
    }

    /// Prints one line: the file and the largest difference of each kind.
    pub fn print(&self, file: &str) {
        let rows: Vec<String> = self.rows.iter().map(|(what, d)| format!("{what} {d:.1e}")).collect();
        println!("{file}: {}", rows.join(", "));
    }
}
