//! A run of trainings that goes on after any stop: it is interrupted after its first trial, and gone on with to the end.
//! `cargo run --release --bin resumable_run`.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nao_child::{Device, Recipe, TrainEvaluator, digits};
use nao_run::{RunEvent, Search};
use nao_space::search::RandomSearch;
use nao_space::{CnnSpace, Space};

fn main() -> Result<(), Box<dyn Error>> {
    let space = CnnSpace::default();
    let search = || -> Result<_, Box<dyn Error>> {
        let evaluator = TrainEvaluator::new(Arc::new(digits()), Recipe::named("digits")?, Device::flex())?;
        let search = Search::new(space.clone(), RandomSearch::new(space.clone(), 1), evaluator);
        Ok(search.budget(4).initial(2).per_round(2).workers(1).folder("runs/digits"))
    };
    // Somebody presses Ctrl-C after the first trial.
    let stop = Arc::new(AtomicBool::new(false));
    let press = Arc::clone(&stop);
    let watch = move |event: RunEvent<'_>| {
        if matches!(event, RunEvent::Finished { .. }) {
            press.store(true, Ordering::Relaxed);
        }
    };
    match search()?.watch(watch).stopped_by(stop).run() {
        Err(stopped) => println!("{stopped}"),
        Ok(history) => println!("it was over already, after {} trials", history.trials.len()),
    }
    let history = search()?.run()?;
    let (best, measured) = history.best().ok_or("no training ended well")?;
    println!("best of {}: {:.4} by {}", history.trials.len(), measured.value, space.format(&best.trial.arch));
    Ok(())
}
