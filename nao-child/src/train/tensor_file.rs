//! Tensors on disk, as safetensors. Files are written beside their place and then renamed, so a crash never leaves half a
//! file.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use burn::tensor::{DType, TensorData};
use nao_space::file::{self, FileError, MIB};
use safetensors::{Dtype, SafeTensors, View};
use serde::Serialize;
use serde_json::Value;

use crate::names::NamesError;

/// Why a checkpoint could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file system refuses.
    #[error("{}: cannot be {verb} ({source}); check the folder, its permissions and the free space", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        verb: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not a safetensors file of ours.
    #[error("{}: not a safetensors file of weights ({message}); give another file (a checkpoint may also be deleted: the training then starts afresh)", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A file with other numbers than were written, or with some that are none.
    #[error(
        "{}: {message}; put a sound copy in its place (a checkpoint may also be deleted: the training then starts afresh)",
        .path.display()
    )]
    Unsound {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A file that is too long.
    #[error(transparent)]
    Length(FileError),
    /// Tensors that do not fit the network.
    #[error("{}: {source}", .path.display())]
    Names {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: NamesError,
    },
    /// A checkpoint of another training.
    #[error(
        "{}: belongs to a training with another {what} (found {found}, expected {expected}); \
         put the settings of that training back, or give another file (a checkpoint may also be deleted: the training then starts afresh)", .path.display()
    )]
    OtherTraining {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// What the file says, field by field where there are some.
        found: String,
        /// What this training has instead.
        expected: String,
    },
}

/// The most that is read of a file: many times what a network of this program takes.
const LONGEST: u64 = 4096 * MIB;

/// The place of one JSON text in the file's metadata.
const META_KEY: &str = "training";

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data is JSON")
}

/// Checks that a checkpoint is of the same training.
pub(crate) fn same<T: Serialize + PartialEq>(
    path: &Path,
    what: &'static str,
    found: &T,
    expected: &T,
) -> Result<(), CheckpointError> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = where_they_differ(&plain(found), &plain(expected));
    Err(CheckpointError::OtherTraining { path: path.to_owned(), what, found, expected })
}

fn plain<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("plain data is JSON")
}

/// Two values in words; of records only the fields that differ, as `batch 64, structure.width 8`.
fn where_they_differ(found: &Value, expected: &Value) -> (String, String) {
    let (mut here, mut there) = (BTreeMap::new(), BTreeMap::new());
    flatten("", found, &mut here);
    flatten("", expected, &mut there);
    let words = |own: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
        let fields: BTreeSet<&String> = own.keys().chain(other.keys()).collect();
        let differing = fields.into_iter().filter(|field| own.get(*field) != other.get(*field));
        let words = differing.map(|field| {
            let value = own.get(field).map_or("not set", String::as_str);
            if field.is_empty() { value.to_owned() } else { format!("{field} {value}") }
        });
        words.collect::<Vec<_>>().join(", ")
    };
    (words(&here, &there), words(&there, &here))
}

fn flatten(prefix: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value.as_object() {
        Some(fields) => {
            for (field, value) in fields {
                let field = if prefix.is_empty() { field.clone() } else { format!("{prefix}.{field}") };
                flatten(&field, value, into);
            }
        }
        None => {
            into.insert(prefix.to_owned(), value.to_string());
        }
    }
}

/// A tensor as safetensors wants to see it.
struct Stored(TensorData);

impl View for Stored {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        self.0.shape().as_slice()
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.0.as_bytes())
    }

    fn data_len(&self) -> usize {
        self.0.as_bytes().len()
    }
}

