//! What came out, as JSON and as tables, beside what came out before.

use std::path::Path;

use anyhow::{Context, Result, bail};
use nao_run::files::read_record;
use nao_space::search::Standing;
use serde::{Deserialize, Serialize};

use crate::report::plain_table;

/// The columns of the tables: after how many queries the best is shown.
pub const SHOWN: [u64; 3] = [50, 100, 192];
/// The curves in JSON have a point every so many queries.
pub const CURVE_STEP: u64 = 10;

/// One strategy against a table.
#[derive(Clone, Debug, Serialize)]
pub struct BenchResult {
    pub strategy: String,
    #[serde(flatten)]
    pub contest: ContestFacts,
    #[serde(flatten)]
    pub standing: Standing,
}

/// What was searched and how: results are compared where all of it is equal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContestFacts {
    pub table: String,
    /// Of architectures and values.
    pub table_hash: String,
    pub metric: String,
    pub protocol: String,
    pub mode: String,
    pub initial: u64,
    pub per_round: u64,
    pub budget: u64,
    /// The best reported value of the table.
    pub optimum: f64,
}

/// Results of an earlier `nao bench --json`.
pub fn earlier(path: &Path) -> Result<Vec<BenchResult>> {
    let text = read_record(path)?;
    let read = || -> serde_json::Result<Vec<BenchResult>> {
        // By hand: through `flatten` the numbers that are keys of maps would be read as text.
        let of = |value: serde_json::Value| {
            let Name { strategy } = serde_json::from_value(value.clone())?;
            let contest = serde_json::from_value(value.clone())?;
            let standing: Standing = serde_json::from_value(value)?;
            Ok(BenchResult { strategy, contest, standing: standing.without_hollow_figures() })
        };
        serde_json::from_str::<Vec<serde_json::Value>>(&text)?.into_iter().map(of).collect()
    };
    read().with_context(|| format!("{} is no output of nao bench --json", path.display()))
}

#[derive(Deserialize)]
struct Name {
    strategy: String,
}

/// Puts earlier results beside those of the same metric. What was not searched now is left out.
///
/// Refuses results of another table or of other conditions, which no table could compare.
pub fn beside(results: &mut Vec<BenchResult>, earlier: &[BenchResult], from: &Path) -> Result<()> {
    let Some(contest) = results.first().map(|result| result.contest.clone()) else { return Ok(()) };
    for old in earlier.iter().filter(|old| old.contest.metric == contest.metric) {
        if let Some((what, was, is)) = difference(&old.contest, &contest) {
            bail!(
                "{}: `{}` cannot be compared: its {what} is {was}, that of these searches {is}",
                from.display(),
                old.strategy
            );
        }
        let name = old.strategy.clone();
        let name = match results.iter().any(|result| result.strategy == name) {
            true => format!("{name} ({})", from.display()),
            false => name,
        };
        results.push(BenchResult { strategy: name, ..old.clone() });
    }
    Ok(())
}

/// The first thing in which contests differ.
fn difference(old: &ContestFacts, new: &ContestFacts) -> Option<(&'static str, String, String)> {
    let of = |contest: &ContestFacts| {
        [
            ("table", contest.table.clone()),
            ("table_hash", contest.table_hash.clone()),
            ("protocol", contest.protocol.clone()),
            ("mode", contest.mode.clone()),
            ("initial", contest.initial.to_string()),
            ("per_round", contest.per_round.to_string()),
            ("budget", contest.budget.to_string()),
        ]
    };
    let differs = of(old).into_iter().zip(of(new)).find(|(old, new)| old != new);
    differs.map(|((what, was), (_, is))| (what, was, is))
}

