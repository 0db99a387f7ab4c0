//! Whether our kernels run, and with which vector instructions.

use std::sync::OnceLock;

use burn::tensor::{DType, Device, Tensor};

use crate::cpu::isa::Isa;

/// The environment variable that decides.
const VARIABLE: &str = "NAO_KERNELS";

/// What runs on the CPU backend.
#[derive(Clone, Copy, Debug)]
enum Choice {
    Kernels(Isa),
    Burn,
}

/// A value of `NAO_KERNELS` that means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKernels {
    value: String,
}

impl std::fmt::Display for UnknownKernels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{VARIABLE} is `{}`: it must be `auto` (the vector instructions of this machine), `avx2`, `plain`, or \
             `burn` (burn's own operations)",
            self.value
        )
    }
}

impl std::error::Error for UnknownKernels {}

fn read() -> Result<Choice, UnknownKernels> {
    let Some(value) = std::env::var_os(VARIABLE) else { return Ok(Choice::Kernels(Isa::best())) };
    match value.to_str() {
        Some("" | "auto") => Ok(Choice::Kernels(Isa::best())),
        Some("avx2") => Ok(Choice::Kernels(Isa::avx2().unwrap_or(Isa::plain()))),
        Some("plain") => Ok(Choice::Kernels(Isa::plain())),
        Some("burn") => Ok(Choice::Burn),
        _ => Err(UnknownKernels { value: value.to_string_lossy().into_owned() }),
    }
}

/// Checks `NAO_KERNELS`, so that a program can refuse a wrong value at its start. Says what will run.
///
/// # Errors
/// When the variable is set to something unknown. Operations then run as with `auto`.
pub fn check_environment() -> Result<String, UnknownKernels> {
    read().map(|choice| match choice {
        Choice::Kernels(isa) => isa.name().to_owned(),
        Choice::Burn => "burn".to_owned(),
    })
}

/// The vector instructions to use. Read once: a change while a network runs would change its numbers.
fn choice() -> Choice {
    static CHOICE: OnceLock<Choice> = OnceLock::new();
    *CHOICE.get_or_init(|| read().unwrap_or(Choice::Kernels(Isa::best())))
}

/// The instructions of our kernels.
pub(crate) fn isa() -> Isa {
    match choice() {
        Choice::Kernels(isa) => isa,
        Choice::Burn => Isa::best(),
    }
}

/// Whether our kernels take a tensor.
pub(crate) fn takes<const D: usize>(x: &Tensor<D>) -> bool {
    matches!(choice(), Choice::Kernels(_)) && x.dtype() == DType::F32 && is_cpu(&x.device())
}

/// Whether a device is the CPU backend that our kernels know, recording gradients or not.
fn is_cpu(device: &Device) -> bool {
    // Devices are equal if they are the same hardware and backend, whether they record gradients or not.
    *device == Device::flex()
}
