//! The tensors of a supernet, by name. Networks that use a few of them view those, and write them back after a step.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use nao_kernels::nn::{Parameter, gradients_of, parameters, reshaped};

use crate::names::{NamesError, TensorName};

/// What a child uses the shared tensors for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// For use as they are, on the plain device.
    Infer,
    /// For training, with gradients.
    Train,
}

/// One tensor.
#[derive(Clone, Debug)]
struct Slot {
    name: TensorName,
    /// The same in every purpose: what is kept of a parameter, such as its momentum, finds it again.
    id: ParamId,
    /// Flat, on the plain device.
    value: Tensor<1>,
}

/// All tensors of a supernet.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedWeights {
    slots: Vec<Slot>,
    by_name: HashMap<String, usize>,
    by_id: HashMap<ParamId, usize>,
}

impl SharedWeights {
    /// Takes over the tensors of a module under names, in the order in which it is visited. A name that is there keeps
    /// its tensor.
    pub fn add<M: Module>(&mut self, module: &M, names: Vec<String>) {
        let values = parameters(module);
        assert_eq!(values.len(), names.len(), "names and module come from one plan");
        for (name, Parameter { shape, trained: trainable, value, .. }) in names.into_iter().zip(values) {
            if self.by_name.contains_key(&name) {
                continue;
            }
            let id = ParamId::new();
            self.by_name.insert(name.clone(), self.slots.len());
            self.by_id.insert(id, self.slots.len());
            self.slots.push(Slot { name: TensorName { name, shape, trainable }, id, value });
        }
    }

    /// A tensor, for a purpose.
    ///
    /// # Panics
    /// When there is none of that name: names come from the plan that the weights were made from.
    pub fn view<const D: usize>(&self, name: &str, purpose: Purpose) -> Param<Tensor<D>> {
        let place = self.by_name.get(name).unwrap_or_else(|| panic!("no tensor {name}"));
        let slot = &self.slots[*place];
        let shape: [usize; D] = slot.name.shape.clone().try_into().expect("the rank that the layer has");
        let value = slot.value.clone().reshape(shape);
        let value = match purpose {
            Purpose::Infer => value,
            Purpose::Train if slot.name.trainable => Tensor::from_inner(value).require_grad(),
            Purpose::Train => Tensor::from_inner(value),
        };
        Param::initialized(slot.id, value)
    }

    /// Keeps what a network made of the tensors that it viewed.
    pub fn write_back(&mut self, child: &impl Module) {
        for Parameter { id, value, .. } in parameters(child) {
            if let Some(&place) = self.by_id.get(&id) {
                self.slots[place].value = value;
            }
        }
    }

    /// The gradients of the tensors that a network viewed for training, by name. Where all paths to the loss lead through zero
    /// operations, they are zeros.
    pub fn gradients(
        &self,
        child: &impl Module,
        gradients: &GradientsParams,
    ) -> BTreeMap<String, TensorData> {
        let trained = gradients_of(child, gradients).into_iter().filter(|gradient| gradient.trained);
        let named = trained.filter_map(|gradient| {
            let place = *self.by_id.get(&gradient.id)?;
            Some((self.slots[place].name.name.clone(), gradient.data()))
        });
        named.collect()
    }

    /// Names, shapes and whether they are trained, in the order of the plan.
    pub fn names(&self) -> impl Iterator<Item = &TensorName> {
        self.slots.iter().map(|slot| &slot.name)
    }

    /// The parameter of a name, by which optimisers know it.
    pub fn ids(&self) -> impl Iterator<Item = (&str, ParamId)> {
        self.slots.iter().map(|slot| (slot.name.name.as_str(), slot.id))
    }

    /// The values of a tensor.
    pub fn data(&self, name: &str) -> Option<TensorData> {
        let slot = &self.slots[*self.by_name.get(name)?];
        Some(reshaped(slot.value.clone().into_data(), slot.name.shape.clone()))
    }

    /// All tensors by name.
    pub fn tensors(&self) -> BTreeMap<String, TensorData> {
        let names = self.slots.iter().map(|slot| &slot.name.name);
        names.filter_map(|name| Some((name.clone(), self.data(name)?))).collect()
    }

    /// Replaces all tensors.
    pub fn load(
        &mut self,
        mut tensors: BTreeMap<String, TensorData>,
        device: &Device,
    ) -> Result<(), NamesError> {
        let mut error = NamesError { missing: Vec::new(), unknown: Vec::new(), misshapen: Vec::new() };
        let mut values = Vec::with_capacity(self.slots.len());
        for Slot { name: TensorName { name, shape, .. }, .. } in &self.slots {
            match tensors.remove(name) {
                Some(data) if data.shape().as_slice() == shape.as_slice() => {
                    values.push(flat(data, device));
                }
                Some(data) => {
                    let found = data.shape().as_slice();
                    error.misshapen.push(format!("{name}: found {found:?}, expected {shape:?}"));
                }
                None => error.missing.push(name.clone()),
            }
        }
        error.unknown.extend(tensors.into_keys());
        if !(error.missing.is_empty() && error.unknown.is_empty() && error.misshapen.is_empty()) {
            return Err(error);
        }
        for (slot, value) in self.slots.iter_mut().zip(values) {
            slot.value = value;
        }
        Ok(())
    }
}

fn flat(data: TensorData, device: &Device) -> Tensor<1> {
    let len = data.num_elements();
    Tensor::from_data(reshaped(data, vec![len]), device)
}
