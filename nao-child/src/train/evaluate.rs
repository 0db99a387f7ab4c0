//! Judging a network by images.

use std::convert::Infallible;

use burn::tensor::{Device, Tensor};

use super::batches::{ImageLoader, batch_of};
use crate::data::augment::{ChannelScale, plain};
use crate::data::{ImageData, Split};
use crate::network::{Network, Pass};
use crate::recipe::Recipe;

/// How a network did on some images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Share of images classified rightly, 0 to 1.
    pub accuracy: f64,
    /// Mean cross entropy in nats.
    pub loss: f64,
}

/// Images judged at once.
pub(crate) const BATCH: usize = 250;

/// Judges `network` by the held-out images of a split, prepared as the recipe has it. The network is used as it is, on
/// `device`.
pub fn evaluate_held_out(network: &Network, recipe: &Recipe, split: &Split, device: &Device) -> Evaluation {
    let scale = ChannelScale::new(recipe.augmentation.normalisation, split);
    evaluate(network, &split.data, &split.held_out, &scale, BATCH, device)
}

/// Judges `network` by `images` of `data`, in batches of `batch`. The network is used as it is, on `device`;
/// give the plain copy (`network.valid()`) of one that was trained.
pub fn evaluate(
    network: &Network,
    data: &ImageData,
    images: &[usize],
    scale: &ChannelScale,
    batch: usize,
    device: &Device,
) -> Evaluation {
    let never_stops = || Ok::<(), Infallible>(());
    let classify = |inputs| network.forward(inputs, &mut Pass::Eval).main;
    judge(data, images.chunks(batch), scale, device, classify, never_stops)
        .unwrap_or_else(|never| match never {})
}

/// As [`evaluate`] of images that a loader normalises, for as long as `keep_going` does not refuse; asked before every
/// batch.
pub(crate) fn evaluate_by<E>(
    network: &Network,
    loader: &ImageLoader,
    images: &[usize],
    device: &Device,
    keep_going: impl Fn() -> Result<(), E>,
) -> Result<Evaluation, E> {
    let classify = |inputs| network.forward(inputs, &mut Pass::Eval).main;
    judge(&loader.data, images.chunks(BATCH), &loader.scale, device, classify, keep_going)
}

/// Judges what says `[batch, classes]` about images, batch by batch, for as long as `keep_going` does not refuse.
pub(crate) fn judge<'a, E>(
    data: &ImageData,
    batches: impl IntoIterator<Item = &'a [usize]>,
    scale: &ChannelScale,
    device: &Device,
    classify: impl Fn(Tensor<4>) -> Tensor<2>,
    keep_going: impl Fn() -> Result<(), E>,
) -> Result<Evaluation, E> {
    let classes = data.classes.len();
    let (mut count, mut right, mut loss) = (0usize, 0usize, 0f64);
    for images in batches {
        keep_going()?;
        let (inputs, labels) =
            batch_of(data, images, device, |image, inputs| plain(data, image, scale, inputs));
        count += images.len();
        let logits = classify(inputs).into_data();
        let logits = logits.convert::<f32>().try_to_vec::<f32>().expect("logits are float32 now");
        for (logits, &label) in logits.chunks_exact(classes).zip(&labels) {
            right += usize::from(argmax(logits) == usize::from(label));
            loss += cross_entropy(logits, usize::from(label));
        }
    }
    Ok(Evaluation { accuracy: right as f64 / count as f64, loss: loss / count as f64 })
}

/// The first of the largest values; NaN is never the largest.
fn argmax(logits: &[f32]) -> usize {
    let mut best = 0;
    for (index, &value) in logits.iter().enumerate() {
        if value > logits[best] || logits[best].is_nan() {
            best = index;
        }
    }
    best
}

fn cross_entropy(logits: &[f32], label: usize) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&v| f64::from(v - largest).exp()).sum();
    sum.ln() - f64::from(logits[label] - largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cross_entropy_of_equal_logits_is_the_logarithm_of_their_number() {
        assert!((cross_entropy(&[500.0; 10], 3) - 10f64.ln()).abs() < 1e-12);
        assert!(cross_entropy(&[50.0, 0.0], 0) < 1e-12);
    }

    #[test]
    fn the_first_of_equals_wins() {
        assert_eq!(argmax(&[1.0, 3.0, 3.0]), 1);
        assert_eq!(argmax(&[f32::NAN, 1.0, 0.0]), 1);
    }
}
