//! The controller against the authors' own numbers (`golden/README.md`): forward values, all gradients, greedy
//! decoding, ascent in both directions and five steps of Adam.

use burn::tensor::{Device, Tensor};
use nao_controller::{Controller, ControllerConfig, Design, Embedding, Grammar, Language, NamedValues};
use nao_space::seed::rng_for;
use nao_space::{ActivationOrder, CnnSpace, OpSet, RnnSpace, Token};
use nao_tests::golden::{self, Differences, Golden, Values};

/// All files, or the selection in the repository.
fn files() -> &'static [&'static str] {
    if golden::is_complete() {
        &[
            "rnn_tiny",
            "rnn_trained_small",
            "rnn_ws_default",
            "v1_default",
            "v2_default",
            "tiny_mlp0",
            "tiny_mlp2",
            "tiny_middle",
            "trained_tiny",
            "trained_v2_default",
        ]
    } else {
        &["rnn_tiny", "v2_default", "tiny_mlp2", "trained_tiny"]
    }
}

/// A file, the space of its cells, a controller with its weights, and its inputs.
struct Case {
    golden: Golden,
    grammar: Box<dyn Grammar>,
    controller: Controller,
    sequences: Vec<Vec<Token>>,
    targets: Vec<f32>,
    differences: Differences,
}

impl Case {
    fn open(file: &str) -> Self {
        let golden = Golden::open(&format!("controller/{file}"));
        let vocabulary = golden.floats("param/encoder.embedding.weight").shape[0];
        let config = config_of(&golden);
        let (language, grammar): (Language, Box<dyn Grammar>) = match config.design {
            Design::RnnWs => {
                let space = RnnSpace::new(11, ActivationOrder::NaoWs).unwrap();
                (Language::of(&space), Box::new(space))
            }
            _ => {
                let ops = if vocabulary == 17 { OpSet::v2_10() } else { OpSet::enas_5() };
                let space = CnnSpace::new(5, ops).unwrap();
                (Language::of(&space), Box::new(space))
            }
        };
        assert_eq!(language.vocabulary_len(), vocabulary, "{file}");
        let mut controller =
            Controller::new(config, language, &Device::flex(), &mut rng_for(1, "golden", 0)).unwrap();
        controller.load(parameters(&golden, "param/")).unwrap();
        let sequences = sequences(golden.integers("in/encoder_input"));
        let targets = golden.floats("in/encoder_target").values.clone();
        Case { golden, grammar, controller, sequences, targets, differences: Differences::default() }
    }

    fn forward(&mut self, what: &str, found: &[f32], key: &str) {
        self.differences.forward(what, found, &self.golden.floats(key).values);
    }

    /// The files of recurrent cells hold less: where they lack a tensor, there is nothing to compare with.
    fn lacks(&self, key: &str) -> bool {
        let lacks = !self.golden.has(key);
        assert!(!lacks || self.golden.name().contains("/rnn_"), "{}: no tensor {key}", self.golden.name());
        lacks
    }

    /// Under teacher forcing: at each place the likeliest of the tokens that may follow the true ones.
    fn symbols(&self, log_probs: &[f32], key: &str) {
        let vocabulary = self.controller.language().vocabulary_len();
        let length = self.controller.language().sequence_len;
        let mut rows = log_probs.chunks(vocabulary);
        let found: Vec<Vec<Token>> = self
            .sequences
            .iter()
            .map(|sequence| {
                let likeliest = |place: usize| {
                    let row = rows.next().expect("a row per token");
                    let allowed = self.grammar.next_tokens(&sequence[..place]);
                    let best = allowed.iter().max_by(|a, b| row[a.index()].total_cmp(&row[b.index()]));
                    best.expect("some token may follow")
                };
                (0..length).map(likeliest).collect()
            })
            .collect();
        self.tokens(&found, key);
    }

    fn tokens(&self, found: &[Vec<Token>], key: &str) {
        assert_eq!(found, sequences(self.golden.integers(key)), "{}: {key}", self.golden.name());
    }
}

