//! A predictor of a space: fitted to architectures with their scores, asked for others, saved and loaded.

use std::path::Path;

use nao_space::features::{FeatureMap, Features};
use nao_space::seed::rng_for;
use nao_space::{Direction, Graphs};

use super::assessment::{Assessment, assess_split};
use super::assessment_plan::{AssessmentPlan, Assessments};
use super::config::{PretrainingConfig, StructureConfig};
use super::cost::FitCost;
use super::predictor::{Labels, PredictedMerit, StructurePredictor};
use super::predictor_error::PredictorError;
use super::predictor_file::{CheapKind, Content, FORMAT, FittedFile, PairsFile, PredictorFile, ScoreKind};
use super::predictor_file::{SpaceOptions, VERSION};
use crate::files::write_whole;
use crate::gaussian_process::Prediction;
use crate::scored::ScoredArch;

/// Predicts scores of architectures of a space from those of others: a Gaussian process over the structure of the
/// architectures, which needs no training of networks and no more than some dozens of scores.
///
/// ```
/// use nao_controller::Predictor;
/// use nao_space::seed::rng_for;
/// use nao_space::{Direction, EdgeOp, NasBench201Arch, NasBench201Space, Space};
///
/// let space = NasBench201Space::default();
/// // Scores of your own; here the number of convolutions.
/// let score = |arch: &NasBench201Arch| arch.edges.iter().filter(|&&op| op == EdgeOp::NorConv3x3).count() as f64;
/// let mut rng = rng_for(1, "example", 0);
/// let archs: Vec<_> = (0..40).map(|_| space.sample(&mut rng)).collect();
/// let pairs = archs.iter().map(|arch| (*arch, score(arch)));
///
/// let predictor = Predictor::fit(&space, pairs, Direction::Maximize)?;
/// let new = space.sample(&mut rng);
/// let predicted = &predictor.predict(std::slice::from_ref(&new))?[0];
/// assert!((predicted.score - score(&new)).abs() < 1.5);
///
/// let folder = tempfile::tempdir()?;
/// predictor.save(&folder.path().join("predictor.json"))?;
/// let loaded = Predictor::load(&space, &folder.path().join("predictor.json"))?;
/// assert_eq!(loaded.predict(&[new])?[0], *predicted);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Predictor<S: Graphs> {
    space: S,
    map: FeatureMap,
    model: StructurePredictor,
    options: SpaceOptions,
    score: ScoreKind,
    cheap: Option<CheapKind>,
    seed: u64,
    learned_from: usize,
    /// Those on which the posterior rests, in the notation of the space.
    basis: Vec<String>,
}

/// What is predicted of one architecture.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedScore {
    /// In the unit of the scores learned from; never outside of them, for the predictor learns ranks, which say nothing of
    /// what lies beyond the best and the worst.
    pub score: f64,
    /// Whether the architecture ranks beyond the best or the worst of the scores learned from, so that `score` is just that
    /// one.
    pub is_beyond: bool,
    /// The smallest and the largest score of the interval in which that of the architecture lies with 80 % probability,
    /// noise included.
    pub interval: [f64; 2],
    /// Mean and deviation on the scale by which architectures are ranked, normal scores: larger is better, whatever the
    /// direction of the scores.
    pub rank: Prediction,
}

/// How a [`Predictor`] is fitted: what its scores are, and the settings of the fit.
#[derive(Clone, Debug)]
pub struct PredictorBuilder<S: Graphs> {
    space: S,
    score: ScoreKind,
    cheap: Option<CheapKind>,
    seed: u64,
    config: StructureConfig,
    options: SpaceOptions,
}

/// What a fit and an assessment read.
struct Examples<A> {
    scored: Vec<ScoredArch<A>>,
    map: FeatureMap,
    features: Vec<Features>,
    merits: Vec<f64>,
    /// Cheap labels as merits.
    cheap: Option<Vec<f64>>,
}

