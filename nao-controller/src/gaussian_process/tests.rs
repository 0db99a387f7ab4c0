use faer::Mat;
use faer::prelude::Solve;
use nao_space::features::{FeatureMap, Features};
use nao_space::seed::rng_for;
use nao_space::{NasBench101Space, Space};
use rand::RngExt;

use super::linalg::dot;
use super::*;

const SEARCH: fn(KernelForm) -> EvidenceSearch =
    |form| EvidenceSearch { draws: vec![(form, 12)], keep: 3, refinements: 2 };

struct Sample {
    map: FeatureMap,
    features: Vec<Features>,
    targets: Vec<f64>,
}

fn sample(count: usize) -> Sample {
    let space = NasBench101Space::default();
    let mut rng = rng_for(5, "gp", 0);
    let map = FeatureMap::learn(&space, 300, &mut rng);
    let features: Vec<Features> = (0..count).map(|_| map.features(&space, &space.sample(&mut rng))).collect();
    let targets = (0..count).map(|_| rng.random_range(-1.5..1.5)).collect();
    Sample { map, features, targets }
}

fn kernel_at(kernel: &Kernel, a: &Features, b: &Features, columns: usize) -> f64 {
    let squared = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    let dense = |features: &Features| {
        let mut dense = vec![0.0; columns];
        features.fine.iter().for_each(|count| dense[count.column as usize] = count.value);
        dense
    };
    let (structure, fine) = (squared(&a.structure, &b.structure), squared(&dense(a), &dense(b)));
    kernel.weights[0] * (-structure / kernel.scales[0][0]).exp()
        + kernel.weights[1] * (-structure / kernel.scales[1][0] - fine / kernel.scales[1][1]).exp()
}

/// Mean and variance as in the textbook: k* K^-1 y and k** - k* K^-1 k*, by LU with pivoting.
#[test]
fn the_posterior_is_that_of_the_textbook() {
    let Sample { map, features, targets } = sample(30);
    let (seen, new) = features.split_at(24);
    let kernel = Kernel {
        form: KernelForm::StructureAndFine,
        weights: vec![0.7, 0.6],
        scales: vec![vec![1.3], vec![2.1, 0.9]],
        noise: 0.03,
    };
    let points = |features: &[Features]| Points::new(&map, features);
    let process = GaussianProcess::with_kernel(points(seen), &targets[..24], kernel.clone()).unwrap();
    let at = |a: &Features, b: &Features| kernel_at(&kernel, a, b, map.fine_columns());
    let matrix = Mat::from_fn(24, 24, |i, j| at(&seen[i], &seen[j]) + if i == j { 0.03 } else { 0.0 });
    let targets = Mat::from_fn(24, 1, |i, _| targets[i]);
    let lu = matrix.partial_piv_lu();
    for (features, predicted) in new.iter().zip(process.predict(&points(new))) {
        let column = Mat::from_fn(24, 1, |i, _| at(&seen[i], features));
        let mean = (column.transpose() * lu.solve(&targets))[(0, 0)];
        let variance = 1.3 - (column.transpose() * lu.solve(&column))[(0, 0)];
        assert!((predicted.mean - mean).abs() < 1e-8, "{} against {mean}", predicted.mean);
        assert!((predicted.deviation - variance.sqrt()).abs() < 1e-8);
    }
    let fit = (targets.transpose() * lu.solve(&targets))[(0, 0)];
    let evidence = -0.5 * (fit + matrix.determinant().ln() + 24.0 * std::f64::consts::TAU.ln());
    assert!((process.log_evidence() - evidence).abs() < 1e-8);
}

