//! The final training of image cells.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use nao_child::recipe::Score;
use nao_child::supernet::{Inherited, Supernet};
use nao_child::{ImageData, Recipe, Split, TrainError, TrainOptions, Training};
use nao_run::TrainFolder;
use nao_space::network::{Cost, NetworkPlan, Skeleton, zoo_entry};
use nao_space::{CnnArch, Objective};
use serde_json::{Map, json};

use super::{Finished, Trainable, interrupted};
use crate::cell_network::CellNetwork;
use crate::device::device;
use crate::failure::RunFailed;
use crate::figures::millions;
use crate::progress::TrainProgress;
use crate::run::TrainConfig;

/// A network and the images on which it is trained and judged.
pub struct PreparedNetwork {
    /// The network.
    pub plan: NetworkPlan,
    /// The images.
    pub split: Split,
    /// The shared weights that it starts from.
    pub inherited: Option<Inherited>,
}

impl Trainable for Recipe {
    type Prepared = PreparedNetwork;

    fn prepare(
        config: &TrainConfig<Self>,
        arch: &CnnArch,
        images: Arc<ImageData>,
    ) -> Result<PreparedNetwork> {
        let recipe = &config.recipe;
        recipe.check(&images)?;
        let plan = plan(arch, config, recipe.skeleton(&images))?;
        // All images against the test images (docs/specification.md, e.1), or a validation split where there are none.
        let split = if images.test_len() > 0 { Split::test(images)? } else { recipe.split(&images)? };
        let inherited = match &config.init_from {
            Some(file) => Some(Supernet::open(file, &device(&config.device)?)?.inherit(arch, &plan)?),
            None => None,
        };
        Ok(PreparedNetwork { plan, split, inherited })
    }

    fn data_of(prepared: &PreparedNetwork) -> (String, Vec<(String, usize)>) {
        let Split { train, held_out, held_out_name, data } = &prepared.split;
        let examples = [("train", train.len()), (*held_out_name, held_out.len())];
        (data.checksum(), examples.map(|(part, count)| (part.to_owned(), count)).to_vec())
    }

    fn subject(
        PreparedNetwork { plan, split, inherited }: &PreparedNetwork,
        config: &TrainConfig<Self>,
    ) -> String {
        let cost = plan.cost();
        let data = config.data.as_ref().map_or_else(String::new, |data| format!(" of {data}"));
        let start = match (inherited, &config.init_from) {
            (Some(inherited), Some(file)) => format!("\n{}", inheritance(inherited, file)),
            _ => String::new(),
        };
        format!(
            "{} ({} parameters, {} MACs) with recipe {}\non {} images{data}, judged on {} {} images{start}",
            config.architecture,
            millions(cost.params),
            millions(cost.macs),
            config.recipe.fidelity(),
            split.train.len(),
            split.held_out.len(),
            split.held_out_name,
        )
    }

    fn train(
        PreparedNetwork { plan, split, inherited }: &PreparedNetwork,
        config: &TrainConfig<Self>,
        folder: &TrainFolder,
        progress: &mut TrainProgress,
    ) -> Result<Finished> {
        let recipe = &config.recipe;
        let initial = inherited.as_ref().map_or_else(Default::default, |inherited| inherited.tensors.clone());
        let training = Training::of_plan(plan.clone(), recipe.clone(), split.clone())?
            .seed(config.seed)
            .device(device(&config.device)?)
            .options(TrainOptions::kept_at(folder.checkpoint()))
            .keep_best(folder.weights())
            .measure_every_epoch(recipe.score == Score::BestEpoch)
            .start_from(initial);
        let trained = training.run_with(progress).map_err(|error| match error {
            TrainError::Interrupted => interrupted(folder.path()),
            error @ TrainError::NotFinite { .. } => RunFailed(error.to_string()).into(),
            error => error.into(),
        })?;
        let Cost { params, macs, .. } = plan.cost();
        let mut further = Map::from_iter([
            ("last_value".to_owned(), json!(trained.last.accuracy)),
            ("params_with_auxiliary".to_owned(), json!(plan.cost_with_auxiliary().params)),
        ]);
        if let (Some(inherited), Some(file)) = (inherited, &config.init_from) {
            let (copied, not_found) = (inherited.tensors.len(), &inherited.not_found);
            let entry = json!({ "file": file, "copied": copied, "not_found": not_found });
            further.insert("init_from".to_owned(), entry);
        }
        Ok(Finished {
            objective: Objective { split: split.held_out_name.into(), ..Objective::validation_accuracy() },
            value: trained.accuracy,
            epoch: trained.scored_epoch,
            params,
            macs,
            curve: trained.epochs,
            remark: format!("error {:.2} %", 100.0 * (1.0 - trained.accuracy)),
            further,
        })
    }
}

/// What was copied, and what was not found, block by block.
fn inheritance(Inherited { tensors, not_found, .. }: &Inherited, file: &Path) -> String {
    let mut blocks: Vec<&str> = Vec::new();
    for name in not_found {
        // `cells.2.maybe_calibrate_size.preprocess_x.bn.weight`: the block, without layer and field.
        let block = ["preprocess_x", "preprocess_y", "auxiliary_head", "classifier"]
            .iter()
            .find_map(|block| Some(&name[..name.find(block)? + block.len()]))
            .unwrap_or(name);
        if blocks.last() != Some(&block) {
            blocks.push(block);
        }
    }
    format!(
        "starting from {}: {} tensors copied, {} not found there and drawn afresh: {}",
        file.display(),
        tensors.len(),
        not_found.len(),
        blocks.join(", ")
    )
}

/// The network on the recipe's skeleton; of a published architecture the one that was published.
fn plan(arch: &CnnArch, config: &TrainConfig<Recipe>, skeleton: Skeleton) -> Result<NetworkPlan> {
    let Some(name) = config.published.as_deref() else {
        let concatenates = config.concatenates.clone();
        let network = CellNetwork { convention: Some(skeleton.convention), concatenates };
        return Ok(NetworkPlan::with_outputs(arch, &network.outputs(), &skeleton)?);
    };
    let entry = zoo_entry(name)?;
    let Skeleton { convention, reduction, .. } = entry.skeleton;
    Ok(NetworkPlan::with_outputs(arch, &entry.outputs, &Skeleton { convention, reduction, ..skeleton })?)
}
