//! The settings of searches with shared weights, named and fully resolved.

use nao_space::Fidelity;
use nao_space::network::Convention;
use serde::{Deserialize, Serialize};

use super::child::Norms;
use crate::data::ImageData;
use crate::fidelity::fidelity_of;
use crate::names::NameConvention;
use crate::recipe::{Recipe, RecipeError, Score, Structure, cifar10_small, digits, search};

/// Which architectures a step of training may draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrainedOn {
    /// Those of the pool.
    Pool,
    /// Those that came into the pool last.
    Newest,
    /// Any of the space.
    Space,
}

/// How a step draws one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// All alike.
    Uniform,
    /// In proportion to the parameters of their stand-alone networks on the same skeleton: larger networks need more
    /// steps. Counts have no meaning for [`TrainedOn::Space`].
    Parameters,
}

/// What becomes of the pool when new architectures come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolRule {
    /// It keeps its size: the worst make room.
    KeepSize,
    /// It grows.
    Grow,
    /// None come: nobody proposes.
    Fixed,
}

/// Everything about a search with shared weights but space, data, seed and who proposes. In files, every field is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharingConfig {
    /// Whether strided identities share the reductions of a node (`v1`) or each branch has its own (`v2`).
    pub form: NameConvention,
    /// Rounds of training and scoring; after all but the last new architectures are proposed.
    pub rounds: u32,
    /// Architectures of the first pool, drawn at random.
    pub pool: usize,
    /// New architectures per round.
    pub per_round: usize,
    /// What becomes of the pool when they come.
    pub pool_rule: PoolRule,
    /// Which architectures the steps draw.
    pub trained_on: TrainedOn,
    /// How.
    pub sampling: Sampling,
    /// Whether learning rate and drop-path begin anew with each round.
    pub restarts: bool,
    /// By what norms normalise when an architecture is scored.
    pub norms: Norms,
    /// Updates of the policy per round, each on a batch of cells and a batch of validation images, where a policy proposes.
    #[serde(default)]
    pub policy_updates: usize,
    /// How many of the best are trained from scratch at the end.
    pub finalists: usize,
    /// The training of the shared weights; its epochs are those of one round, and its validation images the ones that
    /// score every architecture.
    pub training: Recipe,
}

/// A way of searching with shared weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharingPreset {
    /// The whole pool is trained on and keeps its size: the authors' V1 (docs/specification.md, d.3).
    KeptPool,
    /// The newest are trained on, larger ones oftener, and the pool grows: the authors' V2 (docs/specification.md, d.4).
    GrowingPool,
    /// The whole space is trained on; many cells are scored, none proposed: random search.
    FixedPool,
    /// The cells that a policy proposes are trained on, in many short rounds: ENAS (Pham et al., ICML 2018).
    PolicyPool,
}

impl SharingConfig {
    /// The settings of a search on that data: the published ones for the whole of CIFAR-10, small ones for a part of it
    /// and for the digits.
    pub fn of(preset: SharingPreset, data: &ImageData) -> Self {
        let published = data.development >= 20_000;
        let base = match (published, data.name.as_str()) {
            (true, _) => published_v1(),
            (false, "digits") => small(digits_shared(), 40, 20),
            (false, _) => small(cifar10_shared(), 48, 24),
        };
        match preset {
            SharingPreset::KeptPool => base,
            SharingPreset::GrowingPool if published => published_v2(base),
            SharingPreset::GrowingPool => v2(base),
            SharingPreset::FixedPool => random(base, published),
            SharingPreset::PolicyPool if published => published_enas(base),
            SharingPreset::PolicyPool => enas(base),
        }
    }

    /// The same under another name, which results carry.
    #[must_use]
    pub fn called(mut self, name: impl Into<String>) -> Self {
        self.training.name = name.into();
        self
    }

    /// Epochs over all rounds.
    pub fn epochs(&self) -> u32 {
        self.rounds * self.training.epochs
    }

    /// Epochs that learning rate and drop-path take to run their course.
    pub fn schedule_epochs(&self) -> u32 {
        if self.restarts { self.training.epochs } else { self.epochs() }
    }

    /// How thoroughly it tries an architecture after that many epochs, and how it is judged.
    pub fn fidelity(&self, epochs: u32) -> Fidelity {
        let norms = match self.norms {
            Norms::Batch => "batch",
            Norms::BatchInCells => "batch in cells",
            Norms::Running => "running",
        };
        let name = format!("{}, shared weights, {norms} statistics", self.training.name);
        fidelity_of(name, epochs, self)
    }

    /// Checks the values, and that the training is for that data.
    ///
    /// # Errors
    /// Names the field and its rule.
    pub fn check(&self, data: &ImageData) -> Result<(), RecipeError> {
        let count = |value: usize| value as f64;
        let space_by_parameters =
            self.trained_on == TrainedOn::Space && self.sampling == Sampling::Parameters;
        let proposes = self.pool_rule != PoolRule::Fixed;
        type Rule = (&'static str, f64, bool, &'static str);
        let rules: [Rule; 6] = [
            ("rounds", self.rounds.into(), self.rounds > 0, "at least 1"),
            ("pool", count(self.pool), self.pool > 0, "at least 1"),
            (
                "per_round",
                count(self.per_round),
                (self.per_round > 0) == proposes,
                "at least 1, and 0 where the pool is fixed",
            ),
            (
                "per_round",
                count(self.per_round),
                self.pool_rule != PoolRule::KeepSize || self.per_round <= self.pool,
                "at most the pool, whose size is kept",
            ),
            (
                "sampling by parameters",
                f64::from(u8::from(space_by_parameters)),
                !space_by_parameters,
                "uniform where the whole space is trained on",
            ),
            ("finalists", count(self.finalists), self.finalists > 0, "at least 1"),
        ];
        if let Some((field, value, _, rule)) = rules.into_iter().find(|&(_, _, holds, _)| !holds) {
            return Err(RecipeError::Value { recipe: self.training.name.clone(), field, value, rule });
        }
        self.training.check(data)
    }
}

