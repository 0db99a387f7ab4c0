//! Predicts scores from those of other architectures, without training any network: fit, predict, save and load.
//! `cargo run --release --bin predictor`.

use std::error::Error;
use std::path::Path;

use nao_controller::Predictor;
use nao_space::seed::rng_for;
use nao_space::{Direction, EdgeOp, NasBench201Arch, NasBench201Space, Space};

fn main() -> Result<(), Box<dyn Error>> {
    let space = NasBench201Space::default();
    // Measured errors in earnest; here there are fewer, the more convolutions a cell has.
    let is_convolution = |op: &&EdgeOp| **op == EdgeOp::NorConv3x3;
    let error = |arch: &NasBench201Arch| 20.0 - arch.edges.iter().filter(is_convolution).count() as f64;
    let mut rng = rng_for(1, "my cells", 0);
    let known: Vec<NasBench201Arch> = (0..60).map(|_| space.sample(&mut rng)).collect();
    let new: Vec<NasBench201Arch> = (0..5).map(|_| space.sample(&mut rng)).collect();

    let pairs = known.iter().map(|arch| (*arch, error(arch)));
    let predictor =
        Predictor::builder(&space, Direction::Minimize).score("error", "percent").seed(7).fit(pairs)?;
    predictor.save(Path::new("predictor.json"))?;

    let predictor = Predictor::load(&space, Path::new("predictor.json"))?;
    for (arch, predicted) in new.iter().zip(predictor.predict(&new)?) {
        let [low, high] = predicted.interval;
        println!(
            "{:.2} ({low:.2} to {high:.2}), truly {:.2}: {}",
            predicted.score,
            error(arch),
            space.format(arch)
        );
    }
    Ok(())
}
