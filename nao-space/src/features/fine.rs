//! The fine structure of one graph: how often every labelled neighbourhood occurs in it.
//!
//! Labels of Weisfeiler and Lehman: what a vertex is and what it reads up to three steps back; what reads it up to
//! three steps ahead; both up to two steps. And every operation with its depth and with its height. Together they
//! tell almost all cells of a space apart.

use super::structure::Ways;
use crate::graph::{OperationGraph, VertexLabel, mix, sorted};

/// Steps back and ahead.
const ONE_WAY_ROUNDS: u64 = 3;
/// Steps in both directions.
const BOTH_WAYS_ROUNDS: u64 = 2;

/// The name of a labelled neighbourhood: a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct FineLabel(pub u64);

/// What kind of label it is; part of its hash.
enum Kind {
    Own = 0,
    Back = 1,
    Ahead = 2,
    Both = 3,
    Depth = 4,
    Height = 5,
}

/// How often every label occurs in graphs, by ascending label; labels of different graphs are different.
pub(super) fn counts(graphs: &[OperationGraph]) -> Vec<(FineLabel, u32)> {
    let mut labels = Vec::new();
    graphs.iter().enumerate().for_each(|(cell, graph)| collect(graph, cell, &mut labels));
    labels.sort_unstable();
    let runs = labels.chunk_by(|a, b| a == b);
    runs.map(|run| (run[0], run.len() as u32)).collect()
}

/// The labels of a graph, each as often as it occurs.
fn collect(graph: &OperationGraph, cell: usize, labels: &mut Vec<FineLabel>) {
    let mut note = |kind: Kind, round: u64, value: u64| {
        labels.push(FineLabel(mix(&[cell as u64, kind as u64, round, value])));
    };
    let readers = graph.readers();
    let own: Vec<u64> = graph.labels().iter().map(|label| label.number()).collect();
    own.iter().for_each(|&label| note(Kind::Own, 0, label));
    let (mut back, mut ahead, mut both) = (own.clone(), own.clone(), own.clone());
    for round in 1..=ONE_WAY_ROUNDS {
        back = refined(&own, &back, graph.reads());
        ahead = refined(&own, &ahead, &readers);
        back.iter().for_each(|&label| note(Kind::Back, round, label));
        ahead.iter().for_each(|&label| note(Kind::Ahead, round, label));
        if round <= BOTH_WAYS_ROUNDS {
            let back = refined(&both, &both, graph.reads());
            both = refined(&back, &both, &readers);
            both.iter().for_each(|&label| note(Kind::Both, round, label));
        }
    }
    let ways = Ways::of(graph);
    for (vertex, label) in graph.labels().iter().enumerate() {
        if let VertexLabel::Operation(_) = label {
            note(Kind::Depth, u64::from(ways.depth[vertex]), label.number());
            note(Kind::Height, u64::from(ways.height[vertex]), label.number());
        }
    }
}

/// Every label of `own` with the sorted labels of its neighbours.
fn refined(own: &[u64], labels: &[u64], neighbours: &[Vec<usize>]) -> Vec<u64> {
    let of = |(&own, neighbours): (&u64, &Vec<usize>)| {
        let around = match neighbours[..] {
            // Most vertices have one neighbour: nothing to sort.
            [vertex] => mix(&[labels[vertex]]),
            _ => mix(&sorted(neighbours.iter().map(|&vertex| labels[vertex]))),
        };
        mix(&[own, around])
    };
    own.iter().zip(neighbours).map(of).collect()
}
