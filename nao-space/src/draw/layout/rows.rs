//! Which row each node of a diagram stands in.

use crate::draw::diagram::Diagram;

/// The row of every node, counted from 0: below all that it reads, with at most about the square root of the
/// number of nodes in a row. Of the nodes that could stand in a row, those go first from which the
/// longest way leads down, so that the picture stays short.
pub(super) fn assign_rows(diagram: &Diagram) -> Vec<usize> {
    let ways = longest_ways_down(diagram);
    let nodes = diagram.nodes.len();
    let most_per_row = (1..).find(|side| side * side >= nodes).unwrap_or(1);
    let mut rows: Vec<Option<usize>> = vec![None; nodes];
    for row in 0.. {
        let above = |node: &usize| {
            diagram.reads(*node).filter_map(|value| diagram.node_of(value)).all(|read| rows[read].is_some())
        };
        let mut ready: Vec<usize> = (0..nodes).filter(|&node| rows[node].is_none()).filter(above).collect();
        if ready.is_empty() {
            break;
        }
        ready.sort_by_key(|&node| (std::cmp::Reverse(ways[node]), node));
        for node in ready.into_iter().take(most_per_row) {
            rows[node] = Some(row);
        }
    }
    rows.into_iter().flatten().collect()
}

/// Number of nodes on the longest way from each node down to one that no other reads.
fn longest_ways_down(diagram: &Diagram) -> Vec<usize> {
    let mut ways = vec![1; diagram.nodes.len()];
    for index in (0..diagram.nodes.len()).rev() {
        for node in diagram.reads(index).filter_map(|value| diagram.node_of(value)) {
            ways[node] = ways[node].max(ways[index] + 1);
        }
    }
    ways
}
