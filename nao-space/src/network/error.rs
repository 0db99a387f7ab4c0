//! Why a network cannot be laid out.

use super::convention::Convention;
use super::layer::FeatureShape;
use crate::image::{CellRole, State};

/// Why images do not fit a skeleton.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GeometryError {
    /// A map of odd or no size where it must be halved.
    #[error(
        "images of {image} cannot be halved as often as the network does: the {place} meets a map of {map}; \
         height and width must be multiples of {multiple}"
    )]
    NotReducible {
        /// The images.
        image: FeatureShape,
        /// `stem`, `first reduction` or `second reduction`.
        place: &'static str,
        /// The map there.
        map: FeatureShape,
        /// What height and width of the images must be multiples of.
        multiple: usize,
    },
    /// A map too small for the auxiliary head.
    #[error(
        "the auxiliary head needs a map of at least {smallest}x{smallest}, its cell makes {map}; \
         switch the auxiliary head off"
    )]
    AuxiliaryTooSmall {
        /// The map.
        map: FeatureShape,
        /// The least height and width.
        smallest: usize,
    },
    /// A list of concatenated states that the cell does not have.
    #[error(
        "the {role} cell cannot concatenate the states [{}]: a list names one or more of the states 0 to {last}, \
         each once", states.iter().map(State::to_string).collect::<Vec<_>>().join(", ")
    )]
    Concat {
        /// The cell.
        role: CellRole,
        /// The list.
        states: Vec<State>,
        /// The last state of the cell.
        last: State,
    },
    /// A supernet of a convention that has none.
    #[error(
        "there is no supernet as {convention} builds networks, or with reductions in place: only as {} does, with cells for \
         reductions",
        Convention::NaoTorch
    )]
    NoSupernet {
        /// The convention asked for.
        convention: Convention,
    },
    /// A setting that is zero, absurdly large, or odd where it must be even.
    #[error("{what} is {value}: it must be {rule}")]
    Setting {
        /// The setting.
        what: &'static str,
        /// Its value.
        value: usize,
        /// What it must be.
        rule: &'static str,
    },
}
