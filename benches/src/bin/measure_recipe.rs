//! Trains a few random cells with a recipe, each with two seeds, and prints accuracies and seconds: how the
//! recipes of this crate were chosen.
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

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    // Inside the pool, parallel operations need not be handed to another thread.
    if std::env::var_os("POOL").is_some() {
        return rayon::ThreadPoolBuilder::new().build()?.install(measure);
    }
    measure()
}

fn measure() -> Result<(), Box<dyn Error + Send + Sync>> {
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
    let mut rows: Vec<[f64; 2]> = Vec::new();
    let mut seconds = 0.0;
    for id in 1..=cells {
        let arch = space.sample(&mut rng_for(5, "measure", id));
        let measured = [0, 1].map(|repeat| {
            let seed = seed_for(5, "trial", 2 * id + repeat);
            evaluator.evaluate(&Trial { id: TrialId(id), arch: arch.clone(), seed }, &mut Quiet)
        });
        match measured {
            [Ok(a), Ok(b)] => {
                let loss = a.extra["train_loss"];
                println!(
                    "{id:>3}  {:.4} {:.4}  {:6.2} s  {:>7} parameters  train loss {loss:.4}",
                    a.value, b.value, a.seconds, a.params
                );
                rows.push([a.value, b.value]);
                seconds += a.seconds + b.seconds;
            }
            [Err(error), _] | [_, Err(error)] => println!("{id:>3}  {error}"),
        }
    }
    let count = rows.len() as f64;
    let mean = rows.iter().flatten().sum::<f64>() / (2.0 * count);
    let between =
        (rows.iter().map(|[a, b]| ((a + b) / 2.0 - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
    let within = (rows.iter().map(|[a, b]| (a - b).powi(2) / 2.0).sum::<f64>() / count).sqrt();
    println!(
        "accuracy {mean:.4}; deviation between cells {between:.4}, between seeds of a cell {within:.4}; {:.2} s per training",
        seconds / (2.0 * count)
    );
    Ok(())
}
