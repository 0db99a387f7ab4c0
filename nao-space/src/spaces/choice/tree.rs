//! Positions as a forest: each conditional position hangs below the one that it refers to.

use num_bigint::BigUint;

/// The choice at every position, by number; `None` where the position does not apply.
pub(super) type Picks = Vec<Option<usize>>;

/// Where a switch of one choice brings positions into play, all their arrangements are neighbours as long as
/// there are no more than this; beyond it, the one of first choices is. The same holds the other way round.
const MAX_ARRANGEMENTS: u32 = 1000;

/// One position of the forest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Branch {
    /// Number of choices.
    pub(super) choices: usize,
    /// The earlier position that this one depends on, and for each of its choices whether that meets the condition.
    pub(super) condition: Option<(usize, Vec<bool>)>,
}

/// All positions in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Forest {
    branches: Vec<Branch>,
    /// The positions that depend on each position.
    dependents: Vec<Vec<usize>>,
    /// The number of arrangements of each position and all that hang below it, once it applies.
    arrangements: Vec<BigUint>,
}

impl Forest {
    pub(super) fn new(branches: Vec<Branch>) -> Self {
        let mut dependents = vec![Vec::new(); branches.len()];
        for (position, branch) in branches.iter().enumerate() {
            if let Some((parent, _)) = branch.condition {
                dependents[parent].push(position);
            }
        }
        let mut forest = Forest { arrangements: vec![BigUint::ZERO; branches.len()], branches, dependents };
        // Conditions refer to earlier positions, so those that hang below a position are counted before it.
        for position in (0..forest.branches.len()).rev() {
            let choices = 0..forest.branches[position].choices;
            let all = choices.map(|choice| forest.product(forest.met(position, choice))).sum();
            forest.arrangements[position] = all;
        }
        forest
    }

    /// The number of arrangements of the whole forest.
    pub(super) fn size(&self) -> BigUint {
        self.product((0..self.branches.len()).filter(|&position| self.branches[position].condition.is_none()))
    }

    fn product(&self, positions: impl Iterator<Item = usize>) -> BigUint {
        positions.map(|position| &self.arrangements[position]).product()
    }

    /// Whether a position applies, given the choices at earlier ones.
    pub(super) fn applies(&self, position: usize, picks: &[Option<usize>]) -> bool {
        match &self.branches[position].condition {
            None => true,
            Some((parent, met)) => picks[*parent].is_some_and(|choice| met[choice]),
        }
    }

    /// The positions that apply because `position` has that choice.
    fn met(&self, position: usize, choice: usize) -> impl Iterator<Item = usize> + '_ {
        let dependents = self.dependents[position].iter().copied();
        dependents.filter(move |&dependent| match &self.branches[dependent].condition {
            Some((_, met)) => met[choice],
            None => false,
        })
    }

    /// All arrangements that differ in the choice at one position, and in what applies because of it.
    pub(super) fn neighbours(&self, picks: &Picks) -> Vec<Picks> {
        let mut all = Vec::new();
        for (position, pick) in picks.iter().enumerate() {
            let Some(pick) = *pick else { continue };
            for other in (0..self.branches[position].choices).filter(|&other| other != pick) {
                self.switch(picks, position, pick, other, &mut all);
            }
        }
        all
    }

    fn switch(&self, picks: &Picks, position: usize, from: usize, to: usize, all: &mut Vec<Picks>) {
        let before: Vec<usize> = self.met(position, from).collect();
        let after: Vec<usize> = self.met(position, to).collect();
        let falling: Vec<usize> = before.iter().copied().filter(|root| !after.contains(root)).collect();
        let rising: Vec<usize> = after.iter().copied().filter(|root| !before.contains(root)).collect();
        if !self.are_few(&falling) && !self.is_first(picks, &falling) {
            return;
        }
        let mut base = picks.clone();
        base[position] = Some(to);
        falling.iter().for_each(|&root| self.clear(&mut base, root));
        if !self.are_few(&rising) {
            rising.iter().for_each(|&root| self.set_first(&mut base, root));
            all.push(base);
            return;
        }
        all.extend(rising.iter().fold(vec![base], |arranged, &root| self.arranged(arranged, root)));
    }

    fn are_few(&self, roots: &[usize]) -> bool {
        self.product(roots.iter().copied()) <= BigUint::from(MAX_ARRANGEMENTS)
    }

    fn clear(&self, picks: &mut Picks, root: usize) {
        picks[root] = None;
        self.dependents[root].iter().for_each(|&below| self.clear(picks, below));
    }

    fn set_first(&self, picks: &mut Picks, root: usize) {
        picks[root] = Some(0);
        self.met(root, 0).for_each(|below| self.set_first(picks, below));
    }

    fn is_first(&self, picks: &Picks, roots: &[usize]) -> bool {
        let mut first = picks.clone();
        for &root in roots {
            self.clear(&mut first, root);
            self.set_first(&mut first, root);
        }
        first == *picks
    }

    /// Each of `picks` with every arrangement of a position that newly applies, and of what hangs below it.
    fn arranged(&self, picks: Vec<Picks>, root: usize) -> Vec<Picks> {
        let mut all = Vec::new();
        for base in picks {
            for choice in 0..self.branches[root].choices {
                let mut chosen = base.clone();
                chosen[root] = Some(choice);
                let below = self.met(root, choice);
                all.extend(below.fold(vec![chosen], |arranged, root| self.arranged(arranged, root)));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch(choices: usize, condition: Option<(usize, &[bool])>) -> Branch {
        Branch { choices, condition: condition.map(|(parent, met)| (parent, met.to_vec())) }
    }

    #[test]
    fn conditions_are_counted_exactly() {
        // 0 has 2 choices; the second brings 1 (3 choices) into play, whose first brings 2 (4 choices); 3 is free.
        let chain = [
            branch(2, None),
            branch(3, Some((0, &[false, true]))),
            branch(4, Some((1, &[true, false, false]))),
            branch(5, None),
        ];
        assert_eq!(Forest::new(chain.to_vec()).size(), BigUint::from((1u32 + (4 + 1 + 1)) * 5));
    }

    #[test]
    fn a_switch_brings_all_arrangements_into_play_while_they_are_few() {
        let forest = Forest::new(vec![branch(2, None), branch(3, Some((0, &[false, true])))]);
        assert_eq!(forest.neighbours(&vec![Some(0), None]).len(), 3);
        let off = vec![Some(0), None];
        assert!((0..3).all(|choice| forest.neighbours(&vec![Some(1), Some(choice)]).contains(&off)));
    }

    #[test]
    fn beyond_that_only_first_choices_come_and_go() {
        let mut branches = vec![branch(2, None)];
        branches.extend((0..10).map(|_| branch(2, Some((0, &[false, true])))));
        let forest = Forest::new(branches);
        let mut off = vec![None; 11];
        off[0] = Some(0);
        let mut first = vec![Some(0); 11];
        first[0] = Some(1);
        assert_eq!(forest.neighbours(&off), [first.clone()]);
        assert!(forest.neighbours(&first).contains(&off));
        first[5] = Some(1);
        assert!(!forest.neighbours(&first).contains(&off));
    }
}
