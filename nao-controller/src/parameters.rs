//! The parameters of networks as plain numbers, in the order of their declaration.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

use crate::error::ControllerError;

/// The values of every parameter.
pub(crate) fn values(module: &impl Module) -> Vec<Vec<f32>> {
    let mut reading = ParameterValues(Vec::new());
    module.visit(&mut reading);
    reading.0
}

struct ParameterValues(Vec<Vec<f32>>);

impl ModuleVisitor for ParameterValues {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.val().into_data().iter::<f32>().collect());
    }
}

/// The gradient of every parameter; zeros where there is none.
pub(crate) fn gradients_of(module: &impl Module, gradients: &GradientsParams) -> Vec<Vec<f32>> {
    let mut collected = Collected { gradients, values: Vec::new() };
    module.visit(&mut collected);
    collected.values
}

struct Collected<'a> {
    gradients: &'a GradientsParams,
    values: Vec<Vec<f32>>,
}

impl ModuleVisitor for Collected<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.gradients.get::<D>(param.id);
        self.values.push(match gradient {
            Some(gradient) => gradient.into_data().iter::<f32>().collect(),
            None => vec![0.0; param.dims().iter().product()],
        });
    }
}

/// The networks with other values.
///
/// # Errors
/// When the numbers of values are not those of the parameters.
pub(crate) fn with_values<M: Module>(module: M, values: Vec<Vec<f32>>) -> Result<M, ControllerError> {
    let mut writing = Writing { values: values.into_iter(), misshapen: None, at: 0 };
    let module = module.map(&mut writing);
    if writing.values.next().is_some() {
        writing.misshapen.get_or_insert_with(|| format!("there are more than {} parameters", writing.at));
    }
    match writing.misshapen {
        None => Ok(module),
        Some(problem) => Err(ControllerError::Weights { problem }),
    }
}

struct Writing {
    values: std::vec::IntoIter<Vec<f32>>,
    misshapen: Option<String>,
    at: usize,
}

impl ModuleMapper for Writing {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let (shape, at) = (tensor.dims(), self.at);
        self.at += 1;
        let tensor = match self.values.next() {
            Some(values) if values.len() == shape.iter().product::<usize>() => {
                let written = Tensor::from_data(TensorData::new(values, shape), &tensor.device());
                if tensor.is_require_grad() { written.require_grad() } else { written }
            }
            found => {
                let found =
                    found.map_or("is missing".to_owned(), |values| format!("has {} values", values.len()));
                self.misshapen.get_or_insert(format!("parameter {at} {found}, wanted are {shape:?}"));
                tensor
            }
        };
        Param::from_mapped_value(id, tensor, mapper)
    }
}
