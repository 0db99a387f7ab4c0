//! Each kernel against its formula in float64: values, and gradients by finite differences, on tiny odd cases, for every
//! set of vector instructions.

use super::batch_norm::{self, Maps};
use super::conv::{self, Convolution, Wanted};
use super::depthwise::{self, Depthwise};
use super::isa::Isa;
use super::pool::{self, Extreme, Pool};
use super::reference::{self, assert_close, differences, values, wide};
use super::window::Window;

const TOLERANCE: f64 = 2e-6;

fn window(kernel: [usize; 2], stride: usize, dilation: usize) -> Window {
    let before = kernel.map(|k| (dilation * (k - 1) / 2) as isize);
    Window { kernel, stride: [stride; 2], dilation: [dilation; 2], before, after: before }
}

/// Windows as cells have them, and some that they have not.
fn windows() -> Vec<Window> {
    let mut windows: Vec<Window> = [[1, 1], [3, 3], [1, 3], [3, 1], [2, 2], [5, 5], [1, 7]]
        .into_iter()
        .flat_map(|kernel| [(1, 1), (2, 1), (1, 2), (3, 1), (2, 2)].map(|(s, d)| window(kernel, s, d)))
        .collect();
    // Zeros on one side alone, no zeros, and a map whose first row and column are left out.
    windows.push(Window { before: [1, 0], after: [0, 1], ..window([2, 2], 1, 1) });
    windows.push(Window { before: [0; 2], after: [0; 2], ..window([3, 3], 1, 1) });
    windows.push(Window { before: [-1; 2], after: [1; 2], ..window([1, 1], 2, 1) });
    windows.push(Window { stride: [2, 1], ..window([3, 3], 1, 1) });
    windows
}

fn fits(window: Window, size: [usize; 2]) -> bool {
    [0, 1].into_iter().all(|axis| {
        let padded = size[axis] as isize + window.before[axis] + window.after[axis];
        padded > (window.dilation[axis] * (window.kernel[axis] - 1)) as isize
    })
}

#[test]
fn convolutions_follow_their_formula() {
    for isa in Isa::all() {
        for window in windows() {
            for (batch, channels, outputs, groups, size) in
                [(2, 3, 5, 1, [5, 7]), (1, 1, 1, 1, [1, 1]), (3, 4, 6, 2, [4, 16]), (1, 2, 9, 1, [3, 32])]
            {
                if !fits(window, size) {
                    continue;
                }
                let relu = size[1] == 7;
                let x = values(batch * channels * size[0] * size[1], 1);
                let weight = values(outputs * channels / groups * window.taps(), 2);
                let shape = Convolution { batch, channels, size, outputs, groups, window, relu };
                let dims = [batch, channels, size[0], size[1]];
                let formula =
                    |x: &[f64], w: &[f64]| reference::conv(dims, outputs, groups, window, relu, x, w);
                let expected = formula(&wide(&x), &wide(&weight));
                let what = format!("{isa:?} {shape:?}");
                assert_close(&what, &conv::forward(isa, shape, &x, &weight), &expected, TOLERANCE);
                let upstream = values(expected.len(), 3);
                let wanted = Wanted { input: true, weight: true };
                let (dx, dw) = conv::backward(isa, shape, &x, &weight, &upstream, wanted);
                let expected = differences(&wide(&x), &wide(&upstream), 1e-4, |x| formula(x, &wide(&weight)));
                assert_close(&format!("{what} dx"), &dx.unwrap(), &expected, TOLERANCE);
                let expected = differences(&wide(&weight), &wide(&upstream), 1e-4, |w| formula(&wide(&x), w));
                assert_close(&format!("{what} dw"), &dw.unwrap(), &expected, TOLERANCE);
            }
        }
    }
}

