//! Maximum, minimum and mean pools.

use burn::tensor::module::max_pool2d;
use burn::tensor::ops::{MaxPoolOptions, PadMode};
use burn::tensor::{Device, Tensor, TensorData};
use nao_space::Border;
use nao_space::network::PoolSpec;

/// The maximum over each window.
///
/// `x`: `[batch, channels, height, width]`. What was added at the border competes as zeros or takes no part.
pub fn max_pool(x: Tensor<4>, spec: PoolSpec) -> Tensor<4> {
    let options = MaxPoolOptions::new([spec.kernel; 2]).with_stride([spec.stride; 2]);
    let border = [(spec.before, spec.after); 2];
    match spec.border {
        Border::Ignored => max_pool2d(x, options.with_padding_pairs(border)),
        Border::Zeros => max_pool2d(x.pad(border, PadMode::Constant(0.0)), options),
    }
}

/// The minimum over each window.
///
/// `x`: `[batch, channels, height, width]`. What was added at the border takes no part.
pub fn min_pool(x: Tensor<4>, spec: PoolSpec) -> Tensor<4> {
    -max_pool(-x, PoolSpec { border: Border::Ignored, ..spec })
}

/// The mean over each window.
///
/// `x`: `[batch, channels, height, width]`. What was added at the border counts as zeros or takes no part.
///
/// The mean of a window is linear and separable: one constant matrix for rows and one for columns. Matrix
/// products are many times faster, forward and backward, than the pool of the CPU backend.
pub fn avg_pool(x: Tensor<4>, spec: PoolSpec) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let (device, maps) = (x.device(), batch * channels);
    let (rows, columns) = (Means::new(height, spec), Means::new(width, spec));
    let (out_height, out_width) = (rows.outputs, columns.outputs);
    let pooled = if height * width <= JOINT_LIMIT {
        x.reshape([maps, height * width]).matmul(rows.joint(&columns, &device))
    } else {
        let columns = x.reshape([maps * height, width]).matmul(columns.transposed(&device));
        let rows = rows.matrix(&device).unsqueeze::<3>().expand([maps, out_height, height]);
        rows.matmul(columns.reshape([maps, height, out_width])).reshape([maps, out_height * out_width])
    };
    pooled.reshape([batch, channels, out_height, out_width])
}

/// Up to this number of pixels, rows and columns are pooled by one matrix.
const JOINT_LIMIT: usize = 64;

/// The matrix of a mean along one axis: row `o` holds the share of every input in output `o`.
struct Means {
    inputs: usize,
    outputs: usize,
    shares: Vec<f32>,
}

impl Means {
    fn new(inputs: usize, spec: PoolSpec) -> Self {
        let outputs = (inputs + spec.before + spec.after - spec.kernel) / spec.stride + 1;
        let mut shares = vec![0.0; outputs * inputs];
        for (output, row) in shares.chunks_exact_mut(inputs).enumerate() {
            let start = output * spec.stride;
            let (first, end) = (start.max(spec.before), (start + spec.kernel).min(spec.before + inputs));
            let window = first - spec.before..end - spec.before;
            let count = match spec.border {
                Border::Ignored => window.len(),
                Border::Zeros => spec.kernel,
            };
            row[window].fill(1.0 / count as f32);
        }
        Means { inputs, outputs, shares }
    }

    /// `[outputs, inputs]`.
    fn matrix(&self, device: &Device) -> Tensor<2> {
        Tensor::from_data(TensorData::new(self.shares.clone(), [self.outputs, self.inputs]), device)
    }

    /// `[inputs, outputs]`.
    fn transposed(&self, device: &Device) -> Tensor<2> {
        let mut values = Vec::with_capacity(self.shares.len());
        for input in 0..self.inputs {
            values.extend((0..self.outputs).map(|output| self.shares[output * self.inputs + input]));
        }
        Tensor::from_data(TensorData::new(values, [self.inputs, self.outputs]), device)
    }

    /// Both axes at once, `self` being that of the rows:
    /// `[row inputs * column inputs, row outputs * column outputs]`.
    fn joint(&self, columns: &Means, device: &Device) -> Tensor<2> {
        let shape = [self.inputs * columns.inputs, self.outputs * columns.outputs];
        let mut values = vec![0.0; shape[0] * shape[1]];
        for (output, row) in self.shares.chunks_exact(self.inputs).enumerate() {
            for (input, &share) in row.iter().enumerate().filter(|&(_, &share)| share != 0.0) {
                for (column_output, column) in columns.shares.chunks_exact(columns.inputs).enumerate() {
                    let at = output * columns.outputs + column_output;
                    for (column_input, &column_share) in column.iter().enumerate() {
                        values[(input * columns.inputs + column_input) * shape[1] + at] =
                            share * column_share;
                    }
                }
            }
        }
        Tensor::from_data(TensorData::new(values, shape), device)
    }
}

/// The mean over height and width. `x`: `[batch, channels, height, width]`. Returns
/// `[batch, channels, 1, 1]`.
pub fn global_average_pool(x: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    x.reshape([batch, channels, height * width]).mean_dim(2).reshape([batch, channels, 1, 1])
}

#[cfg(test)]
mod tests {
    use burn::tensor::module::avg_pool2d;
    use burn::tensor::ops::AvgPoolOptions;
    use nao_space::seed::rng_for;

    use super::*;
    use crate::op::init::kaiming_normal;

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

    /// F46: means of ones are ones where the border is ignored, and gradients sum to the number of outputs.
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
