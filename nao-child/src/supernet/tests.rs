//! Shared weights at work on tiny networks of digits.

use std::sync::Arc;

use burn::tensor::Device;
use nao_space::network::NetworkPlan;
use nao_space::search::{Observation, Proposals, RandomSearch, Strategy, StrategyError};
use nao_space::seed::rng_for;
use nao_space::{CnnArch, CnnSpace, OpSet, Quiet, Space, Trial, TrialId};

use super::*;
use crate::data::{Split, digits};
use crate::names::NameConvention;
use crate::recipe::{Recipe, Structure};

const PRESETS: [SharingPreset; 4] = [
    SharingPreset::KeptPool,
    SharingPreset::GrowingPool,
    SharingPreset::FixedPool,
    SharingPreset::PolicyPool,
];

fn config(preset: SharingPreset) -> SharingConfig {
    let small = SharingConfig::of(preset, &digits());
    let structure = Structure { width: 2, ..small.training.structure };
    let training = Recipe { epochs: 1, batch: 200, structure, ..small.training };
    SharingConfig { rounds: 3, pool: 6, per_round: small.per_round.min(3), training, ..small }
}

fn training(config: &SharingConfig) -> SharedTraining {
    let data = Arc::new(digits());
    let space = CnnSpace::new(2, OpSet::enas_5()).unwrap();
    let recipe = config.training.clone();
    let split = Split::validation(data.clone(), 300, recipe.split_seed).unwrap();
    let rng = &mut rng_for(1, "weights", 0);
    let supernet = Supernet::new(&space, &recipe.skeleton(&data), config.form, rng, &Device::flex()).unwrap();
    SharedTraining::new(supernet, recipe, split, 1).unwrap()
}

fn trials(count: u64) -> Vec<Trial<CnnArch>> {
    let space = CnnSpace::new(2, OpSet::enas_5()).unwrap();
    let trial = |id| Trial { id: TrialId(id), arch: space.sample(&mut rng_for(5, "cells", id)), seed: 1 };
    (0..count).map(trial).collect()
}

/// One epoch, so that running statistics and weights are not those of the start.
fn trained() -> SharedTraining {
    let config = config(SharingPreset::KeptPool);
    let mut training = training(&config);
    let pool = trials(6);
    let mut next = 0;
    let draw = |_: &mut _| {
        next += 1;
        pool[next % pool.len()].arch.clone()
    };
    training.epoch(0, 1, draw, || Ok(())).unwrap();
    training
}

struct AtRandom {
    space: CnnSpace,
    /// The images that a policy would have been rewarded by, per round.
    learned_of: Vec<usize>,
}

impl AtRandom {
    fn new(space: &CnnSpace) -> Self {
        AtRandom { space: space.clone(), learned_of: Vec::new() }
    }
}

impl Proposer for AtRandom {
    fn learn(&mut self, round: u32, training: &SharedTraining) -> Result<(), StrategyError> {
        let arch = self.space.sample(&mut rng_for(1, "policy", round.into()));
        let minibatch = &training.split().held_out[..20];
        let reward = training.score_on(&arch, minibatch, Norms::Batch).unwrap().accuracy;
        assert!((0.0..=1.0).contains(&reward));
        self.learned_of.push(minibatch.len());
        Ok(())
    }

    fn propose(
        &mut self,
        round: u32,
        told: &[Observation<CnnArch>],
        count: usize,
    ) -> Result<Proposals<CnnArch>, StrategyError> {
        let mut random = RandomSearch::new(self.space.clone(), 100 + u64::from(round));
        random.tell(told)?;
        random.ask(count)
    }
}

/// A score is that of the weights and the cell, whatever was scored before, in any order, by any number of
/// threads, and with each declared mode of norms.
#[test]
fn a_score_does_not_depend_on_who_was_scored_before_or_beside() {
    let training = trained();
    let cells = trials(7);
    for norms in [Norms::Batch, Norms::BatchInCells, Norms::Running] {
        let fresh =
            || SharedWeightsEvaluator::new(&training, norms, config(SharingPreset::KeptPool).fidelity(1));
        let scores = |cells: &[Trial<CnnArch>], threads| -> Vec<(f64, f64)> {
            let outcomes = fresh().score_all(cells, threads).into_iter().map(Result::unwrap);
            outcomes.map(|measured| (measured.value, measured.extra["held_out_loss"])).collect()
        };
        let alone: Vec<_> = cells.iter().map(|cell| scores(std::slice::from_ref(cell), 1)[0]).collect();
        assert_eq!(alone, scores(&cells, 1));
        assert_eq!(alone, scores(&cells, 3));
        let backwards: Vec<_> = cells.iter().rev().cloned().collect();
        let mut turned = scores(&backwards, 2);
        turned.reverse();
        assert_eq!(alone, turned);
    }
}

