//! A search with shared weights in a run folder: its rounds, its files, and the cells that it hands on to be trained
//! alone.

mod files;
mod finalists;
mod policy;
mod proposer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use burn::tensor::Device;
use nao_child::supernet::{
    ENAS, Member, Proposer, SharedRound, SharedSearch, SharedSearchError, SharedTraining, SharingConfig,
    Supernet,
};
use nao_child::{ImageData, Split, TrainError};
use nao_run::RunFolder;
use nao_run::files::write_whole;
use nao_space::CnnSpace;
use nao_space::network::SupernetPlan;
use nao_space::search::{Origin, Proposal};
use nao_space::seed::rng_for;
use serde::{Deserialize, Serialize};

use self::files::{SharedFiles, StoredRound};
use self::policy::Rewarded;
use self::proposer::Retold;
use super::config::RunConfig;
use crate::failure::{Interrupted, RunFailed};
use crate::pretrained::pretrained;
use crate::report::{TrainProgress, figure};
use crate::task::{Arch, ImageTask, Task};

pub use files::latest_weights;
pub use finalists::Finalists;

/// What a search with shared weights needs.
pub struct SharedRun<'a, T: Task> {
    /// The run folder.
    pub folder: &'a RunFolder,
    /// The configuration; it has a section `sharing`.
    pub config: &'a RunConfig<T>,
    /// The data.
    pub data: Arc<T::Data>,
    /// Where the weights are.
    pub device: Device,
    /// Set when the user asks to stop.
    pub interrupted: Arc<AtomicBool>,
}

/// What came out of it.
pub struct SharedOutcome<T: Task> {
    /// The cells to be trained alone, best first.
    pub finalists: Vec<Proposal<Arch<T>>>,
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
    SupernetPlan::new(space, &sharing.training.skeleton(data)).context("the images do not fit")?;
    Ok(())
}

/// Runs all rounds that are not done, each kept whole before the next begins.
pub fn search_shared(run: SharedRun<'_, ImageTask>) -> Result<SharedOutcome<ImageTask>> {
    let SharedRun { folder, config, data, device, interrupted } = run;
    let sharing = config.sharing.clone().context("the configuration has no section [sharing]")?;
    let space = ImageTask::space(&config.space)?;
    let files = SharedFiles::of(folder)?;
    let (mut search, mut rounds) = opened(&sharing, config.seed, &space, data, &device, &files)?;
    let learned =
        || pretrained(&space, &config.strategy.structure.pretraining, &device, Some(&folder.pretrained()));
    let mut proposer: Box<dyn Kept + '_> = match config.strategy.name.as_str() {
        ENAS => {
            let (policy, updates) = (config.strategy.policy.clone(), sharing.policy_updates);
            Box::new(Rewarded::new(&space, policy, updates, sharing.norms, config.seed, &device)?)
        }
        _ => Box::new(Retold::new(&space, &config.strategy, config.seed, &device, learned)),
    };
    if let Some(last) = rounds.last() {
        proposer.restore(files.controller(last.round))?;
    }
    let mut progress = TrainProgress::new(sharing.epochs(), interrupted);
    while !search.is_done() {
        let report = search
            .round(&mut *proposer, config.execution.workers, &mut progress)
            .map_err(|error| failure(error, folder))?;
        progress.note(&round_words(&report));
        search.training().save(&files.weights(report.round))?;
        proposer.save(&files.controller(report.round))?;
        // The round counts once this is there.
        files.keep(&StoredRound { report: report.clone(), state: search.state().clone() })?;
        files.forget_before(report.round)?;
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

/// A proposer that is kept between rounds.
trait Kept: Proposer {
    /// Keeps what it has learned, where there is something.
    fn save(&self, path: &Path) -> Result<()>;
    /// Takes over what was kept.
    fn restore(&mut self, path: PathBuf) -> Result<()>;
}

/// The search as its last kept round left it, or a new one.
fn opened(
    sharing: &SharingConfig,
    seed: u64,
    space: &CnnSpace,
    data: Arc<ImageData>,
    device: &Device,
    files: &SharedFiles,
) -> Result<(SharedSearch, Vec<SharedRound>)> {
    let recipe = sharing.training.clone();
    let skeleton = recipe.skeleton(&data);
    let split = Split::validation(data.clone(), recipe.validation_images(&data), recipe.split_seed)?;
    let rng = &mut rng_for(seed, "shared weights", 0);
    let supernet = Supernet::new(space, &skeleton, sharing.form, rng, device)?;
    let mut training = SharedTraining::new(supernet, recipe, split, seed)?;
    let stored = files.rounds()?;
    let Some(last) = stored.last() else {
        return Ok((SharedSearch::new(sharing.clone(), training)?, Vec::new()));
    };
    training.restore(&files.weights(last.report.round))?;
    let search = SharedSearch::resumed(sharing.clone(), training, last.state.clone())?;
    Ok((search, stored.into_iter().map(|round| round.report).collect()))
}

fn failure(error: SharedSearchError, folder: &RunFolder) -> anyhow::Error {
    match error {
        SharedSearchError::Train(TrainError::Interrupted) => {
            Interrupted(format!("stopped; go on with:  nao resume {}", folder.path().display())).into()
        }
        error => RunFailed(error.to_string()).into(),
    }
}

/// Which cell is the result, and why.
fn selection(sharing: &SharingConfig, images: usize, config: &RunConfig<ImageTask>) -> String {
    let fidelity = sharing.fidelity(sharing.epochs());
    format!(
        "the {} best cells of the last pool by accuracy on all {images} validation images with shared weights ({fidelity}) \
         are each trained from scratch ({}); the best of these trainings is the result",
        sharing.finalists,
        ImageTask::fidelity(&config.recipe)
    )
}

fn round_words(report: &SharedRound) -> String {
    format!(
        "round {}: {} cells after {} epochs: best {}, mean {}; {} new",
        report.round,
        report.pool,
        report.epochs,
        figure(report.best),
        figure(report.mean),
        report.proposed
    )
}

fn finalist(member: &Member) -> Proposal<Arch<ImageTask>> {
    let score = member.score.unwrap_or(f64::NAN);
    Proposal { arch: member.arch.clone(), origin: Origin::SharedWeights { member: member.id.0, score } }
}
