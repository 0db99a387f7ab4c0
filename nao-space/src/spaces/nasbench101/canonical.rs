//! The canonical numbering of a NAS-Bench-101 cell, and random ones.
//!
//! Two cells are the same when renumbering inner vertices turns one into the other. The canonical numbering is
//! the one whose list of vertices, each as (what it reads, operation), is the smallest. It is built vertex by
//! vertex: of those whose inputs are all numbered, the smallest comes next; ties are followed all ways, at most
//! 120 of them.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::cell::{NasBench101Arch, VertexOp, VertexSet};

/// The canonical numbering of a cell.
pub(super) fn canonical(arch: &NasBench101Arch) -> NasBench101Arch {
    let mut best = None;
    extend(Numbering::start(arch), &mut best);
    best.expect("every cell has a numbering")
}

/// The cell with its inner vertices numbered in a random order that keeps edges leading to later vertices.
pub(super) fn renumbered_at_random(arch: &NasBench101Arch, rng: &mut ChaCha8Rng) -> NasBench101Arch {
    let mut numbering = Numbering::start(arch);
    while !numbering.is_complete() {
        let ready: Vec<usize> = numbering.ready().collect();
        numbering.place(ready[rng.random_range(0..ready.len())]);
    }
    numbering.finish()
}

/// A numbering of vertices under construction.
#[derive(Clone)]
struct Numbering<'a> {
    arch: &'a NasBench101Arch,
    /// The new number of every placed vertex.
    number: [usize; NasBench101Arch::MAX_VERTICES],
    placed: VertexSet,
    /// The cell in the new order, so far.
    inputs: Vec<VertexSet>,
    ops: Vec<VertexOp>,
}

impl<'a> Numbering<'a> {
    fn start(arch: &'a NasBench101Arch) -> Self {
        Numbering {
            arch,
            number: [0; NasBench101Arch::MAX_VERTICES],
            placed: VertexSet::of(0),
            inputs: Vec::with_capacity(arch.inputs.len()),
            ops: Vec::with_capacity(arch.ops.len()),
        }
    }

    fn is_complete(&self) -> bool {
        self.ops.len() == self.arch.ops.len()
    }

    /// The inner vertices that may come next.
    fn ready(&self) -> impl Iterator<Item = usize> + use<'a> {
        let (arch, placed) = (self.arch, self.placed);
        let inner = 1..=arch.ops.len();
        inner.filter(move |&old| !placed.contains(old) && arch.inputs_of(old).without(placed).is_empty())
    }

    /// What a vertex reads, in new numbers.
    fn reads(&self, old: usize) -> VertexSet {
        self.arch.inputs_of(old).renumbered(|vertex| self.number[vertex])
    }

    /// How a vertex would stand in the list.
    fn rank(&self, old: usize) -> (VertexSet, VertexOp) {
        (self.reads(old), self.arch.ops[old - 1])
    }

    fn place(&mut self, old: usize) {
        let (reads, op) = self.rank(old);
        self.inputs.push(reads);
        self.ops.push(op);
        self.number[old] = self.ops.len();
        self.placed = self.placed.or(VertexSet::of(old));
    }

    fn finish(mut self) -> NasBench101Arch {
        self.inputs.push(self.reads(self.arch.vertices() - 1));
        NasBench101Arch { inputs: self.inputs, ops: self.ops }
    }
}

fn extend(numbering: Numbering<'_>, best: &mut Option<NasBench101Arch>) {
    let Some(smallest) = numbering.ready().map(|old| numbering.rank(old)).min() else {
        let whole = numbering.finish();
        // All ways took the smallest vertex at each step; they can differ in what the output reads.
        if best.as_ref().is_none_or(|known| list(&whole).lt(list(known))) {
            *best = Some(whole);
        }
        return;
    };
    let tied: Vec<usize> = numbering.ready().filter(|&old| numbering.rank(old) == smallest).collect();
    for old in tied {
        let mut longer = numbering.clone();
        longer.place(old);
        extend(longer, best);
    }
}

/// The list of vertices by which numberings are compared; the output stands last and has no operation.
fn list(arch: &NasBench101Arch) -> impl Iterator<Item = (VertexSet, Option<VertexOp>)> + '_ {
    let ops = arch.ops.iter().copied().map(Some).chain([None]);
    arch.inputs.iter().copied().zip(ops)
}
