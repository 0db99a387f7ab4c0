//! Searches that choose cells before any is trained alone: with shared weights, and in a relaxed network. Image cells have
//! them.

use anyhow::{Result, bail};
use nao_child::language::LanguageRecipe;
use nao_child::relaxed::{Order, RelaxedRecipe};
use nao_child::supernet::{SharingConfig, SharingPreset};
use nao_child::{ArchOf, ImageData, Recipe};
use nao_controller::registry::{SearchKind, SharedSearch, StrategyEntry, StrategySettings};
use nao_space::network::Convention;
use nao_space::{CnnArch, CnnSpace, DartsSpace, OpSet};

use super::config::RunConfig;
use super::in_folder::RunInFolder;
use super::relaxed::{DerivedOutcome, check_relaxed, search_relaxed_network};
use super::shared::{SharedOutcome, check_sharing, search_shared};
use crate::cells::{CellSpace, NamedRecipe};
use crate::registries::{Registries, in_runs};

/// A recipe whose cells may be chosen before any is trained alone. Cells that have no such search keep the refusals.
pub trait SearchedRecipe: NamedRecipe {
    /// Makes the default configuration of a search that of one with shared weights.
    fn share(_config: &mut RunConfig<Self>, entry: &StrategyEntry, _data: &Self::Data) -> Result<()> {
        let name = entry.name;
        bail!(
            "strategy {name} shares the weights of image cells: search with --space cnn, or choose another strategy"
        )
    }

    /// Checks that shared weights fit the data and the space.
    fn check_sharing(_sharing: &SharingConfig, _data: &Self::Data, _space: &Self::Space) -> Result<()> {
        bail!("only image cells are searched with shared weights")
    }

    /// The search with shared weights of a configuration that has one, and what came out of it.
    fn search_shared(_run: RunInFolder<'_, Self>) -> Result<SharedOutcome<Self>> {
        bail!("only image cells are searched with shared weights")
    }

    /// Makes the default configuration of a search that of one in a relaxed network.
    fn relax(_config: &mut RunConfig<Self>, entry: &StrategyEntry, _data: &Self::Data) -> Result<()> {
        let name = entry.name;
        bail!("strategy {name} relaxes image cells: search with --space cnn, or choose another strategy")
    }

    /// Checks that a relaxed network fits the data and the space.
    fn check_relaxed(_recipe: &RelaxedRecipe, _data: &Self::Data, _space: &Self::Space) -> Result<()> {
        bail!("only image cells are searched in a relaxed network")
    }

    /// The search in a relaxed network of a configuration that has one, and what came out of it.
    fn search_relaxed(_run: RunInFolder<'_, Self>) -> Result<DerivedOutcome<ArchOf<Self>>> {
        bail!("only image cells are searched in a relaxed network")
    }
}

impl SearchedRecipe for LanguageRecipe {}

impl SearchedRecipe for Recipe {
    /// Shared weights are usual on the five operations of ENAS.
    fn share(config: &mut RunConfig<Self>, entry: &StrategyEntry, data: &ImageData) -> Result<()> {
        let name = entry.name;
        let SearchKind::Shared(search) = entry.kind else { bail!("strategy {name} does not share weights") };
        let sharing = SharingConfig::of(preset_of(search), data).called(name);
        config.space.ops = OpSet::enas_5().name().to_owned();
        if config.recipe.name == "search" {
            config.recipe = Recipe::named("nao-ws-rank")?;
        }
        config.sharing = Some(sharing);
        Ok(())
    }

    fn check_sharing(sharing: &SharingConfig, data: &ImageData, space: &CnnSpace) -> Result<()> {
        check_sharing(sharing, data, space)
    }

    fn search_shared(run: RunInFolder<'_, Self>) -> Result<SharedOutcome<Self>> {
        search_shared(run)
    }

    /// Cells are those of DARTS, four nodes and seven operations.
    fn relax(config: &mut RunConfig<Self>, entry: &StrategyEntry, data: &ImageData) -> Result<()> {
        let second_order = entry.kind == SearchKind::Relaxed { second_order: true };
        let order = if second_order { Order::Second } else { Order::First };
        let whole = data.name == "cifar10" && config.recipe.name == "search";
        let relaxed = if whole { RelaxedRecipe::published(order) } else { RelaxedRecipe::small(order, data) };
        let cells = DartsSpace::default();
        config.space.ops = cells.ops().name().to_owned();
        config.space.nodes = DartsSpace::NODES;
        // The derived cells are trained in the network whose mixtures chose them.
        config.recipe.structure.convention = Convention::Darts;
        config.relaxed = Some(relaxed);
        Ok(())
    }

