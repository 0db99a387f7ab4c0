//! How well a controller ranks and reconstructs (docs/specification.md, c.5).

use nao_space::Token;

/// The share of pairs i < j that two score lists order alike: `(a_i >= a_j and b_i >= b_j) or (a_i < a_j and
/// b_i < b_j)`, the authors' definition. `None` for fewer than two scores or lists of different lengths.
///
/// Ties count by the order of the lists; [`kendall_tau`] does not depend on it.
pub fn pairwise_accuracy(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    let mut alike = 0u64;
    for j in 1..a.len() {
        for i in 0..j {
            let both_up = a[i] >= a[j] && b[i] >= b[j];
            let both_down = a[i] < a[j] && b[i] < b[j];
            alike += u64::from(both_up || both_down);
        }
    }
    let pairs = a.len() as f64 * (a.len() - 1) as f64 / 2.0;
    Some(alike as f64 / pairs)
}

/// The share of pairs that two score lists order alike or both leave tied: the definition of the authors' code for
/// recurrent cells with shared weights. It does not depend on the order of the lists. `None` as for
/// [`pairwise_accuracy`].
pub fn pairwise_agreement(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    let mut alike = 0u64;
    for j in 1..a.len() {
        for i in 0..j {
            let order = |scores: &[f64]| scores[i].partial_cmp(&scores[j]);
            alike += u64::from(order(a).is_some() && order(a) == order(b));
        }
    }
    let pairs = a.len() as f64 * (a.len() - 1) as f64 / 2.0;
    Some(alike as f64 / pairs)
}

/// Kendall's tau-b, which corrects for ties: -1 to 1. `None` where it is undefined: a list is constant, has
/// fewer than two scores or holds NaN, or the lengths differ.
pub fn kendall_tau(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() || a.iter().chain(b).any(|score| score.is_nan()) {
        return None;
    }
    let (mut balance, mut differ_a, mut differ_b) = (0i64, 0u64, 0u64);
    for j in 1..a.len() {
        for i in 0..j {
            let order_a = i64::from(a[i] > a[j]) - i64::from(a[i] < a[j]);
            let order_b = i64::from(b[i] > b[j]) - i64::from(b[i] < b[j]);
            balance += order_a * order_b;
            differ_a += order_a.unsigned_abs();
            differ_b += order_b.unsigned_abs();
        }
    }
    let scale = (differ_a as f64 * differ_b as f64).sqrt();
    (scale > 0.0).then(|| balance as f64 / scale)
}

