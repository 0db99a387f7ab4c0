//! The arguments of `nao count`.

use clap::Args as ClapArgs;

use super::CellOptions;

#[derive(Debug, ClapArgs)]
pub struct CountArgs {
    /// `@NAME` from the zoo, a string of its space in quotes, a genotype, or a file with one of them or with JSON
    pub arch: String,
    #[command(flatten)]
    pub space: CellOptions,

    /// Normal cells per stage (N) [default: as published, otherwise 6; 4 with --imagenet]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub cells: Option<u16>,

    /// Channels of the first stage (F) [default: as published, otherwise 36; 48 with --imagenet]
    #[arg(long, value_name = "F", value_parser = clap::value_parser!(u16).range(2..))]
    pub width: Option<u16>,

    /// Count the network for images of ImageNet instead of CIFAR-10
    #[arg(long)]
    pub imagenet: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
