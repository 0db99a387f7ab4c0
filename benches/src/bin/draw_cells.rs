//! Draws published cells and random ones of every space as SVG and DOT files.
//!
//! `cargo run --release -p nao-benches --bin draw_cells -- DIRECTORY`

use std::error::Error;
use std::path::{Path, PathBuf};

use nao_space::draw::{Drawing, Picture};
use nao_space::network::{CellOutputs, Concat, zoo};
use nao_space::seed::rng_for;
use nao_space::{
    ActivationOrder, CnnSpace, DartsSpace, NasBench101Space, NasBench201Space, OpSet, RnnArch, RnnSpace,
    Space,
};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "cells".to_owned()));
    std::fs::create_dir_all(&directory)?;
    for entry in zoo() {
        let subtitle = format!("{}: {}", entry.space.name(), entry.space.format(&entry.arch));
        draw(&directory, entry.name, subtitle, &Picture::of_cells(&entry.arch, &entry.outputs)?)?;
    }
    for (nodes, ops) in
        [(1, OpSet::enas_5()), (5, OpSet::paper_11()), (7, OpSet::v2_10()), (12, OpSet::v1_14())]
    {
        let loose_ends = CellOutputs::both(Concat::LooseEnds);
        let mut pictures = Vec::new();
        let space = CnnSpace::new(nodes, ops)?;
        for arch in archs(&space) {
            pictures.push(Picture::of_cells(&arch, &loose_ends)?);
        }
        draw_all(&directory, &space, pictures)?;
    }
    let space = DartsSpace::default();
    draw_all(&directory, &space, archs(&space).iter().map(Picture::of_darts))?;
    for nodes in [4, 11, RnnArch::MAX_NODES] {
        let space = RnnSpace::new(nodes, ActivationOrder::Nao)?;
        draw_all(&directory, &space, archs(&space).iter().map(Picture::of_rnn))?;
    }
    let space = NasBench101Space::default();
    draw_all(&directory, &space, archs(&space).iter().map(Picture::of_nasbench101))?;
    let space = NasBench201Space::default();
    draw_all(&directory, &space, archs(&space).iter().map(Picture::of_nasbench201))?;
    Ok(())
}

fn archs<S: Space>(space: &S) -> Vec<S::Arch> {
    (0..3).map(|index| space.sample(&mut rng_for(1, "draw", index))).collect()
}

fn draw_all<S: Space>(
    directory: &Path,
    space: &S,
    pictures: impl IntoIterator<Item = Picture>,
) -> Result<(), Box<dyn Error>> {
    for (index, picture) in pictures.into_iter().enumerate() {
        let name = format!("random-{}-{index}", space.name().replace('/', "-"));
        draw(directory, &name, space.name(), &picture)?;
    }
    Ok(())
}

fn draw(directory: &Path, name: &str, subtitle: String, picture: &Picture) -> Result<(), Box<dyn Error>> {
    let drawing = Drawing { subtitle, ..Drawing::titled(name) };
    std::fs::write(directory.join(format!("{name}.svg")), picture.svg(&drawing))?;
    std::fs::write(directory.join(format!("{name}.dot")), picture.dot(name))?;
    Ok(())
}
