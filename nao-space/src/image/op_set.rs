//! Named sets of operations, with the integer ids under which the authors' strings name them.

use serde::{Deserialize, Serialize};

use super::darts_vocabulary::DARTS_OPS;
use super::op::{Border, Op};

/// The integer under which a notation names an operation, such as the 7 in `0 7 1 15`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpId(pub u16);

/// An ordered set of distinct operations. The order fixes the operation tokens; the ids fix the text form.
///
/// An id may be an alias: V1 calls the identity both 4 and 5. Aliases are read, never written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpSet {
    name: String,
    entries: Vec<(OpId, Op)>,
    aliases: Vec<(OpId, Op)>,
}

/// A built-in set, as it is named.
#[derive(Clone, Copy, Debug)]
pub struct OpSetEntry {
    /// Its name.
    pub name: &'static str,
    /// Whose operations they are, in one line.
    pub about: &'static str,
    /// Makes it.
    pub make: fn() -> OpSet,
}

/// The built-in sets: to add one, add a line.
pub const OP_SETS: [OpSetEntry; 10] = [
    OpSetEntry { name: "paper-11", about: "the 11 of the paper on NAO", make: OpSet::paper_11 },
    OpSetEntry { name: "enas-5", about: "the 5 of weight sharing", make: OpSet::enas_5 },
    OpSetEntry { name: "v1-14", about: "all of the authors' first code", make: OpSet::v1_14 },
    OpSetEntry { name: "v2-10", about: "the authors' second code, without none", make: OpSet::v2_10 },
    OpSetEntry { name: "v2-11", about: "the authors' second code", make: OpSet::v2_11 },
    OpSetEntry { name: "tf-19", about: "the authors' TensorFlow code", make: OpSet::tf_19 },
    OpSetEntry { name: "darts-7", about: "DARTS, without none", make: OpSet::darts_7 },
    OpSetEntry { name: "pnas-8", about: "progressive search", make: OpSet::pnas_8 },
    OpSetEntry { name: "nasnet-13", about: "NASNet", make: OpSet::nasnet_13 },
    OpSetEntry { name: "amoeba-11", about: "AmoebaNet", make: OpSet::amoeba_11 },
];

/// The names of [`OP_SETS`], for messages and completion.
pub const OP_SET_NAMES: [&str; OP_SETS.len()] = {
    let mut names = [""; OP_SETS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = OP_SETS[at].name;
        at += 1;
    }
    names
};

impl OpSet {
    /// A set from its operations in token order, with ids 0, 1, 2, ….
    ///
    /// Repeated operations are kept once.
    pub fn new(name: impl Into<String>, ops: impl IntoIterator<Item = Op>) -> Self {
        let mut distinct = Vec::new();
        for op in ops {
            if !distinct.contains(&op) {
                distinct.push(op);
            }
        }
        let entries = distinct.into_iter().enumerate().map(|(id, op)| (OpId(id as u16), op)).collect();
        OpSet { name: name.into(), entries, aliases: Vec::new() }
    }

    /// The paper's 11 operations: V1 ids 5 to 15 (docs/specification.md, a.4).
    pub fn paper_11() -> Self {
        OpSet { name: "paper-11".into(), entries: large_v1_entries(), aliases: Vec::new() }
    }

    /// The five operations of weight sharing in V1, V2 and ENAS: V1 ids 0 to 4 (docs/specification.md, a.4).
    pub fn enas_5() -> Self {
        OpSet { name: "enas-5".into(), entries: small_entries(), aliases: Vec::new() }
    }

    /// All of V1: ids 0 to 15 name 14 distinct operations. Identity is written 4 (5 is read too) and
    /// the 3x3 maximum pool 3 (11 is read too).
    pub fn v1_14() -> Self {
        let mut set = OpSet { name: "v1-14".into(), entries: small_entries(), aliases: Vec::new() };
        for (id, op) in large_v1_entries() {
            match set.position(op) {
                Some(_) => set.aliases.push((id, op)),
                None => set.entries.push((id, op)),
            }
        }
        set
    }

    /// V2's middle set of ten (docs/specification.md, a.4).
    pub fn v2_10() -> Self {
        let ops = [
            Op::Zero,
            Op::Identity,
            Op::SepConv { kernel: 3 },
            Op::SepConv { kernel: 5 },
            Op::SepConv { kernel: 7 },
            Op::DilConv { kernel: 3 },
            Op::DilConv { kernel: 5 },
            Op::DilConv { kernel: 7 },
            Op::AvgPool { kernel: 3, border: Border::Ignored },
            Op::MaxPool { kernel: 3, border: Border::Ignored },
        ];
        OpSet::new("v2-10", ops)
    }

