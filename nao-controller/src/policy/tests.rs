//! What a policy and its learning promise.

use burn::tensor::Device;
use nao_space::seed::rng_for;
use nao_space::{ChoiceSpace, CnnSpace, NasBench101Space, NasBench201Space, OpSet, RnnSpace, Space, Token};

use super::{Experience, OutputLayer, PolicyConfig, PolicyLearner, PolicyRule};
use crate::error::ControllerError;
use crate::language::Language;

fn learner<S: Space>(space: &S, config: PolicyConfig, seed: u64) -> PolicyLearner {
    let mut rng = rng_for(seed, "policy weights", 0);
    PolicyLearner::new(config, Language::of(space), &Device::flex(), &mut rng).unwrap()
}

/// Two positions, of which the second applies under one choice of the first.
fn conditional() -> ChoiceSpace {
    ChoiceSpace::from_toml(
        r#"
        name = "tiny"
        [[position]]
        name = "block"
        choices = ["plain", "residual"]
        [[position]]
        name = "skip"
        choices = ["identity", "conv", "pool"]
        only_if = { position = "block", choice = "residual" }
        "#,
    )
    .unwrap()
}

fn draws_are_sequences_and_judged_as_drawn<S: Space>(space: &S, config: PolicyConfig) {
    let policy = learner(space, config, 3);
    let draws = policy.draw(7, space, &mut rng_for(4, "draws", 0)).unwrap();
    let log_probs = policy.log_probs(draws.iter().map(|draw| draw.sequence.clone()).collect(), space);
    for (draw, (log_prob, entropy)) in draws.iter().zip(log_probs) {
        assert!(space.decode(&draw.sequence).is_ok());
        let tolerance = 1e-4 * draw.log_prob.abs().max(1.0);
        assert!((draw.log_prob - f64::from(log_prob)).abs() < tolerance, "{draw:?} {log_prob}");
        assert!((draw.entropy - f64::from(entropy)).abs() < tolerance, "{draw:?} {entropy}");
    }
}

#[test]
fn it_writes_sequences_of_every_space() {
    for config in [PolicyConfig::nasnet_ppo(), PolicyConfig::enas()] {
        draws_are_sequences_and_judged_as_drawn(&CnnSpace::default(), config.clone());
        draws_are_sequences_and_judged_as_drawn(&RnnSpace::default(), config.clone());
        draws_are_sequences_and_judged_as_drawn(&NasBench101Space::default(), config.clone());
        draws_are_sequences_and_judged_as_drawn(&NasBench201Space::default(), config.clone());
        draws_are_sequences_and_judged_as_drawn(&conditional(), config);
    }
}

#[test]
fn frequencies_are_the_probabilities() {
    let space = conditional();
    // Weights far from zero, so that the odds are far from even.
    let config = PolicyConfig { initial_bound: 1.0, hidden: 8, ..PolicyConfig::reinforce() };
    let policy = learner(&space, config, 5);
    let draws = policy.draw(4000, &space, &mut rng_for(6, "draws", 0)).unwrap();
    let all: Vec<Vec<Token>> = [
        "block=plain",
        "block=residual skip=identity",
        "block=residual skip=conv",
        "block=residual skip=pool",
    ]
    .map(|text| space.encode(&space.parse(text).unwrap()))
    .to_vec();
    let log_probs = policy.log_probs(all.clone(), &space);
    let mut sum = 0.0;
    for (sequence, (log_prob, _)) in all.iter().zip(log_probs) {
        let probability = f64::from(log_prob).exp();
        sum += probability;
        let share = draws.iter().filter(|draw| &draw.sequence == sequence).count() as f64 / 4000.0;
        let deviation = (probability * (1.0 - probability) / 4000.0).sqrt();
        assert!((share - probability).abs() < 4.0 * deviation, "{share} {probability}");
    }
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");
}

/// Central differences of the loss in every weight of a tiny policy.
fn gradient_is_that_of_the_loss(config: PolicyConfig) {
    let space = CnnSpace::new(1, OpSet::enas_5()).unwrap();
    let policy = learner(&space, PolicyConfig { hidden: 3, initial_bound: 0.7, ..config }, 8);
    let draws = policy.draw(4, &space, &mut rng_for(9, "draws", 0)).unwrap();
    let advantages = [1.5f32, -0.7, 0.4, -2.0];
    // Half of the sequences were drawn by a policy that liked them less, or more, than this one does, so that some
    // ratios are clipped and some are not.
    let shifts = [0.05, -0.4, 0.4, 0.02];
    let examples: Vec<Experience> = draws
        .into_iter()
        .zip(shifts)
        .map(|(mut draw, shift)| {
            draw.log_prob += shift;
            Experience { draw, reward: 0.0 }
        })
        .collect();
    let gradient = policy.gradient_of(&examples, &advantages, &space);
    let (weights, step) = (policy.weights(), 4e-3f32);
    let largest = gradient.iter().flatten().fold(0f32, |largest, value| largest.max(value.abs()));
    assert!(largest > 0.1, "{largest}");
    for (at, values) in weights.iter().enumerate() {
        for place in 0..values.len() {
            let moved = |by: f32| {
                let mut weights = weights.clone();
                weights[at][place] += by;
                policy.with_weights(weights).loss_of(&examples, &advantages, &space)
            };
            let slope = (moved(step) - moved(-step)) / (2.0 * f64::from(step));
            let exact = f64::from(gradient[at][place]);
            assert!((slope - exact).abs() < 3e-3 * f64::from(largest), "{at}.{place}: {slope} {exact}");
        }
    }
}

