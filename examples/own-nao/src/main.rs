//! The `nao` command with a strategy, a space and a recipe of your own, `cargo run --release -p own-nao -- --help`.

mod recipe;
mod strategy;

use std::process::ExitCode;

use nao_cli::Registries;
use nao_examples::filters::FilterSpace;

fn main() -> ExitCode {
    let registries = Registries::default()
        .strategy(strategy::Climb)
        .space("filters", "chains of filters of a signal", FilterSpace::new(4))
        .recipe(recipe::glance());
    nao_cli::run(registries, |_| false)
}
