//! What was learned of a space as bytes: a safetensors file whose header holds settings, language and report.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use burn_store::{ModuleSnapshot, ModuleStore, SafetensorsStore};
use nao_space::Graphs;
use nao_space::file::{check_checksum, with_checksum};
use nao_space::seed::rng_for;
use serde::{Deserialize, Serialize};

use super::config::PretrainingConfig;
use super::networks::StructureNetworks;
use super::pretraining::{PretrainedSpace, PretrainingReport, check_language, readout_target};
use crate::error::ControllerError;
use crate::language::Language;

/// The header's entry; its number changes with the form of the networks and of the features.
const ENTRY: &str = "nao-pretrained-1";

/// Everything but the weights and the feature map, which is learned again in no time.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    config: PretrainingConfig,
    language: Language,
    report: PretrainingReport,
}

impl PretrainedSpace {
    /// The name under which to keep what is learned of a space with these settings: equal names, equal learning.
    pub fn cache_name<S: Graphs>(space: &S, config: &PretrainingConfig) -> String {
        let text =
            serde_json::to_string(&(ENTRY, Language::of(space), config, space.graph_schema().is_some()));
        text.expect("plain structs have a JSON form")
    }

    /// As a safetensors file with a checksum, bit-exact.
    ///
    /// # Errors
    /// When the file cannot be built.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ControllerError> {
        let (config, language, report) = (self.config.clone(), self.language.clone(), self.report.clone());
        let header = serde_json::to_string(&Header { config, language, report }).map_err(refuse)?;
        let mut store = SafetensorsStore::from_bytes(None).clear_metadata().metadata(ENTRY, header);
        let bytes = store.collect_from(&self.networks).and_then(|()| store.get_bytes()).map_err(refuse)?;
        with_checksum(&bytes).map_err(refuse)
    }

    /// What was learned of `space`, from such a file.
    ///
    /// # Errors
    /// When the bytes are no such file, damaged, or of another space.
    pub fn from_bytes<S: Graphs>(
        space: &S,
        bytes: Vec<u8>,
        device: &Device,
    ) -> Result<Self, ControllerError> {
        check_checksum(&bytes).map_err(refuse)?;
        let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).map_err(refuse)?;
        let entries = metadata.metadata().as_ref();
        let header =
            entries.and_then(|entries| entries.get(ENTRY)).ok_or_else(|| refuse("no pre-training"))?;
        let Header { config, language, report } = serde_json::from_str(header).map_err(refuse)?;
        check_language(&language, &Language::of(space))?;
        let map = config.feature_map(space);
        let mut rng = rng_for(config.seed, "pretraining weights", 0);
        let features = map.features(space, &space.sample(&mut rng));
        let width = readout_target(&map, &features, language.vocabulary_len()).len();
        let device = device.clone().autodiff();
        let mut networks = StructureNetworks::new(&config, &language, width, &mut rng, &device);
        let mut store = SafetensorsStore::from_bytes(Some(bytes));
        let result = networks.load_from(&mut store).map_err(refuse)?;
        if !result.missing.is_empty() || !result.errors.is_empty() {
            return Err(refuse(format!("missing {:?}, misshapen {:?}", result.missing, result.errors)));
        }
        check_numbers(&networks)?;
        Ok(PretrainedSpace { config, language, map, networks: networks.no_grad(), report })
    }
}

fn refuse(problem: impl ToString) -> ControllerError {
    ControllerError::Weights { problem: problem.to_string() }
}

/// Refuses weights that cannot have been learned. Files of earlier versions have no checksum.
fn check_numbers(networks: &StructureNetworks) -> Result<(), ControllerError> {
    struct Numbers(Option<&'static str>);
    impl ModuleVisitor for Numbers {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let data = param.val().into_data();
            if data.iter::<f32>().any(|value| !value.is_finite()) {
                self.0 = Some("some are no finite numbers");
            } else if D > 1 && data.iter::<f32>().all(|value| value == 0.0) {
                self.0 = self.0.or(Some("a whole matrix is zero"));
            }
        }
    }
    let mut numbers = Numbers(None);
    networks.visit(&mut numbers);
    match numbers.0 {
        Some(problem) => Err(refuse(format!("they cannot have been learned: {problem}"))),
        None => Ok(()),
    }
}
