//! Weights to and from safetensors, under the authors' parameter names.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::error::ControllerError;
use crate::networks::{NamedValues, Networks, authors_name, named_values};

/// The weights as a safetensors file with `metadata` in its header: bit-exact, equal weights give equal bytes.
pub(crate) fn to_bytes(
    networks: &Networks,
    metadata: Option<(String, String)>,
) -> Result<Vec<u8>, ControllerError> {
    to_bytes_of(&named_values(networks, None), metadata)
}

/// Named values as a safetensors file.
pub(crate) fn to_bytes_of(
    values: &[NamedValues],
    metadata: Option<(String, String)>,
) -> Result<Vec<u8>, ControllerError> {
    let problem =
        |error: safetensors::SafeTensorError| ControllerError::Weights { problem: error.to_string() };
    let raw: Vec<Vec<u8>> = values
        .iter()
        .map(|tensor| tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect())
        .collect();
    let mut views = Vec::with_capacity(values.len());
    for (tensor, bytes) in values.iter().zip(&raw) {
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map_err(problem)?;
        views.push((tensor.name.clone(), view));
    }
    // One entry only: with more, the order of a hash map would show in the bytes.
    safetensors::serialize(views, metadata.map(|entry| HashMap::from([entry]))).map_err(problem)
}

/// All tensors of a safetensors file.
pub(crate) fn read_values(bytes: &[u8]) -> Result<Vec<NamedValues>, ControllerError> {
    let refuse = |problem: String| ControllerError::Weights { problem };
    let file = SafeTensors::deserialize(bytes).map_err(|error| refuse(error.to_string()))?;
    let mut values = Vec::with_capacity(file.len());
    for (name, view) in file.tensors() {
        if view.dtype() != Dtype::F32 {
            return Err(refuse(format!("{name} has type {:?}; F32 is needed", view.dtype())));
        }
        let floats = view.data().as_chunks().0.iter().map(|&chunk| f32::from_le_bytes(chunk)).collect();
        values.push(NamedValues { name, shape: view.shape().to_vec(), values: floats });
    }
    Ok(values)
}

/// Puts values into the networks. Strict: no tensor may be missing, left over or of another shape.
pub(crate) fn load(networks: Networks, values: Vec<NamedValues>) -> Result<Networks, ControllerError> {
    let device = networks.device();
    let mut given: BTreeMap<String, NamedValues> = BTreeMap::new();
    for tensor in values {
        given.insert(tensor.name.clone(), tensor);
    }
    let mut loader = Loader { path: Vec::new(), given, problems: Vec::new(), device };
    let networks = networks.map(&mut loader);
    loader.problems.extend(loader.given.keys().map(|name| format!("{name} is not wanted")));
    if loader.problems.is_empty() {
        Ok(networks)
    } else {
        Err(ControllerError::Weights { problem: loader.problems.join("; ") })
    }
}

struct Loader {
    path: Vec<String>,
    given: BTreeMap<String, NamedValues>,
    problems: Vec<String>,
    device: Device,
}

impl ModuleMapper for Loader {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = authors_name(&self.path);
        let wanted: [usize; D] = param.dims();
        match self.given.remove(&name) {
            None => self.problems.push(format!("{name} is missing")),
            Some(tensor) if tensor.shape != wanted => {
                self.problems.push(format!("{name} is {:?}, wanted {wanted:?}", tensor.shape));
            }
            Some(tensor) => {
                let data = TensorData::new(tensor.values, wanted);
                return Param::from_tensor(Tensor::from_data(data, &self.device));
            }
        }
        param
    }
}
