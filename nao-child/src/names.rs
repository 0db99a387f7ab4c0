//! The authors' parameter names, so that their weights load here and ours load there.
//!
//! | here | there |
//! |--|--|
//! | stem, CIFAR | `stem.0.weight` convolution, `stem.1.*` norm |
//! | stem, ImageNet | `stem0.L.*` and `stem1.L.*` for its two blocks, with L the position of the layer |
//! | calibration of the older and newer input of cell i | `cells.i.maybe_calibrate_size.preprocess_x.*`, `preprocess_y.*`: either `conv.weight` and `bn.*`, or `path1.1.weight`, `path2.1.weight` and `bn.*` |
//! | node k, x or y branch | `cells.i.ops.k.x_op.*`: separable and dilated convolutions `op.L.*`, others `ops.L.*`, with L the position of the layer |
//! | strided identity | V1 `cells.i.ops.k.x_id_fact_reduce.*`, V2 `cells.i.ops.k.x_op.*` |
//! | j-th loose end, where it is reduced | `cells.i.final_combine.ops.j.*` |
//! | auxiliary head | `auxiliary_head.conv1.weight`, `bn1.*`, `conv2.weight`, `bn2.*`, `classifier.*` |
//! | head | `classifier.weight`, `classifier.bias` |
//!
//! Other conventions than the authors' PyTorch one have layers that are not there; those are named by the same
//! scheme, and the second convolution and norm of an input that is projected twice are `conv2` and `bn2`.
//!
//! Norms have `weight`, `bias`, `running_mean`, `running_var`.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::TensorData;
use burn_store::{ModuleSnapshot, bridge};
use nao_kernels::nn::gradients_of;
use nao_space::Op;
use nao_space::excerpt::listed_up_to;
use nao_space::network::{Block, BlockRole, GraphPlan, Layer, NetworkPlan};
use serde::{Deserialize, Serialize};

/// Which of the authors' two repositories names the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameConvention {
    /// `NAO_V1`.
    #[default]
    V1,
    /// `NAO_V2`: differs in strided identities only.
    V2,
}

/// The name and shape of one tensor of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TensorName {
    /// The authors' name.
    pub name: String,
    /// Its shape, in PyTorch's layout.
    pub shape: Vec<usize>,
    /// Whether it is trained; running statistics are not.
    pub trainable: bool,
}

/// How many names of a kind a message shows, so that it fits on a screen.
const NAMES_SHOWN: usize = 8;

/// Tensors that do not fit a network: all of them, of which the message names the first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the tensors do not fit the network: missing [{}], unknown [{}], of another shape [{}]; \
     {}",
    listed_up_to(NAMES_SHOWN, .missing), listed_up_to(NAMES_SHOWN, .unknown), listed_up_to(NAMES_SHOWN, .misshapen),
    remedy(.missing, .unknown)
)]
pub struct NamesError {
    /// Names that the network has and the tensors lack.
    pub missing: Vec<String>,
    /// Names that the network does not have.
    pub unknown: Vec<String>,
    /// Names with found and expected shape.
    pub misshapen: Vec<String>,
}

/// What helps: most often other cells or another width are meant. Wrappers of other programs put their own name before all.
fn remedy(missing: &[String], unknown: &[String]) -> String {
    match shared_prefix(missing, unknown) {
        Some(prefix) => format!("every name begins with `{prefix}`: save them without it"),
        None => "load them into the architecture and width they were made for".to_owned(),
    }
}

/// What stands before the name of every unknown tensor and makes it unknown.
fn shared_prefix<'a>(missing: &[String], unknown: &'a [String]) -> Option<&'a str> {
    let first = unknown.first()?;
    let ends = first.match_indices('.').map(|(dot, _)| dot + 1);
    let mut prefixes = ends.map(|end| &first[..end]);
    prefixes.find(|prefix| {
        let bare = |name: &String| {
            name.strip_prefix(prefix).is_some_and(|bare| missing.iter().any(|name| name == bare))
        };
        unknown.iter().all(bare)
    })
}

