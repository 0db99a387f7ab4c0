//! Pictures of the architectures of every space, in either format.

use super::choices::{Choice, choices, choices_dot, steps};
use super::diagram::Diagram;
use super::svg::{Drawing, choices_svg, svg};
use super::{dot, hierarchical};
use crate::image::CnnArch;
use crate::language::Space;
use crate::network::{CellOutputs, Concat, GeometryError, OutputMean};
use crate::spaces::{
    ChoiceArch, ChoiceSpace, CnnSpace, DartsSpace, HierarchicalArch, HierarchicalSpace, NasBench101Arch,
    NasBench101Space, NasBench201Arch, NasBench201Space, RnnArch, RnnSpace,
};

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
    content: Content,
}

#[derive(Clone, Debug, PartialEq)]
enum Content {
    Diagrams(Vec<Diagram>),
    Choices(Vec<Choice>),
}

/// A space whose architectures can be drawn.
///
/// ```
/// use nao_space::draw::{Draw, Drawing};
/// use nao_space::seed::rng_for;
/// use nao_space::{HierarchicalSpace, Space};
///
/// let space = HierarchicalSpace::default();
/// let svg = space.picture(&space.sample(&mut rng_for(7, "example", 0))).svg(&Drawing::titled("a cell of motifs"));
/// assert!(svg.starts_with("<svg") && svg.contains("Motif "));
/// ```
pub trait Draw: Space {
    /// The picture of an architecture of this space. Without more, a row per token of its sequence, among those that the
    /// grammar allows there.
    fn picture(&self, arch: &Self::Arch) -> Picture {
        Picture { content: Content::Choices(steps(self, arch)) }
    }
}

impl Draw for CnnSpace {
    /// Each cell concatenates its loose ends.
    fn picture(&self, arch: &CnnArch) -> Picture {
        let loose_ends = CellOutputs::both(Concat::LooseEnds);
        Picture::of_cells(arch, &loose_ends).expect("a cell has its own loose ends")
    }
}

impl Draw for DartsSpace {
    fn picture(&self, arch: &CnnArch) -> Picture {
        Picture::of_darts(arch)
    }
}

impl Draw for RnnSpace {
    fn picture(&self, arch: &RnnArch) -> Picture {
        Picture::of_rnn(arch)
    }
}

impl Draw for NasBench101Space {
    fn picture(&self, arch: &NasBench101Arch) -> Picture {
        Picture::of_nasbench101(arch)
    }
}

impl Draw for NasBench201Space {
    fn picture(&self, arch: &NasBench201Arch) -> Picture {
        Picture::of_nasbench201(arch)
    }
}

impl Draw for HierarchicalSpace {
    fn picture(&self, arch: &HierarchicalArch) -> Picture {
        Picture::of_hierarchical(arch)
    }
}

impl Draw for ChoiceSpace {
    /// A row per position that applies, below the one on which it depends.
    fn picture(&self, arch: &ChoiceArch) -> Picture {
        Picture { content: Content::Choices(choices(self, arch)) }
    }
}

impl Picture {
    /// The normal and the reduction cell, each with the states that it concatenates.
    ///
    /// # Errors
    /// When a list of states is empty, repeats one or names one that the cell lacks.
    pub fn of_cells(arch: &CnnArch, outputs: &CellOutputs) -> Result<Self, GeometryError> {
        Ok(Picture::of(Diagram::of_cells(arch, outputs)?))
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
        Picture::of(vec![Diagram::of_rnn(arch, mean)])
    }

    /// A NAS-Bench-101 cell: a box per inner vertex.
    pub fn of_nasbench101(arch: &NasBench101Arch) -> Self {
        Picture::of(vec![Diagram::of_nasbench101(arch)])
    }

    /// A NAS-Bench-201 cell: a box per edge, a sum per node.
    pub fn of_nasbench201(arch: &NasBench201Arch) -> Self {
        Picture::of(vec![Diagram::of_nasbench201(arch)])
    }

    /// A hierarchical cell: the graph of its motifs, and that of every motif that it uses.
    pub fn of_hierarchical(arch: &HierarchicalArch) -> Self {
        Picture::of(hierarchical::diagrams(arch))
    }

    fn of(diagrams: Vec<Diagram>) -> Self {
        Picture { content: Content::Diagrams(diagrams) }
    }

    /// The picture as SVG, with a legend of the colours in use.
    pub fn svg(&self, drawing: &Drawing) -> String {
        match &self.content {
            Content::Diagrams(diagrams) => svg(diagrams, drawing),
            Content::Choices(choices) => choices_svg(choices, drawing),
        }
    }

    /// The picture as a DOT graph with a title; an empty title is left out.
    pub fn dot(&self, title: &str) -> String {
        match &self.content {
            Content::Diagrams(diagrams) => dot::dot(diagrams, title),
            Content::Choices(choices) => choices_dot(choices, title),
        }
    }
}
