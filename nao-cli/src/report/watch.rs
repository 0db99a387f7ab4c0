//! The operations of a search whose cells were each trained alone: whether it goes where nothing has parameters.

use std::collections::BTreeSet;

use nao_space::search::{COLLAPSED, OperationHistogram};

use super::table::plain_table;

/// The operations of the first and the last round and of the best cells, a warning where most of the latter have no
/// parameters, and how the best are chosen.
pub fn operations_watch(
    first: &OperationHistogram,
    last: &OperationHistogram,
    best: &OperationHistogram,
    selection: &str,
) -> String {
    let columns = [first, last, best];
    let percent = |count: usize, of: &OperationHistogram| {
        format!("{:.0}", 100.0 * count as f64 / of.total().max(1) as f64)
    };
    let row = |name: &str, count: &dyn Fn(&OperationHistogram) -> usize| {
        let cells = columns.map(|of| percent(count(of), of));
        [name.to_owned()].into_iter().chain(cells).collect::<Vec<_>>()
    };
    let names: BTreeSet<&String> = columns.iter().flat_map(|of| of.edges.keys()).collect();
    let mut rows: Vec<Vec<String>> =
        names.into_iter().map(|name| row(name, &|of| of.edges.get(name).copied().unwrap_or(0))).collect();
    rows.push(row("without parameters", &|of| of.parameter_free));
    let table = plain_table(&["% of all edges", "first round", "last round", "best cells"], &[1, 2, 3], rows);
    let mut parts = vec![table];
    // In some sets of operations most have no parameters: then a random cell has as many.
    let (before, now) = (first.parameter_free_share(), best.parameter_free_share());
    if now > COLLAPSED && now > before {
        parts.push(format!(
            "warning: {:.0} % of the edges of the best cells have no parameters (identities, pools, zeros), of the first round \
             {:.0} %: short trainings favour what needs none; compare with longer ones",
            100.0 * now,
            100.0 * before
        ));
    }
    parts.push(format!("selection: {selection}"));
    parts.join("\n")
}

#[cfg(test)]
mod tests {
    use nao_space::{CnnSpace, OpSet, Space};

    use super::*;

    #[test]
    fn best_cells_without_parameters_are_warned_of() {
        let space = CnnSpace::new(1, OpSet::enas_5()).unwrap();
        let of = |text: &str| OperationHistogram::of([&space.parse(text).unwrap()]);
        let (pools, half) = (of("0 4 1 2 0 3 1 0"), of("0 4 1 2 0 1 1 0"));
        let text = operations_watch(&half, &half, &pools, "the best");
        assert!(text.contains("warning: 75 %") && text.ends_with("selection: the best"), "{text}");
        for (first, best) in [(&pools, &half), (&pools, &pools)] {
            let text = operations_watch(first, &pools, best, "the best");
            assert!(!text.contains("warning") && text.contains("without parameters"), "{text}");
        }
    }
}
