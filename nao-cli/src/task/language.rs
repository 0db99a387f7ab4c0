//! Recurrent cells, trained as language models on text.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use burn::tensor::Device;
use nao_child::data::{PartOrigin, RepeatedLines, TextData, text_folder, text_folder_with};
use nao_child::language::{LanguageEvaluator, LanguageRecipe};
use nao_run::files::read_record;
use nao_space::draw::Picture;
use nao_space::network::{Cost, LanguageModelSkeleton, OutputMean, RecurrentEntry, recurrent_zoo_entry};
use nao_space::notation::{read_arch, rnn_from_json, rnn_to_json};
use nao_space::search::RoundLimits;
use nao_space::seed::rng_for;
use nao_space::{ActivationOrder, Evaluator, Fidelity, Objective, RnnArch, RnnSpace, Space};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{Companions, PublishedArch, ReadArch, Task};
use crate::args::{CellOptions, SpaceKind};
use crate::cell_network::CellNetwork;
use crate::data::DataSource;
use crate::registries::Registries;
use crate::space_argument::activation_order;

/// The words of the text of a run or training, one a line.
const VOCABULARY_FILE: &str = "vocabulary.txt";

/// The largest vocabulary that counts as that of the Penn Treebank; WikiText-2 has three times as many words.
const PTB_WORDS: usize = 20_000;

/// Recurrent cells.
#[derive(Clone, Debug, PartialEq)]
pub struct LanguageTask;

/// The recurrent cell space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecurrentSpaceSettings {
    /// The kind of its cells.
    kind: SpaceKind,
    /// Searched nodes per cell.
    nodes: usize,
    /// The order of the activations, in whose ids cells are written.
    order: ActivationOrder,
}

impl Task for LanguageTask {
    const KIND: SpaceKind = SpaceKind::Rnn;
    const EXAMPLES: &'static str = "words";
    type Space = RnnSpace;
    type SpaceSettings = RecurrentSpaceSettings;
    type Recipe = LanguageRecipe;
    type Data = TextData;
    type Published = RecurrentEntry;

    fn space(settings: &RecurrentSpaceSettings) -> Result<RnnSpace> {
        Ok(RnnSpace::new(settings.nodes, settings.order)?)
    }

    fn space_settings(space: &RnnSpace) -> RecurrentSpaceSettings {
        RecurrentSpaceSettings { kind: Self::KIND, nodes: space.nodes(), order: space.order() }
    }

    fn space_of(options: &CellOptions) -> Result<RnnSpace> {
        if options.ops.is_some() {
            bail!("--ops means nothing for recurrent cells");
        }
        if options.convention.is_some() {
            bail!("--convention means nothing for recurrent cells");
        }
        Ok(RnnSpace::new(options.nodes.unwrap_or(11), activation_order(options.order.as_deref())?)?)
    }

    fn published(name: &str) -> Result<PublishedArch<Self>> {
        let entry = recurrent_zoo_entry(name)?;
        Ok((entry.space.clone(), entry.arch.clone(), entry))
    }