/// docs/specification.md, d.3.
fn published_v1() -> SharingConfig {
    let training = Recipe {
        source: "Luo et al. 2018, search with weight sharing; authors' PyTorch repository, V1".into(),
        structure: Structure {
            cells_per_stage: 3,
            width: 20,
            stem_multiplier: 3,
            auxiliary: false,
            convention: Convention::NaoTorch,
        },
        epochs: 30,
        batch: 64,
        learning_rate: 0.025,
        learning_rate_min: 0.001,
        cosine_epochs: 150,
        weight_decay: 3e-4,
        auxiliary_weight: 0.0,
        drop_path_keep: 0.9,
        score: Score::LastEpoch,
        ..search()
    };
    SharingConfig {
        form: NameConvention::V1,
        rounds: 5,
        pool: 600,
        per_round: 300,
        pool_rule: PoolRule::KeepSize,
        trained_on: TrainedOn::Pool,
        sampling: Sampling::Uniform,
        restarts: false,
        norms: Norms::Batch,
        policy_updates: 0,
        finalists: 5,
        training,
    }
}

/// docs/specification.md, d.4.
fn published_v2(base: SharingConfig) -> SharingConfig {
    let source = "Luo et al. 2019, balanced search; authors' PyTorch repository, V2".into();
    let training = Recipe { source, epochs: 50, cosine_epochs: 50, ..base.training.clone() };
    SharingConfig { rounds: 4, pool: 1_000, training, ..v2(base) }
}

/// V2's way with the sizes of `base`.
fn v2(base: SharingConfig) -> SharingConfig {
    let cosine_epochs = base.training.epochs;
    SharingConfig {
        form: NameConvention::V2,
        pool_rule: PoolRule::Grow,
        trained_on: TrainedOn::Newest,
        sampling: Sampling::Parameters,
        restarts: true,
        training: Recipe { cosine_epochs, ..base.training },
        ..base
    }
}

/// Random search with the same training: many cells are scored, none proposed.
fn random(base: SharingConfig, published: bool) -> SharingConfig {
    let scored = base.pool + base.per_round * (base.rounds as usize - 1);
    SharingConfig {
        pool: if published { 1_000 } else { scored },
        per_round: 0,
        pool_rule: PoolRule::Fixed,
        trained_on: TrainedOn::Space,
        sampling: Sampling::Uniform,
        ..base
    }
}

/// The search of ENAS (Pham et al., ICML 2018; authors' repository): after every epoch of the weights 30 updates of the
/// policy. Cells are drawn from it anew for every round, not for every step, and the rate falls along one cosine where
/// theirs has several.
fn published_enas(base: SharingConfig) -> SharingConfig {
    let training = Recipe {
        source: "Pham et al. 2018, micro search; authors' repository".into(),
        structure: Structure { cells_per_stage: 2, ..base.training.structure },
        epochs: 1,
        batch: 160,
        learning_rate: 0.05,
        learning_rate_min: 5e-4,
        cosine_epochs: 150,
        nesterov: true,
        weight_decay: 2e-4,
        dropout_keep: 0.9,
        drop_path_keep: 0.6,
        ..base.training.clone()
    };
    SharingConfig { rounds: 150, training, ..enas(SharingConfig { policy_updates: 30, ..base }) }
}

/// ENAS's way with as many epochs as `base`, two of them per round.
fn enas(base: SharingConfig) -> SharingConfig {
    let epochs = base.epochs();
    SharingConfig {
        rounds: (epochs / 2).max(1),
        pool: 20,
        per_round: 20,
        pool_rule: PoolRule::KeepSize,
        trained_on: TrainedOn::Newest,
        policy_updates: if base.policy_updates > 0 { base.policy_updates } else { 30 },
        training: Recipe { epochs: 2, cosine_epochs: epochs, ..base.training },
        ..base
    }
}

fn small(training: Recipe, pool: usize, per_round: usize) -> SharingConfig {
    let rounds = 4;
    let training = Recipe { cosine_epochs: rounds * training.epochs, ..training };
    SharingConfig { rounds, pool, per_round, training, ..published_v1() }
}

/// For the digits: two minutes on two cores. After 48 epochs on a pool of 40 its cells have a mean accuracy of 0.41 at a
/// rate of 0.025 and of 0.60 at 0.1: every weight gets few steps, so they had better be large.
fn digits_shared() -> Recipe {
    Recipe { epochs: 12, learning_rate: 0.1, learning_rate_min: 0.001, validation_fraction: 0.2, ..digits() }
}

/// For a few thousand images of CIFAR-10: about a quarter of an hour on two cores.
fn cifar10_shared() -> Recipe {
    Recipe { epochs: 8, learning_rate: 0.1, learning_rate_min: 0.001, ..cifar10_small() }
}
