//! What a policy draws.

use nao_space::Token;
use serde::{Deserialize, Serialize};

/// A sequence that a policy has drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draw {
    /// The sequence; earlier states call it a sentence.
    #[serde(alias = "sentence")]
    pub sequence: Vec<Token>,
    /// Its log probability when it was drawn, natural logarithm.
    pub log_prob: f64,
    /// The entropy of the choices on the way to it, summed over its positions.
    pub entropy: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// States of the versions that called a sequence a sentence are gone on with.
    #[test]
    fn a_draw_reads_by_its_earlier_name() {
        let earlier = r#"{"sentence": [1, 2], "log_prob": -0.5, "entropy": 0.25}"#;
        let draw: Draw = serde_json::from_str(earlier).unwrap();
        assert_eq!(draw.sequence, [Token(1), Token(2)]);
        let now = serde_json::to_string(&draw).unwrap();
        assert_eq!((now.contains("sequence"), serde_json::from_str::<Draw>(&now).unwrap()), (true, draw));
    }
}
