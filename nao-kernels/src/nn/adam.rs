//! Adam with a state that can be kept: burn's own names the moments of a parameter by a random number, so that equal
//! states would not be equal bytes, and a state would not fit the networks of another process.

use burn::module::Module;
use burn::optim::GradientsParams;

use super::parameters::{Misshapen, gradient_values_of, values_of, with_values};

/// Adam (Kingma and Ba 2015) with its moments, on networks small enough to be updated on the host.
#[derive(Clone, Debug)]
pub struct Adam {
    /// Decay of the mean of gradients.
    pub beta_1: f64,
    /// Decay of the mean of their squares.
    pub beta_2: f64,
    /// Added to roots of mean squares.
    pub epsilon: f64,
    steps: u64,
    moments: Vec<Moments>,
}

/// What Adam remembers of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// The mean gradient.
    pub mean: Vec<f32>,
    /// The mean squared gradient.
    pub square: Vec<f32>,
}

impl Adam {
    /// No step taken.
    pub fn new(beta_1: f64, beta_2: f64, epsilon: f64) -> Self {
        Adam { beta_1, beta_2, epsilon, steps: 0, moments: Vec::new() }
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The moments of every parameter, in the order of their declaration; none before the first step.
    pub fn moments(&self) -> &[Moments] {
        &self.moments
    }

    /// One step. `None`, and nothing is changed, where a gradient is no finite number.
    pub fn step<M: Module>(
        &mut self,
        module: &M,
        gradients: &GradientsParams,
        learning_rate: f64,
    ) -> Option<M> {
        let gradients = gradient_values_of(module, gradients);
        if gradients.iter().flatten().any(|value| !value.is_finite()) {
            return None;
        }
        let mut values = values_of(module);
        if self.moments.is_empty() {
            let zeros = |values: &Vec<f32>| vec![0.0; values.len()];
            self.moments =
                values.iter().map(|values| Moments { mean: zeros(values), square: zeros(values) }).collect();
        }
        self.steps += 1;
        let power = self.steps.min(i32::MAX as u64) as i32;
        let rate = (learning_rate / (1.0 - self.beta_1.powi(power))) as f32;
        let scale = (1.0 / (1.0 - self.beta_2.powi(power))) as f32;
        let (b1, b2, epsilon) = (self.beta_1 as f32, self.beta_2 as f32, self.epsilon as f32);
        for ((values, gradients), Moments { mean, square }) in
            values.iter_mut().zip(&gradients).zip(&mut self.moments)
        {
            let moments = mean.iter_mut().zip(square);
            for ((value, gradient), (mean, square)) in values.iter_mut().zip(gradients).zip(moments) {
                *mean = b1 * *mean + (1.0 - b1) * gradient;
                *square = b2 * *square + (1.0 - b2) * gradient * gradient;
                *value -= rate * *mean / ((*square * scale).sqrt() + epsilon);
            }
        }
        with_values(module.clone(), values).ok()
    }

    /// Goes on after `steps` steps with moments as [`moments`](Adam::moments) gave them of the same networks.
    ///
    /// # Errors
    /// When they are not those of the parameters of `module`: says where.
    pub fn restore<M: Module>(
        &mut self,
        module: &M,
        steps: u64,
        moments: Vec<Moments>,
    ) -> Result<(), Misshapen> {
        let expected = if steps > 0 { values_of(module) } else { Vec::new() };
        if moments.len() != expected.len() {
            let (found, expected) = (moments.len(), expected.len());
            return Err(Misshapen(format!("there are moments of {found} parameters, wanted are {expected}")));
        }
        let fits = |(moments, values): (&Moments, &Vec<f32>)| {
            moments.mean.len() == values.len() && moments.square.len() == values.len()
        };
        if let Some(at) = moments.iter().zip(&expected).position(|pair| !fits(pair)) {
            return Err(Misshapen(format!("the moments of parameter {at} are not {}", expected[at].len())));
        }
        (self.steps, self.moments) = (steps, moments);
        Ok(())
    }
}
