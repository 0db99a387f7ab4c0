//! Weights to and from safetensors through burn-store, under the authors' parameter names ([`names`](crate::names)).

use std::collections::BTreeMap;

use burn::tensor::TensorData;
use burn_store::burn_pack::Tensor as StoredTensor;
use burn_store::{
    ApplyError, ModuleAdapter, ModuleContext, ModuleSnapshot, ModuleStore, SafetensorsStore, bridge,
};
use nao_space::excerpt::listed_up_to;
use nao_space::file::{check_checksum, with_checksum};

use super::names::{NamedValues, Names, StoredAs};
use super::networks::Networks;
use crate::error::ControllerError;

/// The weights as a safetensors file with `metadata` and a checksum in its header: bit-exact, equal weights give equal
/// bytes. Without networks, the header alone.
pub(crate) fn to_bytes(
    networks: Option<&Networks>,
    names: Names,
    metadata: Option<(String, String)>,
) -> Result<Vec<u8>, ControllerError> {
    // One entry at most: with more, the order of a hash map would show in the bytes.
    let mut store = SafetensorsStore::from_bytes(None).clear_metadata().with_to_adapter(names);
    if let Some((key, value)) = metadata {
        store = store.metadata(key, value);
    }
    let written = store.collect_from(&networks.cloned()).and_then(|()| store.get_bytes());
    let bytes = written.map_err(|error| ControllerError::Weights { problem: error.to_string() })?;
    with_checksum(&bytes).map_err(|error| ControllerError::Weights { problem: error.to_string() })
}

impl ModuleAdapter for Names {
    fn adapt(&self, tensor: StoredTensor, _: ModuleContext<'_>) -> StoredTensor {
        let StoredAs { name, transposed } = self.stored_as(&tensor.name);
        let (dtype, mut shape) = (tensor.dtype, tensor.shape.to_vec());
        if !transposed {
            return bridge::map_data(tensor, name, dtype, shape.into(), |data| data);
        }
        shape.reverse();
        bridge::map_data(tensor, name, dtype, shape.into(), |data| {
            let (shape, values) = (data.shape().to_vec(), data.iter::<f32>().collect());
            let turned = NamedValues { name: String::new(), shape, values }.transposed();
            TensorData::new(turned.values, turned.shape)
        })
    }

    fn clone_box(&self) -> Box<dyn ModuleAdapter> {
        Box::new(*self)
    }
}

/// All tensors of a safetensors file, of whatever floating-point type; needs no checksum, but one that is there must be
/// right, and all values finite.
pub(crate) fn read_values(bytes: &[u8]) -> Result<Vec<NamedValues>, ControllerError> {
    let refuse = |problem: String| ControllerError::Weights { problem };
    check_checksum(bytes).map_err(|error| refuse(error.to_string()))?;
    let mut store = SafetensorsStore::from_bytes(Some(bytes.to_vec()));
    let tensors = store.get_all_tensors().map_err(|error| refuse(error.to_string()))?;
    let mut values = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        if !tensor.dtype.is_float() {
            return Err(refuse(format!(
                "{name} has type {:?}; floating-point values are needed",
                tensor.dtype
            )));
        }
        let data = bridge::to_data(tensor).map_err(|error| refuse(format!("{name}: {error}")))?;
        let shape = data.shape().to_vec();
        let numbers: Vec<f32> = data.iter::<f32>().collect();
        if numbers.iter().any(|number| !number.is_finite()) {
            return Err(refuse(format!("{name} has values that are no finite numbers")));
        }
        values.push(NamedValues { name: name.clone(), shape, values: numbers });
    }
    Ok(values)
}

/// Puts values into the networks. Strict: no tensor may be missing, left over or of another shape.
pub(crate) fn load(
    mut networks: Networks,
    names: Names,
    values: Vec<NamedValues>,
) -> Result<Networks, ControllerError> {
    let paths: BTreeMap<String, (String, bool)> = networks
        .collect(None, None, true)
        .into_iter()
        .map(|tensor| {
            let StoredAs { name, transposed } = names.stored_as(&tensor.name);
            (name, (tensor.name, transposed))
        })
        .collect();
    let mut problems = Vec::new();
    let mut tensors = Vec::with_capacity(values.len());
    for tensor in values {
        let Some((path, transposed)) = paths.get(&tensor.name) else {
            problems.push(format!("{} is not wanted", tensor.name));
            continue;
        };
        let tensor = if *transposed { tensor.transposed() } else { tensor };
        tensors.push(bridge::from_data(TensorData::new(tensor.values, tensor.shape), path.clone(), None));
    }
    let result = networks.apply(tensors, None, None, true);
    for (path, _) in &result.missing {
        problems.push(format!("{} is missing", names.stored_as(path).name));
    }
    for error in &result.errors {
        problems.push(match error {
            ApplyError::ShapeMismatch { path, expected, found } => {
                let StoredAs { name, transposed } = names.stored_as(path);
                let [mut expected, mut found] = [expected.to_vec(), found.to_vec()];
                if transposed {
                    expected.reverse();
                    found.reverse();
                }
                format!("{name} is {found:?}, wanted {expected:?}")
            }
            other => other.to_string(),
        });
    }
    if problems.is_empty() {
        Ok(networks)
    } else {
        Err(ControllerError::Weights { problem: listed_up_to(12, problems) })
    }
}
