//! `nao export`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burn::tensor::Device;
use nao_child::language::{
    LanguageRecipe, language_tensor_names, load_language_weights, save_language_weights,
};
use nao_child::names::{NameConvention, TensorName, tensor_names};
use nao_child::train::checkpoint::{load_network, save_network};
use nao_child::{ArchOf, Network, Recipe};
use nao_controller::controller_weights;
use nao_controller::registry::{SearchKind, Strategies, StrategyConfig};
use nao_run::files::{private_folder, read_tensors};
use nao_run::{RunFolder, TrainFolder};
use nao_space::file::check_checksum;
use nao_space::network::{Cost, LanguageModelSkeleton, NetworkPlan};
use nao_space::seed::rng_for;
use nao_space::{CnnArch, CnnSpace, RnnArch, RnnSpace, RnnState, Space};
use serde::Serialize;

use super::train::{PreparedModel, PreparedNetwork, Trainable, of_folder};
use crate::arch_argument::{NamedArch, arch_of_run};
use crate::args::{ExportArgs, ExportFormat, ParameterNames, SpaceKind};
use crate::cells::{CellSpace, with_recipe};
use crate::data::load;
use crate::device::device;
use crate::flags::refuse_idle;
use crate::output::Output;
use crate::run::{RunContents, TrainConfig, kind_of};

/// The version of the network description.
const NETWORK_JSON_VERSION: u32 = 1;

/// A network as other programs can build it.
#[derive(Serialize)]
struct NetworkJson<'a> {
    /// Always `nao-network`.
    format: &'static str,
    version: u32,
    /// The space in whose notation `notation` is.
    space: String,
    notation: String,
    architecture: &'a CnnArch,
    cost: Cost,
    /// Every tensor in the order of the layers, under the authors' name, in PyTorch's layout.
    tensors: Vec<TensorName>,
    /// Every layer with its shapes.
    plan: &'a NetworkPlan,
}

/// A language model as other programs can build it.
#[derive(Serialize)]
struct ModelJson<'a> {
    /// Always `nao-language-model`.
    format: &'static str,
    version: u32,
    space: String,
    notation: String,
    architecture: &'a RnnArch,
    /// The states whose mean is the output of the cell.
    averaged: Vec<RnnState>,
    skeleton: LanguageModelSkeleton,
    cost: Cost,
    /// Every tensor under the authors' name; the matrix of the output is that of the words.
    tensors: Vec<TensorName>,
}

/// What is exported from.
enum Source {
    /// A training, and the file of its weights.
    Training { folder: TrainFolder, weights: PathBuf },
    /// A search.
    Run(RunFolder),
}

impl ParameterNames {
    pub(super) fn convention(self) -> NameConvention {
        match self {
            ParameterNames::V1 => NameConvention::V1,
            ParameterNames::V2 => NameConvention::V2,
        }
    }
}

/// Refuses flags that do nothing with what is exported.
fn check_flags(source: &Source, args: &ExportArgs) -> Result<()> {
    let (rank, names) = (("rank", args.rank.is_some()), ("names", args.names.is_some()));
    let kind = match source {
        Source::Training { folder, .. } => {
            refuse_idle([rank], "it chooses from a run folder, and this is a training")?;
            kind_of(&folder.settings())?
        }
        Source::Run(_) if args.format == ExportFormat::Safetensors => {
            return refuse_idle([rank, names], "of a run folder the weights of its controller are exported");
        }
        Source::Run(run) => run.kind()?,
    };
    let recurrent = ("names", args.names.is_some() && kind == SpaceKind::Rnn);
    refuse_idle([recurrent], "the weights of language models have one set of names")
}

pub fn run(args: ExportArgs) -> Result<()> {
    let source = source(&args.from)?;
    check_flags(&source, &args)?;
    match (args.format, source) {
        (ExportFormat::Json, source) => {
            Output::of(args.output.as_deref()).write_text(&description(&source, &args)?)
        }
        (ExportFormat::Safetensors, source) => {
            let named = args.output.as_deref().context("name a file for the tensors with --output FILE")?;
            let content = match source {
                Source::Training { folder, weights } => exported(&folder, &weights, &args)?,
                Source::Run(run) => last_controller(&run)?,
            };
            let output = Output::of(Some(named));
            output.write_bytes(&content)?;
            if output == Output::Standard {
                Ok(())
            } else {
                output.say(&format!("wrote {}", named.display()))
            }
        }
    }
}

fn names(args: &ExportArgs) -> ParameterNames {
    args.names.unwrap_or(ParameterNames::V1)
}

fn source(path: &Path) -> Result<Source> {
    if path.is_file() {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let Some(folder) = TrainFolder::find(parent) else {
            bail!(
                "{} stands in no folder of `nao train`, so its network is unknown: name such a folder or a file in one",
                path.display()
            );
        };
        return Ok(Source::Training { folder, weights: path.to_owned() });
    }
    let Some(folder) = TrainFolder::find(path) else { return Ok(Source::Run(RunFolder::open(path)?)) };
    let weights = [folder.weights(), folder.checkpoint()].into_iter().find(|file| file.is_file());
    // The description needs no tensors; reading them reports what is missing.
    let weights = weights.unwrap_or_else(|| folder.weights());
    Ok(Source::Training { folder, weights })
}

/// The tensors of a training as they are to be written.
fn exported(folder: &TrainFolder, weights: &Path, args: &ExportArgs) -> Result<Vec<u8>> {
    let place = private_folder().context("cannot make a temporary folder")?;
    let file = place.path().join("exported.safetensors");
    export_network(folder, weights, args, &file)?;
    std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))
}

