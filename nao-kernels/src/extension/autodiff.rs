//! The gradients, registered with burn's automatic differentiation.

use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Autodiff, AutodiffBackend, tensor::FloatTensor};

use super::kernels::{Kernels, Tape};
use super::{BranchWeights, ConvSettings, Operations, PoolSettings, RecurrentCell, RowNumbers};
use crate::cpu::activation::Activation;
use crate::cpu::conv::Wanted;
use crate::cpu::pool::{Chosen, Extreme};
use crate::cpu::recurrent::Run;
use crate::cpu::sgd::SgdStep;
use crate::cpu::softmax::Softmax;

type Primitive<B> = <B as burn::backend::BackendTypes>::FloatTensorPrimitive;

/// Hands gradients to the parents that want them.
macro_rules! register {
    ($backend:ident, $grads:ident, $($parent:expr => $gradient:expr),+) => {
        $(if let Some(node) = $parent {
            $grads.register::<$backend>(node.id, $gradient);
        })+
    };
}

impl<B: Kernels, C: CheckpointStrategy> Operations for Autodiff<B, C> {
    fn nao_conv(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        settings: ConvSettings,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct Conv;
        impl<B: Kernels> Backward<B, 2> for Conv {
            type State = (NodeId, NodeId, ConvSettings);
            fn backward(
                self,
                ops: Ops<Self::State, 2>,
                grads: &mut Gradients,
                checkpointer: &mut Checkpointer,
            ) {
                let [x_node, weight_node] = ops.parents;
                let gradient = grads.consume::<B>(&ops.node);
                let (x, weight, settings) = ops.state;
                let x = checkpointer.retrieve_node_output::<Primitive<B>>(x);
                let weight = checkpointer.retrieve_node_output::<Primitive<B>>(weight);
                let wanted = Wanted { input: x_node.is_some(), weight: weight_node.is_some() };
                let (dx, dw) = B::conv_backward(x, weight, gradient, settings, wanted);
                if let (Some(node), Some(dx)) = (x_node, dx) {
                    grads.register::<B>(node.id, dx);
                }
                if let (Some(node), Some(dw)) = (weight_node, dw) {
                    grads.register::<B>(node.id, dw);
                }
            }
        }
        match Conv.prepare::<C>([x.node(), weight.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let state = (prepared.checkpoint(&x), prepared.checkpoint(&weight), settings);
                prepared.finish(state, B::nao_conv(x.into_primitive(), weight.into_primitive(), settings))
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::nao_conv(x.into_primitive(), weight.into_primitive(), settings))
            }
        }
    }

    fn nao_extreme_pool(x: FloatTensor<Self>, settings: PoolSettings, extreme: Extreme) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct ExtremePool;
        impl<B: Kernels> Backward<B, 1> for ExtremePool {
            type State = (Chosen, [usize; 2], PoolSettings);
            fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
                let gradient = grads.consume::<B>(&ops.node);
                let ([node], (chosen, size, settings)) = (ops.parents, ops.state);
                register!(B, grads, node => B::extreme_pool_backward(&chosen, size, settings, gradient));
            }
        }
        let size = size_of::<B>(x.primitive());
        match ExtremePool.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let (out, chosen) = B::extreme_pool(x.into_primitive(), settings, extreme);
                prepared.finish((chosen, size, settings), out)
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::nao_extreme_pool(x.into_primitive(), settings, extreme))
            }
        }
    }

    fn nao_mean_pool(x: FloatTensor<Self>, settings: PoolSettings) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct MeanPool;
        impl<B: Kernels> Backward<B, 1> for MeanPool {
            type State = ([usize; 2], PoolSettings);
            fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
                let gradient = grads.consume::<B>(&ops.node);
                let ([node], (size, settings)) = (ops.parents, ops.state);
                register!(B, grads, node => B::mean_pool_backward(size, settings, gradient));
            }
        }
        let size = size_of::<B>(x.primitive());
        match MeanPool.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                prepared.finish((size, settings), B::nao_mean_pool(x.into_primitive(), settings))
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::nao_mean_pool(x.into_primitive(), settings)),
        }
    }

    fn nao_batch_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        #[derive(Debug)]
        struct BatchNorm;
        impl<B: Kernels> Backward<B, 3> for BatchNorm {
            type State = (NodeId, NodeId, [Primitive<B>; 2], f32);
            fn backward(
                self,
                ops: Ops<Self::State, 3>,
                grads: &mut Gradients,
                checkpointer: &mut Checkpointer,
            ) {
                let gradient = grads.consume::<B>(&ops.node);
                let (x, gamma, statistics, epsilon) = ops.state;
                let x = checkpointer.retrieve_node_output::<Primitive<B>>(x);
                let gamma = checkpointer.retrieve_node_output::<Primitive<B>>(gamma);
                let [dx, dgamma, dbeta] = B::batch_norm_backward(x, gamma, statistics, gradient, epsilon);
                let [x, gamma, beta] = ops.parents;
                register!(B, grads, x => dx, gamma => dgamma, beta => dbeta);
            }
        }
        let run = |x: Primitive<B>, gamma: Primitive<B>, beta: Primitive<B>| {
            B::nao_batch_norm(x, gamma, beta, epsilon)
        };
        let (out, mean, variance) =
            match BatchNorm.prepare::<C>([x.node(), gamma.node(), beta.node()]).compute_bound().stateful() {
                OpsKind::Tracked(mut prepared) => {
                    let (x_state, gamma_state) = (prepared.checkpoint(&x), prepared.checkpoint(&gamma));
                    let (out, mean, variance) =
                        run(x.into_primitive(), gamma.into_primitive(), beta.into_primitive());
                    let statistics = [mean.clone(), variance.clone()];
                    (prepared.finish((x_state, gamma_state, statistics, epsilon), out), mean, variance)
                }
                OpsKind::UnTracked(prepared) => {
                    let (out, mean, variance) =
                        run(x.into_primitive(), gamma.into_primitive(), beta.into_primitive());
                    (prepared.finish(out), mean, variance)
                }
            };
        let untracked = <Self as AutodiffBackend>::from_inner;
        (out, untracked(mean), untracked(variance))
    }

    fn nao_scale_and_shift(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct ScaleAndShift;
        impl<B: Kernels> Backward<B, 3> for ScaleAndShift {
            type State = (NodeId, NodeId);
            fn backward(
                self,
                ops: Ops<Self::State, 3>,
                grads: &mut Gradients,
                checkpointer: &mut Checkpointer,
            ) {
                let gradient = grads.consume::<B>(&ops.node);
                let x = checkpointer.retrieve_node_output::<Primitive<B>>(ops.state.0);
                let scale = checkpointer.retrieve_node_output::<Primitive<B>>(ops.state.1);
                let [dx, dscale, dshift] = B::scale_and_shift_backward(x, scale, gradient);
                let [x, scale, shift] = ops.parents;
                register!(B, grads, x => dx, scale => dscale, shift => dshift);
            }
        }
        let nodes = [x.node(), scale.node(), shift.node()];
        match ScaleAndShift.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let state = (prepared.checkpoint(&x), prepared.checkpoint(&scale));
                let [x, scale, shift] = [x, scale, shift].map(|tensor| tensor.into_primitive());
                prepared.finish(state, B::nao_scale_and_shift(x, scale, shift))
            }
            OpsKind::UnTracked(prepared) => {
                let [x, scale, shift] = [x, scale, shift].map(|tensor| tensor.into_primitive());
                prepared.finish(B::nao_scale_and_shift(x, scale, shift))
            }
        }
    }

    fn nao_lstm(
        gates: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        hidden: FloatTensor<Self>,
        cell: FloatTensor<Self>,
        last: bool,
    ) -> FloatTensor<Self> {
        lstm::<B, C>([gates, weight, hidden, cell], None, last)
    }

    fn nao_lstm_of_rows(
        table: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        hidden: FloatTensor<Self>,
        cell: FloatTensor<Self>,
        rows: RowNumbers,
        last: bool,
    ) -> FloatTensor<Self> {
        lstm::<B, C>([table, weight, hidden, cell], Some(rows), last)
    }

    fn nao_recurrent(
        words: FloatTensor<Self>,
        memory: FloatTensor<Self>,
        first: FloatTensor<Self>,
        nodes: FloatTensor<Self>,
        cell: RecurrentCell,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct Recurrent;
        impl<B: Kernels> Backward<B, 4> for Recurrent {
            type State = ([Primitive<B>; 4], RecurrentCell, Arc<Run>);
            fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
                let gradient = grads.consume::<B>(&ops.node);
                let (inputs, cell, run) = ops.state;
                let gradients = B::recurrent_backward(inputs, &cell, &run, gradient);
                for (node, gradient) in ops.parents.into_iter().zip(gradients) {
                    register!(B, grads, node => gradient);
                }
            }
        }
        let inputs = [words, memory, first, nodes];
        let nodes = inputs.each_ref().map(|input| input.node());
        let inputs = inputs.map(|input| input.into_primitive());
        match Recurrent.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let (out, run) = B::recurrent(inputs.clone(), &cell);
                prepared.finish((inputs, cell, run), out)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::recurrent(inputs, &cell).0),
        }
    }

    fn nao_cross_entropy(logits: FloatTensor<Self>, targets: Arc<[u32]>) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct CrossEntropy;
        impl<B: Kernels> Backward<B, 1> for CrossEntropy {
            type State = (Primitive<B>, Arc<[u32]>, Vec<f32>);
            fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
                let gradient = grads.consume::<B>(&ops.node);
                let ([node], (logits, targets, totals)) = (ops.parents, ops.state);
                register!(B, grads, node => B::cross_entropy_backward(logits, &targets, &totals, gradient));
            }
        }
        match CrossEntropy.prepare::<C>([logits.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let logits = logits.into_primitive();
                let (loss, totals) = B::cross_entropy(logits.clone(), &targets);
                prepared.finish((logits, targets, totals), loss)
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::cross_entropy(logits.into_primitive(), &targets).0)
            }
        }
    }

    fn nao_branch_sum(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        weights: Option<BranchWeights>,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct BranchSum;
        impl<B: Kernels> Backward<B, 2> for BranchSum {
            type State = Option<BranchWeights>;
            fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
                let gradient = grads.consume::<B>(&ops.node);
                for (branch, node) in ops.parents.into_iter().enumerate() {
                    let of_branch = |weights| B::branch_sum_backward(weights, branch, gradient.clone());
                    register!(B, grads, node => ops.state.as_ref().map_or_else(|| gradient.clone(), of_branch));
                }
            }
        }
        match BranchSum.prepare::<C>([x.node(), y.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let sum = B::nao_branch_sum(x.into_primitive(), y.into_primitive(), weights.clone());
                prepared.finish(weights, sum)
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::nao_branch_sum(x.into_primitive(), y.into_primitive(), weights))
            }
        }
    }

    fn nao_sgd_step(
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        buffer: FloatTensor<Self>,
        step: SgdStep,
        first: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [weight, gradient, buffer] = [weight, gradient, buffer].map(|tensor| tensor.into_primitive());
        let (weight, buffer) = B::nao_sgd_step(weight, gradient, buffer, step, first);
        let untracked = <Self as AutodiffBackend>::from_inner;
        (untracked(weight), untracked(buffer))
    }

    fn nao_sum_of_squares(x: FloatTensor<Self>) -> FloatTensor<Self> {
        <Self as AutodiffBackend>::from_inner(B::nao_sum_of_squares(x.into_primitive()))
    }

    fn nao_activation(x: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct Curve;
        impl<B: Kernels> Backward<B, 1> for Curve {
            type State = (Primitive<B>, Activation);
            fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
                let gradient = grads.consume::<B>(&ops.node);
                let ([node], (y, activation)) = (ops.parents, ops.state);
                register!(B, grads, node => B::activation_backward(y, activation, gradient));
            }
        }
        match Curve.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let y = B::nao_activation(x.into_primitive(), activation);
                prepared.finish((y.clone(), activation), y)
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::nao_activation(x.into_primitive(), activation))
            }
        }
    }

    fn nao_softmax(x: FloatTensor<Self>, softmax: Softmax) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct Shares;
        impl<B: Kernels> Backward<B, 1> for Shares {
            type State = (Primitive<B>, Softmax);
            fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
                let gradient = grads.consume::<B>(&ops.node);
                let ([node], (y, softmax)) = (ops.parents, ops.state);
                register!(B, grads, node => B::softmax_backward(y, softmax, gradient));
            }
        }
        match Shares.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let y = B::nao_softmax(x.into_primitive(), softmax);
                prepared.finish((y.clone(), softmax), y)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::nao_softmax(x.into_primitive(), softmax)),
        }
    }
}

