//! How architectures grow from simple to complex, for searches that go level by level.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::token::{Token, TokenMask};

/// The positions of a sequence in levels: an architecture of level b has made the choices of the first b levels, and
/// placeholders stand at the positions of later ones. So simple architectures are sequences like all others.
///
/// A choice may fill several positions with one token, as where a block is used by two cells alike.
///
/// ```
/// use nao_space::{Levels, NasBench201Space, Space};
///
/// let space = NasBench201Space::default();
/// let growth = space.growth();
/// // Nodes 1, 2 and 3 read one, two and three earlier ones; until then they are passed by.
/// assert_eq!(growth.levels(), 3);
/// let first = growth.grow(|prefix| space.allowed(prefix), growth.placeholder(), 0);
/// assert_eq!(first.len(), 5);
/// let text = "|none~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|";
/// assert_eq!(space.format(&space.decode(&first[0])?), text);
/// assert_eq!(growth.grow(|prefix| space.allowed(prefix), &first[0], 1).len(), 25);
/// # Ok::<(), nao_space::DecodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// Level, choice, positions.
    levels: Vec<Vec<Vec<usize>>>,
    placeholder: Vec<Token>,
    /// What a position is, by position.
    roles: Vec<Role>,
}

/// What a position of a sequence is to its growth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Role {
    level: usize,
    /// The first position of its choice, which may be itself.
    copies: usize,
}

impl Growth {
    /// Levels of choices of positions. A placeholder that the grammar does not allow behind the tokens before it
    /// gives way to the first token that it does allow.
    ///
    /// # Panics
    /// When the choices do not hold every position of the placeholder just once, each in ascending order.
    pub fn new(placeholder: Vec<Token>, levels: Vec<Vec<Vec<usize>>>) -> Self {
        let mut roles: Vec<Option<Role>> = vec![None; placeholder.len()];
        for (level, choices) in levels.iter().enumerate() {
            for positions in choices {
                assert!(positions.is_sorted(), "the positions of a choice ascend");
                for &position in positions {
                    let role = Role { level, copies: positions[0] };
                    assert!(roles[position].replace(role).is_none(), "position {position} grows twice");
                }
            }
        }
        let roles = roles.into_iter().enumerate();
        let roles = roles.map(|(at, role)| role.unwrap_or_else(|| panic!("position {at} never grows")));
        Growth { levels, placeholder, roles: roles.collect() }
    }

    /// A level per position, in order; the first allowed token is the placeholder.
    ///
    /// `allowed` tells what may follow a prefix, as that of a space does, and `sequence_len` how long sequences are.
    pub fn token_by_token(sequence_len: usize, allowed: impl Fn(&[Token]) -> TokenMask) -> Self {
        let mut placeholder = Vec::with_capacity(sequence_len);
        while placeholder.len() < sequence_len {
            let next = allowed(&placeholder).iter().next();
            placeholder.push(next.expect("a sequence that has begun goes on"));
        }
        let levels = (0..placeholder.len()).map(|position| vec![vec![position]]).collect();
        Growth::new(placeholder, levels)
    }

    /// Number of levels.
    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// The sequence in which nothing has been chosen, as far as the grammar allows it.
    pub fn placeholder(&self) -> &[Token] {
        &self.placeholder
    }

    /// What has been chosen in the first `levels` levels: one token per choice, in order.
    pub fn chosen(&self, sequence: &[Token], levels: usize) -> Vec<Token> {
        let choices = self.levels.iter().take(levels).flatten();
        choices.map(|positions| sequence[positions[0]]).collect()
    }

    /// All sequences that make the choices of a level, counted from 0, after those that `sequence` has made in earlier
    /// levels.
    /// `allowed` tells what may follow a prefix.
    pub fn grow(
        &self,
        allowed: impl Fn(&[Token]) -> TokenMask,
        sequence: &[Token],
        level: usize,
    ) -> Vec<Vec<Token>> {
        let mut open = vec![Vec::with_capacity(self.roles.len())];
        for position in 0..self.roles.len() {
            let mut longer = Vec::with_capacity(open.len());
            for prefix in open {
                let mut next = self.next(allowed(&prefix), &prefix, sequence, level);
                let Some(last) = next.pop() else { continue };
                longer.extend(next.into_iter().map(|token| extended(prefix.clone(), token, position)));
                longer.push(extended(prefix, last, position));
            }
            open = longer;
        }
        open
    }

    /// One of the sequences that [`grow`](Growth::grow) gives, drawn token by token; `None` where the choices drawn
    /// cannot be completed.
    pub fn grow_one(
        &self,
        allowed: impl Fn(&[Token]) -> TokenMask,
        sequence: &[Token],
        level: usize,
        rng: &mut ChaCha8Rng,
    ) -> Option<Vec<Token>> {
        let mut grown = Vec::with_capacity(self.roles.len());
        while grown.len() < self.roles.len() {
            let next = self.next(allowed(&grown), &grown, sequence, level);
            if next.is_empty() {
                return None;
            }
            grown.push(next[rng.random_range(0..next.len())]);
        }
        Some(grown)
    }

