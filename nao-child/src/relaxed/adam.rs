//! Adam for the few logits of the mixtures, in f64.

use nao_space::Relaxation;
use serde::{Deserialize, Serialize};

/// The settings of Adam. Weight decay is added to the gradient.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdamSettings {
    /// The learning rate.
    pub learning_rate: f64,
    /// Decay of the mean of gradients.
    pub beta1: f64,
    /// Decay of the mean of their squares.
    pub beta2: f64,
    /// Added to the gradient, times the value.
    pub weight_decay: f64,
}

/// Added to roots of mean squares.
const EPSILON: f64 = 1e-8;

/// What Adam remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    steps: i32,
    mean: Relaxation,
    square: Relaxation,
}

impl Adam {
    /// No step taken.
    pub fn new() -> Self {
        Adam { steps: 0, mean: Relaxation::of(|| 0.0), square: Relaxation::of(|| 0.0) }
    }

    /// One step down a gradient.
    pub fn step(&mut self, at: &mut Relaxation, gradient: &Relaxation, settings: &AdamSettings) {
        self.steps += 1;
        let AdamSettings { learning_rate, beta1, beta2, weight_decay } = *settings;
        let bias = [1.0 - beta1.powi(self.steps), 1.0 - beta2.powi(self.steps)];
        let values = values(at).zip(gradient.normal.iter().chain(&gradient.reduction).flatten());
        let moments = self::values(&mut self.mean).zip(self::values(&mut self.square));
        for ((value, gradient), (mean, square)) in values.zip(moments) {
            let gradient = gradient + weight_decay * *value;
            *mean = beta1 * *mean + (1.0 - beta1) * gradient;
            *square = beta2 * *square + (1.0 - beta2) * gradient * gradient;
            *value -= learning_rate * (*mean / bias[0]) / ((*square / bias[1]).sqrt() + EPSILON);
        }
    }
}

fn values(relaxation: &mut Relaxation) -> impl Iterator<Item = &mut f64> {
    relaxation.normal.iter_mut().chain(&mut relaxation.reduction).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_steps_are_those_worked_by_hand() {
        let settings = AdamSettings { learning_rate: 0.1, beta1: 0.5, beta2: 0.999, weight_decay: 0.0 };
        let (mut adam, mut at) = (Adam::new(), Relaxation::of(|| 1.0));
        // The first step is the rate, whatever the size of the gradient.
        adam.step(&mut at, &Relaxation::of(|| -3.0), &settings);
        assert!((at.normal[0][0] - 1.1).abs() < 1e-6 && (at.reduction[13][7] - 1.1).abs() < 1e-6);
        // Mean (0.5 * -1.5 + 0.5 * 1) / 0.75, square (0.999 * 0.009 + 0.001) / 0.001999.
        adam.step(&mut at, &Relaxation::of(|| 1.0), &settings);
        let step = 0.1 * (-0.25 / 0.75) / (0.009_991f64 / 0.001_999).sqrt();
        assert!((at.normal[3][2] - (1.1 - step)).abs() < 1e-6, "{}", at.normal[3][2]);
        let decays = AdamSettings { weight_decay: 1.0, ..settings };
        let mut at = Relaxation::of(|| 1.0);
        Adam::new().step(&mut at, &Relaxation::of(|| 0.0), &decays);
        assert!((at.normal[0][0] - 0.9).abs() < 1e-6);
    }

    #[test]
    fn what_adam_remembers_is_kept_to_the_last_bit() {
        let mut value = 0.1f64;
        let mut next = || {
            value = (value * 1.000_3 + 0.017).sin();
            value * 1e-3
        };
        let adam = Adam { steps: 3, mean: Relaxation::of(&mut next), square: Relaxation::of(&mut next) };
        let text = serde_json::to_string(&adam).unwrap();
        assert_eq!(serde_json::from_str::<Adam>(&text).unwrap(), adam);
        let value = serde_json::from_str::<serde_json::Value>(&text).unwrap();
        assert_eq!(serde_json::from_value::<Adam>(value).unwrap(), adam);
    }
}
