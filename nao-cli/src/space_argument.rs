//! Spaces named on the command line, of whatever kind: the one place that lists them.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use nao_controller::PredictorFile;
use nao_run::files::read_text;
use nao_space::draw::Draw;
use nao_space::notation::JsonForm;
use nao_space::table::TableSchema;
use nao_space::{
    ActivationOrder, ChoiceSpace, CnnSpace, DartsSpace, Describe, Encoding, Graphs, HierarchicalSpace,
    Levels, NasBench101Space, NasBench201Space, OpSet, RnnSpace,
};

use crate::args::{
    AnySpaceOptions, BenchmarkCheckArgs, CellOptions, DrawArgs, FitArgs, PredictArgs, SpaceCommand, SpaceKind,
};

/// A space as it is named.
#[derive(Clone)]
pub struct SpaceEntry {
    /// The name; `NAME:FILE` for a space that a file describes.
    pub name: &'static str,
    /// What its architectures are, in one line.
    pub about: &'static str,
    /// The flags that mean something for it.
    options: &'static [&'static str],
    /// What the columns of its published table mean, where there is one.
    pub schema: Option<fn() -> TableSchema>,
    make: Arc<dyn MakeSpace>,
}

/// Makes a space of its options and its file.
trait MakeSpace: Send + Sync {
    fn make(&self, options: &AnySpaceOptions, file: &Path) -> Result<Box<dyn SpaceCommands>>;
}

impl<S: SpaceCommands + 'static, F: Fn(&AnySpaceOptions, &Path) -> Result<S> + Send + Sync> MakeSpace for F {
    fn make(&self, options: &AnySpaceOptions, file: &Path) -> Result<Box<dyn SpaceCommands>> {
        Ok(Box::new(self(options, file)?))
    }
}

impl SpaceEntry {
    fn new<S: SpaceCommands + 'static>(
        name: &'static str,
        about: &'static str,
        options: &'static [&'static str],
        make: impl Fn(&AnySpaceOptions, &Path) -> Result<S> + Send + Sync + 'static,
    ) -> Self {
        SpaceEntry { name, about, options, schema: None, make: Arc::new(make) }
    }

    /// A space that has no options and no file.
    pub fn plain<S: SpaceCommands + 'static>(
        name: &'static str,
        about: &'static str,
        make: impl Fn() -> S + Send + Sync + 'static,
    ) -> Self {
        SpaceEntry::new(name, about, &[], move |_: &AnySpaceOptions, _: &Path| Ok(make()))
    }

    fn with_table(self, schema: fn() -> TableSchema) -> Self {
        SpaceEntry { schema: Some(schema), ..self }
    }

    /// Whether a name on the command line means this space, and with what file.
    fn file_of<'a>(&self, name: &'a str) -> Option<&'a Path> {
        match self.name.split_once(':') {
            Some((listed, _)) => {
                name.split_once(':').filter(|(word, _)| *word == listed).map(|(_, file)| Path::new(file))
            }
            None => (self.name == name).then_some(Path::new("")),
        }
    }
}

/// The spaces that can be named.
#[derive(Clone)]
pub struct Spaces(Vec<SpaceEntry>);

impl Spaces {
    /// Those of nao-space.
    pub fn built_in() -> Self {
        Spaces(built_in())
    }

    /// All of them.
    pub fn entries(&self) -> &[SpaceEntry] {
        &self.0
    }

    /// One more.
    pub fn push(&mut self, entry: SpaceEntry) {
        self.0.push(entry);
    }

    /// Their names, in words.
    pub fn names(&self) -> String {
        self.0.iter().map(|space| space.name).collect::<Vec<_>>().join(", ")
    }
}

/// Every space of nao-space: to add one, add a line.
fn built_in() -> Vec<SpaceEntry> {
    let choices = |_: &AnySpaceOptions, path: &Path| {
        let space = ChoiceSpace::from_toml(&read_text(path)?);
        space.with_context(|| path.display().to_string())
    };
    vec![
        SpaceEntry::new("cnn", "image cells", &["ops", "nodes", "encoding"], |options, _| {
            let ops = options.ops.as_deref().map_or_else(|| Ok(OpSet::paper_11()), OpSet::named)?;
            let encoding: Encoding = options.encoding.as_deref().unwrap_or("pairs").parse()?;
            Ok(CnnSpace::with_encoding(options.nodes.unwrap_or(5), ops, encoding)?)
        }),
        SpaceEntry::new("rnn", "recurrent cells", &["nodes", "order"], |options, _| {
            let order = activation_order(options.order.as_deref())?;
            Ok(RnnSpace::new(options.nodes.unwrap_or(11), order)?)
        }),
        SpaceEntry::plain("darts", "image cells of DARTS", DartsSpace::default),
        SpaceEntry::plain("hierarchical", "cells of motifs of motifs", HierarchicalSpace::default),
        SpaceEntry::plain("nasbench101", "cells of NAS-Bench-101", NasBench101Space::default)
            .with_table(TableSchema::nasbench101),
        SpaceEntry::plain("nasbench201", "cells of NAS-Bench-201", NasBench201Space::default)
            .with_table(TableSchema::nasbench201),
        SpaceEntry::new("choice:FILE", "choices of your own, in TOML", &[], choices),
    ]
}