/// A prior mean `a + b z` with normal coefficients is a kernel `1 + z z'`: everything by LU of the whole matrix.
#[test]
fn the_prior_mean_is_that_of_the_textbook_and_bounds_heed_it() {
    let Sample { map, features, targets } = sample(40);
    let mut rng = rng_for(5, "gp scores", 0);
    let scores: Vec<f64> = (0..40).map(|_| rng.random_range(-1.5..1.5)).collect();
    // Scores tell much of the targets, and these are not centred.
    let targets: Vec<f64> = targets.iter().zip(&scores).map(|(y, z)| 0.4 * y + 0.9 * z + 0.3).collect();
    let kernel = Kernel {
        form: KernelForm::StructureAndFine,
        weights: vec![0.7, 0.6],
        scales: vec![vec![1.3], vec![2.1, 0.9]],
        noise: 0.03,
    };
    let points = |at: std::ops::Range<usize>| {
        Points::new(&map, &features[at.clone()]).with_scores(scores[at].to_vec())
    };
    let process = GaussianProcess::with_kernel(points(0..24), &targets[..24], kernel.clone()).unwrap();
    let at = |i: usize, j: usize| {
        kernel_at(&kernel, &features[i], &features[j], map.fine_columns()) + 1.0 + scores[i] * scores[j]
    };
    let matrix = Mat::from_fn(24, 24, |i, j| at(i, j) + if i == j { 0.03 } else { 0.0 });
    let seen = Mat::from_fn(24, 1, |i, _| targets[i]);
    let lu = matrix.partial_piv_lu();
    let solved = lu.solve(&seen);
    let column = |j: usize| Mat::from_fn(24, 1, |i, _| at(i, j));
    let covariance = |i: usize, j: usize| at(i, j) - (column(i).transpose() * lu.solve(&column(j)))[(0, 0)];
    let predicted = process.predict(&points(24..40));
    for (j, predicted) in (24..40).zip(&predicted) {
        let mean = (column(j).transpose() * &solved)[(0, 0)];
        assert!((predicted.mean - mean).abs() < 1e-8, "{} against {mean}", predicted.mean);
        assert!((predicted.deviation - covariance(j, j).sqrt()).abs() < 1e-8);
    }
    let PriorMean { intercept, slope } = process.prior_mean();
    let dense = |weigh: &dyn Fn(usize) -> f64| (0..24).map(|i| weigh(i) * solved[(i, 0)]).sum::<f64>();
    assert!((intercept - dense(&|_| 1.0)).abs() < 1e-8 && (slope - dense(&|i| scores[i])).abs() < 1e-8);
    assert!(slope > 0.5, "{slope}");
    let fit = (seen.transpose() * &solved)[(0, 0)];
    let evidence = -0.5 * (fit + matrix.determinant().ln() + 24.0 * std::f64::consts::TAU.ln());
    assert!((process.log_evidence() - evidence).abs() < 1e-8);
    // A second pick in the light of the first, mostly by deviations.
    let picked = process.pick_batch(&points(24..40), &predicted, 2, 50.0, |_, _| true);
    let first = picked[0] + 24;
    let bound = |&j: &usize| {
        let shared = covariance(first, j);
        let variance = covariance(j, j) - shared * shared / (covariance(first, first) + 0.03);
        predicted[j - 24].mean + 50.0 * variance.sqrt()
    };
    let second = (24..40).filter(|&j| j != first).max_by(|a, b| bound(a).total_cmp(&bound(b))).unwrap();
    assert_eq!(picked[1] + 24, second);
}

#[test]
fn scores_that_tell_nothing_or_the_contrary_leave_the_process_as_it_is_without() {
    let Sample { map, features, targets } = sample(40);
    let search = SEARCH(KernelForm::StructureAndFine);
    let predicted = |scores: Option<&dyn Fn(usize) -> f64>| {
        let points = |at: std::ops::Range<usize>| {
            let points = Points::new(&map, &features[at.clone()]);
            match scores {
                Some(score) => points.with_scores(at.map(score).collect()),
                None => points,
            }
        };
        let mut rng = rng_for(1, "gp", 6);
        let process = GaussianProcess::fit(points(0..30), &targets[..30], &search, &[], &mut rng).unwrap();
        (process.predict(&points(30..40)), process.prior_mean())
    };
    let (without, _) = predicted(None);
    let contrary = |i: usize| -targets[i];
    for scores in [&|_| 0.0, &contrary as &dyn Fn(usize) -> f64] {
        assert_eq!(predicted(Some(scores)), (without.clone(), PriorMean::default()));
    }
    let alike = |i: usize| targets[i];
    let (with, mean) = predicted(Some(&alike));
    assert!(mean.slope > 0.5 && with != without, "{mean:?}");
    let points = Points::new(&map, &features[..2]).with_scores(vec![0.1, f64::NAN]);
    let refused = GaussianProcess::fit(points, &targets[..2], &search, &[], &mut rng_for(1, "gp", 7));
    assert!(matches!(refused, Err(ControllerError::CheapLabel { index: 1, .. })));
}

