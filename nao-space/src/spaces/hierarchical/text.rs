//! The text of a hierarchical architecture: its motifs and its cell, each as the choices for the edges into nodes 1, 2, …
//!
//! `m1=identity;none,conv_1x1;none,none,max_pool_3x3 m2=… cell=m1;none,m2;…`

use std::fmt::Write;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::arch::{HierarchicalArch, Motif, MotifId, Primitive};
use crate::text::{Cursor, ParseError};

pub(super) fn format(arch: &HierarchicalArch) -> String {
    let mut text = String::new();
    for (number, motif) in arch.motifs.iter().enumerate() {
        write!(text, "m{}=", number + 1).expect("a string takes any text");
        let name = |edge: &Option<Primitive>| {
            edge.map_or("none".to_owned(), |primitive| primitive.name().to_owned())
        };
        push_edges(&mut text, &motif.edges.each_ref().map(name), HierarchicalArch::MOTIF_NODES);
        text.push(' ');
    }
    text.push_str("cell=");
    let name =
        |edge: &Option<MotifId>| edge.map_or("none".to_owned(), |motif| format!("m{}", motif.index() + 1));
    push_edges(&mut text, &arch.cell.each_ref().map(name), HierarchicalArch::CELL_NODES);
    text
}

fn push_edges(text: &mut String, edges: &[String], nodes: usize) {
    let mut edges = edges.iter();
    for to in 1..nodes {
        for from in 0..to {
            let separator = match (to, from) {
                (1, _) => "",
                (_, 0) => ";",
                _ => ",",
            };
            text.push_str(separator);
            edges.by_ref().take(1).for_each(|edge| text.push_str(edge));
        }
    }
}

/// Reads a text; white space around it is ignored.
pub(super) fn parse(text: &str) -> Result<HierarchicalArch, ParseError> {
    let mut cursor = Cursor::new(text);
    cursor.skip_space();
    let mut motifs = [Motif::default(); HierarchicalArch::MOTIFS];
    let primitives = Primitive::ALL.map(Primitive::name).join(", ");
    for (number, motif) in motifs.iter_mut().enumerate() {
        let part = format!("motif {}", number + 1);
        cursor.expect(&format!("m{}=", number + 1), &part)?;
        motif.edges =
            edges(&mut cursor, HierarchicalArch::MOTIF_NODES, &part, &primitives, Primitive::named)?;
        cursor.expect(" ", &part)?;
    }
    cursor.expect("cell=", "cell")?;
    let numbers = format!("m1 to m{}", HierarchicalArch::MOTIFS);
    let named = |word: &str| {
        (0..HierarchicalArch::MOTIFS).find(|number| word == format!("m{}", number + 1)).and_then(MotifId::new)
    };
    let cell = edges(&mut cursor, HierarchicalArch::CELL_NODES, "cell", &numbers, named)?;
    cursor.skip_space();
    cursor.end()?;
    Ok(HierarchicalArch { motifs, cell })
}

/// Reads the edges of one graph.
fn edges<T: Copy, const E: usize>(
    cursor: &mut Cursor<'_>,
    nodes: usize,
    part: &str,
    names: &str,
    named: impl Fn(&str) -> Option<T>,
) -> Result<[Option<T>; E], ParseError> {
    let mut edges = [None; E];
    let mut next = edges.iter_mut();
    for to in 1..nodes {
        if to > 1 {
            cursor.expect(";", part)?;
        }
        for from in 0..to {
            if from > 0 {
                cursor.expect(",", part)?;
            }
            let before = *cursor;
            let word = cursor.word(|character| !matches!(character, ';' | ',' | ' ' | '\n'));
            let edge = named(word);
            if edge.is_none() && word != "none" {
                let part = format!("{part}, {to} <- {from}");
                return Err(before.unexpected(&part, format!("none, {names}")));
            }
            next.by_ref().take(1).for_each(|slot| *slot = edge);
        }
    }
    Ok(edges)
}

impl Serialize for HierarchicalArch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format(self))
    }
}

impl<'de> Deserialize<'de> for HierarchicalArch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
