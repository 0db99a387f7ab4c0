//! Structural features of one graph: counts, paths and positions of its operations, in named columns.
//!
//! Most columns stand for a set of operations, all sets of one, of two, of all but one and of all operations. With
//! `S` such a set, over the paths from the inputs to the output:
//!
//! | column | what |
//! |--|--|
//! | `count OP` | vertices of an operation |
//! | `operations`, `edges` | vertices that are operations; edges of the graph |
//! | `log paths`, `longest path` | log(1 + number of paths); operations on the longest, the output counted |
//! | `most S`, `least S` | the largest and smallest number of operations of S on a path |
//! | `log all S`, `mean S` | log(1 + their sum over all paths); the mean per path |
//! | `log only S` | log(1 + number of paths on which every operation is of S) |
//! | `longest only S`, `shortest only S` | operations on the longest and shortest such path; 0 and more than any path has where there is none |
//! | `depth OP`, `height OP` | sums over the vertices of an operation of the longest way from an input and to the output |
//! | `reads OP`, `readers OP` | sums over the vertices of an operation of its edges in and out |
//! | `INPUT to OP`, `INPUT to output` | edges from an input to an operation, and to the output |
//! | `OP to output`, `input to output` | edges into the output from an operation, and from any input |
//!
//! All but the logarithms and the means are whole numbers, so that a graph has one and the same row however its
//! vertices are numbered. A space of several cells has all columns once per cell, as in `normal: count identity`.

use crate::graph::{GraphSchema, OperationGraph, VertexLabel};

/// Stands for "no such path" in maxima and minima; far outside of all lengths.
const NO_PATH: f64 = 1e6;

/// The columns for the graphs of one space.
#[derive(Clone, Debug)]
pub(super) struct StructureColumns {
    operations: usize,
    inputs: usize,
    sets: usize,
    /// `[operations, sets]`: 1 where the operation belongs to the set.
    members: Vec<f64>,
    /// Stands for the shortest path where there is none.
    longer_than_any: f64,
    names: Vec<String>,
}

