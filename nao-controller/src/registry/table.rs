//! The strategies of this crate and of nao-space: to add one, add a line.

use nao_space::search::{EvolutionConfig, Removal};

use super::config::StrategySettings;
use super::entry::{Asking, SearchKind, SharedSearch, StrategyEntry};
use crate::lstm::config::ControllerConfig;
use crate::policy::PolicyConfig;
use crate::strategy::{NaoConfig, PnasConfig};
use crate::structure::{Ablation, StructureConfig};

/// What an entry is where nothing else is said: a search of trials in rounds.
const fn entry(name: &'static str, about: &'static str, settings: fn() -> StrategySettings) -> StrategyEntry {
    let (kind, asking) = (SearchKind::Trials, Asking::Rounds);
    StrategyEntry {
        name,
        stands_for: name,
        about,
        kind,
        asking,
        lacks: None,
        fixed: &[],
        unread_before: &[],
        settings,
    }
}

const fn one_by_one(entry: StrategyEntry) -> StrategyEntry {
    StrategyEntry { asking: Asking::OneByOne, ..entry }
}

/// An entry whose name says what these settings are.
const fn fixing(fixed: &'static [&'static str], entry: StrategyEntry) -> StrategyEntry {
    StrategyEntry { fixed, ..entry }
}

/// An entry of which version 0.1 did not read these settings, whatever a file had.
const fn unread_before(unread_before: &'static [&'static str], entry: StrategyEntry) -> StrategyEntry {
    StrategyEntry { unread_before, ..entry }
}

const fn of_kind(entry: StrategyEntry, kind: SearchKind) -> StrategyEntry {
    StrategyEntry { kind, ..entry }
}

/// A short form of `nao` with other settings.
const fn of_nao(entry: StrategyEntry) -> StrategyEntry {
    StrategyEntry { stands_for: "nao", ..entry }
}

const fn lacking(part: Ablation, entry: StrategyEntry) -> StrategyEntry {
    StrategyEntry { lacks: Some(part), ..of_nao(entry) }
}

fn structure() -> StrategySettings {
    StrategySettings::Structure(StructureConfig::default())
}

fn without(part: Ablation) -> StrategySettings {
    StrategySettings::Structure(part.of(StructureConfig::default()))
}

/// A controller of the authors; where there is no preset of that name, that of version 1.
fn controller(preset: &str) -> StrategySettings {
    let controller = ControllerConfig::preset(preset).unwrap_or_default();
    StrategySettings::Controller {
        preset: preset.to_owned(),
        config: NaoConfig { controller, ..NaoConfig::default() },
    }
}

fn short(config: PolicyConfig) -> StrategySettings {
    StrategySettings::Policy(config.short())
}

/// Where the rule of a policy stands.
const RULE: &[&str] = &["/rule/kind"];
/// What makes a policy one for short searches.
const SHORT: &[&str] = &["learning_rate", "batch"];