impl<S: Graphs> Predictor<S> {
    /// Fits a predictor to architectures with their scores, with the usual settings. Spellings of one architecture count as
    /// one, with the mean of their scores.
    ///
    /// # Errors
    /// When a score is no finite number, or all are equal.
    pub fn fit<P: Into<ScoredArch<S::Arch>>>(
        space: &S,
        scored: impl IntoIterator<Item = P>,
        direction: Direction,
    ) -> Result<Self, PredictorError> {
        Predictor::builder(space, direction).fit(scored)
    }

    /// A predictor with settings of your own; `direction` says which scores are better.
    pub fn builder(space: &S, direction: Direction) -> PredictorBuilder<S> {
        PredictorBuilder {
            space: space.clone(),
            score: ScoreKind { name: "score".into(), direction, unit: "score".into() },
            cheap: None,
            seed: 1,
            config: StructureConfig::thorough(),
            options: SpaceOptions::default(),
        }
    }

    /// Loads a predictor of `space`.
    ///
    /// # Errors
    /// When the file cannot be read, is no predictor, is damaged, of another version or of another space.
    pub fn load(space: &S, path: &Path) -> Result<Self, PredictorError> {
        Predictor::of_file(space, &PredictorFile::read(path)?)
    }

    /// Takes up a predictor of `space` from a file that was read; one of version 1 is fitted again.
    ///
    /// # Errors
    /// When it is of another space, or cannot be taken up.
    pub fn of_file(space: &S, file: &PredictorFile) -> Result<Self, PredictorError> {
        if space.name() != file.space() {
            let learned = file.space().to_owned();
            return Err(PredictorError::OtherSpace { learned, asked: space.name() });
        }
        match &file.0 {
            Content::Fitted(file) => Predictor::of_fitted(space, file),
            Content::Pairs(file) => Predictor::of_pairs(space, file),
        }
    }

    fn of_fitted(space: &S, file: &FittedFile) -> Result<Self, PredictorError> {
        let map = PretrainingConfig::default().feature_map(space);
        let mut features = Vec::with_capacity(file.architectures.len());
        for architecture in &file.architectures {
            features.push(map.features(space, &space.parse(architecture)?));
        }
        Ok(Predictor {
            model: StructurePredictor::from_state(&map, &features, file.posterior.clone())?,
            space: space.clone(),
            map,
            options: file.options.clone(),
            score: file.score.clone(),
            cheap: file.cheap.clone(),
            seed: file.seed,
            learned_from: file.learned_from,
            basis: file.architectures.clone(),
        })
    }

    fn of_pairs(space: &S, file: &PairsFile) -> Result<Self, PredictorError> {
        let mut scored = Vec::with_capacity(file.pairs.len());
        for pair in &file.pairs {
            let arch = space.parse(&pair.architecture)?;
            scored.push(ScoredArch { arch, score: pair.score, cheap: pair.cheap });
        }
        let builder = PredictorBuilder {
            score: file.score.clone(),
            cheap: file.cheap.clone(),
            seed: file.seed,
            options: file.options.clone(),
            ..Predictor::builder(space, file.score.direction)
        };
        builder.fit(scored)
    }

    /// What the scores are.
    pub fn score(&self) -> &ScoreKind {
        &self.score
    }

    /// What the cheap labels are on which predictions rest, if they do.
    pub fn cheap(&self) -> Option<&CheapKind> {
        self.cheap.as_ref()
    }

    /// How many architectures were learned from.
    pub fn learned_from(&self) -> usize {
        self.learned_from
    }

    /// The smallest and the largest score learned from: no prediction and no interval leaves them.
    pub fn score_range(&self) -> [f64; 2] {
        ascending(self.model.merit_range().map(|merit| self.score.direction.merit(merit)))
    }

    /// What is predicted of architectures, in their order.
    ///
    /// # Errors
    /// When the predictor rests on cheap labels.
    pub fn predict(&self, archs: &[S::Arch]) -> Result<Vec<PredictedScore>, PredictorError> {
        self.ask(archs, None)
    }

    /// What is predicted of architectures with these cheap labels, one of each, by a predictor that rests on such.
    ///
    /// # Errors
    /// When it does not, or a label is missing or no finite number.
    pub fn predict_with_cheap(
        &self,
        archs: &[S::Arch],
        cheap: &[f64],
    ) -> Result<Vec<PredictedScore>, PredictorError> {
        let direction = self.cheap.as_ref().map_or(self.score.direction, |kind| kind.direction);
        let merits: Vec<f64> = cheap.iter().map(|&label| direction.merit(label)).collect();
        self.ask(archs, Some(&merits))
    }

