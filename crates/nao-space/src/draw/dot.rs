//! Cells as Graphviz DOT, one statement per line.

use std::fmt::Write;

use super::palette::{NEUTRAL, kind_dashes, kind_scheme};
use super::{OUTPUT_LABEL, input_label};
use crate::arch::CnnArch;
use crate::cell::{Cell, State};

/// A cell as a DOT graph with a title; an empty title is left out.
///
/// A cell of B nodes with L loose ends has 2 inputs, 2B operations, B sums, a concatenation and an output,
/// joined by 4B + L + 1 edges, each on a line of its own.
///
/// ```
/// use nao_space::network::zoo_entry;
/// let arch = &zoo_entry("NAONet-A").unwrap().arch;
/// let dot = nao_space::draw::cell_dot(&arch.normal, "NAONet-A, normal");
/// assert_eq!(dot.matches(" -> ").count(), 4 * 5 + arch.normal.loose_ends().len() + 1);
/// ```
pub fn cell_dot(cell: &Cell, title: &str) -> String {
    let mut dot = opening(title);
    write_cell(&mut dot, cell, "", "  ");
    dot.push_str("}\n");
    dot
}

/// Both cells of an architecture as one DOT graph with a title; an empty title is left out.
pub fn arch_dot(arch: &CnnArch, title: &str) -> String {
    let mut dot = opening(title);
    for (role, cell) in arch.cells() {
        line(&mut dot, "  ", format_args!("subgraph cluster_{role} {{"));
        line(&mut dot, "    ", format_args!("label=\"{role} cell\"; color=\"#cbd5e1\"; style=rounded;"));
        write_cell(&mut dot, cell, &format!("{role}_"), "    ");
        line(&mut dot, "  ", format_args!("}}"));
    }
    dot.push_str("}\n");
    dot
}

fn opening(title: &str) -> String {
    let mut dot = String::from("digraph cell {\n");
    if !title.is_empty() {
        line(&mut dot, "  ", format_args!("label=\"{}\"; labelloc=t;", escaped(title)));
    }
    let neutral = NEUTRAL.light;
    line(&mut dot, "  ", format_args!("rankdir=TB; fontname=\"Helvetica\";"));
    line(
        &mut dot,
        "  ",
        format_args!(
            "node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11, fillcolor=\"{}\", \
             color=\"{}\", fontcolor=\"{}\"];",
            neutral.fill, neutral.stroke, neutral.text
        ),
    );
    line(&mut dot, "  ", format_args!("edge [color=\"{}\", arrowsize=0.6];", neutral.stroke));
    dot
}

/// The statements of a cell; `prefix` keeps the names of two cells in one graph apart.
fn write_cell(dot: &mut String, cell: &Cell, prefix: &str, indent: &str) {
    for state in (0..State::INPUTS).map(|state| State(state as u8)) {
        line(dot, indent, format_args!("{prefix}state_{state} [label=\"{}\"];", input_label(state)));
    }
    for (index, node) in cell.nodes().iter().enumerate() {
        let sum = State::of_node(index);
        for (branch, edge) in ["x", "y"].into_iter().zip(node.edges) {
            let colors = kind_scheme(edge.op.kind()).light;
            let style = if kind_dashes(edge.op.kind()).is_some() {
                "rounded,filled,dashed"
            } else {
                "rounded,filled"
            };
            line(
                dot,
                indent,
                format_args!(
                    "{prefix}op_{index}{branch} [label=\"{}\", tooltip=\"{}\", style=\"{style}\", \
                     fillcolor=\"{}\", color=\"{}\", fontcolor=\"{}\"];",
                    edge.op.label(),
                    edge.op,
                    colors.fill,
                    colors.stroke,
                    colors.text
                ),
            );
        }
        line(
            dot,
            indent,
            format_args!(
                "{prefix}state_{sum} [label=\"+\", xlabel=\"{sum}\", shape=circle, width=0.3, fixedsize=true];"
            ),
        );
    }
    line(dot, indent, format_args!("{prefix}concat [label=\"concat\"];"));
    line(
        dot,
        indent,
        format_args!("{prefix}output [label=\"{OUTPUT_LABEL}\", shape=plaintext, style=\"\"];"),
    );

    for (index, node) in cell.nodes().iter().enumerate() {
        let sum = State::of_node(index);
        for (branch, edge) in ["x", "y"].into_iter().zip(node.edges) {
            line(dot, indent, format_args!("{prefix}state_{} -> {prefix}op_{index}{branch};", edge.input));
            line(dot, indent, format_args!("{prefix}op_{index}{branch} -> {prefix}state_{sum};"));
        }
    }
    for state in cell.loose_ends() {
        line(dot, indent, format_args!("{prefix}state_{state} -> {prefix}concat;"));
    }
    line(dot, indent, format_args!("{prefix}concat -> {prefix}output;"));
}

fn line(dot: &mut String, indent: &str, statement: std::fmt::Arguments<'_>) {
    writeln!(dot, "{indent}{statement}").expect("writing to a string does not fail");
}

/// Text between DOT quotes.
fn escaped(text: &str) -> String {
    let one_line = text.replace(['\n', '\r'], " ").replace('\0', "");
    one_line.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::rng_for;
    use crate::space::Space;
    use crate::spaces::CnnSpace;

    fn lines_with(dot: &str, word: &str) -> usize {
        dot.lines().filter(|line| line.contains(word)).count()
    }

    #[test]
    fn nodes_and_edges_are_those_of_the_cell() {
        let space = CnnSpace::default();
        for index in 0..50 {
            let arch = space.sample(&mut rng_for(2, "dot", index));
            for (_, cell) in arch.cells() {
                let (nodes, loose) = (cell.nodes().len(), cell.loose_ends().len());
                let dot = cell_dot(cell, "a cell");
                assert_eq!(lines_with(&dot, " -> "), 4 * nodes + loose + 1);
                assert_eq!(lines_with(&dot, "-> concat"), loose);
                assert_eq!(lines_with(&dot, "tooltip="), 2 * nodes);
                assert_eq!(lines_with(&dot, "shape=circle"), nodes);
            }
        }
    }

    #[test]
    fn brackets_balance_and_every_statement_ends() {
        let arch = CnnSpace::default().sample(&mut rng_for(2, "dot", 0));
        let dot = arch_dot(&arch, "a \"quoted\" \\ title\nof two lines");
        assert!(dot.contains(r#"label="a \"quoted\" \\ title of two lines""#));
        for [open, close] in [['{', '}'], ['[', ']']] {
            assert_eq!(dot.matches(open).count(), dot.matches(close).count());
        }
        for line in dot.lines() {
            assert!(line.ends_with(['{', '}', ';']), "{line}");
            assert!(line.matches(" -> ").count() <= 1, "{line}");
            assert_eq!(line.replace("\\\"", "").matches('"').count() % 2, 0, "{line}");
        }
    }

    #[test]
    fn names_of_the_two_cells_do_not_meet() {
        let arch = CnnSpace::default().sample(&mut rng_for(2, "dot", 1));
        let dot = arch_dot(&arch, "");
        for line in dot.lines().filter(|line| line.contains(" -> ")) {
            assert_eq!(line.contains("normal_"), !line.contains("reduction_"), "{line}");
        }
    }
}