/// What every space can do.
pub trait AnySpace: Graphs + Levels + Describe + Draw + JsonForm {}
impl<S: Graphs + Levels + Describe + Draw + JsonForm> AnySpace for S {}

/// The commands that take a space of any kind. Every space has them.
pub trait SpaceCommands {
    /// `nao space`.
    fn look_into(&self, command: &SpaceCommand) -> Result<()>;
    /// `nao draw`.
    fn draw(&self, args: &DrawArgs) -> Result<()>;
    /// `nao fit`.
    fn fit(&self, args: FitArgs) -> Result<()>;
    /// `nao predict`.
    fn predict(&self, args: PredictArgs, predictor: PredictorFile) -> Result<()>;
    /// `nao benchmark check`.
    fn check_table(&self, args: &BenchmarkCheckArgs, schema: &TableSchema) -> Result<()>;
}

/// The order of activations of that name, which is the authors' usual one where none is named.
pub fn activation_order(name: Option<&str>) -> Result<ActivationOrder> {
    Ok(match name.unwrap_or("nao") {
        "nao" => ActivationOrder::Nao,
        "nao-ws" => ActivationOrder::NaoWs,
        other => bail!("unknown order of activations `{other}`; known are nao, nao-ws"),
    })
}

impl AnySpaceOptions {
    /// The flags that were given.
    pub fn given(&self) -> [(&'static str, bool); 5] {
        [
            ("space", self.space.is_some()),
            ("ops", self.ops.is_some()),
            ("nodes", self.nodes.is_some()),
            ("encoding", self.encoding.is_some()),
            ("order", self.order.is_some()),
        ]
    }

    /// The options of the space of image cells in its usual encoding, if that is what is meant.
    pub fn usual(&self) -> Option<CellOptions> {
        let usual = self.space.as_deref().is_none_or(|name| name == "cnn") && self.encoding.is_none();
        (usual && self.order.is_none()).then(|| CellOptions {
            ops: self.ops.clone(),
            nodes: self.nodes,
            ..CellOptions::default()
        })
    }

    /// The options of cells that are searched and trained, if the space is one of those; `kind` where none is named.
    pub fn of_cells(&self, kind: SpaceKind) -> Option<(SpaceKind, CellOptions)> {
        let kind = match self.space.as_deref() {
            None => kind,
            Some("cnn") => SpaceKind::Cnn,
            Some("rnn") => SpaceKind::Rnn,
            Some(_) => return None,
        };
        let AnySpaceOptions { ops, nodes, order, .. } = self.clone();
        Some((kind, CellOptions { ops, nodes, order, ..CellOptions::default() }))
    }

    /// The entry that is meant.
    pub fn entry<'a>(&self, known: &'a Spaces) -> Result<&'a SpaceEntry> {
        let name = self.space.as_deref().unwrap_or("cnn");
        let found = known.entries().iter().find(|entry| entry.file_of(name).is_some());
        found.with_context(|| format!("unknown space `{name}`; known are {}", known.names()))
    }

    /// The space.
    pub fn make(&self, known: &Spaces) -> Result<Box<dyn SpaceCommands>> {
        let name = self.space.as_deref().unwrap_or("cnn");
        let entry = self.entry(known)?;
        self.only(name, entry.options)?;
        entry.make.make(self, entry.file_of(name).unwrap_or(Path::new("")))
    }

    /// Refuses options that mean nothing for the space.
    fn only(&self, space: &str, allowed: &[&str]) -> Result<()> {
        let given = self.given();
        let idle =
            given.iter().find(|(option, given)| *given && *option != "space" && !allowed.contains(option));
        match idle {
            Some((option, _)) => bail!("--{option} means nothing for the space `{space}`"),
            None => Ok(()),
        }
    }
}
