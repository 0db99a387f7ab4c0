//! Adam with a state that can be kept: burn's own names the moments of a parameter by a random number, so that equal
//! states would not be equal bytes, and a state would not fit the networks of another process.

use burn::module::Module;
use burn::optim::GradientsParams;

use crate::bundle::NamedFloats;
use crate::error::ControllerError;
use crate::parameters::{self, gradients_of};

/// Adam (Kingma and Ba 2015) with its moments, on networks small enough to be updated on the host.
#[derive(Clone, Debug)]
pub(crate) struct Adam {
    pub(crate) beta_1: f64,
    pub(crate) beta_2: f64,
    pub(crate) epsilon: f64,
    steps: u64,
    /// Per parameter the mean gradient and the mean squared gradient.
    moments: Vec<[Vec<f32>; 2]>,
}

impl Adam {
    pub(crate) fn new(beta_1: f64, beta_2: f64, epsilon: f64) -> Self {
        Adam { beta_1, beta_2, epsilon, steps: 0, moments: Vec::new() }
    }

    /// Steps taken.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// One step. `None`, and nothing is changed, where a gradient is no finite number.
    pub(crate) fn step<M: Module>(
        &mut self,
        module: &M,
        gradients: &GradientsParams,
        learning_rate: f64,
    ) -> Option<M> {
        let gradients = gradients_of(module, gradients);
        if gradients.iter().flatten().any(|value| !value.is_finite()) {
            return None;
        }
        let mut values = parameters::values(module);
        if self.moments.is_empty() {
            self.moments =
                values.iter().map(|values| [vec![0.0; values.len()], vec![0.0; values.len()]]).collect();
        }
        self.steps += 1;
        let power = self.steps.min(i32::MAX as u64) as i32;
        let rate = (learning_rate / (1.0 - self.beta_1.powi(power))) as f32;
        let scale = (1.0 / (1.0 - self.beta_2.powi(power))) as f32;
        let (b1, b2, epsilon) = (self.beta_1 as f32, self.beta_2 as f32, self.epsilon as f32);
        for ((values, gradients), [mean, square]) in values.iter_mut().zip(&gradients).zip(&mut self.moments)
        {
            let moments = mean.iter_mut().zip(square);
            for ((value, gradient), (mean, square)) in values.iter_mut().zip(gradients).zip(moments) {
                *mean = b1 * *mean + (1.0 - b1) * gradient;
                *square = b2 * *square + (1.0 - b2) * gradient * gradient;
                *value -= rate * *mean / ((*square * scale).sqrt() + epsilon);
            }
        }
        parameters::with_values(module.clone(), values).ok()
    }

    /// The moments under names.
    pub(crate) fn save(&self, prefix: &str) -> Vec<NamedFloats> {
        let named = self.moments.iter().enumerate().flat_map(|(at, [mean, square])| {
            let entry = |kind: &str, values: &Vec<f32>| NamedFloats {
                name: format!("{prefix}.{kind}.{at}"),
                values: values.clone(),
            };
            [entry("mean", mean), entry("square", square)]
        });
        named.collect()
    }

    /// Takes over moments that [`save`](Adam::save) gave of the same networks.
    pub(crate) fn restore<M: Module>(
        &mut self,
        module: &M,
        prefix: &str,
        steps: u64,
        find: impl Fn(&str) -> Option<Vec<f32>>,
    ) -> Result<(), ControllerError> {
        let mut moments = Vec::new();
        if steps > 0 {
            for (at, values) in parameters::values(module).iter().enumerate() {
                let found = |kind: &str| {
                    let name = format!("{prefix}.{kind}.{at}");
                    let moment = find(&name).filter(|moment| moment.len() == values.len());
                    moment.ok_or_else(|| ControllerError::Weights {
                        problem: format!("{name} is missing or misshapen"),
                    })
                };
                moments.push([found("mean")?, found("square")?]);
            }
        }
        (self.steps, self.moments) = (steps, moments);
        Ok(())
    }
}
