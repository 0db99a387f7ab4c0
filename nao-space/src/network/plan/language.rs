//! What a recurrent language model costs (docs/specification.md, b): embedding, one cell, output tied with the
//! embedding.

use serde::{Deserialize, Serialize};

use crate::network::cost::Cost;
use crate::network::error::GeometryError;
use crate::spaces::{RnnArch, RnnState};

/// The states whose mean a recurrent cell gives out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputMean {
    /// All that searched nodes make, read or not: the authors' cell (docs/specification.md, b).
    #[default]
    Searched,
    /// Those and that of the fixed first node: the cell of shared weights (docs/specification.md, f.32).
    All,
    /// These, each of which the cell has.
    States(Vec<RnnState>),
}

impl OutputMean {
    /// The states of a cell, in order.
    pub fn states(&self, arch: &RnnArch) -> Vec<RnnState> {
        let last = RnnState::of_node(arch.nodes().len() - 1).0;
        match self {
            OutputMean::Searched => (1..=last).map(RnnState).collect(),
            OutputMean::All => (0..=last).map(RnnState).collect(),
            OutputMean::States(states) => states.clone(),
        }
    }
}

/// Everything about a recurrent language model except its cell.
///
/// ```
/// use nao_space::network::LanguageModelSkeleton;
/// use nao_space::{RnnSpace, Space};
/// let arch = RnnSpace::default().parse("0 1 0 1 1 1 3 0 4 1 4 1 5 1 1 1 7 1 1 1 1 2")?;
/// assert_eq!(LanguageModelSkeleton::penn_treebank().cost(&arch)?.params, 27_295_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguageModelSkeleton {
    /// Number of words (V).
    pub vocabulary: usize,
    /// Length of embedded words and of the hidden vector, which tying makes equal (H).
    pub hidden: usize,
}

impl LanguageModelSkeleton {
    /// The authors' model of the Penn Treebank: 10,000 words, 850 units (docs/specification.md, e.3).
    pub fn penn_treebank() -> Self {
        LanguageModelSkeleton { vocabulary: 10_000, hidden: 850 }
    }

    /// The authors' model of WikiText-2: 33,278 words, 700 units (docs/specification.md, e.3).
    pub fn wikitext_2() -> Self {
        LanguageModelSkeleton { vocabulary: 33_278, hidden: 700 }
    }

    /// Parameters of the model, multiply-accumulates and activations of one word.
    ///
    /// Parameters: the tied matrix V x H and the output bias V; W0, 2H x 2H; per searched node H x 2H. Products
    /// with a gate have 2H values, states H.
    ///
    /// # Errors
    /// When a size is zero or absurdly large.
    pub fn cost(&self, arch: &RnnArch) -> Result<Cost, GeometryError> {
        let [words, hidden] = self.sizes()?;
        let nodes = arch.nodes().len() as u64;
        let matrices = 2 * hidden * 2 * hidden + nodes * hidden * 2 * hidden;
        let (embedded, first, mean) = (hidden, 2 * hidden + hidden, hidden);
        Ok(Cost {
            params: words * hidden + words + matrices,
            macs: matrices + words * hidden,
            activations: embedded + first + nodes * (2 * hidden + hidden) + mean + words,
        })
    }

    /// Both sizes; within the bounds every count fits into 64 bits.
    fn sizes(&self) -> Result<[u64; 2], GeometryError> {
        let at_most = [
            ("vocabulary (V)", self.vocabulary, 1 << 24, "1 to 16777216"),
            ("number of hidden units (H)", self.hidden, 1 << 16, "1 to 65536"),
        ];
        for (what, value, most, rule) in at_most {
            if value == 0 || value > most {
                return Err(GeometryError::Setting { what, value, rule });
            }
        }
        Ok([self.vocabulary as u64, self.hidden as u64])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Space;
    use crate::seed::rng_for;
    use crate::spaces::{ActivationOrder, RnnSpace};

    fn cost(vocabulary: usize, hidden: usize, nodes: usize) -> Result<Cost, GeometryError> {
        let space = RnnSpace::new(nodes, ActivationOrder::Nao).unwrap();
        let arch = space.sample(&mut rng_for(1, "recurrent", 0));
        LanguageModelSkeleton { vocabulary, hidden }.cost(&arch)
    }

    /// docs/specification.md, e.5, counted there with the authors' own code.
    #[test]
    fn parameters_agree_with_the_authors_code() {
        for (vocabulary, hidden, params) in
            [(10_000, 850, 27_295_000), (33_278, 700, 36_067_878), (10_000, 300, 5_350_000)]
        {
            assert_eq!(cost(vocabulary, hidden, 11).unwrap().params, params, "V={vocabulary} H={hidden}");
        }
    }

    #[test]
    fn the_smallest_model_is_counted_by_hand() {
        // One word, one unit, one node: the matrix, its bias, a 2x2 matrix and a 1x2 one; all but the bias
        // multiply. Written: word, [c0 h0], s0, [c u], s1, mean, logit.
        let expected =
            Cost { params: 1 + 1 + 4 + 2, macs: 4 + 2 + 1, activations: 1 + 2 + 1 + 2 + 1 + 1 + 1 };
        assert_eq!(cost(1, 1, 1), Ok(expected));
    }

    #[test]
    fn sizes_out_of_bounds_are_refused() {
        assert!(cost(0, 1, 1).unwrap_err().to_string().contains("vocabulary (V) is 0: it must be 1 to"));
        assert!(cost(1, usize::MAX, 1).is_err());
        let largest = cost(1 << 24, 1 << 16, RnnArch::MAX_NODES).unwrap();
        assert_eq!(largest.params, (1 << 40) + (1 << 24) + (1 << 34) + 64 * (1 << 33));
    }
}
