//! The language model: embedding, one recurrent cell, output tied with the embedding (docs/specification.md, b).

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};
use nao_kernels::{cross_entropy, log_softmax};
use nao_space::network::{LanguageModelSkeleton, OutputMean};
use nao_space::{ActivationOrder, RnnArch};
use rand_chacha::ChaCha8Rng;

use super::cell::{BOUND, CellWeights, RecurrentCell, SharedCell, run_cell};
use super::dropout::LanguagePass;
use nao_kernels::nn::uniform;

/// A language model whose cell has weights of kind `W`: [`RecurrentCell`] or [`SharedCell`].
#[derive(Module, Debug)]
pub struct LanguageModel<W: Module> {
    /// Embeds words and, transposed, gives the logits: `[vocabulary, hidden]`.
    pub(super) embedding: Param<Tensor<2>>,
    /// `[vocabulary]`.
    pub(super) output_bias: Param<Tensor<1>>,
    pub(super) cell: W,
}

/// Words of a batch of equally long texts, time first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    words: Vec<u32>,
    steps: usize,
    batch: usize,
}

/// Rows of tokens of which one has another length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("step {step} has {found} words, the first has {expected}; every step needs one word per text")]
pub struct UnequalRows {
    /// The step, counted from 0.
    pub step: usize,
    /// Its number of words.
    pub found: usize,
    /// The number of the first.
    pub expected: usize,
}

impl Tokens {
    /// `rows`: per step the words of all texts.
    ///
    /// # Errors
    /// When not all steps have as many words.
    pub fn new(rows: &[Vec<u32>]) -> Result<Self, UnequalRows> {
        let batch = rows.first().map_or(0, Vec::len);
        if let Some(step) = rows.iter().position(|row| row.len() != batch) {
            return Err(UnequalRows { step, found: rows[step].len(), expected: batch });
        }
        Ok(Tokens { words: rows.concat(), steps: rows.len(), batch })
    }

    fn tensor(&self, device: &Device) -> Tensor<1, Int> {
        let words: Vec<i64> = self.words.iter().map(|&word| i64::from(word)).collect();
        Tensor::from_data(TensorData::new(words, [self.words.len()]), device)
    }
}

/// What a model makes of a sequence.
#[derive(Clone, Debug)]
pub struct LanguageOutput {
    /// Of the next word, `[steps * batch, vocabulary]`, time first.
    pub logits: Tensor<2>,
    /// Outputs of the cell, `[steps, batch, hidden]`.
    pub outputs: Tensor<3>,
    /// The same after output dropout.
    pub dropped: Tensor<3>,
    /// The memory after the last step, `[batch, hidden]`, for the sequence that follows.
    pub memory: Tensor<2>,
}

/// Penalties on the outputs of the cell (docs/specification.md, e.3).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Regularisation {
    /// Weight of the mean square of the dropped outputs (alpha).
    pub activation: f64,
    /// Weight of the mean squared difference of consecutive outputs before dropout (beta).
    pub temporal: f64,
}

/// The loss of a sequence; its parts are of one graph.
#[derive(Clone, Debug)]
pub struct LanguageLoss {
    /// Mean negative log likelihood of the words, in nats; its exponential is the perplexity.
    pub nll: Tensor<1>,
    /// With the penalties.
    pub total: Tensor<1>,
}

impl LanguageModel<RecurrentCell> {
    /// Fresh weights for a cell of `nodes` searched nodes.
    pub fn new(skeleton: LanguageModelSkeleton, nodes: usize, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        Self::around(skeleton, rng, device, |rng| RecurrentCell::new(nodes, skeleton.hidden, rng, device))
    }

    /// The same weights with a cell that averages other states.
    pub fn with_mean(self, mean: OutputMean) -> Self {
        LanguageModel { cell: self.cell.with_mean(mean), ..self }
    }
}

impl LanguageModel<SharedCell> {
    /// Fresh weights for all cells of `nodes` searched nodes; `order` is that of the activations of the space.
    pub fn shared(
        skeleton: LanguageModelSkeleton,
        nodes: usize,
        order: ActivationOrder,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        Self::around(skeleton, rng, device, |rng| SharedCell::new(nodes, skeleton.hidden, order, rng, device))
    }
}

impl<W: CellWeights> LanguageModel<W> {
    fn around(
        skeleton: LanguageModelSkeleton,
        rng: &mut ChaCha8Rng,
        device: &Device,
        cell: impl FnOnce(&mut ChaCha8Rng) -> W,
    ) -> Self {
        let LanguageModelSkeleton { vocabulary, hidden } = skeleton;
        let embedding = Param::from_tensor(uniform([vocabulary, hidden], BOUND, rng, device));
        let output_bias = Param::from_tensor(Tensor::zeros([vocabulary], device));
        LanguageModel { embedding, output_bias, cell: cell(rng) }
    }

    /// The memory before the first word: zeros, `[batch, hidden]`.
    pub fn blank_memory(&self, batch: usize) -> Tensor<2> {
        Tensor::zeros([batch, self.embedding.dims()[1]], &self.embedding.device())
    }