#[test]
fn the_gradient_of_the_bound_is_that_of_finite_differences() {
    let Sample { features, targets, .. } = sample(40);
    let rows: Vec<&[f64]> = features.iter().map(|features| features.structure.as_slice()).collect();
    let points = Points::of_structure(&rows[..30]);
    let search = SEARCH(KernelForm::Structure);
    let mut rng = rng_for(1, "gp", 1);
    let process = GaussianProcess::fit(points, &targets[..30], &search, &[], &mut rng).unwrap();
    for row in &rows[30..] {
        let bound = StructureBound::of(&process);
        let BoundAt { value, slope: gradient } = bound.at(&[row], 1.5).swap_remove(0);
        let predicted = process.predict(&Points::of_structure(&[row]))[0];
        assert!((value - predicted.mean - 1.5 * predicted.deviation).abs() < 1e-9);
        let step = 1e-5;
        let numeric: Vec<f64> = (0..row.len())
            .map(|feature| {
                let moved = |by: f64| {
                    let mut moved = row.to_vec();
                    moved[feature] += by;
                    bound.at(&[moved], 1.5)[0].value
                };
                (moved(step) - moved(-step)) / (2.0 * step)
            })
            .collect();
        let cosine = dot(&gradient, &numeric) / (dot(&gradient, &gradient) * dot(&numeric, &numeric)).sqrt();
        assert!(cosine > 0.9999, "{cosine}");
        assert!((dot(&gradient, &gradient) / dot(&numeric, &numeric) - 1.0).abs() < 1e-3);
    }
}

#[test]
fn degenerate_data_is_predicted_or_refused() {
    let Sample { map, features, .. } = sample(12);
    let search = SEARCH(KernelForm::StructureAndFine);
    let fit = |count: usize, targets: &[f64]| {
        let points = Points::new(&map, &features[..count]);
        GaussianProcess::fit(points, targets, &search, &[], &mut rng_for(1, "gp", 2))
    };
    // All equal: nothing to say, but finite.
    let all = Points::new(&map, &features);
    for predicted in fit(12, &[0.0; 12]).unwrap().predict(&all) {
        assert!(predicted.mean.abs() < 1e-9 && predicted.deviation.is_finite());
    }
    let two = fit(2, &[-0.7, 0.7]).unwrap().predict(&all);
    assert!(two[0].mean < two[1].mean && two.iter().all(|predicted| predicted.deviation > 0.0));
    assert!(fit(1, &[0.0]).is_ok());
    // Nothing asked, nothing told.
    let nothing = Points::new(&map, []);
    let process = fit(2, &[-0.7, 0.7]).unwrap();
    assert!(process.predict(&nothing).is_empty());
    assert!(process.pick_batch(&nothing, &[], 3, 1.5, |_, _| true).is_empty());
    assert!(matches!(fit(2, &[0.0, f64::NAN]), Err(ControllerError::Target { index: 1, .. })));
    assert!(matches!(fit(0, &[]), Err(ControllerError::Scores { archs: 0, scores: 0 })));
    // The same point twice with different targets: noise.
    let twice = Points::new(&map, [&features[0], &features[0]]);
    let process = GaussianProcess::fit(twice, &[-1.0, 1.0], &search, &[], &mut rng_for(1, "gp", 3)).unwrap();
    assert!(process.predict(&all)[0].mean.abs() < 1e-6);
}

#[test]
fn observations_are_known_and_far_points_are_not() {
    let Sample { map, features, targets } = sample(60);
    let points = Points::new(&map, &features[..40]);
    let search = SEARCH(KernelForm::StructureAndFine);
    let process =
        GaussianProcess::fit(points.clone(), &targets[..40], &search, &[], &mut rng_for(1, "gp", 4)).unwrap();
    let seen = process.predict(&points);
    let new = process.predict(&Points::new(&map, &features[40..]));
    let mean = |predictions: &[Prediction]| {
        predictions.iter().map(|predicted| predicted.deviation).sum::<f64>() / predictions.len() as f64
    };
    assert!(mean(&seen) < mean(&new));
}

#[test]
fn a_batch_spreads_and_heeds_refusals() {
    let Sample { map, features, targets } = sample(60);
    let search = SEARCH(KernelForm::StructureAndFine);
    let seen = Points::new(&map, &features[..20]);
    let process = GaussianProcess::fit(seen, &targets[..20], &search, &[], &mut rng_for(1, "gp", 5)).unwrap();
    // The same candidate twice: a second look at it is worth little, so that another is taken.
    let twice: Vec<&Features> = features[20..].iter().chain(&features[20..]).collect();
    let candidates = Points::new(&map, twice);
    let predictions = process.predict(&candidates);
    let picked = process.pick_batch(&candidates, &predictions, 5, 1.5, |_, _| true);
    assert_eq!(picked.len(), 5);
    let bound = |i: usize| predictions[i].mean + 1.5 * predictions[i].deviation;
    assert!((0..80).all(|i| bound(i) <= bound(picked[0])));
    let distinct: std::collections::HashSet<usize> = picked.iter().map(|pick| pick % 40).collect();
    assert!(distinct.len() >= 4, "{picked:?}");
    let refused = process.pick_batch(&candidates, &predictions, 5, 1.5, |_, next| next != picked[0]);
    assert!(!refused.contains(&picked[0]));
    assert!(process.pick_batch(&candidates, &predictions, 200, 1.5, |_, _| true).len() == 80);
}