impl StructureColumns {
    pub fn new(schema: &GraphSchema) -> Self {
        let operations = schema.operations.len();
        let sets = sets_of(operations);
        let members = (0..operations)
            .flat_map(|operation| sets.iter().map(move |set| f64::from(u8::from(set.contains(&operation)))))
            .collect();
        StructureColumns {
            operations,
            inputs: schema.inputs.len(),
            sets: sets.len(),
            members,
            longer_than_any: schema.longest_path as f64 + 1.0,
            names: names(schema, &sets),
        }
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Appends the row of a graph.
    pub fn append(&self, graph: &OperationGraph, row: &mut Vec<f64>) {
        let paths = Paths::of(self, graph);
        let places = RolePositions::of(self, graph);
        row.extend(&places.count);
        row.extend([places.count.iter().sum(), places.edges, paths.number.ln_1p(), places.longest]);
        row.extend(&paths.most);
        row.extend(&paths.least);
        row.extend(paths.all.iter().map(|all| all.ln_1p()));
        row.extend(paths.all.iter().map(|all| all / paths.number.max(1.0)));
        row.extend(paths.only.iter().map(|only| only.ln_1p()));
        row.extend(paths.longest_only.iter().map(|longest| longest.max(0.0)));
        row.extend(paths.shortest_only.iter().map(|shortest| shortest.min(self.longer_than_any)));
        for column in [&places.depth, &places.height, &places.reads, &places.readers, &places.from_inputs] {
            row.extend(column);
        }
        row.extend(&places.to_output);
    }
}

/// The sets of operations, by size and then in order.
fn sets_of(operations: usize) -> Vec<Vec<usize>> {
    let all = 0..operations;
    let mut sets: Vec<Vec<usize>> = all.clone().map(|operation| vec![operation]).collect();
    if operations >= 2 {
        sets.extend(all.clone().flat_map(|a| (a + 1..operations).map(move |b| vec![a, b])));
    }
    if operations > 3 {
        sets.extend(all.clone().rev().map(|left| all.clone().filter(|&other| other != left).collect()));
    }
    if operations >= 3 {
        sets.push(all.collect());
    }
    sets
}

fn names(schema: &GraphSchema, sets: &[Vec<usize>]) -> Vec<String> {
    let each = |what: &str| schema.operations.iter().map(|op| format!("{what} {op}")).collect::<Vec<_>>();
    let set_name = |set: &Vec<usize>| {
        if set.len() + 1 == schema.operations.len() && set.len() > 2 {
            let left = (0..schema.operations.len()).find(|operation| !set.contains(operation));
            return left.map_or(String::new(), |left| format!("all but {}", schema.operations[left]));
        }
        if set.len() == schema.operations.len() && set.len() > 2 {
            return "any".to_owned();
        }
        set.iter().map(|&op| schema.operations[op].as_str()).collect::<Vec<_>>().join("|")
    };
    let mut names = each("count");
    names.extend(["operations", "edges", "log paths", "longest path"].map(str::to_owned));
    let kinds = ["most", "least", "log all", "mean", "log only", "longest only", "shortest only"];
    names.extend(
        kinds.iter().flat_map(|kind| sets.iter().map(move |set| format!("{kind} {}", set_name(set)))),
    );
    names.extend(["depth", "height", "reads", "readers"].into_iter().flat_map(each));
    for input in &schema.inputs {
        names.extend(each(&format!("{input} to")));
        names.push(format!("{input} to output"));
    }
    names.extend(schema.operations.iter().map(|op| format!("{op} to output")));
    names.push("input to output".to_owned());
    let of_cell = |cell: &String| {
        let prefix = if schema.cells.len() > 1 { format!("{cell}: ") } else { String::new() };
        names.iter().map(move |name| format!("{prefix}{name}")).collect::<Vec<String>>()
    };
    schema.cells.iter().flat_map(of_cell).collect()
}

/// Sums, maxima and minima over all paths to the output, by set.
struct Paths {
    number: f64,
    most: Vec<f64>,
    least: Vec<f64>,
    all: Vec<f64>,
    only: Vec<f64>,
    longest_only: Vec<f64>,
    shortest_only: Vec<f64>,
}

/// The same at one vertex: over all paths from the inputs to it.
#[derive(Clone, Copy)]
struct AtSet {
    most: f64,
    least: f64,
    all: f64,
    only: f64,
    longest_only: f64,
    shortest_only: f64,
}

impl AtSet {
    /// At an input: one path without operations.
    const INPUT: AtSet =
        AtSet { most: 0.0, least: 0.0, all: 0.0, only: 1.0, longest_only: 0.0, shortest_only: 0.0 };
    /// Where no path leads.
    const NONE: AtSet = AtSet {
        most: -NO_PATH,
        least: NO_PATH,
        all: 0.0,
        only: 0.0,
        longest_only: -NO_PATH,
        shortest_only: NO_PATH,
    };

    fn joined(self, other: AtSet) -> AtSet {
        AtSet {
            most: self.most.max(other.most),
            least: self.least.min(other.least),
            all: self.all + other.all,
            only: self.only + other.only,
            longest_only: self.longest_only.max(other.longest_only),
            shortest_only: self.shortest_only.min(other.shortest_only),
        }
    }

