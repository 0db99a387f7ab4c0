//! Rewards of measured values: bounded numbers of which larger is better.

use nao_space::{Direction, Objective};
use serde::{Deserialize, Serialize};

/// The reward of perplexity 1, after ENAS.
const PERPLEXITY: f64 = 80.0;

/// How the values of an objective become rewards.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RewardScale {
    /// A share of 1 of which more is better, such as accuracy: as it is.
    Share,
    /// A share of 1 of which less is better, such as an error rate: what is missing to 1.
    Complement,
    /// Perplexity: `80 / perplexity`, as ENAS has it.
    Perplexity,
    /// Anything else: the share of all values told so far that are worse, equal ones counting half. It changes as more
    /// is told, and stays between 0 and 1 whatever the unit.
    Rank,
}

impl RewardScale {
    /// The scale of an objective.
    pub fn of(objective: &Objective) -> Self {
        match (objective.unit.as_str(), objective.direction) {
            ("fraction", Direction::Maximize) => RewardScale::Share,
            ("fraction", Direction::Minimize) => RewardScale::Complement,
            ("perplexity", Direction::Minimize) => RewardScale::Perplexity,
            _ => RewardScale::Rank,
        }
    }

    /// The reward of a value whose merit is among `merits`, ascending finite numbers. `None` for a value without
    /// one: no finite number, or a perplexity that none has.
    pub fn reward(self, objective: &Objective, value: f64, merits: &[f64]) -> Option<f64> {
        let reward = match self {
            RewardScale::Share => value,
            RewardScale::Complement => 1.0 - value,
            RewardScale::Perplexity if value >= 1.0 => PERPLEXITY / value,
            RewardScale::Perplexity => return None,
            RewardScale::Rank => {
                let merit = objective.merit(value);
                let worse = merits.partition_point(|&other| other < merit);
                let equal = merits.partition_point(|&other| other <= merit) - worse;
                (worse as f64 + equal as f64 / 2.0) / merits.len().max(1) as f64
            }
        };
        (value.is_finite() && reward.is_finite()).then_some(reward)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_values_have_higher_rewards_and_bounds() {
        let accuracy = Objective::validation_accuracy();
        let perplexity = Objective::validation_perplexity();
        let error = Objective { direction: Direction::Minimize, name: "error".into(), ..accuracy.clone() };
        let seconds = Objective { unit: "seconds".into(), ..error.clone() };
        let reward = |objective: &Objective, value: f64| {
            let mut merits = [9.0, 4.0, 4.0, 1.0].map(|value| objective.merit(value)).to_vec();
            merits.sort_by(f64::total_cmp);
            RewardScale::of(objective).reward(objective, value, &merits)
        };
        assert_eq!(reward(&accuracy, 0.9), Some(0.9));
        assert_eq!(reward(&error, 0.25), Some(0.75));
        assert_eq!(reward(&perplexity, 160.0), Some(0.5));
        assert_eq!([9.0, 4.0, 1.0].map(|value| reward(&seconds, value)), [0.125, 0.5, 0.875].map(Some));
    }

    #[test]
    fn what_is_no_number_has_no_reward() {
        for objective in [Objective::validation_accuracy(), Objective::validation_perplexity()] {
            let scale = RewardScale::of(&objective);
            assert_eq!(scale.reward(&objective, f64::NAN, &[]), None);
            assert_eq!(scale.reward(&objective, f64::INFINITY, &[]), None);
        }
        assert_eq!(RewardScale::Perplexity.reward(&Objective::validation_perplexity(), 0.0, &[]), None);
    }
}
