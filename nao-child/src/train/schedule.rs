//! The learning rate over the epochs.

use std::f64::consts::PI;

/// The rate of an epoch, counted from 0: half a cosine from `max` to `min` over `epochs`, constant within an
/// epoch (docs/specification.md, e.1).
pub fn cosine(epoch: u32, epochs: u32, max: f64, min: f64) -> f64 {
    let progress = f64::from(epoch) / f64::from(epochs);
    min + 0.5 * (max - min) * (1.0 + (PI * progress).cos())
}

/// The epochs, counted from 1, after which a search with shared weights evaluates its pool: every `every` epochs,
/// `early` epochs earlier where so many are kept for training each of the best alone, up to `total`.
pub fn evaluation_epochs(every: u32, early: u32, total: u32) -> Vec<u32> {
    let points = (1..).map(|round: u32| round.saturating_mul(every).saturating_sub(early));
    points.take_while(|&epoch| every > 0 && epoch <= total).filter(|&epoch| epoch > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evaluations_come_at_equal_distances() {
        assert_eq!(evaluation_epochs(30, 0, 90), [30, 60, 90]);
        assert_eq!(evaluation_epochs(10, 12, 30), [8, 18, 28]);
        assert!(evaluation_epochs(0, 0, 30).is_empty() && evaluation_epochs(40, 0, 30).is_empty());
    }

    #[test]
    fn the_first_epoch_has_the_full_rate_and_the_middle_one_half() {
        assert_eq!(cosine(0, 600, 0.025, 0.0), 0.025);
        assert!((cosine(300, 600, 0.025, 0.001) - 0.013).abs() < 1e-12);
        // docs/specification.md, d.2: after 25 of 100 epochs the rate has fallen from 0.024 to 0.0205 only.
        assert!((cosine(25, 100, 0.024, 0.0) - 0.0205).abs() < 1e-4);
    }
}
