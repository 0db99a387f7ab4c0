//! Convolutions without bias.

use burn::backend::Dispatch;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, activation, module};

use crate::cpu::window::Window;
use crate::extension::{ConvSettings, Operations};
use crate::switch::takes;

/// A convolution: `x` `[batch, channels, height, width]` by `weight`
/// `[outputs, channels / groups, kernel height, kernel width]`. Returns `[batch, outputs, height', width']`.
///
/// # Panics
/// When the shapes do not fit together.
pub fn conv2d(x: Tensor<4>, weight: Tensor<4>, window: Window, groups: usize) -> Tensor<4> {
    convolve(x, weight, window, groups, false)
}

/// The convolution of `max(x, 0)`, without that being stored.
///
/// # Panics
/// As [`conv2d`].
pub fn relu_conv2d(x: Tensor<4>, weight: Tensor<4>, window: Window, groups: usize) -> Tensor<4> {
    convolve(x, weight, window, groups, true)
}

/// Two 1x1 convolutions of stride 2, one on the even rows and columns and one on the odd ones, concatenated: half the
/// resolution without losing every second value.
///
/// `x`: `[batch, channels, height, width]`, height and width even; the weights `[outputs, channels, 1, 1]`. Returns
/// `[batch, both outputs, height / 2, width / 2]`.
pub fn factorized_reduce(x: Tensor<4>, even: Tensor<4>, odd: Tensor<4>) -> Tensor<4> {
    reduce(x, even, odd, false)
}

/// The same of `max(x, 0)`, without that being stored.
pub fn relu_factorized_reduce(x: Tensor<4>, even: Tensor<4>, odd: Tensor<4>) -> Tensor<4> {
    reduce(x, even, odd, true)
}

fn reduce(x: Tensor<4>, even: Tensor<4>, odd: Tensor<4>, relu: bool) -> Tensor<4> {
    let even_window = Window { stride: [2; 2], ..Window::POINT };
    // The first row and column are left out.
    let odd_window = Window { before: [-1; 2], ..even_window };
    let even = convolve(x.clone(), even, even_window, 1, relu);
    let odd = convolve(x, odd, odd_window, 1, relu);
    Tensor::cat(vec![even, odd], 1)
}

fn convolve(x: Tensor<4>, weight: Tensor<4>, window: Window, groups: usize, relu: bool) -> Tensor<4> {
    check(&x, &weight, window, groups);
    if takes(&x) && takes(&weight) {
        let settings = ConvSettings { window, groups, relu };
        return Tensor::from_dispatch(Dispatch::nao_conv(
            x.into_dispatch(),
            weight.into_dispatch(),
            settings,
        ));
    }
    let x = if relu { activation::relu(x) } else { x };
    let Window { stride, dilation, .. } = window;
    let (x, padding) = crop(x, window);
    let mut options = ConvOptions::new(stride, [0; 2], dilation, groups);
    options.padding = padding;
    module::conv2d(x, weight, None, options)
}

/// What is left out cut off, and what is added as pairs per axis.
pub(super) fn crop(x: Tensor<4>, window: Window) -> (Tensor<4>, [(usize, usize); 2]) {
    let [batch, channels, height, width] = x.dims();
    let cut = |axis: usize, size: usize| {
        let [before, after] = [window.before[axis], window.after[axis]].map(|added| (-added).max(0) as usize);
        before..size - after
    };
    let added = [0, 1].map(|axis| (window.before[axis].max(0) as usize, window.after[axis].max(0) as usize));
    let whole = window.before.iter().chain(&window.after).all(|&added| added >= 0);
    let x = if whole { x } else { x.slice([0..batch, 0..channels, cut(0, height), cut(1, width)]) };
    (x, added)
}

fn check(x: &Tensor<4>, weight: &Tensor<4>, window: Window, groups: usize) {
    let ([_, channels, ..], [outputs, inputs, height, width]) = (x.dims(), weight.dims());
    assert!(
        groups > 0 && inputs * groups == channels && outputs.is_multiple_of(groups),
        "a convolution of {channels} channels in {groups} groups by weights {:?}",
        weight.dims()
    );
    assert_eq!([height, width], window.kernel, "the weights have the size of the window");
}