#[test]
fn the_three_modes_of_norms_differ_and_are_named_in_the_fidelity() {
    let training = trained();
    let arch = &trials(1)[0].arch;
    let loss = |norms| training.score_on(arch, &training.split().held_out, norms).unwrap().loss;
    let (batch, cells, running) = (loss(Norms::Batch), loss(Norms::BatchInCells), loss(Norms::Running));
    assert!(batch != cells && cells != running && batch != running, "{batch} {cells} {running}");
    let fidelity = config(SharingPreset::KeptPool).called("nao-ws").fidelity(3);
    assert_eq!(fidelity.to_string(), "nao-ws, shared weights, batch statistics, 3 epochs");
}

#[test]
fn a_step_moves_what_the_architecture_uses_and_nothing_else() {
    let config = config(SharingPreset::GrowingPool);
    let mut training = training(&config);
    let before = training.supernet().tensors();
    let arch = &trials(1)[0].arch;
    let mut rng = rng_for(1, "step", 0);
    let images: Vec<usize> = training.split().train[..50].to_vec();
    let batch = training.training_batch(&images, &mut rng);
    let drop_path = crate::op::drop::DropPathSchedule { keep: 1.0, total_steps: 1 };
    let loss = training.step(arch, batch, Moment { rate: 0.1, drop_path, step: 0 }, &mut rng).unwrap();
    assert!(loss > 0.0);
    let after = training.supernet().tensors();
    let child = training.supernet().child(arch, Purpose::Train).unwrap();
    let gradients = burn::optim::GradientsParams::new();
    let used = training.supernet().named_gradients(&child, &gradients);
    let statistic = |name: &str| name.ends_with("running_mean") || name.ends_with("running_var");
    let moved: Vec<&String> =
        after.keys().filter(|name| !statistic(name) && after[*name] != before[*name]).collect();
    assert_eq!(moved, used.keys().collect::<Vec<_>>());
    let rest = after.keys().filter(|name| !statistic(name)).count() - moved.len();
    assert!(rest > moved.len(), "{rest} tensors of others stay");
}

#[test]
fn an_architecture_of_another_space_is_refused() {
    let training = training(&config(SharingPreset::KeptPool));
    let arch = CnnSpace::default().sample(&mut rng_for(1, "cell", 0));
    let error = training.supernet().child(&arch, Purpose::Infer).unwrap_err().to_string();
    assert!(error.contains("5 nodes"), "{error}");
}

/// A round that is cut off is done again from the saved state, and the search ends alike.
#[test]
fn a_search_that_goes_on_from_files_ends_like_an_unbroken_one() {
    for preset in PRESETS {
        let config = config(preset);
        let space = training(&config).supernet().space().clone();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("weights.safetensors");
        let mut whole = SharedSearch::new(config.clone(), training(&config)).unwrap();
        let mut proposer = AtRandom::new(&space);
        let untimed = |mut round: SharedRound| {
            round.seconds = [0.0; 3];
            round
        };
        let mut reports = vec![untimed(whole.round(&mut proposer, 2, &mut Quiet).unwrap())];
        whole.training().save(&file).unwrap();
        let state = serde_json::to_string(whole.state()).unwrap();

        let mut loaded = training(&config);
        loaded.restore(&file).unwrap();
        let state: PoolState = serde_json::from_str(&state).unwrap();
        let mut resumed = SharedSearch::resumed(config.clone(), loaded, state).unwrap();
        while !whole.is_done() {
            let report = untimed(whole.round(&mut proposer, 2, &mut Quiet).unwrap());
            let again = resumed.round(&mut AtRandom::new(&space), 1, &mut Quiet).unwrap();
            assert_eq!(report, untimed(again), "{preset:?}");
            reports.push(report);
        }
        assert_eq!(whole.state(), resumed.state());
        assert_eq!(whole.training().supernet().tensors(), resumed.training().supernet().tensors());
        // Once for every time that somebody proposes.
        let asked = reports.iter().filter(|report| report.proposed > 0).count();
        assert_eq!(proposer.learned_of, vec![20; asked]);
        let sizes: Vec<usize> = reports.iter().map(|report| report.pool).collect();
        let expected = if preset == SharingPreset::GrowingPool { [6, 9, 12] } else { [6, 6, 6] };
        assert_eq!(sizes, expected, "{preset:?}");
        let came: usize = reports.iter().map(|report| report.proposed).sum();
        assert_eq!(whole.state().members.len(), 6 + came);
        assert_eq!(whole.ranking().len(), expected[2]);
        // The opened file is the same supernet.
        whole.training().save(&file).unwrap();
        let opened = Supernet::open(&file, &Device::flex()).unwrap();
        assert_eq!(opened.tensors(), whole.training().supernet().tensors());
    }
}