/// Writes tensors, and what is to be said besides them, as a safetensors file with a checksum.
pub(crate) fn write<M: Serialize>(
    tensors: BTreeMap<String, TensorData>,
    meta: Option<&M>,
    path: &Path,
) -> Result<(), CheckpointError> {
    let failed = |source| CheckpointError::File { path: path.to_owned(), verb: "written", source };
    let metadata = meta.map(|meta| HashMap::from([(META_KEY.to_owned(), json(meta))]));
    let tensors = tensors.into_iter().map(|(name, data)| (name, Stored(data.convert_dtype(DType::F32))));
    let damaged = |message: String| CheckpointError::Damaged { path: path.to_owned(), message };
    let bytes = safetensors::serialize(tensors, metadata).map_err(|error| damaged(error.to_string()))?;
    let bytes = file::with_checksum(&bytes).map_err(|error| damaged(error.to_string()))?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let result = (|| {
        let mut file = fs::File::create(&temporary)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    if result.is_err() {
        // Leave nothing behind; the first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    result.map_err(failed)
}

/// The tensors of what [`write`] wrote, or of a file of somebody else, which needs no checksum. Values of half or double
/// precision become float32; all must be finite.
pub(crate) fn read_tensors(path: &Path) -> Result<BTreeMap<String, TensorData>, CheckpointError> {
    Ok(read_texts(path)?.0)
}

/// As [`read_tensors`], with the JSON text of what [`write`] was to say besides them.
pub(crate) fn read_texts(
    path: &Path,
) -> Result<(BTreeMap<String, TensorData>, Option<String>), CheckpointError> {
    let bytes = file::raw_bytes(path, LONGEST).map_err(|error| match error {
        FileError::Unreadable { path, source } => CheckpointError::File { path, verb: "read", source },
        other => CheckpointError::Length(other),
    })?;
    let unsound = |message: String| CheckpointError::Unsound { path: path.to_owned(), message };
    file::check_checksum(&bytes).map_err(|error| unsound(error.to_string()))?;
    let damaged = |message: String| CheckpointError::Damaged { path: path.to_owned(), message };
    // Read by hand: a store that defers tensors parses the header anew for each of them, which takes a quarter of a minute
    // where there are two thousand.
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| damaged(error.to_string()))?;
    let stored = SafeTensors::deserialize(&bytes).map_err(|error| damaged(error.to_string()))?;
    let mut tensors = BTreeMap::new();
    for (name, view) in stored.iter() {
        let dtype = match view.dtype() {
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            Dtype::F32 => DType::F32,
            Dtype::F64 => DType::F64,
            // PyTorch counts the batches that a norm has seen; nothing here depends on it.
            _ if name.ends_with(".num_batches_tracked") => continue,
            other => return Err(damaged(format!("{name} has type {other:?}, not a floating-point one"))),
        };
        let data = TensorData::from_bytes_vec(view.data().to_vec(), view.shape().to_vec(), dtype);
        let data = data.convert::<f32>();
        if data.iter::<f32>().any(|value| !value.is_finite()) {
            return Err(unsound(format!("{name} has values that are no finite numbers")));
        }
        tensors.insert(name.to_owned(), data);
    }
    let text = header.metadata().as_ref().and_then(|map| map.get(META_KEY));
    Ok((tensors, text.cloned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensors(values: [f32; 3]) -> BTreeMap<String, TensorData> {
        [("a.weight".to_owned(), TensorData::new(values.to_vec(), [3]))].into()
    }

    fn refusal(path: &Path) -> String {
        read_texts(path).unwrap_err().to_string()
    }

    #[test]
    fn a_changed_byte_of_a_tensor_file_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.safetensors");
        write(tensors([1.0, -0.0, 3.0]), Some(&7), &path).unwrap();
        let whole = fs::read(&path).unwrap();
        let (read_back, text) = read_texts(&path).unwrap();
        assert_eq!((read_back, text.as_deref()), (tensors([1.0, -0.0, 3.0]), Some("7")));
        // One number of the last tensor is another, finite one, or all are zero.
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        let zeros = [&whole[..whole.len() - 12], &[0; 12]].concat();
        for damaged in [changed, zeros] {
            fs::write(&path, damaged).unwrap();
            let message = refusal(&path);
            assert!(message.contains("state.safetensors: its checksum is not that"), "{message}");
        }
    }

    #[test]
    fn a_file_without_a_checksum_is_read_if_its_numbers_are_finite() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("theirs.safetensors");
        let theirs = |value: f32| {
            let bytes: Vec<u8> = [1.0, value].iter().flat_map(|value: &f32| value.to_le_bytes()).collect();
            let view = safetensors::tensor::TensorView::new(Dtype::F32, vec![2], &bytes).unwrap();
            fs::write(&path, safetensors::serialize([("a", view)], None).unwrap()).unwrap();
        };
        theirs(2.0);
        assert_eq!(read_tensors(&path).unwrap()["a"].shape().as_slice(), [2]);
        for value in [f32::NAN, f32::INFINITY] {
            theirs(value);
            let message = refusal(&path);
            assert!(message.contains("theirs.safetensors: a has values that are no finite"), "{message}");
        }
        // Larger than single precision can hold.
        let bytes = 1e300f64.to_le_bytes();
        let view = safetensors::tensor::TensorView::new(Dtype::F64, vec![1], &bytes).unwrap();
        fs::write(&path, safetensors::serialize([("a", view)], None).unwrap()).unwrap();
        assert!(refusal(&path).contains("no finite numbers"));
    }
}
