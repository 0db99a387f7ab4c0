//! What a search in a relaxed network says when its epochs are done.

use super::table::plain_table;
use crate::figures::figure;
use crate::run::RelaxedReport;

/// The epochs, the derived cells, the collapse watch, and how the result is chosen.
pub fn relaxed_tables(report: &RelaxedReport) -> String {
    let mut parts = vec![
        format!(
            "the relaxed network: weights learn from {} images, mixtures from {}, on which its accuracy is measured",
            report.images[0], report.images[1]
        ),
        epochs(report),
    ];
    parts.extend(report.epochs.last().map(|epoch| format!("derived: {}", epoch.genotype)));
    let operations = &report.operations;
    let of = |(name, count): (&String, &usize)| format!("{name} {count}");
    let counts: Vec<String> = operations.edges.iter().map(of).collect();
    parts.push(format!(
        "operations: {}; {:.0} % of the edges without parameters",
        counts.join(", "),
        100.0 * operations.parameter_free_share()
    ));
    parts.extend(operations.warning().map(|warning| format!("warning: {warning}")));
    parts.push(format!("selection: {}", report.selection));
    parts.join("\n")
}

fn epochs(report: &RelaxedReport) -> String {
    let mut before: Option<&str> = None;
    let rows = report.epochs.iter().map(|epoch| {
        let changed = before.is_some_and(|before| before != epoch.genotype);
        before = Some(&epoch.genotype);
        vec![
            epoch.report.epoch.to_string(),
            format!("{:.3}", epoch.report.train_loss),
            epoch.report.value.map_or(String::new(), figure),
            format!("{:.4}", epoch.entropy[0]),
            format!("{:.4}", epoch.entropy[1]),
            if changed { "yes" } else { "" }.to_owned(),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let header = ["epoch", "loss", "accuracy", "entropy, normal", "entropy, reduction", "cells changed"];
    plain_table(&header, &[0, 1, 2, 3, 4], rows)
}
