//! Judging a language model by a text.

use std::convert::Infallible;

use nao_space::RnnArch;

use super::cell::CellWeights;
use super::dropout::LanguagePass;
use super::model::{LanguageModel, Regularisation, Tokens};

/// How well a model foresees the words of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LanguageEvaluation {
    /// Mean negative log likelihood per word, in nats.
    pub nll: f64,
    /// Number of words that were predicted.
    pub words: usize,
}

impl LanguageEvaluation {
    /// The exponential of the mean negative log likelihood; smaller is better.
    pub fn perplexity(self) -> f64 {
        self.nll.exp()
    }
}

/// How a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadingLayout {
    /// How many parts of the text are read side by side, each from a blank memory (10 for validation, 1 for test,
    /// docs/specification.md, e.3). Words that do not fill the parts evenly are left out.
    pub batch: usize,
    /// Words per forward pass. The memory is carried from one to the next and every word counts the same, so this
    /// changes nothing but the memory in use.
    pub segment: usize,
}

/// Reads a text with the cell of `arch` and measures how well each word is predicted from those before it in its part.
/// `None` where the text is too short to evaluate_language_model anything. Pass the plain copy (`model.valid()`) of a trained model.
pub fn evaluate_language_model<W: CellWeights>(
    model: &LanguageModel<W>,
    arch: &RnnArch,
    text: &[u32],
    layout: ReadingLayout,
) -> Option<LanguageEvaluation> {
    let never_stops = || Ok::<(), Infallible>(());
    evaluate_while(model, arch, text, layout, never_stops).unwrap_or_else(|never| match never {})
}

/// As [`evaluate_language_model`], for as long as `keep_going` does not refuse; asked before every segment.
///
/// # Errors
/// What `keep_going` gives.
pub fn evaluate_while<W: CellWeights, E>(
    model: &LanguageModel<W>,
    arch: &RnnArch,
    text: &[u32],
    layout: ReadingLayout,
    keep_going: impl Fn() -> Result<(), E>,
) -> Result<Option<LanguageEvaluation>, E> {
    let ReadingLayout { batch, segment } = layout;
    let part = text.len().checked_div(batch).unwrap_or(0);
    if part < 2 || segment == 0 {
        return Ok(None);
    }
    let words_at = |step: usize| (0..batch).map(|column| text[column * part + step]).collect::<Vec<u32>>();
    let rows = |from: usize, to: usize| {
        let rows: Vec<Vec<u32>> = (from..to).map(words_at).collect();
        Tokens::new(&rows).expect("rows are as wide as the batch")
    };
    let mut memory = model.blank_memory(batch);
    let (mut sum, mut words) = (0f64, 0usize);
    for start in (0..part - 1).step_by(segment) {
        keep_going()?;
        let end = (start + segment).min(part - 1);
        let output = model.forward(arch, &rows(start, end), memory, &mut LanguagePass::Eval);
        let nll = output.loss(&rows(start + 1, end + 1), Regularisation::default()).nll;
        let count = (end - start) * batch;
        sum += f64::from(nll.into_scalar::<f32>()) * count as f64;
        words += count;
        memory = output.memory;
    }
    Ok(Some(LanguageEvaluation { nll: sum / words as f64, words }))
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use nao_space::network::LanguageModelSkeleton;
    use nao_space::seed::rng_for;
    use nao_space::{RnnSpace, Space};

    use super::*;

    fn text() -> Vec<u32> {
        (0..97u32).map(|word| (word * word + 3) % 9).collect()
    }

    #[test]
    fn the_length_of_segments_changes_nothing() {
        let sizes = LanguageModelSkeleton { vocabulary: 9, hidden: 6 };
        let model = LanguageModel::new(sizes, 11, &mut rng_for(1, "weights", 0), &Device::flex());
        let arch = RnnSpace::default().sample(&mut rng_for(1, "arch", 0));
        for batch in [1, 4] {
            let read = |segment| {
                evaluate_language_model(&model, &arch, &text(), ReadingLayout { batch, segment }).unwrap()
            };
            let whole = read(1000);
            assert_eq!(whole.words, (97 / batch - 1) * batch);
            for segment in [1, 7, 23] {
                let parts = read(segment);
                assert_eq!(parts.words, whole.words);
                assert!((parts.nll - whole.nll).abs() < 1e-6, "{batch} {segment}: {parts:?}, {whole:?}");
            }
        }
    }

    /// With weights close to zero every word is equally likely.
    #[test]
    fn a_fresh_model_is_as_perplexed_as_the_vocabulary_is_large() {
        let sizes = LanguageModelSkeleton { vocabulary: 9, hidden: 6 };
        let model = LanguageModel::new(sizes, 11, &mut rng_for(1, "weights", 0), &Device::flex());
        let arch = RnnSpace::default().sample(&mut rng_for(1, "arch", 0));
        let evaluation =
            evaluate_language_model(&model, &arch, &text(), ReadingLayout { batch: 2, segment: 10 }).unwrap();
        assert!((evaluation.perplexity() - 9.0).abs() < 0.05, "{}", evaluation.perplexity());
        assert_eq!(
            evaluate_language_model(&model, &arch, &[1], ReadingLayout { batch: 1, segment: 5 }),
            None
        );
        assert_eq!(
            evaluate_language_model(&model, &arch, &text(), ReadingLayout { batch: 0, segment: 5 }),
            None
        );
    }
}