    /// V2's large set of eleven (docs/specification.md, a.4). Its 2x2 pools are padded at the right and bottom, which
    /// the authors' code leaves out and therefore cannot run at stride 1.
    pub fn v2_11() -> Self {
        let ops = [
            Op::Identity,
            Op::Conv { kernel: 1 },
            Op::Conv { kernel: 3 },
            Op::FactorConv { kernel: 3 },
            Op::FactorConv { kernel: 7 },
            Op::MaxPool { kernel: 2, border: Border::Ignored },
            Op::MaxPool { kernel: 3, border: Border::Ignored },
            Op::MaxPool { kernel: 5, border: Border::Ignored },
            Op::AvgPool { kernel: 2, border: Border::Ignored },
            Op::AvgPool { kernel: 3, border: Border::Ignored },
            Op::AvgPool { kernel: 5, border: Border::Ignored },
        ];
        OpSet::new("v2-11", ops)
    }

    /// All operations of the authors' TensorFlow code (docs/specification.md, a.4), in the order of its vocabulary of
    /// one token per operation. Its pools exclude the border; `v2-11` is the eleven of them that the paper searches.
    pub fn tf_19() -> Self {
        let ops = [
            Op::Identity,
            Op::SepConv { kernel: 3 },
            Op::SepConv { kernel: 5 },
            Op::SepConv { kernel: 7 },
            Op::AvgPool { kernel: 2, border: Border::Ignored },
            Op::AvgPool { kernel: 3, border: Border::Ignored },
            Op::AvgPool { kernel: 5, border: Border::Ignored },
            Op::MaxPool { kernel: 2, border: Border::Ignored },
            Op::MaxPool { kernel: 3, border: Border::Ignored },
            Op::MaxPool { kernel: 5, border: Border::Ignored },
            Op::MaxPool { kernel: 7, border: Border::Ignored },
            Op::MinPool { kernel: 2 },
            Op::Conv { kernel: 1 },
            Op::Conv { kernel: 3 },
            Op::FactorConv { kernel: 3 },
            Op::FactorConv { kernel: 7 },
            Op::DilSepConv { kernel: 3 },
            Op::DilSepConv { kernel: 5 },
            Op::DilSepConv { kernel: 7 },
        ];
        OpSet::new("tf-19", ops)
    }

    /// The seven operations of DARTS (Liu, Simonyan and Yang, ICLR 2019) in the order of its list; `none`, which
    /// it has in its supernet only, is not among them.
    pub fn darts_7() -> Self {
        OpSet::new("darts-7", DARTS_OPS.map(|(_, op)| op))
    }

    /// The eight operations of PNAS (Liu et al., ECCV 2018). Its dilated 3x3 convolution is taken as a separable one.
    pub fn pnas_8() -> Self {
        let ops = [
            Op::SepConv { kernel: 3 },
            Op::SepConv { kernel: 5 },
            Op::SepConv { kernel: 7 },
            Op::FactorConv { kernel: 7 },
            Op::Identity,
            Op::AvgPool { kernel: 3, border: Border::Ignored },
            Op::MaxPool { kernel: 3, border: Border::Ignored },
            Op::DilConv { kernel: 3 },
        ];
        OpSet::new("pnas-8", ops)
    }

    /// The thirteen operations of NASNet (Zoph et al., CVPR 2018). Its dilated 3x3 convolution is taken as a separable
    /// one.
    pub fn nasnet_13() -> Self {
        let ops = [
            Op::Identity,
            Op::FactorConv { kernel: 3 },
            Op::FactorConv { kernel: 7 },
            Op::DilConv { kernel: 3 },
            Op::AvgPool { kernel: 3, border: Border::Ignored },
            Op::MaxPool { kernel: 3, border: Border::Ignored },
            Op::MaxPool { kernel: 5, border: Border::Ignored },
            Op::MaxPool { kernel: 7, border: Border::Ignored },
            Op::Conv { kernel: 1 },
            Op::Conv { kernel: 3 },
            Op::SepConv { kernel: 3 },
            Op::SepConv { kernel: 5 },
            Op::SepConv { kernel: 7 },
        ];
        OpSet::new("nasnet-13", ops)
    }

    /// The operations that the published AmoebaNet cells use; their search had others besides.
    pub fn amoeba_11() -> Self {
        let ops = [
            Op::Identity,
            Op::Conv { kernel: 1 },
            Op::Conv { kernel: 3 },
            Op::FactorConv { kernel: 7 },
            Op::SepConv { kernel: 3 },
            Op::SepConv { kernel: 5 },
            Op::SepConv { kernel: 7 },
            Op::DilSepConv { kernel: 5 },
            Op::MaxPool { kernel: 2, border: Border::Ignored },
            Op::MaxPool { kernel: 3, border: Border::Ignored },
            Op::AvgPool { kernel: 3, border: Border::Ignored },
        ];
        OpSet::new("amoeba-11", ops)
    }

