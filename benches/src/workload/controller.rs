//! Controllers: an epoch of fitting, and the way from sequences over a step of ascent back to sequences.

use burn::tensor::Device;
use nao_controller::{Controller, ControllerConfig, Language};
use nao_space::seed::rng_for;
use nao_space::{CnnSpace, Space, Token};
use serde_json::json;

use super::Workload;

/// Architectures in the pool of a fit.
const POOL: usize = 600;

/// Architectures decoded.
const DECODED: usize = 1000;

pub(super) fn workloads() -> Vec<Workload> {
    ["v1", "v2"].into_iter().flat_map(|preset| [workload(preset, true), workload(preset, false)]).collect()
}

fn workload(preset: &str, fit: bool) -> Workload {
    let space = CnnSpace::default();
    let language = Language::of(&space);
    let config =
        ControllerConfig { epochs: 1, respell: false, ..ControllerConfig::preset(preset).expect("a preset") };
    let config = config.fitted_to(&language);
    let mut rng = rng_for(6, "pool", 0);
    let count = if fit { POOL } else { DECODED };
    let sequences: Vec<Vec<Token>> = (0..count).map(|_| space.encode(&space.sample(&mut rng))).collect();
    let targets: Vec<f32> = (0..count).map(|index| index as f32 / count as f32).collect();
    let name = format!("controller/{preset} {}", if fit { "epoch" } else { "decode" });
    let description = json!({
        "name": name,
        "kind": "controller",
        "mode": if fit { "fit" } else { "decode" },
        "config": config,
        "vocabulary": language.vocabulary_len(),
        "sequence_len": language.sequence_len,
        "tokens_per_step": language.tokens_per_step,
        "sequences": sequences,
        "targets": targets,
    });
    let build = move || -> Box<dyn FnMut()> {
        let (space, sequences, targets) = (space.clone(), sequences.clone(), targets.clone());
        let mut rng = rng_for(6, "weights", 0);
        let mut controller = Controller::new(config.clone(), Language::of(&space), &Device::flex(), &mut rng)
            .expect("the configuration fits");
        if fit {
            return Box::new(move || {
                controller.fit(&sequences, &targets, &space, &mut rng).expect("the fit does not diverge");
            });
        }
        Box::new(move || {
            let embedding = controller.encode(&sequences).expect("sequences of the space");
            let moved = controller.ascend(&embedding, 5.0);
            let decoded = controller.decode(&moved, &space).expect("the grammar of the space");
            assert_eq!(decoded.len(), sequences.len());
        })
    };
    Workload { name, description, build: Box::new(build) }
}
