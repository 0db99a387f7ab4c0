//! Says which tests can run: tests that need files from outside the repository are ignored unless a variable names the
//! folder of those files.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for (variable, condition) in [("NAO_GOLDEN", "golden"), ("NAO_DATA", "data")] {
        println!("cargo::rerun-if-env-changed={variable}");
        println!("cargo::rustc-check-cfg=cfg({condition})");
        if std::env::var_os(variable).is_some() {
            println!("cargo::rustc-cfg={condition}");
        }
    }
}