    /// What may follow a prefix, of what the grammar allows.
    fn next(&self, allowed: TokenMask, prefix: &[Token], sequence: &[Token], level: usize) -> Vec<Token> {
        let Role { level: own, copies } = self.roles[prefix.len()];
        let only = |token: Token| if allowed.contains(token) { vec![token] } else { Vec::new() };
        if copies < prefix.len() && own <= level {
            only(prefix[copies])
        } else if own < level {
            only(sequence[prefix.len()])
        } else if own == level {
            allowed.iter().collect()
        } else {
            let wanted = Some(self.placeholder[prefix.len()]).filter(|&token| allowed.contains(token));
            wanted.or_else(|| allowed.iter().next()).into_iter().collect()
        }
    }
}

fn extended(mut prefix: Vec<Token>, token: Token, position: usize) -> Vec<Token> {
    debug_assert_eq!(prefix.len(), position);
    prefix.push(token);
    prefix
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::image::OpSet;
    use crate::language::{Levels, Space};
    use crate::seed::rng_for;
    use crate::spaces::{ChoiceSpace, CnnSpace, DartsSpace, NasBench101Space, NasBench201Space, RnnSpace};

    /// Grows all architectures of a small space, or a few of each level, and looks at each.
    fn grows<S: Levels>(space: &S, width: usize) -> Vec<usize> {
        let growth = space.growth();
        let mut parents = vec![growth.placeholder().to_vec()];
        let mut counts = Vec::new();
        for level in 0..growth.levels() {
            let mut all = Vec::new();
            for parent in &parents {
                let grown = growth.grow(|prefix| space.allowed(prefix), parent, level);
                for sequence in &grown {
                    assert!(space.decode(sequence).is_ok(), "{sequence:?}");
                    assert_eq!(growth.chosen(sequence, level), growth.chosen(parent, level));
                }
                let distinct: HashSet<_> = grown.iter().collect();
                assert_eq!(distinct.len(), grown.len());
                let mut rng = rng_for(1, "growth", level as u64);
                if let Some(one) = growth.grow_one(|prefix| space.allowed(prefix), parent, level, &mut rng) {
                    assert!(distinct.contains(&one));
                }
                all.extend(grown);
            }
            counts.push(all.len());
            all.truncate(width);
            parents = all;
        }
        counts
    }

    #[test]
    fn every_level_multiplies_by_its_choices() {
        assert_eq!(grows(&NasBench201Space::default(), usize::MAX), [5, 125, 15_625]);
        // Both cells alike: squares of 2 x 5 and 3 x 5 edges.
        assert_eq!(grows(&CnnSpace::new(2, OpSet::enas_5()).unwrap(), usize::MAX), [100, 22_500]);
        assert_eq!(grows(&DartsSpace::default(), 2), [2 * 49, 2 * 6 * 49, 2 * 12 * 49, 2 * 20 * 49]);
        assert_eq!(grows(&RnnSpace::new(3, Default::default()).unwrap(), usize::MAX), [4, 32, 384]);
    }

    #[test]
    fn cells_of_a_benchmark_grow_by_vertices() {
        let space = NasBench101Space::default();
        let growth = space.growth();
        let first = growth.grow(|prefix| space.allowed(prefix), growth.placeholder(), 0);
        let vertices = |sequence: &Vec<Token>| space.decode(sequence).unwrap().ops().len();
        // The output itself, or one of three operations before it.
        assert_eq!(first.iter().map(vertices).collect::<Vec<_>>(), [1, 1, 1, 0]);
        assert_eq!(grows(&space, 20).len(), 6);
    }

    #[test]
    fn both_cells_take_the_same_block() {
        let space = CnnSpace::default();
        let growth = space.growth();
        let mut sequence = growth.placeholder().to_vec();
        for level in 0..growth.levels() {
            sequence = growth
                .grow_one(|prefix| space.allowed(prefix), &sequence, level, &mut rng_for(2, "growth", 0))
                .unwrap();
            let arch = space.decode(&sequence).unwrap();
            assert_eq!(arch.normal, arch.reduction);
        }
    }

    #[test]
    fn conditional_choices_follow_the_grammar() {
        let space = ChoiceSpace::from_toml(
            r#"
            name = "tiny"
            [[position]]
            name = "block"
            choices = ["plain", "residual"]
            [[position]]
            name = "skip"
            choices = ["identity", "conv", "pool"]
            only_if = { position = "block", choice = "residual" }
            "#,
        )
        .unwrap();
        assert_eq!(grows(&space, usize::MAX), [2, 4]);
    }
}
