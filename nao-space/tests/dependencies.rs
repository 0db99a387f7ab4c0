//! The crate stays light: no tensor library, whatever its features.

use std::process::Command;

#[test]
fn no_tensor_library_is_pulled_in() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "-p", "nao-space", "-e", "normal", "--all-features", "--prefix", "none"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8_lossy(&output.stdout);
    assert!(tree.starts_with("nao-space"), "{tree}");
    for line in tree.lines() {
        let heavy = ["burn", "cubecl", "candle", "tch", "ndarray", "nalgebra", "gemm", "rayon"];
        assert!(!heavy.iter().any(|name| line.starts_with(name)), "{line} in\n{tree}");
    }
}
