//! Predictors of spaces, and their files.

use std::collections::HashSet;
use std::path::PathBuf;

use nao_space::seed::rng_for;
use nao_space::{CnnSpace, Direction, EdgeOp, NasBench201Arch, NasBench201Space, Space};

use super::*;

/// Settings that are fitted in a moment.
fn quick() -> StructureConfig {
    StructureConfig { draws: 4, rival_draws: 2, keep: 2, refinements: 1, ..StructureConfig::default() }
}

/// So many architectures, each once.
fn archs(count: usize) -> Vec<NasBench201Arch> {
    let (space, mut rng) = (NasBench201Space::default(), rng_for(3, "fitted", 0));
    let mut seen = HashSet::new();
    let drawn = std::iter::repeat_with(|| space.canonical(&space.sample(&mut rng)));
    drawn.filter(|arch| seen.insert(*arch)).take(count).collect()
}

fn convolutions(arch: &NasBench201Arch) -> f64 {
    arch.edges.iter().filter(|&&op| op == EdgeOp::NorConv3x3).count() as f64
}

fn pairs(count: usize, score: impl Fn(&NasBench201Arch) -> f64) -> Vec<(NasBench201Arch, f64)> {
    archs(count).into_iter().map(|arch| (arch, score(&arch))).collect()
}

fn builder(direction: Direction) -> PredictorBuilder<NasBench201Space> {
    Predictor::builder(&NasBench201Space::default(), direction).config(quick())
}

/// A file that the program wrote before predictors were part of this crate.
fn earlier(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "data", name].iter().collect()
}

#[test]
fn scores_of_which_smaller_ones_are_better_mirror_those_of_which_larger_ones_are() {
    let up = builder(Direction::Maximize).fit(pairs(40, convolutions)).unwrap();
    let down = builder(Direction::Minimize).fit(pairs(40, |arch| -convolutions(arch))).unwrap();
    assert_eq!([-up.score_range()[1], -up.score_range()[0]], down.score_range());
    let (up, down) = (up.predict(&archs(60)).unwrap(), down.predict(&archs(60)).unwrap());
    for (up, down) in up.iter().zip(&down) {
        assert_eq!((up.score, up.is_beyond, up.rank), (-down.score, down.is_beyond, down.rank));
        assert_eq!(up.interval, [-down.interval[1], -down.interval[0]]);
        assert!(down.interval[0] <= down.interval[1]);
    }
    // The best first is the largest mean in both.
    let best = |predicted: &[PredictedScore]| {
        let last = predicted.iter().max_by(|a, b| a.rank.mean.total_cmp(&b.rank.mean)).unwrap();
        last.score
    };
    assert!(best(&up) > 1.0 && best(&down) < -1.0);
}

