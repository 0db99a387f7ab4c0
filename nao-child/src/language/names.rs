//! The authors' parameter names of language models.
//!
//! | here | there |
//! |--|--|
//! | embedding | `encoder.weight`, and once more as `decoder.weight`, with which it is tied |
//! | bias of the output | `decoder.bias` |
//! | fixed first node | `rnns.0._W0` |
//! | searched node k, from 0 | `rnns.0._Ws.k` |

use std::collections::BTreeMap;

use burn::optim::GradientsParams;
use burn::tensor::TensorData;
use nao_kernels::nn::{Parameter, parameters};

use super::cell::CellWeights;
use super::model::LanguageModel;
use crate::names::{NamesError, TensorName, load_tensors, save_tensors};

/// The second name of the tied matrix.
const TIED: &str = "decoder.weight";

/// The tensors of a model in the order in which it is built and visited; the second name of the tied matrix is not
/// among them.
pub fn language_tensor_names<W: CellWeights>(model: &LanguageModel<W>) -> Vec<TensorName> {
    let fixed = ["encoder.weight", "decoder.bias", "rnns.0._W0"].map(str::to_owned);
    let names = fixed.into_iter().chain((0..).map(|node| format!("rnns.0._Ws.{node}")));
    let named = names.zip(parameters(model)).map(|(name, Parameter { shape, .. })| TensorName {
        name,
        shape,
        trainable: true,
    });
    named.collect()
}

/// The tensors of a model by name, the tied matrix under both of its names.
pub fn save_language_model<W: CellWeights>(model: &LanguageModel<W>) -> BTreeMap<String, TensorData> {
    let mut tensors = save_tensors(model, &language_tensor_names(model));
    if let Some(tied) = tensors.get("encoder.weight").cloned() {
        tensors.insert(TIED.into(), tied);
    }
    tensors
}

/// The model with all its tensors replaced. The tied matrix may be there under its second name too, if it is the same.
///
/// # Errors
/// When a name is missing, unknown, of another shape, or the two tied matrices differ: lists all of them.
pub fn load_language_model<W: CellWeights>(
    model: LanguageModel<W>,
    mut tensors: BTreeMap<String, TensorData>,
) -> Result<LanguageModel<W>, NamesError> {
    if let Some(second) = tensors.remove(TIED)
        && tensors.get("encoder.weight").is_some_and(|first| *first != second)
    {
        let misshapen = vec![format!("{TIED}: differs from encoder.weight, with which it is tied")];
        return Err(NamesError { missing: Vec::new(), unknown: Vec::new(), misshapen });
    }
    let names = language_tensor_names(&model);
    load_tensors(model, &names, tensors)
}

/// The gradients of a model by name; that of the tied matrix is the sum over both of its uses.
pub fn named_language_gradients<W: CellWeights>(
    model: &LanguageModel<W>,
    gradients: &GradientsParams,
) -> BTreeMap<String, TensorData> {
    crate::names::named_gradients(model, &language_tensor_names(model), gradients)
}
