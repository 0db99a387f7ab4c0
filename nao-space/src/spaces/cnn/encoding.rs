//! How the operations of image cells are spelled in tokens.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::image::{Border, Op, OpSet, tf_vocabulary};

/// How a branch is written in tokens: an index token for its input, then a word of one or two tokens for its
/// operation (docs/specification.md, a.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Encoding {
    /// CNN-40 of the authors' PyTorch code: one token per operation of the set.
    #[default]
    Pairs,
    /// CNN-60 of the authors' TensorFlow code: a token for the kind (`sep_conv`), one for the size (`3x3`);
    /// the identity has size 1x1. All kinds and sizes are in the vocabulary, the grammar allows those that
    /// make an operation of the set. A pool is written alike whatever its border.
    KindSize,
    /// CNN-60-WS of the weight-sharing code: two tokens per operation after a fixed table of the five
    /// operations of `enas-5`. Their meaning is in the pair only.
    OpPair,
}

impl Encoding {
    /// Every encoding, in the order in which documents list them.
    pub const ALL: [Encoding; 3] = [Encoding::Pairs, Encoding::KindSize, Encoding::OpPair];

    /// The name, as in configurations: `pairs`, `kind-size`, `op-pair`.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Pairs => "pairs",
            Encoding::KindSize => "kind-size",
            Encoding::OpPair => "op-pair",
        }
    }

    /// Number of tokens of every word.
    pub(super) fn word_len(self) -> usize {
        match self {
            Encoding::Pairs => 1,
            Encoding::KindSize | Encoding::OpPair => 2,
        }
    }

    /// The name of the token for input state `state`.
    pub(super) fn state_name(self, state: usize) -> String {
        match self {
            Encoding::KindSize => format!("node_{}", state + 1),
            Encoding::Pairs | Encoding::OpPair => format!("state {state}"),
        }
    }

    /// The names of the tokens of which words are made, in token order.
    pub(super) fn op_token_names(self, ops: &OpSet) -> Vec<String> {
        match self {
            Encoding::Pairs => ops.ops().map(Op::name).collect(),
            Encoding::KindSize => tf_vocabulary::KINDS
                .iter()
                .chain(&tf_vocabulary::SIZES)
                .map(|&name| name.to_owned())
                .collect(),
            Encoding::OpPair => OP1.iter().chain(&OP2).map(|&name| name.to_owned()).collect(),
        }
    }

    /// The word of an operation as token names.
    pub(super) fn word(self, op: Op) -> Option<Vec<String>> {
        match self {
            Encoding::Pairs => Some(vec![op.name()]),
            Encoding::KindSize => tf_vocabulary::kind_and_size(op).map(|word| word.map(String::from).into()),
            Encoding::OpPair => op_pair(op).map(|word| word.map(String::from).into()),
        }
    }
}

/// Names of the tokens of [`Encoding::OpPair`] at the first and the second place of a word.
const OP1: [&str; 4] = ["op1 a", "op1 b", "op1 c", "op1 d"];
const OP2: [&str; 2] = ["op2 a", "op2 b"];

/// The table of CNN-60-WS (docs/specification.md, a.5). Its tokens were chosen for another order of the operations, so
/// no token has a meaning of its own (docs/specification.md, f.31).
fn op_pair(op: Op) -> Option<[&'static str; 2]> {
    let [a, b, c, d] = OP1;
    let [second_a, second_b] = OP2;
    match op {
        Op::SepConv { kernel: 3 } => Some([a, second_b]),
        Op::SepConv { kernel: 5 } => Some([b, second_a]),
        Op::AvgPool { kernel: 3, border: Border::Ignored } => Some([b, second_b]),
        Op::MaxPool { kernel: 3, border: Border::Ignored } => Some([c, second_a]),
        Op::Identity => Some([d, second_a]),
        _ => None,
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An encoding name that no encoding has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown encoding `{name}`; known are {}", Encoding::ALL.map(Encoding::name).join(", "))]
pub struct UnknownEncoding {
    /// The name that was asked for.
    pub name: String,
}

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(name: &str) -> Result<Self, UnknownEncoding> {
        let known = Encoding::ALL.into_iter().find(|encoding| encoding.name() == name);
        known.ok_or_else(|| UnknownEncoding { name: name.to_owned() })
    }
}
