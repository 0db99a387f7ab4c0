//! A recurrent cell as a rooted tree: every node hangs on the one that it reads, state 0 is the root.
//!
//! The output is the mean of all nodes, so only the tree matters and not the order in which its nodes are
//! numbered. Trees have a canonical form that is quick to find: each node sorts its subtrees.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::arch::{RnnArch, RnnNode, RnnState};

/// The nodes (counted from 0) that read each state.
fn readers(arch: &RnnArch) -> Vec<Vec<usize>> {
    let mut readers = vec![Vec::new(); arch.nodes().len() + 1];
    for (node, RnnNode { input, .. }) in arch.nodes().iter().enumerate() {
        readers[input.index()].push(node);
    }
    readers
}

/// The canonical numbering: depth first, of the readers of a state the one with the smallest subtree first.
pub fn canonical_tree(arch: &RnnArch) -> RnnArch {
    let mut readers = readers(arch);
    // A subtree in brackets: activation, the subtrees of the readers in order, end. Readers come later than what
    // they read, so backward every reader is known. No code begins another, so equal codes are equal trees.
    let mut codes: Vec<Vec<u8>> = vec![Vec::new(); arch.nodes().len()];
    for node in (0..arch.nodes().len()).rev() {
        let readers = &mut readers[RnnState::of_node(node).index()];
        readers.sort_by(|&a, &b| codes[a].cmp(&codes[b]));
        let mut code = vec![1 + arch.nodes()[node].activation as u8];
        readers.iter().for_each(|&reader| code.extend_from_slice(&codes[reader]));
        code.push(0);
        codes[node] = code;
    }
    readers[0].sort_by(|&a, &b| codes[a].cmp(&codes[b]));
    renumbered(arch, &readers, |waiting| waiting.len() - 1)
}

/// A random numbering: at every step any of the nodes whose input has its number.
pub fn respelled_tree(arch: &RnnArch, rng: &mut ChaCha8Rng) -> RnnArch {
    renumbered(arch, &readers(arch), |waiting| rng.random_range(0..waiting.len()))
}

/// A node whose input has its new number.
struct Waiting {
    node: usize,
    input: RnnState,
}

/// Numbers the nodes anew: `pick` says which of the waiting ones comes next.
fn renumbered(arch: &RnnArch, readers: &[Vec<usize>], mut pick: impl FnMut(&[Waiting]) -> usize) -> RnnArch {
    let mut nodes = Vec::with_capacity(arch.nodes().len());
    let mut waiting: Vec<Waiting> = Vec::new();
    // The last to wait is the first in order.
    let wait = |waiting: &mut Vec<Waiting>, old: usize, input: RnnState| {
        waiting.extend(readers[old].iter().rev().map(|&node| Waiting { node, input }));
    };
    wait(&mut waiting, 0, RnnState(0));
    while !waiting.is_empty() {
        let Waiting { node, input } = waiting.remove(pick(&waiting));
        wait(&mut waiting, RnnState::of_node(node).index(), RnnState::of_node(nodes.len()));
        nodes.push(RnnNode { input, ..arch.nodes()[node] });
    }
    RnnArch::new(nodes).expect("a topological renumbering of a valid cell is valid")
}
