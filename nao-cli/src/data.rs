//! Data as it is named on the command line.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use nao_child::CellRecipe;
use nao_child::data::{DataKind, DataSource};

use crate::args::SpaceKind;

/// The cells that are trained on data.
pub fn kind_of_data(source: &DataSource) -> SpaceKind {
    if source.is_text() { SpaceKind::Rnn } else { SpaceKind::Cnn }
}

/// Reads data for the cells of a recipe; `stored` is the folder of a run or training that has used it.
pub fn load<R: CellRecipe>(source: &DataSource, stored: Option<&Path>) -> Result<Arc<R::Data>> {
    if !R::Data::is_of(source) {
        match kind_of_data(source) {
            SpaceKind::Cnn => {
                bail!("{source} is images, and recurrent cells are trained on text: --data text:DIR")
            }
            SpaceKind::Rnn => bail!(
                "{source} is text, and image cells are trained on images: --data digits, or --space rnn"
            ),
        }
    }
    Ok(R::Data::load(source, stored)?)
}