/// The tensors of the network of `plan`, in the order in which the network is built and visited.
pub fn tensor_names(plan: &NetworkPlan, convention: NameConvention) -> Vec<TensorName> {
    let mut names = Names(Vec::new());
    for (number, block) in plan.stem.iter().enumerate() {
        let prefix = if plan.stem.len() == 1 { "stem".to_owned() } else { format!("stem{number}") };
        names.block(&prefix, block, |index, _| index.to_string());
    }
    for cell in &plan.cells {
        let prefix = format!("cells.{}", cell.index);
        for (block, input) in cell.calibration.iter().zip(["x", "y"]) {
            names.block(&format!("{prefix}.maybe_calibrate_size.preprocess_{input}"), block, reducer_local);
        }
        for (k, node) in cell.nodes.iter().enumerate() {
            for (branch, side) in node.branches.iter().zip(["x", "y"]) {
                let block = &branch.block;
                let (attribute, local): (_, fn(usize, &Layer) -> String) = match block.role {
                    BlockRole::Operation(Op::Identity) if convention == NameConvention::V1 => {
                        ("id_fact_reduce", reducer_local)
                    }
                    BlockRole::Operation(Op::Identity) => ("op", reducer_local),
                    BlockRole::Operation(Op::SepConv { .. } | Op::DilConv { .. } | Op::DilSepConv { .. }) => {
                        ("op", |index, _| format!("op.{index}"))
                    }
                    _ => ("op", |index, _| format!("ops.{index}")),
                };
                names.block(&format!("{prefix}.ops.{k}.{side}_{attribute}"), block, local);
            }
        }
        // Loose cell inputs come first among the loose ends, so this counts the reduced ones.
        for (j, piece) in cell.pieces.iter().enumerate() {
            names.block(&format!("{prefix}.final_combine.ops.{j}"), &piece.block, reducer_local);
        }
    }
    if let Some(auxiliary) = &plan.auxiliary {
        names.block("auxiliary_head", &auxiliary.block, auxiliary_local);
    }
    names.block("", &plan.head, |_, _| "classifier".to_owned());
    names.0
}

/// Projections and factorized reductions: ReLU, convolution and norm, perhaps twice.
pub(crate) fn reducer_local(index: usize, layer: &Layer) -> String {
    let which = if index < 3 { "" } else { "2" };
    match layer {
        Layer::BatchNorm { .. } => format!("bn{which}"),
        Layer::FactorizedReduce { .. } => String::new(),
        _ => format!("conv{which}"),
    }
}

pub(crate) fn auxiliary_local(index: usize, layer: &Layer) -> String {
    let which = if index < 5 { 1 } else { 2 };
    match layer {
        Layer::Conv(_) => format!("conv{which}"),
        Layer::BatchNorm { .. } => format!("bn{which}"),
        _ => "classifier".to_owned(),
    }
}

struct Names(Vec<TensorName>);

impl Names {
    fn block(&mut self, prefix: &str, block: &Block, local: impl Fn(usize, &Layer) -> String) {
        for (index, planned) in block.layers.iter().enumerate() {
            let parts = [prefix.to_owned(), local(index, &planned.layer)];
            let place = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
            self.layer(&place, &planned.layer);
        }
    }

    /// In the order of the fields of the layer's module.
    fn layer(&mut self, place: &str, layer: &Layer) {
        let mut push = |name: &str, shape: &[usize], trainable| {
            self.0.push(TensorName { name: format!("{place}.{name}"), shape: shape.to_vec(), trainable });
        };
        match *layer {
            Layer::Conv(conv) => {
                let [height, width] = conv.kernel;
                push("weight", &[conv.output, conv.input / conv.groups, height, width], true);
            }
            Layer::BatchNorm { channels } => {
                push("weight", &[channels], true);
                push("bias", &[channels], true);
                push("running_mean", &[channels], false);
                push("running_var", &[channels], false);
            }
            Layer::FactorizedReduce { input, output } => {
                push("path1.1.weight", &[output / 2, input, 1, 1], true);
                push("path2.1.weight", &[output / 2, input, 1, 1], true);
            }
            Layer::Linear { input, output, bias } => {
                push("weight", &[output, input], true);
                if bias {
                    push("bias", &[output], true);
                }
            }
            _ => {}
        }
    }
}

