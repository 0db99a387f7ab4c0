//! `nao draw`.

use std::path::Path;

use anyhow::Result;
use nao_space::Space;
use nao_space::draw::{Drawing, Picture};
use nao_space::network::{CellOutputs, Concat};
use nao_space::notation::cnn_to_json;

use super::print_text;
use crate::arch_argument::{NamedArch, arch_of_run, read_arch};
use crate::args::{DrawArgs, DrawFormat};
use crate::files::write_whole;

pub fn run(args: DrawArgs) -> Result<()> {
    let named = if Path::new(&args.arch).is_dir() {
        arch_of_run(Path::new(&args.arch), args.rank)?.0
    } else {
        read_arch(&args.arch, &args.space)?
    };
    let subtitle = named.space.format(&named.arch);
    let text = match args.format {
        DrawFormat::Svg => {
            picture(&named)?.svg(&Drawing { title: named.name, subtitle, ..Drawing::default() })
        }
        DrawFormat::Dot => picture(&named)?.dot(&named.name),
        DrawFormat::Json => cnn_to_json(&named.arch),
    };
    match args.output {
        Some(path) => write_whole(&path, text.as_bytes()),
        None => print_text(&text),
    }
}

/// Cells with the states that they concatenate: the published ones of a published cell, otherwise the loose ends.
fn picture(named: &NamedArch) -> Result<Picture> {
    let loose_ends = CellOutputs::both(Concat::LooseEnds);
    let outputs = named.published.map_or(&loose_ends, |entry| &entry.outputs);
    Ok(Picture::of_cells(&named.arch, outputs)?)
}
