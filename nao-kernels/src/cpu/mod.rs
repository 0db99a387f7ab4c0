//! The operations themselves, on slices: no tensors here.

pub mod activation;
pub mod batch_norm;
pub mod conv;
mod conv_plan;
pub mod cross_entropy;
pub mod depthwise;
pub mod isa;
pub mod lstm;
pub mod matrix;
mod panels;
mod parallel;
pub mod pool;
pub mod recurrent;
pub mod sgd;
pub mod softmax;
pub mod sum;
mod taps;
mod weight_gradient;
pub mod window;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
