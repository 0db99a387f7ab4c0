//! The arguments of `nao zoo` and `nao published`, on published architectures.

use clap::Args as ClapArgs;

#[derive(Debug, ClapArgs)]
pub struct ZooArgs {
    /// Show only this architecture
    pub name: Option<String>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct PublishedArgs {
    /// Print JSON
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,

    /// Print a table in Markdown
    #[arg(long)]
    pub markdown: bool,
}