#[test]
fn a_pool_that_keeps_its_size_loses_its_worst() {
    let config = config(SharingPreset::KeptPool);
    let mut search = SharedSearch::new(config.clone(), training(&config)).unwrap();
    let space = search.training().supernet().space().clone();
    search.round(&mut AtRandom::new(&space), 1, &mut Quiet).unwrap();
    let (gone, stayed): (Vec<&Member>, Vec<&Member>) =
        search.state().members[..6].iter().partition(|member| !member.in_pool);
    assert_eq!((gone.len(), stayed.len()), (3, 3));
    let worst = stayed.iter().filter_map(|member| member.score).fold(f64::INFINITY, f64::min);
    assert!(gone.iter().all(|member| member.score.unwrap() <= worst));
}

/// V2 trains larger networks more often: frequencies follow parameters.
#[test]
fn architectures_are_drawn_in_proportion_to_their_parameters() {
    let config = SharingConfig { pool: 8, ..config(SharingPreset::GrowingPool) };
    let search = SharedSearch::new(config.clone(), training(&config)).unwrap();
    let drawing = search.drawing(0);
    let space = search.training().supernet().space();
    let mut rng = rng_for(9, "draw", 0);
    let draws = 40_000;
    let mut counts = vec![0usize; drawing.archs.len()];
    for _ in 0..draws {
        let arch = drawing.draw(space, &mut rng);
        counts[drawing.archs.iter().position(|known| *known == arch).unwrap()] += 1;
    }
    let skeleton = search.training().supernet().plan().skeleton;
    let params: Vec<f64> = drawing
        .archs
        .iter()
        .map(|arch| NetworkPlan::new(arch, &skeleton).unwrap().cost().params as f64)
        .collect();
    let total: f64 = params.iter().sum();
    for (count, params) in counts.iter().zip(&params) {
        let (expected, found) = (params / total, *count as f64 / f64::from(draws));
        let sigma = (expected * (1.0 - expected) / f64::from(draws)).sqrt();
        assert!((found - expected).abs() < 4.0 * sigma, "{found} of {expected}");
    }
    assert!(counts.iter().max() > counts.iter().min());
}

#[test]
fn published_settings_are_those_of_the_authors() {
    let data = crate::data::ImageData { development: 50_000, name: "cifar10".into(), ..digits() };
    let [v1, v2, random, enas] = PRESETS.map(|preset| SharingConfig::of(preset, &data));
    assert_eq!((v1.form, v1.pool, v1.per_round, v1.rounds), (NameConvention::V1, 600, 300, 5));
    assert_eq!((v1.epochs(), v1.training.cosine_epochs, v1.restarts), (150, 150, false));
    assert_eq!((v2.form, v2.pool, v2.per_round, v2.rounds), (NameConvention::V2, 1_000, 300, 4));
    assert_eq!((v2.training.epochs, v2.training.cosine_epochs, v2.restarts), (50, 50, true));
    assert_eq!((random.pool, random.per_round, random.trained_on), (1_000, 0, TrainedOn::Space));
    enas.check(&data).unwrap();
    assert_eq!(
        (enas.epochs(), enas.training.epochs, enas.policy_updates, enas.training.batch),
        (150, 1, 30, 160)
    );
    assert_eq!((enas.training.structure.cells_per_stage, enas.training.structure.width), (2, 20));
    for config in [v1, v2, random] {
        config.check(&data).unwrap();
        let Recipe { structure, batch, learning_rate, learning_rate_min, .. } = config.training;
        assert_eq!((structure.cells_per_stage, structure.width, batch), (3, 20, 64));
        assert_eq!((learning_rate, learning_rate_min), (0.025, 0.001));
    }
}

