//! Image cells as documents that say more than the cells: whose network is meant, and what the cells concatenate.

use serde_json::Value;

use super::json::CnnJson;
use crate::image::{CnnArch, State, cnn_from_tf_dag};
use crate::network::Convention;
use crate::spaces::{looks_like_genotype, parse_genotype};
use crate::text::ParseError;

/// Image cells of a document, with what it says about the network around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CnnDocument {
    /// The cells.
    pub arch: CnnArch,
    /// The code base whose network is meant; `None` where the document does not say.
    pub convention: Option<Convention>,
    /// What the normal and the reduction cell concatenate, where that is not what the convention says.
    pub concatenates: Option<[Vec<State>; 2]>,
}

impl CnnDocument {
    /// Reads a genotype, which means a network of DARTS; the DAG of the authors' TensorFlow code, which means its network; or
    /// the JSON of this project, which may say what it means. `None` where the text is none of them, such as numbers.
    ///
    /// ```
    /// use nao_space::network::Convention;
    /// use nao_space::notation::CnnDocument;
    /// let genotype = "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1)], normal_concat=[2],
    ///     reduce=[('max_pool_3x3', 0), ('skip_connect', 1)], reduce_concat=[2])";
    /// let document = CnnDocument::read(genotype).expect("a document")?;
    /// assert_eq!(document.convention, Some(Convention::Darts));
    /// assert!(CnnDocument::read("0 7 1 15").is_none());
    /// # Ok::<(), nao_space::notation::ParseError>(())
    /// ```
    pub fn read(text: &str) -> Option<Result<Self, ParseError>> {
        let is_json = text.trim_start().starts_with('{');
        if looks_like_genotype(text) {
            return Some(CnnDocument::of_genotype(text));
        }
        is_json.then(|| CnnDocument::of_json(text))
    }

    fn of_genotype(text: &str) -> Result<Self, ParseError> {
        let genotype = parse_genotype(text)?;
        let all_nodes = genotype.concatenates_all_nodes();
        Ok(CnnDocument {
            arch: genotype.arch,
            convention: Some(Convention::Darts),
            concatenates: (!all_nodes).then_some([genotype.normal_concat, genotype.reduction_concat]),
        })
    }

    fn of_json(text: &str) -> Result<Self, ParseError> {
        let json: Value =
            serde_json::from_str(text).map_err(|error| ParseError::Json { message: error.to_string() })?;
        if json.get("conv_dag").is_some() {
            let arch = cnn_from_tf_dag(text)?;
            return Ok(CnnDocument { arch, convention: Some(Convention::NaoTf), concatenates: None });
        }
        let json: CnnJson =
            serde_json::from_str(text).map_err(|error| ParseError::Json { message: error.to_string() })?;
        let (convention, concatenates) = (json.convention, json.concatenates.clone());
        let concatenates = concatenates.map(|states| [states.normal, states.reduction]);
        Ok(CnnDocument { arch: json.try_into()?, convention, concatenates })
    }

    /// The JSON of this project. What a network of the authors' PyTorch code needs is not said, for it is what is meant where
    /// nothing is.
    pub fn to_json(&self) -> String {
        let mut json = CnnJson::from(&self.arch);
        json.convention = self.convention.filter(|&convention| convention != Convention::default());
        let states = self.concatenates.clone();
        json.concatenates =
            states.map(|[normal, reduction]| super::json::ConcatenatedStates { normal, reduction });
        serde_json::to_string_pretty(&json).expect("names and numbers have a JSON form")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::zoo;

    #[test]
    fn every_published_cell_keeps_its_network_in_json() {
        for entry in zoo() {
            let plan = entry.plan(&entry.skeleton).unwrap();
            let states = |cell: usize| plan.cells[cell].pieces.iter().map(|piece| piece.state).collect();
            let concatenates = Some([states(0), states(entry.skeleton.reductions()[0])]);
            let convention = Some(entry.skeleton.convention).filter(|&is| is != Convention::default());
            let document = CnnDocument { arch: entry.arch.clone(), convention, concatenates };
            assert_eq!(CnnDocument::read(&document.to_json()), Some(Ok(document)), "{}", entry.name);
        }
    }

    #[test]
    fn the_published_dag_means_the_network_of_its_code() {
        let entry = crate::network::zoo_entry("NAONet").unwrap();
        let dag = crate::notation::cnn_to_tf_dag(&entry.arch).unwrap();
        let document = CnnDocument::read(&dag).unwrap().unwrap();
        assert_eq!((document.arch, document.convention), (entry.arch.clone(), Some(Convention::NaoTf)));
    }
}
