//! Kernels over the views of an architecture: weighted sums of products of Gaussian kernels.

use faer::Mat;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::exp::scaled_exp;
use super::points::{Distances, View};
use crate::init::standard_normal;

/// What is multiplied and added: each component is a product of Gaussian kernels over views, and components are
/// added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KernelForm {
    /// `w1 RBF(structure) + w2 RBF(structure) RBF(fine)`.
    StructureAndFine,
    /// `w RBF(structure)`.
    Structure,
    /// `w RBF(choices)`.
    Choices,
}

impl KernelForm {
    /// The views of every component.
    pub fn components(self) -> &'static [&'static [View]] {
        match self {
            KernelForm::StructureAndFine => &[&[View::Structure], &[View::Structure, View::Fine]],
            KernelForm::Structure => &[&[View::Structure]],
            KernelForm::Choices => &[&[View::Choices]],
        }
    }

    /// The name, as in reports.
    pub fn name(self) -> &'static str {
        match self {
            KernelForm::StructureAndFine => "structure-and-fine",
            KernelForm::Structure => "structure",
            KernelForm::Choices => "choices",
        }
    }

    /// The views that it needs.
    pub fn views(self) -> &'static [View] {
        match self {
            KernelForm::StructureAndFine => &[View::Structure, View::Fine],
            KernelForm::Structure => &[View::Structure],
            KernelForm::Choices => &[View::Choices],
        }
    }
}

/// A kernel with its hyper-parameters: `sum_i weight_i exp(-sum_v distance_v / scale_iv)`, and the variance of the
/// noise on observations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kernel {
    /// What it is made of.
    pub form: KernelForm,
    /// The weight of every component.
    pub weights: Vec<f64>,
    /// Per component the scale of every view of it, in squared distance.
    pub scales: Vec<Vec<f64>>,
    /// The variance of the noise.
    pub noise: f64,
}

/// Bounds of what is drawn, in targets of variance about 1 and distances of mean 1. The variance of the signal is 1
/// to exp(1.2), scales are 0.3 to 6 per view, the noise is 0.005 to 0.4.
const LOG_SIGNAL: std::ops::Range<f64> = 0.0..1.2;
const SCALE: [f64; 2] = [0.3, 6.0];
const NOISE: [f64; 2] = [0.005, 0.4];
/// How far a jitter goes, in logarithms.
const JITTER: [f64; 3] = [0.4, 0.3, 0.4];
/// The bounds that jitters keep to.
const SCALE_BOUNDS: [f64; 2] = [0.1, 50.0];
const NOISE_BOUNDS: [f64; 2] = [0.002, 1.0];

impl Kernel {
    /// Random hyper-parameters, log-uniform within the bounds.
    pub fn draw(form: KernelForm, rng: &mut ChaCha8Rng) -> Self {
        let log_uniform =
            |[low, high]: [f64; 2], rng: &mut ChaCha8Rng| rng.random_range(low.ln()..high.ln()).exp();
        let components = form.components();
        // Uniform over the shares of the components.
        let shares: Vec<f64> = components.iter().map(|_| -(1.0 - rng.random::<f64>()).ln() + 1e-12).collect();
        let signal = rng.random_range(LOG_SIGNAL).exp() / shares.iter().sum::<f64>();
        let scales = components.iter().map(|views| {
            let widen = (views.len() as f64).sqrt();
            views.iter().map(|_| widen * log_uniform(SCALE, rng)).collect()
        });
        let scales = scales.collect();
        Kernel {
            form,
            weights: shares.iter().map(|share| share * signal).collect(),
            scales,
            noise: log_uniform(NOISE, rng),
        }
    }

    /// Checks hyper-parameters that come from a file.
    pub(super) fn check(&self) -> Result<(), String> {
        let components = self.form.components();
        let fits = self.weights.len() == components.len()
            && self.scales.len() == components.len()
            && self.scales.iter().zip(components).all(|(scales, views)| scales.len() == views.len());
        let mut numbers = self.weights.iter().chain(self.scales.iter().flatten()).chain([&self.noise]);
        match fits && numbers.all(|number| number.is_finite() && *number > 0.0) {
            true => Ok(()),
            false => {
                Err(format!("the numbers of a kernel `{}` are missing, or not above 0", self.form.name()))
            }
        }
    }

    /// Hyper-parameters nearby.
    pub fn jittered(&self, rng: &mut ChaCha8Rng) -> Self {
        let mut factor = |width: f64| (width * standard_normal(rng)).exp();
        let weights = self.weights.iter().map(|weight| weight * factor(JITTER[0])).collect();
        let mut scaled = |scale: &f64| (scale * factor(JITTER[1])).clamp(SCALE_BOUNDS[0], SCALE_BOUNDS[1]);
        let scales = self.scales.iter().map(|scales| scales.iter().map(&mut scaled).collect()).collect();
        let noise = (self.noise * factor(JITTER[2])).clamp(NOISE_BOUNDS[0], NOISE_BOUNDS[1]);
        Kernel { form: self.form, weights, scales, noise }
    }

    /// The variance of the signal: the kernel at distance 0.
    pub fn signal(&self) -> f64 {
        self.weights.iter().sum()
    }

    /// The kernel of every pair, `[rows, columns]`.
    pub fn between(&self, distances: &Distances) -> Mat<f64> {
        let mut kernel = Mat::zeros(distances.rows(), distances.columns());
        let mut exponents = vec![0.0; distances.rows()];
        for column in 0..distances.columns() {
            self.fill(distances, column, 0, &mut exponents, kernel.col_as_slice_mut(column));
        }
        kernel
    }

    /// The lower triangle of the kernel between points and themselves, with the noise on the diagonal; zeros above.
    pub fn within(&self, distances: &Distances) -> Mat<f64> {
        let n = distances.rows();
        let mut kernel = Mat::zeros(n, n);
        let mut exponents = vec![0.0; n];
        for column in 0..n {
            let below = &mut kernel.col_as_slice_mut(column)[column..];
            self.fill(distances, column, column, &mut exponents[column..], below);
            below[0] += self.noise;
        }
        kernel
    }

    /// Adds the kernel of one column, from row `from` on, to `into`.
    fn fill(
        &self,
        distances: &Distances,
        column: usize,
        from: usize,
        exponents: &mut [f64],
        into: &mut [f64],
    ) {
        let components = self.form.components().iter().zip(&self.weights).zip(&self.scales);
        for ((views, &weight), scales) in components {
            exponents.fill(0.0);
            for (&view, scale) in views.iter().zip(scales) {
                let by = -1.0 / scale;
                let of_view = distances.column(view, column, from);
                exponents.iter_mut().zip(of_view).for_each(|(exponent, distance)| *exponent += by * distance);
            }
            scaled_exp(weight, exponents, into);
        }
    }
}
