//! Epochs per second of a controller's fit: `fit_speed [preset] [epochs]`.

use burn::tensor::Device;
use nao_controller::{Controller, ControllerConfig, Language};
use nao_space::seed::rng_for;
use nao_space::{CnnSpace, Space, Token};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let preset = arguments.next().unwrap_or_else(|| "v1".into());
    let epochs: usize = arguments.next().map_or(Ok(20), |text| text.parse())?;
    let space = CnnSpace::default();
    let language = Language::of(&space);
    for pool in [20, 40, 60, 100] {
        let mut rng = rng_for(1, "fit speed", pool);
        let sequences: Vec<Vec<Token>> = (0..pool).map(|_| space.encode(&space.sample(&mut rng))).collect();
        let targets: Vec<f32> = (0..pool).map(|index| index as f32 / pool as f32).collect();
        let config = ControllerConfig { epochs, ..ControllerConfig::preset(&preset)? };
        let mut controller = Controller::new(config, language.clone(), &Device::flex(), &mut rng)?;
        let report = controller.fit(&sequences, &targets, &space, &mut rng)?;
        let per_second = epochs as f64 / report.seconds;
        println!(
            "{preset}, batch {pool}: {per_second:.1} epochs/s, loss {:.4}",
            report.epochs[epochs - 1].loss
        );
    }
    Ok(())
}
