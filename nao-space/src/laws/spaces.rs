//! The laws of [`Space`], each a property test over any space.
//!
//! Each function runs its law on generated architectures, texts or tokens, as many as `PROPTEST_CASES` says (64
//! when unset), and panics with the smallest case that breaks it. All at once: [`check_space_laws`], or one
//! test per law: [`space_laws!`](crate::space_laws).

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};

use super::{arch_of, choices, garbage, sequence_of};
use crate::graph::{OperationGraph, VertexLabel};
use crate::language::{Graphs, Token};
use crate::seed::rng_for;

/// Checks all laws of a space, one after another.
///
/// ```
/// use nao_space::laws::check_space_laws;
/// use nao_space::{CnnSpace, OpSet};
/// check_space_laws(&CnnSpace::new(2, OpSet::enas_5()).unwrap());
/// ```
///
/// # Panics
/// When the space breaks a law: with the law and the smallest case found.
pub fn check_space_laws<S: Graphs>(space: &S) {
    crate::with_space_laws! { space_laws! @check space }
}

/// Hands the list of all laws to a macro, after other words.
#[doc(hidden)]
#[macro_export]
macro_rules! with_space_laws {
    ($macro:ident! $($words:tt)*) => {
        $crate::$macro! { $($words)* =>
            decoding_undoes_encoding
            parsing_undoes_formatting
            json_reads_back
            masked_walks_are_sequences
            whole_sequences_allow_nothing_more
            decoding_accepts_just_what_is_allowed
            no_text_panics
            canonical_is_idempotent
            respelling_keeps_canonical_form_and_key
            keys_are_equal_just_where_canonical_forms_are
            neighbours_are_distinct_others_of_the_space
            neighbourhood_is_mutual
            a_mutation_is_a_neighbour
            samples_belong_to_the_space
            graphs_fit_their_schema_and_do_not_see_respelling
        }
    };
}

/// Makes a module with one test for each law of a space.
///
/// ```
/// # #[cfg(test)]
/// nao_space::space_laws!(three_nodes, nao_space::CnnSpace::new(3, nao_space::OpSet::enas_5()).unwrap());
/// ```
#[macro_export]
macro_rules! space_laws {
    ($name:ident, $space:expr) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $crate::with_space_laws! { space_laws! @tests $space }
        }
    };
    (@tests $space:expr => $($law:ident)+) => {
        $(
            #[test]
            fn $law() {
                $crate::laws::spaces::$law(&$space);
            }
        )+
    };
    (@check $space:ident => $($law:ident)+) => {
        $( $crate::laws::spaces::$law($space); )+
    };
}

/// `decode(encode(a)) == a`, and a sequence has the length that the space says and no start symbol.
pub fn decoding_undoes_encoding<S: Graphs>(space: &S) {
    for_archs(space, "decoding undoes encoding", |arch| {
        let tokens = space.encode(&arch);
        prop_assert_eq!(tokens.len(), space.sequence_len());
        prop_assert!(!tokens.contains(&Token::START), "the start symbol is no token of a sequence");
        is_in_space(space, &arch)
    });
}

/// `parse(format(a)) == a`, and no text has line breaks or space around it.
pub fn parsing_undoes_formatting<S: Graphs>(space: &S) {
    for_archs(space, "parsing undoes formatting", |arch| {
        let text = space.format(&arch);
        prop_assert_eq!(text.trim(), &text);
        prop_assert!(!text.contains('\n'), "{text:?}");
        prop_assert_eq!(space.parse(&text), Ok(arch));
        Ok(())
    });
}

/// An architecture survives JSON.
pub fn json_reads_back<S: Graphs>(space: &S) {
    for_archs(space, "JSON reads back", |arch| {
        let json = serde_json::to_string(&arch).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let read: Result<S::Arch, _> = serde_json::from_str(&json);
        prop_assert_eq!(read.map_err(|error| error.to_string()), Ok(arch));
        Ok(())
    });
}

/// A walk that takes any allowed token at each step is a sequence, and the sequence of what it decodes to.
pub fn masked_walks_are_sequences<S: Graphs>(space: &S) {
    check(space, "masked walks are sequences", sequences(space), |tokens| {
        prop_assert_eq!(tokens.len(), space.sequence_len(), "nothing is allowed after {:?}", tokens);
        let arch = space.decode(&tokens).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(space.encode(&arch), tokens);
        Ok(())
    });
}

/// After a whole sequence nothing is allowed, and masks speak of the space's vocabulary.
pub fn whole_sequences_allow_nothing_more<S: Graphs>(space: &S) {
    check(space, "whole sequences allow nothing more", sequences(space), |tokens| {
        for length in 0..=tokens.len() {
            let allowed = space.allowed(&tokens[..length]);
            prop_assert_eq!(allowed.vocabulary_len(), space.vocabulary().len());
            prop_assert_eq!(allowed.count() == 0, length == space.sequence_len(), "after {} tokens", length);
        }
        Ok(())
    });
}

