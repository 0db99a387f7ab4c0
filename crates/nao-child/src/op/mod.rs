//! The numeric operations of child networks, one file per family. Networks call nothing else, so a faster
//! kernel is a change of one file here.

pub mod activation;
pub mod conv;
pub mod drop;
pub mod factorized_reduce;
pub mod init;
pub mod linear;
pub mod loss;
pub mod norm;
pub mod pool;
