//! Who searches: strategies by name, with what they need of a table.

use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Result, bail};
use burn::tensor::Device;
use nao_controller::registry::{
    Asking, RegisteredSpace, SearchKind, Strategies, StrategyConfig, StrategyEntry, StrategySettings,
};
use nao_controller::{
    Ablation, CheapConfig, CheapLook, ControllerConfig, Enumeration, Language, LinearSearch, NaoConfig,
    NaoSearch, PretrainedSpace, PretrainingConfig, StructureConfig, StructureSearch,
};
use nao_space::search::{Account, Strategy};
use nao_space::{Graphs, Space};

use super::values::Values;
use crate::args::{BenchArgs, BenchMode};
use crate::flags::refuse_idle;
use crate::pretrained::pretrained;
use crate::registries::in_tables;

/// The strategy that every table has, so that there is a ground to stand on.
const ALWAYS: &str = "random";

/// Epochs per round of the authors' controllers, where none are named.
const CONTROLLER_EPOCHS: usize = 200;

/// Cheap labels at which a search looks in each round, where none are named.
const CHEAP_LOOKS: u64 = 20;

/// A strategy as it was named.
pub struct Entrant {
    pub name: String,
    asking: Asking,
    config: StrategyConfig,
    /// How often it looks at cheap labels, if it does.
    cheap: Option<CheapConfig>,
}

impl Entrant {
    /// All that were named, without those that were named before, and random search.
    pub fn all<S: Space>(known: &Strategies, args: &BenchArgs, values: &Values<S>) -> Result<Vec<Self>> {
        let mut entrants: Vec<Entrant> = Vec::new();
        for entry in named(known, args)? {
            if entrants.iter().all(|entrant| entrant.name != entry.name) {
                let entrant = Entrant::new(entry, args, values.whole)?;
                if entrant.cheap.is_some() && values.cheap.is_none() {
                    let table = values.table.name();
                    bail!(
                        "`{}` looks at labels of 12 epochs first; {table} has none beside those searched",
                        entrant.name
                    );
                }
                entrants.push(entrant);
            }
        }
        Ok(entrants)
    }

    fn new(entry: &StrategyEntry, args: &BenchArgs, whole: bool) -> Result<Self> {
        let enumerates = args.mode == BenchMode::Enumerate;
        let moved = [Ablation::Ascent, Ablation::Decoder, Ablation::Pretraining];
        if enumerates && entry.lacks.is_some_and(|part| moved.contains(&part)) {
            bail!(
                "`{}` is `{}` where every cell of the table is scored: use --mode generate",
                entry.name,
                entry.stands_for
            );
        }
        let looks = || CheapConfig { per_round: args.cheap_looks.unwrap_or(CHEAP_LOOKS) as usize };
        let entrant = Entrant {
            name: entry.name.to_owned(),
            asking: entry.asking,
            config: as_in_bench(entry.config(), args),
            cheap: (entry.kind == SearchKind::CheapTrials).then(looks),
        };
        let draws = enumerates && entrant.enumerates();
        if !(whole || draws || entry.name == ALWAYS) {
            bail!(
                "`{}` proposes cells that this table does not have; nao, linear and random can draw from the table: \
                 --mode enumerate",
                entrant.name
            );
        }
        Ok(entrant)
    }

    /// Whether it can draw from the table instead of from the space.
    fn enumerates(&self) -> bool {
        matches!(self.config.settings, StrategySettings::Structure(_) | StrategySettings::Linear)
    }

    /// How many architectures it is asked for at a time, where rounds have so many.
    pub fn per_round(&self, per_round: u64) -> u64 {
        if self.asking == Asking::Rounds { per_round } else { 1 }
    }

    /// Architectures of its first round.
    pub fn initial(&self, args: &BenchArgs) -> u64 {
        if self.asking == Asking::OneByOneFromTheFirst { 1 } else { args.initial.min(args.budget) }
    }
}

/// The entries of all names, random search last.
fn named<'a>(known: &'a Strategies, args: &BenchArgs) -> Result<Vec<&'a StrategyEntry>> {
    let names = args.strategies.split(',').map(str::trim).filter(|name| !name.is_empty());
    let mut entries: Vec<&StrategyEntry> =
        names.map(|name| known.entry_of(name, in_tables)).collect::<Result<_, _>>()?;
    if args.ablations {
        let whole = known.entry("nao")?;
        entries.push(whole);
        entries.extend(known.entries().filter(|entry| entry.lacks.is_some()));
    }
    entries.push(known.entry(ALWAYS)?);
    Ok(entries)
}

/// Refuses flags that do nothing for the strategies that were named.
pub fn check_flags(known: &Strategies, args: &BenchArgs) -> Result<()> {
    let entries = named(known, args)?;
    let has_controller =
        entries.iter().any(|entry| matches!((entry.settings)(), StrategySettings::Controller { .. }));
    let idle = ("controller-epochs", args.controller_epochs.is_some() && !has_controller);
    refuse_idle([idle], "none of the strategies has a controller of the authors (nao:v1, nao:v2, ...)")?;
    let looks = entries.iter().any(|entry| entry.kind == SearchKind::CheapTrials);
    let idle = ("cheap-looks", args.cheap_looks.is_some() && !looks);
    refuse_idle([idle], "nao:cheap is none of the strategies")
}