#[test]
fn a_saved_predictor_predicts_the_same_bits_and_another_space_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("predictor.json");
    let hidden = |at: usize| (at * 37 % 101) as f64;
    let scored = pairs(40, convolutions).into_iter().enumerate();
    let scored: Vec<_> =
        scored.map(|(at, (arch, score))| (arch, score + hidden(at) / 25.0, hidden(at))).collect();
    let options = SpaceOptions::of(&serde_json::json!({"space": "nasbench201", "nodes": null})).unwrap();
    let builder =
        builder(Direction::Maximize).score("accuracy", "percent").cheap_labels("e12", Direction::Maximize);
    let predictor = builder.options(options.clone()).fit(scored).unwrap();
    predictor.save(&path).unwrap();

    let (space, file) = (NasBench201Space::default(), PredictorFile::read(&path).unwrap());
    assert_eq!((file.space(), file.options(), file.refit_cost()), (&*space.name(), &options, None));
    let loaded = Predictor::load(&space, &path).unwrap();
    assert_eq!((loaded.score(), loaded.cheap()), (predictor.score(), predictor.cheap()));
    assert_eq!(loaded.learned_from(), predictor.learned_from());
    let (asked, labels) = (archs(60), (0..60).map(hidden).collect::<Vec<f64>>());
    let predict = |predictor: &Predictor<_>| predictor.predict_with_cheap(&asked, &labels).unwrap();
    assert_eq!(predict(&loaded), predict(&predictor));
    assert_eq!(loaded.to_json().unwrap(), std::fs::read_to_string(&path).unwrap());
    assert!(matches!(loaded.predict(&asked), Err(PredictorError::Model(_))), "it rests on cheap labels");

    let error = Predictor::load(&CnnSpace::default(), &path).unwrap_err().to_string();
    assert!(error.contains("nasbench201") && error.contains("cnn/"), "{error}");
    let nowhere = folder.path().join("no/predictor.json");
    let error = predictor.save(&nowhere).unwrap_err().to_string();
    assert!(error.contains("cannot write") && error.contains("no/predictor.json"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing but the file stays");
}

#[test]
fn files_of_earlier_programs_are_read_and_damaged_or_later_ones_are_refused() {
    let space = NasBench201Space::default();
    let kept = std::fs::read_to_string(earlier("predictor-2.json")).unwrap();
    let file = PredictorFile::from_json(&kept).unwrap();
    let predictor = Predictor::of_file(&space, &file).unwrap();
    let options = serde_json::to_string(file.options()).unwrap();
    assert!(options.starts_with("{\"space\":\"nasbench201\",\"ops\":null,\"nodes\":null"), "{options}");
    assert_eq!((predictor.learned_from(), &*predictor.score().unit), (12, "points"));
    // Version 1 keeps the pairs, from which the same is learned again.
    let pairs = PredictorFile::read(&earlier("predictor-1.json")).unwrap();
    assert!(pairs.refit_cost().is_some() && pairs.options() == file.options());
    let again = Predictor::of_file(&space, &pairs).unwrap();
    let asked = archs(20);
    let (again, kept_ones) = (again.predict(&asked).unwrap(), predictor.predict(&asked).unwrap());
    for (again, kept) in again.iter().zip(kept_ones) {
        assert!((again.rank.mean - kept.rank.mean).abs() < 1e-6, "{again:?} {kept:?}");
    }

    let refused = |from: &str, to: &str| {
        assert!(kept.contains(from));
        PredictorFile::from_json(&kept.replacen(from, to, 1)).unwrap_err()
    };
    assert!(matches!(refused("\"learned_from\": 12", "\"learned_from\": 13"), PredictorError::Damaged));
    let error = refused("\"version\": 2", "\"version\": 3").to_string();
    assert!(error.contains("of version 3; this program reads nao-predictor 1 and 2"), "{error}");
    assert!(matches!(refused("\"seed\"", "\"sead\""), PredictorError::Form(_)));
}

#[test]
fn what_cannot_be_learned_from_is_named() {
    let fit = |scored: Vec<ScoredArch<NasBench201Arch>>| {
        builder(Direction::Maximize).fit(scored).unwrap_err().to_string()
    };
    let scored: Vec<ScoredArch<_>> = pairs(12, convolutions).into_iter().map(Into::into).collect();
    let text = NasBench201Space::default().format(&scored[3].arch);
    let with = |change: &dyn Fn(&mut ScoredArch<NasBench201Arch>)| {
        let mut scored = scored.clone();
        change(&mut scored[3]);
        fit(scored)
    };
    let error = with(&|one| one.score = f64::NAN);
    assert!(error.contains(&text) && error.contains("the score NaN"), "{error}");
    let error = with(&|one| one.cheap = Some(1.0));
    assert!(error.contains(&text) && error.contains("which are better"), "{error}");
    let equal = scored.iter().map(|one| ScoredArch { score: 2.5, ..*one }).collect();
    assert_eq!(fit(equal), "every score is 2.5: there is nothing to rank");
    let named = builder(Direction::Maximize).cheap_labels("e12", Direction::Maximize);
    let error = named.fit(scored.clone()).unwrap_err().to_string();
    assert!(error.contains("no cheap label `e12`"), "{error}");
    assert!(fit(Vec::new()).contains("at least one"));
}

#[test]
fn an_assessment_calls_after_each_fit_and_leaves_two_to_be_ranked() {
    let plan = AssessmentPlan::usual(11, 2);
    assert_eq!(plan, AssessmentPlan { labels: vec![5, 9], splits: 2 });
    assert_eq!(AssessmentPlan::usual(3, 1).labels, [1]);
    let builder = builder(Direction::Maximize).cheap_labels("e12", Direction::Maximize);
    let scored: Vec<_> =
        pairs(11, convolutions).into_iter().map(|(arch, score)| (arch, score, score)).collect();
    let mut fits = 0;
    let assessments = builder.assess(scored.clone(), &plan, || fits += 1).unwrap();
    assert_eq!((fits, plan.fits(true), plan.fits(false)), (8, 8, 4));
    assert!(builder.assessment_cost(&plan).operations > 0.0);
    let labels = |assessments: &[Assessment]| assessments.iter().map(|one| one.labels).collect::<Vec<_>>();
    assert_eq!(labels(&assessments.assessments), plan.labels);
    assert_eq!(labels(&assessments.without_cheap), plan.labels);
    let plan = AssessmentPlan { labels: vec![10], splits: 1 };
    let error = builder.assess(scored, &plan, || ()).unwrap_err().to_string();
    assert!(error.contains("10 of 11"), "{error}");
}
