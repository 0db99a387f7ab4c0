//! One set of weights for a whole space.

use std::collections::BTreeMap;

use burn::module::{Module, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, TensorData};
use nao_space::network::{GeometryError, Skeleton, SupernetPlan};
use nao_space::notation::ParseError;
use nao_space::{CnnArch, CnnSpace};
use rand_chacha::ChaCha8Rng;

use super::child::{
    ChildBuilder, SharedChild, auxiliary_place, calibration_places, combine_place, combine_weight,
    head_place, loose_input_place, stem_places,
};
use super::names::Place;
use super::shared_weights::{Purpose, SharedWeights};
use crate::names::{NameConvention, NamesError, TensorName};
use crate::network::Block;
use crate::op::conv::Conv;
use crate::op::norm::BatchNorm;

/// The weights of every architecture of a space on one skeleton (docs/specification.md, a.7). The network of one
/// architecture is lent with [`child`](Supernet::child) and, when it has learned, taken back: it holds the tensors that
/// the architecture uses and no others, so a step of training costs what that architecture costs, however large the
/// space.
///
/// The two forms differ in names, and in the reductions of a strided identity: in V1 both branches of a node use those of
/// the x branch, and the ones of the y branch learn nothing; in V2 each has its own.
#[derive(Clone, Debug)]
pub struct Supernet {
    plan: SupernetPlan,
    space: CnnSpace,
    form: NameConvention,
    device: Device,
    weights: SharedWeights,
}

impl Supernet {
    /// A supernet with fresh weights, drawn in the order of the plan: equal space, skeleton and generator, equal weights.
    ///
    /// # Errors
    /// When there is no such supernet ([`SupernetPlan::new`]).
    pub fn new(
        space: &CnnSpace,
        skeleton: &Skeleton,
        form: NameConvention,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Self, GeometryError> {
        let plan = SupernetPlan::new(space, skeleton)?;
        let device = device.clone().without_autodiff();
        // Whether a tensor is trained shows on a device with gradients only.
        let mut filling = Filling {
            weights: SharedWeights::default(),
            form,
            space,
            rng,
            device: device.clone().autodiff(),
        };
        filling.fill(&plan);
        let weights = filling.weights;
        Ok(Supernet { plan, space: space.clone(), form, device, weights })
    }

    /// What it was built from.
    pub fn plan(&self) -> &SupernetPlan {
        &self.plan
    }

    /// The space of its architectures.
    pub fn space(&self) -> &CnnSpace {
        &self.space
    }

    /// Which of the authors' two forms it has.
    pub fn form(&self) -> NameConvention {
        self.form
    }

    /// Where its weights are.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The network of an architecture with the weights as they are now.
    ///
    /// # Errors
    /// When the architecture is not of the space.
    pub fn child(&self, arch: &CnnArch, purpose: Purpose) -> Result<SharedChild, ParseError> {
        self.space.check(arch)?;
        let (plan, ops, form, weights) = (&self.plan, self.space.ops(), self.form, &self.weights);
        Ok(ChildBuilder { plan, ops, form, weights, purpose }.child(arch))
    }

    /// Keeps what a network learned. What it did not use stays as it was.
    pub fn write_back(&mut self, child: &SharedChild) {
        self.weights.write_back(child);
    }

    /// Every tensor, in the order of the plan, under the names of the form.
    pub fn tensor_names(&self) -> impl Iterator<Item = &TensorName> {
        self.weights.names()
    }

    /// Number of trainable values, auxiliary head included.
    pub fn trainable_values(&self) -> u64 {
        let trained = self.tensor_names().filter(|name| name.trainable);
        trained.map(|name| name.shape.iter().product::<usize>() as u64).sum()
    }

    /// One tensor.
    pub fn tensor(&self, name: &str) -> Option<TensorData> {
        self.weights.data(name)
    }

    /// All tensors by name.
    pub fn tensors(&self) -> BTreeMap<String, TensorData> {
        self.weights.tensors()
    }

    /// Replaces all tensors.
    ///
    /// # Errors
    /// When a name is missing, unknown, or of another shape: lists all of them.
    pub fn load(&mut self, tensors: BTreeMap<String, TensorData>) -> Result<(), NamesError> {
        self.weights.load(tensors, &self.device)
    }

    /// The gradients of a child for training, by name; zeros where its loss does not depend on a tensor, as behind
    /// a zero operation.
    pub fn named_gradients(
        &self,
        child: &SharedChild,
        gradients: &GradientsParams,
    ) -> BTreeMap<String, TensorData> {
        self.weights.gradients(child, gradients)
    }

    /// The parameter of each name, by which optimisers know it.
    pub(super) fn ids(&self) -> impl Iterator<Item = (&str, ParamId)> {
        self.weights.ids()
    }
}

/// Fills a weights with fresh tensors.
struct Filling<'a> {
    weights: SharedWeights,
    form: NameConvention,
    space: &'a CnnSpace,
    rng: &'a mut ChaCha8Rng,
    device: Device,
}

impl Filling<'_> {
    fn fill(&mut self, plan: &SupernetPlan) {
        for (block, place) in plan.stem.iter().zip(stem_places(plan)) {
            self.block(block, &place);
        }
        for cell in &plan.cells {
            let index = cell.index;
            for (block, place) in cell.calibration.iter().zip(calibration_places(index)) {
                self.block(block, &place);
            }
            for (node, shared) in cell.nodes.iter().enumerate() {
                for side in ['x', 'y'] {
                    for shared in &shared.ops {
                        for (state, block) in shared.blocks.iter().enumerate() {
                            let ops = self.space.ops();
                            let place =
                                Place::of_op(self.form, ops, [index, node], side, shared.op, state, block);
                            self.block(block, &place);
                        }
                    }
                }
            }
            for (state, block) in cell.loose_inputs.iter().enumerate() {
                self.block(block, &loose_input_place(index, state));
            }
            for state in 0..cell.states() {
                let conv = Conv::new(cell.combine, self.rng, &self.device);
                self.weights.add(&conv, vec![combine_weight(index, state)]);
            }
            let norm = BatchNorm::new(cell.width, &self.device);
            let fields = super::names::fields(&cell.combine_norm());
            let names =
                fields.iter().map(|field| combine_place(index).tensor(0, &cell.combine_norm(), field));
            self.weights.add(&norm, names.collect());
        }
        if let Some(auxiliary) = &plan.auxiliary {
            self.block(&auxiliary.block, &auxiliary_place());
        }
        self.block(&plan.head, &head_place());
    }

    fn block(&mut self, block: &nao_space::network::Block, place: &Place) {
        let module: Block = Block::new(block, self.rng, &self.device);
        self.add(&module, place.tensors(block));
    }

    fn add<M: Module>(&mut self, module: &M, names: Vec<String>) {
        self.weights.add(module, names);
    }
}
