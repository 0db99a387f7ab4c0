//! A space and its sequences in words, for people.

use std::fmt::Write;

use num_bigint::BigUint;

use super::space::Describe;
use super::token::{Token, TokenMask};
use crate::seed::rng_for;

/// How many random sequences show what is allowed at a position.
const WALKS: u64 = 256;

/// A space in a few lines: its name, how many sequences it has, its vocabulary, and for each position what its
/// token says and which tokens may stand there.
///
/// Where what is allowed depends on the tokens before, the line says so and lists what 256 random sequences
/// allowed.
///
/// ```
/// use nao_space::{NasBench201Space, describe};
/// let text = describe(&NasBench201Space::default());
/// assert!(text.starts_with("nasbench201: 15625 sequences of 6 tokens, vocabulary of 6\n"));
/// assert!(text.contains("1 <- 0: none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3"), "{text}");
/// ```
pub fn describe<S: Describe>(space: &S) -> String {
    let vocabulary = space.vocabulary();
    let mut text = format!(
        "{}: {} sequences of {} tokens, vocabulary of {}\n",
        space.name(),
        rounded(&space.size()),
        space.sequence_len(),
        vocabulary.len()
    );
    for (position, choice) in choices(space).iter().enumerate() {
        let names = choice.seen.iter().map(|token| vocabulary.name(token).unwrap_or("?"));
        let names = names.collect::<Vec<_>>().join(", ");
        let depends = if choice.depends { " (depends on the tokens before)" } else { "" };
        writeln!(text, "{position:>4}  {}: {names}{depends}", space.position(position))
            .expect("a string takes any text");
    }
    text
}

/// Tokens in words, a line each: what the token at that place says, and what it is. A token that the grammar does
/// not allow is answered with those that it allows, and ends the explanation, for what follows has no meaning.
///
/// ```
/// use nao_space::{NasBench201Space, Token, explain};
/// let space = NasBench201Space::default();
/// let text = explain(&space, &[Token(4), Token(1), Token(9)]);
/// assert_eq!(
///     text,
///     "   0  1 <- 0: nor_conv_3x3\n   1  2 <- 0: none\n   2  2 <- 1: token 9 is not allowed; allowed are \
///      1 (none), 2 (skip_connect), 3 (nor_conv_1x1), 4 (nor_conv_3x3), 5 (avg_pool_3x3)\n"
/// );
/// ```
pub fn explain<S: Describe>(space: &S, tokens: &[Token]) -> String {
    let vocabulary = space.vocabulary();
    let mut text = String::new();
    for (position, &token) in tokens.iter().enumerate() {
        if position >= space.sequence_len() {
            let more = tokens.len() - position;
            let _ =
                writeln!(text, "{position:>4}  {more} more than the {} of a sequence", space.sequence_len());
            break;
        }
        let allowed = space.allowed(&tokens[..position]);
        let says = space.position(position);
        match vocabulary.name(token).filter(|_| allowed.contains(token)) {
            Some(name) => {
                let _ = writeln!(text, "{position:>4}  {says}: {name}");
            }
            None => {
                let allowed = vocabulary.describe(&allowed);
                let _ = writeln!(
                    text,
                    "{position:>4}  {says}: token {} is not allowed; allowed are {allowed}",
                    token.0
                );
                break;
            }
        }
    }
    text
}

/// What is allowed at a position.
struct Choice {
    seen: TokenMask,
    depends: bool,
}

fn choices<S: Describe>(space: &S) -> Vec<Choice> {
    let mut all: Vec<Choice> = Vec::new();
    for walk in 0..WALKS {
        let tokens = space.encode(&space.sample(&mut rng_for(0, "describe", walk)));
        for position in 0..tokens.len() {
            let allowed = space.allowed(&tokens[..position]);
            match all.get_mut(position) {
                Some(choice) => {
                    choice.depends |= allowed != choice.seen;
                    allowed.iter().for_each(|token| choice.seen.insert(token));
                }
                None => all.push(Choice { seen: allowed, depends: false }),
            }
        }
    }
    all
}

/// A number of up to 9 digits as it is, a longer one by its leading digits and power of ten.
fn rounded(number: &BigUint) -> String {
    let digits = number.to_string();
    if digits.len() <= 9 {
        return digits;
    }
    format!("about {}.{}e{}", &digits[..1], &digits[1..3], digits.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Space;
    use crate::spaces::{CnnSpace, DartsSpace, NasBench101Space};

    #[test]
    fn masks_that_depend_on_earlier_tokens_are_said_to() {
        let text = describe(&DartsSpace::default());
        assert!(text.contains("   0  normal cell, node 0, first input: state 0, state 1\n"), "{text}");
        let second =
            "  18  reduction cell, node 0, second input: state 0, state 1 (depends on the tokens before)\n";
        assert!(text.contains(second), "{text}");
        let cells = CnnSpace::with_encoding(5, crate::OpSet::tf_19(), crate::Encoding::KindSize).unwrap();
        let text = describe(&cells);
        assert!(text.contains("  59  reduction cell, node 4, second operation (second token): "), "{text}");
        let text = describe(&crate::RnnSpace::default());
        assert!(
            text.contains("  20  node 11, input: ") && text.contains("  21  node 11, activation: "),
            "{text}"
        );
        let text = describe(&NasBench101Space::default());
        let last = "  26  operation of vertex 6: output, no vertex (depends on the tokens before)\n";
        assert!(text.starts_with("nasbench101: 1293208 sequences") && text.ends_with(last), "{text}");
    }

    #[test]
    fn large_sizes_are_rounded() {
        let text = describe(&CnnSpace::default());
        assert!(text.starts_with("cnn/paper-11/5: about 1.80e32 sequences of 40 tokens"), "{text}");
    }

    #[test]
    fn sequences_that_go_on_are_cut_off() {
        let space = NasBench101Space::default();
        let arch = space.parse("0100 input|output").expect("the smallest cell");
        let mut tokens = space.encode(&arch);
        assert_eq!(explain(&space, &tokens).lines().count(), 27);
        tokens.extend([Token(1), Token(1)]);
        assert!(explain(&space, &tokens).ends_with("  27  2 more than the 27 of a sequence\n"));
    }
}
