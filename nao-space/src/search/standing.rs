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
    /// The 95 % interval of that median, by order statistics; `None` of fewer than [`Standing::LEAST_SEARCHES`].
    pub interval: Option<[f64; 2]>,
    /// Searches that did not find the optimum; `None` in a contest without.
    pub misses: Option<usize>,
    /// The mean of the best after so many queries.
    pub best_at: BTreeMap<u64, f64>,
    /// Its standard error; `None` of one search.
    pub best_at_error: BTreeMap<u64, Option<f64>>,
    /// The 95 % interval of that mean, by Student's distribution; `None` of fewer than [`Standing::LEAST_SEARCHES`], and
    /// where all came to the same value, which shows no spread.
    pub best_at_interval: BTreeMap<u64, Option<[f64; 2]>>,
    /// Mean wall-clock seconds of a round of the strategy; `None` where no search came beyond its first round.
    pub seconds_per_round: Option<f64>,
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
    /// So many searches an interval needs: the least and the greatest of five still miss their median in 6 of 100 cases.
    pub const LEAST_SEARCHES: usize = 6;

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
            interval: known.then(|| median_interval(&queries)).flatten(),
            misses: known.then(|| races.iter().filter(|race| race.queries_to_optimum.is_none()).count()),
            best_at: counts().map(|count| (count, mean(at(count)))).collect(),
            best_at_error: counts().map(|count| (count, standard_error(at(count)))).collect(),
            best_at_interval: counts().map(|count| (count, mean_interval(at(count)))).collect(),
            seconds_per_round: (rounds > 0).then(|| seconds / rounds as f64),
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

    /// The same without figures that mean nothing, as versions before wrote them: intervals of too few searches or of equal
    /// ones, misses where nothing is sought.
    pub fn without_hollow_figures(mut self) -> Self {
        if self.seeds < Standing::LEAST_SEARCHES {
            self.interval = None;
            self.best_at_interval.values_mut().for_each(|interval| *interval = None);
        }
        if self.seeds < 2 {
            self.best_at_error.values_mut().for_each(|error| *error = None);
        }
        for interval in self.best_at_interval.values_mut() {
            *interval = interval.filter(|[low, high]| low < high);
        }
        self.misses = self.misses.filter(|_| self.median_queries_to_optimum.is_some());
        self.seconds_per_round = self.seconds_per_round.filter(|&seconds| seconds > 0.0);
        self
    }
}

/// The median of ascending numbers.
fn median(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0
}

/// The numbers between which the median lies with 95 % probability: those at n/2 -+ 0.98 sqrt n. `None` of too few.
fn median_interval(sorted: &[f64]) -> Option<[f64; 2]> {
    let n = sorted.len() as f64;
    let low = (n / 2.0 - 0.98 * n.sqrt()).floor().max(0.0) as usize;
    let high = (n / 2.0 + 0.98 * n.sqrt()).ceil() as usize;
    (sorted.len() >= Standing::LEAST_SEARCHES).then(|| [sorted[low], sorted[high.min(sorted.len() - 1)]])
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

/// The standard error of a mean; `None` of one value, which tells nothing of its error.
fn standard_error(values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let (centre, count) = (mean(values.clone()), values.clone().count() as f64);
    let squares: f64 = values.map(|value| (value - centre).powi(2)).sum();
    (count > 1.0).then(|| (squares / (count - 1.0) / count).sqrt())
}

/// The 95 % interval of a mean, by Student's distribution. `None` of too few values, or of equal ones.
fn mean_interval(values: impl Iterator<Item = f64> + Clone) -> Option<[f64; 2]> {
    let count = values.clone().count();
    let first = values.clone().next()?;
    if count < Standing::LEAST_SEARCHES || values.clone().all(|value| value == first) {
        return None;
    }
    let student = StudentsT::new(0.0, 1.0, (count - 1) as f64).ok()?;
    let (centre, half) = (mean(values.clone()), student.inverse_cdf(0.975) * standard_error(values)?);
    Some([centre - half, centre + half])
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
        assert_eq!(standing.misses, Some(1));
        assert!((standing.best_at[&1] - 1.9 / 4.0).abs() < 1e-12);
        assert!((standing.best_at[&3] - 3.6 / 4.0).abs() < 1e-12);
        assert_eq!(standing.best_at.len(), 2);
        assert!((standing.best_at_error[&3].unwrap() - (0.04f64).sqrt() / 2.0).abs() < 1e-12);
        assert_eq!((standing.seconds_per_round, standing.cheap_looks), (Some(0.25), 2.5));
        assert_eq!(standing.origins, Origins { random: 8, ascent: 4, ..Origins::default() });
        assert_eq!(Standing::of(&races, 3, false, &[]).median_queries_to_optimum, None);
        // Twice as many: 1, 1, 2, 2, 3, 3, 4, 4 and Student's 97.5 % quantile of seven degrees of freedom.
        let standing = Standing::of(&[races.clone(), races].concat(), 3, true, &[3]);
        assert_eq!(standing.interval, Some([1.0, 4.0]));
        let [low, high] = standing.best_at_interval[&3].unwrap();
        let error = (0.24f64 / 7.0 / 8.0).sqrt();
        assert!((high - 0.9 - 2.364_624_252 * error).abs() < 1e-6 && (low + high - 1.8).abs() < 1e-12);
    }

    #[test]
    fn figures_of_too_few_searches_or_without_an_optimum_are_none() {
        let race = |best: f64| Race {
            best: vec![best],
            spent: vec![1.0],
            queries_to_optimum: Some(1.0),
            ..Race::begun(1)
        };
        let of = |races: usize, spread: f64, sought: bool| {
            let races: Vec<Race> = (0..races).map(|at| race(1.0 + spread * at as f64)).collect();
            Standing::of(&races, 5, sought, &[1])
        };
        let five = of(5, 0.1, true);
        assert_eq!((five.interval, five.best_at_interval[&1]), (None, None));
        assert!(five.best_at_error[&1].is_some() && five.misses == Some(0));
        let six = of(6, 0.1, true);
        assert!(six.interval.is_some() && six.best_at_interval[&1].is_some());
        // Equal values show no spread; a search of one round has no later one.
        let equal = of(6, 0.0, false);
        assert_eq!((equal.best_at_interval[&1], equal.misses, equal.interval), (None, None, None));
        assert_eq!((of(1, 0.0, true).best_at_error[&1], equal.seconds_per_round), (None, None));
        // What older versions wrote of as few.
        let hollow = Standing {
            interval: Some([49.0, 49.0]),
            misses: Some(0),
            best_at_error: [(1, Some(0.0))].into(),
            best_at_interval: [(1, Some([1.0, 1.0]))].into(),
            seconds_per_round: Some(0.0),
            ..of(1, 0.0, false)
        };
        assert_eq!(hollow.without_hollow_figures(), of(1, 0.0, false));
    }
}
