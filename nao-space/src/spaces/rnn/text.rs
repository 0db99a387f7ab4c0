//! NAO strings of recurrent cells: two integers per node, input and activation, separated by spaces
//! (docs/specification.md, b): `0 1 0 1 1 1 3 0 …`.

use super::arch::{ActivationOrder, RnnArch, RnnNode, RnnState};
use crate::text::ParseError;
use crate::text::Words;

/// The NAO string of a recurrent cell, with the ids of an order of activations.
pub fn format_rnn(arch: &RnnArch, order: ActivationOrder) -> String {
    let node = |node: &RnnNode| format!("{} {}", node.input, order.id(node.activation));
    arch.nodes().iter().map(node).collect::<Vec<_>>().join(" ")
}

/// Reads a NAO string of `nodes` nodes with the ids of an order of activations. Any white space separates numbers.
///
/// # Errors
/// On a wrong count, a word that is no number, an input that points forward, an id that no activation has.
pub fn parse_rnn(text: &str, nodes: usize, order: ActivationOrder) -> Result<RnnArch, ParseError> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let reader = Words { words: &words, first: 0 };
    let read = (0..nodes).map_while(|node| read_node(&reader, node, order).transpose());
    let read = read.collect::<Result<Vec<RnnNode>, ParseError>>()?;
    // The count is checked last: a bad word is a better answer than a wrong total.
    if words.len() != 2 * nodes {
        return Err(ParseError::Count {
            expected: 2 * nodes,
            found: words.len(),
            shape: format!("{} nodes x 2", nodes),
        });
    }
    Ok(RnnArch::new(read).expect("inputs were checked one by one"))
}

/// Node `node`, or `None` where the words end before it is whole.
fn read_node(words: &Words, node: usize, order: ActivationOrder) -> Result<Option<RnnNode>, ParseError> {
    let input = words.meaning(
        2 * node,
        |input| (input <= node as u64).then_some(RnnState(input as u8)),
        || format!("an input state 0 to {node} (node {node} may not read later states)"),
    )?;
    let Some(input) = input else { return Ok(None) };
    let activation = words.meaning(
        2 * node + 1,
        |id| usize::try_from(id).ok().and_then(|id| order.activations().get(id).copied()),
        || {
            let ids = order.activations().into_iter().enumerate().map(|(id, name)| format!("{id} ({name})"));
            format!("an activation: {}", ids.collect::<Vec<_>>().join(", "))
        },
    )?;
    Ok(activation.map(|activation| RnnNode { input, activation }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHED: &str = "0 1 0 1 1 1 3 0 4 1 4 1 5 1 1 1 7 1 1 1 1 2";

    #[test]
    fn the_published_cell_reads_and_writes_back() {
        let arch = parse_rnn(PUBLISHED, 11, ActivationOrder::Nao).unwrap();
        assert_eq!(format_rnn(&arch, ActivationOrder::Nao), PUBLISHED);
    }

    #[test]
    fn an_error_names_position_word_and_choice() {
        let cases = [
            (PUBLISHED.replacen('0', "1", 1), "position 0: 1 is not allowed; expected an input state 0 to 0"),
            (
                PUBLISHED.replacen("0 1", "0 4", 1),
                "position 1: 4 is not allowed; expected an activation: 0 (tanh), 1 (relu), 2 (identity), 3 (sigmoid)",
            ),
            (PUBLISHED.replacen("0 1", "0 tanh", 1), "position 1: `tanh` is not a whole number"),
            (PUBLISHED[..10].to_owned(), "expected 22 numbers (11 nodes x 2), found 5"),
            (format!("{PUBLISHED} 0"), "expected 22 numbers (11 nodes x 2), found 23"),
        ];
        for (text, message) in cases {
            let error = parse_rnn(&text, 11, ActivationOrder::Nao).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error:?} should start with {message:?}");
        }
    }
}