    /// Reads a sequence with the cell of `arch`, starting from `memory` `[batch, hidden]`. Every word must be in the
    /// vocabulary.
    ///
    /// # Panics
    /// When the cell has another number of nodes than the weights are for.
    pub fn forward(
        &self,
        arch: &RnnArch,
        tokens: &Tokens,
        memory: Tensor<2>,
        pass: &mut LanguagePass,
    ) -> LanguageOutput {
        let [vocabulary, hidden] = self.embedding.dims();
        let Tokens { steps, batch, .. } = *tokens;
        let device = self.embedding.device();
        let weight = self.embedding.val();
        let kept_words = match pass.words(vocabulary, &device) {
            Some(mask) => weight.clone() * mask,
            None => weight.clone(),
        };
        let embedded = kept_words.select(0, tokens.tensor(&device)).reshape([steps, batch, hidden]);
        let embedded = locked(embedded, pass.inputs(batch, hidden, &device));
        let masks = pass.in_cell(batch, hidden, &device);
        let outputs = run_cell(&self.cell, arch, embedded, memory, masks);
        let memory = outputs.clone().narrow(0, steps - 1, 1).squeeze_dim(0);
        let dropped = locked(outputs.clone(), pass.outputs(batch, hidden, &device));
        let flat = dropped.clone().reshape([steps * batch, hidden]);
        let logits = flat.matmul(weight.transpose()) + self.output_bias.val().unsqueeze();
        LanguageOutput { logits, outputs, dropped, memory }
    }
}

impl LanguageOutput {
    /// Logarithms of probabilities of the next word, `[steps * batch, vocabulary]`, time first.
    pub fn log_probs(&self) -> Tensor<2> {
        log_softmax(self.logits.clone())
    }

    /// The loss against the words that really came next.
    pub fn loss(&self, next: &Tokens, regularisation: Regularisation) -> LanguageLoss {
        let nll = cross_entropy(self.logits.clone(), next.words.clone().into());
        let mut total = nll.clone();
        if regularisation.activation != 0.0 {
            total = total + self.dropped.clone().square().mean().mul_scalar(regularisation.activation);
        }
        let [steps, ..] = self.outputs.dims();
        if regularisation.temporal != 0.0 && steps > 1 {
            let (later, earlier) =
                (self.outputs.clone().narrow(0, 1, steps - 1), self.outputs.clone().narrow(0, 0, steps - 1));
            total = total + (later - earlier).square().mean().mul_scalar(regularisation.temporal);
        }
        LanguageLoss { nll, total }
    }
}

/// One mask for all steps.
fn locked(x: Tensor<3>, mask: Option<Tensor<2>>) -> Tensor<3> {
    match mask {
        Some(mask) => x * mask.unsqueeze_dim(0),
        None => x,
    }
}

#[cfg(test)]
mod tests {
    use nao_space::seed::rng_for;
    use nao_space::{RnnSpace, Space};

    use super::*;
    use crate::language::Dropouts;

    const SIZES: LanguageModelSkeleton = LanguageModelSkeleton { vocabulary: 9, hidden: 6 };

    fn arch() -> RnnArch {
        RnnSpace::default().sample(&mut rng_for(1, "arch", 0))
    }

    fn model() -> LanguageModel<RecurrentCell> {
        let model = LanguageModel::new(SIZES, 11, &mut rng_for(1, "weights", 0), &Device::flex());
        // Larger weights than those of the start, so that the words matter.
        model.map(&mut Scale)
    }

    struct Scale;

    impl burn::module::ModuleMapper for Scale {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|tensor| tensor * 12.0f32)
        }
    }

    fn text(steps: usize) -> Tokens {
        let rows: Vec<Vec<u32>> = (0..steps as u32).map(|step| vec![step % 9, (3 * step + 1) % 9]).collect();
        Tokens::new(&rows).unwrap()
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    #[test]
    fn the_built_model_has_the_counted_parameters() {
        let model = LanguageModel::new(SIZES, 11, &mut rng_for(1, "weights", 0), &Device::flex());
        assert_eq!(model.num_params() as u64, SIZES.cost(&arch()).unwrap().params);
    }

    /// What is carried on makes the length of segments irrelevant.
    #[test]
    fn a_text_read_in_two_parts_is_the_same_text() {
        let (model, arch) = (model(), arch());
        let whole = model.forward(&arch, &text(8), model.blank_memory(2), &mut LanguagePass::Eval);
        let rows = |from: usize, to: usize| {
            let words = text(8).words[2 * from..2 * to].to_vec();
            Tokens { words, steps: to - from, batch: 2 }
        };
        let first = model.forward(&arch, &rows(0, 3), model.blank_memory(2), &mut LanguagePass::Eval);
        let second = model.forward(&arch, &rows(3, 8), first.memory.clone(), &mut LanguagePass::Eval);
        let parts = values(Tensor::cat(vec![first.log_probs(), second.log_probs()], 0));
        for (part, whole) in parts.iter().zip(values(whole.log_probs())) {
            assert!((part - whole).abs() < 1e-5, "{part} and {whole}");
        }
    }

    #[test]
    fn each_dropout_changes_something_and_none_changes_nothing() {
        let (model, arch) = (model(), arch());
        let run = |dropouts: Dropouts| {
            let mut rng = rng_for(1, "masks", 0);
            let mut pass = LanguagePass::Train { dropouts, rng: &mut rng };
            values(model.forward(&arch, &text(5), model.blank_memory(2), &mut pass).log_probs())
        };
        let plain = values(
            model.forward(&arch, &text(5), model.blank_memory(2), &mut LanguagePass::Eval).log_probs(),
        );
        assert_eq!(run(Dropouts::default()), plain);
        let none = Dropouts::default();
        for dropouts in [
            Dropouts { word: 0.5, ..none },
            Dropouts { input: 0.5, ..none },
            Dropouts { x: 0.5, ..none },
            Dropouts { hidden: 0.5, ..none },
            Dropouts { output: 0.5, ..none },
        ] {
            assert_ne!(run(dropouts), plain, "{dropouts:?}");
            assert_eq!(run(dropouts), run(dropouts), "equal generators, equal masks");
        }
    }

    #[test]
    fn rows_of_unequal_length_are_refused() {
        let error = Tokens::new(&[vec![1, 2], vec![3]]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "step 1 has 1 words, the first has 2; every step needs one word per text"
        );
    }
}
