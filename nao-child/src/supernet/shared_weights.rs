//! The tensors of a supernet, by name. Networks that use a few of them view those, and write them back after a step.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use super::child::SharedChild;
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
        struct Values(Vec<(Vec<usize>, bool, Tensor<1>)>);
        impl ModuleVisitor for Values {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let tensor = param.val();
                let shape: [usize; D] = tensor.dims();
                let flat = tensor.without_autodiff().flatten(0, D - 1);
                self.0.push((shape.to_vec(), param.is_require_grad(), flat));
            }
        }
        let mut values = Values(Vec::new());
        module.visit(&mut values);
        assert_eq!(values.0.len(), names.len(), "names and module come from one plan");
        for (name, (shape, trainable, value)) in names.into_iter().zip(values.0) {
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
    pub fn write_back(&mut self, child: &SharedChild) {
        struct Keep<'a>(&'a mut SharedWeights);
        impl ModuleVisitor for Keep<'_> {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if let Some(&place) = self.0.by_id.get(&param.id) {
                    self.0.slots[place].value = param.val().without_autodiff().flatten(0, D - 1);
                }
            }
        }
        child.visit(&mut Keep(self));
    }

    /// The gradients of the tensors that a network viewed for training, by name. Where all paths to the loss lead through zero
    /// operations, they are zeros.
    pub fn gradients(
        &self,
        child: &SharedChild,
        gradients: &GradientsParams,
    ) -> BTreeMap<String, TensorData> {
        struct Collect<'a> {
            weights: &'a SharedWeights,
            gradients: &'a GradientsParams,
            found: BTreeMap<String, TensorData>,
        }
        impl ModuleVisitor for Collect<'_> {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let place = self.weights.by_id.get(&param.id).filter(|_| param.is_require_grad());
                let Some(&place) = place else { return };
                let gradient = self.gradients.get::<D>(param.id);
                let zeros = || TensorData::zeros::<f32, _>(param.shape());
                let gradient = gradient.map_or_else(zeros, Tensor::into_data);
                self.found.insert(self.weights.slots[place].name.name.clone(), gradient);
            }
        }
        let mut collect = Collect { weights: self, gradients, found: BTreeMap::new() };
        child.visit(&mut collect);
        collect.found
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
        Some(of_shape(slot.value.clone().into_data(), slot.name.shape.clone()))
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
    Tensor::from_data(of_shape(data, vec![len]), device)
}

fn of_shape(data: TensorData, shape: Vec<usize>) -> TensorData {
    let (bytes, _, dtype) = data.into_parts();
    TensorData::from_bytes(bytes, shape, dtype)
}
