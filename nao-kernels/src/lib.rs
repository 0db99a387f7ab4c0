//! Fast CPU operations for neural architecture search on [`burn`]: convolutions, pools, norms, LSTMs and activations,
//! each with a hand-written gradient.
//!
//! Every function takes and gives burn tensors and is differentiable. On the CPU backend (Flex, float32) it runs our
//! kernels, with the vector instructions that the machine has (AVX-512, AVX2 with FMA, NEON, or none, chosen at run
//! time); on every other backend and number type, burn's own operations. The results agree up to rounding, and do not
//! depend on the number of threads.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use nao_kernels::{Window, conv2d};
//!
//! let device = Device::flex().autodiff();
//! let x = Tensor::<4>::ones([1, 2, 5, 5], &device).require_grad();
//! let weight = Tensor::<4>::ones([3, 2, 3, 3], &device);
//! let window = Window { before: [1; 2], after: [1; 2], ..Window::of_size([3, 3]) };
//! let y = conv2d(x.clone(), weight, window, 1);
//! assert_eq!(y.dims(), [1, 3, 5, 5]);
//! let gradients = y.sum().backward();
//! assert_eq!(x.grad(&gradients).unwrap().dims(), [1, 2, 5, 5]);
//! ```
//!
//! # Switching them off
//! The environment variable `NAO_KERNELS` says what runs on the CPU backend: `auto` (the default), `avx2` or `plain`
//! (no wider vector instructions than these), or `burn` (burn's own operations throughout, to compare with).
//!
//! # Training
//! [`nn`] has what trainings need besides operations: first weights, SGD and Adam, clipping, parameters as numbers.
//!
//! # On slices
//! [`cpu`] holds the kernels themselves, on slices and without burn.

#![warn(missing_docs)]

pub mod cpu;
mod extension;
pub mod nn;
mod operation;
mod switch;

pub use cpu::window::Window;
pub use operation::*;
pub use switch::{UnknownKernels, check_environment};

/// The examples of the README are tested with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
