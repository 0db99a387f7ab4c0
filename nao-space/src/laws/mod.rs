//! Strategies of `proptest` for every space, and the laws of [`Space`] as tests (feature `testing`).
//!
//! For your own code: architectures, spellings, sequences and skeletons to test it with.
//!
//! ```
//! use nao_space::laws::cnn_archs;
//! use nao_space::{CnnSpace, Space};
//! use proptest::prelude::*;
//!
//! proptest! {
//!     // In a test module, write `#[test]` above the function.
//!     fn a_cell_has_a_loose_end(arch in cnn_archs(&CnnSpace::default())) {
//!         prop_assert!(!arch.normal.loose_ends().is_empty());
//!     }
//! }
//! a_cell_has_a_loose_end();
//! ```
//!
//! For your own space: one line instantiates all of its laws as tests, see [`space_laws!`](crate::space_laws).
//!
//! A failing architecture shrinks towards the first token allowed at every place: the first input, the
//! first operation.

mod choice;
mod cnn;
mod rnn;
mod skeletons;
pub mod spaces;

pub use choice::{any_choice_arch, any_choice_space};
pub use cnn::{any_cnn_arch, any_cnn_space, any_op_set, cnn_archs};
pub use rnn::{any_rnn_arch, any_rnn_space, rnn_archs};
pub use skeletons::{any_skeletons, skeletons};
pub use spaces::check_space_laws;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::language::{Space, Token};
use crate::seed::rng_for;

/// Architectures of a space, every allowed token equally likely at every place.
///
/// ```
/// use nao_space::laws::archs;
/// use nao_space::{CnnSpace, OpSet, Space};
/// use proptest::prelude::*;
/// use proptest::test_runner::TestRunner;
///
/// let space = CnnSpace::new(3, OpSet::enas_5()).unwrap();
/// let mut runner = TestRunner::default();
/// runner.run(&archs(&space), |arch| {
///     prop_assert_eq!(space.decode(&space.encode(&arch)), Ok(arch));
///     Ok(())
/// }).unwrap();
/// ```
pub fn archs<S: Space + Clone + 'static>(space: &S) -> impl Strategy<Value = S::Arch> + use<S> {
    let space = space.clone();
    choices(&space).prop_map(move |choices| arch_of(&space, &choices))
}

/// Two spellings of one architecture: branches exchanged, nodes renumbered.
///
/// ```
/// use nao_space::laws::respelled_pairs;
/// use nao_space::{CnnSpace, Space};
/// use proptest::prelude::*;
/// use proptest::test_runner::TestRunner;
///
/// let space = CnnSpace::default();
/// TestRunner::default().run(&respelled_pairs(&space), |(one, other)| {
///     prop_assert_eq!(space.key(&one), space.key(&other));
///     Ok(())
/// }).unwrap();
/// ```
pub fn respelled_pairs<S: Space + Clone + 'static>(
    space: &S,
) -> impl Strategy<Value = (S::Arch, S::Arch)> + use<S> {
    let space = space.clone();
    (choices(&space), any::<u64>()).prop_map(move |(choices, seed)| {
        let arch = arch_of(&space, &choices);
        let other = space.respell(&arch, &mut rng_for(seed, "respell", 0));
        (arch, other)
    })
}

/// Sequences of a space: every token allowed after those before it.
///
/// ```
/// use nao_space::laws::token_sequences;
/// use nao_space::{CnnSpace, Space};
/// use proptest::prelude::*;
/// use proptest::test_runner::TestRunner;
///
/// let space = CnnSpace::default();
/// TestRunner::default().run(&token_sequences(&space), |tokens| {
///     prop_assert!(space.decode(&tokens).is_ok());
///     Ok(())
/// }).unwrap();
/// ```
pub fn token_sequences<S: Space + Clone + 'static>(space: &S) -> impl Strategy<Value = Vec<Token>> + use<S> {
    let space = space.clone();
    choices(&space).prop_map(move |choices| sequence_of(&space, &choices))
}

/// Tokens of any number and kind: mostly of the vocabulary and near the right length, sometimes a sequence
/// with one token replaced, sometimes a sequence.
///
/// ```
/// use nao_space::laws::any_tokens;
/// use nao_space::{CnnSpace, Space};
/// use proptest::test_runner::TestRunner;
///
/// let space = CnnSpace::default();
/// TestRunner::default().run(&any_tokens(&space), |tokens| {
///     let _ = space.decode(&tokens); // whatever it says, it does not panic
///     Ok(())
/// }).unwrap();
/// ```
pub fn any_tokens<S: Space + Clone + 'static>(space: &S) -> impl Strategy<Value = Vec<Token>> + use<S> {
    let space = space.clone();
    garbage(&space).prop_map(move |garbage| garbage.tokens(&space))
}