/// Tokens decode just if they are as many as a sequence has and each is allowed after those before; nothing
/// panics, neither `decode` nor `allowed`.
pub fn decoding_accepts_just_what_is_allowed<S: Graphs>(space: &S) {
    let any_tokens = garbage(space).prop_map(|garbage| garbage.tokens(space));
    check(space, "decoding accepts just what is allowed", any_tokens, |tokens| {
        let each_allowed =
            (0..tokens.len()).all(|place| space.allowed(&tokens[..place]).contains(tokens[place]));
        let sequence = tokens.len() == space.sequence_len() && each_allowed;
        let decoded = space.decode(&tokens);
        prop_assert_eq!(decoded.is_ok(), sequence, "{:?}: {:?}", tokens, decoded);
        if let Err(error) = decoded {
            prop_assert!(!error.to_string().is_empty());
        }
        Ok(())
    });
}

/// Reading any text, or the text of an architecture with a piece replaced, gives an architecture of the
/// space or an error, never a panic.
pub fn no_text_panics<S: Graphs>(space: &S) {
    let piece = prop_oneof!["[0-9 -]{0,4}", "\\PC{0,3}", Just(String::new())];
    let cases = ("\\PC{0,80}", archs_of(space), any::<Index>(), any::<Index>(), piece);
    check(space, "no text panics", cases, |(anything, arch, from, to, piece)| {
        let mut changed: Vec<char> = space.format(&arch).chars().collect();
        let [from, to] = [from, to].map(|index| index.index(changed.len() + 1));
        changed.splice(from.min(to)..from.max(to).min(from.min(to) + 3), piece.chars());
        for text in [anything, changed.into_iter().collect()] {
            match space.parse(&text) {
                Ok(arch) => is_in_space(space, &arch)?,
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
        Ok(())
    });
}

/// The canonical form is its own canonical form and belongs to the space.
pub fn canonical_is_idempotent<S: Graphs>(space: &S) {
    for_archs(space, "canonical is idempotent", |arch| {
        let canonical = space.canonical(&arch);
        prop_assert_eq!(space.canonical(&canonical), canonical.clone());
        is_in_space(space, &canonical)
    });
}

/// Respelling stays in the space and changes neither canonical form nor key.
pub fn respelling_keeps_canonical_form_and_key<S: Graphs>(space: &S) {
    let cases = (archs_of(space), any::<u64>());
    check(space, "respelling keeps canonical form and key", cases, |(arch, seed)| {
        let other = space.respell(&arch, &mut rng_for(seed, "respell", 0));
        is_in_space(space, &other)?;
        prop_assert_eq!(space.canonical(&other), space.canonical(&arch));
        prop_assert_eq!(space.key(&other), space.key(&arch));
        Ok(())
    });
}

/// Two architectures have equal keys just where their canonical forms are equal. Tried on independent pairs, on
/// neighbours, and on two neighbours of one architecture, among which equal ones are frequent.
pub fn keys_are_equal_just_where_canonical_forms_are<S: Graphs>(space: &S) {
    let cases = (archs_of(space), archs_of(space), any::<[Index; 2]>());
    check(space, "keys are equal just where canonical forms are", cases, |(one, two, picks)| {
        let near = space.neighbours(&one);
        let mut all = vec![one, two];
        if !near.is_empty() {
            all.extend(picks.iter().map(|pick| pick.get(&near).clone()));
        }
        for (index, a) in all.iter().enumerate() {
            for b in &all[..index] {
                let same = space.canonical(a) == space.canonical(b);
                prop_assert_eq!(space.key(a) == space.key(b), same, "{:?} and {:?}", a, b);
            }
        }
        Ok(())
    });
}

/// Neighbours belong to the space, differ from the architecture and from each other.
pub fn neighbours_are_distinct_others_of_the_space<S: Graphs>(space: &S) {
    for_archs(space, "neighbours are distinct others of the space", |arch| {
        let neighbours = space.neighbours(&arch);
        let mut seen = std::collections::HashSet::new();
        for neighbour in &neighbours {
            is_in_space(space, neighbour)?;
            prop_assert_ne!(neighbour, &arch);
            prop_assert!(seen.insert(neighbour), "twice: {:?}", neighbour);
        }
        prop_assert_eq!(space.neighbours(&arch), neighbours, "the order is fixed");
        Ok(())
    });
}

/// An architecture is a neighbour of each of its neighbours. Tried on four of them.
pub fn neighbourhood_is_mutual<S: Graphs>(space: &S) {
    let cases = (archs_of(space), any::<[Index; 4]>());
    check(space, "neighbourhood is mutual", cases, |(arch, picks)| {
        let neighbours = space.neighbours(&arch);
        if neighbours.is_empty() {
            return Ok(());
        }
        for pick in picks {
            let neighbour = pick.get(&neighbours);
            prop_assert!(space.neighbours(neighbour).contains(&arch), "not mutual: {:?}", neighbour);
        }
        Ok(())
    });
}

/// A mutation is a neighbour, or the architecture itself where it has none.
pub fn a_mutation_is_a_neighbour<S: Graphs>(space: &S) {
    let cases = (archs_of(space), any::<u64>());
    check(space, "a mutation is a neighbour", cases, |(arch, seed)| {
        let mutant = space.mutate(&arch, &mut rng_for(seed, "mutate", 0));
        let neighbours = space.neighbours(&arch);
        if neighbours.is_empty() {
            prop_assert_eq!(mutant, arch);
        } else {
            prop_assert!(neighbours.contains(&mutant), "{:?}", mutant);
        }
        Ok(())
    });
}

/// Samples belong to the space, and the same generator draws the same one.
pub fn samples_belong_to_the_space<S: Graphs>(space: &S) {
    check(space, "samples belong to the space", any::<u64>(), |seed| {
        let sample = || space.sample(&mut rng_for(seed, "sample", 0));
        prop_assert_eq!(sample(), sample());
        is_in_space(space, &sample())
    });
}

/// Graphs are made of what their schema names, every vertex reads earlier ones and leads to the output, no path is longer
/// than the schema says, and canonical spellings of one architecture have equal graphs.
pub fn graphs_fit_their_schema_and_do_not_see_respelling<S: Graphs>(space: &S) {
    let cases = (archs_of(space), any::<u64>());
    check(space, "graphs fit their schema and do not see respelling", cases, |(arch, seed)| {
        let graphs = space.graphs(&space.canonical(&arch));
        let Some(schema) = space.graph_schema() else {
            prop_assert!(graphs.is_empty(), "graphs without a schema");
            return Ok(());
        };
        prop_assert_eq!(graphs.len(), schema.cells.len());
        for graph in &graphs {
            let mut operations = vec![0; graph.len()];
            for (vertex, (&label, reads)) in graph.labels().iter().zip(graph.reads()).enumerate() {
                let known = match label {
                    VertexLabel::Input(input) => usize::from(input) < schema.inputs.len() && reads.is_empty(),
                    VertexLabel::Operation(operation) => {
                        usize::from(operation) < schema.operations.len() && !reads.is_empty()
                    }
                    VertexLabel::Output => vertex + 1 == graph.len(),
                };
                prop_assert!(known && reads.iter().all(|&read| read < vertex), "{label:?} in {graph:?}");
                let before = reads.iter().map(|&read| operations[read]).max().unwrap_or(0);
                operations[vertex] = before + usize::from(matches!(label, VertexLabel::Operation(_)));
            }
            prop_assert!(operations.iter().all(|&longest| longest <= schema.longest_path), "{graph:?}");
            let unread = graph.readers().iter().filter(|readers| readers.is_empty()).count();
            prop_assert_eq!(unread, 1, "only the output has no reader: {:?}", graph);
        }
        let other = space.respell(&arch, &mut rng_for(seed, "respell", 0));
        let prints =
            |graphs: &[OperationGraph]| graphs.iter().map(OperationGraph::fingerprint).collect::<Vec<_>>();
        prop_assert_eq!(prints(&space.graphs(&space.canonical(&other))), prints(&graphs));
        Ok(())
    });
}

/// An architecture is in the space just if its sequence is one of the space's and means it.
fn is_in_space<S: Graphs>(space: &S, arch: &S::Arch) -> TestCaseResult {
    let meant = space.decode(&space.encode(arch));
    prop_assert_eq!(meant.as_ref(), Ok(arch));
    Ok(())
}

fn for_archs<S: Graphs>(space: &S, law: &str, test: impl Fn(S::Arch) -> TestCaseResult) {
    check(space, law, archs_of(space), test);
}

/// As [`super::archs`], on a borrowed space.
fn archs_of<S: Graphs>(space: &S) -> impl Strategy<Value = S::Arch> {
    choices(space).prop_map(|choices| arch_of(space, &choices))
}

/// As [`super::token_sequences`], on a borrowed space.
fn sequences<S: Graphs>(space: &S) -> impl Strategy<Value = Vec<Token>> {
    choices(space).prop_map(|choices| sequence_of(space, &choices))
}

fn check<S: Graphs, T: Strategy>(space: &S, law: &str, cases: T, test: impl Fn(T::Value) -> TestCaseResult) {
    let set = Config::default();
    // No file of past failures: this runs in other people's crates.
    let config = Config {
        cases: if std::env::var_os("PROPTEST_CASES").is_some() { set.cases } else { 64 },
        failure_persistence: None,
        ..set
    };
    if let Err(error) = TestRunner::new(config).run(&cases, test) {
        panic!("{} breaks the law \"{law}\": {error}", space.name());
    }
}
