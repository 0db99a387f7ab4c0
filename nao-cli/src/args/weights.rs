//! The arguments of `nao export` and `nao import`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::CellOptions;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Tensors under the authors' parameter names
    Safetensors,
    /// The network layer by layer, with the names and shapes of its tensors
    Json,
}

/// Naming schemes of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ParameterNames {
    /// That of the repository folder NAO_V1
    V1,
    /// That of NAO_V2, where strided identities have other names
    V2,
}

#[derive(Debug, ClapArgs)]
pub struct ExportArgs {
    /// A folder of `nao train`, a weights or checkpoint file in such a folder, or a run folder. For a run folder,
    /// `safetensors` writes the weights of the last controller and `json` the network of the architecture of --rank
    pub from: PathBuf,

    #[arg(long, value_enum)]
    pub format: ExportFormat,

    /// Rank of the architecture in a run folder; 1 is the best [default: 1]
    #[arg(long)]
    pub rank: Option<usize>,

    /// Naming scheme of the parameters of image cells [default: v1]
    #[arg(long, value_enum)]
    pub names: Option<ParameterNames>,

    /// Output file [default: standard output for json]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub struct ImportArgs {
    /// A safetensors file with the state dict of a network
    pub weights: PathBuf,

    /// `@NAME` from the zoo, a string of its space in quotes, a genotype, or a file with one of them or with JSON
    #[arg(long)]
    pub arch: String,
    #[command(flatten)]
    pub space: CellOptions,

    /// Images that the network is measured on: `digits` or `cifar10:DIR` [default: digits]
    #[arg(long, value_name = "DATA")]
    pub data: Option<String>,

    /// Recipe that defines the network's structure and input normalisation [default: the final recipe of the data]
    #[arg(long, value_name = "NAME")]
    pub recipe: Option<String>,

    /// Any recipe setting: `--set structure.width=36 --set structure.auxiliary=true`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,

    /// Naming scheme of the parameters in the file
    #[arg(long, value_enum, default_value_t = ParameterNames::V1)]
    pub names: ParameterNames,

    /// `cpu` or `cuda:N` [default: cpu]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,

    /// The folder for weights and result, which must not exist [default: runs/import-DATA-NNN]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}
