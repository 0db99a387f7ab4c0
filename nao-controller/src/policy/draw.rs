//! What a policy draws.

use nao_space::Token;
use serde::{Deserialize, Serialize};

/// A sequence that a policy has drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draw {
    /// The sequence.
    pub sequence: Vec<Token>,
    /// Its log probability when it was drawn, natural logarithm.
    pub log_prob: f64,
    /// The entropy of the choices on the way to it, summed over its positions.
    pub entropy: f64,
}
