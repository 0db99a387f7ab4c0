//! Which file of a crate needs which, and where they need each other in a cycle.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{Import, ModulePath, Sources};

/// Arrows from one place to another, each with the names that the first takes from the second.
pub type Arrows = BTreeMap<(String, String), BTreeSet<String>>;

/// A crate's imports.
#[derive(Debug)]
pub struct Imports {
    /// Between files.
    pub files: Arrows,
    /// Between top modules.
    pub rooms: Arrows,
}

/// Where a path leads.
struct Target {
    module: ModulePath,
    /// What is taken from there; none where the path ends at the module.
    name: Option<String>,
}

impl Imports {
    /// Those of a crate. A module that hands on names of modules below it is their door and needs nothing of them, unless
    /// its own code says the name.
    pub fn of(sources: &Sources) -> Self {
        let mut imports = Imports { files: Arrows::new(), rooms: Arrows::new() };
        for (module, read) in &sources.modules {
            let said = |name: &str| read.paths.iter().any(|path| path[0] == name);
            for import in &read.imports {
                let Some(target) = sources.resolve(module, &import.path, 0) else { continue };
                let door = import.handed_on && target.module.starts_with(module) && !said(&import.name);
                // A module is imported for its names, which stand in the paths.
                if !door && target.name.is_some() {
                    imports.add(sources, module, target);
                }
            }
            for path in read.paths.iter().filter(|path| path.len() > 1) {
                if let Some(target @ Target { name: Some(_), .. }) = sources.resolve(module, path, 0) {
                    imports.add(sources, module, target);
                }
            }
        }
        imports
    }

    fn add(&mut self, sources: &Sources, from: &ModulePath, target: Target) {
        let Target { module: to, name } = target;
        let name = name.expect("only names make arrows");
        let (from_file, to_file) = (&sources.modules[from].file, &sources.modules[&to].file);
        if from_file != to_file {
            let arrow = (from_file.clone(), to_file.clone());
            self.files.entry(arrow).or_default().insert(name.clone());
        }
        if let (Some(from), Some(to)) = (from.first(), to.first())
            && from != to
        {
            self.rooms.entry((from.clone(), to.clone())).or_default().insert(name);
        }
    }

    /// The files that need each other in a cycle: each largest set of which every file reaches every other.
    pub fn cycles(&self) -> Vec<BTreeSet<String>> {
        let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (from, to) in self.files.keys() {
            next.entry(from).or_default().insert(to);
        }
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            next.keys().map(|&file| (file, reached_from(file, &next))).collect();
        let mut cycles = BTreeSet::new();
        for (&file, reach) in reached.iter().filter(|(file, reach)| reach.contains(*file)) {
            let back = |other: &&&str| reached.get(**other).is_some_and(|reach| reach.contains(file));
            let cycle: BTreeSet<String> = reach.iter().filter(back).map(ToString::to_string).collect();
            cycles.insert(cycle);
        }
        cycles.into_iter().collect()
    }

    /// What is wrong with the arrows between top modules, by a table with a line `module -> modules that it may import` for
    /// every module, lowest first.
    pub fn against(&self, table: &str) -> Vec<String> {
        let mut faults = Vec::new();
        let lines = table.lines().filter_map(|line| line.split_once("->"));
        let lines: Vec<(&str, Vec<&str>)> =
            lines.map(|(room, allowed)| (room.trim(), allowed.split_whitespace().collect())).collect();
        for (position, (room, allowed)) in lines.iter().enumerate() {
            let is_above = |other: &&str| lines[..position].iter().any(|(above, _)| above == other);
            for other in allowed.iter().filter(|other| !is_above(other)) {
                faults.push(format!("{room} may not import {other}: a line names lines above it"));
            }
            let is_used = |other: &&str| self.rooms.contains_key(&((*room).to_owned(), (*other).to_owned()));
            for other in allowed.iter().filter(|other| !is_used(other)) {
                faults.push(format!("{room} no longer imports {other}: take it out of the table"));
            }
        }
        for ((room, other), names) in &self.rooms {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            match lines.iter().find(|(listed, _)| listed == room) {
                None => faults.push(format!("{room} is not in the table")),
                Some((_, allowed)) if allowed.contains(&other.as_str()) => {}
                Some(_) => faults.push(format!("{room} must not import {other} ({})", names.join(", "))),
            }
        }
        faults
    }