#[test]
fn depthwise_convolutions_follow_their_formula() {
    for isa in Isa::all() {
        for window in windows() {
            for (batch, channels, size) in [(2, 3, [5, 7]), (1, 1, [1, 1]), (2, 2, [4, 16]), (1, 1, [3, 32])]
            {
                if !fits(window, size) {
                    continue;
                }
                let relu = size[1] != 16;
                let x = values(batch * channels * size[0] * size[1], 1);
                let weight = values(channels * window.taps(), 2);
                let shape = Depthwise { batch, channels, size, window, relu };
                let dims = [batch, channels, size[0], size[1]];
                let formula =
                    |x: &[f64], w: &[f64]| reference::conv(dims, channels, channels, window, relu, x, w);
                let expected = formula(&wide(&x), &wide(&weight));
                let what = format!("{isa:?} {shape:?}");
                assert_close(&what, &depthwise::forward(isa, shape, &x, &weight), &expected, TOLERANCE);
                let upstream = values(expected.len(), 3);
                let (dx, dw) = depthwise::backward(isa, shape, &x, &weight, &upstream);
                let expected = differences(&wide(&x), &wide(&upstream), 1e-4, |x| formula(x, &wide(&weight)));
                assert_close(&format!("{what} dx"), &dx, &expected, TOLERANCE);
                let expected = differences(&wide(&weight), &wide(&upstream), 1e-4, |w| formula(&wide(&x), w));
                assert_close(&format!("{what} dw"), &dw, &expected, TOLERANCE);
            }
        }
    }
}

#[test]
fn pools_follow_their_formula() {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let largest = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    for isa in Isa::all() {
        for (kernel, stride, dilation) in
            [(2, 1, 1), (3, 1, 1), (3, 2, 1), (5, 1, 1), (2, 2, 1), (3, 1, 2), (7, 2, 1)]
        {
            for (size, zeros) in
                [([5, 7], false), ([8, 16], true), ([1, 1], false), ([9, 4], true), ([6, 32], false)]
            {
                let window = window([kernel; 2], stride, dilation);
                if !fits(window, size) {
                    continue;
                }
                let shape = Pool { maps: 3, size, window, zeros };
                let dims = [3, size[0], size[1]];
                let x = values(3 * size[0] * size[1], 1);
                let what = format!("{isa:?} {shape:?}");
                type Fold<'a> = &'a dyn Fn(&[f64]) -> f64;
                let check = |name: &str, fold: Fold, found: Vec<f32>, back: &dyn Fn(&[f32]) -> Vec<f32>| {
                    let formula = |x: &[f64]| reference::pool(dims, window, zeros, fold, x);
                    let expected = formula(&wide(&x));
                    assert_close(&format!("{name} {what}"), &found, &expected, TOLERANCE);
                    let upstream = values(expected.len(), 3);
                    let expected = differences(&wide(&x), &wide(&upstream), 1e-6, formula);
                    assert_close(&format!("{name} {what} dx"), &back(&upstream), &expected, TOLERANCE);
                };
                check("mean", &mean, pool::mean_forward(isa, shape, &x), &|g| {
                    pool::mean_backward(isa, shape, g)
                });
                for (name, fold, extreme) in
                    [("max", &largest as Fold, Extreme::Maximum), ("min", &least, Extreme::Minimum)]
                {
                    let (found, chosen) = pool::extreme_forward(isa, shape, extreme, &x);
                    check(name, fold, found, &|g| pool::extreme_backward(isa, shape, &chosen, g));
                }
            }
        }
    }
}

/// A NaN in a map shows in every window that sees it: a diverged network must not look healthy.
#[test]
fn pools_do_not_swallow_nan() {
    for isa in Isa::all() {
        let mut x = values(32, 1);
        x[9] = f32::NAN;
        let shape = Pool { maps: 1, size: [2, 16], window: window([3, 3], 1, 1), zeros: false };
        for extreme in [Extreme::Maximum, Extreme::Minimum] {
            let (out, _) = pool::extreme_forward(isa, shape, extreme, &x);
            let nan: Vec<usize> = (0..32).filter(|&at| out[at].is_nan()).collect();
            assert_eq!(nan, [8, 9, 10, 24, 25, 26]);
        }
    }
}

