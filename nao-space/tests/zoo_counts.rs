//! Plans against the parameter counts of public code, to the last scalar: totals, and per cell where known.

use std::collections::BTreeMap;

use nao_space::network::{
    CellOutputs, CellPlan, Convention, Cost, NetworkPlan, Reduction, Skeleton, zoo_entry,
};
use nao_space::{Cell, CellRole, CnnArch, Edge, Node, Op, State};
use serde::Deserialize;

#[derive(Deserialize)]
struct Counts {
    cells: BTreeMap<String, CountedCells>,
    networks: Vec<CountedNetwork>,
}

#[derive(Deserialize)]
struct CountedCells {
    normal: CountedCell,
    reduction: CountedCell,
}

#[derive(Deserialize)]
struct CountedCell {
    nodes: Vec<(State, String, State, String)>,
    concat: Vec<State>,
}

#[derive(Deserialize)]
struct CountedNetwork {
    name: String,
    cells: String,
    convention: Convention,
    cells_per_stage: usize,
    width: usize,
    in_place: bool,
    classes: usize,
    params: u64,
    params_with_auxiliary: Option<u64>,
    parts: Option<Parts>,
}

/// Parameters by part. A cell: width, output channels, side of the output map, parameters.
#[derive(Deserialize)]
struct Parts {
    stem: u64,
    cells: Vec<(usize, usize, usize, u64)>,
    classifier: u64,
}

impl CountedCell {
    fn cell(&self) -> Cell {
        let edge = |input: &State, op: &String| Edge { input: *input, op: op.parse::<Op>().unwrap() };
        let nodes =
            self.nodes.iter().map(|(x, op_x, y, op_y)| Node { edges: [edge(x, op_x), edge(y, op_y)] });
        Cell::new(nodes.collect()).unwrap()
    }
}

impl CountedNetwork {
    fn skeleton(&self) -> Skeleton {
        Skeleton {
            convention: self.convention,
            reduction: if self.in_place { Reduction::InPlace } else { Reduction::Cell },
            classes: self.classes,
            ..Skeleton::cifar10(self.cells_per_stage, self.width)
        }
    }
}

fn counts() -> Counts {
    serde_json::from_str(include_str!("data/zoo_counts.json")).unwrap()
}

#[test]
fn plans_count_what_public_code_builds() {
    let counts = counts();
    assert!(counts.networks.len() >= 30);
    let mut by_part = 0;
    for network in &counts.networks {
        let cells = &counts.cells[&network.cells];
        let arch = CnnArch { normal: cells.normal.cell(), reduction: cells.reduction.cell() };
        let outputs = CellOutputs::lists(cells.normal.concat.clone(), cells.reduction.concat.clone());
        let skeleton = network.skeleton().with_auxiliary(true);
        let plan = NetworkPlan::with_outputs(&arch, &outputs, &skeleton).unwrap();
        let place = format!("{} ({}), {skeleton:?}", network.name, network.cells);
        if let Some(parts) = &network.parts {
            by_part += 1;
            let stem: Cost = plan.stem.iter().map(|block| block.cost()).sum();
            assert_eq!(stem.params, parts.stem, "{place}");
            assert_eq!(plan.cells.len(), parts.cells.len(), "{place}");
            for (cell, &expected) in plan.cells.iter().zip(&parts.cells) {
                let params = cell.blocks().map(|block| block.cost().params).sum::<u64>();
                let CellPlan { width, output, .. } = *cell;
                let found = (width, output.channels, output.height, params);
                assert_eq!(found, expected, "cell {} of {place}", cell.index);
            }
            assert_eq!(plan.head.cost().params, parts.classifier, "{place}");
        }
        assert_eq!(plan.cost().params, network.params, "{place}");
        if let Some(with_auxiliary) = network.params_with_auxiliary {
            assert_eq!(plan.cost_with_auxiliary().params, with_auxiliary, "{place}, with auxiliary head");
        }
    }
    assert!(by_part >= 15, "only {by_part}");
}

/// The zoo holds the cells that were counted, with a figure for every network that was counted part by part.
#[test]
fn the_zoo_has_the_counted_cells_and_networks() {
    let counts = counts();
    let mut found = 0;
    for (name, cells) in &counts.cells {
        // The cells that the authors' repository has under other people's names are not in the zoo.
        if name.ends_with("-nao") {
            continue;
        }
        let entry = zoo_entry(name).unwrap();
        for (role, counted, concat) in [
            (CellRole::Normal, &cells.normal, &entry.outputs.normal),
            (CellRole::Reduction, &cells.reduction, &entry.outputs.reduction),
        ] {
            let cell = entry.arch.cell(role);
            assert_eq!(*cell, counted.cell(), "{name}");
            assert_eq!(concat.states(role, cell).as_ref(), Ok(&counted.concat), "{name}");
        }
        let own = |network: &&CountedNetwork| network.parts.is_some() && network.cells == *name;
        for network in counts.networks.iter().filter(own) {
            let skeleton = Some(network.skeleton());
            assert!(entry.published.iter().any(|figure| figure.skeleton == skeleton), "{name} {skeleton:?}");
            found += 1;
        }
    }
    assert!(found >= 15, "only {found}");
}
