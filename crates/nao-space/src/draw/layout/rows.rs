//! Which row each node of a cell stands in.

use crate::cell::{Cell, Edge, State};

/// The row of every node, counted from 0: below all that it reads, with at most about the square root of the
/// number of nodes in a row. Of the nodes that could stand in a row, those go first from which the
/// longest way leads down, so that the picture stays short.
pub(super) fn assign_rows(cell: &Cell) -> Vec<usize> {
    let ways = longest_ways_down(cell);
    let most_per_row = (1..).find(|side| side * side >= cell.nodes().len()).unwrap_or(1);
    let mut rows: Vec<Option<usize>> = vec![None; cell.nodes().len()];
    for row in 0.. {
        let above = |edge: &Edge| edge.input.node().is_none_or(|node| rows[node].is_some());
        let mut ready: Vec<usize> = (0..rows.len())
            .filter(|&node| rows[node].is_none() && cell.nodes()[node].edges.iter().all(above))
            .collect();
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

/// Number of nodes on the longest way from each node down to a loose end.
fn longest_ways_down(cell: &Cell) -> Vec<usize> {
    let mut ways = vec![1; cell.nodes().len()];
    for index in (0..cell.nodes().len()).rev() {
        let inputs = cell.nodes()[index].edges.map(|Edge { input, .. }: Edge| State::node(input));
        for node in inputs.into_iter().flatten() {
            ways[node] = ways[node].max(ways[index] + 1);
        }
    }
    ways
}
