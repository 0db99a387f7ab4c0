//! Pictures as Graphviz DOT, one statement per line.

use std::fmt::Write;

use super::diagram::{Diagram, Value};
use super::palette::NEUTRAL;
use crate::image::{Cell, CnnArch};

/// A cell as a DOT graph with a title; an empty title is left out.
///
/// A cell of B nodes with L loose ends has 2 inputs, 2B operations, B sums, a concatenation and an output,
/// joined by 4B + L + 1 edges, each on its own line.
///
/// ```
/// use nao_space::network::zoo_entry;
/// let arch = &zoo_entry("NAONet-A").unwrap().arch;
/// let dot = nao_space::draw::cell_dot(&arch.normal, "NAONet-A, normal");
/// assert_eq!(dot.matches(" -> ").count(), 4 * 5 + arch.normal.loose_ends().len() + 1);
/// ```
pub fn cell_dot(cell: &Cell, title: &str) -> String {
    dot(&[Diagram::of_cell(None, cell, &cell.loose_ends())], title)
}

/// Both cells of an architecture as one DOT graph with a title; an empty title is left out.
pub fn arch_dot(arch: &CnnArch, title: &str) -> String {
    dot(&arch.cells().map(|(role, cell)| Diagram::of_cell(Some(role), cell, &cell.loose_ends())), title)
}

/// Diagrams as one DOT graph, named ones in frames.
pub(super) fn dot(diagrams: &[Diagram], title: &str) -> String {
    let mut dot = opening(title);
    for diagram in diagrams {
        if diagram.name.is_empty() {
            write_diagram(&mut dot, diagram, "", "  ");
            continue;
        }
        let name = &diagram.name;
        let label = match &diagram.heading {
            Some((heading, _)) => heading.as_ref(),
            None => name,
        };
        line(&mut dot, "  ", format_args!("subgraph cluster_{name} {{"));
        line(&mut dot, "    ", format_args!("label=\"{label}\"; color=\"#cbd5e1\"; style=rounded;"));
        write_diagram(&mut dot, diagram, &format!("{name}_"), "    ");
        line(&mut dot, "  ", format_args!("}}"));
    }
    dot.push_str("}\n");
    dot
}

pub(super) fn opening(title: &str) -> String {
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

/// How the operations of a node are told apart.
const OP_LETTERS: [&str; 4] = ["x", "y", "z", "w"];

/// The statements of a diagram; `prefix` keeps the names of two diagrams in one graph apart. An operation without a
/// sum is the value itself.
fn write_diagram(dot: &mut String, diagram: &Diagram, prefix: &str, indent: &str) {
    for (index, source) in diagram.sources.iter().enumerate() {
        let number =
            source.number.as_ref().map(|number| format!(", xlabel=\"{number}\"")).unwrap_or_default();
        line(dot, indent, format_args!("{prefix}state_{index} [label=\"{}\"{number}];", source.label));
    }
    let op_name = |node: usize, letter: &str| match diagram.nodes[node].sum {
        true => format!("{prefix}op_{node}{letter}"),
        false => format!("{prefix}state_{}", diagram.value_of(node).0),
    };
    for (index, node) in diagram.nodes.iter().enumerate() {
        for (letter, operation) in OP_LETTERS.into_iter().zip(&node.operations) {
            let colors = operation.family.scheme().light;
            let style =
                if operation.family.dashes().is_some() { "rounded,filled,dashed" } else { "rounded,filled" };
            let detail = operation.detail.as_ref().map(|detail| format!(" {detail}")).unwrap_or_default();
            let number = if node.sum { String::new() } else { format!("xlabel=\"{}\", ", node.number) };
            line(
                dot,
                indent,
                format_args!(
                    "{} [label=\"{}{detail}\", {number}tooltip=\"{}\", style=\"{style}\", fillcolor=\"{}\", \
                     color=\"{}\", fontcolor=\"{}\"];",
                    op_name(index, letter),
                    operation.label,
                    operation.tooltip,
                    colors.fill,
                    colors.stroke,
                    colors.text
                ),
            );
        }
        if node.sum {
            let Value(value) = diagram.value_of(index);
            line(
                dot,
                indent,
                format_args!(
                    "{prefix}state_{value} [label=\"+\", xlabel=\"{}\", shape=circle, width=0.3, fixedsize=true];",
                    node.number
                ),
            );
        }
    }
    line(dot, indent, format_args!("{prefix}sink [label=\"{}\"];", diagram.sink.label));
    if let Some(output) = diagram.sink.output {
        line(dot, indent, format_args!("{prefix}output [label=\"{output}\", shape=plaintext, style=\"\"];"));
    }

    for (index, node) in diagram.nodes.iter().enumerate() {
        for (letter, operation) in OP_LETTERS.into_iter().zip(&node.operations) {
            let name = op_name(index, letter);
            for Value(value) in &operation.reads {
                line(dot, indent, format_args!("{prefix}state_{value} -> {name};"));
            }
            if node.sum {
                line(dot, indent, format_args!("{name} -> {prefix}state_{};", diagram.value_of(index).0));
            }
        }
    }
    for Value(value) in &diagram.sink.reads {
        line(dot, indent, format_args!("{prefix}state_{value} -> {prefix}sink;"));
    }
    if diagram.sink.output.is_some() {
        line(dot, indent, format_args!("{prefix}sink -> {prefix}output;"));
    }
}

pub(super) fn line(dot: &mut String, indent: &str, statement: std::fmt::Arguments<'_>) {
    writeln!(dot, "{indent}{statement}").expect("writing to a string does not fail");
}

/// Text between DOT quotes.
pub(super) fn escaped(text: &str) -> String {
    let one_line = text.replace(['\n', '\r'], " ").replace('\0', "");
    one_line.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Space;
    use crate::seed::rng_for;
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
                assert_eq!(lines_with(&dot, "-> sink"), loose);
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
