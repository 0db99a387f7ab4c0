//! The discrete half of Neural Architecture Optimization: what an architecture is, how it is written, what it
//! costs and how it is searched. No tensor library; builds in seconds.
//!
//! A search space is a *language of tokens with a grammar* (trait [`Space`]). [`CnnSpace`] is the paper's
//! space of image cells, [`RnnSpace`] its space of recurrent cells.
//!
//! ```
//! use nao_space::network::{NetworkPlan, Skeleton};
//! use nao_space::seed::rng_for;
//! use nao_space::{CnnSpace, Space};
//!
//! let space = CnnSpace::default();
//! let arch = space.sample(&mut rng_for(7, "example", 0));
//!
//! // Tokens and text, both ways.
//! assert_eq!(space.decode(&space.encode(&arch))?, arch);
//! assert_eq!(space.parse(&space.format(&arch))?, arch);
//!
//! // All spellings of one architecture share a key.
//! let other = space.respell(&arch, &mut rng_for(7, "example", 1));
//! assert_eq!(space.key(&arch), space.key(&other));
//!
//! // Parameters and multiply-accumulates of the network, without building it.
//! let plan = NetworkPlan::new(&arch, &Skeleton::cifar10(6, 36))?;
//! assert!(plan.cost().params > 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With feature `testing`, `laws` generates architectures for property tests of your own code, and checks your own space.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

pub mod draw;
pub mod excerpt;
pub mod features;
pub mod file;
pub mod graph;
pub mod image;
pub mod language;
#[cfg(feature = "testing")]
pub mod laws;
pub mod network;
pub mod notation;
pub mod search;
pub mod seed;
pub mod settings;
pub mod spaces;
pub mod table;
mod text;
mod trial;

/// The generators and whole numbers of public signatures, so that users need no versions of ours.
pub use num_bigint::BigUint;
pub use rand;
pub use rand_chacha::{self, ChaCha8Rng};

/// Property tests, with feature `proptest`.
#[cfg(feature = "testing")]
pub use proptest;

pub use image::{
    ALL_OPS, Border, Cell, CellRole, CnnArch, Edge, InvalidCell, Node, OP_SET_NAMES, OP_SETS, Op, OpId,
    OpKind, OpSet, OpSetEntry, State, UnknownOp, UnknownOpSet,
};
pub use language::{
    ArchKey, DecodeError, Describe, Graphs, Growth, Levels, Space, Token, TokenMask, Vocabulary, describe,
    explain,
};
pub use spaces::{
    Activation, ActivationOrder, ChoiceArch, ChoiceSpace, CnnSpace, Condition, DartsSpace, EdgeOp, Encoding,
    HierarchicalArch, HierarchicalSpace, InvalidChoiceSpace, InvalidCnnSpace, InvalidNasBench101,
    InvalidRnnArch, InvalidRnnSpace, Motif, MotifId, NasBench101Arch, NasBench101Space, NasBench201Arch,
    NasBench201Space, Position, Primitive, Relaxation, RelaxedEdge, RnnArch, RnnNode, RnnSpace, RnnState,
    UnknownEncoding, VertexOp,
};
pub use text::counted;
pub use trial::{
    Checkpointing, Direction, EpochReport, EvaluationError, Evaluator, Fidelity, Measurement, Objective,
    Progress, Quiet, Trial, TrialId, quantity,
};

/// The examples of the two READMEs are tested with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../../README.md")]
struct Readme;