    /// The arrows inside a cycle, one a line.
    pub fn inside(&self, cycle: &BTreeSet<String>) -> String {
        let inside = self.files.iter().filter(|((from, to), _)| cycle.contains(from) && cycle.contains(to));
        let line = |((from, to), names): (&(String, String), &BTreeSet<String>)| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("  {from} -> {to}: {}\n", names.join(", "))
        };
        inside.map(line).collect()
    }
}

fn reached_from<'a>(file: &str, next: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = next.get(file).into_iter().flatten().copied().collect();
    while let Some(file) = open.pop() {
        if reached.insert(file) {
            open.extend(next.get(file).into_iter().flatten());
        }
    }
    reached
}

/// Re-exports of re-exports that are followed before a path counts as leading nowhere.
const DEEPEST: usize = 16;

impl Sources {
    /// Where a path in a module leads; nowhere if out of the crate.
    fn resolve(&self, module: &[String], path: &[String], depth: usize) -> Option<Target> {
        if depth > DEEPEST {
            return None;
        }
        let (mut at, mut rest) = (module.to_vec(), path);
        match rest.first()?.as_str() {
            "crate" | "$crate" => (at, rest) = (Vec::new(), &rest[1..]),
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    at.pop()?;
                    rest = &rest[1..];
                }
            }
            first => {
                let here = &self.modules[module];
                let known =
                    here.children.contains(first) || here.imports.iter().any(|import| import.name == first);
                if !known {
                    return None;
                }
            }
        }
        self.follow(at, rest, module, depth)
    }

    /// Where names lead from a module, `asking` being the module in whose code they stand.
    fn follow(
        &self,
        mut at: ModulePath,
        names: &[String],
        asking: &[String],
        depth: usize,
    ) -> Option<Target> {
        for (position, name) in names.iter().enumerate() {
            let module = self.modules.get(&at)?;
            if module.children.contains(name) && self.modules.contains_key(&below(&at, name)) {
                at.push(name.clone());
                continue;
            }
            if name == "*" || module.defined.contains(name) {
                return Some(Target { module: at, name: Some(name.clone()) });
            }
            let named = |import: &&Import| import.name == *name;
            if let Some(import) = module.imports.iter().find(named) {
                // A name that stands for itself, as `use name;` of another crate, leads nowhere.
                let path: Vec<String> = import.path.iter().chain(&names[position + 1..]).cloned().collect();
                return self.resolve_import(&at, &path, depth + 1);
            }
            let globs = module.imports.iter().filter(|import| import.name == "*");
            return globs
                .filter(|_| at != asking)
                .filter_map(|glob| {
                    let inside = &glob.path[..glob.path.len() - 1];
                    let path: Vec<String> = inside.iter().chain(&names[position..]).cloned().collect();
                    self.resolve_import(&at, &path, depth + 1)
                })
                .next();
        }
        Some(Target { module: at, name: None })
    }

    /// As [`resolve`](Sources::resolve), of a path in a `use`: a name that the module itself imports is no beginning.
    fn resolve_import(&self, module: &[String], path: &[String], depth: usize) -> Option<Target> {
        let first = path.first()?.as_str();
        let anchored = matches!(first, "crate" | "self" | "super");
        if anchored || self.modules[module].children.contains(first) {
            return self.resolve(module, path, depth);
        }
        None
    }
}

fn below(module: &[String], name: &str) -> ModulePath {
    module.iter().cloned().chain([name.to_owned()]).collect()
}
