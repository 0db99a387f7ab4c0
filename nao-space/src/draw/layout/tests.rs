//! Laws of layouts, over many cells of every space.

use std::collections::HashSet;

use super::*;
use crate::draw::diagram::Diagram;
use crate::image::{Cell, OP_SET_NAMES, OpSet};
use crate::language::Space;
use crate::seed::rng_for;
use crate::spaces::{ActivationOrder, CnnSpace, NasBench101Space, NasBench201Space, RnnArch, RnnSpace};

/// Two hundred cells: 1, 5 and 12 nodes, and all between, over all operation sets.
fn cells() -> Vec<Cell> {
    let spaces = (0..100).map(|index| {
        let nodes = [1, 5, 12, 1 + index % Cell::MAX_NODES][index % 4];
        CnnSpace::new(nodes, OpSet::named(OP_SET_NAMES[index % OP_SET_NAMES.len()]).unwrap()).unwrap()
    });
    let archs = spaces.enumerate().map(|(index, space)| space.sample(&mut rng_for(5, "draw", index as u64)));
    archs.flat_map(|arch| [arch.normal, arch.reduction]).collect()
}

/// The diagrams of those cells, and of forty architectures of each other space.
fn diagrams() -> Vec<Diagram> {
    let cells = cells().into_iter().map(|cell| Diagram::of_cell(None, &cell, &cell.loose_ends()));
    let others = (0..40u64).flat_map(|index| {
        let mut rng = rng_for(5, "draw others", index);
        let nodes = if index == 0 { RnnArch::MAX_NODES } else { 1 + index as usize % 16 };
        [
            Diagram::of_rnn(
                &RnnSpace::new(nodes, ActivationOrder::Nao).unwrap().sample(&mut rng),
                &Default::default(),
            ),
            Diagram::of_nasbench101(&NasBench101Space::default().sample(&mut rng)),
            Diagram::of_nasbench201(&NasBench201Space::default().sample(&mut rng)),
        ]
    });
    cells.chain(others).collect()
}

fn boxes(layout: &DiagramLayout) -> Vec<Rect> {
    let circle = |&(x, y): &(f64, f64)| Rect::below(x, y - SUM_RADIUS, (2.0 * SUM_RADIUS, 2.0 * SUM_RADIUS));
    let circles = layout.blocks.iter().filter_map(|block| block.sum.as_ref().map(circle));
    let ops = layout.blocks.iter().flat_map(|block| block.ops.iter().copied());
    let output = Rect::below(layout.output.0, layout.output.1 - OUTPUT_HEIGHT / 2.0, (40.0, OUTPUT_HEIGHT));
    let below = (layout.height > layout.sink.bottom()).then_some(output);
    ops.chain(circles).chain(layout.sources.iter().copied()).chain([layout.sink]).chain(below).collect()
}

fn apart(a: &Rect, b: &Rect) -> bool {
    a.x + a.width <= b.x || b.x + b.width <= a.x || a.bottom() <= b.y || b.bottom() <= a.y
}

#[test]
fn boxes_never_meet_and_stay_in_the_picture() {
    for diagram in diagrams() {
        let layout = lay_out(&diagram, 0.0);
        let boxes = boxes(&layout);
        for (index, a) in boxes.iter().enumerate() {
            assert!(boxes[..index].iter().all(|b| apart(a, b)), "{diagram:?}");
            assert!(a.x >= -1e-9 && a.x + a.width <= layout.width + 1e-9, "{a:?} in {}", layout.width);
            assert!(a.y >= 0.0 && a.bottom() <= layout.height, "{a:?}");
        }
    }
}

#[test]
fn a_low_cell_is_stretched_to_the_height_asked_for() {
    for diagram in diagrams() {
        let natural = lay_out(&diagram, 0.0);
        let higher = lay_out(&diagram, natural.height + 50.0);
        assert!((higher.height - natural.height - 50.0).abs() < 1e-9);
        assert_eq!(higher.width, natural.width);
        assert_eq!(lay_out(&diagram, natural.height - 1.0), natural);
    }
}

