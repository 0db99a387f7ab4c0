//! The best architectures of a run, as a table.

use nao_run::{RankedTrial, TrialOrigin};

use super::table::plain_table;
use crate::figures::{figure, millions};

/// The best architectures, each with all that makes its score readable.
pub fn best_table(entries: &[RankedTrial]) -> String {
    let rows = entries.iter().map(|entry| {
        let objective = &entry.objective;
        vec![
            entry.rank.to_string(),
            entry.trial.to_string(),
            figure(objective.value),
            objective.split.clone(),
            entry.fidelity.to_string(),
            millions(entry.params),
            millions(entry.macs),
            origin_in_words(&entry.origin),
        ]
    });
    let value = entries.first().map_or("value", |entry| entry.objective.name.as_str());
    let header = ["rank", "trial", value, "split", "fidelity", "params", "MACs", "found by"];
    plain_table(&header, &[0, 1, 2, 5, 6], rows.collect())
}

/// Such as `ascent from 7, step 2`, or `shared weights 0.81`.
fn origin_in_words(origin: &TrialOrigin) -> String {
    if let Some(score) = origin.shared_score {
        return format!("{} {}", origin.kind, figure(score));
    }
    match (origin.parent, origin.step) {
        (Some(parent), Some(step)) => format!("{} from {parent}, step {step}", origin.kind),
        (Some(parent), None) => format!("{} of {parent}", origin.kind),
        _ => origin.kind.to_owned(),
    }
}
