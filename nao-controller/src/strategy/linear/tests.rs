//! The regression against the one written out, and what the search promises.

use nao_space::search::{Contest, RoundLimits, laws};
use nao_space::{EdgeOp, NasBench201Arch, NasBench201Space, Objective};

use super::*;

/// The dual form against the normal equations on tokens and pairs written out.
#[test]
fn the_dual_regression_is_the_primal_one() {
    let sequences: Vec<Vec<Token>> = [[0, 1, 2], [1, 1, 0], [2, 0, 2], [0, 0, 0], [1, 2, 2]]
        .map(|sequence: [u16; 3]| sequence.map(Token).to_vec())
        .to_vec();
    let targets = [0.3, -0.2, 1.5, 0.1, -0.7];
    let features = |sequence: &[Token]| {
        let mut row = vec![0.0; 9 + 27];
        for (i, a) in sequence.iter().enumerate() {
            row[3 * i + a.index()] = 1.0;
            for (j, b) in sequence.iter().enumerate().skip(i + 1) {
                row[9 + 9 * (i + j - 1) + 3 * a.index() + b.index()] = 1.0;
            }
        }
        row
    };
    let rows: Vec<Vec<f64>> = sequences.iter().map(|sequence| features(sequence)).collect();
    let means: Vec<f64> = (0..36).map(|c| rows.iter().map(|row| row[c]).sum::<f64>() / 5.0).collect();
    let x = Mat::from_fn(5, 36, |r, c| rows[r][c] - means[c]);
    let mean = targets.iter().sum::<f64>() / 5.0;
    let y = Mat::from_fn(5, 1, |r, _| targets[r] - mean);
    let normal = x.transpose() * &x + Mat::<f64>::identity(36, 36);
    let solution = normal.llt(Side::Lower).unwrap().solve(&(x.transpose() * &y));
    let slices: Vec<&[Token]> = sequences.iter().map(Vec::as_slice).collect();
    let weights = ridge(&slices, &targets).unwrap();
    let dual = |sequence: &[Token]| {
        weights.iter().zip(&slices).map(|(w, seen)| w * shared(seen, sequence)).sum::<f64>()
    };
    let primal = |sequence: &[Token]| {
        features(sequence).iter().enumerate().map(|(c, f)| f * solution[(c, 0)]).sum::<f64>()
    };
    let [one, other] = [[2, 1, 0], [0, 1, 1]].map(|sequence: [u16; 3]| sequence.map(Token));
    let differences = [dual(&one) - dual(&other), primal(&one) - primal(&other)];
    assert!((differences[0] - differences[1]).abs() < 1e-12, "{differences:?}");
}

#[test]
fn a_sum_over_edges_is_climbed_fast_and_alike_after_a_restore() {
    let space = NasBench201Space::default();
    let value = |arch: &NasBench201Arch| {
        Some(arch.edges.iter().filter(|&&op| op == EdgeOp::NorConv3x3).count() as f64)
    };
    let contest = Contest {
        limits: RoundLimits { initial: 10, per_round: 5, budget: 150 },
        objective: Objective::validation_accuracy(),
        value: &value,
        reported: &value,
        optimum: Some(6.0),
    };
    let all: Arc<Vec<_>> = Arc::new(space.all().filter(|arch| space.canonical(arch) == *arch).collect());
    for seed in 1..=3 {
        let race = contest.race(&mut LinearSearch::new(space.clone(), seed), seed).unwrap();
        assert!(race.queries_to_optimum.is_some_and(|queries| queries < 100.0), "{race:?}");
        let mut enumerating = LinearSearch::new(space.clone(), seed).enumerating(Arc::clone(&all));
        let race = contest.race(&mut enumerating, seed).unwrap();
        assert!(race.queries_to_optimum.is_some_and(|queries| queries < 60.0), "{race:?}");
    }
    let (mut search, mut told) = (LinearSearch::new(space.clone(), 1), Vec::new());
    for _ in 0..3 {
        let observed = laws::observe(&search.ask(9).unwrap(), told.len(), value);
        search.tell(&observed).unwrap();
        told.extend(observed);
    }
    let mut again = LinearSearch::new(space.clone(), 1);
    again.restore(&search.save().unwrap(), &told).unwrap();
    assert_eq!(search.ask(7).unwrap(), again.ask(7).unwrap());
    assert!(again.restore(b"{", &[]).is_err());
}
