//! The notation of NAS-Bench-201: per node the operation on each earlier node, `~` and the number of that node
//! (Dong and Yang, ICLR 2020).
//!
//! `|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|none~2|`

use std::fmt::Write;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::arch::{EdgeOp, NasBench201Arch};
use crate::text::Cursor;
use crate::text::ParseError;

/// The benchmark's string of a cell.
pub fn format_nasbench201(arch: &NasBench201Arch) -> String {
    let mut text = String::new();
    for node in 1..NasBench201Arch::NODES {
        text.push_str(if node == 1 { "|" } else { "+|" });
        for (source, op) in arch.inputs(node) {
            write!(text, "{op}~{source}|").expect("a string takes any text");
        }
    }
    text
}

/// Reads the benchmark's string of a cell; white space around it is ignored.
///
/// # Errors
/// On anything but the documented form: names the character, the edge and what may stand there.
pub fn parse_nasbench201(text: &str) -> Result<NasBench201Arch, ParseError> {
    let mut cursor = Cursor::new(text);
    cursor.skip_space();
    let mut edges = [EdgeOp::None; NasBench201Arch::EDGES];
    let mut next = edges.iter_mut();
    for node in 1..NasBench201Arch::NODES {
        let part = format!("node {node}");
        if node > 1 {
            cursor.expect("+", &part)?;
        }
        cursor.expect("|", &part)?;
        for (source, edge) in (0..node).zip(next.by_ref()) {
            let part = format!("node {node}, input from node {source}");
            *edge = edge_op(&mut cursor, &part)?;
            cursor.expect(&format!("~{source}|"), &part)?;
        }
    }
    cursor.skip_space();
    cursor.end()?;
    Ok(NasBench201Arch { edges })
}

fn edge_op(cursor: &mut Cursor<'_>, part: &str) -> Result<EdgeOp, ParseError> {
    let before = *cursor;
    let word = cursor.word(|character| !matches!(character, '~' | '|' | '+'));
    EdgeOp::named(word).ok_or_else(|| {
        before.unexpected(part, format!("one of {}", EdgeOp::ALL.map(EdgeOp::name).join(", ")))
    })
}

impl Serialize for NasBench201Arch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_nasbench201(self))
    }
}

impl<'de> Deserialize<'de> for NasBench201Arch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_nasbench201(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEST_ON_CIFAR10: &str =
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|";

    #[test]
    fn a_cell_reads_and_writes_back() {
        let arch = parse_nasbench201(BEST_ON_CIFAR10).unwrap();
        assert_eq!(arch.edges[3], EdgeOp::SkipConnect);
        assert_eq!(format_nasbench201(&arch), BEST_ON_CIFAR10);
    }

    #[test]
    fn an_error_names_character_edge_and_choice() {
        let replaced = |from: &str, to: &str| BEST_ON_CIFAR10.replacen(from, to, 1);
        let cases = [
            (
                replaced("skip_connect", "skip"),
                "character 51 (node 3, input from node 0): found `skip~0|nor_conv_3x3~1|no`, \
                 expected one of none, skip_connect",
            ),
            (replaced("~0|+", "~1|+"), "character 14 (node 1, input from node 0): found `~1|+|nor"),
            (replaced("+|skip", "|skip"), "character 49 (node 3): found `|skip"),
            (BEST_ON_CIFAR10[..40].to_owned(), "character 34 (node 2, input from node 1): found `nor_con`"),
            (format!("{BEST_ON_CIFAR10}+|"), "character 96: found `+|`, expected the end of the text"),
            (String::new(), "character 1 (node 1): found the end of the text, expected `|`"),
        ];
        for (text, message) in cases {
            let error = parse_nasbench201(&text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error:?} should start with {message:?}");
        }
    }
}
