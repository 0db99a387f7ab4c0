//! The settings of a controller and of its training, with named presets.

use serde::{Deserialize, Serialize};

use crate::error::ControllerError;
use crate::language::Language;

/// Which of the authors' two PyTorch controllers the networks are built like (docs/specification.md, c.2, "Attention").
/// It also fixes the names under which weights are stored (see
/// [`Controller::save_safetensors`](crate::Controller::save_safetensors)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Design {
    /// `NAO_V1` and `NAO_V2`: the decoder's output is projected to a query before it attends, and nothing in the
    /// attention has a bias.
    #[default]
    Cnn,
    /// `NAO-WS/rnn`: the decoder's output itself is the query, and the projection after the attention has a bias.
    /// The predictor starts from U(-0.04, 0.04) without biases.
    RnnWs,
}

/// Sizes of the three networks and how they are trained (docs/specification.md, c.2). All fields have the defaults of
/// the preset `v1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ControllerConfig {
    /// How the networks are built.
    pub design: Design,
    /// Width of the encoder's token embedding (E). Times the space's tokens per step it must equal `hidden`.
    pub embedding: usize,
    /// Width of both LSTMs, of the continuous embedding and of the decoder's token embedding (H).
    pub hidden: usize,
    /// Hidden layers of the predictor; 0 leaves one linear layer and the sigmoid.
    pub mlp_layers: usize,
    /// Width of the predictor's hidden layers.
    pub mlp_hidden: usize,
    /// Predictors side by side, whose mean predicts; the authors have one.
    pub heads: usize,
    /// What the predictors learn by.
    pub prediction_loss: PredictionLoss,
    /// Dropout on the encoder's token embedding in training, 0 to below 1.
    pub encoder_dropout: f64,
    /// Dropout behind every hidden layer of the predictor in training, 0 to below 1.
    pub mlp_dropout: f64,
    /// Dropout on the decoder's token embedding in training, 0 to below 1.
    pub decoder_dropout: f64,
    /// Weight of the prediction loss against the reconstruction loss (lambda in the paper), 0 to 1.
    pub trade_off: f64,
    /// Sequences per training step; the last step of an epoch takes what is left.
    pub batch: usize,
    /// Passes over the pool per fit.
    pub epochs: usize,
    /// Learning rate of Adam.
    pub learning_rate: f64,
    /// L2 penalty, added to the gradient after clipping (as PyTorch's Adam does).
    pub weight_decay: f64,
    /// Largest global L2 norm of the gradient over all parameters; larger ones are scaled down.
    pub clip: f64,
    /// Whether each sequence is respelled at random every time it is trained on. This generalises
    /// docs/specification.md, c.4, where one node per cell has its branches swapped: any symmetry of the space is
    /// drawn, with the target unchanged.
    pub respell: bool,
}

/// What a predictor learns by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PredictionLoss {
    /// The squared error of the prediction, as in the paper.
    #[default]
    SquaredError,
    /// The logistic loss of every pair of a batch: the order of scores counts, not their distance.
    Pairwise,
}

impl Default for ControllerConfig {
    fn default() -> Self {
        V1
    }
}

/// The V1 search script of the authors' PyTorch code.
const V1: ControllerConfig = ControllerConfig {
    design: Design::Cnn,
    embedding: 48,
    hidden: 96,
    mlp_layers: 3,
    mlp_hidden: 200,
    heads: 1,
    prediction_loss: PredictionLoss::SquaredError,
    encoder_dropout: 0.0,
    mlp_dropout: 0.1,
    decoder_dropout: 0.0,
    trade_off: 0.8,
    batch: 100,
    epochs: 1000,
    learning_rate: 1e-3,
    weight_decay: 1e-4,
    clip: 5.0,
    respell: true,
};

/// The V2 scripts; also V1's stand-alone controller training. V2 adds swapped copies before training instead
/// of swapping on the fly; here both are the same respelling.
const V2: ControllerConfig =
    ControllerConfig { embedding: 32, hidden: 64, mlp_layers: 0, mlp_dropout: 0.0, weight_decay: 0.0, ..V1 };

/// Sizes as in the paper. The one-layer predictor and the training settings are recalled, not read from a
/// source; the published TensorFlow script differs in lambda (0.8). The attention is V1's.
const PAPER: ControllerConfig = ControllerConfig {
    embedding: 32,
    hidden: 96,
    mlp_layers: 0,
    mlp_dropout: 0.0,
    trade_off: 0.9,
    respell: false,
    ..V1
};

/// The search script of the authors' PyTorch code for recurrent cells. Cells of that space have no branches to swap,
/// so nothing was respelled.
const RNN_WS: ControllerConfig = ControllerConfig {
    design: Design::RnnWs,
    mlp_layers: 4,
    encoder_dropout: 0.1,
    mlp_dropout: 0.0,
    respell: false,
    ..V1
};

/// A named preset and where its numbers come from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Preset {
    /// The name users choose it by.
    pub name: &'static str,
    /// Where the numbers come from.
    pub source: &'static str,
    /// The settings.
    pub config: ControllerConfig,
}

/// All presets, the default first.
pub const PRESETS: [Preset; 4] = [
    Preset {
        name: "v1",
        source: "NAO_pytorch, NAO_V1 search script (docs/specification.md, c.2, V1 search)",
        config: V1,
    },
    Preset { name: "v2", source: "NAO_pytorch, NAO_V2 scripts (docs/specification.md, c.2, V2)", config: V2 },
    Preset {
        name: "paper",
        source: "Luo et al. 2018; the one-layer predictor is recalled, unverified (docs/specification.md, c.2, paper)",
        config: PAPER,
    },
    Preset {
        name: "rnn-ws",
        source: "NAO-WS/rnn search script (docs/specification.md, c.2, RNN-WS)",
        config: RNN_WS,
    },
];

