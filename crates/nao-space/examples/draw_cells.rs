//! Draws published and random cells as SVG and DOT files.
//!
//! `cargo run --release -p nao-space --example draw_cells -- DIRECTORY`

use std::error::Error;
use std::path::{Path, PathBuf};

use nao_space::draw::{Drawing, arch_dot, arch_svg};
use nao_space::network::zoo;
use nao_space::seed::rng_for;
use nao_space::{CnnArch, CnnSpace, OpSet, Space};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "cells".to_owned()));
    std::fs::create_dir_all(&directory)?;
    for entry in zoo() {
        let subtitle = format!("{}: {}", entry.space.name(), entry.space.format(&entry.arch));
        draw(&directory, entry.name, subtitle, &entry.arch)?;
    }
    for (nodes, ops) in
        [(1, OpSet::enas_5()), (5, OpSet::paper_11()), (7, OpSet::v2_10()), (12, OpSet::v1_14())]
    {
        let space = CnnSpace::new(nodes, ops)?;
        for index in 0..3 {
            let arch = space.sample(&mut rng_for(1, "draw", index));
            let name = format!("random-{nodes}-{index}");
            draw(&directory, &name, space.name(), &arch)?;
        }
    }
    Ok(())
}

fn draw(directory: &Path, name: &str, subtitle: String, arch: &CnnArch) -> Result<(), Box<dyn Error>> {
    let drawing = Drawing { subtitle, ..Drawing::titled(name) };
    std::fs::write(directory.join(format!("{name}.svg")), arch_svg(arch, &drawing))?;
    std::fs::write(directory.join(format!("{name}.dot")), arch_dot(arch, name))?;
    Ok(())
}