    /// The built-in set of that name; see [`OP_SETS`].
    ///
    /// # Errors
    /// When there is none: lists the names.
    pub fn named(name: &str) -> Result<Self, UnknownOpSet> {
        let found = OP_SETS.into_iter().find(|entry| entry.name == name);
        found.map(|entry| (entry.make)()).ok_or_else(|| UnknownOpSet { name: name.to_owned() })
    }

    /// The name of the set.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of distinct operations.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the set holds nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The operations in token order.
    pub fn ops(&self) -> impl ExactSizeIterator<Item = Op> + '_ {
        self.entries.iter().map(|&(_, op)| op)
    }

    /// The operation at a position of the token order.
    pub fn get(&self, position: usize) -> Option<Op> {
        self.entries.get(position).map(|&(_, op)| op)
    }

    /// Where an operation stands in the token order.
    pub fn position(&self, op: Op) -> Option<usize> {
        self.entries.iter().position(|&(_, known)| known == op)
    }

    /// The id under which an operation is written.
    pub fn id(&self, op: Op) -> Option<OpId> {
        self.entries.iter().find(|&&(_, known)| known == op).map(|&(id, _)| id)
    }

    /// The operation that an id, or an alias of it, names.
    pub fn by_id(&self, id: OpId) -> Option<Op> {
        let known = self.entries.iter().chain(&self.aliases);
        known.clone().find(|&&(known, _)| known == id).map(|&(_, op)| op)
    }

    /// The ids that may be read, ascending, aliases included.
    pub fn ids(&self) -> Vec<OpId> {
        let mut ids: Vec<OpId> = self.entries.iter().chain(&self.aliases).map(|&(id, _)| id).collect();
        ids.sort_unstable();
        ids
    }
}

fn small_entries() -> Vec<(OpId, Op)> {
    let ops = [
        Op::SepConv { kernel: 3 },
        Op::SepConv { kernel: 5 },
        Op::AvgPool { kernel: 3, border: Border::Ignored },
        Op::MaxPool { kernel: 3, border: Border::Ignored },
        Op::Identity,
    ];
    (0..).map(OpId).zip(ops).collect()
}

fn large_v1_entries() -> Vec<(OpId, Op)> {
    let ops = [
        Op::Identity,
        Op::Conv { kernel: 1 },
        Op::Conv { kernel: 3 },
        Op::FactorConv { kernel: 3 },
        Op::FactorConv { kernel: 7 },
        Op::MaxPool { kernel: 2, border: Border::Zeros },
        Op::MaxPool { kernel: 3, border: Border::Ignored },
        Op::MaxPool { kernel: 5, border: Border::Ignored },
        Op::AvgPool { kernel: 2, border: Border::Zeros },
        Op::AvgPool { kernel: 3, border: Border::Zeros },
        Op::AvgPool { kernel: 5, border: Border::Zeros },
    ];
    (5..).map(OpId).zip(ops).collect()
}

/// A set name that is not built in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown operation set `{name}`; known are {}", OP_SET_NAMES.join(", "))]
pub struct UnknownOpSet {
    /// The name that was asked for.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_v1_id_names_an_operation() {
        let v1 = OpSet::v1_14();
        assert_eq!(v1.len(), 14);
        assert_eq!(v1.ids(), (0..16).map(OpId).collect::<Vec<_>>());
        assert_eq!(v1.by_id(OpId(5)), Some(Op::Identity));
        assert_eq!(v1.id(Op::Identity), Some(OpId(4)));
        assert_eq!(v1.by_id(OpId(11)), v1.by_id(OpId(3)));
        assert_eq!(v1.by_id(OpId(16)), None);
    }

    #[test]
    fn built_in_sets_are_found_by_their_own_name() {
        for name in OP_SET_NAMES {
            let set = OpSet::named(name).unwrap();
            assert_eq!(set.name(), name);
            for op in set.ops() {
                assert_eq!(set.by_id(set.id(op).unwrap()), Some(op));
            }
        }
        assert!(OpSet::named("v3").unwrap_err().to_string().contains("paper-11"));
    }

    #[test]
    fn sets_that_end_in_a_number_have_as_many_operations() {
        for name in OP_SET_NAMES {
            let (_, number) = name.rsplit_once('-').unwrap();
            assert_eq!(OpSet::named(name).unwrap().len().to_string(), number, "{name}");
        }
    }

    #[test]
    fn the_paper_set_starts_at_id_five() {
        assert_eq!(OpSet::paper_11().ids().first(), Some(&OpId(5)));
        assert_eq!(OpSet::paper_11().ids().last(), Some(&OpId(15)));
    }
}