/// A preset name that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no controller preset `{name}`; there are {known}")]
pub struct UnknownPreset {
    /// What was asked for.
    pub name: String,
    /// The names there are.
    pub known: String,
}

impl ControllerConfig {
    /// The settings of a preset: `v1`, `v2`, `paper` or `rnn-ws`.
    ///
    /// # Errors
    /// When there is no preset of that name; lists those there are.
    pub fn preset(name: &str) -> Result<Self, UnknownPreset> {
        let found = PRESETS.into_iter().find(|preset| preset.name == name);
        found.map(|preset| preset.config).ok_or_else(|| UnknownPreset {
            name: name.to_owned(),
            known: PRESETS.map(|preset| preset.name).join(", "),
        })
    }

    /// The same settings with the token embedding as wide as the language needs it: `hidden` over the tokens
    /// per step. `hidden` is rounded up to a multiple of those.
    pub fn fitted_to(mut self, language: &Language) -> Self {
        let per_step = language.tokens_per_step.max(1);
        self.embedding = self.hidden.div_ceil(per_step);
        self.hidden = self.embedding * per_step;
        self
    }

    /// Checks every field, alone and against the language.
    ///
    /// # Errors
    /// Names the first field that cannot be, its value and what it may be.
    pub fn check(&self, language: &Language) -> Result<(), ControllerError> {
        let refuse = |field: &'static str, problem: String| {
            Err(ControllerError::Config { field, problem, space: language.space.clone() })
        };
        let sizes = [
            ("embedding", self.embedding),
            ("hidden", self.hidden),
            ("batch", self.batch),
            ("heads", self.heads),
            ("mlp_hidden", if self.mlp_layers == 0 { 1 } else { self.mlp_hidden }),
        ];
        for (field, size) in sizes {
            if size == 0 {
                return refuse(field, "is 0; it must be at least 1".into());
            }
        }
        let dropouts = [
            ("encoder_dropout", self.encoder_dropout),
            ("mlp_dropout", self.mlp_dropout),
            ("decoder_dropout", self.decoder_dropout),
        ];
        for (field, rate) in dropouts {
            if !(0.0..1.0).contains(&rate) {
                return refuse(field, format!("is {rate}; it must be at least 0 and below 1"));
            }
        }
        if !(0.0..=1.0).contains(&self.trade_off) {
            return refuse("trade_off", format!("is {}; it must be 0 to 1", self.trade_off));
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return refuse("learning_rate", format!("is {}; it must be above 0", self.learning_rate));
        }
        if !(self.weight_decay.is_finite() && self.weight_decay >= 0.0) {
            return refuse("weight_decay", format!("is {}; it must be at least 0", self.weight_decay));
        }
        if !(self.clip.is_finite() && self.clip > 0.0) {
            return refuse("clip", format!("is {}; it must be above 0", self.clip));
        }
        let per_step = language.tokens_per_step;
        if per_step == 0 || language.sequence_len == 0 || !language.sequence_len.is_multiple_of(per_step) {
            let problem = format!(
                "cannot be fitted: sequences of {} tokens are no whole number of steps of {per_step}",
                language.sequence_len
            );
            return refuse("embedding", problem);
        }
        if self.embedding * per_step != self.hidden {
            let problem = format!(
                "is {}, times {per_step} tokens per step is not hidden = {}; set embedding = {} or hidden = {}",
                self.embedding,
                self.hidden,
                self.hidden / per_step,
                self.embedding * per_step
            );
            return refuse("embedding", problem);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs_of_tokens() -> Language {
        let tokens = (0..12).map(|index| format!("t{index}")).collect();
        Language { space: "test".into(), tokens, sequence_len: 40, tokens_per_step: 2 }
    }

    #[test]
    fn every_preset_fits_a_space_of_pairs() {
        for preset in PRESETS {
            assert_eq!(ControllerConfig::preset(preset.name), Ok(preset.config.clone()));
            let fitted = preset.config.clone().fitted_to(&pairs_of_tokens());
            assert_eq!(fitted.check(&pairs_of_tokens()), Ok(()), "{}", preset.name);
        }
        let error = ControllerConfig::preset("v3").unwrap_err().to_string();
        assert_eq!(error, "no controller preset `v3`; there are v1, v2, paper, rnn-ws");
    }

    #[test]
    fn settings_that_cannot_be_are_named_with_their_cure() {
        let refused = |config: ControllerConfig| config.check(&pairs_of_tokens()).unwrap_err().to_string();
        let error = refused(ControllerConfig { embedding: 50, ..V1 });
        assert!(error.contains("`embedding` is 50"), "{error}");
        assert!(error.contains("set embedding = 48 or hidden = 100"), "{error}");
        assert!(refused(ControllerConfig { mlp_dropout: 1.0, ..V1 }).contains("`mlp_dropout` is 1"));
        assert!(refused(ControllerConfig { batch: 0, ..V1 }).contains("`batch` is 0"));
        assert!(refused(ControllerConfig { trade_off: f64::NAN, ..V1 }).contains("`trade_off`"));
        let triples = Language { tokens_per_step: 3, ..pairs_of_tokens() };
        assert!(V1.check(&triples).unwrap_err().to_string().contains("40 tokens"));
    }

    #[test]
    fn settings_survive_json_and_unknown_fields_do_not() {
        let text = serde_json::to_string(&PAPER).unwrap();
        assert_eq!(serde_json::from_str::<ControllerConfig>(&text).unwrap(), PAPER);
        assert_eq!(serde_json::from_str::<ControllerConfig>("{}").unwrap(), V1);
        assert!(serde_json::from_str::<ControllerConfig>(r#"{"lamda": 0.8}"#).is_err());
    }
}
