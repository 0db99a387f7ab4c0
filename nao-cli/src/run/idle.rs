//! Flags and settings of searches that do nothing beside the others.

use anyhow::{Result, bail};
use nao_run::execution::Engine;
use nao_run::settings::table_of;
use toml::{Table, Value};

use super::config::{RunConfig, STRUCTURE};
use crate::args::{ExecutionOptions, RunOptions, SpaceKind};
use crate::cells::NamedRecipe;
use crate::flags::refuse_idle;
use crate::strategy::{ENAS, SHARED_SEARCHES};

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
    run: &RunOptions,
    execution: &ExecutionOptions,
    config: &RunConfig<R>,
) -> Result<()> {
    let name = config.strategy.name.as_str();
    let why = format!("strategy {name} has no presets; nao, nao-ws and nao-v2 have");
    refuse_idle([("preset", run.preset.is_some() && !has_preset(config))], &why)?;
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
    let name = config.strategy.name.as_str();
    name == "nao" || (SHARED_SEARCHES.contains(&name) && proposes_by_preset(config))
}

/// Whether a preset was typed, as a setting, for a strategy that has none.
pub fn idle_preset<R: NamedRecipe>(config: &RunConfig<R>, base: &RunConfig<R>) -> bool {
    !has_preset(config) && config.strategy.preset != base.strategy.preset
}

/// Whether a search with shared weights asks a `nao` strategy for cells.
fn proposes_by_preset<R: NamedRecipe>(config: &RunConfig<R>) -> bool {
    config.sharing.as_ref().is_some_and(|sharing| sharing.policy_updates == 0 && sharing.per_round > 0)
}

/// The sections of `[strategy]` that a search does not read, among those that were typed. A file may hold the settings of
/// several strategies, so that this is said and not refused.
pub fn idle_sections<R: NamedRecipe>(
    typed: &Table,
    config: &RunConfig<R>,
    base: &RunConfig<R>,
) -> Vec<String> {
    let name = config.strategy.name.as_str();
    let read: &[&str] = match name {
        "nao" if config.strategy.preset == STRUCTURE => &["structure"],
        "nao" => &["nao"],
        "evolution" | "evolution:non-aging" | "hier-ea" => &["evolution"],
        "reinforce" | "reinforce:short" | "ppo" | "ppo:short" => &["policy"],
        "pnas" => &["pnas"],
        ENAS => &["policy"],
        _ if proposes_by_preset(config) && config.strategy.preset == STRUCTURE => &["structure"],
        _ if proposes_by_preset(config) => &["nao"],
        _ => &[],
    };
    let section =
        |table: &Table, name: &str| table.get("strategy").and_then(Value::as_table)?.get(name).cloned();
    let (ours, theirs) = (table_of(config), table_of(base));
    ["nao", "structure", "evolution", "policy", "pnas"]
        .into_iter()
        .filter(|name| !read.contains(name) && section(typed, name).is_some())
        .filter(|name| section(&ours, name) != section(&theirs, name))
        .map(|name| format!("strategy.{name}"))
        .collect()
}
