//! Strategies of choice spaces.

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use super::archs;
use crate::spaces::{ChoiceArch, ChoiceSpace, Condition, Position};

/// Choice spaces of 1 to 6 positions with 1 to 4 choices each, about half of the positions conditional.
///
/// ```
/// use nao_space::Space;
/// use proptest::test_runner::TestRunner;
/// TestRunner::default().run(&nao_space::laws::any_choice_space(), |space| {
///     assert_eq!(space.sequence_len(), space.positions().len());
///     Ok(())
/// }).unwrap();
/// ```
pub fn any_choice_space() -> impl Strategy<Value = ChoiceSpace> {
    let condition = option::of((any::<Index>(), btree_set(0..4usize, 1..=3)));
    vec((1..=4usize, condition), 1..=6).prop_map(|recipe| {
        let mut positions: Vec<Position> = Vec::new();
        for (index, (choices, condition)) in recipe.into_iter().enumerate() {
            let only_if = condition.filter(|_| index > 0).map(|(parent, wanted)| {
                let parent: &Position = &positions[parent.index(index)];
                let choice = parent.choices.iter().enumerate();
                let choice: Vec<String> = choice
                    .filter(|(place, _)| wanted.contains(place))
                    .map(|(_, choice)| choice.clone())
                    .collect();
                let choice = if choice.is_empty() { vec![parent.choices[0].clone()] } else { choice };
                Condition { position: parent.name.clone(), choice }
            });
            let choices = (0..choices).map(|choice| format!("c{choice}")).collect();
            positions.push(Position { name: format!("p{index}"), choices, only_if });
        }
        ChoiceSpace::new("any", positions)
            .expect("names are distinct and conditions refer to earlier positions")
    })
}

/// A choice space with one of its architectures.
///
/// ```
/// use proptest::test_runner::TestRunner;
/// TestRunner::default().run(&nao_space::laws::any_choice_arch(), |(space, arch)| {
///     assert!(space.check(&arch).is_ok());
///     Ok(())
/// }).unwrap();
/// ```
pub fn any_choice_arch() -> impl Strategy<Value = (ChoiceSpace, ChoiceArch)> {
    any_choice_space().prop_flat_map(|space| archs(&space).prop_map(move |arch| (space.clone(), arch)))
}