#[test]
fn norms_follow_their_formula() {
    const EPSILON: f64 = 1e-5;
    for isa in Isa::all() {
        for (batch, channels, pixels) in [(2, 3, 35), (1, 1, 2), (3, 2, 64), (2, 1, 129)] {
            let maps = Maps { batch, channels, pixels };
            let [x, upstream] = [1, 2].map(|seed| values(batch * channels * pixels, seed));
            let [gamma, beta] = [3, 4].map(|seed| values(channels, seed));
            let formula = |x: &[f64], gamma: &[f64], beta: &[f64]| {
                reference::batch_norm([batch, channels, pixels], EPSILON, x, gamma, beta)
            };
            let expected = formula(&wide(&x), &wide(&gamma), &wide(&beta));
            let (out, statistics) = batch_norm::forward(isa, maps, &x, &gamma, &beta, EPSILON as f32);
            let what = format!("{isa:?} {maps:?}");
            assert_close(&what, &out, &expected, TOLERANCE);
            let (dx, dgamma, dbeta) =
                batch_norm::backward(isa, maps, &x, &gamma, &statistics, &upstream, EPSILON as f32);
            let (x, gamma, beta, upstream) = (wide(&x), wide(&gamma), wide(&beta), wide(&upstream));
            let step = 1e-5;
            let expected = differences(&x, &upstream, step, |x| formula(x, &gamma, &beta));
            assert_close(&format!("{what} dx"), &dx, &expected, 1e-5);
            let expected = differences(&gamma, &upstream, step, |gamma| formula(&x, gamma, &beta));
            assert_close(&format!("{what} dgamma"), &dgamma, &expected, 1e-5);
            let expected = differences(&beta, &upstream, step, |beta| formula(&x, &gamma, beta));
            assert_close(&format!("{what} dbeta"), &dbeta, &expected, 1e-5);
        }
    }
}

/// The sums are of fixed blocks, so neither values nor gradients change with the number of threads.
#[test]
fn threads_change_no_bit() {
    let isa = Isa::best();
    let shape = Convolution {
        batch: 9,
        channels: 5,
        size: [13, 13],
        outputs: 7,
        groups: 1,
        window: window([3, 3], 2, 1),
        relu: true,
    };
    let per_channel =
        Depthwise { batch: 9, channels: 5, size: [13, 13], window: window([5, 5], 1, 1), relu: false };
    let x = values(9 * 5 * 169, 1);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (w, g) = (values(7 * 5 * 9, 2), values(9 * 7 * 49, 3));
            let wanted = Wanted { input: true, weight: true };
            let dense = (conv::forward(isa, shape, &x, &w), conv::backward(isa, shape, &x, &w, &g, wanted));
            let (w, g) = (values(5 * 25, 2), values(x.len(), 3));
            let depth = (
                depthwise::forward(isa, per_channel, &x, &w),
                depthwise::backward(isa, per_channel, &x, &w, &g),
            );
            let maps = Maps { batch: 9, channels: 5, pixels: 169 };
            let (out, statistics) = batch_norm::forward(isa, maps, &x, &w, &w, 1e-5);
            let back = batch_norm::backward(isa, maps, &x, &w, &statistics, &g, 1e-5);
            (dense, depth, out, back)
        })
    };
    let one = run(1);
    for threads in [2, 3, 8] {
        assert_eq!(run(threads), one, "{threads} threads");
    }
}

