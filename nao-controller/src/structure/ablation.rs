//! The preset `structure` without one of its parts, to see what that part is worth.

use super::config::{ScoreScale, StartPoints, StructureConfig};

/// A part that is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ablation {
    /// Nothing ascends: points of the embedding are drawn at random and decoded.
    Ascent,
    /// Nothing is decoded: neighbours of the best are the only candidates.
    Decoder,
    /// The model learns the scores themselves (standardised), not their ranks.
    Ranks,
    /// One kernel, that of the highest evidence, instead of an average.
    Ensemble,
    /// Encoder, decoder and readout keep their first random weights.
    Pretraining,
}

impl Ablation {
    /// All of them.
    pub const ALL: [Ablation; 5] =
        [Ablation::Ascent, Ablation::Decoder, Ablation::Ranks, Ablation::Ensemble, Ablation::Pretraining];

    /// The name under which users choose the search without that part.
    pub fn name(self) -> &'static str {
        match self {
            Ablation::Ascent => "no-ascent",
            Ablation::Decoder => "no-decoder",
            Ablation::Ranks => "regression",
            Ablation::Ensemble => "no-ensemble",
            Ablation::Pretraining => "no-pretraining",
        }
    }

    /// The ablation of that name.
    pub fn named(name: &str) -> Option<Self> {
        Ablation::ALL.into_iter().find(|ablation| ablation.name() == name)
    }

    /// The settings without that part.
    pub fn of(self, config: StructureConfig) -> StructureConfig {
        match self {
            Ablation::Ascent => StructureConfig { points: StartPoints::Random, ..config },
            Ablation::Decoder => StructureConfig { step_sizes: Vec::new(), ..config },
            Ablation::Ranks => StructureConfig { scores: ScoreScale::Values, ..config },
            Ablation::Ensemble => StructureConfig { keep: 1, ..config },
            Ablation::Pretraining => {
                let pretraining = super::PretrainingConfig { steps: 0, ..config.pretraining };
                StructureConfig { pretraining, ..config }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ablation_is_found_by_name_and_changes_something_that_can_be() {
        for ablation in Ablation::ALL {
            assert_eq!(Ablation::named(ablation.name()), Some(ablation));
            let without = ablation.of(StructureConfig::default());
            assert_ne!(without, StructureConfig::default(), "{ablation:?}");
            without.check("any").unwrap();
        }
        assert_eq!(Ablation::named("no-luck"), None);
    }
}
