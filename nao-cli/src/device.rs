//! Devices by name.

use anyhow::{Result, bail};
use burn::tensor::Device;

/// The device of a word such as `cpu` or `cuda:0`.
pub fn device(word: &str) -> Result<Device> {
    if word == "cpu" {
        return Ok(Device::flex());
    }
    let Some(index) = word.strip_prefix("cuda:").and_then(|index| index.parse::<usize>().ok()) else {
        bail!("unknown device `{word}`: expected `cpu` or `cuda:N`");
    };
    cuda(index)
}

#[cfg(feature = "cuda")]
fn cuda(index: usize) -> Result<Device> {
    Ok(Device::cuda(index))
}

#[cfg(not(feature = "cuda"))]
fn cuda(index: usize) -> Result<Device> {
    bail!("this nao was built without CUDA: for `cuda:{index}` build it with `--features cuda`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_devices_are_refused() {
        assert!(device("cpu").is_ok());
        assert!(device("gpu").unwrap_err().to_string().contains("cuda:N"));
    }
}
