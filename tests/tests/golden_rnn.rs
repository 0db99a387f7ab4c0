//! Recurrent language models against the authors' own code: outputs, memory, losses and every gradient, of cells with
//! weights of their own in both orders of activations, and of cells with shared weights.

use std::collections::BTreeMap;

use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use nao_child::language::{
    CellWeights, LanguageModel, LanguagePass, Regularisation, Tokens, load_language_model,
    named_language_gradients, save_language_model,
};
use nao_space::network::LanguageModelSkeleton;
use nao_space::seed::rng_for;
use nao_space::{ActivationOrder, RnnArch, RnnSpace, Space};
use nao_tests::golden::{self, Differences, Golden, Values};

/// All files, or the selection in the repository.
fn files() -> &'static [&'static str] {
    if golden::is_complete() {
        &[
            "nao_published",
            "nao_random_0",
            "nao_random_1",
            "nao_random_2",
            "ws_published",
            "ws_random_0",
            "ws_random_1",
            "ws_supernet_0",
            "ws_supernet_1",
        ]
    } else {
        &["nao_published"]
    }
}

fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn tokens(values: &Values<i64>) -> Tokens {
    let rows = values.values.chunks(values.shape[1]);
    let rows: Vec<Vec<u32>> = rows.map(|row| row.iter().map(|&word| word as u32).collect()).collect();
    Tokens::new(&rows).expect("rows of one length")
}

fn parameters(golden: &Golden) -> BTreeMap<String, TensorData> {
    let names = golden.names_under("param/").into_iter();
    let named = names.map(|name| {
        let Values { values, shape } = golden.floats(&format!("param/{name}")).clone();
        (name, TensorData::new(values, shape))
    });
    named.collect()
}

fn check<W: CellWeights>(golden: &Golden, arch: &RnnArch, blank: LanguageModel<W>, device: &Device) {
    let parameters = parameters(golden);
    let model = load_language_model(blank, parameters.clone()).expect("the names fit");
    assert_eq!(save_language_model(&model), parameters, "what was loaded is written back");
    let (words, next) = (tokens(golden.integers("in/x")), tokens(golden.integers("in/y")));
    let Values { values, shape } = golden.floats("in/hidden").clone();
    let memory = Tensor::<3>::from_data(TensorData::new(values, shape), device).squeeze_dim(0);

    let mut differences = Differences::default();
    let mut compare = |what: &str, found: Vec<f32>, key: &str| {
        differences.forward(what, &found, &golden.floats(key).values);
    };
    let output = model.forward(arch, &words, memory.clone(), &mut LanguagePass::Eval);
    compare("log probabilities", floats(output.log_probs()), "eval/log_prob");
    compare("outputs", floats(output.outputs.clone()), "eval/raw_output");
    compare("memory", floats(output.memory.clone()), "eval/hidden");
    compare("nll", floats(output.loss(&next, Regularisation::default()).nll), "eval/nll");

    let mut rng = rng_for(1, "masks", 0);
    let mut pass = LanguagePass::Train { dropouts: Default::default(), rng: &mut rng };
    let output = model.forward(arch, &words, memory, &mut pass);
    let loss = output.loss(&next, Regularisation { activation: 0.0, temporal: 1e-3 });
    compare("log probabilities", floats(output.log_probs()), "train/log_prob");
    compare("nll", floats(loss.nll), "train/nll");
    compare("loss", floats(loss.total.clone()), "train/loss_with_beta_1e-3");

    let gradients = GradientsParams::from_grads(loss.total.backward(), &model);
    let gradients = named_language_gradients(&model, &gradients);
    assert_eq!(gradients.keys().cloned().collect::<Vec<_>>(), golden.names_under("grad/"));
    let expected = |name: &str| &golden.floats(&format!("grad/{name}")).values;
    let largest = gradients.keys().flat_map(|name| expected(name)).fold(0f32, |most, g| most.max(g.abs()));
    for (name, gradient) in &gradients {
        let found: Vec<f32> = gradient.iter::<f32>().collect();
        differences.within("gradients", &found, expected(name), 1e-4 * f64::from(largest).max(1.0));
    }
    differences.print(golden.name());
}

#[test]
fn golden_language_models() {
    let device = Device::flex().autodiff();
    for file in files() {
        let golden = Golden::open(&format!("rnn/{file}"));
        let order = match golden.metadata("source") {
            "nao" => ActivationOrder::Nao,
            _ => ActivationOrder::NaoWs,
        };
        let space = RnnSpace::new(11, order).expect("eleven nodes");
        let arch = space.parse(golden.metadata("arch")).expect("a cell");
        let number = |key: &str| golden.metadata(key).parse::<usize>().expect("a number");
        let sizes = LanguageModelSkeleton { vocabulary: number("ntoken"), hidden: number("nhid") };
        let rng = &mut rng_for(1, "weights", 0);
        if file.contains("supernet") {
            let blank = LanguageModel::shared(sizes, 11, order, rng, &device);
            check(&golden, &arch, blank, &device);
        } else {
            check(&golden, &arch, LanguageModel::new(sizes, 11, rng, &device), &device);
        }
    }
}

/// The published numbers of words of the Penn Treebank.
#[test]
#[cfg_attr(not(data), ignore = "needs NAO_DATA, the folder of the data sets")]
fn golden_penn_treebank_has_its_published_words() {
    let text =
        nao_child::data::text_folder(&golden::data_folder().join("penn-treebank")).expect("a folder of text");
    let words = [text.train.len(), text.validation.len(), text.test.len(), text.vocabulary.len()];
    assert_eq!(words, [929_589, 73_760, 82_430, 10_000]);
}