/// A table of results of one metric.
pub fn page(results: &[BenchResult]) -> String {
    let Some(BenchResult { contest, .. }) = results.first() else { return String::new() };
    let shown = || SHOWN.into_iter().filter(|&count| count <= contest.budget);
    let mut header: Vec<String> =
        ["strategy", "searches", "queries to optimum", "95 %", "misses"].map(str::to_owned).to_vec();
    header.extend(shown().map(|count| format!("best at {count}")));
    header.extend(["ms per round", "s per search"].map(str::to_owned));
    let rows = results.iter().map(|result| {
        let standing = &result.standing;
        let over = |queries: f64| match queries > contest.budget as f64 {
            true => format!("> {}", contest.budget),
            // Cheap looks cost hundredths of a query.
            false => format!("{}", (100.0 * queries).round() / 100.0),
        };
        let interval = standing.interval.map(|[low, high]| match low > contest.budget as f64 {
            true => over(low),
            false => format!("{}-{}", over(low), over(high)),
        });
        let mut row = vec![
            result.strategy.clone(),
            standing.seeds.to_string(),
            standing.median_queries_to_optimum.map_or("-".to_owned(), over),
            interval.unwrap_or("-".to_owned()),
            standing.misses.map_or("-".to_owned(), |misses| misses.to_string()),
        ];
        row.extend(shown().map(|count| {
            let mean = standing.best_at.get(&count).map(|mean| format!("{mean:.4}"));
            match standing.best_at_interval.get(&count) {
                Some(Some([low, high])) => format!("{} ±{:.4}", mean.unwrap_or_default(), (high - low) / 2.0),
                _ => mean.unwrap_or("-".to_owned()),
            }
        }));
        row.push(
            standing.seconds_per_round.map_or("-".to_owned(), |seconds| format!("{:.1}", 1e3 * seconds)),
        );
        row.push(format!("{:.2}", standing.seconds_per_search));
        row
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let numbers: Vec<usize> = (1..header.len()).collect();
    let looks = results.iter().filter(|result| result.standing.cheap_looks > 0.0).map(|result| {
        let (strategy, looks) = (&result.strategy, result.standing.cheap_looks);
        format!("\n{strategy}: its queries contain {looks:.1} cheap looks per search, each charged as the part of a query that it costs")
    });
    let looks: String = looks.collect();
    format!(
        "{} {} ({}), {}, {} queries, {} + {} per round, candidates: {}\nbest of the table {:.4}; means ± 95 %{looks}\n{}{}",
        contest.table,
        contest.metric,
        contest.table_hash,
        match contest.protocol.as_str() {
            "noise-free" => "searched and reported on one label",
            _ => "chosen on validation, reported on test",
        },
        contest.budget,
        contest.initial,
        contest.per_round,
        contest.mode,
        contest.optimum,
        plain_table(&header, &numbers, rows),
        reasons(results),
    )
}

/// Why figures are missing: lines for below the table.
fn reasons(results: &[BenchResult]) -> String {
    let any = |test: &dyn Fn(&Standing) -> bool| results.iter().any(|result| test(&result.standing));
    let mut lines = String::new();
    if any(&|standing| standing.seeds < Standing::LEAST_SEARCHES) {
        let fewest = results.iter().map(|result| result.standing.seeds).min().unwrap_or(0);
        let searches = if fewest == 1 { "search" } else { "searches" };
        lines.push_str(&format!(
            "\nonly {fewest} {searches} of a strategy: no 95 % interval of fewer than {}; differences may well be chance",
            Standing::LEAST_SEARCHES
        ));
    }
    let is_equal = |standing: &Standing| {
        standing.seeds >= Standing::LEAST_SEARCHES && standing.best_at_interval.values().any(Option::is_none)
    };
    if any(&is_equal) {
        lines.push_str("\na mean without ±: all searches came to the same value");
    }
    if any(&|standing| standing.misses.is_none()) {
        lines.push_str("\nno queries to the optimum, no misses: with this protocol no optimum is sought");
    }
    if any(&|standing| standing.seconds_per_round.is_none()) {
        lines.push_str("\nno ms per round: no search came beyond its first round");
    }
    lines
}

#[cfg(test)]
mod tests {
    use nao_space::search::Race;

    use super::*;

    fn result(strategy: &str, table_hash: &str) -> BenchResult {
        let race = Race {
            best: vec![0.5, 1.0],
            spent: vec![1.0, 2.0],
            queries_to_optimum: Some(2.0),
            ..Race::begun(1)
        };
        BenchResult {
            strategy: strategy.to_owned(),
            contest: ContestFacts {
                table: "nasbench201".to_owned(),
                table_hash: table_hash.to_owned(),
                metric: "cifar10".to_owned(),
                protocol: "noise-free".to_owned(),
                mode: "generate".to_owned(),
                initial: 1,
                per_round: 1,
                budget: 60,
                optimum: 1.0,
            },
            standing: Standing::of(&[race], 60, true, &SHOWN),
        }
    }

    #[test]
    fn results_of_another_table_are_not_compared() {
        let mut results = vec![result("nao", "aa")];
        let file = Path::new("old.json");
        let error = beside(&mut results, &[result("random", "bb")], file).unwrap_err().to_string();
        assert!(error.contains("old.json") && error.contains("bb") && error.contains("aa"), "{error}");
        let mut other = result("random", "aa");
        other.contest.budget = 7;
        assert!(beside(&mut results, &[other], file).unwrap_err().to_string().contains("budget"));
        beside(&mut results, &[result("random", "aa"), result("nao", "aa")], file).unwrap();
        let names: Vec<&str> = results.iter().map(|result| result.strategy.as_str()).collect();
        assert_eq!(names, ["nao", "random", "nao (old.json)"]);
    }

    #[test]
    fn few_searches_are_said_to_say_little_in_the_table_itself() {
        let text = page(&[result("nao", "aa")]);
        assert!(text.contains("only 1 search of a strategy") && text.contains("no ms per round"), "{text}");
        assert!(!page(&[result("nao", "aa")]).contains("cheap"));
        let looking = Standing { cheap_looks: 7.5, ..result("nao", "aa").standing };
        let looking = BenchResult { standing: looking, ..result("nao:cheap", "aa") };
        assert!(page(&[looking]).contains("nao:cheap: its queries contain 7.5 cheap looks"));
        let many = Standing { seeds: 6, ..result("nao", "aa").standing };
        let many = BenchResult { standing: many, ..result("nao", "aa") };
        assert!(!page(&[many]).contains("only"));
    }

    #[test]
    fn what_is_undefined_is_a_dash_and_says_why() {
        let one = page(&[result("nao", "aa")]);
        assert!(!one.contains("±0") && !one.contains("2-2"), "{one}");
        let unsought = Standing { misses: None, ..result("nao", "aa").standing };
        let unsought = page(&[BenchResult { standing: unsought, ..result("nao", "aa") }]);
        assert!(unsought.contains("no optimum is sought"), "{unsought}");
        // Of an older version: intervals of a single search.
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut old = serde_json::to_value([result("nao", "aa")]).unwrap();
        old[0]["interval"] = serde_json::json!([2.0, 2.0]);
        old[0]["best_at_interval"]["50"] = serde_json::json!([1.0, 1.0]);
        std::fs::write(file.path(), old.to_string()).unwrap();
        let [read] = &earlier(file.path()).unwrap()[..] else { panic!("one result was written") };
        assert_eq!((read.standing.interval, read.standing.best_at_interval[&50]), (None, None));
    }
}
