//! `nao draw`.

use std::path::Path;

use anyhow::{Result, bail};
use nao_run::RunFolder;
use nao_run::files::write_whole;
use nao_space::Space;
use nao_space::draw::Drawing;

use super::print_text;
use crate::arch_argument::{arch_of_run, kind_of_arch, read_arch};
use crate::args::{DrawArgs, DrawFormat};
use crate::run::RunContents;
use crate::task::{Task, with_task};

pub fn run(args: DrawArgs) -> Result<()> {
    let path = Path::new(&args.arch);
    let kind = match path.is_dir() {
        true => RunFolder::open(path)?.kind()?,
        false => args.space.space.or_else(|| kind_of_arch(&args.arch)).unwrap_or_default(),
    };
    with_task!(kind, T => draw::<T>(args))
}

fn draw<T: Task>(args: DrawArgs) -> Result<()> {
    let format = match (args.format, &args.output) {
        (Some(format), _) => format,
        (None, Some(path)) => format_of(path)?,
        (None, None) => DrawFormat::Svg,
    };
    let named = if Path::new(&args.arch).is_dir() {
        arch_of_run::<T>(Path::new(&args.arch), args.rank)?.0
    } else {
        read_arch::<T>(&args.arch, &args.space)?
    };
    let subtitle = named.space.format(&named.arch);
    let text = match format {
        DrawFormat::Svg => T::picture(&named.arch, named.published)?.svg(&Drawing {
            title: named.name,
            subtitle,
            ..Drawing::default()
        }),
        DrawFormat::Dot => T::picture(&named.arch, named.published)?.dot(&named.name),
        DrawFormat::Json => T::to_json(&named.arch),
    };
    match args.output {
        Some(path) => Ok(write_whole(&path, text.as_bytes())?),
        None => print_text(&text),
    }
}

/// The format that a file's name tells.
fn format_of(path: &Path) -> Result<DrawFormat> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("svg") => Ok(DrawFormat::Svg),
        Some("dot" | "gv") => Ok(DrawFormat::Dot),
        Some("json") => Ok(DrawFormat::Json),
        _ => bail!(
            "{}: pictures are .svg, .dot or .json; --format takes any name, and programs such as rsvg-convert make PNG of SVG",
            path.display()
        ),
    }
}
