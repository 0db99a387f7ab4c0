//! NAO strings: four integers per node (input, operation, input, operation), the normal cell and then the
//! reduction cell, separated by spaces (docs/specification.md, a.2): `0 7 1 15 2 8 1 7 …`.

use crate::image::{Cell, CnnArch, Edge, Node, Op, OpId, OpSet, State};
use crate::text::{ParseError, Words};

/// The NAO string of an architecture, with the ids of the set.
///
/// An operation outside of the set is written by its name, which no reader takes for an id.
pub fn format_cnn(arch: &CnnArch, ops: &OpSet) -> String {
    format_with(arch, |op| ops.id(op))
}

/// As [`format_cnn`], for callers with a quicker way to ids.
pub(super) fn format_with(arch: &CnnArch, id_of: impl Fn(Op) -> Option<OpId>) -> String {
    // Enough for ids of two digits.
    let edges = 2 * (arch.normal.nodes().len() + arch.reduction.nodes().len());
    let mut text = Vec::with_capacity(6 * edges);
    for (_, cell) in arch.cells() {
        for edge in cell.edges() {
            push_word(&mut text, edge.input.0.into());
            match id_of(edge.op) {
                Some(OpId(id)) => push_word(&mut text, id),
                None => text.extend_from_slice(format!("{} ", edge.op).as_bytes()),
            }
        }
    }
    text.pop();
    String::from_utf8(text).expect("digits, spaces and names are UTF-8")
}

/// Appends a number in decimal and a space, without asking how many digits it has, which random ids make
/// unpredictable; `write!` was most of the time of a key.
fn push_word(text: &mut Vec<u8>, number: u16) {
    if number >= 100 {
        text.extend_from_slice(format!("{number} ").as_bytes());
        return;
    }
    let [tens, ones] = [number / 10, number % 10].map(|digit| b'0' + digit as u8);
    let short = number < 10;
    text.extend_from_slice(&if short { [ones, b' ', b' '] } else { [tens, ones, b' '] });
    text.truncate(text.len() - usize::from(short));
}

/// Reads a NAO string of two cells of `nodes` nodes over `ops`. Any white space separates numbers.
///
/// # Errors
/// On a wrong count, a word that is no number, an input that points forward, an id that the set does not have.
pub fn parse_cnn(text: &str, nodes: usize, ops: &OpSet) -> Result<CnnArch, ParseError> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let per_cell = 4 * nodes;
    let mut cells = Vec::with_capacity(2);
    for (half, words) in [words.get(..per_cell), words.get(per_cell..)].into_iter().flatten().enumerate() {
        let words = Words { words, first: half * per_cell };
        let read = (0..nodes).map_while(|node| read_node(&words, node, ops).transpose());
        cells.push(read.collect::<Result<Vec<Node>, ParseError>>()?);
    }
    // The count is checked last: a bad word is a better answer than a wrong total.
    if words.len() != 2 * per_cell {
        return Err(ParseError::Count {
            expected: 2 * per_cell,
            found: words.len(),
            shape: format!("2 cells x {} nodes x 4", nodes),
        });
    }
    let mut cells = cells.into_iter().map(|nodes| Cell::new(nodes).expect("inputs were checked one by one"));
    match (cells.next(), cells.next()) {
        (Some(normal), Some(reduction)) => Ok(CnnArch { normal, reduction }),
        _ => unreachable!("two halves were read"),
    }
}

/// Node `node` of a cell, or `None` where the words end before it is whole.
fn read_node(words: &Words, node: usize, ops: &OpSet) -> Result<Option<Node>, ParseError> {
    let Some(x) = read_edge(words, node, 4 * node, ops)? else { return Ok(None) };
    let Some(y) = read_edge(words, node, 4 * node + 2, ops)? else { return Ok(None) };
    Ok(Some(Node { edges: [x, y] }))
}

fn read_edge(words: &Words, node: usize, at: usize, ops: &OpSet) -> Result<Option<Edge>, ParseError> {
    let input = words.meaning(
        at,
        |input| (input < (node + State::INPUTS) as u64).then_some(State(input as u8)),
        || format!("an input state 0 to {} (node {node} may not read later states)", node + 1),
    )?;
    let Some(input) = input else { return Ok(None) };
    let op = words.meaning(
        at + 1,
        |id| u16::try_from(id).ok().and_then(|id| ops.by_id(OpId(id))),
        || {
            let ids: Vec<String> = ops.ids().iter().map(|id| id.0.to_string()).collect();
            format!("an operation of {}: {}", ops.name(), ids.join(", "))
        },
    )?;
    Ok(op.map(|op| Edge { input, op }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAONET_A: &str =
        "0 7 1 15 2 8 1 7 0 6 1 7 0 8 4 7 1 5 0 7 0 7 1 13 0 6 0 14 0 9 1 10 0 14 2 6 1 11 0 7";

    fn parse(text: &str) -> Result<CnnArch, ParseError> {
        parse_cnn(text, 5, &OpSet::paper_11())
    }

    #[test]
    fn the_published_cell_reads_and_writes_back() {
        let arch = parse(NAONET_A).unwrap();
        assert_eq!(format_cnn(&arch, &OpSet::paper_11()), NAONET_A);
    }

    #[test]
    fn an_error_names_position_word_and_choice() {
        let cases = [
            (
                NAONET_A.replacen("0 7", "2 7", 1),
                "position 0: 2 is not allowed; expected an input state 0 to 1",
            ),
            (
                NAONET_A.replacen("0 7", "0 4", 1),
                "position 1: 4 is not allowed; expected an operation of paper-11",
            ),
            (NAONET_A.replacen("0 7", "0 x7", 1), "position 1: `x7` is not a whole number"),
            (NAONET_A.replacen(" 0 7 0 7", " 0 7 3 7", 1), "position 20: 3 is not allowed"),
            (NAONET_A.replacen("0 7", "-1 7", 1), "position 0: `-1` is not a whole number"),
            (NAONET_A[..60].to_owned(), "expected 40 numbers (2 cells x 5 nodes x 4)"),
            (format!("{NAONET_A} 0"), "expected 40 numbers (2 cells x 5 nodes x 4), found 41"),
            (String::new(), "expected 40 numbers (2 cells x 5 nodes x 4), found 0"),
        ];
        for (text, message) in cases {
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error:?} should start with {message:?}");
        }
    }
}