    fn ask(&self, archs: &[S::Arch], cheap: Option<&[f64]>) -> Result<Vec<PredictedScore>, PredictorError> {
        let features: Vec<Features> = archs.iter().map(|arch| self.map.features(&self.space, arch)).collect();
        let score = |merit: f64| self.score.direction.merit(merit);
        let predicted = self.model.predict(&self.map, &features, cheap)?;
        let in_scores = |predicted: PredictedMerit| PredictedScore {
            score: score(predicted.merit),
            is_beyond: predicted.is_beyond,
            interval: ascending(predicted.interval.map(score)),
            rank: predicted.score,
        };
        Ok(predicted.into_iter().map(in_scores).collect())
    }

    /// Saves the predictor as it was fitted. The file appears whole or not at all; `nao predict` reads it, too, where the
    /// predictor knows how that program makes its space ([`PredictorBuilder::options`]).
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), PredictorError> {
        let text = self.to_json()?;
        write_whole(path, text.as_bytes())
            .map_err(|source| PredictorError::Unwritable { path: path.to_owned(), source })
    }

    /// What [`save`](Predictor::save) writes.
    ///
    /// # Errors
    /// When the predictor has no JSON form.
    pub fn to_json(&self) -> Result<String, PredictorError> {
        let file = FittedFile {
            format: FORMAT.to_owned(),
            version: VERSION,
            sha256: String::new(),
            options: self.options.clone(),
            space: self.space.name(),
            score: self.score.clone(),
            cheap: self.cheap.clone(),
            seed: self.seed,
            learned_from: self.learned_from,
            architectures: self.basis.clone(),
            posterior: self.model.state(),
        };
        Ok(serde_json::to_string_pretty(&file.signed()?)?)
    }
}

impl<S: Graphs> PredictorBuilder<S> {
    /// What the scores are called, and their unit; `score` both where nothing is said.
    pub fn score(mut self, name: &str, unit: &str) -> Self {
        (self.score.name, self.score.unit) = (name.to_owned(), unit.to_owned());
        self
    }

    /// What the cheap labels are called, and which of them are better. Every architecture then needs one; what the labels
    /// are worth is estimated, and predictions need them too.
    pub fn cheap_labels(mut self, name: &str, direction: Direction) -> Self {
        self.cheap = Some(CheapKind { column: name.to_owned(), direction });
        self
    }

    /// The seed of everything random, 1 where none is given.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The search for hyper-parameters, [`StructureConfig::thorough`] where none is given. How features vary is always learned
    /// with the default of `pretraining`, so that a saved predictor need not say how it was.
    pub fn config(mut self, config: StructureConfig) -> Self {
        self.config = config;
        self
    }

    /// How the calling program makes the space; it is kept in the file.
    pub fn options(mut self, options: SpaceOptions) -> Self {
        self.options = options;
        self
    }

    /// What a fit to so many architectures costs.
    pub fn cost(&self, architectures: usize) -> FitCost {
        FitCost::of(architectures, &self.config)
    }

    /// Fits the predictor to architectures with their scores: pairs `(arch, score)`, or `(arch, score, cheap)` where there are
    /// [cheap labels](PredictorBuilder::cheap_labels). Spellings of one architecture count as one, with means.
    ///
    /// # Errors
    /// When a score or a cheap label is no finite number, cheap labels are missing, or all scores are equal.
    pub fn fit<P: Into<ScoredArch<S::Arch>>>(
        &self,
        scored: impl IntoIterator<Item = P>,
    ) -> Result<Predictor<S>, PredictorError> {
        let Examples { scored, map, features, merits, cheap } = self.examples(scored)?;
        if let Some(first) = scored.first().filter(|first| scored.iter().all(|one| one.score == first.score))
        {
            return Err(PredictorError::EqualScores { score: first.score });
        }
        let labels = Labels { merits: &merits, cheap: cheap.as_deref() };
        let mut rng = rng_for(self.seed, "predictor", 0);
        let model = StructurePredictor::fit(&map, &features, labels, &self.config, &[], &mut rng)?;
        let basis = model.basis().iter().map(|&at| self.space.format(&scored[at].arch)).collect();
        Ok(Predictor {
            space: self.space.clone(),
            map,
            model,
            options: self.options.clone(),
            score: self.score.clone(),
            cheap: self.cheap.clone(),
            seed: self.seed,
            learned_from: scored.len(),
            basis,
        })
    }

