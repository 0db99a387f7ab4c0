//! Builds the network of a cell, trains it, saves and loads it: `cargo run --release --bin train`.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use nao_child::train::checkpoint::open_network;
use nao_child::train::evaluate_held_out;
use nao_child::{Device, Recipe, Training, digits};
use nao_space::seed::rng_for;
use nao_space::{CnnSpace, Space};

fn main() -> Result<(), Box<dyn Error>> {
    let (data, recipe) = (Arc::new(digits()), Recipe::named("digits")?);
    let arch = CnnSpace::default().sample(&mut rng_for(7, "my cells", 0));
    let trained = Training::new(&arch, Arc::clone(&data), recipe.clone())?.seed(7).run()?;
    println!("{} parameters, {} epochs", trained.plan.cost().params, trained.epochs.len());
    println!("validation accuracy {:.4}", trained.accuracy);

    let file = Path::new("network.safetensors");
    trained.save(file)?;
    let network = open_network(&trained.plan, file, &Device::flex())?;
    let evaluation = evaluate_held_out(&network, &recipe, &recipe.split(&data)?, &Device::flex());
    println!("loaded again: {:.4}", evaluation.accuracy);
    Ok(())
}
