//! The operations by their formulas, in float64, loop by loop: what the kernels are compared with. The gradients are
//! central differences of these.

use super::window::Window;

/// `[batch, outputs, height', width']` of a grouped convolution.
pub(crate) fn conv(
    [batch, channels, height, width]: [usize; 4],
    outputs: usize,
    groups: usize,
    window: Window,
    relu: bool,
    x: &[f64],
    weight: &[f64],
) -> Vec<f64> {
    let [out_height, out_width] = window.output([height, width]);
    let [inputs, group_outputs] = [channels / groups, outputs / groups];
    let mut out = Vec::new();
    for image in 0..batch {
        for output in 0..outputs {
            for i in 0..out_height {
                for j in 0..out_width {
                    let mut sum = 0.0;
                    for input in 0..inputs {
                        let channel = output / group_outputs * inputs + input;
                        for a in 0..window.kernel[0] {
                            for b in 0..window.kernel[1] {
                                let Some([y, z]) = place(window, [i, j], [a, b], [height, width]) else {
                                    continue;
                                };
                                let value = x[((image * channels + channel) * height + y) * width + z];
                                let value = if relu { value.max(0.0) } else { value };
                                let tap =
                                    (output * inputs + input) * window.taps() + a * window.kernel[1] + b;
                                sum += value * weight[tap];
                            }
                        }
                    }
                    out.push(sum);
                }
            }
        }
    }
    out
}

/// A pool of `[maps, height, width]`; `fold` gets the values of each window, added zeros included if `zeros`.
pub(crate) fn pool(
    [maps, height, width]: [usize; 3],
    window: Window,
    zeros: bool,
    fold: impl Fn(&[f64]) -> f64,
    x: &[f64],
) -> Vec<f64> {
    let [out_height, out_width] = window.output([height, width]);
    let mut out = Vec::new();
    for map in 0..maps {
        for i in 0..out_height {
            for j in 0..out_width {
                let mut values = Vec::new();
                for a in 0..window.kernel[0] {
                    for b in 0..window.kernel[1] {
                        match place(window, [i, j], [a, b], [height, width]) {
                            Some([y, z]) => values.push(x[(map * height + y) * width + z]),
                            None if zeros => values.push(0.0),
                            None => {}
                        }
                    }
                }
                out.push(fold(&values));
            }
        }
    }
    out
}

/// Where tap (a, b) of window (i, j) lies in a map, if it does.
fn place(window: Window, at: [usize; 2], tap: [usize; 2], size: [usize; 2]) -> Option<[usize; 2]> {
    let mut place = [0; 2];
    for axis in 0..2 {
        let steps = (at[axis] * window.stride[axis] + tap[axis] * window.dilation[axis]) as isize;
        let along = steps - window.before[axis];
        if along < 0 || along >= size[axis] as isize {
            return None;
        }
        place[axis] = along as usize;
    }
    Some(place)
}

/// `[batch, channels, pixels]` normalised by its own statistics.
pub(crate) fn batch_norm(
    [batch, channels, pixels]: [usize; 3],
    epsilon: f64,
    x: &[f64],
    gamma: &[f64],
    beta: &[f64],
) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    for channel in 0..channels {
        let places: Vec<usize> = (0..batch)
            .flat_map(|image| {
                let start = (image * channels + channel) * pixels;
                start..start + pixels
            })
            .collect();
        let mean = places.iter().map(|&at| x[at]).sum::<f64>() / places.len() as f64;
        let variance = places.iter().map(|&at| (x[at] - mean).powi(2)).sum::<f64>() / places.len() as f64;
        for at in places {
            out[at] = gamma[channel] * (x[at] - mean) / (variance + epsilon).sqrt() + beta[channel];
        }
    }
    out
}

/// The gradient of `sum(f(x) * upstream)` by central differences.
pub(crate) fn differences(
    x: &[f64],
    upstream: &[f64],
    step: f64,
    f: impl Fn(&[f64]) -> Vec<f64>,
) -> Vec<f64> {
    let loss = |x: &[f64]| f(x).iter().zip(upstream).map(|(y, u)| y * u).sum::<f64>();
    let mut moved = x.to_vec();
    (0..x.len())
        .map(|i| {
            moved[i] = x[i] + step;
            let above = loss(&moved);
            moved[i] = x[i] - step;
            let below = loss(&moved);
            moved[i] = x[i];
            (above - below) / (2.0 * step)
        })
        .collect()
}

/// Values in -1 to 1, no two of which are equal or near 0: nothing sits on a kink of ReLU or a tie of a pool.
pub(crate) fn values(len: usize, seed: u64) -> Vec<f32> {
    use rand::SeedableRng;
    use rand::seq::SliceRandom;
    let mut values: Vec<f32> = (0..len)
        .map(|i| (2 * i + 1) as f32 / len.max(1) as f32 - 1.0)
        .map(|v| v + 1e-3 * v.signum())
        .collect();
    values.shuffle(&mut rand_chacha::ChaCha8Rng::seed_from_u64(seed));
    values
}

pub(crate) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// Panics when `found` is farther from `expected` than `tolerance`, relative to the largest value.
#[track_caller]
pub(crate) fn assert_close(what: &str, found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    let largest = expected.iter().fold(1.0f64, |largest, e| largest.max(e.abs()));
    for (at, (&f, e)) in found.iter().zip(expected).enumerate() {
        let apart = (f64::from(f) - e).abs();
        assert!(apart <= tolerance * largest, "{what}: value {at} is {f}, expected {e} (largest {largest})");
    }
}

/// Outputs `[batch, time, hidden]` of an LSTM, then its last memory `[batch, hidden]`.
pub(crate) fn lstm(
    [batch, time, n]: [usize; 3],
    gates: &[f64],
    weight: &[f64],
    hidden: &[f64],
    cell: &[f64],
) -> Vec<f64> {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let mut outputs = Vec::new();
    let mut memories = Vec::new();
    for sequence in 0..batch {
        let mut h = hidden[sequence * n..][..n].to_vec();
        let mut c = cell[sequence * n..][..n].to_vec();
        for step in 0..time {
            let sums: Vec<f64> = (0..4 * n)
                .map(|gate| {
                    let own = gates[(sequence * time + step) * 4 * n + gate];
                    own + (0..n).map(|k| weight[gate * n + k] * h[k]).sum::<f64>()
                })
                .collect();
            for k in 0..n {
                c[k] = sigmoid(sums[n + k]) * c[k] + sigmoid(sums[k]) * sums[2 * n + k].tanh();
                h[k] = sigmoid(sums[3 * n + k]) * c[k].tanh();
            }
            outputs.extend_from_slice(&h);
        }
        memories.extend(c);
    }
    outputs.extend(memories);
    outputs
}
