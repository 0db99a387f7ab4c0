//! Spaces named on the command line, of whatever kind.

use std::path::Path;

use anyhow::{Context, Result, bail};
use nao_run::files::read_text;
use nao_space::{
    ActivationOrder, ChoiceSpace, CnnSpace, DartsSpace, Encoding, HierarchicalSpace, NasBench101Space,
    NasBench201Space, OpSet, RnnSpace, Space,
};

use crate::args::{AnySpaceOptions, CellOptions};

/// The names, for messages.
const NAMES: &str = "cnn, rnn, darts, hierarchical, nasbench101, nasbench201, choice:FILE";

/// Something to do with a space of any kind.
pub trait SpaceVisitor {
    /// Does it.
    fn visit<S: Space>(self, space: &S) -> Result<()>;
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
    /// The options of the space of image cells in its usual encoding, if that is what is meant.
    pub fn usual(&self) -> Option<CellOptions> {
        let usual = self.space.as_deref().is_none_or(|name| name == "cnn") && self.encoding.is_none();
        (usual && self.order.is_none()).then(|| CellOptions {
            ops: self.ops.clone(),
            nodes: self.nodes,
            ..CellOptions::default()
        })
    }

    /// Makes the space and hands it over.
    pub fn visit(&self, visitor: impl SpaceVisitor) -> Result<()> {
        let name = self.space.as_deref().unwrap_or("cnn");
        if let Some(file) = name.strip_prefix("choice:") {
            self.only(name, &[])?;
            let path = Path::new(file);
            let space =
                ChoiceSpace::from_toml(&read_text(path)?).with_context(|| path.display().to_string())?;
            return visitor.visit(&space);
        }
        match name {
            "cnn" => {
                self.only(name, &["ops", "nodes", "encoding"])?;
                let ops = self.ops.as_deref().map_or_else(|| Ok(OpSet::paper_11()), OpSet::named)?;
                let encoding: Encoding = self.encoding.as_deref().unwrap_or("pairs").parse()?;
                visitor.visit(&CnnSpace::with_encoding(self.nodes.unwrap_or(5), ops, encoding)?)
            }
            "rnn" => {
                self.only(name, &["nodes", "order"])?;
                let order = activation_order(self.order.as_deref())?;
                visitor.visit(&RnnSpace::new(self.nodes.unwrap_or(11), order)?)
            }
            "darts" => self.only(name, &[]).and_then(|()| visitor.visit(&DartsSpace::default())),
            "hierarchical" => {
                self.only(name, &[]).and_then(|()| visitor.visit(&HierarchicalSpace::default()))
            }
            "nasbench101" => self.only(name, &[]).and_then(|()| visitor.visit(&NasBench101Space::default())),
            "nasbench201" => self.only(name, &[]).and_then(|()| visitor.visit(&NasBench201Space::default())),
            other => bail!("unknown space `{other}`; known are {NAMES}"),
        }
    }

    /// Refuses options that mean nothing for the space.
    fn only(&self, space: &str, allowed: &[&str]) -> Result<()> {
        let given = [
            ("ops", self.ops.is_some()),
            ("nodes", self.nodes.is_some()),
            ("encoding", self.encoding.is_some()),
            ("order", self.order.is_some()),
        ];
        match given.iter().find(|(option, given)| *given && !allowed.contains(option)) {
            Some((option, _)) => bail!("--{option} means nothing for the space `{space}`"),
            None => Ok(()),
        }
    }
}
