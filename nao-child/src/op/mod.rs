//! The numeric operations of child networks, one file per family: what a plan says, in terms of `nao-kernels`. Networks
//! call nothing else.

pub mod activation;
pub mod conv;
pub mod drop;
pub mod factorized_reduce;
pub mod linear;
pub mod loss;
pub mod norm;
pub mod pool;
