//! A predictor as a file: what was fitted, and how to read it.

use anyhow::{Context, Result, bail};
use nao_controller::{Labels, PredictedMerit, PredictorState, StructureConfig, StructurePredictor};
use nao_space::features::{FeatureMap, Features};
use nao_space::seed::rng_for;
use nao_space::{Direction, Space};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::args::AnySpaceOptions;

/// The version of the file.
const VERSION: u32 = 2;

/// What a score is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreKind {
    /// Its column.
    #[serde(rename = "score")]
    pub name: String,
    /// Which scores are better.
    pub direction: Direction,
    /// Its unit.
    pub unit: String,
}

impl ScoreKind {
    /// The score turned so that larger is better; turning it twice gives it back.
    pub fn merit(&self, score: f64) -> f64 {
        turned(self.direction, score)
    }
}

fn turned(direction: Direction, value: f64) -> f64 {
    match direction {
        Direction::Maximize => value,
        Direction::Minimize => -value,
    }
}

/// A score or a cheap label as it stands in a file; `None` for what is no finite number.
pub fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// What a cheap label is, on which predictions rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheapKind {
    /// Its column.
    pub column: String,
    /// Which labels are better.
    pub direction: Direction,
}

impl CheapKind {
    /// The label turned so that larger is better.
    pub fn merit(&self, label: f64) -> f64 {
        turned(self.direction, label)
    }
}

/// An architecture with its score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// In the notation of the space.
    pub architecture: String,
    /// In the unit of the scores.
    pub score: f64,
    /// The cheap label, in predictors that rest on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cheap: Option<f64>,
}

/// A predictor as it was fitted, so that it predicts at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictorFile {
    /// Always `nao-predictor`.
    format: String,
    version: u32,
    /// The SHA-256 of the file with this field empty, without white space.
    sha256: String,
    /// How the space is named on the command line.
    pub options: AnySpaceOptions,
    /// Its own name.
    space: String,
    /// What is predicted.
    pub score: ScoreKind,
    /// The cheap label on which predictions rest, if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cheap: Option<CheapKind>,
    seed: u64,
    /// How many architectures were learned from.
    pub learned_from: usize,
    /// Those on which the posterior rests, in the notation of the space.
    architectures: Vec<String>,
    posterior: PredictorState,
}

/// A predictor of version 1: what it learns from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PairsFile {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "version")]
    _version: u32,
    options: AnySpaceOptions,
    space: String,
    score: ScoreKind,
    #[serde(default)]
    cheap: Option<CheapKind>,
    seed: u64,
    pairs: Vec<Pair>,
}

/// The fields that every version has.
#[derive(Deserialize)]
struct VersionOnly {
    format: String,
    version: u32,
}

/// A predictor that was read.
pub enum ReadPredictor {
    /// As it was fitted.
    Fitted(Box<PredictorFile>),
    /// Of version 1, which holds the pairs only.
    Pairs(Box<Learning>),
}

/// What a predictor learns from, and how.
#[derive(Clone, Debug)]
pub struct Learning {
    /// How the space is named on the command line.
    pub options: AnySpaceOptions,
    /// The name of the space.
    pub space: String,
    /// What is predicted.
    pub score: ScoreKind,
    /// The cheap label on which predictions rest, if they do.
    pub cheap: Option<CheapKind>,
    /// Seed of everything random.
    pub seed: u64,
    /// Architectures with their scores.
    pub pairs: Vec<Pair>,
}

/// A predictor that can be asked.
pub struct Fitted {
    map: FeatureMap,
    predictor: StructurePredictor,
}

impl ReadPredictor {
    /// From text.
    pub fn from_json(text: &str) -> Result<Self> {
        let VersionOnly { format, version } = serde_json::from_str(text)?;
        match (format.as_str(), version) {
            ("nao-predictor", 1) => {
                let file: PairsFile = serde_json::from_str(text)?;
                let PairsFile { options, space, score, cheap, seed, pairs, .. } = file;
                let learning = Learning { options, space, score, cheap, seed, pairs };
                Ok(ReadPredictor::Pairs(Box::new(learning)))
            }
            ("nao-predictor", VERSION) => {
                let file: PredictorFile = serde_json::from_str(text)?;
                if file.digest()? != file.sha256 {
                    bail!("its checksum does not fit its content: it was damaged or edited; fit it anew");
                }
                Ok(ReadPredictor::Fitted(Box::new(file)))
            }
            _ => {
                bail!("it is {format} of version {version}; this program reads nao-predictor 1 and {VERSION}")
            }
        }
    }

