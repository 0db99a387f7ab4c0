//! Networks and trainings on disk, as safetensors under the authors' parameter names
//! ([`names`](crate::names)). Files are written beside their place and then renamed, so a crash never leaves
//! half a file.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Tensor, TensorData};
use burn_store::{ModuleStore, SafetensorsStore, bridge};
use nao_space::EpochReport;
use nao_space::network::NetworkPlan;
use safetensors::{Dtype, SafeTensors, View};

use super::sgd::Sgd;
use crate::names::{NameConvention, NamesError, TensorName, load_tensors, save_tensors, tensor_names};
use crate::network::Network;
use crate::recipe::Recipe;

/// Where momentum buffers stand in a checkpoint.
const MOMENTUM_PREFIX: &str = "momentum/";

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
    #[error("{}: not a safetensors file of weights ({message}); give another file, or delete it to start afresh", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
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
         give another file, or delete it to start afresh", .path.display()
    )]
    OtherTraining {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// What the file says.
        found: String,
        /// What this training has.
        expected: String,
    },
}

/// Writes the parameters and running statistics of a network under the names of `convention`. Our own files have those
/// of V1.
///
/// # Errors
/// When the file cannot be written.
pub fn save_network(
    network: &Network,
    plan: &NetworkPlan,
    convention: NameConvention,
    path: &Path,
) -> Result<(), CheckpointError> {
    let tensors = save_tensors(network, &tensor_names(plan, convention));
    write(tensors, None, path)
}

/// Reads parameters and running statistics into a network of the same plan: one that [`save_network`] wrote, the
/// checkpoint of a training, or a file of the authors' code under the names of `convention`. Values of half or double
/// precision become float32.
///
/// # Errors
/// When the file cannot be read, is no safetensors file, or does not fit the network: lists every name that
/// is missing, unknown or of another shape.
pub fn load_network(
    network: Network,
    plan: &NetworkPlan,
    convention: NameConvention,
    path: &Path,
) -> Result<Network, CheckpointError> {
    let (mut tensors, _) = read(path)?;
    tensors.retain(|name, _| !name.starts_with(MOMENTUM_PREFIX));
    fit(network, &tensor_names(plan, convention), tensors, path)
}

/// A training between two epochs: all that is needed to go on.
#[derive(Debug)]
pub(super) struct Checkpoint {
    pub network: Network,
    pub sgd: Sgd,
    /// Epochs done.
    pub epoch: u32,
    /// The score so far with its epoch.
    pub scored: Option<(f64, u32)>,
    pub reports: Vec<EpochReport>,
}

impl Checkpoint {
    pub fn fresh(network: Network, sgd: Sgd) -> Self {
        Checkpoint { network, sgd, epoch: 0, scored: None, reports: Vec::new() }
    }

    pub fn save(
        &self,
        plan: &NetworkPlan,
        recipe: &Recipe,
        seed: u64,
        path: &Path,
    ) -> Result<(), CheckpointError> {
        let names = tensor_names(plan, NameConvention::V1);
        let mut tensors = save_tensors(&self.network, &names);
        for (id, TensorName { name, .. }) in ids(&self.network).into_iter().zip(&names) {
            if let Some(buffer) = self.sgd.buffers.get(&id) {
                tensors.insert(format!("{MOMENTUM_PREFIX}{name}"), buffer.clone().into_data());
            }
        }
        let meta = Meta {
            recipe: recipe.clone(),
            seed,
            epoch: self.epoch,
            scored: self.scored,
            reports: self.reports.clone(),
        };
        write(tensors, Some(&meta), path)
    }