/// Mean number of positions at which paired sequences differ. `None` for no sequences, or unequal numbers or
/// lengths of them.
pub fn mean_hamming(a: &[Vec<Token>], b: &[Vec<Token>]) -> Option<f64> {
    if a.is_empty() || a.len() != b.len() || a.iter().zip(b).any(|(x, y)| x.len() != y.len()) {
        return None;
    }
    let differing = |(x, y): (&Vec<Token>, &Vec<Token>)| x.iter().zip(y).filter(|(s, t)| s != t).count();
    Some(a.iter().zip(b).map(differing).sum::<usize>() as f64 / a.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(values: &[u16]) -> Vec<Token> {
        values.iter().copied().map(Token).collect()
    }

    #[test]
    fn golden_pairwise_accuracy() {
        // The first three examples of the golden `json/misc.json`.
        let accuracy = |a: &[f64], b: &[f64]| pairwise_accuracy(a, b).unwrap();
        assert_eq!(accuracy(&[0.53, 0.93, 0.09, 0.56, 0.9], &[0.36, 0.89, 0.23, 0.79, 0.61]), 0.9);
        assert_eq!(accuracy(&[0.33, 0.13, 0.98, 0.59, 0.71], &[0.5, 0.01, 0.85, 0.27, 0.45]), 0.8);
        assert_eq!(accuracy(&[0.54, 0.25, 0.48, 0.03, 0.79], &[0.49, 0.74, 0.19, 0.69, 0.61]), 0.4);
    }

    #[test]
    fn pairwise_accuracy_counts_ties_by_the_order_of_the_list() {
        assert_eq!(pairwise_accuracy(&[1.0, 1.0], &[2.0, 1.0]), Some(1.0));
        assert_eq!(pairwise_accuracy(&[1.0, 1.0], &[1.0, 2.0]), Some(0.0));
        assert_eq!(pairwise_accuracy(&[1.0], &[1.0]), None);
        assert_eq!(pairwise_accuracy(&[1.0, 2.0], &[1.0]), None);
    }

    #[test]
    fn agreement_counts_double_ties_but_no_single_ones() {
        assert_eq!(pairwise_agreement(&[1.0, 1.0], &[2.0, 2.0]), Some(1.0));
        assert_eq!(pairwise_agreement(&[1.0, 1.0], &[2.0, 1.0]), Some(0.0));
        assert_eq!(pairwise_agreement(&[1.0, 2.0, 3.0], &[3.0, 4.0, 1.0]), Some(1.0 / 3.0));
        assert_eq!(pairwise_agreement(&[1.0, f64::NAN], &[1.0, f64::NAN]), Some(0.0));
        assert_eq!(pairwise_agreement(&[1.0], &[1.0]), None);
    }

    #[test]
    fn golden_hamming_distance() {
        // The first example of the golden `json/misc.json`.
        let a = [
            [
                8, 4, 7, 6, 7, 2, 1, 6, 2, 6, 6, 6, 7, 10, 2, 2, 0, 8, 2, 9, 4, 0, 6, 9, 5, 8, 0, 9, 7, 4, 2,
                2, 2, 6, 0, 4, 1, 1, 5, 5,
            ]
            .as_slice(),
            &[
                6, 1, 1, 3, 10, 2, 0, 4, 6, 7, 10, 4, 9, 0, 11, 7, 8, 11, 4, 3, 8, 7, 4, 11, 10, 2, 5, 2, 10,
                1, 7, 1, 2, 10, 6, 2, 7, 7, 1, 2,
            ],
            &[
                9, 4, 2, 4, 4, 0, 7, 5, 0, 9, 7, 10, 9, 3, 0, 0, 8, 11, 9, 8, 0, 7, 8, 4, 7, 9, 3, 7, 11, 11,
                7, 1, 2, 2, 10, 2, 8, 10, 1, 9,
            ],
            &[
                2, 3, 4, 0, 0, 9, 1, 1, 11, 0, 9, 0, 1, 4, 11, 11, 7, 11, 3, 10, 4, 7, 6, 5, 11, 7, 11, 0, 6,
                5, 2, 1, 0, 5, 3, 10, 4, 9, 6, 1,
            ],
            &[
                8, 3, 2, 3, 0, 11, 10, 8, 6, 9, 11, 6, 3, 10, 7, 0, 0, 2, 11, 3, 8, 5, 5, 8, 2, 0, 6, 1, 2,
                4, 10, 3, 5, 1, 7, 0, 9, 4, 11, 5,
            ],
        ]
        .map(tokens);
        let b = [
            [
                8, 4, 7, 6, 7, 2, 1, 6, 2, 5, 6, 6, 7, 10, 2, 10, 0, 8, 2, 9, 4, 0, 6, 9, 5, 0, 8, 9, 7, 4,
                2, 2, 2, 6, 0, 4, 1, 5, 5, 5,
            ]
            .as_slice(),
            &[
                4, 1, 9, 3, 10, 2, 0, 4, 6, 7, 10, 4, 9, 0, 11, 7, 8, 11, 4, 3, 8, 0, 4, 11, 10, 2, 4, 2, 4,
                1, 2, 1, 2, 6, 3, 2, 4, 6, 1, 2,
            ],
            &[
                4, 4, 2, 4, 4, 0, 7, 5, 0, 9, 10, 10, 5, 3, 1, 0, 8, 11, 9, 8, 0, 7, 8, 4, 7, 9, 3, 7, 11,
                11, 7, 1, 4, 2, 10, 2, 8, 10, 1, 9,
            ],
            &[
                3, 1, 6, 0, 0, 9, 1, 1, 11, 0, 9, 6, 1, 4, 11, 9, 7, 0, 9, 10, 4, 8, 4, 5, 11, 7, 11, 0, 6,
                5, 2, 1, 0, 5, 3, 10, 4, 9, 6, 1,
            ],
            &[
                8, 3, 2, 3, 0, 6, 10, 8, 6, 2, 11, 7, 3, 10, 7, 0, 0, 2, 11, 3, 8, 5, 7, 8, 2, 1, 6, 1, 2, 4,
                10, 3, 5, 0, 11, 0, 8, 2, 11, 5,
            ],
        ]
        .map(tokens);
        assert_eq!(mean_hamming(&a, &b), Some(7.6));
        assert_eq!(mean_hamming(&a, &b[..1]), None);
        assert_eq!(mean_hamming(&[], &[]), None);
    }

    #[test]
    fn kendall_tau_is_tau_b() {
        assert_eq!(kendall_tau(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]), Some(1.0));
        assert_eq!(kendall_tau(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), Some(-1.0));
        // scipy.stats.kendalltau([12, 2, 1, 12, 2], [1, 4, 7, 1, 0])
        let tau = kendall_tau(&[12.0, 2.0, 1.0, 12.0, 2.0], &[1.0, 4.0, 7.0, 1.0, 0.0]).unwrap();
        assert!((tau - -0.471_404_520_791_031_7).abs() < 1e-12, "{tau}");
        assert_eq!(kendall_tau(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(kendall_tau(&[], &[]), None);
        assert_eq!(kendall_tau(&[1.0, f64::NAN], &[1.0, 2.0]), None);
    }
}
