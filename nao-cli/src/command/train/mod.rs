//! `nao train`, and `nao resume` of a training.

mod image;
mod language;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use nao_child::data::{Companions, DataKind, DataSource};
use nao_child::{ArchOf, CellRecipe};
use nao_run::files::write_whole;
use nao_run::settings::{Configuration, fields};
use nao_run::{Manifest, RunFolder, TrainFolder, free_name, quoted};
use nao_space::{EpochReport, Fidelity, Objective, Space};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{print_json, print_text};
use crate::arch_argument::{NamedArch, arch_of_run, read_arch};
use crate::arch_text::kind_of_arch;
use crate::args::{ResumeArgs, SpaceKind, TrainArgs};
use crate::cells::{CellSpace, NamedRecipe, follow, with_recipe};
use crate::data::{kind_of_data, load};
use crate::device::device;
use crate::failure::{Interrupted, stopped_at};
use crate::figures::figure;
use crate::flags::refuse_idle;
use crate::interrupt::Interrupt;
use crate::progress::TrainProgress;
use crate::registries::Registries;
use crate::report::say_origin;
use crate::run::{
    NO_TEXT, RunContents, TrainConfig, data_summary, kind_of, latest_weights, new_manifest, overlay_recipe,
    typed_table,
};

pub use image::PreparedNetwork;
pub use language::PreparedModel;

/// A task whose architectures can be trained to the end.
pub trait Trainable: NamedRecipe {
    /// A training that is checked and can begin.
    type Prepared;

    /// Checks that the architecture, the data and the recipe fit.
    fn prepare(
        config: &TrainConfig<Self>,
        arch: &ArchOf<Self>,
        data: Arc<Self::Data>,
    ) -> Result<Self::Prepared>;
    /// The checksum of the data, and how many examples each part of it has.
    fn data_of(prepared: &Self::Prepared) -> (String, Vec<(String, usize)>);
    /// What is trained and on what it is judged, in words.
    fn subject(prepared: &Self::Prepared, config: &TrainConfig<Self>) -> String;
    /// Trains to the end and keeps weights and state in the folder; a training that was stopped goes on.
    fn train(
        prepared: &Self::Prepared,
        config: &TrainConfig<Self>,
        folder: &TrainFolder,
        progress: &mut TrainProgress,
    ) -> Result<Finished>;
}

/// What came out of a training.
pub struct Finished {
    objective: Objective,
    value: f64,
    /// The epoch whose weights were kept, counted from 1.
    epoch: u32,
    params: u64,
    macs: u64,
    curve: Vec<EpochReport>,
    /// The value once more, or what else is to be known, in words.
    remark: String,
    /// What else goes into the result.
    further: Map<String, Value>,
}

/// What a training leaves in `result.json` and prints with `--json`.
#[derive(Serialize)]
struct TrainResult {
    architecture: String,
    space: String,
    objective: Objective,
    value: f64,
    epoch: u32,
    fidelity: Fidelity,
    seed: u64,
    params: u64,
    macs: u64,
    weights: PathBuf,
    #[serde(flatten)]
    further: Map<String, Value>,
}

pub fn run(args: TrainArgs, known: &Registries, interrupt: &Interrupt) -> Result<()> {
    check_flags(&args)?;
    let kind = kind_of_training(&args, known)?;
    with_recipe!(kind, R => train::<R>(args, known, interrupt))
}

/// The cells that are meant: as named, or those of the run, of the architecture, of the data or of the recipe.
fn kind_of_training(args: &TrainArgs, known: &Registries) -> Result<SpaceKind> {
    if let Some(run) = &args.from {
        return RunFolder::open(run)?.kind();
    }
    let data = args.data.as_deref().map(str::parse::<DataSource>).transpose()?;
    let shown = args.arch.as_deref().and_then(kind_of_arch);
    let kind = args.space.space.or(shown).or(data.as_ref().map(kind_of_data));
    Ok(kind.or(known.kind_of_recipe(args.recipe.as_deref())).unwrap_or_default())
}

/// Refuses flags that do nothing with what is trained.
fn check_flags(args: &TrainArgs) -> Result<()> {
    if args.from.is_some() {
        return refuse_idle(args.space.given(), "the run knows its space and its networks");
    }
    refuse_idle([("rank", args.rank.is_some())], "it chooses from a run, and none is named with --from")?;
    let of_recipe = args.dry_run && args.arch.is_none();
    let of_training = [
        ("ops", args.space.ops.is_some()),
        ("nodes", args.space.nodes.is_some()),
        ("order", args.space.order.is_some()),
        ("convention", args.space.convention.is_some()),
        ("init-from", args.init_from.is_some()),
        ("seed", args.seed.is_some()),
        ("device", args.device.is_some()),
    ];
    let of_training = of_training.map(|(flag, given)| (flag, given && of_recipe));
    refuse_idle(of_training, "without --arch and --from the settings of a recipe are printed")
}