#[test]
fn nodes_and_lines_are_those_of_the_cell() {
    for diagram in diagrams() {
        let layout = lay_out(&diagram, 0.0);
        assert_eq!(layout.blocks.len(), diagram.nodes.len());
        let mut expected: HashSet<(Value, Option<(usize, usize)>)> =
            diagram.sink.reads.iter().map(|&value| (value, None)).collect();
        for (index, node) in diagram.nodes.iter().enumerate() {
            for (place, operation) in node.operations.iter().enumerate() {
                expected.extend(operation.reads.iter().map(|&value| (value, Some((index, place)))));
            }
        }
        let drawn: HashSet<_> = layout
            .routes
            .iter()
            .map(|route| match route.to {
                Target::Op { node, operation } => (route.from, Some((node, operation))),
                Target::Sink => (route.from, None),
            })
            .collect();
        assert_eq!(drawn, expected);
        assert_eq!(layout.routes.len(), expected.len());
    }
}

/// Points of a line, bends sampled as the cubic curves that are drawn.
fn points(route: &Route) -> Vec<(f64, f64)> {
    let mut points = Vec::new();
    for pair in route.passages.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        points.extend([(from.x, from.top), (from.x, (from.top + from.bottom) / 2.0)]);
        for step in 0..=20 {
            let t = f64::from(step) / 20.0;
            let smooth = t * t * (3.0 - 2.0 * t);
            let y = from.bottom + (to.top - from.bottom) * (1.5 * t * (1.0 - t) + t * t * t);
            points.push((from.x + (to.x - from.x) * smooth, y));
        }
    }
    points
}

#[test]
fn no_line_runs_through_a_box() {
    for diagram in diagrams() {
        let layout = lay_out(&diagram, 0.0);
        let boxes = boxes(&layout);
        for point in layout.routes.iter().flat_map(points) {
            let inside = |r: &Rect| {
                point.0 > r.x + 1e-6
                    && point.0 < r.x + r.width - 1e-6
                    && point.1 > r.y + 1e-6
                    && point.1 < r.bottom() - 1e-6
            };
            assert!(!boxes.iter().any(inside), "{point:?} of {diagram:?}");
        }
    }
}

#[test]
fn lines_run_downward_from_their_state_to_their_reader() {
    for diagram in diagrams() {
        let layout = lay_out(&diagram, 0.0);
        for route in &layout.routes {
            let (first, last) = (route.passages[0], route.passages[route.passages.len() - 1]);
            let start = match diagram.node_of(route.from) {
                Some(node) => match (layout.blocks[node].sum, &layout.blocks[node].ops[..]) {
                    (Some(sum), _) => (sum.0, sum.1 + SUM_RADIUS),
                    (None, ops) => (ops[0].middle(), ops[0].bottom()),
                },
                None => (layout.sources[route.from.0].middle(), layout.sources[0].bottom()),
            };
            assert!((first.x - start.0).abs() < 1e-9 && (first.bottom - start.1).abs() < 1e-9);
            let end = match route.to {
                Target::Op { node, operation } => layout.blocks[node].ops[operation],
                Target::Sink => layout.sink,
            };
            assert!(last.x > end.x && last.x < end.x + end.width && (last.top - end.y).abs() < 1e-9);
            assert!(route.passages.windows(2).all(|pair| pair[0].bottom < pair[1].top));
        }
    }
}

#[test]
fn a_chain_is_drawn_without_crossing_and_rows_stay_narrow() {
    use crate::image::{Edge, Node, Op, State};
    let edge = |state| Edge { input: State(state), op: Op::Identity };
    let flat = Cell::new(vec![Node { edges: [edge(0), edge(1)] }; 12]).unwrap();
    let rows_of = |cell: &Cell| rows::assign_rows(&Diagram::of_cell(None, cell, &cell.loose_ends()));
    let rows = rows_of(&flat);
    assert!((0..3).all(|row| rows.iter().filter(|&&other| other == row).count() == 4), "{rows:?}");
    let chain =
        Cell::new((0..12).map(|node| Node { edges: [edge(node), edge(node + 1)] }).collect()).unwrap();
    assert_eq!(rows_of(&chain), (0..12).collect::<Vec<_>>());
}
