//! What is searched: the values of a table by architecture.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use nao_space::table::{Label, Table, TableSchema};
use nao_space::{
    ArchKey, Direction, Evaluator, NasBench101Space, NasBench201Space, Objective, Quiet, Space, Trial,
    TrialId,
};
use sha2::{Digest, Sha256};

/// Two labels of a table, one to search by and one to report, which may be the same.
pub struct Values<S: Space> {
    pub table: Arc<Table<S>>,
    /// One spelling of every architecture that has both values.
    pub archs: Arc<Vec<S::Arch>>,
    pub searched: HashMap<ArchKey, f64>,
    pub reported: HashMap<ArchKey, f64>,
    pub objective: Objective,
    /// Labels of a shorter training, where the table has some.
    pub cheap: Option<Arc<CheapValues>>,
    /// Epochs of the label that is searched by: what a query costs.
    pub epochs: u32,
    /// Whether every architecture of the space is there.
    pub whole: bool,
    /// A hash of all architectures and values: results with equal ones are of the same contest.
    pub hash: String,
}

/// Values of a shorter training, by which a search may go before it takes a query.
pub struct CheapValues {
    pub values: HashMap<ArchKey, f64>,
    /// What a look at one costs, where a query costs those of the whole training.
    pub epochs: u32,
}

/// Epochs of the cheap labels. NAS-Bench-201 has trainings of their own for them, whose learning rate falls to 0 in so
/// many.
const CHEAP_EPOCHS: u32 = 12;

impl Values<NasBench201Space> {
    /// Labels of the built-in table: mean accuracies after 200 epochs.
    pub fn nasbench201(metric: &str, [searched, reported]: [&str; 2]) -> Result<Self> {
        let label = |split| Label::average(metric, split, 200);
        Values::of(Table::nasbench201(), &label(searched), &label(reported), true)
    }
}

impl Values<NasBench101Space> {
    /// The label of the longest training of a file, or of a slice of it. Also tells its name.
    pub fn nasbench101(file: &Path, slice: Option<&str>) -> Result<(String, Self)> {
        let schema = TableSchema::nasbench101();
        let schema = match slice {
            Some(slice) => schema.with_rows("source_slice", slice),
            None => schema,
        };
        let table = Table::read(NasBench101Space::default(), file, &schema)
            .with_context(|| file.display().to_string())?;
        let label = table.labels().max_by_key(|label| label.epochs).cloned();
        let label = label.with_context(|| format!("{} has no labels", file.display()))?;
        Ok((label.to_string(), Values::of(Arc::new(table), &label, &label, false)?))
    }
}

impl<S: Space> Values<S> {
    fn of(table: Arc<Table<S>>, searched: &Label, reported: &Label, whole: bool) -> Result<Self> {
        let space = table.space();
        let mut archs = HashMap::new();
        for arch in table.archs() {
            // Of all spellings the canonical one is looked at, so that an architecture has one value.
            archs.entry(space.key(arch)).or_insert_with(|| space.canonical(arch));
        }
        let values = |label: &Label| -> Result<HashMap<ArchKey, f64>> {
            let evaluator = table.evaluator(label)?;
            let value = |arch: &S::Arch| {
                let trial = Trial { id: TrialId(1), arch: arch.clone(), seed: 0 };
                Some(evaluator.evaluate(&trial, &mut Quiet).ok()?.value)
            };
            Ok(archs.iter().filter_map(|(key, arch)| Some((key.clone(), value(arch)?))).collect())
        };
        let (by_search, by_report) = (values(searched)?, values(reported)?);
        let cheap = Label { epochs: CHEAP_EPOCHS, ..searched.clone() };
        let cheap = match searched.epochs > CHEAP_EPOCHS && table.labels().any(|label| *label == cheap) {
            true => Some(Arc::new(CheapValues { values: values(&cheap)?, epochs: CHEAP_EPOCHS })),
            false => None,
        };
        let mut known: Vec<(ArchKey, S::Arch)> = archs.into_iter().collect();
        known.retain(|(key, _)| by_search.contains_key(key) && by_report.contains_key(key));
        known.sort_by(|a, b| a.0.cmp(&b.0));
        if known.is_empty() {
            bail!("the table {} has no values for ({searched})", table.name());
        }
        let mut hash = Sha256::new();
        for (key, arch) in &known {
            hash.update(space.format(arch));
            hash.update([by_search[key], by_report[key]].map(f64::to_le_bytes).concat());
        }
        let hash = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let objective = table.evaluator(searched)?.objective();
        let archs = Arc::new(known.into_iter().map(|(_, arch)| arch).collect());
        let (searched, reported, epochs) = (by_search, by_report, searched.epochs);
        Ok(Values { archs, searched, reported, objective, cheap, epochs, whole, hash, table })
    }

    /// The best reported value.
    pub fn optimum(&self) -> f64 {
        let sign = if self.objective.direction == Direction::Maximize { 1.0 } else { -1.0 };
        let known = self.archs.iter().filter_map(|arch| self.reported.get(&self.table.space().key(arch)));
        sign * known.map(|value| sign * value).fold(f64::NEG_INFINITY, f64::max)
    }
}
