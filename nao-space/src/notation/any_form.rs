//! Architectures of any space in any form: their text, or JSON of them.

use serde_json::Value;

use super::document::CnnDocument;
use crate::image::CnnArch;
use crate::language::Space;
use crate::network::Convention;
use crate::spaces::{
    ChoiceArch, ChoiceSpace, CnnSpace, DartsSpace, HierarchicalSpace, NasBench101Space, NasBench201Space,
    RnnArch, RnnSpace, looks_like_genotype, rnn_from_json,
};
use crate::text::ParseError;

/// A space that reads its architectures from JSON as well, in every form that this project and the space's own code write.
pub trait JsonForm: Space {
    /// An architecture as a JSON document that [`read_json`](JsonForm::read_json) reads.
    fn to_json(&self, arch: &Self::Arch) -> String {
        serde_json::to_string_pretty(arch).expect("names and numbers have a JSON form")
    }

    /// The architecture of a text that is no JSON: in the notation of the space, or in another that people use for it.
    ///
    /// # Errors
    /// As [`Space::parse`].
    fn read_text(&self, text: &str) -> Result<Self::Arch, ParseError> {
        self.parse(text)
    }

    /// The architecture of a JSON document. Without more, that is the form in which architectures are stored.
    ///
    /// # Errors
    /// When the document has another form, or its architecture belongs to another space.
    fn read_json(&self, json: &str) -> Result<Self::Arch, ParseError> {
        stored(json)
    }
}

fn stored<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, ParseError> {
    serde_json::from_str(json).map_err(|error| ParseError::Json { message: error.to_string() })
}

impl JsonForm for NasBench201Space {}
impl JsonForm for HierarchicalSpace {}

impl JsonForm for NasBench101Space {
    fn read_json(&self, json: &str) -> Result<Self::Arch, ParseError> {
        match serde_json::from_str::<Value>(json) {
            // The names of the benchmark's own files.
            Ok(value) if value.get("module_adjacency").is_some() => self.parse(json),
            _ => stored(json),
        }
    }
}

impl JsonForm for CnnSpace {
    /// Numbers, or a genotype whose operations are all in the set.
    fn read_text(&self, text: &str) -> Result<CnnArch, ParseError> {
        if looks_like_genotype(text) { self.read_json(text) } else { self.parse(text) }
    }

    fn read_json(&self, json: &str) -> Result<CnnArch, ParseError> {
        let document = CnnDocument::read(json).unwrap_or_else(|| stored(json).map(bare))?;
        self.check(&document.arch).map(|()| document.arch)
    }
}

/// Cells about whose network nothing is said.
fn bare(arch: CnnArch) -> CnnDocument {
    CnnDocument { arch, convention: None, concatenates: None }
}

impl JsonForm for DartsSpace {
    /// Says that the network of DARTS is meant.
    fn to_json(&self, arch: &CnnArch) -> String {
        let convention = Some(Convention::Darts);
        CnnDocument { arch: arch.clone(), convention, concatenates: None }.to_json()
    }

    fn read_json(&self, json: &str) -> Result<CnnArch, ParseError> {
        let document = CnnDocument::read(json).unwrap_or_else(|| stored(json).map(bare))?;
        if let Some(concatenates) = &document.concatenates
            && *concatenates != [DartsSpace::concat().to_vec(), DartsSpace::concat().to_vec()]
        {
            let message = "a cell of DARTS concatenates its four nodes, and this one others".to_owned();
            return Err(ParseError::OtherSpace { message });
        }
        self.check(&document.arch).map(|()| document.arch)
    }
}

impl JsonForm for RnnSpace {
    fn read_json(&self, json: &str) -> Result<RnnArch, ParseError> {
        let arch = rnn_from_json(json)?;
        self.check(&arch).map(|()| arch)
    }
}

impl JsonForm for ChoiceSpace {
    fn read_json(&self, json: &str) -> Result<ChoiceArch, ParseError> {
        let arch = stored(json)?;
        self.check(&arch).map(|()| arch)
    }
}

/// Reads an architecture in any form: the text of the space, JSON of the architecture, or a JSON object that has its text
/// under `architecture`, as results and rankings have.
///
/// ```
/// use nao_space::notation::read_arch;
/// use nao_space::{HierarchicalSpace, Space, seed::rng_for};
/// let space = HierarchicalSpace::default();
/// let arch = space.sample(&mut rng_for(7, "example", 0));
/// let text = space.format(&arch);
/// assert_eq!(read_arch(&space, &text)?, arch);
/// assert_eq!(read_arch(&space, &serde_json::to_string(&arch)?)?, arch);
/// assert_eq!(read_arch(&space, &format!(r#"{{"rank": 1, "architecture": "{text}"}}"#))?, arch);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the text has none of these forms, or its architecture belongs to another space.
pub fn read_arch<S: JsonForm>(space: &S, text: &str) -> Result<S::Arch, ParseError> {
    if !text.trim_start().starts_with(['{', '"']) {
        return space.read_text(text);
    }
    match serde_json::from_str::<Value>(text) {
        Ok(json) => match named_text(&json) {
            Some(text) => space.read_text(text),
            None => space.read_json(text),
        },
        // What is no JSON may be a Python dictionary.
        Err(error) if error.is_syntax() && text.contains('\'') => space.read_text(text),
        Err(_) => space.read_json(text),
    }
}

/// The text that an object has under `architecture`.
pub fn named_text(json: &Value) -> Option<&str> {
    json.get("architecture")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::rng_for;
    use crate::spaces::ActivationOrder;

    /// Everything that is printed of an architecture reads back.
    fn reads_back<S: JsonForm>(space: &S) {
        for index in 0..20 {
            let arch = space.sample(&mut rng_for(11, "any form", index));
            let text = space.format(&arch);
            let found = serde_json::json!({ "space": space.name(), "architecture": text }).to_string();
            for form in [text.clone(), serde_json::to_string(&arch).unwrap(), space.to_json(&arch), found] {
                assert_eq!(read_arch(space, &form).as_ref(), Ok(&arch), "{}: {form}", space.name());
            }
        }
        for damaged in ["{", "{}", "\"", "\"none\"", "{\"architecture\": \"none\"}", "{\"architecture\": 1}"]
        {
            assert!(read_arch(space, damaged).is_err(), "{}: {damaged}", space.name());
        }
    }

    #[test]
    fn architectures_of_every_space_are_read_in_every_form() {
        reads_back(&CnnSpace::default());
        reads_back(&DartsSpace::default());
        reads_back(&RnnSpace::new(5, ActivationOrder::NaoWs).unwrap());
        reads_back(&NasBench101Space::default());
        reads_back(&NasBench201Space::default());
        reads_back(&HierarchicalSpace::default());
        let own = "name = 'own'\n[[position]]\nname = 'a'\nchoices = ['x', 'y']\n\
                   [[position]]\nname = 'b'\nchoices = ['1', '2']\nonly_if = { position = 'a', choice = 'y' }";
        reads_back(&ChoiceSpace::from_toml(own).unwrap());
    }
}