fn export_network(folder: &TrainFolder, weights: &Path, args: &ExportArgs, path: &Path) -> Result<()> {
    if kind_of(&folder.settings())? == SpaceKind::Rnn {
        return export_model(folder, weights, path);
    }
    let (config, PreparedNetwork { plan, .. }) = of_folder::<Recipe>(folder)?;
    let blank = Network::new(&plan, &mut rng_for(0, "weights", 0), &device(&config.device)?);
    let network = load_network(blank, &plan, NameConvention::V1, weights)?;
    Ok(save_network(&network, &plan, names(args).convention(), path)?)
}

/// Weights of language models have the authors' names already; a checkpoint holds them among other tensors.
fn export_model(folder: &TrainFolder, weights: &Path, path: &Path) -> Result<()> {
    if weights == folder.checkpoint() {
        bail!("{} has no weights yet: its first epoch is not over", folder.path().display());
    }
    let (config, prepared) = of_folder::<LanguageRecipe>(folder)?;
    let blank = prepared.model(0, &device(&config.device)?);
    Ok(save_language_weights(&load_language_weights(blank, weights)?, path)?)
}

/// The weights of the controller after the last round that trained one; of the preset `structure`, those learned before
/// the search.
fn last_controller(run: &RunFolder) -> Result<Vec<u8>> {
    let strategy: StrategyConfig = with_recipe!(run.kind()?, R => run.config::<R>()?.strategy);
    let searches_trials = Strategies::default().entry_of(&strategy.name, SearchKind::is_trials).is_ok();
    if !searches_trials || strategy.preset().is_none() {
        bail!("{} was searched by `{}`, which has no controller", run.path().display(), strategy.name);
    }
    if strategy.structure().is_some() {
        let file = run.pretrained();
        let weights = read_tensors(&file)?;
        check_checksum(&weights).with_context(|| file.display().to_string())?;
        return Ok(weights);
    }
    let rounds = (0..).map(|round| run.strategy_state(round)).take_while(|file| file.is_file());
    let files: Vec<PathBuf> = rounds.collect();
    for file in files.iter().rev() {
        let state = read_tensors(file)?;
        if let Some(weights) = controller_weights(&state).with_context(|| file.display().to_string())? {
            return Ok(weights);
        }
    }
    bail!("{} has trained no controller yet: its first round is random", run.path().display())
}

fn description(source: &Source, args: &ExportArgs) -> Result<String> {
    let kind = match source {
        Source::Training { folder, .. } => kind_of(&folder.settings())?,
        Source::Run(run) => run.kind()?,
    };
    match kind {
        SpaceKind::Cnn => {
            let (config, arch, PreparedNetwork { plan, .. }) =
                subject::<Recipe>(source, args.rank.unwrap_or(1))?;
            let space = CnnSpace::of_settings(&config.space)?.name();
            network_json(&space, &config.architecture, &arch, &plan, args)
        }
        SpaceKind::Rnn => {
            let (config, arch, prepared) = subject::<LanguageRecipe>(source, args.rank.unwrap_or(1))?;
            model_json(&RnnSpace::of_settings(&config.space)?.name(), &config.architecture, &arch, &prepared)
        }
    }
}

/// The training of a folder, or that of an architecture in the search of a run.
fn subject<R: Trainable>(source: &Source, rank: usize) -> Result<(TrainConfig<R>, ArchOf<R>, R::Prepared)> {
    match source {
        Source::Training { folder, .. } => {
            let (config, prepared) = of_folder::<R>(folder)?;
            let arch = R::Space::of_settings(&config.space)?.parse(&config.architecture)?;
            Ok((config, arch, prepared))
        }
        Source::Run(run) => {
            let (NamedArch { arch, .. }, entry, config) = arch_of_run::<R>(run.path(), rank)?;
            let data = load::<R>(&config.data, Some(run.path()))?;
            let config = TrainConfig {
                architecture: entry.architecture,
                published: None,
                concatenates: None,
                data: Some(config.data),
                init_from: None,
                seed: entry.seed,
                device: config.execution.device,
                space: config.space,
                recipe: config.recipe,
            };
            let prepared = R::prepare(&config, &arch, data)?;
            Ok((config, arch, prepared))
        }
    }
}

fn model_json(space: &str, notation: &str, arch: &RnnArch, prepared: &PreparedModel) -> Result<String> {
    let json = ModelJson {
        format: "nao-language-model",
        version: NETWORK_JSON_VERSION,
        space: space.to_owned(),
        notation: notation.to_owned(),
        architecture: arch,
        averaged: prepared.mean.states(arch),
        skeleton: prepared.skeleton,
        cost: prepared.cost,
        tensors: language_tensor_names(&prepared.model(0, &Device::flex())),
    };
    Ok(serde_json::to_string_pretty(&json)?)
}

fn network_json(
    space: &str,
    notation: &str,
    architecture: &CnnArch,
    plan: &NetworkPlan,
    args: &ExportArgs,
) -> Result<String> {
    let json = NetworkJson {
        format: "nao-network",
        version: NETWORK_JSON_VERSION,
        space: space.to_owned(),
        notation: notation.to_owned(),
        architecture,
        cost: plan.cost(),
        tensors: tensor_names(plan, names(args).convention()),
        plan,
    };
    Ok(serde_json::to_string_pretty(&json)?)
}
