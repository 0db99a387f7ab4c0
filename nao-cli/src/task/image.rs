//! Image cells, trained as classifiers of images.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use burn::tensor::Device;
use nao_child::data::{PartOrigin, RepeatedImages};
use nao_child::relaxed::{Order, RelaxedRecipe};
use nao_child::supernet::SharingConfig;
use nao_child::{ImageData, Recipe, Split, TrainEvaluator, cifar10_folder, digits};
use nao_controller::registry::StrategyEntry;
use nao_space::draw::Picture;
use nao_space::network::{Concat, Convention, Cost, NetworkPlan, ZooEntry, zoo_entry};
use nao_space::notation::{CnnDocument, ConcatenatedStates};
use nao_space::search::{OperationHistogram, RoundLimits};
use nao_space::seed::rng_for;
use nao_space::{CnnArch, CnnSpace, DartsSpace, Evaluator, Fidelity, OP_SET_NAMES, Objective, OpSet, Space};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{Companions, PublishedArch, ReadArch, Task};
use crate::arch_argument::{text_of, with_recurrent_names};
use crate::args::{CellOptions, SpaceKind};
use crate::cell_network::{CellNetwork, ask_for_convention, convention_word};
use crate::data::DataSource;
use crate::registries::Registries;
use crate::run::{
    DerivedOutcome, RunConfig, SharedOutcome, SharedRun, check_relaxed, check_sharing,
    search_relaxed_network, search_shared,
};

/// Image cells.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageTask;

/// The image cell space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageSpaceSettings {
    /// The kind of its cells.
    #[serde(default)]
    kind: SpaceKind,
    /// Name of the operation set.
    pub ops: String,
    /// Nodes per cell.
    pub nodes: usize,
}

impl Task for ImageTask {
    const KIND: SpaceKind = SpaceKind::Cnn;
    const EXAMPLES: &'static str = "images";
    type Space = CnnSpace;
    type SpaceSettings = ImageSpaceSettings;
    type Recipe = Recipe;
    type Data = ImageData;
    type Published = ZooEntry;

    fn space(settings: &ImageSpaceSettings) -> Result<CnnSpace> {
        Ok(CnnSpace::new(settings.nodes, OpSet::named(&settings.ops)?)?)
    }

    fn space_settings(space: &CnnSpace) -> ImageSpaceSettings {
        ImageSpaceSettings { kind: Self::KIND, ops: space.ops().name().to_owned(), nodes: space.nodes() }
    }

    fn space_of(options: &CellOptions) -> Result<CnnSpace> {
        if options.order.is_some() {
            bail!("--order means nothing for image cells");
        }
        let ops = options.ops.as_deref().map_or_else(|| Ok(OpSet::paper_11()), OpSet::named)?;
        Ok(CnnSpace::new(options.nodes.unwrap_or(5), ops)?)
    }

    fn published(name: &str) -> Result<PublishedArch<Self>> {
        let entry = zoo_entry(name).map_err(with_recurrent_names)?;
        Ok((entry.space.clone(), entry.arch.clone(), entry))
    }

