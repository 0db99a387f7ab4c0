//! Image cells.

use anyhow::{Result, bail};
use nao_space::draw::Picture;
use nao_space::network::{Concat, Convention, ZooEntry, zoo_entry};
use nao_space::notation::{CnnDocument, ConcatenatedStates};
use nao_space::search::OperationHistogram;
use nao_space::{CnnArch, CnnSpace, OP_SET_NAMES, OpSet, Space};
use serde::{Deserialize, Serialize};

use super::{CellSpace, PublishedCells};
use crate::arch_text::{text_of, with_recurrent_names};
use crate::args::{CellOptions, SpaceKind};
use crate::cell_network::{CellNetwork, ask_for_convention};

/// What names a space of image cells in a configuration file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageSpaceSettings {
    /// The kind of its cells.
    #[serde(default)]
    kind: SpaceKind,
    /// Name of the operation set.
    pub ops: String,
    /// Nodes per cell.
    pub nodes: usize,
}

impl CellSpace for CnnSpace {
    const KIND: SpaceKind = SpaceKind::Cnn;
    type Settings = ImageSpaceSettings;
    type Published = ZooEntry;

    fn of_settings(settings: &ImageSpaceSettings) -> Result<Self> {
        Ok(CnnSpace::new(settings.nodes, OpSet::named(&settings.ops)?)?)
    }

    fn settings(&self) -> ImageSpaceSettings {
        ImageSpaceSettings { kind: Self::KIND, ops: self.ops().name().to_owned(), nodes: self.nodes() }
    }

    fn of_options(options: &CellOptions) -> Result<Self> {
        if options.order.is_some() {
            bail!("--order means nothing for image cells");
        }
        let ops = options.ops.as_deref().map_or_else(|| Ok(OpSet::paper_11()), OpSet::named)?;
        Ok(CnnSpace::new(options.nodes.unwrap_or(5), ops)?)
    }

    fn published(name: &str) -> Result<PublishedCells<Self>> {
        let entry = zoo_entry(name).map_err(with_recurrent_names)?;
        Ok((entry.space.clone(), entry.arch.clone(), entry))
    }

    fn published_name(published: &ZooEntry) -> &'static str {
        published.name
    }

    fn read(text: &str, options: &CellOptions) -> Result<(Self, CnnArch, CellNetwork)> {
        let Some(document) = CnnDocument::read(text) else {
            let space = Self::of_options(options)?;
            let arch = space.parse(text)?;
            return Ok((space, arch, CellNetwork::default()));
        };
        let document = document?;
        let space = space_that_holds(&document.arch, document.convention, options)?;
        space.check(&document.arch)?;
        let network = network_of(&document);
        // A list of states that the cell lacks is refused now, not when the network is made.
        Picture::of_cells(&document.arch, &network.outputs())?;
        Ok((space, document.arch, network))
    }

    fn document(arch: &CnnArch, published: Option<&ZooEntry>, network: &CellNetwork) -> String {
        let network = match published {
            Some(entry) => Self::network_of_published(entry),
            None => network.clone(),
        };
        let concatenates = network.concatenates.map(|states| [states.normal, states.reduction]);
        CnnDocument { arch: arch.clone(), convention: network.convention, concatenates }.to_json()
    }

    /// Cells with the states that they concatenate.
    fn network_picture(
        arch: &CnnArch,
        published: Option<&ZooEntry>,
        network: &CellNetwork,
    ) -> Result<Picture> {
        let outputs = published.map_or_else(|| network.outputs(), |entry| entry.outputs.clone());
        Ok(Picture::of_cells(arch, &outputs)?)
    }

    fn network_of_published(entry: &ZooEntry) -> CellNetwork {
        let convention = entry.skeleton.convention;
        let concatenates = match (&entry.outputs.normal, &entry.outputs.reduction) {
            (Concat::States(normal), Concat::States(reduction)) => {
                Some(ConcatenatedStates { normal: normal.clone(), reduction: reduction.clone() })
            }
            _ => None,
        };
        CellNetwork { convention: Some(convention), concatenates }
    }

    fn ask_for_network(&self) -> Result<()> {
        ask_for_convention(self.ops().name())
    }

    fn network_in(text: &str) -> Result<CellNetwork> {
        let Some(document) = CnnDocument::read(&text_of(text)?) else { return Ok(CellNetwork::default()) };
        Ok(network_of(&document?))
    }

    fn operations(archs: &[CnnArch]) -> Option<OperationHistogram> {
        Some(OperationHistogram::of(archs))
    }
}

/// What a document says about the network around its cells.
fn network_of(document: &CnnDocument) -> CellNetwork {
    let concatenates =
        document.concatenates.clone().map(|[normal, reduction]| ConcatenatedStates { normal, reduction });
    CellNetwork { convention: document.convention, concatenates }
}

/// The space of cells that come with the names of their operations: as the options say, otherwise the usual one of those that
/// hold the cells.
fn space_that_holds(
    arch: &CnnArch,
    convention: Option<Convention>,
    options: &CellOptions,
) -> Result<CnnSpace> {
    let nodes = options.nodes.unwrap_or(arch.normal.nodes().len());
    let asked = CellOptions { nodes: Some(nodes), ..options.clone() };
    let usual = CnnSpace::of_options(&asked)?;
    if options.ops.is_some() {
        return Ok(usual);
    }
    let first = if convention == Some(Convention::Darts) { "darts-7" } else { usual.ops().name() };
    for name in std::iter::once(first).chain(OP_SET_NAMES) {
        let space = CnnSpace::new(nodes, OpSet::named(name)?)?;
        if space.check(arch).is_ok() {
            return Ok(space);
        }
    }
    Ok(usual)
}
