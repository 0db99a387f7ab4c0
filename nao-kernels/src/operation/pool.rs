//! Pools.

use burn::backend::Dispatch;
use burn::tensor::Tensor;
use burn::tensor::module::{avg_pool2d, max_pool2d as burn_max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions, PadMode};

use super::conv::crop;
use crate::cpu::pool::Extreme;
use crate::cpu::window::Window;
use crate::extension::{Operations, PoolSettings};
use crate::switch::takes;

/// How a pool reads. Its windows are of dilation 1 and see at least one value of the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pooling {
    /// How it slides.
    pub window: Window,
    /// Whether what is added around the map takes part as zeros. Else it takes no part.
    pub zeros: bool,
}

impl Pooling {
    fn settings(self) -> PoolSettings {
        PoolSettings { window: self.window, zeros: self.zeros }
    }
}

/// The largest value of each window. Of equal values the first gets the gradient.
///
/// `x`: `[batch, channels, height, width]`. Returns `[batch, channels, height', width']`.
pub fn max_pool2d(x: Tensor<4>, pooling: Pooling) -> Tensor<4> {
    if takes(&x) {
        return extreme(x, pooling, Extreme::Maximum);
    }
    let (x, added) = crop(x, pooling.window);
    let options = MaxPoolOptions::new(pooling.window.kernel)
        .with_stride(pooling.window.stride)
        .with_dilation(pooling.window.dilation);
    match pooling.zeros {
        false => burn_max_pool2d(x, options.with_padding_pairs(added)),
        true => burn_max_pool2d(x.pad(added, PadMode::Constant(0.0)), options),
    }
}

/// The least value of each window; otherwise as [`max_pool2d`].
pub fn min_pool2d(x: Tensor<4>, pooling: Pooling) -> Tensor<4> {
    if takes(&x) {
        return extreme(x, pooling, Extreme::Minimum);
    }
    -max_pool2d(-x, pooling)
}

fn extreme(x: Tensor<4>, pooling: Pooling, extreme: Extreme) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::nao_extreme_pool(x.into_dispatch(), pooling.settings(), extreme))
}

/// The mean of each window. Shapes as in [`max_pool2d`].
pub fn mean_pool2d(x: Tensor<4>, pooling: Pooling) -> Tensor<4> {
    if takes(&x) {
        return Tensor::from_dispatch(Dispatch::nao_mean_pool(x.into_dispatch(), pooling.settings()));
    }
    let (x, added) = crop(x, pooling.window);
    let options = AvgPoolOptions::new(pooling.window.kernel)
        .with_stride(pooling.window.stride)
        .with_padding_pairs(added)
        .with_count_include_pad(pooling.zeros);
    avg_pool2d(x, options)
}
