//! What was typed, as TOML tables: a file, then settings, then flags.

use anyhow::{Context, Result};
use nao_child::supernet::SharingConfig;
use nao_controller::registry::OLD_SECTIONS;
use nao_run::settings::{nested, overlay, parse_setting, read_settings, table_of, word};
use nao_space::search::RoundLimits;
use toml::{Table, Value};

use crate::args::{ExecutionOptions, RunOptions};

/// The file, then `--set`, then the named flags, as one table.
pub fn typed_table(run: &RunOptions, execution: &ExecutionOptions) -> Result<Table> {
    let mut file = Table::new();
    if let Some(path) = &run.config {
        file = read_settings(path)?;
        leave_out_what_follows(&mut file);
    }
    let mut typed = Table::new();
    for setting in &run.settings {
        overlay(&mut typed, parse_setting(setting)?);
    }
    let text = |value: &Option<String>| value.clone().map(Value::String);
    let number = |value: Option<u64>| -> Result<Option<Value>> {
        let number = value.map(i64::try_from).transpose().context("a number is too large")?;
        Ok(number.map(Value::Integer))
    };
    let flags = [
        ("data", text(&run.data)),
        ("recipe.name", text(&run.recipe)),
        ("strategy.name", text(&run.strategy)),
        ("strategy.preset", text(&run.preset)),
        ("space.kind", run.space.map(Value::try_from).transpose()?),
        ("space.ops", text(&run.ops)),
        ("space.order", text(&run.order)),
        ("space.nodes", number(run.nodes.map(|nodes| nodes as u64))?),
        (
            "start_with",
            Some(&run.start_with).filter(|given| !given.is_empty()).map(Value::try_from).transpose()?,
        ),
        ("seed", number(run.seed)?),
        ("rounds.budget", number(run.budget)?),
        ("rounds.initial", number(run.initial)?),
        ("rounds.per_round", number(run.per_round)?),
        ("execution.workers", number(execution.workers.map(|workers| workers as u64))?),
        ("execution.device", text(&execution.device)),
        ("execution.time_limit", execution.time_limit.map(Value::Float)),
        ("execution.memory_limit", execution.memory_limit.map(Value::Float)),
        ("execution.executor", execution.executor.map(Value::try_from).transpose()?),
        ("execution.max_failed_share", execution.max_failed_share.map(Value::Float)),
        ("execution.slurm.args", text(&execution.slurm_args)),
        ("execution.slurm.slots_per_node", number(execution.slots_per_node.map(|slots| slots as u64))?),
        ("execution.slurm.trials_per_task", number(execution.trials_per_task.map(|trials| trials as u64))?),
        ("execution.slurm.parallel", number(execution.parallel.map(|tasks| tasks as u64))?),
    ];
    for (key, value) in flags {
        if let Some(value) = value {
            overlay(&mut typed, nested(key, value));
        }
    }
    leave_out_settings_of_another_strategy(&mut file, &typed)?;
    overlay(&mut file, typed);
    Ok(file)
}

/// Takes out of a file the settings of its strategy where another is named beside the file, or another preset: they mean
/// nothing for it. Sections, as version 0.1 had them, say themselves what they are for.
fn leave_out_settings_of_another_strategy(file: &mut Table, typed: &Table) -> Result<()> {
    let differs = |key: &str| -> Result<bool> {
        Ok(word(typed, "strategy", key)?
            .is_some_and(|typed| word(file, "strategy", key).ok().flatten().is_some_and(|own| own != typed)))
    };
    let (name, preset) = (differs("name")?, differs("preset")?);
    if let Some(strategy) = file.get_mut("strategy").and_then(Value::as_table_mut).filter(|_| name || preset)
    {
        let is_section = |key: &str, value: &Value| OLD_SECTIONS.contains(&key) && value.is_table();
        strategy.retain(|key, value| key == "name" || is_section(key, value));
    }
    Ok(())
}

/// Takes out of a file what follows from the rest of it: the rounds of a search that trains its finalists alone, and the
/// length of its schedule. A dry run prints them; typed by hand they are refused, and other settings move them.
fn leave_out_what_follows(file: &mut Table) {
    let rounds = |trials: u64| RoundLimits { initial: trials, per_round: trials, budget: trials };
    let section = |file: &Table, name: &str| file.get(name).cloned();
    let derived = match (section(file, "sharing"), section(file, "relaxed")) {
        (Some(sharing), _) => {
            let Ok(sharing) = sharing.try_into::<SharingConfig>() else { return };
            let follows = sharing.training.cosine_epochs == sharing.schedule_epochs();
            let training = file.get_mut("sharing").and_then(|sharing| sharing.get_mut("training"));
            if let Some(training) = training.and_then(Value::as_table_mut).filter(|_| follows) {
                training.remove("cosine_epochs");
            }
            rounds(sharing.finalists as u64)
        }
        (None, Some(_)) => rounds(1),
        (None, None) => return,
    };
    if section(file, "rounds") == Some(Value::Table(table_of(&derived))) {
        file.remove("rounds");
    }
}
