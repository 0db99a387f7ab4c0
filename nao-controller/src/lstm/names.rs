//! The authors' names of the controller's parameters, under which weights are stored.
//!
//! | here | image cells ([`Design::Cnn`]) | recurrent cells ([`Design::RnnWs`]) |
//! |--|--|--|
//! | encoder's and decoder's embedding | `encoder.embedding.weight`, `decoder.embedding.weight` | the same |
//! | their LSTMs | `encoder.rnn.weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`; `decoder.rnn.*` | the same |
//! | predictor, hidden layer i | `encoder.mlp.layer_i.0.weight`, `.bias` | `encoder.W.i` (transposed: `[in, out]`), `encoder.b.i` |
//! | predictor, last layer | `encoder.regressor.weight`, `.bias` | `encoder.W.n`, `encoder.b.n`, n hidden layers |
//! | query of the attention | `decoder.attention.input_proj.weight` | none |
//! | projection after the attention | `decoder.attention.output_proj.weight` | `decoder.attention.linear_out.weight`, `.bias` |
//! | to the vocabulary | `decoder.out.weight`, `.bias` | the same |

use super::config::{ControllerConfig, Design};

/// A parameter or its gradient as plain numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedValues {
    /// The authors' name, such as `encoder.rnn.weight_ih_l0`.
    pub name: String,
    /// The shape, in the authors' layout.
    pub shape: Vec<usize>,
    /// The values in row-major order.
    pub values: Vec<f32>,
}

impl NamedValues {
    /// The same matrix with rows and columns exchanged.
    pub(crate) fn transposed(mut self) -> Self {
        let [rows, columns] = self.shape[..] else { return self };
        self.values = (0..columns)
            .flat_map(|c| (0..rows).map(move |r| r * columns + c))
            .map(|at| self.values[at])
            .collect();
        self.shape.reverse();
        self
    }
}

/// How a parameter is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredAs {
    /// The authors' name.
    pub(crate) name: String,
    /// Whether the authors keep the matrix the other way round.
    pub(crate) transposed: bool,
}

/// From the path of a parameter in [`Networks`](super::networks::Networks) to its authors' name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    design: Design,
    mlp_layers: usize,
}

impl Names {
    pub(crate) fn of(config: &ControllerConfig) -> Self {
        Names { design: config.design, mlp_layers: config.mlp_layers }
    }

    /// `path`: such as `predictor.layers.0.weight`.
    pub(crate) fn stored_as(&self, path: &str) -> StoredAs {
        let parts: Vec<&str> = path.split('.').collect();
        let name = match (self.design, parts.as_slice()) {
            (Design::Cnn, ["predictor", "layers", index, part]) => {
                format!("encoder.mlp.layer_{index}.0.{part}")
            }
            (Design::Cnn, ["predictor", "regressor", part]) => format!("encoder.regressor.{part}"),
            (Design::RnnWs, ["predictor", "layers", index, part]) => stacked(part, index),
            (Design::RnnWs, ["predictor", "regressor", part]) => stacked(part, &self.mlp_layers.to_string()),
            (Design::RnnWs, ["decoder", "attention", part]) => {
                let part = if *part == "output_bias" { "bias" } else { "weight" };
                format!("decoder.attention.linear_out.{part}")
            }
            (Design::Cnn, ["decoder", "attention", part]) => format!("decoder.attention.{part}.weight"),
            (_, [network, "embedding"]) => format!("{network}.embedding.weight"),
            (_, [network, "rnn", part]) => format!("{network}.rnn.{part}_l0"),
            _ => path.to_owned(),
        };
        let transposed = name.starts_with("encoder.W.");
        StoredAs { name, transposed }
    }
}

/// The RNN code keeps weights and biases of the predictor in two lists.
fn stacked(part: &str, index: &str) -> String {
    format!("encoder.{}.{index}", if part == "weight" { "W" } else { "b" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_turned_twice_is_itself() {
        let values =
            NamedValues { name: "w".into(), shape: vec![2, 3], values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
        let turned = values.clone().transposed();
        assert_eq!(
            (turned.shape.as_slice(), turned.values.as_slice()),
            ([3, 2].as_slice(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0].as_slice())
        );
        assert_eq!(turned.transposed(), values);
    }
}
