//! A stand-alone network that starts from shared weights.

use std::collections::BTreeMap;

use burn::tensor::TensorData;
use nao_space::network::{Block, CellPlan, NetworkPlan, Skeleton};
use nao_space::notation::ParseError;
use nao_space::{CellRole, CnnArch, Op};

use super::child::{calibration_places, loose_input_place, stem_places};
use super::names::Place;
use super::weights::Supernet;
use crate::names::{NameConvention, tensor_names};

/// The tensors of a stand-alone network that a supernet has, and those that it lacks.
#[derive(Clone, Debug, Default)]
pub struct Inherited {
    /// Values under the V1 names of the network.
    pub tensors: BTreeMap<String, TensorData>,
    /// Names of tensors that the supernet has no counterpart of: the classifier and the calibration of what cells make,
    /// for a supernet combines loose ends to the width of the cell where a stand-alone network concatenates them; the
    /// auxiliary head; and cells that it does not have.
    pub not_found: Vec<String>,
}

/// Why shared weights do not fit a stand-alone network.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InheritError {
    /// The architecture is not of the supernet's space.
    #[error("the supernet has no weights for the architecture: {0}")]
    Space(#[from] ParseError),
    /// Tensors of other shapes.
    #[error(
        "the supernet is of width {} with {}, the network of width {} with {}: {} tensors have other shapes, such as {}; \
         set structure.width and structure.stem_multiplier to the supernet's, or leave --init-from out",
        .supernet.width, images(.supernet), .network.width, images(.network), .misshapen.len(), .misshapen[0]
    )]
    Shapes {
        /// What the supernet is built on.
        supernet: Box<Skeleton>,
        /// What the network is built on.
        network: Box<Skeleton>,
        /// Names with both shapes.
        misshapen: Vec<String>,
    },
}

fn images(skeleton: &Skeleton) -> String {
    format!("stem {:?} on images of {}", skeleton.stem, skeleton.input)
}

impl Supernet {
    /// The weights that the stand-alone network of an architecture can start from. Cells match by stage and by position
    /// within it.
    ///
    /// # Errors
    /// When the architecture is not of the space, or a tensor that both have is of another shape: lists all of them.
    pub fn inherit(&self, arch: &CnnArch, plan: &NetworkPlan) -> Result<Inherited, InheritError> {
        self.space().check(arch)?;
        let mut heir = Inheritance {
            supernet: self,
            names: named(plan),
            found: Inherited::default(),
            misshapen: Vec::new(),
        };
        let stems = stem_places(self.plan());
        for (number, block) in plan.stem.iter().enumerate() {
            heir.block(block, stems.get(number));
        }
        for cell in &plan.cells {
            heir.cell(cell, arch, plan);
        }
        if let Some(auxiliary) = &plan.auxiliary {
            heir.block(&auxiliary.block, None);
        }
        heir.block(&plan.head, None);
        if heir.misshapen.is_empty() {
            return Ok(heir.found);
        }
        let [supernet, network] = [self.plan().skeleton, plan.skeleton].map(Box::new);
        Err(InheritError::Shapes { supernet, network, misshapen: heir.misshapen })
    }
}

/// Goes through the blocks of a stand-alone network in the order of its names.
struct Inheritance<'a> {
    supernet: &'a Supernet,
    names: std::vec::IntoIter<(String, Vec<usize>)>,
    found: Inherited,
    misshapen: Vec<String>,
}

fn named(plan: &NetworkPlan) -> std::vec::IntoIter<(String, Vec<usize>)> {
    let names = tensor_names(plan, NameConvention::V1).into_iter();
    names.map(|tensor| (tensor.name, tensor.shape)).collect::<Vec<_>>().into_iter()
}

impl Inheritance<'_> {
    fn cell(&mut self, cell: &CellPlan, arch: &CnnArch, plan: &NetworkPlan) {
        let supernet = self.supernet;
        let at = counterpart(&plan.skeleton, &supernet.plan().skeleton, cell.index);
        let shared = at.map(|at| &supernet.plan().cells[at]);
        // The inputs of the first cell, and the older one of the second, come from the stem as they do in the supernet.
        for (input, block) in cell.calibration.iter().enumerate() {
            let from_stem = cell.index + input < 2 && (cell.index == 0 || input == 0);
            let place = at.filter(|_| from_stem).map(|at| calibration_places(at)[input].clone());
            self.block(block, place.as_ref());
        }
        let nodes = arch.cell(cell.role).nodes();
        for (number, node) in cell.nodes.iter().enumerate() {
            for (branch, (side, edge)) in
                node.branches.iter().zip(['x', 'y'].into_iter().zip(nodes[number].edges))
            {
                let place = shared.and_then(|shared| {
                    let op = shared.nodes[number].ops.iter().find(|shared| shared.op == edge.op)?;
                    let state = edge.input.index();
                    let reduced = edge.op == Op::Identity && cell.role == CellRole::Reduction;
                    let side = if reduced && supernet.form() == NameConvention::V1 { 'x' } else { side };
                    let (form, ops) = (supernet.form(), supernet.space().ops());
                    Some(Place::of_op(
                        form,
                        ops,
                        [shared.index, number],
                        side,
                        edge.op,
                        state,
                        &op.blocks[state],
                    ))
                });
                self.block(&branch.block, place.as_ref());
            }
        }
        for piece in &cell.pieces {
            let place = at.map(|at| loose_input_place(at, piece.state.index()));
            self.block(&piece.block, place.as_ref());
        }
    }

    /// Takes what stands at `place` for a block; `None`: the supernet has no such block.
    fn block(&mut self, block: &Block, place: Option<&Place>) {
        let count = block.layers.iter().map(|planned| super::names::fields(&planned.layer).len()).sum();
        let names: Vec<(String, Vec<usize>)> = self.names.by_ref().take(count).collect();
        let shared = place.map(|place| place.tensors(block)).unwrap_or_default();
        let mut shared = shared.into_iter();
        for (name, shape) in names {
            match shared.next().and_then(|shared| self.supernet.tensor(&shared)) {
                Some(data) if data.shape().as_slice() == shape.as_slice() => {
                    self.found.tensors.insert(name, data);
                }
                Some(data) => {
                    let found = data.shape().as_slice();
                    self.misshapen
                        .push(format!("{name}: {found:?} in the supernet, {shape:?} in the network"));
                }
                None => self.found.not_found.push(name),
            }
        }
    }
}

/// The cell of a supernet at the same place within the same stage.
fn counterpart(network: &Skeleton, supernet: &Skeleton, index: usize) -> Option<usize> {
    let starts = |skeleton: &Skeleton| {
        let [first, second] = skeleton.reductions();
        [0, first, second, skeleton.cells()]
    };
    let (ours, theirs) = (starts(network), starts(supernet));
    let stage = (0..3).rfind(|&stage| ours[stage] <= index)?;
    let at = theirs[stage] + (index - ours[stage]);
    (at < theirs[stage + 1]).then_some(at)
}
