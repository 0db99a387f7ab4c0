//! The parameters of networks as plain numbers, in the order of their declaration.

use burn::module::Module;
use nao_kernels::nn::{self, Misshapen};

use crate::error::ControllerError;

#[cfg(test)]
pub(crate) use nao_kernels::nn::gradient_values_of as gradients_of;
pub(crate) use nao_kernels::nn::values_of as values;

/// The networks with other values.
///
/// # Errors
/// When the numbers of values are not those of the parameters.
pub(crate) fn with_values<M: Module>(module: M, values: Vec<Vec<f32>>) -> Result<M, ControllerError> {
    Ok(nn::with_values(module, values)?)
}

impl From<Misshapen> for ControllerError {
    fn from(Misshapen(problem): Misshapen) -> Self {
        ControllerError::Weights { problem }
    }
}
