//! Recurrent cells.

use anyhow::{Result, bail};
use nao_space::draw::Picture;
use nao_space::network::{OutputMean, RecurrentEntry, recurrent_zoo_entry};
use nao_space::notation::{read_arch, rnn_from_json, rnn_to_json};
use nao_space::{ActivationOrder, RnnArch, RnnSpace};
use serde::{Deserialize, Serialize};

use super::{CellSpace, PublishedCells};
use crate::args::{CellOptions, SpaceKind};
use crate::cell_network::CellNetwork;
use crate::space_argument::activation_order;

/// What names a space of recurrent cells in a configuration file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecurrentSpaceSettings {
    /// The kind of its cells.
    kind: SpaceKind,
    /// Searched nodes per cell.
    nodes: usize,
    /// The order of the activations, in whose ids cells are written.
    order: ActivationOrder,
}

impl CellSpace for RnnSpace {
    const KIND: SpaceKind = SpaceKind::Rnn;
    type Settings = RecurrentSpaceSettings;
    type Published = RecurrentEntry;

    fn of_settings(settings: &RecurrentSpaceSettings) -> Result<Self> {
        Ok(RnnSpace::new(settings.nodes, settings.order)?)
    }

    fn settings(&self) -> RecurrentSpaceSettings {
        RecurrentSpaceSettings { kind: Self::KIND, nodes: self.nodes(), order: self.order() }
    }

    fn of_options(options: &CellOptions) -> Result<Self> {
        if options.ops.is_some() {
            bail!("--ops means nothing for recurrent cells");
        }
        if options.convention.is_some() {
            bail!("--convention means nothing for recurrent cells");
        }
        Ok(RnnSpace::new(options.nodes.unwrap_or(11), activation_order(options.order.as_deref())?)?)
    }

    fn published(name: &str) -> Result<PublishedCells<Self>> {
        let entry = recurrent_zoo_entry(name)?;
        Ok((entry.space.clone(), entry.arch.clone(), entry))
    }

    fn published_name(published: &RecurrentEntry) -> &'static str {
        published.name
    }

    fn read(text: &str, options: &CellOptions) -> Result<(Self, RnnArch, CellNetwork)> {
        let is_json = text.trim_start().starts_with('{');
        let given = if is_json { Some(rnn_from_json(text)?.nodes().len()) } else { None };
        let nodes = options.nodes.or(given);
        let space = Self::of_options(&CellOptions { nodes, ..options.clone() })?;
        let arch = read_arch(&space, text)?;
        Ok((space, arch, CellNetwork::default()))
    }

    fn document(arch: &RnnArch, _: Option<&RecurrentEntry>, _: &CellNetwork) -> String {
        rnn_to_json(arch)
    }

    fn network_picture(
        arch: &RnnArch,
        published: Option<&RecurrentEntry>,
        _: &CellNetwork,
    ) -> Result<Picture> {
        let searched = OutputMean::Searched;
        Ok(Picture::of_rnn_with(arch, published.map_or(&searched, |entry| &entry.mean)))
    }
}
