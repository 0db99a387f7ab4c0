//! The final training of image cells.

use std::sync::Arc;

use anyhow::Result;
use nao_child::recipe::Score;
use nao_child::{ImageData, Split, TrainError, TrainOptions, train_network};
use nao_space::network::{Cost, NetworkPlan, Skeleton, zoo_entry};
use nao_space::{CnnArch, Objective};
use serde_json::{Map, json};

use super::{Finished, Training, interrupted};
use crate::data::device;
use crate::failure::RunFailed;
use crate::report::{TrainProgress, millions};
use crate::run::{TrainConfig, TrainFolder};
use crate::task::ImageTask;

/// A network and the images on which it is trained and judged.
pub struct PreparedNetwork {
    /// The network.
    pub plan: NetworkPlan,
    /// The images.
    pub split: Split,
}

impl Training for ImageTask {
    type Prepared = PreparedNetwork;

    fn prepare(
        config: &TrainConfig<Self>,
        arch: &CnnArch,
        images: Arc<ImageData>,
    ) -> Result<PreparedNetwork> {
        let recipe = &config.recipe;
        recipe.check(&images)?;
        let plan = plan(arch, config.published.as_deref(), recipe.skeleton(&images))?;
        // All images against the test images (spec e.1), or a validation split where there are none.
        let split = if images.test_len() > 0 {
            Split::test(images)?
        } else {
            let held_out = recipe.validation_images(&images);
            Split::validation(images, held_out, recipe.split_seed)?
        };
        Ok(PreparedNetwork { plan, split })
    }

    fn subject(PreparedNetwork { plan, split }: &PreparedNetwork, config: &TrainConfig<Self>) -> String {
        let cost = plan.cost();
        let data = config.data.as_ref().map_or_else(String::new, |data| format!(" of {data}"));
        format!(
            "{} ({} parameters, {} MACs) with recipe {}\non {} images{data}, judged on {} {} images",
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
        PreparedNetwork { plan, split }: &PreparedNetwork,
        config: &TrainConfig<Self>,
        folder: &TrainFolder,
        progress: &mut TrainProgress,
    ) -> Result<Finished> {
        let recipe = &config.recipe;
        let options = TrainOptions {
            checkpoint: Some(folder.checkpoint()),
            best: Some(folder.weights()),
            measure_every_epoch: recipe.score == Score::BestEpoch,
            ..TrainOptions::default()
        };
        let on = device(&config.device)?;
        let trained = train_network(plan, recipe, split, config.seed, &on, &options, progress);
        let trained = trained.map_err(|error| match error {
            TrainError::Interrupted => interrupted(folder.path()),
            error @ TrainError::NotFinite { .. } => RunFailed(error.to_string()).into(),
            error => error.into(),
        })?;
        let Cost { params, macs, .. } = plan.cost();
        Ok(Finished {
            objective: Objective { split: split.held_out_name.into(), ..Objective::validation_accuracy() },
            value: trained.accuracy,
            epoch: trained.scored_epoch,
            params,
            macs,
            curve: trained.epochs,
            remark: format!("error {:.2} %", 100.0 * (1.0 - trained.accuracy)),
            further: Map::from_iter([
                ("last_value".to_owned(), json!(trained.last.accuracy)),
                ("params_with_auxiliary".to_owned(), json!(plan.cost_with_auxiliary().params)),
            ]),
        })
    }
}

/// The network on the recipe's skeleton; of a published architecture the one that was published.
fn plan(arch: &CnnArch, published: Option<&str>, skeleton: Skeleton) -> Result<NetworkPlan> {
    let Some(name) = published else { return Ok(NetworkPlan::new(arch, &skeleton)?) };
    let entry = zoo_entry(name)?;
    let Skeleton { convention, reduction, .. } = entry.skeleton;
    Ok(NetworkPlan::with_outputs(arch, &entry.outputs, &Skeleton { convention, reduction, ..skeleton })?)
}
