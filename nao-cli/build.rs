//! Records what the binary was built from, for the manifest of a run, and says which of its tests can run.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../Cargo.lock");
    println!("cargo::rerun-if-changed=../.git/HEAD");
    println!("cargo::rerun-if-changed=../.git/logs/HEAD");
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    println!("cargo::rustc-env=NAO_RUSTC={}", first_line(&rustc, &["--version"]));
    println!("cargo::rustc-env=NAO_COMMIT={}", first_line("git", &["rev-parse", "HEAD"]));
    println!("cargo::rustc-env=NAO_BURN={}", locked_version("burn"));
    println!("cargo::rustc-check-cfg=cfg(slurm, mount, root)");
    for (variable, condition) in [("NAO_TEST_SLURM", "slurm"), ("NAO_TEST_MOUNT", "mount")] {
        println!("cargo::rerun-if-env-changed={variable}");
        if std::env::var(variable).is_ok_and(|value| value == "1") {
            println!("cargo::rustc-cfg={condition}");
        }
    }
    if first_line("id", &["-u"]) == "0" {
        println!("cargo::rustc-cfg=root");
    }
}

/// What a command says, or `unknown` where it does not run.
fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}

/// The version of a package in the workspace's lock file, or `unknown` outside of the workspace.
fn locked_version(package: &str) -> String {
    let lock = std::fs::read_to_string("../Cargo.lock").unwrap_or_default();
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{package}\"")).skip(1);
    let version = lines.next().and_then(|line| line.strip_prefix("version = \""));
    version.map_or("unknown", |version| version.trim_end_matches('"')).to_owned()
}
