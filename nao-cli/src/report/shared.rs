//! What a search with shared weights says when its rounds are done.

use std::collections::BTreeSet;

use nao_space::search::{COLLAPSED, OperationHistogram};

use super::table::plain_table;
use crate::figures::figure;
use crate::run::SharedReport;

/// The curve of the rounds, the operations of each round's pool and of its best cells, warnings, and how the result is
/// chosen.
pub fn shared_tables(report: &SharedReport) -> String {
    let mut parts = vec![
        format!(
            "rounds with shared weights; accuracy of cells on all {} validation images",
            report.validation_images
        ),
        curve(report),
        "operations, in % of all edges: of the pool / of the best cells".to_owned(),
        operations(report),
    ];
    let warnings = report.rounds.iter().map(|round| (round.round, &round.warnings));
    for (round, warnings) in warnings.filter(|(_, warnings)| !warnings.is_empty()) {
        parts.extend(warnings.iter().map(|warning| format!("warning, round {round}: {warning}")));
    }
    parts.push(format!("selection: {}", report.selection));
    parts.join("\n")
}

fn curve(report: &SharedReport) -> String {
    let rows = report.rounds.iter().map(|round| {
        vec![
            round.round.to_string(),
            round.epochs.to_string(),
            round.train_loss.last().map_or(String::new(), |loss| format!("{loss:.3}")),
            round.pool.to_string(),
            figure(round.best),
            figure(round.mean),
            figure(round.worst),
            round.proposed.to_string(),
            format!("{:.0}", round.seconds.iter().sum::<f64>()),
        ]
    });
    let header = ["round", "epochs", "loss", "cells", "best", "mean", "worst", "new", "seconds"];
    plain_table(&header, &[0, 1, 2, 3, 4, 5, 6, 7, 8], rows.collect())
}

fn operations(report: &SharedReport) -> String {
    let known: BTreeSet<&String> =
        report.rounds.iter().flat_map(|round| round.pool_operations.edges.keys()).collect();
    let percent = |count: usize, of: &OperationHistogram| {
        format!("{:.0}", 100.0 * count as f64 / of.total().max(1) as f64)
    };
    let mut header = vec!["operation".to_owned()];
    header.extend(report.rounds.iter().map(|round| format!("round {}", round.round + 1)));
    let row = |name: String, count: &dyn Fn(&OperationHistogram) -> usize| {
        let cells = report.rounds.iter().map(|round| {
            let (pool, top) = (&round.pool_operations, &round.top_operations);
            format!("{} / {}", percent(count(pool), pool), percent(count(top), top))
        });
        [name].into_iter().chain(cells).collect::<Vec<_>>()
    };
    let mut rows: Vec<Vec<String>> = known
        .into_iter()
        .map(|name| row(name.clone(), &|of| of.edges.get(name).copied().unwrap_or(0)))
        .collect();
    let free = format!("parameter-free (watched above {:.0})", 100.0 * COLLAPSED);
    rows.push(row(free, &|of| of.parameter_free));
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    plain_table(&header, &(1..header.len()).collect::<Vec<_>>(), rows)
}
