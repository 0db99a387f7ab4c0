//! The gradient of the mixtures: of the validation loss at the weights as they are, or as a step of training would leave
//! them.

use std::collections::HashMap;

use burn::module::{Module, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use nao_kernels::nn::{Parameter, gradients_of, map_values, parameters};
use nao_space::Relaxation;

use super::network::Mixtures;

/// The gradient of a loss with respect to the logits of the mixtures, in their shape.
pub type MixtureGradient = Relaxation;

/// The step of training that second order looks ahead by.
#[derive(Clone, Debug)]
pub struct Virtual<'a> {
    /// Its rate: that of the real step.
    pub rate: f64,
    /// Weight of the momentum buffers.
    pub momentum: f64,
    /// Weight decay.
    pub weight_decay: f64,
    /// The momentum buffers as they stand, flat.
    pub buffers: &'a HashMap<ParamId, Tensor<1>>,
}

/// How far, over the norm of the direction, weights are moved to see how the gradient of the mixtures changes. As in the
/// authors' code.
const NUDGE: f64 = 0.01;

/// A vector for each trained weight of a module, flat.
type Direction = HashMap<ParamId, Tensor<1>>;

/// The gradient of the validation loss at the weights of `module`.
pub fn first_order<M: Module>(
    module: &M,
    relaxation: &Relaxation,
    device: &Device,
    validation: impl Fn(&M, &Mixtures) -> Tensor<1>,
) -> MixtureGradient {
    let held = module.clone().no_grad();
    gradients(&held, relaxation, device, &validation).0
}

/// The gradient of the validation loss at the weights that a step of training would make, through that step: what the
/// mixtures do to the step is told by central differences of their gradient on the training loss.
pub fn second_order<M: Module>(
    module: &M,
    relaxation: &Relaxation,
    device: &Device,
    step: &Virtual,
    training: impl Fn(&M, &Mixtures) -> Tensor<1>,
    validation: impl Fn(&M, &Mixtures) -> Tensor<1>,
) -> MixtureGradient {
    let (_, of_training) = gradients(module, relaxation, device, &training);
    let ahead = moved(module, &descent(module, of_training, step), -step.rate);
    let (direct, slope) = gradients(&ahead, relaxation, device, &validation);
    let length = norm(module, &slope);
    if length == 0.0 {
        return direct;
    }
    let nudge = NUDGE / length;
    let nudged = |by: f64| {
        let nudged = moved(module, &slope, by).no_grad();
        gradients(&nudged, relaxation, device, &training).0
    };
    let (forwards, backwards) = (nudged(nudge), nudged(-nudge));
    let rows = |direct: &[Vec<f64>], forwards: &[Vec<f64>], backwards: &[Vec<f64>]| {
        let each = direct.iter().zip(forwards.iter().zip(backwards));
        let of_row = |(direct, (forwards, backwards)): (&Vec<f64>, (&Vec<f64>, &Vec<f64>))| {
            let each = direct.iter().zip(forwards.iter().zip(backwards));
            each.map(|(direct, (plus, minus))| direct - step.rate * (plus - minus) / (2.0 * nudge)).collect()
        };
        each.map(of_row).collect()
    };
    MixtureGradient {
        normal: rows(&direct.normal, &forwards.normal, &backwards.normal),
        reduction: rows(&direct.reduction, &forwards.reduction, &backwards.reduction),
    }
}

/// The gradients of a loss: of the mixtures and of the weights.
fn gradients<M: Module>(
    module: &M,
    relaxation: &Relaxation,
    device: &Device,
    loss: &impl Fn(&M, &Mixtures) -> Tensor<1>,
) -> (MixtureGradient, Direction) {
    let mixtures = Mixtures::new(relaxation, device);
    let mut gradients = loss(module, &mixtures).backward();
    let mut take = |logits: &Tensor<2>| -> Vec<Vec<f64>> {
        let [edges, options] = logits.dims();
        // A loss that does not depend on the mixtures of a role says nothing about them.
        let values = logits.grad_remove(&mut gradients).map_or_else(
            || vec![0.0; edges * options],
            |gradient| gradient.into_data().iter::<f64>().collect(),
        );
        values.chunks(options).map(<[f64]>::to_vec).collect()
    };
    let of_mixtures =
        MixtureGradient { normal: take(&mixtures.normal), reduction: take(&mixtures.reduction) };
    let gradients = GradientsParams::from_grads(gradients, module);
    let of_weights = gradients_of(module, &gradients).into_iter();
    (of_mixtures, of_weights.filter_map(|of| Some((of.id, of.gradient?))).collect())
}

