//! `nao resume`: goes on with a search, or with a training.

use anyhow::{Result, bail};
use nao_run::execution::check_surroundings;
use nao_run::settings::{Configuration, all_words};
use nao_run::{RunFolder, TrainFolder, check_budget};

use super::search::{Start, carry_out};
use crate::args::ResumeArgs;
use crate::cells::with_recipe;
use crate::interrupt::Interrupt;
use crate::registries::Registries;
use crate::report::say_origin;
use crate::run::{
    Resolved, RunConfig, RunContents, SearchedRecipe, adopted, refuse_flags_of_other_cells,
    refuse_idle_flags, resolve,
};

pub fn run(args: ResumeArgs, known: &Registries, interrupt: &Interrupt) -> Result<()> {
    if let Some(folder) = TrainFolder::find(&args.folder) {
        return super::train::resume(&folder, &args, interrupt);
    }
    let folder = RunFolder::open(&args.folder)?;
    let kind = folder.kind()?;
    refuse_flags_of_other_cells(kind, &args.run)?;
    with_recipe!(kind, R => resume::<R>(args, &folder, known, interrupt))
}

/// Goes on with a search. Nothing is changed before everything that can be refused is checked.
fn resume<R: SearchedRecipe>(
    args: ResumeArgs,
    folder: &RunFolder,
    known: &Registries,
    interrupt: &Interrupt,
) -> Result<()> {
    let lock = folder.lock()?;
    let stored = folder.config::<R>()?;
    let stored_with_place = Some((&stored, folder.path()));
    let Resolved { config, data } = resolve(known, &args.run, &args.execution, stored_with_place)?;
    let differences = stored.differences(&config);
    if !differences.is_empty() {
        bail!(
            "{} was started with other settings; start a new search for them, or resume without them: {}",
            args.folder.display(),
            all_words(&differences, "asked")
        );
    }
    refuse_idle_flags(known, &args.run, &args.execution, &config)?;
    check_surroundings(&config.execution, Some(folder.path()))?;
    folder.check_data::<R>(&data, &config)?;
    let store = folder.store()?;
    let asked_again = check_budget(folder.path(), &store, stored.rounds.budget, config.rounds.budget)?;
    let adopted = adopted(folder, &store, &config, &data)?;
    if let Some(round) = asked_again {
        let budget = config.rounds.budget;
        store.reopen_round(&round, &format!("asked once more, with a budget of {budget}"))?;
    }
    keep_for_later(folder, &stored, &config)?;
    say_origin::<R>(&data);
    carry_out(folder, Start { lock, store, config, data, adopted, known }, args.json, interrupt)
}

/// Budget and place of the data stay what they were made; how a run is carried out is said anew at each start.
fn keep_for_later<R: SearchedRecipe>(
    folder: &RunFolder,
    stored: &RunConfig<R>,
    config: &RunConfig<R>,
) -> Result<()> {
    let kept = RunConfig { rounds: config.rounds, data: config.data.clone(), ..stored.clone() };
    if kept != *stored { Ok(folder.settings().keep(&kept)?) } else { Ok(()) }
}