fn train<R: Trainable>(args: TrainArgs, known: &Registries, interrupt: &Interrupt) -> Result<()> {
    if args.dry_run && args.arch.is_none() && args.from.is_none() {
        let name =
            args.recipe.as_deref().context("name a recipe with --recipe, or an architecture with --arch")?;
        let recipe = overlay_recipe::<R>(&R::listed(known, name)?, args.epochs, &args.settings)?;
        return print_text(&toml::to_string(&recipe)?);
    }
    let (config, arch, data) = resolve::<R>(&args, known)?;
    let prepare = |data: Arc<R::Data>| -> Result<(R::Prepared, Companions)> {
        let companions = data.companions();
        Ok((R::prepare(&config, &arch, data)?, companions))
    };
    let kept = data.clone();
    let prepared = data.map(prepare).transpose()?;
    if args.dry_run {
        return print_text(&config.to_toml());
    }
    let (prepared, companions) = prepared.context(NO_TEXT)?;
    let word = config.data.as_ref().map_or("data", DataSource::word);
    let path = args.out.unwrap_or_else(|| free_name(&format!("train-{word}")));
    let manifest = manifest::<R>(&config, &prepared);
    let folder = interrupt.at_a_border(|| TrainFolder::create(&path, &config, &manifest, &companions))?;
    if let Some(data) = kept {
        say_origin::<R>(&data);
    }
    carry_out::<R>(&prepared, &config, &folder, args.json, interrupt)
}

/// What a training is and what it runs on.
pub(super) fn manifest<R: Trainable>(config: &TrainConfig<R>, prepared: &R::Prepared) -> Manifest {
    let (checksum, examples) = R::data_of(prepared);
    let data = data_summary(config.data.as_ref(), checksum, examples, &[]);
    new_manifest(&config.device, config.seed, data).with_settings(config)
}

/// What the arguments describe: configuration, architecture and data.
type Described<R> = (TrainConfig<R>, ArchOf<R>, Option<Arc<<R as CellRecipe>::Data>>);

/// The training that the arguments describe. Only a dry run has no data.
pub(super) fn resolve<R: Trainable>(args: &TrainArgs, known: &Registries) -> Result<Described<R>> {
    let (named, source) = subject::<R>(args)?;
    let source = source.or(R::Data::default_source());
    if source.is_none() && !args.dry_run {
        bail!("{NO_TEXT}");
    }
    let stored = args.from.as_deref().filter(|_| args.data.is_none());
    let data = source.as_ref().map(|source| load::<R>(source, stored)).transpose()?;
    let recipe = match (&args.recipe, &data) {
        (Some(name), _) => R::listed(known, name)?,
        (None, Some(data)) => {
            R::for_final_training(data).context("no recipe for this data: name one with --recipe")?
        }
        (None, None) => bail!("name a recipe with --recipe, or data with --data"),
    };
    let recipe = followed::<R>(overlay_recipe::<R>(&recipe, args.epochs, &args.settings)?, &named, args)?;
    let config = TrainConfig {
        architecture: named.space.format(&named.arch),
        concatenates: named.network.concatenates,
        published: named.published.map(|entry| R::Space::published_name(entry).to_owned()),
        data: source,
        init_from: args.init_from.as_deref().map(shared_weights).transpose()?,
        seed: args.seed.unwrap_or(1),
        device: args.device.clone().unwrap_or_else(|| "cpu".to_owned()),
        space: named.space.settings(),
        recipe,
    };
    device(&config.device)?;
    Ok((config, named.arch, data))
}

/// The recipe with the network that is meant with the cells.
fn followed<R: Trainable>(recipe: R, named: &NamedArch<R>, args: &TrainArgs) -> Result<R> {
    let said = args.settings.iter().any(|setting| setting.trim_start().starts_with("structure.convention"));
    match named.published {
        Some(_) if said => bail!("structure.convention has no effect: a published cell has its own network"),
        Some(_) => Ok(recipe),
        None => follow(recipe, &named.network, &named.space, said),
    }
}

/// The file of shared weights that is meant, wherever it is looked for later.
fn shared_weights(named: &Path) -> Result<PathBuf> {
    let file = if named.is_dir() {
        let shared = latest_weights(named);
        shared.with_context(|| format!("{} holds no shared weights with a round done", named.display()))?
    } else {
        named.to_owned()
    };
    std::path::absolute(&file).with_context(|| format!("cannot find {}", file.display()))
}

/// The architecture and where the data is: from a run, or as named.
fn subject<R: Trainable>(args: &TrainArgs) -> Result<(NamedArch<R>, Option<DataSource>)> {
    let named_data = args.data.as_deref().map(str::parse).transpose()?;
    if let Some(run) = &args.from {
        let (named, _, config) = arch_of_run::<R>(run, args.rank.unwrap_or(1))?;
        return Ok((named, named_data.or(Some(config.data))));
    }
    let text = args.arch.as_deref().context("name an architecture with --arch, or a run with --from")?;
    Ok((read_arch::<R>(text, &args.space)?, named_data))
}

