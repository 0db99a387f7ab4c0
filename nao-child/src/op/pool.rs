//! Maximum, minimum and mean pools.

use burn::tensor::Tensor;
use nao_kernels::{Pooling, Window, max_pool2d, mean_pool2d, min_pool2d};
use nao_space::Border;
use nao_space::network::PoolSpec;

/// The maximum over each window.
///
/// `x`: `[batch, channels, height, width]`. What was added at the border competes as zeros or takes no part.
pub fn max_pool(x: Tensor<4>, spec: PoolSpec) -> Tensor<4> {
    max_pool2d(x, pooling(spec))
}

/// The minimum over each window.
///
/// `x`: `[batch, channels, height, width]`. What was added at the border takes no part.
pub fn min_pool(x: Tensor<4>, spec: PoolSpec) -> Tensor<4> {
    min_pool2d(x, Pooling { zeros: false, ..pooling(spec) })
}

/// The mean over each window.
///
/// `x`: `[batch, channels, height, width]`. What was added at the border counts as zeros or takes no part.
pub fn avg_pool(x: Tensor<4>, spec: PoolSpec) -> Tensor<4> {
    mean_pool2d(x, pooling(spec))
}

fn pooling(spec: PoolSpec) -> Pooling {
    let PoolSpec { kernel, stride, before, after, border } = spec;
    let window = Window {
        stride: [stride; 2],
        before: [before as isize; 2],
        after: [after as isize; 2],
        ..Window::of_size([kernel; 2])
    };
    Pooling { window, zeros: border == Border::Zeros }
}

/// The mean over height and width. `x`: `[batch, channels, height, width]`. Returns
/// `[batch, channels, 1, 1]`.
pub fn global_average_pool(x: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    x.reshape([batch, channels, height * width]).mean_dim(2).reshape([batch, channels, 1, 1])
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use burn::tensor::module::avg_pool2d;
    use burn::tensor::ops::AvgPoolOptions;
    use nao_space::seed::rng_for;

    use super::*;
    use nao_kernels::nn::kaiming_normal;

    fn spec(kernel: usize, stride: usize, border: Border) -> PoolSpec {
        let before = (kernel - 1) / 2;
        PoolSpec { kernel, stride, before, after: kernel - 1 - before, border }
    }

    #[test]
    fn means_equal_those_of_the_backend() {
        let device = Device::flex();
        for size in [[7, 8], [8, 8], [12, 9]] {
            let x = kaiming_normal([2, 3, size[0], size[1]], &mut rng_for(1, "pool", 0), &device);
            for (kernel, stride, border) in [2, 3, 5].into_iter().flat_map(|k| {
                [1, 2].into_iter().flat_map(move |s| [(k, s, Border::Ignored), (k, s, Border::Zeros)])
            }) {
                let spec = spec(kernel, stride, border);
                let options = AvgPoolOptions::new([kernel; 2])
                    .with_stride([stride; 2])
                    .with_padding_pairs([(spec.before, spec.after); 2])
                    .with_count_include_pad(border == Border::Zeros);
                let difference = avg_pool(x.clone(), spec) - avg_pool2d(x.clone(), options);
                let largest = difference.abs().max().into_scalar::<f32>();
                assert!(largest < 1e-6, "{size:?} {spec:?}: {largest}");
            }
        }
    }

    /// Means of ones are ones where the border is ignored, and gradients sum to the number of outputs.
    #[test]
    fn an_ignored_border_takes_no_part_in_means() {
        let device = Device::flex().autodiff();
        for (kernel, size, stride) in
            [2, 3, 5].into_iter().flat_map(|k| [(k, 7usize, 1), (k, 7, 2), (k, 8, 1), (k, 12, 2)])
        {
            let x = Tensor::<4>::ones([2, 3, size, size], &device).require_grad();
            let y = avg_pool(x.clone(), spec(kernel, stride, Border::Ignored));
            assert_eq!(y.dims(), [2, 3, size.div_ceil(stride), size.div_ceil(stride)]);
            let outputs = y.dims().iter().product::<usize>() as f32;
            for value in y.clone().into_data().try_to_vec::<f32>().unwrap() {
                assert!((value - 1.0).abs() < 1e-6, "{kernel}x{kernel} on {size}, stride {stride}: {value}");
            }
            let gradient = x.grad(&y.sum().backward()).unwrap().sum().into_scalar::<f32>();
            assert!((gradient - outputs).abs() < 1e-2, "gradients sum to {gradient}, not to {outputs}");
        }
    }

    #[test]
    fn zeros_at_the_border_count_in_means_and_compete_in_maxima() {
        let device = Device::flex();
        let ones = Tensor::<4>::ones([1, 1, 4, 4], &device);
        let corner = |y: Tensor<4>, at: usize| y.into_data().try_to_vec::<f32>().unwrap()[at];
        assert!((corner(avg_pool(ones.clone(), spec(3, 1, Border::Zeros)), 0) - 4.0 / 9.0).abs() < 1e-6);
        assert_eq!(corner(avg_pool(ones.clone(), spec(2, 1, Border::Zeros)), 15), 0.25);
        let negative = -ones;
        assert_eq!(corner(max_pool(negative.clone(), spec(2, 1, Border::Zeros)), 15), 0.0);
        assert_eq!(corner(max_pool(negative.clone(), spec(2, 1, Border::Ignored)), 15), -1.0);
        assert_eq!(corner(max_pool(negative, spec(3, 1, Border::Ignored)), 0), -1.0);
    }

    #[test]
    fn a_minimum_is_taken_inside_the_map() {
        let x = Tensor::<4>::from_data([[[[4.0, 3.0], [2.0, 5.0]]]], &Device::flex());
        let minima = min_pool(x, spec(2, 1, Border::Ignored)).into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(minima, [2.0, 3.0, 2.0, 5.0]);
    }
}
