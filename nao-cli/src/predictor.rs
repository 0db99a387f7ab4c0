//! A predictor as a file: the pairs that it learned from and how to read them.

use anyhow::{Context, Result, bail};
use nao_controller::{Labels, PredictedMerit, StructureConfig, StructurePredictor};
use nao_space::features::{FeatureMap, Features};
use nao_space::seed::rng_for;
use nao_space::{Direction, Space};
use serde::{Deserialize, Serialize};

use crate::args::AnySpaceOptions;

/// The version of the file.
const VERSION: u32 = 1;

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

/// A predictor. Fitting it again takes less than reading a trained network.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictorFile {
    /// Always `nao-predictor`.
    format: String,
    version: u32,
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
    pairs: Vec<Pair>,
}

/// A predictor that was fitted.
pub struct Fitted {
    map: FeatureMap,
    predictor: StructurePredictor,
}

impl PredictorFile {
    /// A predictor that learns from these pairs.
    pub fn new<S: Space>(
        options: &AnySpaceOptions,
        space: &S,
        score: ScoreKind,
        cheap: Option<CheapKind>,
        pairs: Vec<Pair>,
        seed: u64,
    ) -> Self {
        let (format, options) = ("nao-predictor".to_owned(), options.clone());
        PredictorFile { format, version: VERSION, options, space: space.name(), score, cheap, seed, pairs }
    }

    /// As text.
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    /// From text.
    pub fn from_json(text: &str) -> Result<Self> {
        let file: PredictorFile = serde_json::from_str(text)?;
        if file.format != "nao-predictor" || file.version != VERSION {
            bail!(
                "it is {} of version {}; this program reads nao-predictor {VERSION}",
                file.format,
                file.version
            );
        }
        Ok(file)
    }

    /// Fits it, as when it was made.
    pub fn fit<S: Space>(&self, space: &S) -> Result<Fitted> {
        if space.name() != self.space {
            bail!("the predictor was made for the space {}, which is now {}", self.space, space.name());
        }
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

impl Fitted {
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
