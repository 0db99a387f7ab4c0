//! Searches that choose cells before any is trained alone: with shared weights, and in a relaxed network. Image cells have
//! them.

use anyhow::{Context, Result, bail};
use nao_child::language::LanguageRecipe;
use nao_child::relaxed::{Order, RelaxedRecipe};
use nao_child::supernet::SharingConfig;
use nao_child::{ArchOf, ImageData, Recipe};
use nao_controller::PolicyConfig;
use nao_space::network::Convention;
use nao_space::{CnnArch, CnnSpace, DartsSpace, OpSet};

use super::config::{RunConfig, controller_preset};
use super::in_folder::RunInFolder;
use super::relaxed::{DerivedOutcome, check_relaxed, search_relaxed_network};
use super::shared::{SharedOutcome, check_sharing, search_shared};
use crate::cells::{CellSpace, NamedRecipe};
use crate::strategy::{ENAS, RELAXED_SEARCHES, SHARED_SEARCHES, sharing_preset};

/// A recipe whose cells may be chosen before any is trained alone. Cells that have no such search keep the refusals.
pub trait SearchedRecipe: NamedRecipe {
    /// Makes the default configuration of a search that of one with shared weights.
    fn share(_config: &mut RunConfig<Self>, name: &str, _data: &Self::Data) -> Result<()> {
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
    fn relax(_config: &mut RunConfig<Self>, name: &str, _data: &Self::Data) -> Result<()> {
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
    /// Shared weights are usual on the five operations of ENAS; the authors' controllers propose unless another preset is
    /// asked for. Small pools keep the share of parents of the published ones.
    fn share(config: &mut RunConfig<Self>, name: &str, data: &ImageData) -> Result<()> {
        let shares = sharing_preset(name);
        let shares = shares.with_context(|| format!("strategy {name} does not share weights"))?;
        let sharing = SharingConfig::of(shares, data).called(name);
        let preset = if name == "nao-v2" { "v2" } else { "v1" };
        config.space.ops = OpSet::enas_5().name().to_owned();
        config.strategy.preset = preset.to_owned();
        config.strategy.nao.controller = controller_preset(preset)?;
        config.strategy.nao.seeds = (sharing.pool / 3).clamp(1, 100);
        if name == ENAS {
            config.strategy.policy = PolicyConfig::enas();
        }
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
    fn relax(config: &mut RunConfig<Self>, name: &str, data: &ImageData) -> Result<()> {
        let order = if name.ends_with(":second") { Order::Second } else { Order::First };
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

/// Checks that a configuration has the section of its search, and that this fits the data and the space.
pub fn check_search_kind<R: SearchedRecipe>(config: &RunConfig<R>, data: &R::Data) -> Result<()> {
    let space = R::Space::of_settings(&config.space)?;
    let budget = config.rounds.budget;
    let shares = SHARED_SEARCHES.contains(&config.strategy.name.as_str());
    match &config.sharing {
        Some(sharing) if shares => R::check_sharing(sharing, data, &space)?,
        Some(_) => bail!("[sharing] is for the strategies {}", SHARED_SEARCHES.join(", ")),
        None if shares => bail!("strategy {} needs a section [sharing]", config.strategy.name),
        None => {}
    }
    if let Some(SharingConfig { finalists, .. }) = config.sharing
        && budget != finalists as u64
    {
        bail!(
            "rounds.budget is {budget}, and with shared weights it is sharing.finalists = {finalists}: the cells that \
                 are trained alone are chosen when the rounds end, so that a larger budget has no more of them"
        );
    }
    let relaxes = RELAXED_SEARCHES.contains(&config.strategy.name.as_str());
    match &config.relaxed {
        Some(relaxed) if relaxes => R::check_relaxed(relaxed, data, &space)?,
        Some(_) => bail!("[relaxed] is for the strategies {}", RELAXED_SEARCHES.join(", ")),
        None if relaxes => bail!("strategy {} needs a section [relaxed]", config.strategy.name),
        None => {}
    }
    if config.relaxed.is_some() && budget != 1 {
        bail!(
            "rounds.budget is {budget}, and a relaxed network gives 1 cell after relaxed.weights.epochs: a larger \
                 budget has no more of them"
        );
    }
    Ok(())
}