/// What picks the tokens of a sequence: at every place the n-th allowed one, n modulo their number. Shrinks
/// towards zeros, which pick the first.
fn choices<S: Space>(space: &S) -> impl Strategy<Value = Vec<u32>> + use<S> {
    let most = space.vocabulary().len() as u32;
    // Of a range much wider than any mask, each residue is about equally likely.
    vec(0..most.saturating_mul(1000), space.sequence_len())
}

fn sequence_of<S: Space>(space: &S, choices: &[u32]) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(choices.len());
    for &choice in choices {
        let allowed = space.allowed(&tokens);
        let Some(pick) = (choice as usize).checked_rem(allowed.count()) else { break };
        tokens.extend(allowed.iter().nth(pick));
    }
    tokens
}

fn arch_of<S: Space>(space: &S, choices: &[u32]) -> S::Arch {
    let tokens = sequence_of(space, choices);
    space.decode(&tokens).unwrap_or_else(|error| panic!("a walk of allowed tokens is no sequence: {error}"))
}

/// A recipe for tokens that need be no sequence.
#[derive(Clone, Debug)]
enum Garbage {
    Anything(Vec<u16>),
    Sequence { choices: Vec<u32>, replaced: Option<(usize, u16)> },
}

fn garbage<S: Space>(space: &S) -> impl Strategy<Value = Garbage> + use<S> {
    let vocabulary = space.vocabulary().len() as u16;
    let token = || prop_oneof![8 => 0..=vocabulary, 1 => any::<u16>()];
    let replaced = proptest::option::weighted(0.8, (0..space.sequence_len().max(1), token()));
    prop_oneof![
        vec(token(), 0..=2 * space.sequence_len()).prop_map(Garbage::Anything),
        vec(token(), space.sequence_len()).prop_map(Garbage::Anything),
        (choices(space), replaced).prop_map(|(choices, replaced)| Garbage::Sequence { choices, replaced }),
    ]
}

impl Garbage {
    fn tokens<S: Space>(&self, space: &S) -> Vec<Token> {
        match self {
            Garbage::Anything(tokens) => tokens.iter().copied().map(Token).collect(),
            Garbage::Sequence { choices, replaced } => {
                let mut tokens = sequence_of(space, choices);
                if let Some((place, token)) = *replaced
                    && let Some(slot) = tokens.get_mut(place)
                {
                    *slot = Token(token);
                }
                tokens
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{TestError, TestRunner};

    use super::*;
    use crate::image::OpSet;
    use crate::spaces::CnnSpace;

    #[test]
    fn a_failing_architecture_shrinks_to_first_choices() {
        let space = CnnSpace::default();
        let result = TestRunner::deterministic().run(&archs(&space), |_| Err(TestCaseError::fail("always")));
        let Err(TestError::Fail(_, smallest)) = result else { panic!("{result:?}") };
        assert_eq!(space.format(&smallest), ["0 5 0 5"; 10].join(" "));
    }

    #[test]
    fn only_what_matters_is_left_after_shrinking() {
        let space = CnnSpace::default();
        let result = TestRunner::deterministic().run(&archs(&space), |arch| {
            let reads_node = arch.reduction.edges().any(|edge| edge.input.node() == Some(2));
            if reads_node { Err(TestCaseError::fail("reads node 2")) } else { Ok(()) }
        });
        let Err(TestError::Fail(_, smallest)) = result else { panic!("{result:?}") };
        let plain = |cell: &crate::image::Cell| cell.edges().filter(|edge| edge.input.index() > 0).count();
        assert_eq!((plain(&smallest.normal), plain(&smallest.reduction)), (0, 1));
    }

    #[test]
    fn every_token_turns_up_in_sequences() {
        let space = CnnSpace::new(2, OpSet::v2_10()).unwrap();
        let mut runner = TestRunner::deterministic();
        let mut seen = vec![false; space.vocabulary().len()];
        for _ in 0..100 {
            let tokens = token_sequences(&space).new_tree(&mut runner).unwrap().current();
            tokens.iter().for_each(|token| seen[token.index()] = true);
        }
        assert!(!seen[0] && seen[1..].iter().all(|&seen| seen), "{seen:?}");
    }

    #[test]
    fn garbage_is_sometimes_a_sequence_and_mostly_not() {
        let space = CnnSpace::default();
        let mut runner = TestRunner::deterministic();
        let sequences = (0..300).filter(|_| {
            let tokens = any_tokens(&space).new_tree(&mut runner).unwrap().current();
            space.decode(&tokens).is_ok()
        });
        let sequences = sequences.count();
        assert!((10..150).contains(&sequences), "{sequences}");
    }
}
