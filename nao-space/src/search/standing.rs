//! What many searches of one strategy came to: one strategy, many seeds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::contest::{Origins, Race};

/// What many searches of one strategy came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Number of searches.
    pub seeds: usize,
    /// The median of queries to the optimum; a search that did not find it counts as one more than its budget. `None` in a
    /// contest without optimum.
    pub median_queries_to_optimum: Option<f64>,
    /// The 95 % interval of that median, by order statistics.
    pub interval: Option<[f64; 2]>,
    /// Searches that did not find the optimum; 0 in a contest without.
    pub misses: usize,
    /// The mean of the best after so many queries.
    pub best_at: BTreeMap<u64, f64>,
    /// Its standard error.
    pub best_at_error: BTreeMap<u64, f64>,
    /// The 95 % interval of that mean, by Student's distribution; of one search just its value.
    pub best_at_interval: BTreeMap<u64, [f64; 2]>,
    /// Mean wall-clock seconds of a round of the strategy.
    pub seconds_per_round: f64,
    /// Mean wall-clock seconds of the strategy in a whole search, its first round left out.
    pub seconds_per_search: f64,
    /// Mean number of cheap looks of a search, which are part of its queries.
    #[serde(default)]
    pub cheap_looks: f64,
    /// Queries by origin.
    pub origins: Origins<u64>,
    /// Queries that were the best so far, by origin.
    pub improvements: Origins<u64>,
}

impl Standing {
    /// Of searches with this budget, looked at after `counts` queries.
    pub fn of(races: &[Race], budget: u64, with_optimum: bool, counts: &[u64]) -> Self {
        let missed = (budget + 1) as f64;
        let mut queries: Vec<f64> =
            races.iter().map(|race| race.queries_to_optimum.unwrap_or(missed)).collect();
        queries.sort_by(f64::total_cmp);
        let (mut origins, mut improvements) = (Origins::default(), Origins::default());
        for race in races {
            origins.add(&race.origins);
            improvements.add(&race.improvements);
        }
        let at = |count: u64| {
            races.iter().filter_map(move |race| {
                // The first query is told of even where it was not affordable yet.
                let within = race.spent.partition_point(|&spent| spent <= count as f64);
                race.best.get(within.saturating_sub(1)).copied()
            })
        };
        let counts = || counts.iter().copied().filter(|&count| count <= budget);
        let rounds: u64 = races.iter().map(|race| race.rounds).sum();
        let seconds: f64 = races.iter().map(|race| race.seconds).sum();
        let known = with_optimum && !queries.is_empty();
        Standing {
            seeds: races.len(),
            median_queries_to_optimum: known.then(|| median(&queries)),
            interval: known.then(|| median_interval(&queries)),
            misses: if known {
                races.iter().filter(|race| race.queries_to_optimum.is_none()).count()
            } else {
                0
            },
            best_at: counts().map(|count| (count, mean(at(count)))).collect(),
            best_at_error: counts().map(|count| (count, standard_error(at(count)))).collect(),
            best_at_interval: counts().map(|count| (count, mean_interval(at(count)))).collect(),
            seconds_per_round: if rounds == 0 { 0.0 } else { seconds / rounds as f64 },
            cheap_looks: if races.is_empty() {
                0.0
            } else {
                races.iter().map(|race| race.cheap_looks as f64).sum::<f64>() / races.len() as f64
            },
            seconds_per_search: if races.is_empty() { 0.0 } else { seconds / races.len() as f64 },
            origins,
            improvements,
        }
    }
}

/// The median of ascending numbers.
fn median(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0
}

/// The numbers between which the median lies with 95 % probability: those at n/2 -+ 0.98 sqrt n.
fn median_interval(sorted: &[f64]) -> [f64; 2] {
    let n = sorted.len() as f64;
    let low = (n / 2.0 - 0.98 * n.sqrt()).floor().max(0.0) as usize;
    let high = (n / 2.0 + 0.98 * n.sqrt()).ceil() as usize;
    [sorted[low], sorted[high.min(sorted.len() - 1)]]
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

/// The standard error of a mean; 0 of one value, which tells nothing of its error.
fn standard_error(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let (centre, count) = (mean(values.clone()), values.clone().count() as f64);
    let squares: f64 = values.map(|value| (value - centre).powi(2)).sum();
    if count > 1.0 { (squares / (count - 1.0) / count).sqrt() } else { 0.0 }
}

/// The 95 % interval of a mean, by Student's distribution.
fn mean_interval(values: impl Iterator<Item = f64> + Clone) -> [f64; 2] {
    let freedom = values.clone().count().saturating_sub(1) as f64;
    let wide = StudentsT::new(0.0, 1.0, freedom).map_or(0.0, |student| student.inverse_cdf(0.975));
    let (centre, half) = (mean(values.clone()), wide * standard_error(values));
    [centre - half, centre + half]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standings_are_those_computed_by_hand() {
        let race = |seed, queries: Option<f64>, best: &[f64]| Race {
            seed,
            queries_to_optimum: queries,
            best: best.to_vec(),
            spent: (1..=best.len()).map(|queries| queries as f64).collect(),
            cheap_looks: seed,
            origins: Origins { random: 2, ascent: 1, ..Origins::default() },
            improvements: Origins { random: 1, ascent: 0, ..Origins::default() },
            rounds: 2,
            seconds: 0.5,
        };
        let races = [
            race(1, Some(2.0), &[0.5, 1.0]),
            race(2, None, &[0.1, 0.2, 0.6]),
            race(3, Some(1.0), &[1.0]),
            race(4, Some(3.0), &[0.3, 0.4, 1.0]),
        ];
        let standing = Standing::of(&races, 3, true, &[1, 3, 50]);
        // 1, 2, 3 and a miss, which counts as 4.
        assert_eq!(standing.median_queries_to_optimum, Some(2.5));
        assert_eq!((standing.interval, standing.misses), (Some([1.0, 4.0]), 1));
        assert!((standing.best_at[&1] - 1.9 / 4.0).abs() < 1e-12);
        assert!((standing.best_at[&3] - 3.6 / 4.0).abs() < 1e-12);
        assert_eq!(standing.best_at.len(), 2);
        assert!((standing.best_at_error[&3] - (0.04f64).sqrt() / 2.0).abs() < 1e-12);
        // Student's 97.5 % quantile of three degrees of freedom.
        let [low, high] = standing.best_at_interval[&3];
        assert!((high - 0.9 - 3.182_446_305 * 0.1).abs() < 1e-6 && (low + high - 1.8).abs() < 1e-12);
        assert_eq!((standing.seconds_per_round, standing.cheap_looks), (0.25, 2.5));
        assert_eq!(standing.origins, Origins { random: 8, ascent: 4, ..Origins::default() });
        assert_eq!(Standing::of(&races, 3, false, &[]).median_queries_to_optimum, None);
    }
}
