//! The inner order of the crates: which top module may import which, and that no two files need each other.

mod imports;
mod made_up;
mod rooms;
mod sources;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use imports::Imports;
use rooms::ROOMS;
use sources::Sources;

/// The imports of a crate of the workspace.
fn imports_of(name: &str) -> Imports {
    Imports::of(&Sources::read(&workspace().join(name)))
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("crates stand in the workspace").to_owned()
}

#[test]
fn top_modules_import_what_the_table_lists() {
    for (name, table) in ROOMS {
        let faults = imports_of(name).against(table);
        assert!(faults.is_empty(), "{name}:\n{}", faults.join("\n"));
    }
}

#[test]
fn the_table_stands_in_the_description_of_the_architecture() {
    let text = fs::read_to_string(workspace().join("ARCHITECTURE.md")).unwrap();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (name, table) in ROOMS {
        let lines = table.lines().filter(|line| !line.trim().is_empty());
        let rooms: Vec<String> = lines.map(|line| words(line.trim().trim_end_matches("->"))).collect();
        let rooms = format!("{name}: {}.", rooms.join("; "));
        assert!(words(&text).contains(&rooms), "ARCHITECTURE.md lacks these rooms of {name}:\n{rooms}");
    }
}

#[test]
fn no_files_need_each_other() {
    for (name, _) in ROOMS {
        let faults = circles_of(&imports_of(name));
        assert!(faults.is_empty(), "{name}:\n{}", faults.join("\n"));
    }
}

#[test]
fn every_crate_is_looked_at() {
    let crates =
        fs::read_dir(workspace()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let crates = crates.filter(|name| name.starts_with("nao-")).collect::<BTreeSet<_>>();
    assert_eq!(ROOMS.iter().map(|(name, _)| (*name).to_owned()).collect::<BTreeSet<_>>(), crates);
}

/// The files that need each other in a cycle, each with the arrows between them.
fn circles_of(imports: &Imports) -> Vec<String> {
    let told = |cycle: &BTreeSet<String>| {
        let files = cycle.iter().cloned().collect::<Vec<_>>().join(" ");
        format!("these files need each other, cut an arrow: {files}\n{}", imports.inside(cycle))
    };
    imports.cycles().iter().map(told).collect()
}
