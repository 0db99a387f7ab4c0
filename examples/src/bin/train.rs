//! Builds the network of a cell, trains it, saves and loads it: `cargo run --release --bin train`.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use nao_child::names::NameConvention;
use nao_child::train::checkpoint::{load_network, save_network};
use nao_child::train::{evaluate_held_out, train_network};
use nao_child::{Device, Network, Recipe, Split, TrainOptions, digits};
use nao_space::network::NetworkPlan;
use nao_space::seed::rng_for;
use nao_space::{CnnSpace, Quiet, Space};

fn main() -> Result<(), Box<dyn Error>> {
    let (data, recipe, device) = (Arc::new(digits()), Recipe::named("digits")?, Device::flex());
    let arch = CnnSpace::default().sample(&mut rng_for(7, "my cells", 0));
    let plan = NetworkPlan::new(&arch, &recipe.skeleton(&data))?;
    let split = Split::validation(Arc::clone(&data), recipe.validation_images(&data), recipe.split_seed)?;
    println!("{} parameters, {} images to learn from", plan.cost().params, split.train.len());

    let options = TrainOptions::default();
    let trained = train_network(&plan, &recipe, &split, 7, &device, &options, &mut Quiet)?;
    println!("validation accuracy {:.4} after {} epochs", trained.accuracy, trained.epochs.len());
    save_network(&trained.network, &plan, NameConvention::V1, Path::new("network.safetensors"))?;

    let fresh = Network::new(&plan, &mut rng_for(1, "other weights", 0), &device);
    let network = load_network(fresh, &plan, NameConvention::V1, Path::new("network.safetensors"))?;
    let evaluation = evaluate_held_out(&network, &recipe, &split, &device);
    println!("loaded again: {:.4}", evaluation.accuracy);
    Ok(())
}