/// All of them, in the order of lists.
pub(super) static BUILT_IN: [StrategyEntry; 29] = [
    entry("nao", "gradient ascent in a learned embedding, by the structure of cells", structure),
    entry("random", "architectures drawn at random", || StrategySettings::Random),
    one_by_one(entry("evolution", "regularised evolution: the oldest leaves", || {
        StrategySettings::Evolution(EvolutionConfig::default())
    })),
    fixing(
        &["/removal"],
        one_by_one(entry("evolution:non-aging", "evolution in which the worst leaves", || {
            StrategySettings::Evolution(EvolutionConfig {
                removal: Removal::Worst,
                ..EvolutionConfig::default()
            })
        })),
    ),
    fixing(
        &["/removal"],
        unread_before(
            &["sample", "sample_share"],
            one_by_one(entry("hier-ea", "tournaments in a population that grows", || {
                StrategySettings::Evolution(EvolutionConfig::tournaments())
            })),
        ),
    ),
    StrategyEntry {
        asking: Asking::OneByOneFromTheFirst,
        ..entry("local", "local search: the neighbours of the best, one after another", || {
            StrategySettings::Local
        })
    },
    entry("linear", "ridge regression on tokens", || StrategySettings::Linear),
    fixing(
        RULE,
        entry("reinforce", "a policy that learns by REINFORCE, with the published settings", || {
            StrategySettings::Policy(PolicyConfig::reinforce())
        }),
    ),
    fixing(
        RULE,
        unread_before(
            SHORT,
            entry("reinforce:short", "reinforce with settings for some hundred trials", || {
                short(PolicyConfig::reinforce())
            }),
        ),
    ),
    fixing(
        RULE,
        entry("ppo", "a policy that learns by PPO, with the published settings", || {
            StrategySettings::Policy(PolicyConfig::nasnet_ppo())
        }),
    ),
    fixing(
        RULE,
        unread_before(
            SHORT,
            entry("ppo:short", "ppo with settings for some hundred trials", || {
                short(PolicyConfig::nasnet_ppo())
            }),
        ),
    ),
    entry("pnas", "progressive search, level by level, by an ensemble of LSTMs", || {
        StrategySettings::Pnas(PnasConfig::default())
    }),
    of_nao(entry("nao:structure", "nao with the preset structure", structure)),
    of_nao(entry("nao:v1", "nao with the authors' controller of version 1", || controller("v1"))),
    of_nao(entry("nao:v2", "nao with the authors' controller of version 2", || controller("v2"))),
    of_nao(entry("nao:paper", "nao with the controller of the paper", || controller("paper"))),
    of_nao(entry("nao:rnn-ws", "nao with the authors' controller of recurrent cells", || {
        controller("rnn-ws")
    })),
    lacking(
        Ablation::Ascent,
        entry("nao:no-ascent", "nao that decodes random points", || without(Ablation::Ascent)),
    ),
    lacking(
        Ablation::Decoder,
        entry("nao:no-decoder", "nao that decodes nothing", || without(Ablation::Decoder)),
    ),
    lacking(
        Ablation::Ranks,
        entry("nao:regression", "nao that learns scores instead of ranks", || without(Ablation::Ranks)),
    ),
    lacking(
        Ablation::Ensemble,
        entry("nao:no-ensemble", "nao with a single kernel", || without(Ablation::Ensemble)),
    ),
    lacking(
        Ablation::Pretraining,
        entry("nao:no-pretraining", "nao that learns nothing of the space before", || {
            without(Ablation::Pretraining)
        }),
    ),
    of_kind(
        of_nao(entry("nao:cheap", "nao that looks at labels of short trainings first", structure)),
        SearchKind::CheapTrials,
    ),
    of_kind(
        entry("nao-ws", "the authors' search with shared weights, version 1", || controller("v1")),
        SearchKind::Shared(SharedSearch::First),
    ),
    of_kind(
        entry("nao-v2", "the authors' search with shared weights, version 2", || controller("v2")),
        SearchKind::Shared(SharedSearch::Second),
    ),
    of_kind(
        entry("random-ws", "a fixed pool of random cells with shared weights", || {
            StrategySettings::Elsewhere
        }),
        SearchKind::Shared(SharedSearch::RandomPool),
    ),
    of_kind(
        entry("enas", "a policy and the weights that its cells share, in turns", || {
            StrategySettings::Policy(PolicyConfig::enas())
        }),
        SearchKind::Shared(SharedSearch::Policy),
    ),
    of_kind(
        entry("darts", "by gradient in a relaxed network, of first order", || StrategySettings::Elsewhere),
        SearchKind::Relaxed { second_order: false },
    ),
    of_kind(
        entry("darts:second", "by gradient in a relaxed network, of second order", || {
            StrategySettings::Elsewhere
        }),
        SearchKind::Relaxed { second_order: true },
    ),
];
