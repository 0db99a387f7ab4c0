//! The crate stays light: no tensor library, and none of the crates that need one.

use std::process::Command;

#[test]
fn no_tensor_library_is_pulled_in() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "-p", "nao-run", "-e", "normal", "--all-features", "--prefix", "none"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8_lossy(&output.stdout);
    assert!(tree.starts_with("nao-run"), "{tree}");
    assert!(tree.contains("nao-space"), "{tree}");
    for line in tree.lines() {
        let heavy =
            ["burn", "cubecl", "candle", "tch", "ndarray", "nalgebra", "gemm", "rayon", "clap", "anyhow"];
        let above = ["nao-kernels", "nao-controller", "nao-child", "nao-cli"];
        let is_refused = heavy.iter().chain(&above).any(|name| line.starts_with(name));
        assert!(!is_refused, "{line} in\n{tree}");
    }
}
