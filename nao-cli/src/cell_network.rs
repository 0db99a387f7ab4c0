//! What is known about the network around image cells, beyond the cells themselves.

use anyhow::{Result, bail};
use clap::ValueEnum;
use nao_child::CellRecipe;
use nao_space::network::{CONVENTIONS, CellOutputs, Concat, Convention};
use nao_space::notation::ConcatenatedStates;
use serde::Serialize;

/// The network that is meant with cells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CellNetwork {
    /// The code base whose network it is; `None` if it is not known.
    pub convention: Option<Convention>,
    /// What the cells concatenate, where that is not what the convention says.
    pub concatenates: Option<ConcatenatedStates>,
}

impl CellNetwork {
    /// The network that a recipe trains.
    pub fn of_recipe<R: CellRecipe>(recipe: &R) -> Self {
        CellNetwork { convention: recipe.convention(), concatenates: None }
    }

    /// What the cells concatenate.
    pub fn outputs(&self) -> CellOutputs {
        match &self.concatenates {
            Some(ConcatenatedStates { normal, reduction }) => {
                CellOutputs::lists(normal.clone(), reduction.clone())
            }
            None => CellOutputs::both(Concat::of(self.convention.unwrap_or_default())),
        }
    }

    /// The same with what `--convention` says.
    ///
    /// # Errors
    /// When the cells say otherwise themselves.
    pub fn with_flag(self, flag: Option<ConventionName>) -> Result<Self> {
        match (flag.map(Convention::from), self.convention) {
            (None, _) => Ok(self),
            (Some(flag), Some(said)) if flag != said => bail!(
                "--convention {}: the cells say themselves that the network of {} is meant",
                convention_word(flag),
                convention_word(said)
            ),
            (flag, _) => Ok(CellNetwork { convention: flag, ..self }),
        }
    }
}

/// A code base on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConventionName {
    /// The authors' PyTorch code: what no node reads is concatenated
    #[value(name = "nao_torch")]
    NaoTorch,
    /// The authors' TensorFlow code
    #[value(name = "nao_tf")]
    NaoTf,
    /// The TensorFlow code of NASNet, PNASNet and AmoebaNet
    Slim,
    /// The TensorFlow code of ENAS
    Enas,
    /// The PyTorch code of DARTS: all nodes are concatenated
    Darts,
}

impl From<ConventionName> for Convention {
    fn from(name: ConventionName) -> Self {
        match name {
            ConventionName::NaoTorch => Convention::NaoTorch,
            ConventionName::NaoTf => Convention::NaoTf,
            ConventionName::Slim => Convention::Slim,
            ConventionName::Enas => Convention::Enas,
            ConventionName::Darts => Convention::Darts,
        }
    }
}

/// The word for a code base, as in files.
pub fn convention_word(convention: Convention) -> String {
    word(&convention)
}

fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The operation sets that other code bases have searched: whose network is meant with their cells has to be said.
const SETS_OF_OTHERS: [&str; 5] = ["darts-7", "pnas-8", "nasnet-13", "amoeba-11", "tf-19"];

/// Refuses cells of another code base's operations about whose network nothing is said.
pub fn ask_for_convention(ops: &str) -> Result<()> {
    if !SETS_OF_OTHERS.contains(&ops) {
        return Ok(());
    }
    let known = CONVENTIONS.map(convention_word).join(", ");
    bail!(
        "cells of the operations {ops} do not say whose network is meant, and networks of the same cells differ in what is \
         concatenated and in their parameters: name one of {known} with --convention, or give the cells as a genotype"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_convention_has_the_name_that_files_have() {
        let names: Vec<String> = ConventionName::value_variants()
            .iter()
            .map(|name| name.to_possible_value().expect("none is hidden").get_name().to_owned())
            .collect();
        assert_eq!(names, CONVENTIONS.map(convention_word));
    }

    #[test]
    fn a_flag_that_contradicts_the_cells_is_refused() {
        let darts = CellNetwork { convention: Some(Convention::Darts), concatenates: None };
        assert_eq!(darts.clone().with_flag(Some(ConventionName::Darts)).unwrap(), darts);
        let error = darts.with_flag(Some(ConventionName::NaoTorch)).unwrap_err().to_string();
        assert!(error.contains("nao_torch") && error.contains("darts"), "{error}");
        assert!(ask_for_convention("darts-7").is_err() && ask_for_convention("paper-11").is_ok());
    }
}
