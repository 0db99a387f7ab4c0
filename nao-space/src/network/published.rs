//! The comparison of published results with what the plans count, as data.

use serde::Serialize;

use super::cost::Cost;
use super::zoo::{Published, ZooNetwork, zoo_networks};

/// One row: a published figure beside the counts of its plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableRow {
    /// The architecture.
    pub name: &'static str,
    /// The data set and split.
    pub data: &'static str,
    /// Nodes per cell (B).
    pub nodes: Option<usize>,
    /// Normal cells per stage (N).
    pub cells_per_stage: Option<usize>,
    /// Channels of the first stage (F).
    pub width: Option<usize>,
    /// Number of operations in the space that was searched.
    pub searched_ops: Option<u32>,
    /// Network and training, as published.
    pub setting: &'static str,
    /// Test error in per cent, as published.
    pub published_error_percent: f64,
    /// Parameters in millions, as published.
    pub published_params_millions: Option<f64>,
    /// Parameters of the plan, without auxiliary head.
    pub params: Option<u64>,
    /// Multiply-accumulates of the plan.
    pub macs: Option<u64>,
    /// Architectures that the search evaluated.
    pub models_evaluated: Option<u32>,
    /// GPU-days of the search.
    pub gpu_days: Option<f64>,
    /// Where the figure was published.
    pub source: &'static str,
    /// Whether the counts agree.
    pub verdict: CountComparison,
}

/// Whether the counted parameters are the published ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is", content = "why")]
pub enum CountComparison {
    /// The count, rounded or cut to the printed digits, is what was printed.
    Exact,
    /// It is not.
    Differs(&'static str),
    /// No count was published.
    NothingPublished,
    /// There is nothing to count.
    CellsUnknown(&'static str),
}

/// All rows, in the order of [`zoo_networks`] and of the figures of each.
///
/// ```
/// use nao_space::network::{CountComparison, results_table};
/// let rows = results_table();
/// let nasnet = rows.iter().find(|row| row.name == "NASNet-A").unwrap();
/// assert_eq!((nasnet.params, nasnet.verdict), (Some(3_346_538), CountComparison::Exact));
/// ```
pub fn results_table() -> Vec<TableRow> {
    let rows =
        |network: &'static ZooNetwork| network.published().iter().map(move |figure| row(network, figure));
    zoo_networks().iter().flat_map(rows).collect()
}

fn row(network: &ZooNetwork, figure: &Published) -> TableRow {
    let skeleton = figure.skeleton;
    let (cost, nodes, searched_ops): (Option<Cost>, _, _) = match network {
        ZooNetwork::Cells(entry) => {
            let plan = skeleton.and_then(|skeleton| entry.plan(&skeleton).ok());
            (plan.map(|plan| plan.cost()), Some(entry.space.nodes()), entry.searched_ops)
        }
        ZooNetwork::Graph(graph) => (Some(graph.plan.cost()), None, None),
        ZooNetwork::Unpublished(cells) => (None, cells.nodes, cells.searched_ops),
    };
    let (cells_per_stage, width) = match network {
        ZooNetwork::Unpublished(cells) => (cells.cells_per_stage, cells.width),
        _ => (skeleton.map(|skeleton| skeleton.cells_per_stage), skeleton.map(|skeleton| skeleton.width)),
    };
    let verdict = match (network, cost, figure.params_millions) {
        (ZooNetwork::Unpublished(cells), ..) => CountComparison::CellsUnknown(cells.known),
        (_, Some(cost), Some(millions)) if prints_as(cost.params, millions) => CountComparison::Exact,
        (_, _, Some(_)) => CountComparison::Differs(figure.note.unwrap_or("no reason is known")),
        (_, _, None) => CountComparison::NothingPublished,
    };
    TableRow {
        name: network.name(),
        data: figure.data,
        nodes,
        cells_per_stage,
        width,
        searched_ops,
        setting: figure.setting,
        published_error_percent: figure.error_percent,
        published_params_millions: figure.params_millions,
        params: cost.map(|cost| cost.params),
        macs: cost.map(|cost| cost.macs),
        models_evaluated: figure.models_evaluated,
        gpu_days: figure.gpu_days,
        source: figure.source,
        verdict,
    }
}

/// Whether a count prints as `millions`, to as many digits after the point as that has. Papers round, some cut.
fn prints_as(params: u64, millions: f64) -> bool {
    let printed = millions.to_string();
    let digits = printed.split_once('.').map_or(0, |(_, digits)| digits.len());
    let scale = 10u64.pow(digits as u32);
    let printed = (millions * scale as f64).round() as u64;
    let unit = 1_000_000 / scale;
    printed == params / unit || printed == (params + unit / 2) / unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_print_as_published_when_rounded_or_cut() {
        for (params, millions) in
            [(3_346_538, 3.3), (68_155_210, 68.1), (68_155_210, 68.2), (11_353_831, 11.35)]
        {
            assert!(prints_as(params, millions), "{params} {millions}");
        }
        for (params, millions) in
            [(3_169_414, 3.3), (145_247_882, 128.0), (3_894_372, 4.6), (68_155_210, 68.3)]
        {
            assert!(!prints_as(params, millions), "{params} {millions}");
        }
    }

    #[test]
    fn rows_that_agree_are_those_of_the_reference_and_others_say_why() {
        let rows = results_table();
        let of = |wanted: fn(&CountComparison) -> bool| -> Vec<(&str, Option<usize>, Option<usize>)> {
            let rows = rows.iter().filter(|row| wanted(&row.verdict));
            rows.map(|row| (row.name, row.cells_per_stage, row.width)).collect()
        };
        assert_eq!(
            of(|verdict| *verdict == CountComparison::Exact),
            [
                ("DenseNet-BC", None, None),
                ("ResNeXt-29", None, None),
                ("NAONet-A", Some(4), Some(42)),
                ("NAONet-WS", Some(5), Some(36)),
                ("NASNet-A", Some(6), Some(32)),
                ("AmoebaNet-A", Some(6), Some(36)),
                ("AmoebaNet-B", Some(6), Some(36)),
                ("AmoebaNet-B", Some(6), Some(80)),
                ("AmoebaNet-B", Some(6), Some(128)),
                ("AmoebaNet-B", Some(6), Some(128)),
                ("PNASNet-5", Some(3), Some(48)),
                ("ENAS", Some(6), Some(36)),
                ("DARTS-V2", Some(6), Some(36)),
            ]
        );
        let differing = of(|verdict| matches!(verdict, CountComparison::Differs(_)));
        let names: Vec<&str> = differing.iter().map(|row| row.0).collect();
        assert_eq!(
            names,
            ["NAONet", "NAONet", "NAONet", "NASNet-A-figure", "ENAS", "ENAS-alt", "DARTS-V1", "DARTS-V2"]
        );
        assert!(!rows.iter().any(|row| row.verdict == CountComparison::Differs("no reason is known")));
        assert_eq!(of(|verdict| matches!(verdict, CountComparison::CellsUnknown(_))).len(), 4);
        for row in &rows {
            assert_eq!(
                row.params.is_none(),
                matches!(row.verdict, CountComparison::CellsUnknown(_)),
                "{}",
                row.name
            );
        }
    }
}