/// A sparse process whose basis is all observations, and the exact one, fitted alike.
fn sparse_and_exact(points: &Points, targets: &[f64], form: KernelForm) -> [GaussianProcess; 2] {
    let search = SEARCH(form);
    let all: Vec<usize> = (0..points.len()).collect();
    let sparse = GaussianProcess::sparse(points, targets, &all, &search, &[], &mut rng_for(1, "gp", 8));
    let exact = GaussianProcess::fit(points.clone(), targets, &search, &[], &mut rng_for(1, "gp", 8));
    [sparse.unwrap(), exact.unwrap()]
}

#[test]
fn a_sparse_posterior_that_rests_on_all_observations_is_the_exact_one() {
    let Sample { map, features, targets } = sample(60);
    let scores: Vec<f64> = targets.iter().enumerate().map(|(i, y)| y + (i % 7) as f64 / 5.0).collect();
    for with_scores in [false, true] {
        let points = |at: std::ops::Range<usize>| {
            let points = Points::new(&map, &features[at.clone()]);
            if with_scores { points.with_scores(scores[at].to_vec()) } else { points }
        };
        let [sparse, exact] = sparse_and_exact(&points(0..45), &targets[..45], KernelForm::StructureAndFine);
        assert!(sparse.is_sparse() && !exact.is_sparse());
        assert_eq!((sparse.observations(), sparse.kernels()), (45, exact.kernels()));
        let [mine, right] = [&sparse, &exact].map(|process| process.predict(&points(0..60)));
        for (mine, right) in mine.iter().zip(&right) {
            assert!((mine.mean - right.mean).abs() < 1e-6, "{mine:?} {right:?}");
            assert!((mine.deviation - right.deviation).abs() < 1e-6, "{mine:?} {right:?}");
        }
        let [mine_mean, right_mean] = [&sparse, &exact].map(GaussianProcess::prior_mean);
        assert!((mine_mean.slope - right_mean.slope).abs() < 1e-6 && with_scores == (right_mean.slope > 0.0));
        let new = points(45..60);
        let pick = |process: &GaussianProcess| {
            process.pick_batch(&new, &process.predict(&new), 5, 1.75, |_, _| true)
        };
        assert_eq!(pick(&sparse), pick(&exact));
    }
}

#[test]
fn the_bound_of_a_sparse_posterior_that_rests_on_all_observations_is_the_exact_one() {
    let Sample { features, targets, .. } = sample(40);
    let rows: Vec<&[f64]> = features.iter().map(|features| features.structure.as_slice()).collect();
    let points = Points::of_structure(&rows[..30]);
    let [sparse, exact] = sparse_and_exact(&points, &targets[..30], KernelForm::Structure);
    let at = |process: &GaussianProcess| StructureBound::of(process).at(&rows[30..], 1.5);
    for (mine, right) in at(&sparse).iter().zip(at(&exact)) {
        assert!((mine.value - right.value).abs() < 1e-5, "{} {}", mine.value, right.value);
        let off = mine.slope.iter().zip(&right.slope).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-4, "{off}");
    }
}

#[test]
fn a_sparse_posterior_learns_of_what_is_outside_of_its_basis_and_survives_equal_points() {
    let Sample { map, features, .. } = sample(400);
    // Something that structure shows, with little noise.
    let targets: Vec<f64> = features.iter().map(|features| features.structure.iter().sum::<f64>()).collect();
    let targets = crate::targets::standard_scores(&targets);
    let points = |at: std::ops::Range<usize>| Points::new(&map, &features[at]);
    let search = SEARCH(KernelForm::StructureAndFine);
    let basis: Vec<usize> = (0..300).step_by(5).collect();
    let error = |process: &GaussianProcess| {
        let predicted = process.predict(&points(300..400));
        predicted.iter().zip(&targets[300..]).map(|(p, y)| (p.mean - y).powi(2)).sum::<f64>() / 100.0
    };
    let fit = |points: &Points, targets: &[f64], basis: &[usize]| {
        GaussianProcess::sparse(points, targets, basis, &search, &[], &mut rng_for(1, "gp", 9)).unwrap()
    };
    let sparse = fit(&points(0..300), &targets[..300], &basis);
    assert_eq!((sparse.basis(), sparse.observations()), (&basis[..], 300));
    let chosen: Vec<f64> = basis.iter().map(|&i| targets[i]).collect();
    let few = GaussianProcess::fit(
        Points::new(&map, basis.iter().map(|&i| &features[i])),
        &chosen,
        &search,
        &[],
        &mut rng_for(1, "gp", 9),
    );
    let (few, sparse) = (error(&few.unwrap()), error(&sparse));
    assert!(sparse < 0.8 * few, "{sparse} {few}");
    // Every point of the basis three times.
    let thrice: Vec<&Features> = features[..20].iter().cycle().take(60).collect();
    let targets: Vec<f64> = targets[..20].iter().copied().cycle().take(60).collect();
    let process = fit(&Points::new(&map, thrice), &targets, &(0..60).collect::<Vec<_>>());
    let predicted = process.predict(&points(0..400));
    assert!(predicted.iter().all(|one| one.mean.is_finite() && one.deviation.is_finite()));
}

