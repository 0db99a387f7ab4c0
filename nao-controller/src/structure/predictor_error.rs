//! What can go wrong with a predictor of a space and with its file.

use std::io;
use std::path::PathBuf;

use nao_space::file::FileError;
use nao_space::notation::ParseError;

use crate::error::ControllerError;

/// Why a predictor is not fitted, asked, saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PredictorError {
    /// A score or a cheap label that is no number.
    #[error("`{architecture}` has the {what} {value}, which is no finite number: leave it out")]
    NotFinite {
        /// The architecture, in the notation of the space.
        architecture: String,
        /// `score` or `cheap label`.
        what: &'static str,
        /// What stands there.
        value: f64,
    },
    /// Scores that say nothing.
    #[error("every score is {score}: there is nothing to rank")]
    EqualScores {
        /// The score.
        score: f64,
    },
    /// An architecture without its cheap label, where others have theirs.
    #[error("`{architecture}` has no cheap label `{label}`")]
    NoCheapLabel {
        /// The architecture, in the notation of the space.
        architecture: String,
        /// What the cheap label is called.
        label: String,
    },
    /// A cheap label, where the predictor was not told what cheap labels are.
    #[error(
        "`{architecture}` has a cheap label, and nothing says which are better: name them, or leave them out"
    )]
    UnnamedCheapLabel {
        /// The architecture, in the notation of the space.
        architecture: String,
    },
    /// A file that is not of the form of predictors.
    #[error(transparent)]
    Form(#[from] serde_json::Error),
    /// A file of another kind or of another version.
    #[error("it is {format} of version {version}; this program reads nao-predictor 1 and {latest}")]
    OtherVersion {
        /// What the file says that it is.
        format: String,
        /// Its version.
        version: u32,
        /// The latest version that is read.
        latest: u32,
    },
    /// A file that is not what was written.
    #[error("its checksum does not fit its content: it was damaged or edited; fit it anew")]
    Damaged,
    /// A predictor of another space.
    #[error("the predictor was made for the space {learned}, which is now {asked}")]
    OtherSpace {
        /// The space of the predictor.
        learned: String,
        /// The space that was given.
        asked: String,
    },
    /// An architecture of the file that is none of the space.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file that cannot be written.
    #[error("cannot write {} ({source}): check the folder and its permissions", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The posterior cannot be fitted, asked or taken up.
    #[error(transparent)]
    Model(#[from] ControllerError),
}
