//! The order in each layer, chosen so that few lines cross.

use super::graph::{Graph, Port, Segment};

/// Orders blocks and trunks in their layers and the operations of each block. Sorts every layer by where
/// its lines come from, down and up in turn (barycenters), exchanges neighbours while that helps, and
/// keeps the best order seen. The sources stay in their order.
pub(super) fn reduce_crossings(graph: &mut Graph) {
    const SWEEPS: usize = 12;
    let rows = 1..graph.layers.len() - 1;
    let mut best = (usize::MAX, graph.layers.clone(), graph.op_places.clone());
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        for step in rows.clone() {
            let layer = if down { step } else { rows.end - step };
            sort_by_barycenter(graph, layer, down);
            turn_blocks(graph, layer);
        }
        exchange_neighbours(graph);
        let crossings = (0..graph.layers.len() - 1).map(|layer| crossings_below(graph, layer)).sum();
        if crossings < best.0 {
            best = (crossings, graph.layers.clone(), graph.op_places.clone());
        }
    }
    (_, graph.layers, graph.op_places) = best;
    number_slots(graph);
}

/// The place of every vertex in its layer, four apart, so that ports fit in between.
fn places(graph: &Graph) -> Vec<isize> {
    let mut places = vec![0; graph.parts.len()];
    for layer in &graph.layers {
        for (place, &vertex) in layer.iter().enumerate() {
            places[vertex] = 4 * place as isize;
        }
    }
    places
}

/// Where a segment ends, in the measure of [`places`]. Slots of the sink follow the lines that come in.
fn end_place(graph: &Graph, places: &[isize], segment: &Segment) -> isize {
    match segment.port {
        Port::Middle => places[segment.lower],
        Port::Op(operation) => places[segment.lower] + graph.op_half_steps(segment.lower, operation),
        Port::Slot(_) => places[segment.upper],
    }
}

fn sort_by_barycenter(graph: &mut Graph, layer: usize, down: bool) {
    let places = places(graph);
    let barycenter = |vertex: usize| {
        let (mut sum, mut count) = (0, 0);
        for segment in &graph.segments {
            if down && segment.lower == vertex {
                (sum, count) = (sum + places[segment.upper], count + 1);
            }
            if !down && segment.upper == vertex {
                (sum, count) = (sum + end_place(graph, &places, segment), count + 1);
            }
        }
        if count == 0 { places[vertex] as f64 } else { sum as f64 / f64::from(count) }
    };
    let mut keyed: Vec<(f64, usize)> =
        graph.layers[layer].iter().map(|&vertex| (barycenter(vertex), vertex)).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    graph.layers[layer] = keyed.into_iter().map(|(_, vertex)| vertex).collect();
}

/// Puts the operations of every block in the order in which their lines come from the left; an operation that
/// reads several values counts by the mean of their places.
fn turn_blocks(graph: &mut Graph, layer: usize) {
    let places = places(graph);
    for &vertex in &graph.layers[layer] {
        let mut from = vec![(0, 0); graph.op_places[vertex].len()];
        for segment in graph.segments.iter().filter(|segment| segment.lower == vertex) {
            if let Port::Op(operation) = segment.port {
                let (sum, count) = from[operation];
                from[operation] = (sum + places[segment.upper], count + 1);
            }
        }
        let mut order: Vec<usize> = (0..from.len()).collect();
        let mean = |&operation: &usize| from[operation].0 as f64 / f64::from(from[operation].1.max(1));
        order.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
        for (place, operation) in order.into_iter().enumerate() {
            graph.op_places[vertex][operation] = place;
        }
    }
}

fn exchange_neighbours(graph: &mut Graph) {
    const ROUNDS: usize = 8;
    for _ in 0..ROUNDS {
        let mut improved = false;
        for layer in 1..graph.layers.len() - 1 {
            for left in 1..graph.layers[layer].len() {
                let before = crossings_around(graph, layer);
                let turned = graph.op_places.clone();
                graph.layers[layer].swap(left - 1, left);
                turn_blocks(graph, layer);
                turn_blocks(graph, layer + 1);
                if crossings_around(graph, layer) < before {
                    improved = true;
                } else {
                    graph.layers[layer].swap(left - 1, left);
                    graph.op_places = turned;
                }
            }
        }
        if !improved {
            return;
        }
    }
}

fn crossings_around(graph: &Graph, layer: usize) -> usize {
    crossings_below(graph, layer - 1) + crossings_below(graph, layer)
}

fn crossings_below(graph: &Graph, layer: usize) -> usize {
    let places = places(graph);
    let ends: Vec<(isize, isize)> = graph
        .segments_below(layer)
        .map(|segment| (places[segment.upper], end_place(graph, &places, segment)))
        .collect();
    let crosses = |a: &(isize, isize), b: &(isize, isize)| (a.0 - b.0) * (a.1 - b.1) < 0;
    ends.iter().enumerate().map(|(index, a)| ends[..index].iter().filter(|b| crosses(a, b)).count()).sum()
}

/// Gives the lines into the sink their slots in the order in which they arrive.
fn number_slots(graph: &mut Graph) {
    let places = places(graph);
    let mut arriving: Vec<usize> = (0..graph.segments.len())
        .filter(|&index| matches!(graph.segments[index].port, Port::Slot(_)))
        .collect();
    arriving.sort_by_key(|&index| places[graph.segments[index].upper]);
    for (slot, index) in arriving.into_iter().enumerate() {
        graph.segments[index].port = Port::Slot(slot);
    }
}
