//! The sources of a crate as modules: what each defines, declares and imports. Test code is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{Attribute, Item, UseTree, Visibility};

/// A module by its names from the root of the crate, which itself has none.
pub type ModulePath = Vec<String>;

/// One `use` of one name.
#[derive(Clone, Debug)]
pub struct Import {
    /// The path as written; the last is `*` where all names are imported.
    pub path: Vec<String>,
    /// The name in the importing module.
    pub name: String,
    /// Whether it hands the name on to others.
    pub handed_on: bool,
}

/// What a module says.
#[derive(Debug, Default)]
pub struct Module {
    /// The file in which it stands, from the folder of sources.
    pub file: String,
    /// The names that it defines.
    pub defined: BTreeSet<String>,
    /// The modules that it declares.
    pub children: BTreeSet<String>,
    /// What it imports.
    pub imports: Vec<Import>,
    /// The paths in its code, however short.
    pub paths: BTreeSet<Vec<String>>,
}

/// The modules of a crate.
#[derive(Debug, Default)]
pub struct Sources {
    /// By path.
    pub modules: BTreeMap<ModulePath, Module>,
}

impl Sources {
    /// Reads the crate in a folder: `src/lib.rs`, or `src/main.rs` where there is no library, and every module that is
    /// declared from there.
    pub fn read(folder: &Path) -> Self {
        let sources = folder.join("src");
        let root = ["lib.rs", "main.rs"].into_iter().find(|file| sources.join(file).is_file());
        let root = root.unwrap_or_else(|| panic!("{} is no crate", folder.display()));
        let mut read = Sources::default();
        read.file(&sources, Path::new(root), &sources, Vec::new());
        read
    }

    /// Reads a file and the modules that it declares, whose files stand in `folder`.
    fn file(&mut self, sources: &Path, file: &Path, folder: &Path, module: ModulePath) {
        let path = sources.join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.items(sources, file, folder, module, &parsed.items);
    }

    fn items(&mut self, sources: &Path, file: &Path, folder: &Path, module: ModulePath, items: &[Item]) {
        let file_name = file.to_str().expect("names of files are text").to_owned();
        let mut read = Module { file: file_name, ..Module::default() };
        for item in items.iter().filter(|item| !is_test(attributes(item))) {
            if let Item::Mod(child) = item {
                let name = child.ident.to_string();
                let inside: ModulePath = module.iter().cloned().chain([name.clone()]).collect();
                match &child.content {
                    Some((_, items)) => self.items(sources, file, &folder.join(&name), inside, items),
                    None => {
                        let beside = folder.join(format!("{name}.rs"));
                        let below = folder.join(&name).join("mod.rs");
                        let found: PathBuf = if beside.is_file() { beside } else { below };
                        let found = found.strip_prefix(sources).expect("modules stand among the sources");
                        self.file(sources, found, &folder.join(&name), inside);
                    }
                }
                read.children.insert(name);
                continue;
            }
            read.take(item);
        }
        self.modules.insert(module, read);
    }
}

impl Module {
    fn take(&mut self, item: &Item) {
        if let Item::Use(import) = item {
            let handed_on = !matches!(import.vis, Visibility::Inherited);
            leaves(&import.tree, &mut Vec::new(), &mut |path, name| {
                self.imports.push(Import { path, name, handed_on });
            });
            return;
        }
        let name = match item {
            Item::Const(item) => Some(&item.ident),
            Item::Enum(item) => Some(&item.ident),
            Item::Fn(item) => Some(&item.sig.ident),
            Item::Macro(item) => item.ident.as_ref(),
            Item::Static(item) => Some(&item.ident),
            Item::Struct(item) => Some(&item.ident),
            Item::Trait(item) => Some(&item.ident),
            Item::TraitAlias(item) => Some(&item.ident),
            Item::Type(item) => Some(&item.ident),
            Item::Union(item) => Some(&item.ident),
            _ => None,
        };
        self.defined.extend(name.map(ToString::to_string));
        Code(self).visit_item(item);
    }
}

/// Collects the paths and the local imports of an item.
struct Code<'a>(&'a mut Module);

impl<'ast> Visit<'ast> for Code<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.0.paths.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        leaves(&import.tree, &mut Vec::new(), &mut |path, _| {
            self.0.paths.insert(path);
        });
    }

    /// The arguments of a macro are no syntax yet: whatever looks like a path is taken for one.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        paths_in(call.tokens.clone(), &mut self.0.paths);
        syn::visit::visit_macro(self, call);
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        paths_in(list.tokens.clone(), &mut self.0.paths);
        syn::visit::visit_meta_list(self, list);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            syn::visit::visit_item(self, item);
        }
    }
}

fn paths_in(tokens: TokenStream, found: &mut BTreeSet<Vec<String>>) {
    let mut path: Vec<String> = Vec::new();
    // Two colons join names; anything else ends a path.
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Ident(name) => {
                if colons != 2 && !path.is_empty() {
                    found.insert(std::mem::take(&mut path));
                }
                path.push(name.to_string());
                colons = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => colons += 1,
            other => {
                if !path.is_empty() {
                    found.insert(std::mem::take(&mut path));
                }
                colons = 0;
                if let TokenTree::Group(group) = other {
                    paths_in(group.stream(), found);
                }
            }
        }
    }
    if !path.is_empty() {
        found.insert(path);
    }
}

/// Calls `each` with the path and the local name of every name of a `use`.
fn leaves(tree: &UseTree, before: &mut Vec<String>, each: &mut impl FnMut(Vec<String>, String)) {
    let whole = |last: Option<String>| before.iter().cloned().chain(last).collect::<Vec<_>>();
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            leaves(&path.tree, before, each);
            before.pop();
        }
        UseTree::Name(name) if name.ident == "self" => {
            each(whole(None), before.last().cloned().unwrap_or_default());
        }
        UseTree::Name(name) => each(whole(Some(name.ident.to_string())), name.ident.to_string()),
        UseTree::Rename(name) if name.ident == "self" => each(whole(None), name.rename.to_string()),
        UseTree::Rename(name) => each(whole(Some(name.ident.to_string())), name.rename.to_string()),
        UseTree::Glob(_) => each(whole(Some("*".to_owned())), "*".to_owned()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, before, each)),
    }
}

/// Whether an item is there in tests only.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