/// The training of a folder.
pub(super) fn of_folder<R: Trainable>(folder: &TrainFolder) -> Result<(TrainConfig<R>, R::Prepared)> {
    let config: TrainConfig<R> = folder.settings().unchanged()?;
    let prepared = prepared_from::<R>(folder, &config)?;
    Ok((config, prepared))
}

/// The training of a folder with that configuration, on the data that it was started with.
fn prepared_from<R: Trainable>(folder: &TrainFolder, config: &TrainConfig<R>) -> Result<R::Prepared> {
    let mut config = config.clone();
    if folder.checkpoint().is_file() {
        // It has started from them already; they may be gone by now.
        config.init_from = None;
    }
    let source = config.data.as_ref().context("the folder names no data")?;
    let data = load::<R>(source, Some(folder.path())).with_context(|| {
        let (path, word) = (folder.path(), source.word());
        format!(
            "the data of {} cannot be read; where it has moved:  nao resume {} --data {word}:DIR",
            path.display(),
            quoted(path)
        )
    })?;
    if let Some(manifest) = folder.settings().manifest()? {
        manifest.check_data(&data.checksum(), R::Data::EXAMPLES, &source.to_string(), folder.path())?;
    }
    let arch = R::Space::of_settings(&config.space)?.parse(&config.architecture).with_context(|| {
        format!("{} names another space than that of its architecture", folder.path().display())
    })?;
    R::prepare(&config, &arch, data)
}

/// Goes on with a training from where it was stopped.
pub fn resume(folder: &TrainFolder, args: &ResumeArgs, interrupt: &Interrupt) -> Result<()> {
    if folder.weights().is_file() && !folder.checkpoint().is_file() {
        bail!(
            "{} holds imported weights, not a training: there is nothing to go on with",
            folder.path().display()
        );
    }
    refuse_other_settings(folder, args)?;
    with_recipe!(kind_of(&folder.settings())?, R => {
        let stored: TrainConfig<R> = folder.settings().unchanged()?;
        let mut config = stored.clone();
        if let Some(word) = &args.run.data {
            config.data = Some(word.parse()?);
        }
        let prepared = prepared_from::<R>(folder, &config)?;
        if config != stored {
            folder.settings().keep(&config)?;
        }
        config.device = args.execution.device.clone().unwrap_or(config.device);
        carry_out::<R>(&prepared, &config, folder, args.json, interrupt)
    })
}

/// Of a training only the place of the data and the device can be said anew.
fn refuse_other_settings(folder: &TrainFolder, args: &ResumeArgs) -> Result<()> {
    let typed = fields(&typed_table(&args.run, &args.execution)?);
    let mut others: Vec<String> =
        typed.into_keys().filter(|field| !["data", "execution.device"].contains(&field.as_str())).collect();
    others.extend(args.run.epochs.map(|_| "epochs".to_owned()));
    if others.is_empty() {
        return Ok(());
    }
    bail!(
        "{} is a training, of which only --data and --device can be said anew, not {}: start a new one with nao train",
        folder.path().display(),
        others.join(", ")
    )
}

fn carry_out<R: Trainable>(
    prepared: &R::Prepared,
    config: &TrainConfig<R>,
    folder: &TrainFolder,
    json: bool,
    interrupt: &Interrupt,
) -> Result<()> {
    if !json {
        let subject = R::subject(prepared, config);
        print_text(&format!("training {}\nfolder {}", subject, folder.path().display()))?;
    }
    let fidelity = config.recipe.fidelity();
    let mut progress = TrainProgress::new(fidelity.epochs, interrupt.flag());
    let finished = interrupt.at_a_border(|| R::train(prepared, config, folder, &mut progress))?;
    drop(progress);
    let curve = serde_json::to_vec_pretty(&finished.curve).context("a curve has no JSON form")?;
    write_whole(&folder.curve(), &curve)?;
    let result = TrainResult {
        architecture: config.architecture.clone(),
        space: R::Space::of_settings(&config.space)?.name(),
        objective: finished.objective,
        value: finished.value,
        epoch: finished.epoch,
        fidelity,
        seed: config.seed,
        params: finished.params,
        macs: finished.macs,
        weights: folder.weights(),
        further: finished.further,
    };
    write_whole(&folder.result(), &serde_json::to_vec_pretty(&result)?)?;
    if json { print_json(&result) } else { print_text(&conclusion(&result, &finished.remark)) }
}

/// What is said to a user who stopped a training.
fn interrupted(folder: &Path) -> anyhow::Error {
    Interrupted(stopped_at(folder)).into()
}

fn conclusion(result: &TrainResult, remark: &str) -> String {
    let TrainResult { objective, value, epoch, fidelity, weights, .. } = result;
    format!(
        "{} {} {} ({remark}) with the weights of epoch {epoch}; {fidelity}\nweights {}",
        objective.split,
        objective.name,
        figure(*value),
        weights.display()
    )
}
