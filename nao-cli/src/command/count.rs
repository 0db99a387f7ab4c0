//! `nao count`: parameters and multiply-accumulates of image cells in a network.

use anyhow::{Result, bail};
use nao_child::Recipe;
use nao_space::Space;
use nao_space::network::{NetworkPlan, Skeleton};
use serde::Serialize;

use super::{print_json, print_text};
use crate::arch_argument::{NamedArch, read_arch};
use crate::arch_text::kind_of_arch;
use crate::args::{CountArgs, SpaceKind};
use crate::cell_network::{ask_for_convention, convention_word};
use crate::figures::millions;

/// What is printed.
#[derive(Serialize)]
struct CountResult {
    architecture: String,
    space: String,
    skeleton: Skeleton,
    params: u64,
    params_with_auxiliary: u64,
    macs: u64,
}

pub fn run(args: CountArgs) -> Result<()> {
    if args.space.space.or_else(|| kind_of_arch(&args.arch)) == Some(SpaceKind::Rnn) {
        bail!(
            "a recurrent cell has no network of images: nao zoo NAME counts published ones, nao train --dry-run names sizes"
        );
    }
    let named = read_arch::<Recipe>(&args.arch, &args.space)?;
    let skeleton = skeleton(&named, &args)?.with_auxiliary(true);
    let outputs = match named.published {
        Some(entry) => entry.outputs.clone(),
        None => named.network.outputs(),
    };
    let plan = NetworkPlan::with_outputs(&named.arch, &outputs, &skeleton)?;
    let result = CountResult {
        architecture: named.space.format(&named.arch),
        space: named.space.name(),
        skeleton,
        params: plan.cost().params,
        params_with_auxiliary: plan.cost_with_auxiliary().params,
        macs: plan.cost().macs,
    };
    if args.json { print_json(&result) } else { print_text(&page(&result)) }
}

/// The network around the cells: that of the code base that the cells name.
fn skeleton(named: &NamedArch<Recipe>, args: &CountArgs) -> Result<Skeleton> {
    let usual = if args.imagenet { Skeleton::imagenet(4, 48) } else { Skeleton::cifar10(6, 36) };
    let base = match (named.published, named.network.convention) {
        (Some(entry), _) if args.imagenet => {
            let Skeleton { convention, reduction, .. } = entry.skeleton;
            Skeleton { convention, reduction, ..usual }
        }
        (Some(entry), _) => entry.skeleton,
        (None, Some(convention)) => Skeleton { convention, ..usual },
        (None, None) => {
            ask_for_convention(named.space.ops().name())?;
            usual
        }
    };
    Ok(Skeleton {
        cells_per_stage: args.cells.map_or(base.cells_per_stage, usize::from),
        width: args.width.map_or(base.width, usize::from),
        ..base
    })
}

fn page(result: &CountResult) -> String {
    let Skeleton { cells_per_stage, width, input, convention, .. } = result.skeleton;
    format!(
        "{}  ({})\nN={cells_per_stage} F={width}, images of {}x{}, the network of {}\n{} parameters ({}), {} with auxiliary \
         head, {} MACs\n",
        result.architecture,
        result.space,
        input.height,
        input.width,
        convention_word(convention),
        result.params,
        millions(result.params),
        result.params_with_auxiliary,
        millions(result.macs),
    )
}
