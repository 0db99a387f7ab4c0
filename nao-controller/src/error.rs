//! What can go wrong in a controller.

/// Why a controller cannot be built, trained, asked or loaded.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ControllerError {
    /// A setting that cannot be.
    #[error("controller for {space}: `{field}` {problem}")]
    Config {
        /// The field of the configuration.
        field: &'static str,
        /// Its value, and what it may be.
        problem: String,
        /// The space of the language.
        space: String,
    },
    /// A sequence of the wrong length.
    #[error("sequence {index} has {found} tokens; the controller was built for sequences of {expected}")]
    Length {
        /// Which sequence, counted from 0.
        index: usize,
        /// Its number of tokens.
        found: usize,
        /// The number of the language.
        expected: usize,
    },
    /// A token outside the vocabulary.
    #[error(
        "sequence {index} has token {token} at position {position}; the vocabulary has {vocabulary} tokens"
    )]
    Token {
        /// Which sequence, counted from 0.
        index: usize,
        /// The position in it, counted from 0.
        position: usize,
        /// The token.
        token: u16,
        /// The size of the vocabulary.
        vocabulary: usize,
    },
    /// Sequences and scores do not pair up, or there are none.
    #[error("{sequences} sequences with {targets} targets; a fit needs as many of both, at least one")]
    Pairs {
        /// Number of sequences.
        sequences: usize,
        /// Number of targets.
        targets: usize,
    },
    /// Architectures and scores do not pair up, or there are none.
    #[error("{archs} architectures with {scores} scores; a fit needs as many of both, at least one")]
    Scores {
        /// Number of architectures.
        archs: usize,
        /// Number of scores.
        scores: usize,
    },
    /// An assessment that cannot be: it learns from nothing, or leaves too little to be ranked.
    #[error(
        "{labels} of {archs} architectures cannot be learned from; at least 1 must be, with 2 left to be ranked"
    )]
    Split {
        /// How many are to be learned from.
        labels: usize,
        /// How many there are.
        archs: usize,
    },
    /// A target that is not a number.
    #[error("target {index} is {value}; leave failed trials out of the pool")]
    Target {
        /// Which target, counted from 0.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A cheap label that is not a number.
    #[error("cheap label {index} is {value}; leave out architectures whose cheap training failed")]
    CheapLabel {
        /// Which one, counted from 0.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// Cheap labels for some of the architectures only, or where none were learned from.
    #[error(
        "{labels} cheap labels for {archs} architectures; a predictor that rests on cheap labels needs one of each, \
         any other none"
    )]
    CheapLabels {
        /// Number of cheap labels.
        labels: usize,
        /// Number of architectures.
        archs: usize,
    },
    /// A batch with nothing in it.
    #[error("no sequences were given")]
    Empty,
    /// The grammar left no token to choose.
    #[error("the space allows no token at position {position} of a sequence of {length}")]
    NothingAllowed {
        /// The position, counted from 0.
        position: usize,
        /// The length of sequences.
        length: usize,
    },
    /// A sequence that the grammar of a space allows and the space does not read.
    #[error("the space does not read a sequence that its own grammar allows: {problem}")]
    Undecodable {
        /// What the space says.
        problem: String,
    },
    /// The training left the finite numbers.
    #[error(
        "the controller's loss became {loss} in epoch {epoch}; lower the learning rate ({learning_rate})"
    )]
    Diverged {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The loss.
        loss: f64,
        /// The learning rate in use.
        learning_rate: f64,
    },
    /// The embedding or the predictor gave numbers that are not finite.
    #[error("the controller gives {what} that are no finite numbers; fit it anew")]
    NotFinite {
        /// What was computed.
        what: &'static str,
    },
    /// Weights that do not fit.
    #[error("the weights are of no use: {problem}")]
    Weights {
        /// Missing, extra and misshapen tensors, or what is wrong with the bytes.
        problem: String,
    },
    /// A pre-training of another space.
    #[error("the pre-training is of the space {learned} and does not fit {wanted}: learn it anew")]
    OtherPretraining {
        /// The space that was learned.
        learned: String,
        /// The space that is searched.
        wanted: String,
    },
    /// A pre-training of a space of the same name whose sequences are others.
    #[error(
        "the pre-training is of a space that is called {space} as this one is, and has other tokens or other sequences: \
         learn it anew"
    )]
    OtherLanguage {
        /// The name of both.
        space: String,
    },
    /// A pre-training with other settings.
    #[error(
        "the pre-training of {space} was learned with other settings ({differences}): learn it anew, or take these"
    )]
    OtherSettings {
        /// The space.
        space: String,
        /// The settings that differ, with what they were and what they are now.
        differences: String,
    },
    /// A fitted predictor that was kept and cannot be.
    #[error("a predictor that was kept cannot be taken up: {problem}; fit it anew")]
    State {
        /// What of it cannot be.
        problem: String,
    },
}
