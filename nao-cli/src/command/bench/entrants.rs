//! Who searches: strategies by name, with what they need of a table.

use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Result, bail};
use burn::tensor::Device;
use nao_controller::{
    Ablation, CheapConfig, ControllerConfig, Enumeration, Language, LinearSearch, NaoConfig, NaoSearch,
    PretrainedSpace, PretrainingConfig, StructureConfig, StructureSearch,
};
use nao_space::Space;
use nao_space::search::{Account, Strategy};

use super::values::Values;
use crate::args::{BenchArgs, BenchMode};
use crate::pretrained::pretrained;
use crate::run::{STRUCTURE, StrategyConfig, controller_preset};
use crate::strategy;

/// The strategy that every table has, so that there is a ground to stand on.
const ALWAYS: &str = "random";

/// Epochs per round of the authors' controllers, where none are named.
const CONTROLLER_EPOCHS: usize = 200;

/// A strategy as it was named.
pub struct Entrant {
    pub name: String,
    kind: Kind,
}

enum Kind {
    /// NAO on structure, whole or without a part.
    Structure(StructureConfig),
    /// NAO on structure that looks at cheap labels first.
    Cheap(StructureConfig, CheapConfig),
    /// NAO with a controller of the authors.
    Controller(NaoConfig),
    /// Ridge regression.
    Linear,
    /// Any other of those that `search` knows.
    Other,
}

impl Entrant {
    /// All that were named, without those that were named before, and random search.
    pub fn all<S: Space>(args: &BenchArgs, values: &Values<S>) -> Result<Vec<Self>> {
        let mut names: Vec<String> =
            args.strategies.split(',').map(|name| name.trim().to_owned()).filter(|n| !n.is_empty()).collect();
        if args.ablations {
            names.push("nao".to_owned());
            names.extend(Ablation::ALL.map(|ablation| format!("nao:{}", ablation.name())));
        }
        names.push(ALWAYS.to_owned());
        let mut entrants: Vec<Entrant> = Vec::new();
        for name in names {
            if entrants.iter().all(|entrant| entrant.name != name) {
                let entrant = Entrant::named(name, args, values.whole)?;
                if matches!(entrant.kind, Kind::Cheap(..)) && values.cheap.is_none() {
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

    fn named(name: String, args: &BenchArgs, whole: bool) -> Result<Self> {
        let kind = match name.split_once(':') {
            Some(("nao", variant)) => variant_of_nao(variant, &name, args)?,
            None if name == "nao" => Kind::Structure(StructureConfig::default()),
            None if name == "linear" => Kind::Linear,
            _ => {
                strategy::check_name(&name)?;
                Kind::Other
            }
        };
        let entrant = Entrant { name, kind };
        if !(whole || entrant.name == ALWAYS || entrant.enumerates(args)) {
            bail!(
                "`{}` proposes cells that this table does not have; nao, linear and random can draw from the table: \
                 --mode enumerate",
                entrant.name
            );
        }
        Ok(entrant)
    }

    /// Whether it draws from the table instead of from the space.
    fn enumerates(&self, args: &BenchArgs) -> bool {
        args.mode == BenchMode::Enumerate
            && matches!(self.kind, Kind::Structure(_) | Kind::Cheap(..) | Kind::Linear)
    }

    /// The settings of NAO on structure.
    fn structure(&self) -> Option<&StructureConfig> {
        match &self.kind {
            Kind::Structure(config) | Kind::Cheap(config, _) => Some(config),
            Kind::Controller(_) | Kind::Linear | Kind::Other => None,
        }
    }

    /// Whether it is asked for one architecture after another: it looks at one neighbour at a time, or breeds one child.
    pub fn one_by_one(&self) -> bool {
        strategy::goes_one_by_one(&self.name)
    }

    /// Architectures of its first round.
    pub fn initial(&self, args: &BenchArgs) -> u64 {
        if self.name == "local" { 1 } else { args.initial.min(args.budget) }
    }
}

/// `nao` with a preset or without a part.
fn variant_of_nao(variant: &str, name: &str, args: &BenchArgs) -> Result<Kind> {
    if variant == STRUCTURE {
        return Ok(Kind::Structure(StructureConfig::default()));
    }
    if variant == "cheap" {
        let looks = args.cheap_looks.map(|looks| CheapConfig { per_round: looks as usize });
        let looks = looks.unwrap_or_default();
        return Ok(Kind::Cheap(StructureConfig::default(), looks));
    }
    if let Some(ablation) = Ablation::named(variant) {
        let made = [Ablation::Ascent, Ablation::Decoder, Ablation::Pretraining].contains(&ablation);
        if made && args.mode == BenchMode::Enumerate {
            bail!("`{name}` is `nao` where every cell of the table is scored: use --mode generate");
        }
        return Ok(Kind::Structure(ablation.of(StructureConfig::default())));
    }
    let Ok(controller) = controller_preset(variant) else {
        let ablations = Ablation::ALL.map(Ablation::name).join(", ");
        bail!(
            "unknown `{name}`; after nao: come v1, v2, paper, rnn-ws, cheap, or a part that is left out: {ablations}"
        );
    };
    let controller =
        ControllerConfig { epochs: args.controller_epochs.unwrap_or(CONTROLLER_EPOCHS), ..controller };
    Ok(Kind::Controller(NaoConfig { controller, seeds: args.per_round as usize, ..NaoConfig::default() }))
}

/// What entrants need of a table besides its values; those with equal settings share it.
pub struct Equipment<'a, S: Space> {
    values: &'a Values<S>,
    mode: BenchMode,
    learned: Vec<Arc<PretrainedSpace>>,
    enumeration: Option<Arc<Enumeration<S>>>,
}

impl<'a, S: Space> Equipment<'a, S> {
    /// Learns the space as the entrants need.
    pub fn new(values: &'a Values<S>, entrants: &[Entrant], mode: BenchMode) -> Result<Self> {
        let mut equipment = Equipment { values, mode, learned: Vec::new(), enumeration: None };
        let space = values.table.space();
        for entrant in entrants {
            let Some(config) = entrant.structure() else { continue };
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
        match &entrant.kind {
            Kind::Structure(config) => Ok(Box::new(self.search(config, seed)?)),
            Kind::Cheap(config, looks) => {
                let values = self.values;
                let Some(cheap) = values.cheap.clone() else {
                    bail!("{} has no cheap labels", values.table.name())
                };
                let (space, objective) = (space.clone(), values.objective.clone());
                let account = Rc::clone(account);
                let look = move |arch: &S::Arch| {
                    let value = *cheap.values.get(&space.key(arch))?;
                    account.charge_cheap_look(cheap.epochs.into());
                    Some(objective.merit(value))
                };
                Ok(Box::new(self.search(config, seed)?.looking_cheaply(*looks, Box::new(look))))
            }
            Kind::Controller(config) => {
                let controller = config.controller.clone().fitted_to(&Language::of(space));
                let config = NaoConfig { controller, ..config.clone() };
                Ok(Box::new(NaoSearch::new(space.clone(), config, seed, Device::flex())?))
            }
            Kind::Linear if self.mode == BenchMode::Enumerate => {
                let archs = Arc::clone(&self.values.archs);
                Ok(Box::new(LinearSearch::new(space.clone(), seed).enumerating(archs)))
            }
            Kind::Linear | Kind::Other => {
                let config = StrategyConfig::new(&entrant.name, NaoConfig::default());
                let nothing = || bail!("only nao learns before it searches");
                strategy::build(&config, seed, space, &Device::flex(), nothing)
            }
        }
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
