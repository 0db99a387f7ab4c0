//! The choices of an architecture of a choice space: what was chosen at every position, and among what.

use super::dot;
use super::palette::NEUTRAL;
use crate::language::{Space, Token};
use crate::spaces::{ChoiceArch, ChoiceSpace};

/// A position that applies.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    pub position: String,
    /// What can be chosen.
    pub choices: Vec<String>,
    /// Which of them was.
    pub chosen: usize,
    /// The position on whose choice it depends, by its place in the list; an earlier one.
    pub parent: Option<usize>,
}

/// Every position that applies, each after the one on which it depends.
pub(super) fn choices(space: &ChoiceSpace, arch: &ChoiceArch) -> Vec<Choice> {
    let positions = space.positions();
    let applies: Vec<usize> =
        (0..positions.len()).filter(|&at| arch.get(&positions[at].name).is_some()).collect();
    let parent_of = |at: usize| {
        let refers_to = &positions[at].only_if.as_ref()?.position;
        applies.iter().copied().find(|&other| positions[other].name == *refers_to)
    };
    // What depends on a position stands right below it; a stack, for chains of conditions may be long.
    let mut open: Vec<usize> = applies.iter().copied().filter(|&at| parent_of(at).is_none()).rev().collect();
    let mut order: Vec<usize> = Vec::with_capacity(applies.len());
    while let Some(at) = open.pop() {
        order.push(at);
        open.extend(applies.iter().copied().filter(|&other| parent_of(other) == Some(at)).rev());
    }
    let choice = |&at: &usize| {
        let position = &positions[at];
        let chosen = arch.get(&position.name);
        Choice {
            position: position.name.clone(),
            choices: position.choices.clone(),
            chosen: position.choices.iter().position(|known| Some(known.as_str()) == chosen).unwrap_or(0),
            parent: parent_of(at).and_then(|parent| order.iter().position(|&other| other == parent)),
        }
    };
    order.iter().map(choice).collect()
}

/// Every step of an architecture's sequence, of whatever space.
pub(super) fn steps<S: Space>(space: &S, arch: &S::Arch) -> Vec<Choice> {
    let (tokens, names) = (space.encode(arch), space.vocabulary().names());
    let step = |at: usize| {
        let allowed = space.allowed(&tokens[..at]);
        let choices: Vec<Token> = allowed.iter().collect();
        Choice {
            position: format!("step {}", at + 1),
            chosen: choices.iter().position(|token| *token == tokens[at]).unwrap_or(0),
            choices: choices.iter().map(|token| names[usize::from(token.0)].clone()).collect(),
            parent: None,
        }
    };
    (0..tokens.len()).map(step).collect()
}

impl Choice {
    /// How far it is from a position that always applies.
    pub(super) fn depth(&self, all: &[Choice]) -> usize {
        std::iter::successors(self.parent, |&parent| all[parent].parent).count()
    }
}

/// The choices as a DOT graph: a box per position, below that on which it depends.
pub(super) fn choices_dot(choices: &[Choice], title: &str) -> String {
    let mut text = dot::opening(title);
    dot::line(&mut text, "  ", format_args!("space [label=\"architecture\", shape=plaintext, style=\"\"];"));
    for (at, choice) in choices.iter().enumerate() {
        let label = dot::escaped(&format!("{} = {}", choice.position, choice.choices[choice.chosen]));
        let among = dot::escaped(&choice.choices.join(", "));
        let color = NEUTRAL.light.stroke;
        let statement =
            format_args!("choice_{at} [label=\"{label}\", tooltip=\"one of {among}\", color=\"{color}\"];");
        dot::line(&mut text, "  ", statement);
        match choice.parent {
            Some(parent) => dot::line(&mut text, "  ", format_args!("choice_{parent} -> choice_{at};")),
            None => dot::line(&mut text, "  ", format_args!("space -> choice_{at};")),
        }
    }
    text.push_str("}\n");
    text
}