    fn check_relaxed(recipe: &RelaxedRecipe, data: &ImageData, space: &CnnSpace) -> Result<()> {
        let cells = DartsSpace::default();
        if (space.ops(), space.nodes()) != (cells.ops(), DartsSpace::NODES) {
            bail!(
                "a relaxed network has cells of {} nodes of the operations {}; leave --ops and --nodes out",
                DartsSpace::NODES,
                cells.ops().name()
            );
        }
        check_relaxed(recipe, data)
    }

    fn search_relaxed(run: RunInFolder<'_, Self>) -> Result<DerivedOutcome<CnnArch>> {
        search_relaxed_network(run)
    }
}

/// What a search with shared weights does with its pool.
fn preset_of(search: SharedSearch) -> SharingPreset {
    match search {
        SharedSearch::First => SharingPreset::KeptPool,
        SharedSearch::Second => SharingPreset::GrowingPool,
        SharedSearch::RandomPool => SharingPreset::FixedPool,
        SharedSearch::Policy => SharingPreset::PolicyPool,
    }
}

/// Checks that a configuration has the section of its search and no other, and that this fits the data and the space.
pub fn check_search_kind<R: SearchedRecipe>(
    config: &RunConfig<R>,
    known: &Registries,
    data: &R::Data,
) -> Result<()> {
    let space = R::Space::of_settings(&config.space)?;
    let kind = known.strategies.entry_of(&config.strategy.name, in_runs)?.kind;
    check_sharing_section(config, known, kind, data, &space)?;
    check_relaxed_section(config, known, kind, data, &space)
}

/// Checks the section of shared weights, which searches with them have and no others.
fn check_sharing_section<R: SearchedRecipe>(
    config: &RunConfig<R>,
    known: &Registries,
    kind: SearchKind,
    data: &R::Data,
    space: &R::Space,
) -> Result<()> {
    let name = &config.strategy.name;
    let Some(sharing) = &config.sharing else {
        if kind.is_shared() {
            bail!("strategy {name} needs a section [sharing]");
        }
        return Ok(());
    };
    if !kind.is_shared() {
        bail!("[sharing] is for searches {}", known.strategies.known(SearchKind::is_shared));
    }
    R::check_sharing(sharing, data, space)?;
    if config.strategy.settings == StrategySettings::Elsewhere && sharing.per_round > 0 {
        bail!(
            "sharing.per_round is {}, and strategy {name} proposes no cells after those of its pool: set it to 0, or \
             choose another strategy",
            sharing.per_round
        );
    }
    let (budget, finalists) = (config.rounds.budget, sharing.finalists);
    if budget != finalists as u64 {
        bail!(
            "rounds.budget is {budget}, and with shared weights it is sharing.finalists = {finalists}: the cells that \
             are trained alone are chosen when the rounds end, so that a larger budget has no more of them"
        );
    }
    Ok(())
}

/// Checks the section of a relaxed network, which searches in one have and no others.
fn check_relaxed_section<R: SearchedRecipe>(
    config: &RunConfig<R>,
    known: &Registries,
    kind: SearchKind,
    data: &R::Data,
    space: &R::Space,
) -> Result<()> {
    let name = &config.strategy.name;
    let Some(relaxed) = &config.relaxed else {
        if kind.is_relaxed() {
            bail!("strategy {name} needs a section [relaxed]");
        }
        return Ok(());
    };
    if !kind.is_relaxed() {
        bail!("[relaxed] is for searches {}", known.strategies.known(SearchKind::is_relaxed));
    }
    R::check_relaxed(relaxed, data, space)?;
    let budget = config.rounds.budget;
    if budget != 1 {
        bail!(
            "rounds.budget is {budget}, and a relaxed network gives 1 cell after relaxed.weights.epochs: a larger \
             budget has no more of them"
        );
    }
    Ok(())
}
