//! Architectures with what is known of them: what a predictor learns from.

use std::collections::HashMap;

use nao_space::Space;

/// An architecture with its score, and its cheap label where there is one.
///
/// A pair `(arch, score)` is one, and so is `(arch, score, cheap)`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredArch<A> {
    /// The architecture, in any spelling.
    pub arch: A,
    /// Its score, in the unit of the scores.
    pub score: f64,
    /// A cheap label of it, such as its score after a few epochs; `None` where there is none.
    pub cheap: Option<f64>,
}

impl<A> From<(A, f64)> for ScoredArch<A> {
    fn from((arch, score): (A, f64)) -> Self {
        ScoredArch { arch, score, cheap: None }
    }
}

impl<A> From<(A, f64, f64)> for ScoredArch<A> {
    fn from((arch, score, cheap): (A, f64, f64)) -> Self {
        ScoredArch { arch, score, cheap: Some(cheap) }
    }
}

impl<A> ScoredArch<A> {
    /// The same architectures, each once, in the order of their first spellings. Several scores of one are averaged, and
    /// so are its cheap labels; it has none if one of its spellings lacks one.
    pub fn distinct<S: Space<Arch = A>>(space: &S, scored: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut places = HashMap::new();
        let mut sums: Vec<(Self, f64)> = Vec::new();
        for one in scored {
            let place = *places.entry(space.key(&one.arch)).or_insert(sums.len());
            match sums.get_mut(place) {
                Some((sum, count)) => {
                    sum.score += one.score;
                    sum.cheap = sum.cheap.zip(one.cheap).map(|(sum, label)| sum + label);
                    *count += 1.0;
                }
                None => sums.push((one, 1.0)),
            }
        }
        let mean = |(sum, count): (Self, f64)| ScoredArch {
            score: sum.score / count,
            cheap: sum.cheap.map(|sum| sum / count),
            arch: sum.arch,
        };
        sums.into_iter().map(mean).collect()
    }
}

#[cfg(test)]
mod tests {
    use nao_space::seed::rng_for;
    use nao_space::{CnnSpace, OpSet};

    use super::*;

    #[test]
    fn spellings_of_one_architecture_are_one_with_the_mean_of_their_scores() {
        let space = CnnSpace::new(2, OpSet::enas_5()).unwrap();
        let mut rng = rng_for(1, "scored", 0);
        let (one, other) = (space.sample(&mut rng), space.sample(&mut rng));
        let again = space.respell(&one, &mut rng);
        let scored = [(one.clone(), 1.0, 0.5), (other.clone(), 7.0, 2.0), (again.clone(), 2.0, 1.0)];
        let distinct = ScoredArch::distinct(&space, scored.map(ScoredArch::from));
        assert_eq!(distinct, [(one.clone(), 1.5, 0.75), (other, 7.0, 2.0)].map(ScoredArch::from));
        let gap = [ScoredArch::from((one.clone(), 1.0, 0.5)), ScoredArch::from((again, 2.0))];
        assert_eq!(ScoredArch::distinct(&space, gap), [ScoredArch::from((one, 1.5))]);
    }
}