    /// Behind an operation that is a member of the set (1) or not (0), reached by `paths` paths.
    fn behind(self, member: f64, paths: f64) -> AtSet {
        AtSet {
            most: self.most + member,
            least: self.least + member,
            all: self.all + member * paths,
            only: self.only * member,
            longest_only: if member > 0.0 { self.longest_only + 1.0 } else { -NO_PATH },
            shortest_only: if member > 0.0 { self.shortest_only + 1.0 } else { NO_PATH },
        }
    }
}

impl Paths {
    fn of(columns: &StructureColumns, graph: &OperationGraph) -> Self {
        let sets = columns.sets;
        let mut number = vec![0.0; graph.len()];
        let mut at = vec![AtSet::NONE; graph.len() * sets];
        for (vertex, (&label, reads)) in graph.labels().iter().zip(graph.reads()).enumerate() {
            let (before, here) = at.split_at_mut(vertex * sets);
            let here = &mut here[..sets];
            if let VertexLabel::Input(_) = label {
                number[vertex] = 1.0;
                here.fill(AtSet::INPUT);
            }
            for &read in reads {
                number[vertex] += number[read];
                for (here, &there) in here.iter_mut().zip(&before[read * sets..]) {
                    *here = here.joined(there);
                }
            }
            if let VertexLabel::Operation(operation) = label {
                let members = &columns.members[usize::from(operation) * sets..];
                for (here, &member) in here.iter_mut().zip(members) {
                    *here = here.behind(member, number[vertex]);
                }
            }
        }
        let number = number.last().copied().unwrap_or(0.0);
        let output = &at[(graph.len() - 1) * sets..];
        let connected = |of: fn(&AtSet) -> f64| {
            output.iter().map(|at| if number > 0.0 { of(at) } else { 0.0 }).collect::<Vec<f64>>()
        };
        Paths {
            number,
            most: connected(|at| at.most),
            least: connected(|at| at.least),
            all: connected(|at| at.all),
            only: connected(|at| at.only),
            longest_only: output.iter().map(|at| at.longest_only).collect(),
            shortest_only: output.iter().map(|at| at.shortest_only).collect(),
        }
    }
}

/// Where operations stand: sums over the vertices of each.
struct RolePositions {
    count: Vec<f64>,
    edges: f64,
    longest: f64,
    depth: Vec<f64>,
    height: Vec<f64>,
    reads: Vec<f64>,
    readers: Vec<f64>,
    /// Per input, edges to every operation and to the output.
    from_inputs: Vec<f64>,
    /// Edges into the output from every operation and from inputs.
    to_output: Vec<f64>,
}

impl RolePositions {
    fn of(columns: &StructureColumns, graph: &OperationGraph) -> Self {
        let (operations, rows) = (columns.operations, columns.operations + 1);
        let ways = Ways::of(graph);
        let zeros = || vec![0.0; operations];
        let mut places = RolePositions {
            count: zeros(),
            edges: 0.0,
            longest: ways.depth.last().copied().unwrap_or(0) as f64,
            depth: zeros(),
            height: zeros(),
            reads: zeros(),
            readers: zeros(),
            from_inputs: vec![0.0; columns.inputs * rows],
            to_output: vec![0.0; rows],
        };
        let mut readers = vec![0.0; graph.len()];
        for (vertex, (&label, reads)) in graph.labels().iter().zip(graph.reads()).enumerate() {
            places.edges += reads.len() as f64;
            let column = match label {
                VertexLabel::Operation(operation) => usize::from(operation),
                _ => operations,
            };
            for &read in reads {
                readers[read] += 1.0;
                if let VertexLabel::Input(input) = graph.labels()[read] {
                    places.from_inputs[usize::from(input) * rows + column] += 1.0;
                }
                if label == VertexLabel::Output {
                    match graph.labels()[read] {
                        VertexLabel::Operation(operation) => {
                            places.to_output[usize::from(operation)] += 1.0;
                        }
                        _ => places.to_output[operations] += 1.0,
                    }
                }
            }
            if let VertexLabel::Operation(_) = label {
                places.count[column] += 1.0;
                places.depth[column] += ways.depth[vertex] as f64;
                places.height[column] += ways.height[vertex] as f64;
                places.reads[column] += reads.len() as f64;
            }
        }
        for (&label, readers) in graph.labels().iter().zip(readers) {
            if let VertexLabel::Operation(operation) = label {
                places.readers[usize::from(operation)] += readers;
            }
        }
        places
    }
}

/// The longest ways in edges: from the inputs to every vertex, and from it to the output.
pub(super) struct Ways {
    pub depth: Vec<u32>,
    pub height: Vec<u32>,
}

impl Ways {
    pub fn of(graph: &OperationGraph) -> Self {
        let (mut depth, mut height) = (vec![0u32; graph.len()], vec![0u32; graph.len()]);
        for (vertex, reads) in graph.reads().iter().enumerate() {
            depth[vertex] = reads.iter().map(|&read| depth[read] + 1).max().unwrap_or(0);
        }
        for (vertex, reads) in graph.reads().iter().enumerate().rev() {
            for &read in reads {
                height[read] = height[read].max(height[vertex] + 1);
            }
        }
        Ways { depth, height }
    }
}
