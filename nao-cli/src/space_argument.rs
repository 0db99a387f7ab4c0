//! Spaces named on the command line, of whatever kind: the one place that lists them.

use std::path::Path;

use anyhow::{Context, Result, bail};
use nao_run::files::read_text;
use nao_space::draw::Draw;
use nao_space::notation::JsonForm;
use nao_space::{
    ActivationOrder, ChoiceSpace, CnnSpace, DartsSpace, Encoding, HierarchicalSpace, NasBench101Space,
    NasBench201Space, OpSet, RnnSpace, Space,
};

use crate::args::{AnySpaceOptions, CellOptions, SpaceKind};

/// A space as it is named, with the options that mean something for it.
pub struct NamedSpace {
    /// The name.
    pub name: &'static str,
    /// The flags.
    options: &'static [&'static str],
}

/// Every space. What is not listed here does not exist for any command.
pub const SPACES: [NamedSpace; 7] = [
    NamedSpace { name: "cnn", options: &["ops", "nodes", "encoding"] },
    NamedSpace { name: "rnn", options: &["nodes", "order"] },
    NamedSpace { name: "darts", options: &[] },
    NamedSpace { name: "hierarchical", options: &[] },
    NamedSpace { name: "nasbench101", options: &[] },
    NamedSpace { name: "nasbench201", options: &[] },
    NamedSpace { name: "choice:FILE", options: &[] },
];

/// The names, for messages.
fn names() -> String {
    SPACES.map(|space| space.name).join(", ")
}

/// What every space can do.
pub trait AnySpace: Space + Draw + JsonForm + Clone {}
impl<S: Space + Draw + JsonForm + Clone> AnySpace for S {}

/// Something to do with a space of any kind.
pub trait SpaceVisitor {
    /// Does it.
    fn visit<S: AnySpace>(self, space: &S) -> Result<()>;
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

    /// Makes the space and hands it over.
    pub fn visit(&self, visitor: impl SpaceVisitor) -> Result<()> {
        let name = self.space.as_deref().unwrap_or("cnn");
        let file = name.strip_prefix("choice:");
        let listed = if file.is_some() { "choice:FILE" } else { name };
        match SPACES.iter().find(|space| space.name == listed) {
            Some(space) => self.only(name, space.options)?,
            None => bail!("unknown space `{name}`; known are {}", names()),
        }
        match (name, file) {
            ("cnn", _) => {
                let ops = self.ops.as_deref().map_or_else(|| Ok(OpSet::paper_11()), OpSet::named)?;
                let encoding: Encoding = self.encoding.as_deref().unwrap_or("pairs").parse()?;
                visitor.visit(&CnnSpace::with_encoding(self.nodes.unwrap_or(5), ops, encoding)?)
            }
            ("rnn", _) => {
                let order = activation_order(self.order.as_deref())?;
                visitor.visit(&RnnSpace::new(self.nodes.unwrap_or(11), order)?)
            }
            ("darts", _) => visitor.visit(&DartsSpace::default()),
            ("hierarchical", _) => visitor.visit(&HierarchicalSpace::default()),
            ("nasbench101", _) => visitor.visit(&NasBench101Space::default()),
            ("nasbench201", _) => visitor.visit(&NasBench201Space::default()),
            (_, Some(file)) => {
                let path = Path::new(file);
                let space = ChoiceSpace::from_toml(&read_text(path)?);
                visitor.visit(&space.with_context(|| path.display().to_string())?)
            }
            _ => bail!("unknown space `{name}`; known are {}", names()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Name<'a>(&'a mut Vec<String>);

    impl SpaceVisitor for Name<'_> {
        fn visit<S: AnySpace>(self, space: &S) -> Result<()> {
            self.0.push(space.name());
            Ok(())
        }
    }

    #[test]
    fn every_listed_space_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.toml");
        std::fs::write(&file, "name = 'own'\n[[position]]\nname = 'a'\nchoices = ['x']\n").unwrap();
        let mut made = Vec::new();
        for NamedSpace { name, .. } in SPACES {
            let space = Some(name.replace("FILE", &file.display().to_string()));
            let options = AnySpaceOptions { space, ops: None, nodes: None, encoding: None, order: None };
            options.visit(Name(&mut made)).unwrap();
        }
        made.sort_unstable();
        made.dedup();
        assert_eq!(made.len(), SPACES.len(), "{made:?}");
    }
}
