//! What trainings of any network need besides operations: first weights, optimisers, clipping, and parameters as plain
//! numbers. Nothing here knows an architecture.

mod adam;
mod clip;
mod init;
mod parameters;
mod sgd;

pub use adam::{Adam, Moments};
pub use clip::{clip_gradients, gradient_norm, gradient_norm_on_device};
pub use init::{drawn, kaiming_normal, normal, standard_normal, uniform, uniform_bias, uniform_double};
pub use parameters::{
    Misshapen, Parameter, ParameterGradient, gradient_values_of, gradients_of, map_values, parameters,
    reshaped, trained_values, values_of, with_values,
};
pub use sgd::{Sgd, SgdSettings};
