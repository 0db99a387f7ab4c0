//! How well a controller ranks and reconstructs (spec c.5).

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
    let scale = (differ_a as f64).sqrt() * (differ_b as f64).sqrt();
    (scale > 0.0).then(|| balance as f64 / scale)
}

/// Mean number of positions at which paired sentences differ. `None` for no sentences, or unequal numbers or
/// lengths of them.
pub fn mean_hamming(a: &[Vec<Token>], b: &[Vec<Token>]) -> Option<f64> {
    if a.is_empty() || a.len() != b.len() || a.iter().zip(b).any(|(x, y)| x.len() != y.len()) {
        return None;
    }
    let differing = |(x, y): (&Vec<Token>, &Vec<Token>)| x.iter().zip(y).filter(|(s, t)| s != t).count();
    Some(a.iter().zip(b).map(differing).sum::<usize>() as f64 / a.len() as f64)
}