/// The sizes follow from the shapes of the weights; the training of `adam5/` from the golden README.
fn config_of(golden: &Golden) -> ControllerConfig {
    let shape = |key: &str| golden.floats(&format!("param/{key}")).shape.clone();
    let has = |name: String| golden.has(&format!("param/{name}"));
    let design = if has("encoder.W.0".into()) { Design::RnnWs } else { Design::Cnn };
    let (mlp_layers, mlp_hidden) = match design {
        // The last matrix of the list is the regressor.
        Design::RnnWs => ((1..).take_while(|i| has(format!("encoder.W.{i}"))).count(), "encoder.W.0"),
        _ => {
            let layers = (0..).take_while(|i| has(format!("encoder.mlp.layer_{i}.0.weight"))).count();
            (layers, "encoder.mlp.layer_0.0.bias")
        }
    };
    ControllerConfig {
        design,
        embedding: shape("encoder.embedding.weight")[1],
        hidden: shape("decoder.embedding.weight")[1],
        mlp_layers,
        mlp_hidden: if mlp_layers == 0 { 1 } else { shape(mlp_hidden)[usize::from(design == Design::RnnWs)] },
        mlp_dropout: 0.0,
        encoder_dropout: 0.0,
        decoder_dropout: 0.0,
        trade_off: 0.8,
        epochs: 5,
        learning_rate: 1e-3,
        weight_decay: if golden.name() == "controller/v2_default" { 0.0 } else { 1e-4 },
        clip: 5.0,
        respell: false,
        ..ControllerConfig::default()
    }
}

fn parameters(golden: &Golden, prefix: &str) -> Vec<NamedValues> {
    let names = golden.names_under(prefix).into_iter();
    let read = names.map(|name| {
        let Values { values, shape } = golden.floats(&format!("{prefix}{name}")).clone();
        NamedValues { name, shape, values }
    });
    read.collect()
}

fn sequences(tokens: &Values<i64>) -> Vec<Vec<Token>> {
    let rows = tokens.values.chunks(tokens.shape[1]);
    rows.map(|row| row.iter().map(|&token| Token(u16::try_from(token).unwrap())).collect()).collect()
}

fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[test]
fn golden_forward_values_and_losses() {
    for file in files() {
        let mut case = Case::open(file);
        let embedding = case.controller.encode(&case.sequences).unwrap();
        case.forward("encoder outputs", &floats(embedding.steps.clone()), "out/encoder_outputs");
        case.forward("embedding", &floats(embedding.arch.clone()), "out/arch_emb");
        case.forward("prediction", &case.controller.predict(&case.sequences).unwrap(), "out/predict_value");
        if !case.lacks("out/encoder_h_n") {
            let state = case.controller.final_state(&case.sequences).unwrap();
            case.forward("last h", &floats(state.hidden), "out/encoder_h_n");
            case.forward("last c", &floats(state.cell), "out/encoder_c_n");
        }
        let log_probs = case.controller.log_probs(&embedding, &case.sequences).unwrap();
        case.forward("log probabilities", &floats(log_probs.clone()), "out/log_prob_teacher_forced");
        case.symbols(&floats(log_probs), "out/symbols_teacher_forced");
        let losses = case.controller.loss(&case.sequences, &case.targets).unwrap();
        case.forward("mse", &[losses.prediction], "out/mse");
        case.forward("nll", &[losses.reconstruction], "out/nll");
        case.forward("loss", &[losses.loss], "out/loss");
        case.differences.print(file);
    }
}

#[test]
fn golden_gradients_of_every_parameter() {
    for file in files() {
        let mut case = Case::open(file);
        let (_, gradients) = case.controller.gradients(&case.sequences, &case.targets).unwrap();
        let mut names: Vec<&str> = gradients.parameters.iter().map(|found| found.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, case.golden.names_under("grad/"), "{file}");
        let expected = parameters(&case.golden, "grad/");
        let largest = expected.iter().flat_map(|gradient| &gradient.values).fold(0f32, |m, g| m.max(g.abs()));
        let tolerance = 1e-4 * f64::from(largest.max(1.0));
        for found in &gradients.parameters {
            let expected = expected.iter().find(|expected| expected.name == found.name).unwrap();
            assert_eq!(found.shape, expected.shape, "{file}: {}", found.name);
            case.differences.within("gradient", &found.values, &expected.values, tolerance);
        }
        if !case.lacks("out/grad_norm") {
            case.forward("norm", &[gradients.norm], "out/grad_norm");
        }
        case.differences.print(file);
    }
}