#[test]
fn a_state_gives_the_same_predictions_and_a_broken_one_is_refused() {
    let Sample { map, features, targets } = sample(50);
    let points = |at: std::ops::Range<usize>| {
        Points::new(&map, &features[at.clone()]).with_scores(targets[at].iter().map(|y| y + 0.1).collect())
    };
    let [sparse, exact] = sparse_and_exact(&points(0..40), &targets[..40], KernelForm::StructureAndFine);
    for process in [sparse, exact] {
        let text = serde_json::to_string(&process.state()).unwrap();
        let read =
            |text: &str| GaussianProcess::from_state(points(0..40), serde_json::from_str(text).unwrap());
        let again = read(&text).unwrap();
        assert_eq!(again.predict(&points(40..50)), process.predict(&points(40..50)));
        assert_eq!(again.state(), process.state());
        let refused = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            assert!(matches!(read(&text.replace(from, to)), Err(ControllerError::State { .. })), "{to}");
        };
        refused("\"share\":", "\"share\":-");
        refused("\"noise\":", "\"noise\":-");
        let fewer = serde_json::from_str(&text).unwrap();
        assert!(GaussianProcess::from_state(points(0..39), fewer).is_err());
    }
}

#[test]
fn a_sparse_posterior_ranks_unseen_cells_of_the_built_in_table_almost_as_the_exact_one() {
    use nao_space::table::{Label, Table};
    use nao_space::{ArchKey, Evaluator, Quiet, Trial, TrialId};

    let table = Table::nasbench201();
    let space = table.space();
    let evaluator = table.evaluator(&Label::average("cifar10", "test", 200)).unwrap();
    let mut rng = rng_for(6, "gp table", 0);
    let map = FeatureMap::learn(space, 300, &mut rng);
    let mut known = std::collections::HashSet::<ArchKey>::new();
    let (mut features, mut values) = (Vec::new(), Vec::new());
    while features.len() < 900 {
        let arch = space.canonical(&space.sample(&mut rng));
        if known.insert(space.key(&arch)) {
            features.push(map.features(space, &arch));
            let trial = Trial { id: TrialId(1), arch, seed: 0 };
            values.push(evaluator.evaluate(&trial, &mut Quiet).unwrap().value);
        }
    }
    let targets = crate::targets::normal_scores(&values[..600]);
    let points = Points::new(&map, &features[..600]);
    let search = SEARCH(KernelForm::StructureAndFine);
    let tau = |process: GaussianProcess| {
        let predicted = process.predict(&Points::new(&map, &features[600..]));
        let means: Vec<f64> = predicted.iter().map(|predicted| predicted.mean).collect();
        crate::metrics::kendall_tau(&means, &values[600..]).unwrap()
    };
    // Two of three.
    let basis: Vec<usize> = (0..600).filter(|point| point % 3 > 0).collect();
    let rng = || rng_for(1, "gp", 10);
    let exact = GaussianProcess::fit(points.clone(), &targets, &search, &[], &mut rng()).unwrap();
    let sparse = GaussianProcess::sparse(&points, &targets, &basis, &search, &[], &mut rng()).unwrap();
    let chosen: Vec<f64> = basis.iter().map(|&point| targets[point]).collect();
    let few = GaussianProcess::fit(points.select(&basis), &chosen, &search, &[], &mut rng()).unwrap();
    let [exact, sparse, few] = [exact, sparse, few].map(tau);
    assert!(sparse > exact - 0.01 && sparse > few, "exact {exact}, sparse {sparse}, few {few}");
}
