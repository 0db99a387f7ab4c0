//! Pictures of the architectures of every space, in either format.

use super::diagram::Diagram;
use super::dot;
use super::svg::{Drawing, svg};
use crate::image::CnnArch;
use crate::network::{CellOutputs, Concat, GeometryError, OutputMean};
use crate::spaces::{NasBench101Arch, NasBench201Arch, RnnArch};

/// What is drawn: the graph of an architecture, ready for SVG and DOT.
///
/// ```
/// use nao_space::draw::{Drawing, Picture};
/// use nao_space::network::zoo_entry;
/// use nao_space::{NasBench201Space, Space};
///
/// // A published cell that concatenates states of its own choice.
/// let nasnet = zoo_entry("NASNet-A")?;
/// let svg = Picture::of_cells(&nasnet.arch, &nasnet.outputs)?.svg(&Drawing::titled("NASNet-A"));
/// assert!(svg.starts_with("<svg"));
///
/// let cell = NasBench201Space::default()
///     .parse("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|nor_conv_1x1~2|")?;
/// assert!(Picture::of_nasbench201(&cell).dot("a cell").starts_with("digraph"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    diagrams: Vec<Diagram>,
}

impl Picture {
    /// The normal and the reduction cell, each with the states that it concatenates.
    ///
    /// # Errors
    /// When a list of states is empty, repeats one or names one that the cell lacks.
    pub fn of_cells(arch: &CnnArch, outputs: &CellOutputs) -> Result<Self, GeometryError> {
        Ok(Picture { diagrams: Diagram::of_cells(arch, outputs)? })
    }

    /// The two cells of [`DartsSpace`](crate::DartsSpace), which concatenate all nodes.
    pub fn of_darts(arch: &CnnArch) -> Self {
        let nodes = CellOutputs::both(Concat::Nodes);
        Picture::of_cells(arch, &nodes).expect("a cell has its own nodes")
    }

    /// A recurrent cell: word and memory above, the mean of all searched nodes below.
    pub fn of_rnn(arch: &RnnArch) -> Self {
        Picture::of_rnn_with(arch, &OutputMean::Searched)
    }

    /// A recurrent cell that averages other states, each of which it has.
    pub fn of_rnn_with(arch: &RnnArch, mean: &OutputMean) -> Self {
        Picture { diagrams: vec![Diagram::of_rnn(arch, mean)] }
    }

    /// A NAS-Bench-101 cell: a box per inner vertex.
    pub fn of_nasbench101(arch: &NasBench101Arch) -> Self {
        Picture { diagrams: vec![Diagram::of_nasbench101(arch)] }
    }

    /// A NAS-Bench-201 cell: a box per edge, a sum per node.
    pub fn of_nasbench201(arch: &NasBench201Arch) -> Self {
        Picture { diagrams: vec![Diagram::of_nasbench201(arch)] }
    }

    /// The picture as SVG, with a legend of the colours in use.
    pub fn svg(&self, drawing: &Drawing) -> String {
        svg(&self.diagrams, drawing)
    }

    /// The picture as a DOT graph with a title; an empty title is left out.
    pub fn dot(&self, title: &str) -> String {
        dot::dot(&self.diagrams, title)
    }
}
