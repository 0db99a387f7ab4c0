//! The places in each layer, chosen so that lines run straight.

use super::graph::{Graph, Part, Segment};

/// The middle of every vertex. Minimises the weighted squares of how far lines go sideways, layer by layer
/// until it hardly changes; the order and the distances in each layer are kept. The left edge is at 0.
pub(super) fn place(graph: &Graph) -> Vec<f64> {
    const ROUNDS: usize = 80;
    let mut x = vec![0.0; graph.parts.len()];
    for layer in &graph.layers {
        for pair in layer.windows(2) {
            x[pair[1]] = x[pair[0]] + graph.separation(pair[0], pair[1]);
        }
    }
    let pulls: Vec<Vec<Pull>> = (0..x.len()).map(|vertex| pulls_on(graph, vertex)).collect();
    for round in 0..ROUNDS {
        for step in 0..graph.layers.len() {
            let layer = if round % 2 == 0 { step } else { graph.layers.len() - 1 - step };
            place_layer(graph, layer, &pulls, &mut x);
        }
    }
    straighten_trunks(graph, &mut x);
    let left_edge = |vertex: usize| x[vertex] - graph.width(vertex) / 2.0;
    let left = (0..x.len()).map(left_edge).fold(f64::INFINITY, f64::min);
    x.iter().map(|x| x - left).collect()
}

/// How much a straight line matters: most within a trunk, least at the far-spread ends of a sink.
fn weight(graph: &Graph, upper: usize, lower: usize) -> f64 {
    match (graph.parts[upper], graph.parts[lower]) {
        (Part::Trunk, Part::Trunk) => 30.0,
        (_, Part::Trunk) => 4.0,
        (_, Part::Sink) => 0.5,
        _ => 1.0,
    }
}

fn place_layer(graph: &Graph, layer: usize, pulls: &[Vec<Pull>], x: &mut [f64]) {
    let vertices = &graph.layers[layer];
    // In terms of `x - shift` the least distances become plain order.
    let mut shift = 0.0;
    let mut pools: Vec<Pool> = Vec::with_capacity(vertices.len());
    let mut shifts = Vec::with_capacity(vertices.len());
    for (place, &vertex) in vertices.iter().enumerate() {
        if place > 0 {
            shift += graph.separation(vertices[place - 1], vertex);
        }
        shifts.push(shift);
        let (wanted, weight) = wanted_place(&pulls[vertex], x).unwrap_or((x[vertex], 1e-3));
        pools.push(Pool { mean: wanted - shift, weight, members: 1 });
        merge_falling(&mut pools);
    }
    let means = pools.iter().flat_map(|pool| std::iter::repeat_n(pool.mean, pool.members));
    for ((&vertex, mean), shift) in vertices.iter().zip(means).zip(shifts) {
        x[vertex] = mean + shift;
    }
}

/// A line that would be straight if its end were `offset` right of the middle of the vertex at its other end.
struct Pull {
    other: usize,
    offset: f64,
    weight: f64,
}

fn pulls_on(graph: &Graph, vertex: usize) -> Vec<Pull> {
    let pull = |segment: &Segment| {
        let (offset, weight) = (graph.port_offset(segment), weight(graph, segment.upper, segment.lower));
        if segment.lower == vertex {
            Some(Pull { other: segment.upper, offset: -offset, weight })
        } else if segment.upper == vertex {
            Some(Pull { other: segment.lower, offset, weight })
        } else {
            None
        }
    };
    graph.segments.iter().filter_map(pull).collect()
}

/// The weighted mean of where the lines of a vertex would be straight, and their weight; `None` without lines.
fn wanted_place(pulls: &[Pull], x: &[f64]) -> Option<(f64, f64)> {
    let total: f64 = pulls.iter().map(|pull| pull.weight).sum();
    let sum: f64 = pulls.iter().map(|pull| pull.weight * (x[pull.other] + pull.offset)).sum();
    (total > 0.0).then(|| (sum / total, total))
}

/// Neighbours that touch and therefore share a mean.
struct Pool {
    mean: f64,
    weight: f64,
    members: usize,
}

/// Pools of adjacent violators: the least squares under an order.
fn merge_falling(pools: &mut Vec<Pool>) {
    while let [.., left, right] = &pools[..] {
        if left.mean <= right.mean {
            return;
        }
        let weight = left.weight + right.weight;
        let mean = (left.mean * left.weight + right.mean * right.weight) / weight;
        let merged = Pool { mean, weight, members: left.members + right.members };
        pools.truncate(pools.len() - 2);
        pools.push(merged);
    }
}

/// Takes the last small bends out of trunks: as long as its neighbours leave room, a trunk runs at one place.
fn straighten_trunks(graph: &Graph, x: &mut [f64]) {
    for trunk in &graph.trunks {
        let mut rest = &trunk[1..];
        while !rest.is_empty() {
            let mut room = (f64::NEG_INFINITY, f64::INFINITY);
            let mut straight = 0;
            for &vertex in rest {
                let here = room_of(graph, vertex, x);
                let both = (room.0.max(here.0), room.1.min(here.1));
                if both.0 > both.1 {
                    break;
                }
                (room, straight) = (both, straight + 1);
            }
            let (run, after) = rest.split_at(straight.max(1));
            let mean = run.iter().map(|&vertex| x[vertex]).sum::<f64>() / run.len() as f64;
            for &vertex in run.iter().take(straight) {
                x[vertex] = mean.clamp(room.0, room.1);
            }
            rest = after;
        }
    }
}

/// From where to where a vertex may move between its neighbours.
fn room_of(graph: &Graph, vertex: usize, x: &[f64]) -> (f64, f64) {
    let layer = &graph.layers[graph.layer_of[vertex]];
    let place = layer.iter().position(|&other| other == vertex).expect("a vertex is in its layer");
    let left = place.checked_sub(1).map(|left| x[layer[left]] + graph.separation(layer[left], vertex));
    let right = layer.get(place + 1).map(|&right| x[right] - graph.separation(vertex, right));
    (left.unwrap_or(f64::NEG_INFINITY), right.unwrap_or(f64::INFINITY))
}