#[test]
fn golden_greedy_decoding() {
    for file in files() {
        let mut case = Case::open(file);
        let embedding = case.controller.encode(&case.sequences).unwrap();
        let decoded = case.controller.decode(&embedding, &*case.grammar).unwrap();
        case.tokens(&decoded, "out/greedy_arch");
        // The decoder is fed what it wrote, so forcing that upon it gives the free-running values.
        let log_probs = case.controller.log_probs(&embedding, &decoded).unwrap();
        case.forward("log probabilities", &floats(log_probs), "out/log_prob_greedy");
        case.differences.print(file);
    }
}

#[test]
fn golden_ascent_in_both_directions() {
    for file in files() {
        let mut case = Case::open(file);
        let embedding = case.controller.encode(&case.sequences).unwrap();
        if !case.lacks("out/grad_predict_wrt_encoder_outputs") {
            let gradient = floats(case.controller.ascent_gradient(&embedding));
            let expected = &case.golden.floats("out/grad_predict_wrt_encoder_outputs").values;
            let largest = expected.iter().fold(0f32, |largest, value| largest.max(value.abs()));
            case.differences.within("gradient", &gradient, expected, 1e-4 * f64::from(largest.max(1.0)));
        }
        for (sign, name) in [(1.0, "plus"), (-1.0, "minus")] {
            if !case.golden.has(&format!("ascent/{name}_1/new_arch")) {
                // Recurrent cells are judged by losses, so their code goes down only.
                assert!(file.starts_with("rnn_") && name == "plus", "{file}: {name}");
                continue;
            }
            for step in [1, 10, 50] {
                let key = |part: &str| format!("ascent/{name}_{step}/{part}");
                let moved: Embedding = case.controller.ascend(&embedding, sign * f64::from(step));
                case.forward("outputs", &floats(moved.steps.clone()), &key("new_encoder_outputs"));
                case.forward("embedding", &floats(moved.arch.clone()), &key("new_arch_emb"));
                if !case.lacks(&key("new_predict_value")) {
                    let prediction = case.controller.predict_embedding(&moved);
                    case.forward("prediction", &prediction, &key("new_predict_value"));
                }
                let decoded = case.controller.decode(&moved, &*case.grammar).unwrap();
                case.tokens(&decoded, &key("new_arch"));
                if !case.lacks(&key("log_prob")) {
                    let log_probs = case.controller.log_probs(&moved, &decoded).unwrap();
                    case.forward("log probabilities", &floats(log_probs), &key("log_prob"));
                }
            }
        }
        case.differences.print(file);
    }
}

/// In `v1_default`, unit 178 of the last predictor layer stands at -1.4e-8 for the eighth cell after three steps:
/// in float32, rounding decides whether its ReLU is open in the fourth. It was open for the authors' code. Open, all
/// weights agree to 1e-6; closed (as a float64 run has it), Adam carries the difference into some hundred others. The nudge
/// is several times the rounding of that sum, so that it decides with any kernels.
const NUDGE: f32 = 1e-7;

#[test]
fn golden_five_steps_of_adam() {
    for file in files() {
        let mut case = Case::open(file);
        if !case.golden.has("adam5/losses") {
            assert!(file.contains("trained_") || file.starts_with("rnn_"), "{file}");
            continue;
        }
        if *file == "v1_default" {
            let mut weights = case.controller.parameters();
            let bias = weights.iter_mut().find(|values| values.name == "encoder.mlp.layer_2.0.bias").unwrap();
            bias.values[178] += NUDGE;
            case.controller.load(weights).unwrap();
        }
        let mut rng = rng_for(1, "golden", 1);
        let report = case.controller.fit(&case.sequences, &case.targets, &*case.grammar, &mut rng).unwrap();
        let losses: Vec<f32> = report.epochs.iter().map(|epoch| epoch.loss as f32).collect();
        let expected: Vec<f32> =
            case.golden.doubles("adam5/losses").values.iter().map(|&loss| loss as f32).collect();
        case.differences.forward("loss", &losses, &expected);
        for found in case.controller.parameters() {
            let expected = &case.golden.floats(&format!("adam5/param/{}", found.name)).values;
            case.differences.within("parameter", &found.values, expected, 5e-4);
        }
        case.differences.print(file);
    }
}
