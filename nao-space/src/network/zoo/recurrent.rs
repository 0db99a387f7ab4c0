//! Published recurrent cells with their language models (docs/specification.md, b, e.4).

use std::sync::LazyLock;

use serde::Serialize;

use crate::language::Space;
use crate::network::{LanguageModelSkeleton, OutputMean};
use crate::spaces::{ActivationOrder, RnnArch, RnnSpace, RnnState};

const PTB: &str = "Penn Treebank test";
const WT2: &str = "WikiText-2 test";
const NAO_PAPER: &str = "Luo et al., NeurIPS 2018";
const NAO_REPOSITORY: &str = "authors' repository";
const DARTS_PAPER: &str = "Liu et al., ICLR 2019";

/// A published recurrent cell.
#[derive(Clone, Debug)]
pub struct RecurrentEntry {
    /// Its name.
    pub name: &'static str,
    /// The space in whose notation it was published.
    pub space: RnnSpace,
    /// The cell.
    pub arch: RnnArch,
    /// What its output averages.
    pub mean: OutputMean,
    /// Where the cell was read.
    pub source: &'static str,
    /// What was published about it, the model that it was found for first.
    pub published: Vec<PublishedPerplexity>,
}

/// One published figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PublishedPerplexity {
    /// The data set and split.
    pub data: &'static str,
    /// Perplexity per word.
    pub perplexity: f64,
    /// Parameters in millions, as printed; `None` where none are.
    pub params_millions: Option<f64>,
    /// The model.
    pub skeleton: LanguageModelSkeleton,
    /// Where it was published.
    pub source: &'static str,
    /// What is known where the computed parameters are not the published ones.
    pub note: Option<&'static str>,
}

/// The zoo has no recurrent cell of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no recurrent cell `{name}` in the zoo; known are {}", recurrent_zoo_names())]
pub struct UnknownRecurrentEntry {
    /// The name that was asked for.
    pub name: String,
}

/// The names of the published recurrent cells, in words.
pub fn recurrent_zoo_names() -> String {
    recurrent_zoo().iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ")
}

/// All published recurrent cells.
pub fn recurrent_zoo() -> &'static [RecurrentEntry] {
    static ZOO: LazyLock<Vec<RecurrentEntry>> =
        LazyLock::new(|| vec![nao(), nao_ws(), darts_first(), darts_second(), enas(), enas_corrected()]);
    &ZOO
}

/// The published recurrent cell of that name, whatever its case.
///
/// ```
/// use nao_space::network::recurrent_zoo_entry;
/// let nao = recurrent_zoo_entry("nao-rnn")?;
/// assert_eq!(nao.published[0].skeleton.cost(&nao.arch).unwrap().params, 27_295_000);
/// # Ok::<(), nao_space::network::UnknownRecurrentEntry>(())
/// ```
///
/// # Errors
/// When there is none: lists the names.
pub fn recurrent_zoo_entry(name: &str) -> Result<&'static RecurrentEntry, UnknownRecurrentEntry> {
    let found = recurrent_zoo().iter().find(|entry| entry.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| UnknownRecurrentEntry { name: name.to_owned() })
}

fn entry(
    name: &'static str,
    (text, order): (&str, ActivationOrder),
    source: &'static str,
    published: Vec<PublishedPerplexity>,
) -> RecurrentEntry {
    let nodes = text.split_whitespace().count() / 2;
    let space = RnnSpace::new(nodes, order).expect("published cells are small");
    let arch = space.parse(text).expect("published strings are well formed");
    RecurrentEntry { name, space, arch, mean: OutputMean::Searched, source, published }
}

fn ptb(perplexity: f64, params_millions: f64, source: &'static str) -> PublishedPerplexity {
    let skeleton = LanguageModelSkeleton::penn_treebank();
    PublishedPerplexity {
        data: PTB,
        perplexity,
        params_millions: Some(params_millions),
        skeleton,
        source,
        note: None,
    }
}

fn nao() -> RecurrentEntry {
    let wikitext_2 = |perplexity, source| PublishedPerplexity {
        data: WT2,
        skeleton: LanguageModelSkeleton::wikitext_2(),
        ..ptb(perplexity, 36.0, source)
    };
    entry(
        "NAO-RNN",
        ("0 1 0 1 1 1 3 0 4 1 4 1 5 1 1 1 7 1 1 1 1 2", ActivationOrder::Nao),
        NAO_REPOSITORY,
        vec![
            ptb(56.0, 27.0, NAO_PAPER),
            PublishedPerplexity { params_millions: None, ..ptb(56.02, 27.0, NAO_REPOSITORY) },
            wikitext_2(67.0, NAO_PAPER),
        ],
    )
}

/// Found with weight sharing, in whose code two activations have each other's ids (docs/specification.md, f.32).
fn nao_ws() -> RecurrentEntry {
    entry(
        "NAO-WS-RNN",
        ("0 1 1 1 2 2 1 2 4 1 4 1 4 1 7 1 8 2 1 0 4 1", ActivationOrder::NaoWs),
        NAO_REPOSITORY,
        vec![
            ptb(56.6, 27.0, NAO_PAPER),
            PublishedPerplexity { params_millions: None, ..ptb(56.66, 27.0, NAO_REPOSITORY) },
        ],
    )
}

fn darts_first() -> RecurrentEntry {
    entry(
        "DARTS-RNN-V1",
        ("0 1 1 1 2 0 3 1 4 1 1 2 5 1 1 1", ActivationOrder::Nao),
        "DARTS repository, genotypes",
        vec![ptb(57.6, 23.0, DARTS_PAPER)],
    )
}