#[test]
fn the_gradient_of_reinforce_is_that_of_its_loss() {
    gradient_is_that_of_the_loss(PolicyConfig { entropy_weight: 0.3, ..PolicyConfig::reinforce() });
    gradient_is_that_of_the_loss(PolicyConfig {
        output: OutputLayer::Shared,
        tanh_constant: 1.1,
        temperature: 2.0,
        ..PolicyConfig::reinforce()
    });
}

#[test]
fn the_gradient_of_ppo_is_that_of_its_loss() {
    gradient_is_that_of_the_loss(PolicyConfig { entropy_weight: 0.3, ..PolicyConfig::nasnet_ppo() });
}

/// At the weights that drew, ratios are 1 and the gradients of both rules agree.
#[test]
fn the_first_pass_of_ppo_is_a_step_of_reinforce() {
    let space = NasBench201Space::default();
    let config = PolicyConfig { hidden: 5, ..PolicyConfig::reinforce() };
    let reinforce = learner(&space, config.clone(), 2);
    let ppo = learner(&space, PolicyConfig { rule: PolicyRule::Ppo { clip: 0.2, passes: 4 }, ..config }, 2);
    let draws = reinforce.draw(6, &space, &mut rng_for(3, "draws", 0)).unwrap();
    let examples: Vec<Experience> = draws.into_iter().map(|draw| Experience { draw, reward: 0.0 }).collect();
    let advantages = [0.3, -0.2, 0.5, 0.1, -0.9, 0.7];
    let gradients = [&reinforce, &ppo].map(|policy| policy.gradient_of(&examples, &advantages, &space));
    for (a, b) in gradients[0].iter().flatten().zip(gradients[1].iter().flatten()) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
}

#[test]
fn a_sequence_with_a_high_reward_becomes_likelier() {
    let space = NasBench201Space::default();
    for config in [PolicyConfig::reinforce(), PolicyConfig::nasnet_ppo(), PolicyConfig::enas()] {
        let mut policy = learner(&space, config, 1);
        let draws = policy.draw(10, &space, &mut rng_for(1, "draws", 0)).unwrap();
        let favourite = draws[3].sequence.clone();
        let before = policy.log_probs(vec![favourite.clone()], &space)[0].0;
        for _ in 0..5 {
            let examples: Vec<Experience> = draws
                .iter()
                .map(|draw| Experience {
                    draw: draw.clone(),
                    reward: if draw.sequence == favourite { 1.0 } else { 0.0 },
                })
                .collect();
            let update = policy.learn(&examples, &space).unwrap();
            // One of ten, and what the entropy is worth to ENAS.
            assert!(update.steps > 0 && (update.reward - 0.1).abs() < 2e-3, "{update:?}");
        }
        let after = policy.log_probs(vec![favourite], &space)[0].0;
        assert!(after > before, "{before} {after}");
    }
}

#[test]
fn the_baseline_is_a_moving_average_of_past_rewards() {
    let space = conditional();
    let mut policy = learner(&space, PolicyConfig { baseline_decay: 0.5, ..PolicyConfig::reinforce() }, 1);
    let draws = policy.draw(2, &space, &mut rng_for(1, "draws", 0)).unwrap();
    let mut learn = |rewards: [f64; 2]| {
        let examples = draws.iter().cloned().zip(rewards).map(|(draw, reward)| Experience { draw, reward });
        policy.learn(&examples.collect::<Vec<_>>(), &space).unwrap().baseline
    };
    assert_eq!(learn([0.0, 1.0]), 0.5);
    // (0.5 + 0) / 2 = 0.25, (0.25 + 1) / 2 = 0.625.
    assert_eq!(learn([1.0, 1.0]), 0.625);
}

#[test]
fn what_is_no_number_changes_nothing() {
    let space = conditional();
    let mut policy = learner(&space, PolicyConfig::nasnet_ppo(), 1);
    let draw = policy.draw(1, &space, &mut rng_for(1, "draws", 0)).unwrap().remove(0);
    let before = policy.weights();
    let nan = Experience { draw: draw.clone(), reward: f64::NAN };
    assert!(matches!(policy.learn(&[nan], &space), Err(ControllerError::Target { index: 0, .. })));
    assert_eq!(policy.learn(&[], &space), Err(ControllerError::Empty));
    assert_eq!((policy.weights(), policy.baseline()), (before.clone(), None));
    // A reward beyond what single precision holds: its gradient is no finite number, and no step is taken.
    let other = Experience { draw: draw.clone(), reward: 0.0 };
    let huge = Experience { draw, reward: 1e300 };
    let update = policy.learn(&[other, huge], &space).unwrap();
    assert_eq!((update.steps, policy.weights()), (0, before));
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let language = Language::of(&conditional());
    let refused = |config: PolicyConfig| config.check(&language).unwrap_err().to_string();
    let base = PolicyConfig::nasnet_ppo;
    assert!(refused(PolicyConfig { hidden: 0, ..base() }).contains("`hidden` is 0"));
    assert!(refused(PolicyConfig { learning_rate: f64::NAN, ..base() }).contains("`learning_rate` is NaN"));
    assert!(refused(PolicyConfig { baseline_decay: 1.0, ..base() }).contains("`baseline_decay` is 1"));
    let rule = PolicyRule::Ppo { clip: 0.2, passes: 0 };
    assert!(refused(PolicyConfig { rule, ..base() }).contains("`rule.passes` is 0"));
    for name in super::POLICY_PRESETS {
        assert_eq!(PolicyConfig::named(name).unwrap().check(&language), Ok(()), "{name}");
    }
    assert_eq!(PolicyConfig::named("v1"), None);
}
