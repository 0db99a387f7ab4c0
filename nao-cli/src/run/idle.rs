//! Flags and settings of searches that do nothing beside the others.

use anyhow::{Result, bail};
use nao_run::execution::Engine;

use super::config::RunConfig;
use crate::args::{ExecutionOptions, RunOptions, SpaceKind};
use crate::cells::NamedRecipe;
use crate::flags::refuse_idle;
use crate::registries::{Registries, in_runs};

impl ExecutionOptions {
    /// Those of array jobs.
    fn of_slurm(&self) -> [(&'static str, bool); 4] {
        [
            ("slurm-args", self.slurm_args.is_some()),
            ("slots-per-node", self.slots_per_node.is_some()),
            ("trials-per-task", self.trials_per_task.is_some()),
            ("parallel", self.parallel.is_some()),
        ]
    }
}

/// Refuses flags that mean something for the other kind of cells only.
pub fn refuse_flags_of_other_cells(kind: SpaceKind, run: &RunOptions) -> Result<()> {
    match kind {
        SpaceKind::Cnn => refuse_idle([("order", run.order.is_some())], "image cells have no activations"),
        SpaceKind::Rnn => refuse_idle([("ops", run.ops.is_some())], "recurrent cells have activations only"),
    }
}

/// Refuses flags without effect on a search of this configuration.
pub fn refuse_idle_flags<R: NamedRecipe>(
    known: &Registries,
    run: &RunOptions,
    execution: &ExecutionOptions,
    config: &RunConfig<R>,
) -> Result<()> {
    if run.preset.is_some() && !has_preset(config) {
        let with_presets =
            known.strategies.entries().filter(|entry| in_runs(entry.kind) && entry.has_presets());
        let names: Vec<&str> = with_presets.map(|entry| entry.name).collect();
        let why =
            format!("strategy {} has no presets; these have: {}", config.strategy.name, names.join(", "));
        refuse_idle([("preset", true)], &why)?;
    }
    let engine = config.execution.executor;
    if engine != Engine::Slurm {
        refuse_idle(execution.of_slurm(), "children are trained in no jobs of Slurm: add --executor slurm")?;
    }
    // Cells are scored with shared weights on this machine.
    if engine != Engine::Local && config.sharing.is_none() {
        let why = "it counts children on this machine; workers elsewhere count themselves";
        refuse_idle([("workers", execution.workers.is_some())], why)?;
        let several = config.execution.devices().count() > 1 && execution.device.is_some();
        if several {
            bail!("--device names several devices, and workers elsewhere have the first: name one");
        }
    }
    Ok(())
}

/// Whether a preset chooses how the strategy proposes.
fn has_preset<R: NamedRecipe>(config: &RunConfig<R>) -> bool {
    let proposes = config.sharing.as_ref().is_none_or(|sharing| sharing.per_round > 0);
    proposes && config.strategy.preset().is_some()
}