    fn published_name(published: &ZooEntry) -> &'static str {
        published.name
    }

    fn read(text: &str, options: &CellOptions) -> Result<ReadArch<Self>> {
        let Some(document) = CnnDocument::read(text) else {
            let space = Self::space_of(options)?;
            let arch = space.parse(text)?;
            return Ok((space, arch, CellNetwork::default()));
        };
        let CnnDocument { arch, convention, concatenates } = document?;
        let space = space_that_holds(&arch, convention, options)?;
        space.check(&arch)?;
        let concatenates = concatenates.map(|[normal, reduction]| ConcatenatedStates { normal, reduction });
        let network = CellNetwork { convention, concatenates };
        // A list of states that the cell lacks is refused now, not when the network is made.
        Picture::of_cells(&arch, &network.outputs())?;
        Ok((space, arch, network))
    }

    fn to_json(arch: &CnnArch, published: Option<&ZooEntry>, network: &CellNetwork) -> String {
        let network = match published {
            Some(entry) => Self::network_of_published(entry),
            None => network.clone(),
        };
        let concatenates = network.concatenates.map(|states| [states.normal, states.reduction]);
        CnnDocument { arch: arch.clone(), convention: network.convention, concatenates }.to_json()
    }

    /// Cells with the states that they concatenate.
    fn picture(arch: &CnnArch, published: Option<&ZooEntry>, network: &CellNetwork) -> Result<Picture> {
        let outputs = published.map_or_else(|| network.outputs(), |entry| entry.outputs.clone());
        Ok(Picture::of_cells(arch, &outputs)?)
    }

    fn network_of_published(entry: &ZooEntry) -> CellNetwork {
        let convention = entry.skeleton.convention;
        let concatenates = match (&entry.outputs.normal, &entry.outputs.reduction) {
            (Concat::States(normal), Concat::States(reduction)) => {
                Some(ConcatenatedStates { normal: normal.clone(), reduction: reduction.clone() })
            }
            _ => None,
        };
        CellNetwork { convention: Some(convention), concatenates }
    }

    fn network_in(text: &str) -> Result<CellNetwork> {
        let Some(document) = CnnDocument::read(&text_of(text)?) else { return Ok(CellNetwork::default()) };
        let CnnDocument { convention, concatenates, .. } = document?;
        let concatenates = concatenates.map(|[normal, reduction]| ConcatenatedStates { normal, reduction });
        Ok(CellNetwork { convention, concatenates })
    }

    fn network_of(recipe: &Recipe) -> CellNetwork {
        CellNetwork::of(recipe.structure.convention)
    }

    fn follow(recipe: &mut Recipe, network: &CellNetwork, space: &CnnSpace, said: bool) -> Result<()> {
        match network.convention {
            Some(convention) if said && convention != recipe.structure.convention => bail!(
                "structure.convention is {}, and the cells mean the network of {}: leave the setting out",
                convention_word(recipe.structure.convention),
                convention_word(convention)
            ),
            Some(convention) => recipe.structure.convention = convention,
            None if said => {}
            None => ask_for_convention(space.ops().name())?,
        }
        Ok(())
    }

    fn default_source() -> Option<DataSource> {
        Some(DataSource::Digits)
    }

    fn load(source: &DataSource, _: Option<&Path>) -> Result<Arc<ImageData>> {
        match source {
            DataSource::Digits => Ok(Arc::new(digits())),
            DataSource::Cifar10(folder) => Ok(Arc::new(cifar10_folder(folder)?)),
            DataSource::Text(_) => {
                bail!(
                    "{source} is text, and image cells are trained on images: --data digits, or --space rnn"
                )
            }
        }
    }

    fn checksum(data: &ImageData) -> String {
        data.checksum()
    }

    fn origin(data: &ImageData) -> &[PartOrigin] {
        &data.origin
    }

    fn repeated(data: &ImageData) -> Vec<String> {
        let RepeatedImages { in_training, in_test } = data.repeated();
        let mut sentences = Vec::new();
        if in_training > 0 {
            sentences.push(format!(
                "{in_training} of the {} images of the training files repeat another one pixel for pixel: the same image \
                 may be trained on and be judged by",
                data.development
            ));
        }
        if in_test > 0 {
            sentences.push(format!(
                "{in_test} of the {} test images stand in the training files as well, pixel for pixel",
                data.test_len()
            ));
        }
        sentences
    }

    fn companions(_: &ImageData) -> Companions {
        Vec::new()
    }

    fn counts(data: &Arc<ImageData>, recipe: &Recipe) -> Result<Vec<(String, usize)>> {
        let split = Split::validation(data.clone(), recipe.validation_images(data), recipe.split_seed)?;
        Ok(vec![
            ("train".to_owned(), split.train.len()),
            (split.held_out_name.to_owned(), split.held_out.len()),
            ("test".to_owned(), data.test_len()),
        ])
    }

    fn recipe(known: &Registries, name: &str) -> Result<Recipe> {
        known.image_recipe(name)
    }

    fn search_recipe(data: &ImageData) -> Option<Recipe> {
        Recipe::default_for(data)
    }

    fn final_recipe(data: &ImageData) -> Option<Recipe> {
        Recipe::all().into_iter().find(|recipe| recipe.name == format!("{}-final", data.name))
    }

    /// Another number of epochs takes the whole cosine along: a training that ends early at a high rate tells little.
    fn epochs_of_recipe(epochs: u32) -> Table {
        let number = Value::Integer(epochs.into());
        Table::from_iter([("epochs".to_owned(), number.clone()), ("cosine_epochs".to_owned(), number)])
    }

    fn cost(arch: &CnnArch, recipe: &Recipe, data: &ImageData) -> Result<Cost> {
        let plan = NetworkPlan::new(arch, &recipe.skeleton(data))
            .context("no network fits these images and settings")?;
        Ok(plan.cost())
    }

    fn fidelity(recipe: &Recipe) -> Fidelity {
        recipe.fidelity()
    }

    /// Small pools keep the paper's share of parents: the best third of the first round (docs/specification.md, d.2).
    fn rounds(source: &DataSource, recipe: &Recipe) -> (RoundLimits, Option<usize>) {
        match source {
            DataSource::Digits => (RoundLimits { initial: 24, per_round: 8, budget: 48 }, Some(8)),
            // The paper's sizes (docs/specification.md, d.2): 600 random cells, about 1,000 in all.
            _ if recipe.name == "search" => {
                (RoundLimits { initial: 600, per_round: 200, budget: 1_000 }, None)
            }
            _ => (RoundLimits { initial: 16, per_round: 8, budget: 32 }, Some(5)),
        }
    }

    fn check(recipe: &Recipe, data: &ImageData, space: &CnnSpace, seed: u64) -> Result<()> {
        recipe.check(data)?;
        // Whether the images fit does not depend on the cells: any one tells.
        let arch = space.sample(&mut rng_for(seed, "geometry", 0));
        NetworkPlan::new(&arch, &recipe.skeleton(data)).context("the images do not fit")?;
        Ok(())
    }

    /// Shared weights are usual on the five operations of ENAS.
    fn share(config: &mut RunConfig<Self>, entry: &StrategyEntry, data: &ImageData) -> Result<()> {
        let name = entry.name;
        let sharing = SharingConfig::named(name, data)
            .with_context(|| format!("strategy {name} does not share weights"))?;
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

    fn search_shared(shared: SharedRun<'_, Self>) -> Result<SharedOutcome<Self>> {
        search_shared(shared)
    }

    /// Cells are those of DARTS, four nodes and seven operations.
    fn relax(
        config: &mut RunConfig<Self>,
        _: &StrategyEntry,
        second_order: bool,
        data: &ImageData,
    ) -> Result<()> {
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

    fn search_relaxed(run: SharedRun<'_, Self>) -> Result<DerivedOutcome<CnnArch>> {
        search_relaxed_network(run)
    }

    fn operations(archs: &[CnnArch]) -> Option<OperationHistogram> {
        Some(OperationHistogram::of(archs))
    }

    fn objective() -> Objective {
        Objective::validation_accuracy()
    }

    fn evaluator(
        data: Arc<ImageData>,
        recipe: Recipe,
        device: Device,
    ) -> Result<Box<dyn Evaluator<CnnArch> + Send + Sync>> {
        Ok(Box::new(TrainEvaluator::new(data, recipe, device)?))
    }
}

/// The space of cells that come with the names of their operations: as the options say, otherwise the usual one of those that
/// hold the cells.
fn space_that_holds(
    arch: &CnnArch,
    convention: Option<Convention>,
    options: &CellOptions,
) -> Result<CnnSpace> {
    let nodes = options.nodes.unwrap_or(arch.normal.nodes().len());
    let asked = CellOptions { nodes: Some(nodes), ..options.clone() };
    let usual = ImageTask::space_of(&asked)?;
    if options.ops.is_some() {
        return Ok(usual);
    }
    let first = if convention == Some(Convention::Darts) { "darts-7" } else { usual.ops().name() };
    for name in std::iter::once(first).chain(OP_SET_NAMES) {
        let space = CnnSpace::new(nodes, OpSet::named(name)?)?;
        if space.check(arch).is_ok() {
            return Ok(space);
        }
    }
    Ok(usual)
}
