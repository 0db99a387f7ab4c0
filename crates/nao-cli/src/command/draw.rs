//! `nao draw`.

use std::path::Path;

use anyhow::Result;
use nao_space::Space;
use nao_space::draw::{Drawing, arch_dot, arch_svg};
use nao_space::notation::cnn_to_json;

use super::print_text;
use crate::arch_argument::{arch_of_run, read_arch};
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
            arch_svg(&named.arch, &Drawing { title: named.name, subtitle, ..Drawing::default() })
        }
        DrawFormat::Dot => arch_dot(&named.arch, &named.name),
        DrawFormat::Json => cnn_to_json(&named.arch),
    };
    match args.output {
        Some(path) => write_whole(&path, text.as_bytes()),
        None => print_text(&text),
    }
}
