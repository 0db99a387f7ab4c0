//! What a picture shows, whatever space it comes from: sources, nodes of operations, and a sink.

use std::borrow::Cow;

use super::palette::Family;
use super::{OUTPUT_LABEL, input_label, op_lines};
use crate::image::{Cell, CellRole, CnnArch, Op, State};
use crate::network::{CellOutputs, Concat, GeometryError, OutputMean};
use crate::spaces::{Activation, NasBench101Arch, NasBench201Arch, RnnArch, VertexOp};

/// What the circles of most spaces do.
pub(super) const SUM: &str = "sum, with the number of its state";

/// A source or what a node makes: the sources are numbered first, then the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Value(pub usize);

/// A graph to be drawn from top to bottom. Every node reads sources and earlier nodes only.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Diagram {
    /// Keeps the names of two diagrams in one DOT graph apart; empty where there is one.
    pub name: Cow<'static, str>,
    /// What it is, and a remark; `None` where the title says it.
    pub heading: Option<(Cow<'static, str>, &'static str)>,
    /// What a circle does, in the words of the legend.
    pub join: &'static str,
    pub sources: Vec<Source>,
    pub nodes: Vec<Node>,
    pub sink: Sink,
}

/// Something that comes from outside.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    pub label: String,
    /// The number under which nodes read it, where that is not its label.
    pub number: Option<String>,
}

/// Operations and, for most, the sum of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// One to four; several are joined.
    pub operations: Vec<Operation>,
    /// Whether a circle joins the operations; a single one may stand without.
    pub sum: bool,
    /// The number of the value.
    pub number: String,
}

/// An operation in its box.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operation {
    pub label: String,
    /// The second line of the box.
    pub detail: Option<String>,
    pub family: Family,
    pub tooltip: String,
    pub reads: Vec<Value>,
}

/// Where everything ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sink {
    pub label: &'static str,
    pub reads: Vec<Value>,
    /// What it makes, below; `None` where its label says it.
    pub output: Option<&'static str>,
}

impl Operation {
    fn of(op: Op, tooltip: String, reads: Vec<Value>) -> Self {
        let (label, detail) = op_lines(op);
        Operation { label, detail, family: Family::Op(op.kind()), tooltip, reads }
    }

    fn of_activation(activation: Activation, tooltip: String, reads: Vec<Value>) -> Self {
        let family = Family::of_activation(activation);
        Operation { label: activation.name().to_owned(), detail: None, family, tooltip, reads }
    }
}

impl Diagram {
    /// The node that makes a value; `None` for a source.
    pub(super) fn node_of(&self, value: Value) -> Option<usize> {
        value.0.checked_sub(self.sources.len())
    }

    /// What a node makes.
    pub(super) fn value_of(&self, node: usize) -> Value {
        Value(self.sources.len() + node)
    }