    /// Says how well predictors rank architectures that they have not seen: at every number of labels of the plan, fits some
    /// to so many of the architectures and asks them for the others. `each` is called after each fit.
    ///
    /// # Errors
    /// As [`fit`](PredictorBuilder::fit), but for equal scores; and when not two architectures are left to be ranked.
    pub fn assess<P: Into<ScoredArch<S::Arch>>>(
        &self,
        scored: impl IntoIterator<Item = P>,
        plan: &AssessmentPlan,
        mut each: impl FnMut(),
    ) -> Result<Assessments, PredictorError> {
        let examples = self.examples(scored)?;
        let mut assess = |cheap: Option<&[f64]>| -> Result<Vec<Assessment>, PredictorError> {
            let mut assessments = Vec::with_capacity(plan.labels.len());
            for &count in &plan.labels {
                let mut splits = Vec::new();
                for split in 0..plan.splits {
                    let labels = Labels { merits: &examples.merits, cheap };
                    let (map, features) = (&examples.map, &examples.features);
                    splits.push(assess_split(map, features, labels, count, split, &self.config, self.seed)?);
                    each();
                }
                assessments.extend(Assessment::of(&splits));
            }
            Ok(assessments)
        };
        let assessments = assess(examples.cheap.as_deref())?;
        let without_cheap = if examples.cheap.is_some() { assess(None)? } else { Vec::new() };
        Ok(Assessments { assessments, without_cheap })
    }

    /// What [`assess`](PredictorBuilder::assess) costs.
    pub fn assessment_cost(&self, plan: &AssessmentPlan) -> FitCost {
        plan.cost(self.cheap.is_some(), &self.config)
    }

    /// Architectures, each once, with features and merits.
    fn examples<P: Into<ScoredArch<S::Arch>>>(
        &self,
        scored: impl IntoIterator<Item = P>,
    ) -> Result<Examples<S::Arch>, PredictorError> {
        let scored: Vec<ScoredArch<S::Arch>> = scored.into_iter().map(Into::into).collect();
        scored.iter().try_for_each(|one| self.check(one))?;
        let scored = ScoredArch::distinct(&self.space, scored);
        let map = PretrainingConfig::default().feature_map(&self.space);
        let features = scored.iter().map(|one| map.features(&self.space, &one.arch)).collect();
        let merits = scored.iter().map(|one| self.score.direction.merit(one.score)).collect();
        let cheap = self
            .cheap
            .as_ref()
            .map(|kind| scored.iter().filter_map(|one| Some(kind.direction.merit(one.cheap?))).collect());
        Ok(Examples { scored, map, features, merits, cheap })
    }

    /// Refuses what is no number, and cheap labels that are missing or that nobody named.
    fn check(&self, one: &ScoredArch<S::Arch>) -> Result<(), PredictorError> {
        let architecture = || self.space.format(&one.arch);
        for (what, value) in [("score", Some(one.score)), ("cheap label", one.cheap)] {
            if let Some(value) = value.filter(|value| !value.is_finite()) {
                return Err(PredictorError::NotFinite { architecture: architecture(), what, value });
            }
        }
        match (&self.cheap, one.cheap) {
            (Some(kind), None) => {
                let label = kind.column.clone();
                Err(PredictorError::NoCheapLabel { architecture: architecture(), label })
            }
            (None, Some(_)) => Err(PredictorError::UnnamedCheapLabel { architecture: architecture() }),
            _ => Ok(()),
        }
    }
}

fn ascending(mut ends: [f64; 2]) -> [f64; 2] {
    ends.sort_by(f64::total_cmp);
    ends
}

#[cfg(test)]
#[path = "fitted_tests.rs"]
mod tests;
