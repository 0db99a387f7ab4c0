//! The authors' names of shared tensors, and ours for the operations that they do not share.
//!
//! | here | there |
//! |--|--|
//! | stem, calibration, heads | as in a [stand-alone network](crate::names) |
//! | operation on state j | V1 `cells.i.ops.k.x_sep_conv_3.*`, V2 `cells.i.ops.k.x_op.ID.*` |
//! | its n-th depthwise and pointwise convolution | `W1_depthwise.j`, `W1_pointwise.j`, without a number where there is one |
//! | its n-th norm | `bn1.weight.j`, `bn1.bias.j`; `bn1.running_mean` and `bn1.running_var` are shared by all states |
//! | strided identity on input 0, 1 | V1 `cells.i.ops.k.x_id_reduce_1.*`, `_2`; V2 `cells.i.ops.k.x_op.ID.reduce.0.*`, `.1` |
//! | loose cell input 0, 1 of a reduction cell | `cells.i.fac_1.*`, `fac_2` |
//! | combination of loose ends | `cells.i.final_combine_conv.w.j`, `bn.*` |
//!
//! Dense convolutions, which the authors have in stand-alone networks only, are `W.j` or `W1.j` and `W2.j`.

use nao_space::network::{Block, Layer};
use nao_space::{Op, OpSet};

use crate::names::{NameConvention, reducer_local};

/// How the tensors of a block are named.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A block that all architectures use as it is: `PREFIX.LOCAL.FIELD`.
    Common {
        /// What the block is called.
        prefix: String,
        /// What its layers are called.
        local: fn(usize, &Layer) -> String,
    },
    /// An operation on one state.
    PerState {
        /// What the operation of the node and side is called.
        prefix: String,
        /// The state.
        state: usize,
        /// For each layer what it is called.
        locals: Vec<String>,
    },
}

impl Place {
    /// The name of a tensor of a layer; `field` as in a stand-alone network.
    pub fn tensor(&self, index: usize, layer: &Layer, field: &str) -> String {
        match self {
            Place::Common { prefix, local } => {
                let parts = [prefix.clone(), local(index, layer), field.to_owned()];
                parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
            }
            Place::PerState { prefix, state, locals } => {
                let local = &locals[index];
                match (layer, field) {
                    (Layer::BatchNorm { .. }, "running_mean" | "running_var") => {
                        format!("{prefix}.{local}.{field}")
                    }
                    (Layer::BatchNorm { .. }, _) => format!("{prefix}.{local}.{field}.{state}"),
                    _ => format!("{prefix}.{local}.{state}"),
                }
            }
        }
    }

    /// The names of all tensors of a block in the order in which its module is visited.
    pub fn tensors(&self, block: &Block) -> Vec<String> {
        let layers = block.layers.iter().enumerate();
        let named = layers.flat_map(|(index, planned)| {
            fields(&planned.layer).iter().map(move |field| self.tensor(index, &planned.layer, field))
        });
        named.collect()
    }

    /// The place of an operation of a cell and node on `state`; `side` is `x` or `y`.
    pub fn of_op(
        form: NameConvention,
        ops: &OpSet,
        [cell, node]: [usize; 2],
        side: char,
        op: Op,
        state: usize,
        block: &Block,
    ) -> Self {
        let node = format!("cells.{cell}.ops.{node}.{side}");
        let id = || ops.id(op).map_or_else(|| op.name(), |id| id.0.to_string());
        if op == Op::Identity {
            let prefix = match form {
                NameConvention::V1 => format!("{node}_id_reduce_{}", state + 1),
                NameConvention::V2 => format!("{node}_op.{}.reduce.{state}", id()),
            };
            return Place::Common { prefix, local: reducer_local };
        }
        let prefix = match (form, op) {
            (NameConvention::V1, Op::SepConv { kernel }) => format!("{node}_sep_conv_{kernel}"),
            (NameConvention::V1, op) => format!("{node}_{}", op.name()),
            (NameConvention::V2, _) => format!("{node}_op.{}", id()),
        };
        Place::PerState { prefix, state, locals: shared_locals(block) }
    }
}

/// What the layers of an operation are called: convolutions and norms are numbered by the norm that they lead to.
fn shared_locals(block: &Block) -> Vec<String> {
    let layers = || block.layers.iter().map(|planned| planned.layer);
    let norms = layers().filter(|layer| matches!(layer, Layer::BatchNorm { .. })).count();
    let separable = layers().any(|layer| matches!(layer, Layer::Conv(conv) if conv.groups > 1));
    let mut part = 1;
    let local = |layer: Layer| {
        let number = if norms > 1 { part.to_string() } else { String::new() };
        match layer {
            Layer::Conv(conv) if conv.groups > 1 => format!("W{number}_depthwise"),
            Layer::Conv(_) if separable => format!("W{number}_pointwise"),
            Layer::Conv(_) => format!("W{number}"),
            Layer::BatchNorm { .. } => {
                part += 1;
                format!("bn{number}")
            }
            _ => String::new(),
        }
    };
    layers().map(local).collect()
}

/// The tensors of a layer in the order of the fields of its module.
pub(super) fn fields(layer: &Layer) -> &'static [&'static str] {
    match layer {
        Layer::Conv(_) => &["weight"],
        Layer::BatchNorm { .. } => &["weight", "bias", "running_mean", "running_var"],
        Layer::FactorizedReduce { .. } => &["path1.1.weight", "path2.1.weight"],
        Layer::Linear { bias: true, .. } => &["weight", "bias"],
        Layer::Linear { bias: false, .. } => &["weight"],
        _ => &[],
    }
}