    /// All that a node reads.
    pub(super) fn reads(&self, node: usize) -> impl Iterator<Item = Value> + '_ {
        self.nodes[node].operations.iter().flat_map(|operation| operation.reads.iter().copied())
    }

    /// A cell of two branches per node that concatenates the states `concat`.
    pub(super) fn of_cell(role: Option<CellRole>, cell: &Cell, concat: &[State]) -> Self {
        let value = |state: State| Value(state.index());
        let source = |state| Source {
            label: input_label(State(state as u8)),
            number: Some(State(state as u8).to_string()),
        };
        let nodes = cell.nodes().iter().enumerate().map(|(index, node)| Node {
            operations: node
                .edges
                .iter()
                .map(|edge| {
                    let tooltip = format!("{} of state {}", edge.op, edge.input);
                    Operation::of(edge.op, tooltip, vec![value(edge.input)])
                })
                .collect(),
            sum: true,
            number: State::of_node(index).to_string(),
        });
        Diagram {
            name: match role {
                None => "".into(),
                Some(CellRole::Normal) => "normal".into(),
                Some(CellRole::Reduction) => "reduction".into(),
            },
            heading: role.map(|role| match role {
                CellRole::Normal => ("Normal cell".into(), "keeps the resolution"),
                CellRole::Reduction => ("Reduction cell".into(), "stride 2 on both cell inputs"),
            }),
            join: SUM,
            sources: (0..State::INPUTS).map(source).collect(),
            nodes: nodes.collect(),
            sink: Sink {
                label: "concat",
                reads: concat.iter().map(|&state| value(state)).collect(),
                output: Some(OUTPUT_LABEL),
            },
        }
    }

    /// Both cells of an architecture.
    pub(super) fn of_cells(arch: &CnnArch, outputs: &CellOutputs) -> Result<Vec<Self>, GeometryError> {
        let of = |(role, cell): (CellRole, &Cell)| {
            let concat: &Concat = match role {
                CellRole::Normal => &outputs.normal,
                CellRole::Reduction => &outputs.reduction,
            };
            Ok(Diagram::of_cell(Some(role), cell, &concat.states(role, cell)?))
        };
        arch.cells().into_iter().map(of).collect()
    }

    /// A recurrent cell (docs/specification.md, b): word and memory enter the fixed node 0, and the states of `mean`
    /// are averaged.
    pub(super) fn of_rnn(arch: &RnnArch, mean: &OutputMean) -> Self {
        let source = |label: &str| Source { label: label.to_owned(), number: None };
        let sources = vec![source("x[t]"), source("h[t-1]")];
        let made = |state: usize| Value(sources.len() + state);
        let node = |number: usize, operation| Node {
            operations: vec![operation],
            sum: false,
            number: number.to_string(),
        };
        let fixed = Operation::of_activation(
            Activation::Tanh,
            "the fixed node: gated tanh of word and memory".to_owned(),
            vec![Value(0), Value(1)],
        );
        let searched = arch.nodes().iter().enumerate().map(|(index, searched)| {
            let tooltip = format!("gated {} of state {}", searched.activation, searched.input);
            let reads = vec![made(searched.input.index())];
            node(index + 1, Operation::of_activation(searched.activation, tooltip, reads))
        });
        Diagram {
            name: "".into(),
            join: SUM,
            heading: Some(("Recurrent cell".into(), "a gate in every box mixes in what it reads")),
            nodes: [node(0, fixed)].into_iter().chain(searched).collect(),
            sink: Sink {
                label: "mean",
                reads: mean.states(arch).into_iter().map(|state| made(state.index())).collect(),
                output: Some("h[t]"),
            },
            sources,
        }
    }

    /// A NAS-Bench-201 cell: an operation on every edge, a sum at every node.
    pub(super) fn of_nasbench201(arch: &NasBench201Arch) -> Self {
        let node = |node: usize| {
            let operations = arch.inputs(node).map(|(source, op)| {
                Operation::of(op.op(), format!("{op} of node {source}"), vec![Value(source)])
            });
            Node { operations: operations.collect(), sum: true, number: node.to_string() }
        };
        Diagram {
            name: "".into(),
            join: SUM,
            heading: Some(("NAS-Bench-201 cell".into(), "a sum per node")),
            sources: vec![Source { label: "input".to_owned(), number: Some("0".to_owned()) }],
            nodes: (1..NasBench201Arch::NODES).map(node).collect(),
            sink: Sink { label: "output", reads: vec![Value(NasBench201Arch::NODES - 1)], output: None },
        }
    }

    /// A NAS-Bench-101 cell: an operation on every inner vertex.
    pub(super) fn of_nasbench101(arch: &NasBench101Arch) -> Self {
        let reads = |vertex| (0..vertex).filter(move |&from| arch.has_edge(from, vertex)).map(Value);
        let output = arch.vertices() - 1;
        let vertex = |(index, &op): (usize, &VertexOp)| {
            let vertex = index + 1;
            Node {
                operations: vec![Operation::of(op.op(), op.to_string(), reads(vertex).collect())],
                sum: false,
                number: vertex.to_string(),
            }
        };
        let label = match (output > 1, arch.has_edge(0, output)) {
            (true, true) => "concat, plus input",
            (true, false) => "concat",
            (false, _) => "projection",
        };
        Diagram {
            name: "".into(),
            join: SUM,
            heading: Some(("NAS-Bench-101 cell".into(), "a vertex adds what it reads")),
            sources: vec![Source { label: "input".to_owned(), number: Some("0".to_owned()) }],
            nodes: arch.ops().iter().enumerate().map(vertex).collect(),
            sink: Sink { label, reads: reads(output).collect(), output: Some("output") },
        }
    }
}
