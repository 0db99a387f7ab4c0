//! What a controller promises, on small spaces.

use std::sync::LazyLock;

use burn::tensor::{Device, Tensor, TensorData};
use nao_space::seed::rng_for;
use nao_space::{CnnSpace, OpSet, Space, Token};
use safetensors::tensor::TensorView;

use crate::metrics::mean_hamming;
use crate::ops::floats;
use crate::{Controller, ControllerConfig, ControllerError, Embedding, Language, PredictionLoss};

static SPACE: LazyLock<CnnSpace> = LazyLock::new(|| CnnSpace::new(2, OpSet::enas_5()).unwrap());

fn config() -> ControllerConfig {
    ControllerConfig {
        embedding: 8,
        hidden: 16,
        mlp_layers: 1,
        mlp_hidden: 12,
        mlp_dropout: 0.0,
        weight_decay: 0.0,
        respell: false,
        epochs: 1,
        ..ControllerConfig::default()
    }
}

fn controller(config: ControllerConfig, seed: u64) -> Controller {
    Controller::new(config, Language::of(&*SPACE), &Device::flex(), &mut rng_for(seed, "weights", 0)).unwrap()
}

fn pool(count: usize) -> (Vec<Vec<Token>>, Vec<f32>) {
    let mut rng = rng_for(3, "pool", 0);
    let sequences = (0..count).map(|_| SPACE.encode(&SPACE.sample(&mut rng))).collect();
    let targets = (0..count).map(|index| index as f32 / (count - 1) as f32).collect();
    (sequences, targets)
}

fn close(a: &[f32], b: &[f32], tolerance: f32) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= tolerance, "{a} and {b}");
    }
}

#[test]
fn presets_have_the_authors_numbers_of_parameters() {
    let space = CnnSpace::new(5, OpSet::enas_5()).unwrap();
    for (preset, expected) in [("v1", 279_533), ("v2", 80_845)] {
        let config = ControllerConfig::preset(preset).unwrap();
        let controller =
            Controller::new(config, Language::of(&space), &Device::flex(), &mut rng_for(1, "w", 0)).unwrap();
        assert_eq!(controller.parameter_count(), expected, "{preset}");
        let named: usize = controller.parameters().iter().map(|parameter| parameter.values.len()).sum();
        assert_eq!(named, expected, "{preset}");
    }
    let middle = CnnSpace::new(5, OpSet::v2_10()).unwrap();
    let config = ControllerConfig::preset("v2").unwrap();
    let controller =
        Controller::new(config, Language::of(&middle), &Device::flex(), &mut rng_for(1, "w", 0)).unwrap();
    assert_eq!(controller.parameter_count(), 81_650);
}

#[test]
fn initial_weights_follow_the_seed_and_the_frameworks_bounds() {
    let same = controller(config(), 1).parameters();
    assert_eq!(same, controller(config(), 1).parameters());
    assert_ne!(same, controller(config(), 2).parameters());
    for parameter in &same {
        let largest = parameter.values.iter().fold(0f32, |m, v| m.max(v.abs()));
        let bound = match parameter.name.as_str() {
            name if name.contains("embedding") => 6.0,
            name if name.contains("regressor") => 1.0 / 12f32.sqrt(),
            name if name.contains("output_proj") => 1.0 / 32f32.sqrt(),
            _ => 0.25,
        };
        assert!(largest <= bound && largest > 0.3 * bound, "{}: {largest}", parameter.name);
    }
}

#[test]
fn a_batch_of_seven_equals_one_by_one() {
    let controller = controller(config(), 1);
    let (sequences, _) = pool(7);
    let together = controller.encode(&sequences).unwrap();
    let predictions = controller.predict(&sequences).unwrap();
    let moved = controller.ascend(&together, 5.0);
    let log_probs = floats(controller.log_probs(&moved, &sequences).unwrap());
    let decoded = controller.decode(&moved, &*SPACE).unwrap();
    for (index, sequence) in sequences.iter().enumerate() {
        let one = std::slice::from_ref(sequence);
        let alone = controller.encode(one).unwrap();
        let steps = together.steps.clone().narrow(0, index, 1);
        close(&floats(alone.steps.clone()), &floats(steps), 1e-5);
        close(&controller.predict(one).unwrap(), &predictions[index..=index], 1e-5);
        let moved = controller.ascend(&alone, 5.0);
        let share = log_probs.len() / sequences.len();
        let expected = &log_probs[index * share..(index + 1) * share];
        close(&floats(controller.log_probs(&moved, one).unwrap()), expected, 1e-5);
        assert_eq!(controller.decode(&moved, &*SPACE).unwrap()[0], decoded[index]);
    }
}

