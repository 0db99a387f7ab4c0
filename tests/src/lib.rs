//! What the cross-crate tests share: golden files and how to compare with them.

pub mod golden;
