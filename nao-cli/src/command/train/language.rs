//! The final training of recurrent cells, as language models.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use burn::module::Module;
use burn::tensor::Device;
use nao_child::data::TextData;
use nao_child::language::{
    LanguageModel, LanguageRecipe, LanguageTraining, ReadingLayout, RecurrentCell, evaluate_while,
};
use nao_child::{CellRecipe, TrainError, TrainOptions};
use nao_run::TrainFolder;
use nao_space::network::{Cost, LanguageModelSkeleton, OutputMean, recurrent_zoo_entry};
use nao_space::seed::rng_for;
use nao_space::{Objective, Progress, RnnArch, RnnSpace};
use serde_json::{Map, json};

use super::{Finished, Trainable, interrupted};
use crate::cells::CellSpace;
use crate::device::device;
use crate::failure::RunFailed;
use crate::figures::{figure, millions};
use crate::progress::TrainProgress;
use crate::run::TrainConfig;

/// A language model and its text.
pub struct PreparedModel {
    /// The cell.
    pub arch: RnnArch,
    /// What its output averages.
    pub mean: OutputMean,
    /// The sizes of the model.
    pub skeleton: LanguageModelSkeleton,
    /// What it costs.
    pub cost: Cost,
    text: Arc<TextData>,
}

impl PreparedModel {
    /// The model with fresh weights.
    pub fn model(&self, seed: u64, device: &Device) -> LanguageModel<RecurrentCell> {
        let rng = &mut rng_for(seed, "weights", 0);
        let model = LanguageModel::new(self.skeleton, self.arch.nodes().len(), rng, device);
        model.with_mean(self.mean.clone())
    }
}

impl Trainable for LanguageRecipe {
    type Prepared = PreparedModel;

    fn prepare(config: &TrainConfig<Self>, arch: &RnnArch, text: Arc<TextData>) -> Result<PreparedModel> {
        if config.init_from.is_some() {
            bail!("--init-from is for image cells: recurrent cells share no weights that can be read");
        }
        let space = RnnSpace::of_settings(&config.space)?;
        config.recipe.check_fit(&text, &space, config.seed)?;
        let mean = match &config.published {
            Some(name) => recurrent_zoo_entry(name)?.mean.clone(),
            None => OutputMean::Searched,
        };
        let skeleton =
            LanguageModelSkeleton { vocabulary: text.vocabulary.len(), hidden: config.recipe.hidden };
        Ok(PreparedModel { arch: arch.clone(), mean, skeleton, cost: skeleton.cost(arch)?, text })
    }

    fn data_of(prepared: &PreparedModel) -> (String, Vec<(String, usize)>) {
        let text = &prepared.text;
        let parts = [("train", &text.train), ("validation", &text.validation), ("test", &text.test)];
        (text.checksum(), parts.map(|(part, words)| (part.to_owned(), words.len())).to_vec())
    }

    fn subject(prepared: &PreparedModel, config: &TrainConfig<Self>) -> String {
        let PreparedModel { cost, text, .. } = prepared;
        let data = config.data.as_ref().map_or_else(String::new, |data| format!(" of {data}"));
        format!(
            "{} ({} parameters, {} MACs per word) with recipe {}\non {} words{data}, {} of them different; \
             chosen by {} validation words, judged on {} test words",
            config.architecture,
            millions(cost.params),
            millions(cost.macs),
            config.recipe.fidelity(),
            text.train.len(),
            text.vocabulary.len(),
            text.validation.len(),
            text.test.len(),
        )
    }

    fn train(
        prepared: &PreparedModel,
        config: &TrainConfig<Self>,
        folder: &TrainFolder,
        progress: &mut TrainProgress,
    ) -> Result<Finished> {
        let (PreparedModel { arch, text, cost, .. }, recipe) = (prepared, &config.recipe);
        let training = LanguageTraining::new(arch, text.clone(), recipe.clone())?
            .seed(config.seed)
            .device(device(&config.device)?)
            .options(TrainOptions::kept_at(folder.checkpoint()))
            .keep_best(folder.weights())
            .mean(prepared.mean.clone());
        let trained = training.run_with(progress).map_err(|error| match error {
            TrainError::Interrupted => interrupted(folder.path()),
            error @ TrainError::NotFinite { .. } => RunFailed(error.to_string()).into(),
            error => error.into(),
        })?;
        let layout = ReadingLayout { batch: recipe.test_batch, segment: recipe.segment };
        let keep_going = || if progress.should_stop() { Err(interrupted(folder.path())) } else { Ok(()) };
        let test = evaluate_while(&trained.model.valid(), arch, &text.test, layout, keep_going)?
            .context("the test text is too short to be read in recipe.test_batch parts")?;
        let averaged = trained.averaged_after.map_or_else(
            || "weights were never averaged".to_owned(),
            |epoch| format!("weights averaged after epoch {epoch}"),
        );
        Ok(Finished {
            objective: Objective { split: "test".into(), ..Objective::validation_perplexity() },
            value: test.perplexity(),
            epoch: trained.epoch,
            params: cost.params,
            macs: cost.macs,
            curve: trained.epochs,
            remark: format!("validation {}; {averaged}", figure(trained.perplexity)),
            further: Map::from_iter([
                ("validation_value".to_owned(), json!(trained.perplexity)),
                ("averaged_after".to_owned(), json!(trained.averaged_after)),
                ("rollbacks".to_owned(), json!(trained.rollbacks)),
                ("vocabulary".to_owned(), json!(text.vocabulary.len())),
            ]),
        })
    }
}
