//! Tests of the registry.

use super::*;
use serde_json::{Map, Value, json};

fn table(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(table) => table,
        other => panic!("{other} is no table"),
    }
}

fn configured(value: Value) -> Result<Configured, StrategyError> {
    Strategies::default().configure(table(value), Base::New { parents: None })
}

fn refusal(value: Value) -> String {
    configured(value).unwrap_err().to_string()
}

#[test]
fn every_entry_has_a_name_of_its_own_and_reads_back_from_its_file() {
    let strategies = Strategies::default();
    let mut names: Vec<&str> = strategies.entries().map(|entry| entry.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for entry in strategies.entries() {
        assert!(!entry.about.is_empty() && !entry.about.ends_with('.'), "{}", entry.name);
        let config = entry.config();
        let file = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<StrategyConfig>(&file).unwrap(), config, "{file}");
        assert!(strategies.entry(&config.name).is_ok(), "{file}");
        assert_eq!(config.preset().is_some(), file.contains("\"preset\""), "{file}");
    }
}

/// A short form of `nao` with a controller is that preset: no name is answered with the default.
#[test]
fn short_forms_are_what_they_say() {
    let strategies = Strategies::default();
    for preset in crate::lstm::config::PRESETS {
        let config = strategies.entry(&format!("nao:{}", preset.name)).unwrap().config();
        let StrategySettings::Controller { preset: name, config } = config.settings else {
            panic!("a controller")
        };
        assert_eq!((name.as_str(), config.controller), (preset.name, preset.config));
    }
    for ablation in crate::structure::Ablation::ALL {
        let entry = strategies.entry(&format!("nao:{}", ablation.name())).unwrap();
        let expected = ablation.of(crate::structure::StructureConfig::default());
        assert_eq!((entry.lacks, entry.config().structure().cloned()), (Some(ablation), Some(expected)));
    }
}

#[test]
fn settings_are_laid_over_those_of_the_named_strategy() {
    let short = configured(json!({ "name": "ppo:short", "hidden": 7 })).unwrap().config;
    let StrategySettings::Policy(policy) = short.settings else { panic!("a policy") };
    assert_eq!((policy.hidden, policy.batch, policy.learning_rate), (7, 5, 3e-3));
    let nao = configured(json!({ "preset": "v2", "controller": { "epochs": 3 } })).unwrap().config;
    let StrategySettings::Controller { config, .. } = nao.settings else { panic!("a controller") };
    assert_eq!((config.controller.epochs, config.controller.hidden), (3, 64));
    let parents = Base::New { parents: Some(8) };
    let few = Strategies::default().configure(table(json!({ "name": "nao:v1" })), parents).unwrap().config;
    let StrategySettings::Controller { config, .. } = &few.settings else { panic!("a controller") };
    assert_eq!((few.name.as_str(), config.seeds), ("nao", 8));
    // A run that goes on keeps what is not named.
    let goes_on =
        Strategies::default().configure(table(json!({ "first_step": 2.0 })), Base::Stored(&few)).unwrap();
    let StrategySettings::Controller { config, .. } = &goes_on.config.settings else {
        panic!("a controller")
    };
    assert_eq!((config.first_step, config.seeds), (2.0, 8));
}

#[test]
fn what_a_strategy_does_not_have_is_refused_by_name() {
    for (typed, words) in [
        (json!({ "name": "magic" }), &["magic", "evolution:non-aging", "nao-ws", "darts:second"][..]),
        (json!({ "preset": "v9" }), &["v9", "structure, v1"]),
        (json!({ "name": "random", "population": 3 }), &["strategy.population", "random has no settings"]),
        (json!({ "name": "evolution", "populaton": 3 }), &["populaton"]),
        (json!({ "name": "evolution", "removal": "best" }), &["strategy.removal", "best"]),
        (json!({ "name": "hier-ea", "removal": "oldest" }), &["hier-ea", "removal", "oldest"]),
        (json!({ "name": "ppo", "rule": { "kind": "reinforce" } }), &["ppo", "rule/kind"]),
        (json!({ "name": "nao:v1", "preset": "v2" }), &["nao:v1", "v2"]),
        (json!({ "name": 3 }), &["strategy.name", "3"]),
    ] {
        let message = refusal(typed.clone());
        assert!(words.iter().all(|word| message.contains(word)), "{typed}: {message}");
    }
}

/// A file of version 0.1 with all sections.
fn old(name: &str, preset: &str) -> Value {
    json!({
        "name": name,
        "preset": preset,
        "nao": { "seeds": 3, "controller": { "hidden": 8, "embedding": 4 } },
        "structure": { "draws": 5 },
        "evolution": { "population": 20, "sample": 6, "sample_share": 0.0, "removal": "oldest" },
        "policy": { "hidden": 9, "batch": 20, "learning_rate": 0.00035,
            "rule": { "kind": "ppo", "clip": 0.3, "passes": 4 } },
        "pnas": { "beam": 2 },
    })
}

