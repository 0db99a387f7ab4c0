//! Spaces of your own, made from outside of `nao-space`, on which the short programs of this folder stand.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

pub mod filters;
pub mod stages;
