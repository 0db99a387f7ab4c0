//! `nao draw`.

use std::path::Path;

use anyhow::{Result, bail};
use nao_run::RunFolder;
use nao_space::Space;
use nao_space::draw::{Drawing, Picture};

use crate::arch_argument::{NamedArch, arch_of_run, read_arch};
use crate::arch_text::{kind_of_arch, read_of_space};
use crate::args::{CellOptions, DrawArgs, DrawFormat};
use crate::cells::{CellSpace, NamedRecipe, with_recipe};
use crate::flags::refuse_idle;
use crate::output::Output;
use crate::registries::Registries;
use crate::run::RunContents;
use crate::space_argument::AnySpace;

pub fn run(args: DrawArgs, known: &Registries) -> Result<()> {
    check_flags(&args)?;
    let path = Path::new(&args.arch);
    if path.is_dir() {
        return with_recipe!(RunFolder::open(path)?.kind()?, R => {
            draw_cell(&args, arch_of_run::<R>(path, args.rank.unwrap_or(1))?.0)
        });
    }
    let kind = kind_of_arch(&args.arch).unwrap_or_default();
    // The network around image cells says what they concatenate, which their space does not know.
    match args.space.of_cells(kind).filter(|_| args.space.encoding.is_none()) {
        Some((kind, options)) => {
            let options = CellOptions { convention: args.convention, ..options };
            with_recipe!(kind, R => draw_cell(&args, read_arch::<R>(&args.arch, &options)?))
        }
        None => {
            let why = "the space says what its cells concatenate";
            refuse_idle([("convention", args.convention.is_some())], why)?;
            args.space.make(&known.spaces)?.draw(&args)
        }
    }
}

/// Refuses flags that do nothing with what is drawn.
fn check_flags(args: &DrawArgs) -> Result<()> {
    let space = args.space.given().into_iter().chain([("convention", args.convention.is_some())]);
    if Path::new(&args.arch).is_dir() {
        return refuse_idle(space, "the run knows its space and its networks");
    }
    if args.arch.starts_with('@') {
        refuse_idle(space, &format!("{} is published with its space and its network", args.arch))?;
    }
    refuse_idle([("rank", args.rank.is_some())], "it chooses from a run folder, and none is named")
}

fn draw_cell<R: NamedRecipe>(args: &DrawArgs, named: NamedArch<R>) -> Result<()> {
    let NamedArch { name, space, arch, published, network } = named;
    let picture = R::Space::network_picture(&arch, published, &network)?;
    write(args, name, space.format(&arch), &picture, || R::Space::document(&arch, published, &network))
}

/// Draws an architecture of a space of whatever kind.
pub fn in_space<S: AnySpace>(space: &S, args: &DrawArgs) -> Result<()> {
    let arch = read_of_space(space, &args.arch)?;
    let json = || space.to_json(&arch);
    write(args, space.name(), space.format(&arch), &space.picture(&arch), json)
}

/// Writes the picture, or the architecture as JSON.
fn write(
    args: &DrawArgs,
    title: String,
    subtitle: String,
    picture: &Picture,
    json: impl Fn() -> String,
) -> Result<()> {
    let output = Output::of(args.output.as_deref());
    let format = match (args.format, output.telling_name()) {
        (Some(format), _) => format,
        (None, Some(path)) => format_of(path)?,
        (None, None) => DrawFormat::Svg,
    };
    let text = match format {
        DrawFormat::Svg => picture.svg(&Drawing { title, subtitle, ..Drawing::default() }),
        DrawFormat::Dot => picture.dot(&title),
        DrawFormat::Json => json(),
    };
    output.write_text(&text)
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