fn darts_second() -> RecurrentEntry {
    let wikitext_2 = PublishedPerplexity {
        data: WT2,
        skeleton: LanguageModelSkeleton::wikitext_2(),
        ..ptb(69.6, 33.0, DARTS_PAPER)
    };
    entry(
        "DARTS-RNN-V2",
        ("0 3 1 1 1 1 1 2 2 0 5 3 3 0 5 1", ActivationOrder::Nao),
        "DARTS repository, genotypes",
        vec![ptb(55.7, 23.0, DARTS_PAPER), wikitext_2],
    )
}

/// As the DARTS repository has it: its output averages the states that no node reads.
fn enas() -> RecurrentEntry {
    let note = "24M are of another model: the paper's script has 748 units and 12 nodes";
    let figure =
        |perplexity, source| PublishedPerplexity { note: Some(note), ..ptb(perplexity, 24.0, source) };
    let cell = entry(
        "ENAS-RNN",
        ("0 0 1 0 1 1 3 0 3 0 3 1 4 1 7 1 8 1 8 1 8 1", ActivationOrder::Nao),
        "DARTS repository, genotypes",
        vec![figure(55.8, "Pham et al., ICML 2018"), figure(58.6, DARTS_PAPER)],
    );
    let unread = [2, 5, 6, 9, 10, 11].map(RnnState);
    RecurrentEntry { mean: OutputMean::States(unread.to_vec()), ..cell }
}

/// Of the implementation in which the authors of ENAS corrected their language model.
fn enas_corrected() -> RecurrentEntry {
    let skeleton = LanguageModelSkeleton { vocabulary: 10_000, hidden: 800 };
    let note = "its code has no bias on the output: 20,800,000 parameters";
    let figure = PublishedPerplexity {
        skeleton,
        note: Some(note),
        params_millions: None,
        ..ptb(57.47, 20.8, "corrected ENAS repository")
    };
    entry(
        "ENAS-RNN-corrected",
        ("0 2 1 0 2 1 2 2 4 0 5 0 3 2 6 2", ActivationOrder::NaoWs),
        "corrected ENAS repository",
        vec![figure],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spaces::Activation;

    #[test]
    fn names_are_found_and_unknown_ones_answered_with_the_list() {
        for entry in recurrent_zoo() {
            assert_eq!(recurrent_zoo_entry(&entry.name.to_lowercase()).unwrap().name, entry.name);
        }
        assert_eq!(recurrent_zoo_names().split(", ").count(), 6);
        assert!(recurrent_zoo_entry("NAO-LSTM").unwrap_err().to_string().contains("DARTS-RNN-V2"));
    }

    /// Counted by the published code of each, but for the bias that the corrected ENAS lacks.
    #[test]
    fn parameters_are_those_of_the_published_code() {
        let counts: [(&str, usize, u64); 8] = [
            ("NAO-RNN", 0, 27_295_000),
            ("NAO-RNN", 2, 36_067_878),
            ("NAO-WS-RNN", 0, 27_295_000),
            ("DARTS-RNN-V1", 0, 22_960_000),
            ("DARTS-RNN-V2", 0, 22_960_000),
            ("DARTS-RNN-V2", 1, 33_127_878),
            ("ENAS-RNN", 0, 27_295_000),
            ("ENAS-RNN-corrected", 0, 20_810_000),
        ];
        for (name, figure, params) in counts {
            let entry = recurrent_zoo_entry(name).unwrap();
            assert_eq!(entry.published[figure].skeleton.cost(&entry.arch).unwrap().params, params, "{name}");
        }
    }

    /// The cells as they are printed, which is in words.
    #[test]
    fn cells_have_the_published_activations() {
        use Activation::{Identity, Relu, Sigmoid, Tanh};
        let words = |name: &str| -> Vec<(Activation, usize)> {
            let nodes = recurrent_zoo_entry(name).unwrap().arch.nodes();
            nodes.iter().map(|node| (node.activation, node.input.index())).collect()
        };
        assert_eq!(
            words("DARTS-RNN-V2"),
            [
                (Sigmoid, 0),
                (Relu, 1),
                (Relu, 1),
                (Identity, 1),
                (Tanh, 2),
                (Sigmoid, 5),
                (Tanh, 3),
                (Relu, 5)
            ]
        );
        assert_eq!(
            words("DARTS-RNN-V1"),
            [(Relu, 0), (Relu, 1), (Tanh, 2), (Relu, 3), (Relu, 4), (Identity, 1), (Relu, 5), (Relu, 1)]
        );
        assert_eq!(words("NAO-RNN")[10], (Identity, 1));
        assert_eq!(words("NAO-WS-RNN")[2], (Sigmoid, 2));
        assert_eq!(words("ENAS-RNN-corrected")[0], (Sigmoid, 0));
    }

    /// The states that no node reads are those that the published list averages.
    #[test]
    fn the_mean_of_enas_is_of_unread_states() {
        let enas = recurrent_zoo_entry("ENAS-RNN").unwrap();
        let read = |state: &RnnState| enas.arch.nodes().iter().any(|node| node.input == *state);
        let unread: Vec<RnnState> = (1..=11).map(RnnState).filter(|state| !read(state)).collect();
        assert_eq!(enas.mean.states(&enas.arch), unread);
    }
}
