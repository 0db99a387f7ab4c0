//! Says which tests can run: those that need files from outside of the repository are ignored where nobody names the
//! folder that holds them.

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
