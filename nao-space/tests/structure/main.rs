//! The inner order of the crates: which top module may import which, and that no two files need each other.

mod imports;
mod known;
mod made_up;
mod sources;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use imports::Imports;
use known::{KNOWN_CYCLES, ROOMS};
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
fn no_files_need_each_other_but_for_known_ones_which_become_fewer() {
    for (name, known) in KNOWN_CYCLES {
        let faults = against_known(&imports_of(name), known);
        assert!(faults.is_empty(), "{name}:\n{}", faults.join("\n"));
    }
}

#[test]
fn every_crate_is_looked_at() {
    let crates =
        fs::read_dir(workspace()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let crates = crates.filter(|name| name.starts_with("nao-")).collect::<BTreeSet<_>>();
    assert_eq!(KNOWN_CYCLES.iter().map(|(name, _)| (*name).to_owned()).collect::<BTreeSet<_>>(), crates);
}

/// The cycles that are not known, and the known ones that are no longer what they were; each known one is its files,
/// separated by white space.
fn against_known(imports: &Imports, known: &[&str]) -> Vec<String> {
    let found = imports.cycles();
    let files = |cycle: &&str| cycle.split_whitespace().map(str::to_owned).collect::<BTreeSet<String>>();
    let known: Vec<BTreeSet<String>> = known.iter().map(files).collect();
    let line = |cycle: &BTreeSet<String>| cycle.iter().cloned().collect::<Vec<_>>().join(" ");
    let grown = found.iter().filter(|cycle| !known.iter().any(|known| cycle.is_subset(known)));
    let grown = grown.map(|cycle| {
        format!("these files need each other, cut an arrow: {}\n{}", line(cycle), imports.inside(cycle))
    });
    let gone = known.iter().filter(|cycle| !found.contains(cycle));
    let gone = gone.map(|cycle| {
        let left = found.iter().filter(|found| found.is_subset(cycle)).map(line).collect::<Vec<_>>();
        format!(
            "this known cycle is no more: {}\n  put into the list what is left of it: {left:?}",
            line(cycle)
        )
    });
    grown.chain(gone).collect()
}
