//! A search over a space of your own (`src/filters.rs`): `cargo run --release --bin own_space`.

use std::error::Error;

use nao_examples::filters::{FilterSpace, Ringing};
use nao_space::search::{RandomSearch, RoundLimits, run_search};
use nao_space::{Describe, Space};

fn main() -> Result<(), Box<dyn Error>> {
    let space = FilterSpace::new(12);
    println!("{} has {} chains", space.name(), space.size());

    // Two rounds of a hundred trials, of 455 chains that differ in more than their order: the strategy proposes no chain
    // twice, whatever its spelling.
    let limits = RoundLimits { initial: 100, per_round: 100, budget: 200 };
    let mut strategy = RandomSearch::new(space.clone(), 1);
    let history = run_search::<FilterSpace>(&mut strategy, &Ringing, limits, 1)?;

    let (best, measured) = history.best().ok_or("no trial measured anything")?;
    println!("best of {} trials: {}", history.trials.len(), space.format(&best.trial.arch));
    println!("{} {:.4} {}", measured.objective.name, measured.value, measured.objective.unit);
    Ok(())
}