#[test]
fn predictions_do_not_change_although_the_configuration_drops() {
    let dropping =
        ControllerConfig { encoder_dropout: 0.5, mlp_dropout: 0.5, decoder_dropout: 0.5, ..config() };
    let controller = controller(dropping, 1);
    let (sequences, _) = pool(3);
    let embedding = controller.encode(&sequences).unwrap();
    let first = controller.predict(&sequences).unwrap();
    let moved = floats(controller.ascend(&embedding, 3.0).steps);
    for _ in 0..100 {
        assert_eq!(controller.predict(&sequences).unwrap(), first);
        assert_eq!(floats(controller.ascend(&embedding, 3.0).steps), moved);
    }
}

#[test]
fn the_ascent_gradient_agrees_with_finite_differences() {
    let controller = controller(config(), 4);
    let (sequences, _) = pool(1);
    let embedding = controller.encode(&sequences).unwrap();
    let [_, time, hidden] = embedding.steps.dims();
    let gradient = floats(controller.ascent_gradient(&embedding));
    let start = floats(embedding.steps);
    let width = 0.02f32;
    let predict_at = |offset: f32| {
        let moved: Vec<f32> = (0..start.len())
            .flat_map(|place| {
                let mut moved = start.clone();
                moved[place] += offset;
                moved
            })
            .collect();
        let shape = [start.len(), time, hidden];
        let steps = Tensor::from_data(TensorData::new(moved, shape), &Device::flex());
        controller.predict_embedding(&Embedding::of_steps(steps))
    };
    let differences: Vec<f64> = predict_at(width)
        .iter()
        .zip(predict_at(-width))
        .map(|(up, down)| f64::from(up - down) / f64::from(2.0 * width))
        .collect();
    let dot: f64 = gradient.iter().zip(&differences).map(|(a, b)| f64::from(*a) * b).sum();
    let norm_a: f64 = gradient.iter().map(|a| f64::from(a * a)).sum::<f64>().sqrt();
    let norm_b: f64 = differences.iter().map(|b| b * b).sum::<f64>().sqrt();
    assert!(dot / (norm_a * norm_b) > 0.999, "{}", dot / (norm_a * norm_b));
    assert!((norm_a / norm_b - 1.0).abs() < 0.02, "{norm_a} and {norm_b}");
}

#[test]
fn a_small_step_up_raises_the_prediction_and_down_lowers_it() {
    let controller = controller(config(), 1);
    let (sequences, _) = pool(5);
    let embedding = controller.encode(&sequences).unwrap();
    let here = controller.predict_embedding(&embedding);
    let up = controller.predict_embedding(&controller.ascend(&embedding, 1.0));
    let down = controller.predict_embedding(&controller.ascend(&embedding, -1.0));
    for ((here, up), down) in here.iter().zip(up).zip(down) {
        assert!(down < *here && *here < up, "{down} {here} {up}");
    }
}

#[test]
fn no_parameter_is_dead() {
    for dropout in [0.0, 0.2] {
        let config = ControllerConfig {
            encoder_dropout: dropout,
            mlp_dropout: dropout,
            decoder_dropout: dropout,
            respell: true,
            ..config()
        };
        let mut controller = controller(config, 1);
        let (sequences, targets) = pool(6);
        let before = controller.parameters();
        let (_, gradients) = controller.gradients(&sequences, &targets).unwrap();
        assert_eq!(gradients.parameters.len(), before.len());
        for gradient in &gradients.parameters {
            assert!(gradient.values.iter().any(|value| *value != 0.0), "{}", gradient.name);
        }
        controller.fit(&sequences, &targets, &*SPACE, &mut rng_for(1, "fit", 0)).unwrap();
        for (before, after) in before.iter().zip(controller.parameters()) {
            assert_eq!(before.name, after.name);
            assert!(before.values != after.values, "{} did not move", after.name);
        }
    }
}

#[test]
fn eight_pairs_are_learned_by_heart() {
    let config = ControllerConfig {
        embedding: 16,
        hidden: 32,
        epochs: 350,
        learning_rate: 1e-2,
        batch: 8,
        ..config()
    };
    let mut controller = controller(config, 1);
    let (sequences, targets) = pool(8);
    let report = controller.fit(&sequences, &targets, &*SPACE, &mut rng_for(1, "fit", 0)).unwrap();
    assert_eq!((report.epochs.len(), report.steps), (350, 350));
    let losses = controller.loss(&sequences, &targets).unwrap();
    assert!(losses.loss < 2e-3, "{losses:?}");
    let written = controller.decode(&controller.encode(&sequences).unwrap(), &*SPACE).unwrap();
    assert_eq!(mean_hamming(&sequences, &written), Some(0.0));
}

