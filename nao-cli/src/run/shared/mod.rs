//! A search with shared weights in a run folder: its rounds, its files, and the cells that it hands on to be trained
//! alone.

mod files;
mod finalists;
mod persistent;
mod policy;
mod proposer;

use std::sync::Arc;

use anyhow::{Context, Result};
use burn::tensor::Device;
use nao_child::supernet::{
    Member, SharedRound, SharedSearch, SharedSearchError, SharedTraining, SharingConfig, Supernet,
};
use nao_child::{ArchOf, ImageData, Recipe, TrainError};
use nao_controller::PretrainingConfig;
use nao_controller::registry::StrategySettings;
use nao_run::RunFolder;
use nao_run::files::write_whole;
use nao_space::network::SupernetPlan;
use nao_space::search::{Origin, Proposal};
use nao_space::seed::rng_for;
use nao_space::{CnnSpace, counted};
use serde::{Deserialize, Serialize};

use self::files::{SharedFiles, StoredRound};
use self::persistent::PersistentProposer;
use self::policy::PolicyProposer;
use self::proposer::StrategyProposer;
use super::config::RunConfig;
use super::in_folder::RunInFolder;
use crate::cells::{CellSpace, NamedRecipe};
use crate::failure::{Interrupted, RunFailed, stopped_at};
use crate::figures::figure;
use crate::pretrained::pretrained;
use crate::progress::TrainProgress;

pub use files::latest_weights;
pub use finalists::Finalists;

/// What came out of it.
pub struct SharedOutcome<R: NamedRecipe> {
    /// The cells to be trained alone, best first.
    pub finalists: Vec<Proposal<ArchOf<R>>>,
    /// What the rounds did.
    pub report: SharedReport,
}

/// The record of a search with shared weights, as in `supernet/report.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharedReport {
    /// How the result is chosen, in words.
    pub selection: String,
    /// Images that scored every cell.
    pub validation_images: usize,
    /// The seed of their choice.
    pub split_seed: u64,
    /// Every round.
    pub rounds: Vec<SharedRound>,
}

/// Checks that shared weights fit the images and the space.
pub fn check_sharing(sharing: &SharingConfig, data: &ImageData, space: &CnnSpace) -> Result<()> {
    sharing.check(data).context("sharing")?;
    SupernetPlan::new(space, &sharing.training.skeleton(data))
        .context("no network fits these images and settings")?;
    Ok(())
}

/// Runs all rounds that are not done, each kept whole before the next begins.
pub fn search_shared(run: RunInFolder<'_, Recipe>) -> Result<SharedOutcome<Recipe>> {
    let RunInFolder { folder, config, data, device, interrupt } = run;
    let sharing = config.sharing.clone().context("the configuration has no section [sharing]")?;
    let space = CnnSpace::of_settings(&config.space)?;
    let files = SharedFiles::of(folder)?;
    let (mut search, mut rounds) = opened(&sharing, config.seed, &space, data, &device, &files)?;
    let learned =
        |config: &PretrainingConfig| pretrained(&space, config, &device, Some(&folder.pretrained()));
    let mut proposer: Box<dyn PersistentProposer + '_> = match &config.strategy.settings {
        StrategySettings::Policy(policy) => {
            let (policy, updates) = (policy.clone(), sharing.policy_updates);
            Box::new(PolicyProposer::new(&space, policy, updates, sharing.norms, config.seed, &device)?)
        }
        _ => Box::new(StrategyProposer::new(&space, &config.strategy, config.seed, &device, learned)),
    };
    if let Some(last) = rounds.last() {
        proposer.restore(files.controller(last.round))?;
    }
    let mut progress = TrainProgress::new(sharing.epochs(), interrupt.flag());
    while !search.is_done() {
        interrupt.at_a_border(|| train(&mut search, &files, folder, &mut progress))?;
        let (path, clear) = (folder.path().to_owned(), progress.clearing());
        let parting = move || {
            clear();
            stopped_at(&path)
        };
        // The training is kept; what comes after it in a round is done again.
        let report = interrupt
            .at_once(parting, || search.round(&mut *proposer, config.execution.workers, &mut progress))
            .map_err(|error| failure(error, folder))?;
        progress.note(&round_words(&report));
        interrupt.at_a_border(|| keep(&search, &*proposer, &files, &report))?;
        rounds.push(report);
    }
    drop(progress);
    let images = search.training().split().held_out.len();
    let ranking = search.ranking();
    let finalists = ranking.into_iter().take(sharing.finalists).map(finalist).collect();
    let report = SharedReport {
        selection: selection(&sharing, images, config),
        validation_images: images,
        split_seed: sharing.training.split_seed,
        rounds,
    };
    write_whole(&files.report(), &serde_json::to_vec_pretty(&report)?)?;
    Ok(SharedOutcome { finalists, report })
}

