//! The arguments of `nao zoo` and `nao table`, on published architectures.

use clap::Args as ClapArgs;

#[derive(Debug, ClapArgs)]
pub struct ZooArgs {
    /// Show this one only
    pub name: Option<String>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct TableArgs {
    /// Print JSON
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,

    /// Print a table in Markdown
    #[arg(long)]
    pub markdown: bool,
}