/// The configuration of a strategy in a contest: the authors' controllers move as many parents as a round has, and train as
/// long as is asked for.
fn as_in_bench(config: StrategyConfig, args: &BenchArgs) -> StrategyConfig {
    let settings = match config.settings {
        StrategySettings::Controller { preset, config } => {
            let epochs = args.controller_epochs.unwrap_or(CONTROLLER_EPOCHS);
            let controller = ControllerConfig { epochs, ..config.controller };
            let config = NaoConfig { controller, seeds: args.per_round as usize, ..config };
            StrategySettings::Controller { preset, config }
        }
        settings => settings,
    };
    StrategyConfig { settings, ..config }
}

/// What entrants need of a table besides its values; those with equal settings share it.
pub struct Equipment<'a, S: Graphs> {
    known: &'a Strategies,
    values: &'a Values<S>,
    mode: BenchMode,
    learned: Vec<Arc<PretrainedSpace>>,
    enumeration: Option<Arc<Enumeration<S>>>,
}

impl<'a, S: RegisteredSpace> Equipment<'a, S> {
    /// Learns the space as the entrants need.
    pub fn new(
        known: &'a Strategies,
        values: &'a Values<S>,
        entrants: &[Entrant],
        mode: BenchMode,
    ) -> Result<Self> {
        let mut equipment = Equipment { known, values, mode, learned: Vec::new(), enumeration: None };
        let space = values.table.space();
        for entrant in entrants {
            let Some(config) = entrant.config.structure() else { continue };
            let pretraining = equipment.pretraining(config);
            if equipment.learned_with(&pretraining).is_some() {
                continue;
            }
            // What needs no training needs no cache.
            let learned = match pretraining.steps {
                0 => Arc::new(PretrainedSpace::learn(space, &pretraining, &Device::flex())?),
                _ => pretrained(space, &pretraining, &Device::flex(), None)?,
            };
            if mode == BenchMode::Enumerate {
                let archs = values.archs.iter().cloned();
                equipment.enumeration = Some(Arc::new(Enumeration::new(space, &learned, archs)));
            }
            equipment.learned.push(learned);
        }
        Ok(equipment)
    }

    fn pretraining(&self, config: &StructureConfig) -> PretrainingConfig {
        match self.mode {
            // Nothing is moved, so that only the features are needed.
            BenchMode::Enumerate => PretrainingConfig { steps: 0, cells: 1, ..config.pretraining.clone() },
            BenchMode::Generate => config.pretraining.clone(),
        }
    }

    fn learned_with(&self, pretraining: &PretrainingConfig) -> Option<&Arc<PretrainedSpace>> {
        self.learned.iter().find(|learned| learned.config() == pretraining)
    }

    /// A search of an entrant, which charges its cheap looks to this account.
    pub fn strategy(
        &self,
        entrant: &Entrant,
        seed: u64,
        account: &Rc<Account>,
    ) -> Result<Box<dyn Strategy<S>>> {
        let space = self.values.table.space();
        match &entrant.config.settings {
            StrategySettings::Structure(config) => {
                let search = self.search(config, seed)?;
                Ok(match entrant.cheap {
                    Some(looks) => Box::new(search.looking_cheaply(looks, self.cheap_look(account)?)),
                    None => Box::new(search),
                })
            }
            StrategySettings::Controller { config, .. } => {
                let controller = config.controller.clone().fitted_to(&Language::of(space));
                let config = NaoConfig { controller, ..config.clone() };
                Ok(Box::new(NaoSearch::new(space.clone(), config, seed, Device::flex())?))
            }
            StrategySettings::Linear if self.mode == BenchMode::Enumerate => {
                let archs = Arc::clone(&self.values.archs);
                Ok(Box::new(LinearSearch::new(space.clone(), seed).enumerating(archs)))
            }
            _ => {
                let nothing = || bail!("only nao learns before it searches");
                self.known.build(&entrant.config, space.clone(), seed, &Device::flex(), nothing)
            }
        }
    }

    /// What looks at a cheap label and charges it.
    fn cheap_look(&self, account: &Rc<Account>) -> Result<CheapLook<S::Arch>> {
        let values = self.values;
        let Some(cheap) = values.cheap.clone() else { bail!("{} has no cheap labels", values.table.name()) };
        let (space, objective) = (values.table.space().clone(), values.objective.clone());
        let account = Rc::clone(account);
        Ok(Box::new(move |arch: &S::Arch| {
            let value = *cheap.values.get(&space.key(arch))?;
            account.charge_cheap_look(cheap.epochs.into());
            Some(objective.merit(value))
        }))
    }

    /// A search of NAO on structure.
    fn search(&self, config: &StructureConfig, seed: u64) -> Result<StructureSearch<S>> {
        let pretraining = self.pretraining(config);
        let learned = self.learned_with(&pretraining).expect("the space was learned for every entrant");
        let config = StructureConfig { pretraining, ..config.clone() };
        let search =
            StructureSearch::new(self.values.table.space().clone(), config, seed, Arc::clone(learned))?;
        Ok(match &self.enumeration {
            Some(enumeration) => search.enumerating(Arc::clone(enumeration)),
            None => search,
        })
    }
}
