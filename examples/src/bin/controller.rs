//! The authors' controller on scores of your own: fits encoder, predictor and decoder to them, and moves the best cell up
//! the gradient of its predicted score. `cargo run --release --bin controller`.

use std::error::Error;

use nao_controller::{Controller, ControllerConfig, Device};
use nao_space::seed::rng_for;
use nao_space::{CnnArch, CnnSpace, Direction, OpSet, Space};

fn main() -> Result<(), Box<dyn Error>> {
    let space = CnnSpace::new(3, OpSet::enas_5())?;
    // Measured accuracies in earnest; here the number of loose ends.
    let score = |arch: &CnnArch| (arch.normal.loose_ends().len() + arch.reduction.loose_ends().len()) as f64;
    let mut rng = rng_for(1, "my cells", 0);
    let archs: Vec<CnnArch> = (0..40).map(|_| space.sample(&mut rng)).collect();
    let best = archs.iter().max_by(|a, b| score(a).total_cmp(&score(b))).ok_or("there are no cells")?;

    // Small, so that it takes a second; without `config` it has the authors' sizes and 1,000 epochs.
    let config = ControllerConfig { hidden: 32, mlp_layers: 0, epochs: 60, ..Default::default() };
    let pairs = archs.iter().map(|arch| (arch.clone(), score(arch)));
    let controller = Controller::for_space(&space, &Device::flex()).config(config).seed(1);
    let controller = controller.fit(pairs, Direction::Maximize)?;

    println!("{}  {}", score(best), space.format(best));
    for arch in controller.improve(best, 1.0)? {
        println!("{}  {}", score(&arch), space.format(&arch));
    }
    Ok(())
}