/// Where a step of SGD goes: momentum, gradient and decay together.
fn descent<M: Module>(module: &M, mut gradient: Direction, step: &Virtual) -> Direction {
    let mut direction = Direction::new();
    for Parameter { id, value, .. } in parameters(module) {
        let Some(gradient) = gradient.remove(&id) else { continue };
        let mut sum = gradient + value * step.weight_decay;
        if let Some(buffer) = step.buffers.get(&id) {
            sum = sum + buffer.clone() * step.momentum;
        }
        direction.insert(id, sum);
    }
    direction
}

/// The module with its weights moved.
fn moved<M: Module>(module: &M, direction: &Direction, by: f64) -> M {
    map_values(module.clone(), |Parameter { id, value, .. }| {
        direction.get(id).map(|direction| value.clone() + direction.clone() * by)
    })
}

/// The Euclidean length of a direction. The sum, in f64, is in the order of the module, so that it is the same each time.
fn norm<M: Module>(module: &M, direction: &Direction) -> f64 {
    let along = parameters(module).into_iter().filter_map(|parameter| direction.get(&parameter.id));
    let squares =
        along.map(|values| values.clone().into_data().iter::<f64>().map(|value| value * value).sum::<f64>());
    squares.sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use burn::module::Param;
    use burn::tensor::activation::{sigmoid, softmax};
    use nao_space::CellRole;
    use nao_space::network::{FeatureShape, RelaxedPlan, Skeleton};
    use nao_space::seed::rng_for;
    use rand::RngExt;

    use super::*;
    use crate::network::{Pass, TrainPass};
    use crate::op::loss::{cross_entropy, target_rows};
    use crate::relaxed::RelaxedNetwork;
    use nao_kernels::nn::uniform;

    /// Two layers, each of which mixes smooth functions by the logits of one edge.
    #[derive(Module, Debug)]
    struct Tiny {
        first: Param<Tensor<2>>,
        second: Param<Tensor<2>>,
    }

    impl Tiny {
        fn new(device: &Device) -> Self {
            let mut rng = rng_for(3, "weights", 0);
            let mut draw = |shape| Param::from_tensor(uniform(shape, 1.0, &mut rng, device));
            Tiny { first: draw([4, 6]), second: draw([6, 3]) }
        }

        fn forward(&self, x: Tensor<2>, mixtures: &Mixtures) -> Tensor<2> {
            let mix = |x: Tensor<2>, logits: &Tensor<2>, edge: usize| {
                let weights = softmax(logits.clone().narrow(0, edge, 1), 1);
                let parts = [x.clone().tanh(), x.clone(), sigmoid(x.clone()), x.clone() * x];
                let parts = parts.into_iter().enumerate();
                // The first logit is that of nothing.
                let parts = parts.map(|(op, part)| part * weights.clone().narrow(1, op + 1, 1));
                parts.reduce(|sum, part| sum + part).unwrap()
            };
            let hidden = mix(x.matmul(self.first.val()), &mixtures.normal, 3);
            mix(hidden.matmul(self.second.val()), &mixtures.reduction, 0)
        }
    }

    fn device() -> Device {
        Device::flex().autodiff()
    }

    fn tiny_loss(examples: u64) -> impl Fn(&Tiny, &Mixtures) -> Tensor<1> {
        let x = uniform([12, 4], 1.5, &mut rng_for(3, "examples", examples), &device());
        let targets = target_rows(&[0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2], 3, 0.0, &device());
        move |tiny, mixtures| cross_entropy(tiny.forward(x.clone(), mixtures), targets.clone())
    }

    fn logits(index: u64) -> Relaxation {
        let mut rng = rng_for(3, "logits", index);
        Relaxation::of(|| rng.random_range(-0.5..0.5))
    }

    /// The slope of `value` at `at` in a direction.
    fn slope(value: impl Fn(&Relaxation) -> f64, at: &Relaxation, direction: &Relaxation, by: f64) -> f64 {
        let moved = |by: f64| {
            let add = |rows: &[Vec<f64>], direction: &[Vec<f64>]| -> Vec<Vec<f64>> {
                let rows = rows.iter().zip(direction);
                rows.map(|(row, d)| row.iter().zip(d).map(|(a, d)| a + by * d).collect()).collect()
            };
            Relaxation {
                normal: add(&at.normal, &direction.normal),
                reduction: add(&at.reduction, &direction.reduction),
            }
        };
        (value(&moved(by)) - value(&moved(-by))) / (2.0 * by)
    }

    fn flat(relaxation: &Relaxation) -> Vec<f64> {
        let of_role = |role| relaxation.of_role(role).concat();
        [of_role(CellRole::Normal), of_role(CellRole::Reduction)].concat()
    }

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    fn cosine(a: &[f64], b: &[f64]) -> f64 {
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    }

    /// The validation loss after a whole step of SGD, momentum and decay included, for mixtures moved along random
    /// directions.
    #[test]
    fn the_gradient_through_a_step_of_training_is_that_of_finite_differences() {
        let tiny = Tiny::new(&device());
        let mut rng = rng_for(3, "buffers", 0);
        let mut buffer = |id, len: usize| (id, uniform([len], 0.1, &mut rng, &Device::flex()));
        let buffers = HashMap::from([buffer(tiny.first.id, 24), buffer(tiny.second.id, 18)]);
        let step = Virtual { rate: 1.5, momentum: 0.9, weight_decay: 0.01, buffers: &buffers };
        let at = logits(0);
        let second = second_order(&tiny, &at, &device(), &step, tiny_loss(1), tiny_loss(2));
        let first = first_order(&tiny, &at, &device(), tiny_loss(2));
        let after_the_step = |relaxation: &Relaxation| {
            let (_, gradient) = gradients(&tiny, relaxation, &device(), &tiny_loss(1));
            let ahead = moved(&tiny, &descent(&tiny, gradient, &step), -step.rate);
            f64::from(tiny_loss(2)(&ahead, &Mixtures::new(relaxation, &device())).into_scalar::<f32>())
        };
        let (mut found, mut of_first, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        for index in 1..=12 {
            let direction = logits(index);
            expected.push(slope(after_the_step, &at, &direction, 0.02));
            found.push(dot(&flat(&second), &flat(&direction)));
            of_first.push(dot(&flat(&first), &flat(&direction)));
        }
        assert!(cosine(&found, &expected) > 0.999, "{found:?}\n{expected:?}");
        let size = dot(&expected, &expected).sqrt();
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 0.03 * size, "{found} and {expected} of {size}");
        }
        // What first order leaves out matters here.
        assert!(cosine(&of_first, &expected) < 0.99, "{of_first:?}\n{expected:?}");
    }

    #[test]
    fn without_a_step_ahead_second_order_is_first_order() {
        let (tiny, at, buffers) = (Tiny::new(&device()), logits(0), HashMap::new());
        let step = Virtual { rate: 0.0, momentum: 0.9, weight_decay: 0.01, buffers: &buffers };
        let second = second_order(&tiny, &at, &device(), &step, tiny_loss(1), tiny_loss(2));
        let first = first_order(&tiny, &at, &device(), tiny_loss(2));
        assert!(flat(&first).iter().zip(flat(&second)).all(|(a, b)| (a - b).abs() < 1e-7));
        assert!(flat(&first).iter().any(|&value| value != 0.0));
    }

    /// The whole relaxed network: every logit of both kinds of cells has its share of the loss.
    #[test]
    fn the_gradient_of_a_relaxed_network_is_that_of_finite_differences() {
        let skeleton = Skeleton::cifar10(1, 4).for_data(FeatureShape::new(8, 8, 1), 3);
        let plan = RelaxedPlan::new(&skeleton).unwrap();
        let network = RelaxedNetwork::new(&plan, &mut rng_for(3, "weights", 0), &device());
        let images = uniform([16, 1, 8, 8], 1.0, &mut rng_for(3, "images", 0), &device());
        let labels: Vec<u8> = (0..16).map(|image| image % 3).collect();
        let targets = target_rows(&labels, 3, 0.0, &device());
        let loss = |network: &RelaxedNetwork, mixtures: &Mixtures| {
            let mut statistics = Vec::new();
            let mut pass = Pass::Train(TrainPass::without_dropping(&mut statistics));
            cross_entropy(network.forward(images.clone(), mixtures, &mut pass), targets.clone())
        };
        let at = logits(0);
        let gradient = first_order(&network, &at, &device(), loss);
        let value = |relaxation: &Relaxation| {
            f64::from(loss(&network, &Mixtures::new(relaxation, &device())).into_scalar::<f32>())
        };
        let directions: Vec<Relaxation> = (1..=8).map(logits).collect();
        let expected: Vec<f64> =
            directions.iter().map(|direction| slope(value, &at, direction, 5e-3)).collect();
        let found: Vec<f64> =
            directions.iter().map(|direction| dot(&flat(&gradient), &flat(direction))).collect();
        assert!(cosine(&found, &expected) > 0.99, "{found:?}\n{expected:?}");
    }
}
