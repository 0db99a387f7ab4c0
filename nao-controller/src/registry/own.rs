//! Strategies that a program registers beside those of this crate.

use std::error::Error;

use nao_space::search::Strategy;
use nao_space::{
    ChoiceSpace, CnnSpace, DartsSpace, Graphs, HierarchicalSpace, Levels, NasBench101Space, NasBench201Space,
    RnnSpace, Space,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::config::{StrategySettings, read};
use super::entry::{Asking, SearchKind, StrategyEntry};
use super::error::StrategyError;

/// What a registered strategy may say.
type OwnError = Box<dyn Error + Send + Sync>;

/// A strategy of one's own, for any space. It is searched with, listed and set like those of this crate.
///
/// ```
/// use nao_controller::registry::{NoSettings, OwnStrategy, Strategies};
/// use nao_space::{Graphs, Levels};
/// use nao_space::search::{RandomSearch, Strategy};
///
/// struct Dice;
///
/// impl OwnStrategy for Dice {
///     const NAME: &'static str = "dice";
///     const ABOUT: &'static str = "architectures as they fall";
///     type Settings = NoSettings;
///     fn build<S: Graphs + Levels>(
///         &self,
///         _: NoSettings,
///         space: S,
///         seed: u64,
///     ) -> Result<Box<dyn Strategy<S>>, Box<dyn std::error::Error + Send + Sync>> {
///         Ok(Box::new(RandomSearch::new(space, seed)))
///     }
/// }
///
/// assert!(Strategies::default().with(Dice).entry("dice").is_ok());
/// ```
pub trait OwnStrategy: Send + Sync + 'static {
    /// The name under which users choose it.
    const NAME: &'static str;
    /// What it does, in one line.
    const ABOUT: &'static str;
    /// How many architectures it is best asked for at a time.
    const ASKING: Asking = Asking::Rounds;
    /// Its settings, which stand beside the name in configurations. Their defaults are those of users who set nothing.
    type Settings: Serialize + DeserializeOwned + Default;

    /// A search of a space.
    ///
    /// # Errors
    /// When these settings cannot be: it is said as it is, after the name of the strategy.
    fn build<S: Graphs + Levels>(
        &self,
        settings: Self::Settings,
        space: S,
        seed: u64,
    ) -> Result<Box<dyn Strategy<S>>, OwnError>;
}

/// The settings of a strategy that has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

/// The entry of a strategy.
pub(super) fn entry_of<F: OwnStrategy>(_: &F) -> StrategyEntry {
    StrategyEntry {
        name: F::NAME,
        stands_for: F::NAME,
        about: F::ABOUT,
        kind: SearchKind::Trials,
        asking: F::ASKING,
        lacks: None,
        fixed: &[],
        unread_before: &[],
        settings: defaults::<F>,
    }
}

fn defaults<F: OwnStrategy>() -> StrategySettings {
    match serde_json::to_value(F::Settings::default()) {
        Ok(Value::Object(table)) => StrategySettings::Own(table),
        other => panic!("the settings of the strategy {} are no table: {other:?}", F::NAME),
    }
}

/// A registered strategy for one type of space.
pub trait BuildFor<S: Space> {
    /// As [`OwnStrategy::build`], with the settings as a table.
    ///
    /// # Errors
    /// When the settings are not those of the strategy, or cannot be.
    fn build_for(
        &self,
        settings: &Map<String, Value>,
        space: S,
        seed: u64,
    ) -> Result<Box<dyn Strategy<S>>, StrategyError>;
}

impl<S: Graphs + Levels, F: OwnStrategy> BuildFor<S> for F {
    fn build_for(
        &self,
        settings: &Map<String, Value>,
        space: S,
        seed: u64,
    ) -> Result<Box<dyn Strategy<S>>, StrategyError> {
        let settings = read(settings.clone())?;
        self.build(settings, space, seed)
            .map_err(|source| StrategyError::Own { name: F::NAME.to_owned(), source })
    }
}

/// A registered strategy, whatever its type. A value behind a pointer has no generic functions, so that the types of spaces
/// are listed: those of nao-space, which are all that runs and tables have.
pub trait Registered:
    BuildFor<ChoiceSpace>
    + BuildFor<CnnSpace>
    + BuildFor<DartsSpace>
    + BuildFor<HierarchicalSpace>
    + BuildFor<NasBench101Space>
    + BuildFor<NasBench201Space>
    + BuildFor<RnnSpace>
    + Send
    + Sync
{
    /// Whether settings are those of the strategy.
    ///
    /// # Errors
    /// Names the one that is not.
    fn check(&self, settings: &Map<String, Value>) -> Result<(), StrategyError>;
}

impl<F: OwnStrategy> Registered for F {
    fn check(&self, settings: &Map<String, Value>) -> Result<(), StrategyError> {
        read::<F::Settings>(settings.clone()).map(drop)
    }
}

/// A space for which registered strategies can be made.
pub trait RegisteredSpace: Graphs + Levels {
    /// What makes a strategy for this space.
    fn builder(strategy: &dyn Registered) -> &dyn BuildFor<Self>;
}

macro_rules! registered_spaces {
    ($($space:ty),*) => {
        $(impl RegisteredSpace for $space {
            fn builder(strategy: &dyn Registered) -> &dyn BuildFor<Self> {
                strategy
            }
        })*
    };
}

registered_spaces!(
    ChoiceSpace,
    CnnSpace,
    DartsSpace,
    HierarchicalSpace,
    NasBench101Space,
    NasBench201Space,
    RnnSpace
);