/// Height and width of maps.
fn size_of<B: Kernels>(x: &Primitive<B>) -> [usize; 2] {
    let shape = burn::backend::TensorMetadata::shape(x);
    [shape[2], shape[3]]
}

/// An LSTM on gates or, with rows, on a table; the inputs are input, weight, hidden and cell.
fn lstm<B: Kernels, C: CheckpointStrategy>(
    inputs: [FloatTensor<Autodiff<B, C>>; 4],
    rows: Option<RowNumbers>,
    last: bool,
) -> FloatTensor<Autodiff<B, C>> {
    #[derive(Debug)]
    struct Lstm;
    impl<B: Kernels> Backward<B, 4> for Lstm {
        /// The tape; weight, hidden and cell; the rows, and how many the table has.
        type State = (Tape<Primitive<B>>, [Primitive<B>; 3], Option<(RowNumbers, usize)>);
        fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
            let gradient = grads.consume::<B>(&ops.node);
            let (tape, [weight, hidden, cell], rows) = ops.state;
            let rows = rows.as_ref().map(|(rows, count)| (rows, *count));
            let gradients = B::lstm_backward(tape, weight, hidden, cell, rows, gradient);
            for (node, gradient) in ops.parents.into_iter().zip(gradients) {
                register!(B, grads, node => gradient);
            }
        }
    }
    let nodes = inputs.each_ref().map(|input| input.node());
    let [input, weight, hidden, cell] = inputs.map(|input| input.into_primitive());
    match Lstm.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let count = burn::backend::TensorMetadata::shape(&input)[0];
            let kept = [weight.clone(), hidden.clone(), cell.clone()];
            let (out, tape) = B::lstm(input, weight, hidden, cell, rows.as_ref(), last);
            prepared.finish((tape, kept, rows.map(|rows| (rows, count))), out)
        }
        OpsKind::UnTracked(prepared) => {
            prepared.finish(B::lstm(input, weight, hidden, cell, rows.as_ref(), last).0)
        }
    }
}
