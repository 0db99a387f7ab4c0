//! `nao export`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nao_child::Network;
use nao_child::names::{NameConvention, TensorName, tensor_names};
use nao_child::train::checkpoint::{load_network, save_network};
use nao_controller::controller_weights;
use nao_space::network::{Cost, NetworkPlan};
use nao_space::seed::rng_for;
use nao_space::{CnnArch, Space};
use serde::Serialize;

use super::print_text;
use super::train::{Prepared, of_folder};
use crate::arch_argument::{NamedArch, arch_of_run};
use crate::args::{ExportArgs, ExportFormat, ParameterNames};
use crate::data::device;
use crate::files::write_whole;
use crate::run::{RunFolder, STRUCTURE, TrainFolder};

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

pub fn run(args: ExportArgs) -> Result<()> {
    match (args.format, source(&args.from)?) {
        (ExportFormat::Json, source) => {
            let text = description(&source, &args)?;
            match &args.output {
                Some(path) => write_whole(path, text.as_bytes()),
                None => print_text(&text),
            }
        }
        (ExportFormat::Safetensors, source) => {
            let path = args.output.as_deref().context("name a file for the tensors with --output FILE")?;
            match source {
                Source::Training { folder, weights } => export_network(&folder, &weights, &args, path)?,
                Source::Run(run) => write_whole(path, &last_controller(&run)?)?,
            }
            print_text(&format!("wrote {}", path.display()))
        }
    }
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
    // The description needs none; the tensors will say what is missing.
    let weights = weights.unwrap_or_else(|| folder.weights());
    Ok(Source::Training { folder, weights })
}

fn export_network(folder: &TrainFolder, weights: &Path, args: &ExportArgs, path: &Path) -> Result<()> {
    let Prepared { config, plan, .. } = of_folder(folder)?;
    let blank = Network::new(&plan, &mut rng_for(0, "weights", 0), &device(&config.device)?);
    let network = load_network(blank, &plan, NameConvention::V1, weights)?;
    Ok(save_network(&network, &plan, args.names.convention(), path)?)
}

/// The weights of the controller after the last round that trained one; of the preset `structure`, those learned before
/// the search.
fn last_controller(run: &RunFolder) -> Result<Vec<u8>> {
    let strategy = run.config()?.strategy;
    if strategy.name != "nao" {
        bail!("{} was searched by `{}`, which has no controller", run.path().display(), strategy.name);
    }
    if strategy.preset == STRUCTURE {
        let file = run.pretrained();
        return std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()));
    }
    let rounds = (0..).map(|round| run.strategy_state(round)).take_while(|file| file.is_file());
    let files: Vec<PathBuf> = rounds.collect();
    for file in files.iter().rev() {
        let state = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        if let Some(weights) = controller_weights(&state).with_context(|| file.display().to_string())? {
            return Ok(weights);
        }
    }
    bail!("{} has trained no controller yet: its first round is random", run.path().display())
}

fn description(source: &Source, args: &ExportArgs) -> Result<String> {
    match source {
        Source::Training { folder, .. } => {
            let Prepared { config, space, plan, .. } = of_folder(folder)?;
            let arch = space.parse(&config.architecture)?;
            network_json(&space.name(), &config.architecture, &arch, &plan, args)
        }
        Source::Run(run) => {
            let (NamedArch { space, arch, .. }, entry, config) = arch_of_run(run.path(), args.rank)?;
            let plan = NetworkPlan::new(&arch, &config.recipe.skeleton(&*config.data.load()?))?;
            network_json(&space.name(), &entry.architecture, &arch, &plan, args)
        }
    }
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
        tensors: tensor_names(plan, args.names.convention()),
        plan,
    };
    Ok(serde_json::to_string_pretty(&json)?)
}