/// The tensors of a network of joined blocks, in the order in which it is built and visited: `nodes.k.L.*` for layer L
/// of node k. No code of others has these names.
pub fn graph_tensor_names(plan: &GraphPlan) -> Vec<TensorName> {
    let mut names = Names(Vec::new());
    for (number, node) in plan.nodes().iter().enumerate() {
        names.block(&format!("nodes.{number}"), &node.block, |index, _| index.to_string());
    }
    names.0
}

/// The tensors of a network by name.
///
/// # Panics
/// When `names` are those of another plan.
pub fn save_tensors<M: Module>(network: &M, names: &[TensorName]) -> BTreeMap<String, TensorData> {
    let tensors = network.collect(None, None, true);
    assert_eq!(tensors.len(), names.len(), "names and network come from one plan");
    let read = |tensor| bridge::into_data(tensor).expect("a tensor in memory can be read");
    names.iter().map(|name| name.name.clone()).zip(tensors.into_iter().map(read)).collect()
}

/// The network with all its tensors replaced.
///
/// # Errors
/// When a name is missing, unknown, or of another shape: lists all of them.
///
/// # Panics
/// When `names` are those of another plan.
pub fn load_tensors<M: Module>(
    mut network: M,
    names: &[TensorName],
    mut tensors: BTreeMap<String, TensorData>,
) -> Result<M, NamesError> {
    let mut error = NamesError { missing: Vec::new(), unknown: Vec::new(), misshapen: Vec::new() };
    // burn-store finds parameters by their path in the module, which is where the plan's order leads to.
    let paths = network.collect(None, None, true).into_iter().map(|tensor| tensor.name);
    assert_eq!(paths.len(), names.len(), "names and network come from one plan");
    let mut values = Vec::with_capacity(names.len());
    for (TensorName { name, shape, .. }, path) in names.iter().zip(paths) {
        match tensors.remove(name) {
            Some(data) if data.shape().as_slice() == shape.as_slice() => {
                values.push(bridge::from_data(data, path, None));
            }
            Some(data) => {
                let found = data.shape().as_slice();
                error.misshapen.push(format!("{name}: found {found:?}, expected {shape:?}"));
            }
            None => error.missing.push(name.clone()),
        }
    }
    error.unknown.extend(tensors.into_keys());
    if !(error.missing.is_empty() && error.unknown.is_empty() && error.misshapen.is_empty()) {
        return Err(error);
    }
    let applied = network.apply(values, None, None, true);
    assert!(applied.is_success() && applied.applied.len() == names.len(), "shapes were checked: {applied}");
    Ok(network)
}

/// The gradients of a network by name. A trainable tensor that the loss does not depend on has zeros.
///
/// # Panics
/// When `names` are those of another plan.
pub fn named_gradients<M: Module>(
    network: &M,
    names: &[TensorName],
    gradients: &GradientsParams,
) -> BTreeMap<String, TensorData> {
    let found = gradients_of(network, gradients);
    assert_eq!(found.len(), names.len(), "names and network come from one plan");
    let named = names.iter().zip(found).filter(|(name, _)| name.trainable);
    named.map(|(name, gradient)| (name.name.clone(), gradient.data())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_behind_one_prefix_get_a_hint_and_others_do_not() {
        let missing = names(&["stem.0.weight", "cells.0.bias"]);
        let error = |unknown: &[&str]| {
            let (missing, unknown) = (missing.clone(), names(unknown));
            NamesError { missing, unknown, misshapen: Vec::new() }.to_string()
        };
        let wrapped = error(&["module.stem.0.weight", "module.cells.0.bias"]);
        assert!(wrapped.ends_with("every name begins with `module.`: save them without it"), "{wrapped}");
        let deeper = error(&["net.module.stem.0.weight"]);
        assert!(deeper.contains("`net.module.`"), "{deeper}");
        for other in [error(&["module.stem.0.weight", "cells.7.bias"]), error(&["module.head"]), error(&[])] {
            assert!(other.ends_with("made for"), "{other}");
        }
    }
}
