//! A run that is under way in its folder, as searches before trials see it.

use std::sync::Arc;

use burn::tensor::Device;
use nao_run::RunFolder;

use super::config::RunConfig;
use crate::cells::NamedRecipe;
use crate::interrupt::Interrupt;

/// What a search that chooses cells before trials needs.
pub struct RunInFolder<'a, R: NamedRecipe> {
    /// The run folder.
    pub folder: &'a RunFolder,
    /// The configuration; it has a section of the search.
    pub config: &'a RunConfig<R>,
    /// The data.
    pub data: Arc<R::Data>,
    /// Where the weights are.
    pub device: Device,
    /// Knows when the user asks to stop.
    pub interrupt: &'a Interrupt,
}
