//! Made-up crates, to see that the reading finds what is there and that the tests bite.

use std::collections::BTreeSet;
use std::fs;

use crate::circles_of;
use crate::imports::Imports;
use crate::sources::Sources;

/// The imports of a crate of these files.
fn of(files: &[(&str, &str)]) -> Imports {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = folder.path().join("src").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Imports::of(&Sources::read(folder.path()))
}

fn arrows(imports: &Imports) -> Vec<String> {
    let name = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(" ");
    imports.files.iter().map(|((from, to), names)| format!("{from} -> {to}: {}", name(names))).collect()
}

#[test]
fn two_files_that_need_each_other_are_a_circle() {
    let imports = of(&[
        ("lib.rs", "mod egg; mod hen; pub use hen::Hen;"),
        ("hen.rs", "use crate::egg::Egg; pub struct Hen(Egg);"),
        ("egg.rs", "use super::hen::Hen; pub struct Egg { of: Box<Hen> }"),
    ]);
    let cycle: BTreeSet<String> = ["egg.rs", "hen.rs"].map(str::to_owned).into();
    assert_eq!(imports.cycles(), std::slice::from_ref(&cycle));
    assert_eq!(imports.inside(&cycle), "  egg.rs -> hen.rs: Hen\n  hen.rs -> egg.rs: Egg\n");
    let message = circles_of(&imports).concat();
    assert!(message.contains("cut an arrow: egg.rs hen.rs\n  egg.rs -> hen.rs: Hen"), "{message}");
}

#[test]
fn a_longer_way_back_is_a_circle_and_a_fork_is_none() {
    let ring = [
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "pub struct A; fn next() { crate::b::b() }"),
        ("b.rs", "pub fn b() { println!(\"{}\", crate::c::C) }"),
        ("c.rs", "pub const C: &str = \"c\"; struct Last(crate::a::A);"),
        ("d.rs", "use crate::a::A; use crate::c::C; struct D([A; C.len()]);"),
    ];
    let cycle: BTreeSet<String> = ["a.rs", "b.rs", "c.rs"].map(str::to_owned).into();
    assert_eq!(of(&ring).cycles(), [cycle]);
    assert_eq!(
        of(&[ring[0], ring[1], ring[2], ("c.rs", "pub const C: u8 = 1;"), ("d.rs", "")]).cycles().len(),
        0
    );
}

#[test]
fn an_arrow_that_is_not_listed_and_one_that_is_no_more_are_refused() {
    let imports = of(&[
        ("lib.rs", "mod cell; mod space;"),
        ("cell.rs", "pub struct Cell;"),
        ("space/mod.rs", "mod inner;"),
        ("space/inner.rs", "use crate::cell::Cell; struct Space(Cell);"),
    ]);
    assert!(imports.against("cell ->\nspace -> cell\n").is_empty());
    let refused = |table: &str, fault: &str| {
        let faults = imports.against(table).join("\n");
        assert!(faults.contains(fault), "{faults}");
    };
    refused("cell ->\nspace ->", "space must not import cell (Cell)");
    refused("cell ->\ngraph ->\nspace -> cell graph", "space no longer imports graph");
    refused("space -> cell\ncell ->", "space may not import cell: a line names lines above it");
    refused("cell ->", "space is not in the table");
}

#[test]
fn names_are_followed_to_the_file_that_defines_them() {
    let imports = of(&[
        ("lib.rs", "pub mod room; mod user; pub use room::Thing;"),
        (
            "room/mod.rs",
            "mod thing; mod tool; pub use thing::*; pub(crate) use tool::{make as build, tool_set};",
        ),
        ("room/thing.rs", "pub struct Thing; pub enum Kind { One }"),
        ("room/tool.rs", "pub fn make() {} pub mod tool_set { pub const SIZE: u8 = 1; }"),
        (
            "user.rs",
            "use crate::{Thing, room::{self, Kind::One}}; \
             fn f(_: Thing) { room::build(); let _ = (One, vec![room::tool_set::SIZE]); }",
        ),
    ]);
    // The doors hand on and need nothing.
    let expected = ["user.rs -> room/thing.rs: Kind Thing", "user.rs -> room/tool.rs: SIZE make"];
    assert_eq!(arrows(&imports), expected);
}

#[test]
fn a_door_that_says_the_name_itself_needs_it() {
    let room = |door: &str| {
        let door = format!("mod part; pub use part::Part; {door}");
        arrows(&of(&[("lib.rs", "mod room;"), ("room/mod.rs", &door), ("room/part.rs", "pub struct Part;")]))
    };
    assert_eq!(room("pub struct Other;"), [""; 0]);
    assert_eq!(room("pub struct Whole(Part);"), ["room/mod.rs -> room/part.rs: Part"]);
}

#[test]
fn tests_and_other_crates_make_no_arrows() {
    let imports = of(&[
        ("lib.rs", "mod a; mod b; extern crate std as standard;"),
        (
            "a.rs",
            "use std::fmt; use serde::Serialize; pub struct A(fmt::Error); \
             #[cfg(test)] mod tests { use crate::b::B; } #[cfg(test)] use crate::b::B; \
             #[cfg(any(test, feature = \"laws\"))] pub mod laws { use crate::b::Law; pub struct Held(Law); }",
        ),
        ("b.rs", "pub struct B; pub struct Law;"),
    ]);
    assert_eq!(arrows(&imports), ["a.rs -> b.rs: Law"]);
}