    /// How the space is named on the command line.
    pub fn options(&self) -> &AnySpaceOptions {
        match self {
            ReadPredictor::Fitted(file) => &file.options,
            ReadPredictor::Pairs(learning) => &learning.options,
        }
    }

    /// What is predicted.
    pub fn score(&self) -> &ScoreKind {
        match self {
            ReadPredictor::Fitted(file) => &file.score,
            ReadPredictor::Pairs(learning) => &learning.score,
        }
    }

    /// The cheap label on which predictions rest, if they do.
    pub fn cheap(&self) -> Option<&CheapKind> {
        match self {
            ReadPredictor::Fitted(file) => file.cheap.as_ref(),
            ReadPredictor::Pairs(learning) => learning.cheap.as_ref(),
        }
    }

    /// How many architectures were learned from.
    pub fn learned_from(&self) -> usize {
        match self {
            ReadPredictor::Fitted(file) => file.learned_from,
            ReadPredictor::Pairs(learning) => learning.pairs.len(),
        }
    }
}

impl Learning {
    /// Fits the predictor.
    pub fn fit<S: Space>(&self, space: &S) -> Result<Fitted> {
        check_space(space, &self.space)?;
        let config = StructureConfig::thorough();
        let map = config.pretraining.feature_map(space);
        let mut features = Vec::with_capacity(self.pairs.len());
        for pair in &self.pairs {
            features.push(map.features(space, &space.parse(&pair.architecture)?));
        }
        let merits: Vec<f64> = self.pairs.iter().map(|pair| self.score.merit(pair.score)).collect();
        let cheap = self.cheap.as_ref().map(|kind| self.cheap_merits(kind)).transpose()?;
        let labels = Labels { merits: &merits, cheap: cheap.as_deref() };
        let mut rng = rng_for(self.seed, "predictor", 0);
        let predictor = StructurePredictor::fit(&map, &features, labels, &config, &[], &mut rng)?;
        Ok(Fitted { map, predictor })
    }

    fn cheap_merits(&self, kind: &CheapKind) -> Result<Vec<f64>> {
        let merit = |pair: &Pair| {
            let missing = || format!("`{}` has no cheap label `{}`", pair.architecture, kind.column);
            Ok(kind.merit(pair.cheap.with_context(missing)?))
        };
        self.pairs.iter().map(merit).collect()
    }
}

impl PredictorFile {
    /// Of a predictor that was fitted to these pairs.
    pub fn new(learning: &Learning, fitted: &Fitted) -> Result<Self> {
        let Learning { options, space, score, cheap, seed, pairs } = learning.clone();
        let basis = fitted.predictor.basis();
        let mut file = PredictorFile {
            format: "nao-predictor".to_owned(),
            version: VERSION,
            sha256: String::new(),
            options,
            space,
            score,
            cheap,
            seed,
            learned_from: pairs.len(),
            architectures: basis.iter().map(|&pair| pairs[pair].architecture.clone()).collect(),
            posterior: fitted.predictor.state(),
        };
        file.sha256 = file.digest()?;
        Ok(file)
    }

    /// As text.
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    fn digest(&self) -> Result<String> {
        let unsigned = PredictorFile { sha256: String::new(), ..self.clone() };
        let digest = Sha256::digest(serde_json::to_vec(&unsigned)?);
        Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Takes the predictor up as it was fitted.
    pub fn fitted<S: Space>(&self, space: &S) -> Result<Fitted> {
        check_space(space, &self.space)?;
        let map = StructureConfig::thorough().pretraining.feature_map(space);
        let mut features = Vec::with_capacity(self.architectures.len());
        for architecture in &self.architectures {
            features.push(map.features(space, &space.parse(architecture)?));
        }
        let predictor = StructurePredictor::from_state(&map, &features, self.posterior.clone())?;
        Ok(Fitted { map, predictor })
    }
}

fn check_space<S: Space>(space: &S, named: &str) -> Result<()> {
    if space.name() != named {
        bail!("the predictor was made for the space {named}, which is now {}", space.name());
    }
    Ok(())
}

impl Fitted {
    /// The worst and the best of the scores learned from, as merits: no prediction lies outside of them.
    pub fn merit_range(&self) -> [f64; 2] {
        self.predictor.merit_range()
    }

    /// Predictions for architectures, in merits. `cheap` are their cheap labels as merits, for a predictor that rests on
    /// some.
    pub fn predict<S: Space>(
        &self,
        space: &S,
        archs: &[S::Arch],
        cheap: Option<&[f64]>,
    ) -> Result<Vec<PredictedMerit>> {
        let features: Vec<Features> = archs.iter().map(|arch| self.map.features(space, arch)).collect();
        Ok(self.predictor.predict(&self.map, &features, cheap)?)
    }
}
