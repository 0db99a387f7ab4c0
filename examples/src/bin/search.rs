//! A search by a score of your own, on four threads. It is kept on disk: ended at any time, even by `kill -9`, and started
//! again, it goes on where it was, to the same history. `cargo run --release --bin search`.

use std::error::Error;

use nao_run::{RunEvent, ScoreFunction, Search};
use nao_space::network::{NetworkPlan, Skeleton};
use nao_space::search::{EvolutionConfig, EvolutionSearch};
use nao_space::{CnnArch, CnnSpace, Space, Trial};

fn main() -> Result<(), Box<dyn Error>> {
    let space = CnnSpace::default();
    // The networks of about a million parameters; your score may train something, or ask another program.
    let distance = |trial: &Trial<CnnArch>| {
        let plan = NetworkPlan::new(&trial.arch, &Skeleton::cifar10(6, 24));
        plan.map_or(f64::NAN, |plan| (plan.cost().params as f64 / 1e6 - 1.0).abs())
    };
    let strategy = EvolutionSearch::new(space.clone(), EvolutionConfig::default(), 1)?;
    let history = Search::new(space.clone(), strategy, ScoreFunction::minimize("distance", distance))
        .budget(100)
        .folder("runs/a-million")
        .workers(4)
        .watch(|event| {
            if let RunEvent::Finished { trial, .. } = event {
                println!("trial {trial} is over");
            }
        })
        .run()?;
    let (best, measured) = history.best().ok_or("no trial measured anything")?;
    println!("best of {}: {} ({:.4})", history.trials.len(), space.format(&best.trial.arch), measured.value);
    Ok(())
}
