//! Draws a random cell of any space as a picture: `cargo run --release --bin draw`.

use std::error::Error;

use nao_space::draw::{Draw, Drawing};
use nao_space::seed::rng_for;
use nao_space::{CnnSpace, NasBench201Space, RnnSpace};

fn main() -> Result<(), Box<dyn Error>> {
    draw(&CnnSpace::default(), "image-cell.svg")?;
    draw(&RnnSpace::default(), "recurrent-cell.svg")?;
    draw(&NasBench201Space::default(), "benchmark-cell.svg")
}

fn draw<S: Draw>(space: &S, file: &str) -> Result<(), Box<dyn Error>> {
    let arch = space.sample(&mut rng_for(7, "my cells", 0));
    let drawing = Drawing { subtitle: space.format(&arch), ..Drawing::titled(space.name()) };
    std::fs::write(file, space.picture(&arch).svg(&drawing))?;
    println!("{file}: {}", space.format(&arch));
    Ok(())
}