/// Trains what is left of a round and keeps weights and state, also when it is told to stop.
fn train(
    search: &mut SharedSearch,
    files: &SharedFiles,
    folder: &RunFolder,
    progress: &mut TrainProgress,
) -> Result<()> {
    let trained = search.train(progress);
    if matches!(trained, Ok(()) | Err(SharedSearchError::Train(TrainError::Interrupted))) {
        search.training().save(&files.weights(search.state().rounds))?;
        files.keep_part(search.state())?;
    }
    trained.map_err(|error| failure(error, folder))
}

/// Keeps a round that is over; its weights are kept already.
fn keep(
    search: &SharedSearch,
    proposer: &dyn PersistentProposer,
    files: &SharedFiles,
    report: &SharedRound,
) -> Result<()> {
    proposer.save(&files.controller(report.round))?;
    // The round counts once this is there.
    files.keep(&StoredRound { report: report.clone(), state: search.state().clone() })?;
    files.forget_before(report.round)
}

/// The search as it was kept last, in a round or after one, or a new one.
fn opened(
    sharing: &SharingConfig,
    seed: u64,
    space: &CnnSpace,
    data: Arc<ImageData>,
    device: &Device,
    files: &SharedFiles,
) -> Result<(SharedSearch, Vec<SharedRound>)> {
    let fresh = || -> Result<SharedTraining> {
        let recipe = sharing.training.clone();
        let skeleton = recipe.skeleton(&data);
        let split = recipe.split(&data)?;
        let rng = &mut rng_for(seed, "shared weights", 0);
        let supernet = Supernet::new(space, &skeleton, sharing.form, rng, device)?;
        Ok(SharedTraining::new(supernet, recipe, split, seed)?)
    };
    let stored = files.rounds()?;
    let last = stored.last().map(|round| (round.report.round, round.state.clone()));
    let reports = stored.into_iter().map(|round| round.report).collect::<Vec<_>>();
    let under_way = reports.len() as u32;
    if let Some(state) = files.part_of(under_way)? {
        let mut training = fresh()?;
        training.restore(&files.weights(under_way))?;
        let epochs = under_way * sharing.training.epochs + state.losses.len() as u32;
        // A process that was killed between the two files leaves those of two moments.
        if state.rounds == under_way && training.epochs() == epochs {
            return Ok((SharedSearch::resumed(sharing.clone(), training, state)?, reports));
        }
    }
    let mut training = fresh()?;
    let Some((round, state)) = last else {
        return Ok((SharedSearch::new(sharing.clone(), training)?, reports));
    };
    training.restore(&files.weights(round))?;
    Ok((SharedSearch::resumed(sharing.clone(), training, state)?, reports))
}

fn failure(error: SharedSearchError, folder: &RunFolder) -> anyhow::Error {
    match error {
        SharedSearchError::Train(TrainError::Interrupted) => Interrupted(stopped_at(folder.path())).into(),
        error => RunFailed(error.to_string()).into(),
    }
}

/// Which cell is the result, and why.
fn selection(sharing: &SharingConfig, images: usize, config: &RunConfig<Recipe>) -> String {
    let fidelity = sharing.fidelity(sharing.epochs());
    format!(
        "the {} best cells of the last pool by accuracy on all {images} validation images with shared weights ({fidelity}) \
         are each trained from scratch ({}); the best of these trainings is the result",
        sharing.finalists,
        config.recipe.fidelity()
    )
}

fn round_words(report: &SharedRound) -> String {
    format!(
        "round {}: {} after {}: best {}, mean {}; {} new",
        report.round + 1,
        counted(report.pool as u64, "cell"),
        counted(report.epochs, "epoch"),
        figure(report.best),
        figure(report.mean),
        report.proposed
    )
}

fn finalist(member: &Member) -> Proposal<ArchOf<Recipe>> {
    let score = member.score.unwrap_or(f64::NAN);
    Proposal { arch: member.arch.clone(), origin: Origin::SharedWeights { member: member.id.0, score } }
}