#[test]
fn activations_follow_their_formula() {
    use super::activation::{self, Activation};
    for isa in Isa::all() {
        // From far below to far above, densely around 0, and one value more than whole vectors.
        let mut x: Vec<f32> = (-4000..=4000).map(|i| i as f32 * 0.003).collect();
        x.extend((-120..=120).map(|i| i as f32));
        x.extend((-60..0).map(|i| (i as f32).exp2()));
        for (activation, formula) in [
            (Activation::Tanh, (|x: f64| x.tanh()) as fn(f64) -> f64),
            (Activation::Sigmoid, |x: f64| 1.0 / (1.0 + (-x).exp())),
        ] {
            let y = activation::forward(isa, activation, &x);
            for (&x, &y) in x.iter().zip(&y) {
                let expected = formula(f64::from(x));
                // Relative, down to the least normal number.
                let apart = (f64::from(y) - expected).abs();
                assert!(
                    apart <= 4e-7 * expected.abs() + 1e-37,
                    "{isa:?} {activation:?}({x}) = {y}, not {expected}"
                );
            }
            let upstream = values(x.len(), 1);
            let found = activation::backward(isa, activation, &y, &upstream);
            let expected: Vec<f64> = wide(&x)
                .iter()
                .zip(&upstream)
                .map(|(x, &g)| f64::from(g) * (formula(x + 1e-6) - formula(x - 1e-6)) / 2e-6)
                .collect();
            assert_close(&format!("{isa:?} {activation:?}"), &found, &expected, 1e-6);
            assert!(activation::forward(isa, activation, &[f32::NAN; 3]).iter().all(|y| y.is_nan()));
        }
    }
}

#[test]
fn softmax_follows_its_formula() {
    use super::softmax::{self, Softmax};
    for isa in Isa::all() {
        for width in [1, 2, 7, 16, 40, 129] {
            let x: Vec<f32> = values(3 * width, 1).iter().map(|x| x * 8.0).collect();
            let upstream = values(x.len(), 2);
            for softmax in [Softmax::Plain, Softmax::Log] {
                let formula = |x: &[f64]| -> Vec<f64> {
                    x.chunks_exact(width)
                        .flat_map(|row| {
                            let sum: f64 = row.iter().map(|x| x.exp()).sum();
                            row.iter().map(move |x| match softmax {
                                Softmax::Plain => x.exp() / sum,
                                Softmax::Log => x - sum.ln(),
                            })
                        })
                        .collect()
                };
                let what = format!("{isa:?} {softmax:?} {width}");
                let y = softmax::forward(isa, softmax, width, &x);
                assert_close(&what, &y, &formula(&wide(&x)), 1e-6);
                let expected = differences(&wide(&x), &wide(&upstream), 1e-5, formula);
                assert_close(&what, &softmax::backward(isa, softmax, width, &y, &upstream), &expected, 2e-6);
            }
        }
    }
}

