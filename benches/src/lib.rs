//! Benches over the NAO libraries: criterion benches in `benches/`, and the workloads that [`workload`] runs side by
//! side with PyTorch (`compare.sh`).

pub mod workload;