#[test]
fn the_same_seed_trains_the_same_weights() {
    let config = ControllerConfig { mlp_dropout: 0.3, respell: true, epochs: 3, batch: 4, ..config() };
    let (sequences, targets) = pool(10);
    let train = |seed| {
        let mut controller = controller(config.clone(), 1);
        controller.fit(&sequences, &targets, &*SPACE, &mut rng_for(seed, "fit", 0)).unwrap();
        controller.save_safetensors().unwrap()
    };
    assert_eq!(train(1), train(1));
    assert_ne!(train(1), train(2));
}

#[test]
fn untrained_controllers_write_only_sequences_of_their_space() {
    for seed in 0..5 {
        let controller = controller(config(), seed);
        let (sequences, _) = pool(10);
        let embedding = controller.encode(&sequences).unwrap();
        for step in [0.0, 50.0, -1e6] {
            for sequence in controller.decode(&controller.ascend(&embedding, step), &*SPACE).unwrap() {
                SPACE.decode(&sequence).unwrap();
            }
        }
    }
}

#[test]
fn weights_survive_a_file_bit_by_bit_and_wrong_ones_are_listed() {
    let (first, mut second) = (controller(config(), 1), controller(config(), 2));
    let bytes = first.save_safetensors().unwrap();
    second.load_safetensors(&bytes).unwrap();
    assert_eq!(first.parameters(), second.parameters());
    assert_eq!(bytes, second.save_safetensors().unwrap());

    let mut wrong = first.parameters();
    wrong[0].shape.reverse();
    wrong[1].name = "encoder.other".into();
    let error = second.load(wrong).unwrap_err().to_string();
    for part in ["encoder.embedding.weight is [8, 9]", "encoder.rnn.weight_ih_l0 is missing", "encoder.other"]
    {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(first.parameters(), second.parameters());
    assert!(second.load_safetensors(b"nonsense").is_err());

    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    let error = second.load_safetensors(&changed).unwrap_err().to_string();
    assert!(error.contains("checksum"), "{error}");
    // Of somebody else, without a checksum.
    let theirs = |number: f32| {
        let parameters = first.parameters();
        let data: Vec<Vec<u8>> = parameters
            .iter()
            .map(|named| named.values.iter().flat_map(|value| (value + number).to_le_bytes()).collect())
            .collect();
        let views = parameters.iter().zip(&data).map(|(named, data)| {
            let view = TensorView::new(safetensors::Dtype::F32, named.shape.clone(), data);
            (named.name.as_str(), view.unwrap())
        });
        safetensors::serialize(views, None).unwrap()
    };
    second.load_safetensors(&theirs(0.0)).unwrap();
    let error = second.load_safetensors(&theirs(f32::NAN)).unwrap_err().to_string();
    assert!(error.contains("no finite numbers"), "{error}");
    assert_eq!(first.parameters(), second.parameters());
}

#[test]
fn inputs_that_cannot_be_are_refused_with_their_place() {
    let mut controller = controller(config(), 1);
    let (sequences, targets) = pool(3);
    let mut rng = rng_for(1, "fit", 0);
    let mut short = sequences.clone();
    short[1].pop();
    assert!(matches!(controller.encode(&short), Err(ControllerError::Length { index: 1, .. })));
    let mut foreign = sequences.clone();
    foreign[2][4] = Token(99);
    let error = controller.predict(&foreign).unwrap_err();
    assert!(matches!(error, ControllerError::Token { index: 2, position: 4, token: 99, .. }));
    let mut fit = |targets: &[f32]| controller.fit(&sequences, targets, &*SPACE, &mut rng);
    assert!(matches!(fit(&targets[..2]), Err(ControllerError::Pairs { .. })));
    assert!(matches!(fit(&[0.0, f32::NAN, 1.0]), Err(ControllerError::Target { index: 1, .. })));
    assert!(matches!(controller.encode(&[]), Err(ControllerError::Empty)));
}

#[test]
fn another_spaces_grammar_is_refused_when_it_allows_nothing() {
    let controller = controller(config(), 1);
    let (sequences, _) = pool(2);
    let shorter = CnnSpace::new(1, OpSet::enas_5()).unwrap();
    let embedding = controller.encode(&sequences).unwrap();
    let error = controller.decode(&embedding, &shorter).unwrap_err();
    assert!(matches!(error, ControllerError::NothingAllowed { position: 8, .. }), "{error}");
}

#[test]
fn a_training_that_diverges_leaves_the_weights_alone() {
    let config = ControllerConfig { learning_rate: 1e30, epochs: 20, ..config() };
    let mut controller = controller(config, 1);
    let (sequences, targets) = pool(4);
    let before = controller.parameters();
    let error = controller.fit(&sequences, &targets, &*SPACE, &mut rng_for(1, "fit", 0)).unwrap_err();
    assert!(matches!(error, ControllerError::Diverged { .. }), "{error}");
    assert_eq!(controller.parameters(), before);
}

/// Three heads that learn the order of scores.
fn ordering() -> ControllerConfig {
    ControllerConfig { heads: 3, prediction_loss: PredictionLoss::Pairwise, ..config() }
}

#[test]
fn the_gradient_of_the_pairwise_loss_of_all_heads_agrees_with_finite_differences() {
    let mut controller = controller(ordering(), 1);
    let (sequences, targets) = pool(12);
    let (_, gradients) = controller.gradients(&sequences, &targets).unwrap();
    let whole = controller.parameters();
    // Last layers, along which the loss has no kinks as it has behind a ReLU.
    for name in [
        "encoder.regressor.weight",
        "predictor.others.0.regressor.weight",
        "predictor.others.1.regressor.weight",
    ] {
        let gradient = gradients.parameters.iter().find(|parameter| parameter.name == name).unwrap();
        let place = whole.iter().position(|parameter| parameter.name == name).unwrap();
        let mut difference = Vec::new();
        for index in 0..whole[place].values.len() {
            let mut at = |step: f32| {
                let mut moved = whole.clone();
                moved[place].values[index] += step;
                controller.load(moved).unwrap();
                f64::from(controller.loss(&sequences, &targets).unwrap().loss)
            };
            difference.push((at(0.05) - at(-0.05)) / 0.1);
        }
        let gradient: Vec<f64> = gradient.values.iter().map(|&value| f64::from(value)).collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let cosine =
            dot(&gradient, &difference) / (dot(&gradient, &gradient) * dot(&difference, &difference)).sqrt();
        assert!(cosine > 0.999, "{name}: {cosine}");
    }
}

#[test]
fn heads_predict_by_their_mean_and_learn_a_planted_order() {
    let (sequences, targets) = pool(24);
    let config = ControllerConfig { epochs: 150, trade_off: 1.0, ..ordering() };
    let mut controller = controller(config.clone(), 1);
    let one = self::controller(ControllerConfig { heads: 1, ..config.clone() }, 1);
    let of_a_head = 16 * 12 + 12 + 12 + 1;
    assert_eq!(controller.parameter_count(), one.parameter_count() + 2 * of_a_head);
    // The first head is that of a controller with one: further heads are drawn after it.
    let first = |controller: &Controller| {
        controller.parameters().into_iter().find(|parameter| parameter.name == "encoder.regressor.weight")
    };
    assert_eq!(first(&controller), first(&one));
    controller.fit(&sequences, &targets, &*SPACE, &mut rng_for(1, "fit", 0)).unwrap();
    let predictions = controller.predict(&sequences).unwrap();
    let pairs: f64 = (0..24)
        .flat_map(|i| (0..i).map(move |j| (i, j)))
        .map(|(i, j)| f64::from(u8::from(predictions[i] > predictions[j])))
        .sum();
    assert!(pairs / 276.0 > 0.95, "{pairs} of 276 pairs in order: {predictions:?}");
    let bytes = controller.save_safetensors().unwrap();
    let mut read = self::controller(config, 2);
    read.load_safetensors(&bytes).unwrap();
    assert_eq!(read.predict(&sequences).unwrap(), predictions);
}

/// A controller may serve several threads, from the first call on.
#[test]
fn threads_share_a_controller() {
    let (sequences, targets) = pool(8);
    for seed in 0..20 {
        let controller = controller(config(), seed);
        let work = || {
            let embedding = controller.encode(&sequences).unwrap();
            let gradient = floats(controller.ascent_gradient(&embedding));
            let (_, gradients) = controller.gradients(&sequences, &targets).unwrap();
            (gradient, gradients.norm)
        };
        let together: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let alone = work();
        assert!(alone.1 > 0.0 && together.iter().all(|one| *one == alone));
    }
}