#[test]
fn settings_that_cannot_be_are_named() {
    let (data, base) = (digits(), config(SharingPreset::KeptPool));
    for (config, word) in [
        (SharingConfig { rounds: 0, ..base.clone() }, "rounds is 0"),
        (SharingConfig { per_round: 7, ..base.clone() }, "at most the pool"),
        (SharingConfig { per_round: 0, ..base.clone() }, "at least 1, and 0 where"),
        (
            SharingConfig { trained_on: TrainedOn::Space, sampling: Sampling::Parameters, ..base.clone() },
            "uniform where",
        ),
        (SharingConfig { finalists: 0, ..base }, "finalists"),
    ] {
        let error = config.check(&data).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

/// A stand-alone network takes over what means the same there, and hears of the rest.
#[test]
fn a_child_inherits_what_fits_and_hears_what_was_not_found() {
    for form in [NameConvention::V1, NameConvention::V2] {
        let config = SharingConfig { form, ..config(SharingPreset::KeptPool) };
        let training = training(&config);
        let supernet = training.supernet();
        // Two identities on one input of the reduction cell, and a loose cell input there.
        let arch = supernet.space().parse("0 0 1 4 2 1 0 0 0 4 0 4 2 1 0 2").unwrap();
        let recipe = Recipe {
            structure: Structure { cells_per_stage: 2, ..config.training.structure },
            ..config.training
        };
        let data = digits();
        let plan = NetworkPlan::new(&arch, &recipe.skeleton(&data)).unwrap();
        let inherited = supernet.inherit(&arch, &plan).unwrap();
        let names = crate::names::tensor_names(&plan, NameConvention::V1);
        assert_eq!(inherited.tensors.len() + inherited.not_found.len(), names.len());
        // Twice as many cells per stage: the reductions stand elsewhere, but are the same.
        let [reduction, _] = plan.skeleton.reductions();
        for (ours, theirs) in [
            ("stem.0.weight".to_owned(), "stem.0.weight"),
            (
                "cells.0.ops.0.x_op.op.2.weight".to_owned(),
                match form {
                    NameConvention::V1 => "cells.0.ops.0.x_sep_conv_3.W1_pointwise.0",
                    NameConvention::V2 => "cells.0.ops.0.x_op.0.W1_pointwise.0",
                },
            ),
            (
                format!("cells.{reduction}.ops.0.y_id_fact_reduce.path1.1.weight"),
                match form {
                    NameConvention::V1 => "cells.1.ops.0.x_id_reduce_1.path1.1.weight",
                    NameConvention::V2 => "cells.1.ops.0.y_op.4.reduce.0.path1.1.weight",
                },
            ),
            (format!("cells.{reduction}.final_combine.ops.0.bn.weight"), "cells.1.fac_2.bn.weight"),
        ] {
            assert_eq!(inherited.tensors[&ours], supernet.tensor(theirs).unwrap(), "{ours}");
        }
        for missing in [
            "classifier.weight",
            "cells.1.ops.0.x_op.op.1.weight",
            "cells.2.maybe_calibrate_size.preprocess_y.conv.weight",
        ] {
            assert!(inherited.not_found.iter().any(|name| name == missing), "{missing}");
        }
        let wide = Structure { width: 4, ..recipe.structure };
        let plan = NetworkPlan::new(&arch, &Recipe { structure: wide, ..recipe }.skeleton(&data)).unwrap();
        let error = supernet.inherit(&arch, &plan).unwrap_err().to_string();
        assert!(
            error.contains("of width 2") && error.contains("stem.0.weight: [2, 1, 3, 3] in the supernet"),
            "{error}"
        );
    }
}
