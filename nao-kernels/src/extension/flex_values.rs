//! Tensors of the CPU backend as slices, and their shapes as the kernels have them.

use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape};

use super::{ConvSettings, PoolSettings, RecurrentCell};
use crate::cpu::batch_norm::Maps;
use crate::cpu::conv::Convolution;
use crate::cpu::depthwise::Depthwise;
use crate::cpu::pool::Pool;
use crate::cpu::recurrent;

pub(super) fn tensor(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(Shape::from(shape.to_vec())), DType::F32)
}

/// A tensor whose values lie one after another.
pub(super) struct Values(FlexTensor);

impl Values {
    pub(super) fn of(tensor: FlexTensor) -> Self {
        Values(if tensor.as_slice::<f32>().is_some() { tensor } else { tensor.to_contiguous() })
    }

    pub(super) fn get(&self) -> &[f32] {
        self.0.as_slice::<f32>().expect("a contiguous float32 tensor is a slice")
    }
}

pub(super) fn dims<const D: usize>(tensor: &FlexTensor) -> [usize; D] {
    std::array::from_fn(|axis| tensor.layout().shape()[axis])
}

pub(super) fn steps([time, batch, hidden]: [usize; 3]) -> recurrent::Steps {
    recurrent::Steps { time, batch, hidden }
}

impl RecurrentCell {
    pub(super) fn inputs<'a>(
        &'a self,
        [words, memory, first, nodes]: &'a [Values; 4],
    ) -> recurrent::Inputs<'a> {
        recurrent::Inputs {
            words: words.get(),
            memory: memory.get(),
            first: first.get(),
            nodes: nodes.get(),
            word_mask: self.word_mask.as_deref(),
            state_mask: self.state_mask.as_deref(),
        }
    }
}

pub(super) fn convolution(x: &FlexTensor, weight: &FlexTensor, settings: ConvSettings) -> Convolution {
    let [batch, channels, height, width] = dims(x);
    let ConvSettings { window, groups, relu } = settings;
    let outputs = dims::<4>(weight)[0];
    Convolution { batch, channels, size: [height, width], outputs, groups, window, relu }
}

/// The same as a depthwise convolution, if it is one.
pub(super) fn as_depthwise(of: Convolution) -> Option<Depthwise> {
    let Convolution { batch, channels, size, outputs, groups, window, relu } = of;
    (groups == channels && outputs == channels && channels > 1).then_some(Depthwise {
        batch,
        channels,
        size,
        window,
        relu,
    })
}

pub(super) fn pool_of(size: [usize; 2], maps: usize, settings: PoolSettings) -> Pool {
    Pool { maps, size, window: settings.window, zeros: settings.zeros }
}

pub(super) fn maps(x: &FlexTensor) -> Maps {
    let shape = x.layout().shape();
    Maps { batch: shape[0], channels: shape[1], pixels: shape.iter().skip(2).product() }
}