    fn published_name(published: &RecurrentEntry) -> &'static str {
        published.name
    }

    fn read(text: &str, options: &CellOptions) -> Result<ReadArch<Self>> {
        let is_json = text.trim_start().starts_with('{');
        let given = if is_json { Some(rnn_from_json(text)?.nodes().len()) } else { None };
        let nodes = options.nodes.or(given);
        let space = Self::space_of(&CellOptions { nodes, ..options.clone() })?;
        let arch = read_arch(&space, text)?;
        Ok((space, arch, CellNetwork::default()))
    }

    fn to_json(arch: &RnnArch, _: Option<&RecurrentEntry>, _: &CellNetwork) -> String {
        rnn_to_json(arch)
    }

    fn picture(arch: &RnnArch, published: Option<&RecurrentEntry>, _: &CellNetwork) -> Result<Picture> {
        let searched = OutputMean::Searched;
        Ok(Picture::of_rnn_with(arch, published.map_or(&searched, |entry| &entry.mean)))
    }

    fn default_source() -> Option<DataSource> {
        None
    }

    fn load(source: &DataSource, stored: Option<&Path>) -> Result<Arc<TextData>> {
        let DataSource::Text(folder) = source else {
            bail!("{source} is images, and recurrent cells are trained on text: --data text:DIR")
        };
        let vocabulary = stored.map(|folder| folder.join(VOCABULARY_FILE)).filter(|file| file.is_file());
        Ok(Arc::new(match vocabulary {
            Some(file) => text_folder_with(folder, &read_record(&file)?)?,
            None => text_folder(folder)?,
        }))
    }

    fn checksum(data: &TextData) -> String {
        data.checksum()
    }

    fn origin(data: &TextData) -> &[PartOrigin] {
        &data.origin
    }

    /// Some lines of a language return; more than half of a text is no accident.
    fn repeated(data: &TextData) -> Vec<String> {
        let parts = ["validation", "test"].into_iter().zip(data.repeated());
        let copied = parts.filter(|(_, RepeatedLines { repeated, lines })| 2 * repeated > *lines);
        let sentence = |(part, RepeatedLines { repeated, lines })| {
            format!("{repeated} of the {lines} lines of the {part} text stand in the training text as well")
        };
        copied.map(sentence).collect()
    }

    fn companions(data: &TextData) -> Companions {
        vec![(VOCABULARY_FILE, data.vocabulary_text())]
    }

    fn counts(data: &Arc<TextData>, _: &LanguageRecipe) -> Result<Vec<(String, usize)>> {
        let parts = [("train", &data.train), ("validation", &data.validation), ("test", &data.test)];
        Ok(parts.map(|(part, words)| (part.to_owned(), words.len())).to_vec())
    }

    fn recipe(known: &Registries, name: &str) -> Result<LanguageRecipe> {
        known.recipe_for_language(name)
    }

    fn search_recipe(_: &TextData) -> Option<LanguageRecipe> {
        LanguageRecipe::named("text-small").ok()
    }

    fn final_recipe(data: &TextData) -> Option<LanguageRecipe> {
        let small = data.vocabulary.len() <= PTB_WORDS;
        LanguageRecipe::named(if small { "ptb-final" } else { "wt2-final" }).ok()
    }

    fn epochs_of_recipe(epochs: u32) -> Table {
        Table::from_iter([("epochs".to_owned(), Value::Integer(epochs.into()))])
    }

    fn cost(arch: &RnnArch, recipe: &LanguageRecipe, data: &TextData) -> Result<Cost> {
        let sizes = LanguageModelSkeleton { vocabulary: data.vocabulary.len(), hidden: recipe.hidden };
        Ok(sizes.cost(arch)?)
    }

    fn fidelity(recipe: &LanguageRecipe) -> Fidelity {
        recipe.fidelity()
    }

    fn rounds(_: &DataSource, recipe: &LanguageRecipe) -> (RoundLimits, Option<usize>) {
        match recipe.name.as_str() {
            // The paper's sizes (docs/specification.md, d.2), as for images.
            "ptb-search" => (RoundLimits { initial: 600, per_round: 200, budget: 1_000 }, None),
            _ => (RoundLimits { initial: 16, per_round: 8, budget: 32 }, Some(5)),
        }
    }

    fn check(recipe: &LanguageRecipe, data: &TextData, space: &RnnSpace, seed: u64) -> Result<()> {
        recipe.check()?;
        for (part, words, batch) in [
            ("training", data.train.len(), recipe.batch),
            ("validation", data.validation.len(), recipe.validation_batch),
        ] {
            if words / batch < 2 {
                bail!(
                    "the {part} text has {words} words, too few for {batch} parts of at least 2; \
                     lower recipe.batch and recipe.validation_batch"
                );
            }
        }
        // Whether the sizes are within bounds does not depend on the cells: any one tells.
        let arch = space.sample(&mut rng_for(seed, "geometry", 0));
        Self::cost(&arch, recipe, data)?;
        Ok(())
    }

    fn objective() -> Objective {
        Objective::validation_perplexity()
    }

    fn evaluator(
        data: Arc<TextData>,
        recipe: LanguageRecipe,
        device: Device,
    ) -> Result<Box<dyn Evaluator<RnnArch> + Send + Sync>> {
        Ok(Box::new(LanguageEvaluator::new(data, recipe, device)?))
    }
}
