//! Trains a few random cells with a recipe and prints accuracy and seconds of each: how the recipes of this
//! crate were chosen.
//!
//! `measure_recipe digits 8` or `measure_recipe cifar10-small 8 --data FOLDER`; fields of the recipe are changed with
//! `--set field=value`, where a field of a table is written `structure.width=12`.

use std::error::Error;
use std::sync::Arc;

use burn::tensor::Device;
use nao_child::{Recipe, TrainEvaluator, cifar10_folder, digits};
use nao_space::seed::{rng_for, seed_for};
use nao_space::{CnnSpace, Evaluator, Quiet, Space, Trial, TrialId};
use serde_json::Value;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let name = words.next().ok_or("which recipe?")?;
    let cells: u64 = words.next().ok_or("how many cells?")?.parse()?;
    let mut recipe = serde_json::to_value(Recipe::named(&name)?)?;
    let mut data = None;
    while let Some(word) = words.next() {
        let argument = words.next().ok_or("an option without its argument")?;
        match word.as_str() {
            "--data" => data = Some(cifar10_folder(argument)?),
            "--set" => {
                let (field, value) = argument.split_once('=').ok_or("--set field=value")?;
                let place = format!("/{}", field.replace('.', "/"));
                *recipe.pointer_mut(&place).ok_or("no such field")? = serde_json::from_str::<Value>(value)?;
            }
            _ => return Err(format!("unknown option {word}").into()),
        }
    }
    let recipe: Recipe = serde_json::from_value(recipe)?;
    let data = Arc::new(data.unwrap_or_else(digits));
    let evaluator = TrainEvaluator::new(data, recipe, Device::flex())?;
    let space = CnnSpace::default();
    let (mut values, mut seconds) = (Vec::new(), Vec::new());
    for id in 1..=cells {
        let arch = space.sample(&mut rng_for(5, "measure", id));
        let trial = Trial { id: TrialId(id), arch, seed: seed_for(5, "trial", id) };
        match evaluator.evaluate(&trial, &mut Quiet) {
            Ok(m) => {
                println!("{id:>3}  {:.4}  {:6.2} s  {:>7} parameters  {:?}", m.value, m.seconds, m.params, m.extra);
                values.push(m.value);
                seconds.push(m.seconds);
            }
            Err(error) => println!("{id:>3}  {error}"),
        }
    }
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let deviation = (values.iter().map(|v| (v - mean(&values)).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
    println!("accuracy {:.4} +- {deviation:.4}, {:.2} s per cell", mean(&values), mean(&seconds));
    Ok(())
}