#[test]
fn of_a_file_of_version_0_1_the_section_of_the_strategy_counts() {
    let read = |name: &str, preset: &str| {
        let configured = configured(old(name, preset)).unwrap();
        assert!(configured.idle.is_empty(), "{name}: {:?}", configured.idle);
        let stored: StrategyConfig = serde_json::from_value(old(name, preset)).unwrap();
        assert_eq!(stored, configured.config);
        stored.settings
    };
    let StrategySettings::Controller { preset, config } = read("nao", "v2") else { panic!("a controller") };
    // All fields were written, and what is not is that of the preset.
    assert_eq!((preset.as_str(), config.seeds, config.controller.hidden), ("v2", 3, 8));
    let StrategySettings::Structure(structure) = read("nao", "structure") else { panic!("on structure") };
    assert_eq!(structure.draws, 5);
    assert_eq!(read("random", "structure"), StrategySettings::Random);
    let StrategySettings::Evolution(aging) = read("evolution", "structure") else { panic!("an evolution") };
    assert_eq!((aging.population, aging.sample), (20, 6));
    // What those of one name did whatever stood there.
    let StrategySettings::Evolution(worst) = read("evolution:non-aging", "v1") else {
        panic!("an evolution")
    };
    assert_eq!((worst.sample, worst.removal), (6, nao_space::search::Removal::Worst));
    let StrategySettings::Evolution(tournaments) = read("hier-ea", "v1") else { panic!("an evolution") };
    let expected = nao_space::search::EvolutionConfig::tournaments();
    assert_eq!(tournaments, nao_space::search::EvolutionConfig { population: 20, ..expected });
    let StrategySettings::Policy(policy) = read("reinforce", "v1") else { panic!("a policy") };
    assert_eq!((policy.hidden, policy.batch, policy.rule), (9, 20, crate::policy::PolicyRule::Reinforce));
    let StrategySettings::Policy(policy) = read("ppo:short", "v1") else { panic!("a policy") };
    let rule = crate::policy::PolicyRule::Ppo { clip: 0.3, passes: 4 };
    assert_eq!((policy.hidden, policy.batch, policy.learning_rate, policy.rule), (9, 5, 3e-3, rule));
    let StrategySettings::Controller { config, .. } = read("nao-ws", "v1") else { panic!("a controller") };
    assert_eq!(config.seeds, 3);
    assert_eq!(read("random-ws", "v1"), StrategySettings::Elsewhere);
}

#[test]
fn sections_of_other_strategies_are_said() {
    let idle = |typed: Value| configured(typed).unwrap().idle;
    assert_eq!(idle(json!({ "name": "random", "pnas": { "beam": 3 } })), ["strategy.pnas"]);
    assert_eq!(idle(json!({ "name": "random", "preset": "v1" })), ["strategy.preset"]);
    assert!(idle(json!({ "name": "pnas", "pnas": { "beam": 3 } })).is_empty());
    let short = json!({ "name": "ppo:short", "policy": { "batch": 7, "hidden": 7 } });
    assert_eq!(idle(short), ["strategy.policy.batch"]);
}

struct Own;

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OwnSettings {
    luck: f64,
}

impl Default for OwnSettings {
    fn default() -> Self {
        OwnSettings { luck: 0.5 }
    }
}

impl OwnStrategy for Own {
    const NAME: &'static str = "own";
    const ABOUT: &'static str = "a strategy of a test";
    type Settings = OwnSettings;

    fn build<S: nao_space::Graphs + nao_space::Levels>(
        &self,
        settings: OwnSettings,
        space: S,
        seed: u64,
    ) -> Result<Box<dyn nao_space::search::Strategy<S>>, Box<dyn std::error::Error + Send + Sync>> {
        if settings.luck > 1.0 {
            return Err("more luck than there is".into());
        }
        Ok(Box::new(nao_space::search::RandomSearch::new(space, seed)))
    }
}

#[test]
fn a_registered_strategy_is_listed_set_and_built_like_the_others() {
    let strategies = Strategies::default().with(Own);
    assert!(strategies.known(|_| true).contains("pnas, nao:structure"), "{}", strategies.known(|_| true));
    assert!(strategies.entry("none").unwrap_err().to_string().contains("own"));
    let new = Base::New { parents: None };
    let set = |value| strategies.configure(table(value), new).unwrap().config;
    let config = set(json!({ "name": "own", "luck": 0.7 }));
    let file = serde_json::to_string(&config).unwrap();
    assert_eq!(file, r#"{"name":"own","luck":0.7}"#);
    assert_eq!(serde_json::from_str::<StrategyConfig>(&file).unwrap(), config);
    let space = nao_space::CnnSpace::default();
    let build = |config: &StrategyConfig| {
        let nothing = || -> Result<_, StrategyError> { panic!("it learns no space") };
        let built = strategies.build(config, space.clone(), 1, &burn::tensor::Device::flex(), nothing);
        built.map(|mut strategy| strategy.ask(2).unwrap().proposals.len())
    };
    assert_eq!(build(&config).unwrap(), 2);
    let lucky = build(&set(json!({ "name": "own", "luck": 2.0 }))).unwrap_err().to_string();
    assert_eq!(lucky, "strategy own: more luck than there is");
    let unknown = set(json!({ "name": "own", "lack": 2.0 }));
    assert!(strategies.check(&unknown, &space).unwrap_err().to_string().contains("lack"));
    // Another program does not know it.
    let foreign = Strategies::default().check(&config, &space).unwrap_err().to_string();
    assert!(foreign.contains("unknown strategy `own`"), "{foreign}");
}

#[test]
#[should_panic(expected = "registered already")]
fn no_two_strategies_have_one_name() {
    drop(Strategies::default().with(Own).with(Own));
}