#[test]
fn lstms_follow_their_formula() {
    use super::lstm::{self, Input, Run, Sequences, Tape};
    for isa in Isa::all() {
        for (batch, time, n) in [(2, 3, 5), (1, 1, 1), (3, 4, 16), (35, 1, 2)] {
            let of = Sequences { batch, time, hidden: n };
            let scaled =
                |len, seed, by: f32| -> Vec<f32> { values(len, seed).iter().map(|v| v * by).collect() };
            let gates = scaled(batch * time * 4 * n, 1, 2.0);
            let weight = scaled(4 * n * n, 2, 0.5);
            let [hidden, cell] = [3, 4].map(|seed| scaled(batch * n, seed, 1.0));
            let upstream = scaled(batch * (time + 1) * n, 5, 1.0);
            fn tape<'a>(run: &'a Run, [weight, hidden, cell]: [&'a [f32]; 3]) -> Tape<'a> {
                let Run { outputs, gates, cells } = run;
                Tape { outputs, gates, cells, weight, hidden, cell }
            }
            let fixed = [weight.as_slice(), &hidden, &cell];
            let run = lstm::forward(isa, of, Input::Gates(&gates), &weight, &hidden, &cell);
            let mut found = run.outputs.clone();
            for sequence in 0..batch {
                found.extend_from_slice(&run.cells[((sequence + 1) * time - 1) * n..][..n]);
            }
            let (g, w, h, c) = (wide(&gates), wide(&weight), wide(&hidden), wide(&cell));
            let formula =
                |g: &[f64], w: &[f64], h: &[f64], c: &[f64]| reference::lstm([batch, time, n], g, w, h, c);
            let what = format!("{isa:?} {of:?}");
            assert_close(&what, &found, &formula(&g, &w, &h, &c), 1e-6);
            let (of_outputs, of_cell) = upstream.split_at(batch * time * n);
            let found = lstm::backward(isa, of, tape(&run, fixed), of_outputs, Some(of_cell));
            let up = wide(&upstream);
            let close = |name: &str, found: &[f32], expected: Vec<f64>| {
                assert_close(&format!("{what} {name}"), found, &expected, 2e-6);
            };
            close("gates", &found.gates, differences(&g, &up, 1e-5, |g| formula(g, &w, &h, &c)));
            close("weight", &found.weight, differences(&w, &up, 1e-5, |w| formula(&g, w, &h, &c)));
            close("hidden", &found.hidden, differences(&h, &up, 1e-5, |h| formula(&g, &w, h, &c)));
            close("cell", &found.cell, differences(&c, &up, 1e-5, |c| formula(&g, &w, &h, c)));

            // The same steps read from a table: two rows each.
            let table = scaled(7 * 4 * n, 6, 1.0);
            let numbers: Vec<u32> = (0..batch * time * 2).map(|i| (i * 5 % 7) as u32).collect();
            let rows = |table: &[f64]| -> Vec<f64> {
                numbers
                    .chunks_exact(2)
                    .flat_map(|pair| {
                        (0..4 * n).map(|k| {
                            table[pair[0] as usize * 4 * n + k] + table[pair[1] as usize * 4 * n + k]
                        })
                    })
                    .collect()
            };
            let input = Input::Rows { table: &table, numbers: &numbers, width: 2 };
            let run = lstm::forward(isa, of, input, &weight, &hidden, &cell);
            let t = wide(&table);
            assert_close(&what, &run.outputs, &formula(&rows(&t), &w, &h, &c)[..batch * time * n], 1e-6);
            let found = lstm::backward(isa, of, tape(&run, fixed), of_outputs, Some(of_cell));
            let found = lstm::table_gradient(isa, of, 7, &numbers, 2, &found.gates);
            close("table", &found, differences(&t, &up, 1e-5, |t| formula(&rows(t), &w, &h, &c)));
        }
    }
}

/// Outputs are written into fresh memory, so slices that would leave a part of it unwritten are refused.
#[test]
fn slices_that_do_not_fit_the_shape_are_refused() {
    use super::lstm::{self, Input, Sequences};
    let refused = |work: &dyn Fn()| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).expect_err("this must not run");
    };
    let isa = Isa::plain();
    let window = window([3, 3], 1, 1);
    let shape =
        Convolution { batch: 1, channels: 2, size: [4, 4], outputs: 3, groups: 1, window, relu: false };
    let (x, weight) = (values(32, 1), values(54, 2));
    assert_eq!(conv::forward(isa, shape, &x, &weight).len(), 48);
    refused(&|| drop(conv::forward(isa, shape, &x, &weight[..36])));
    refused(&|| drop(conv::forward(isa, shape, &x[..31], &weight)));
    refused(&|| drop(conv::forward(isa, Convolution { groups: 2, ..shape }, &x, &weight[..27])));
    let of = Sequences { batch: 2, time: 2, hidden: 1 };
    let (weight, state) = ([0.1; 4], [0.0; 2]);
    refused(&|| drop(lstm::forward(isa, of, Input::Gates(&[0.0; 12]), &weight, &state, &state)));
    let input = Input::Rows { table: &[0.0; 8], numbers: &[0, 1, 1], width: 1 };
    refused(&|| drop(lstm::forward(isa, of, input, &weight, &state, &state)));
}