    /// `fresh` with everything replaced by what the file holds.
    pub fn load(
        fresh: Checkpoint,
        plan: &NetworkPlan,
        recipe: &Recipe,
        seed: u64,
        path: &Path,
    ) -> Result<Self, CheckpointError> {
        let (mut tensors, meta) = read(path)?;
        let meta = meta.ok_or_else(|| CheckpointError::Damaged {
            path: path.to_owned(),
            message: "it holds a network but not the state of a training".into(),
        })?;
        let other = |what, found: String, expected: String| {
            Err(CheckpointError::OtherTraining { path: path.to_owned(), what, found, expected })
        };
        if meta.seed != seed {
            return other("seed", meta.seed.to_string(), seed.to_string());
        }
        if meta.recipe != *recipe {
            return other("recipe", json(&meta.recipe), json(recipe));
        }
        let buffers: Vec<String> =
            tensors.keys().filter(|name| name.starts_with(MOMENTUM_PREFIX)).cloned().collect();
        let mut momentum: HashMap<String, TensorData> = HashMap::new();
        for key in buffers {
            if let Some(data) = tensors.remove(&key) {
                momentum.insert(key[MOMENTUM_PREFIX.len()..].to_owned(), data);
            }
        }
        let names = tensor_names(plan, NameConvention::V1);
        let network = fit(fresh.network, &names, tensors, path)?;
        let mut sgd = fresh.sgd;
        let device = network.devices().into_iter().next().unwrap_or_default().without_autodiff();
        for (id, TensorName { name, .. }) in ids(&network).into_iter().zip(&names) {
            if let Some(data) = momentum.remove(name) {
                sgd.buffers.insert(id, Tensor::from_data(data, &device));
            }
        }
        Ok(Checkpoint { network, sgd, epoch: meta.epoch, scored: meta.scored, reports: meta.reports })
    }
}

/// What a checkpoint says besides its tensors, as one JSON text in the file's metadata.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Meta {
    recipe: Recipe,
    seed: u64,
    epoch: u32,
    scored: Option<(f64, u32)>,
    reports: Vec<EpochReport>,
}

const META_KEY: &str = "training";

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data is JSON")
}

fn ids(network: &Network) -> Vec<ParamId> {
    struct Ids(Vec<ParamId>);
    impl ModuleVisitor for Ids {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.id);
        }
    }
    let mut ids = Ids(Vec::new());
    network.visit(&mut ids);
    ids.0
}

fn fit(
    network: Network,
    names: &[TensorName],
    tensors: BTreeMap<String, TensorData>,
    path: &Path,
) -> Result<Network, CheckpointError> {
    load_tensors(network, names, tensors)
        .map_err(|source| CheckpointError::Names { path: path.to_owned(), source })
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

fn write(
    tensors: BTreeMap<String, TensorData>,
    meta: Option<&Meta>,
    path: &Path,
) -> Result<(), CheckpointError> {
    let failed = |source| CheckpointError::File { path: path.to_owned(), verb: "written", source };
    let metadata = meta.map(|meta| HashMap::from([(META_KEY.to_owned(), json(meta))]));
    let tensors = tensors.into_iter().map(|(name, data)| (name, Stored(data.convert_dtype(DType::F32))));
    let bytes = safetensors::serialize(tensors, metadata)
        .map_err(|error| CheckpointError::Damaged { path: path.to_owned(), message: error.to_string() })?;
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

fn read(path: &Path) -> Result<(BTreeMap<String, TensorData>, Option<Meta>), CheckpointError> {
    let bytes = fs::read(path).map_err(|source| CheckpointError::File {
        path: path.to_owned(),
        verb: "read",
        source,
    })?;
    let damaged = |message: String| CheckpointError::Damaged { path: path.to_owned(), message };
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| damaged(error.to_string()))?;
    let mut store = SafetensorsStore::from_bytes(Some(bytes));
    let stored = store.get_all_tensors().map_err(|error| damaged(error.to_string()))?;
    let mut tensors = BTreeMap::new();
    for (name, tensor) in stored {
        if !tensor.dtype.is_float() {
            // PyTorch counts the batches that a norm has seen; nothing here depends on it.
            if name.ends_with(".num_batches_tracked") {
                continue;
            }
            return Err(damaged(format!("{name} has type {:?}, not a floating-point one", tensor.dtype)));
        }
        let data = bridge::to_data(tensor).map_err(|error| damaged(format!("{name}: {error}")))?;
        tensors.insert(name.clone(), data.convert::<f32>());
    }
    let meta = header.metadata().as_ref().and_then(|map| map.get(META_KEY));
    let meta = meta.map(|text| serde_json::from_str(text)).transpose();
    Ok((tensors, meta.map_err(|error| damaged(error.to_string()))?))
}
