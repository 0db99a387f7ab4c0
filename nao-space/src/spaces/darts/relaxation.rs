//! The continuous relaxation of the cells of DARTS: how much of every operation is on every edge, and the cells that are
//! derived from it (Liu, Simonyan and Yang, ICLR 2019).

use serde::{Deserialize, Serialize};

use super::DartsSpace;
use crate::image::{Cell, CellRole, CnnArch, Edge, Node, Op, State};

/// An edge of a cell in which every node reads every earlier state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelaxedEdge {
    /// The node that reads, counted from 0.
    pub node: usize,
    /// The state that it reads.
    pub input: State,
}

/// The logits of a mixture of operations on every edge: for each edge first that of no operation at all, then those of the
/// space's operations in their order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Relaxation {
    /// Of normal cells, by [`DartsSpace::edges`].
    pub normal: Vec<Vec<f64>>,
    /// Of reduction cells.
    pub reduction: Vec<Vec<f64>>,
}

impl DartsSpace {
    /// The edges of a relaxed cell: those of the first node, then of the second, each by the state that it reads.
    pub fn edges() -> impl Iterator<Item = RelaxedEdge> {
        (0..DartsSpace::NODES).flat_map(|node| {
            let states = (0..State::of_node(node).0).map(State);
            states.map(move |input| RelaxedEdge { node, input })
        })
    }
}

impl Relaxation {
    /// Logits made by `logit`, called edge by edge, normal cells first.
    pub fn of(mut logit: impl FnMut() -> f64) -> Self {
        let options = 1 + DartsSpace::default().ops().len();
        let mut cell = || -> Vec<Vec<f64>> {
            DartsSpace::edges().map(|_| (0..options).map(|_| logit()).collect()).collect()
        };
        Relaxation { normal: cell(), reduction: cell() }
    }

    /// The logits of the cells of a role.
    pub fn of_role(&self, role: CellRole) -> &[Vec<f64>] {
        match role {
            CellRole::Normal => &self.normal,
            CellRole::Reduction => &self.reduction,
        }
    }

    /// The weights of the mixtures: the softmax of each row.
    pub fn weights(&self, role: CellRole) -> Vec<Vec<f64>> {
        self.of_role(role).iter().map(|row| softmax(row)).collect()
    }

    /// The mean entropy of the mixtures in nats: that of a uniform one at first, 0 when every edge has decided.
    pub fn entropy(&self, role: CellRole) -> f64 {
        let weights = self.weights(role);
        let of_row = |row: &Vec<f64>| -> f64 {
            row.iter().filter(|&&weight| weight > 0.0).map(|weight| -weight * weight.ln()).sum()
        };
        weights.iter().map(of_row).sum::<f64>() / weights.len() as f64
    }

    /// The cells that are derived: each node keeps the two edges with the heaviest operation, "none" not counted, and on
    /// each that operation. Of equals the earlier edge or operation is kept.
    pub fn derive(&self) -> CnnArch {
        CnnArch { normal: self.cell(CellRole::Normal), reduction: self.cell(CellRole::Reduction) }
    }

    fn cell(&self, role: CellRole) -> Cell {
        let ops: Vec<Op> = DartsSpace::default().ops().ops().collect();
        let weights = self.weights(role);
        let edges: Vec<(RelaxedEdge, &Vec<f64>)> = DartsSpace::edges().zip(&weights).collect();
        let node = |node: usize| {
            let mut best: Vec<(Edge, f64)> = edges
                .iter()
                .filter(|(edge, _)| edge.node == node)
                .map(|(edge, row)| {
                    let (op, weight) = heaviest(&row[1..]);
                    (Edge { input: edge.input, op: ops[op] }, weight)
                })
                .collect();
            // Stable: of equals the earlier edge comes first.
            best.sort_by(|a, b| b.1.total_cmp(&a.1));
            let mut kept = [best[0].0, best[1].0];
            kept.sort_by_key(|edge| edge.input);
            Node { edges: kept }
        };
        Cell::new((0..DartsSpace::NODES).map(node).collect()).expect("nodes read earlier states")
    }
}

/// The place and weight of the heaviest operation, of equals the first.
fn heaviest(row: &[f64]) -> (usize, f64) {
    let start = (0, f64::NEG_INFINITY);
    row.iter()
        .enumerate()
        .fold(start, |best, (at, &weight)| if weight > best.1 { (at, weight) } else { best })
}

fn softmax(row: &[f64]) -> Vec<f64> {
    let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = row.iter().map(|value| (value - most).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Space;
    use crate::network::zoo_entry;

    #[test]
    fn edges_are_counted_by_node_and_state() {
        let edges: Vec<RelaxedEdge> = DartsSpace::edges().collect();
        assert_eq!(edges.len(), 14);
        assert_eq!(edges[4], RelaxedEdge { node: 1, input: State::of_node(0) });
        assert_eq!(edges[13], RelaxedEdge { node: 3, input: State::of_node(2) });
    }

    /// A heavy "none" does not hide what stands behind it; the two best edges of a node are kept.
    #[test]
    fn a_published_cell_comes_out_of_logits_that_favour_it() {
        let space = DartsSpace::default();
        let published = &zoo_entry("DARTS-V2").unwrap().arch;
        let ops: Vec<Op> = space.ops().ops().collect();
        let mut relaxation = Relaxation::of(|| 0.0);
        for (logits, cell) in
            [(&mut relaxation.normal, &published.normal), (&mut relaxation.reduction, &published.reduction)]
        {
            for (edge, row) in DartsSpace::edges().zip(logits.iter_mut()) {
                row[0] = 9.0;
                for kept in cell.nodes()[edge.node].edges {
                    if kept.input == edge.input {
                        row[0] = 0.0;
                        row[1 + ops.iter().position(|&op| op == kept.op).unwrap()] = 3.0;
                    }
                }
            }
        }
        let derived = relaxation.derive();
        assert_eq!(space.check(&derived), Ok(()));
        assert_eq!(space.key(&derived), space.key(published));
    }

    #[test]
    fn equal_logits_keep_the_first_edges_and_operations_and_say_nothing() {
        let relaxation = Relaxation::of(|| 0.5);
        let derived = relaxation.derive();
        for node in derived.normal.nodes() {
            assert_eq!(node.edges.map(|edge| edge.input.index()), [0, 1]);
        }
        assert!((relaxation.entropy(CellRole::Normal) - 8f64.ln()).abs() < 1e-12);
    }
}
