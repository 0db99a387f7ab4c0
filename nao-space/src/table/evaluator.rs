//! A table as an evaluator that keeps account of what it was asked.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::schema::Label;
use super::{Table, UnknownLabel};
use crate::language::{ArchKey, Space};
use crate::trial::{EvaluationError, Evaluator, Fidelity, Measurement, Objective, Progress, Trial};

/// Answers trials from one label of a table, and charges each query.
///
/// The second query for an architecture, in any spelling, is free, as for a search that remembers. A query for an
/// architecture that has no label costs nothing.
pub struct TableEvaluator<S: Space> {
    table: Arc<Table<S>>,
    label: usize,
    ledger: Mutex<Ledger>,
    charged: Mutex<HashSet<ArchKey>>,
}

/// The account of the queries to a table.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ledger {
    /// Queries that were answered with a label.
    pub looks: u64,
    /// Architectures among them, which are charged once each.
    pub charged: u64,
    /// The simulated clock: the training times of these architectures in seconds, one after another. 0 where the
    /// table has no times.
    pub seconds: f64,
}

impl<S: Space> Table<S> {
    /// An evaluator of one label, with its own account.
    ///
    /// # Errors
    /// When there is no such label: names the part that is wrong and the right ones.
    pub fn evaluator(self: &Arc<Self>, label: &Label) -> Result<TableEvaluator<S>, UnknownLabel> {
        Ok(TableEvaluator::new(Arc::clone(self), self.find(label)?))
    }
}

impl<S: Space> TableEvaluator<S> {
    pub(super) fn new(table: Arc<Table<S>>, label: usize) -> Self {
        TableEvaluator { table, label, ledger: Mutex::default(), charged: Mutex::default() }
    }

    /// The account so far.
    pub fn ledger(&self) -> Ledger {
        *self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn charge(&self, key: ArchKey, seconds: f64) {
        // The set is held while the account is written, so that no query falls between the two.
        let mut charged = self.charged.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.looks += 1;
        if charged.insert(key) {
            ledger.charged += 1;
            ledger.seconds += seconds;
        }
    }
}

impl<S: Space> Evaluator<S::Arch> for TableEvaluator<S> {
    fn objective(&self) -> Objective {
        self.table.objective(self.label)
    }

    /// The label of the architecture: that of its own row, or where it has none, of the first row that spells the
    /// same. The measurement's time is the stored training time, not the wall time of the query; parameters and
    /// multiply-accumulates are 0 where the table has none. The seed of the trial plays no part: the label says
    /// which training is meant.
    fn evaluate(
        &self,
        trial: &Trial<S::Arch>,
        progress: &mut dyn Progress,
    ) -> Result<Measurement, EvaluationError> {
        if progress.should_stop() {
            return Err(EvaluationError::Interrupted);
        }
        let table = &self.table;
        let stored = &table.labels[self.label];
        let missing = |what: String| EvaluationError::Unsuitable {
            message: format!("{}: {what}", table.space.format(&trial.arch)),
        };
        let key = table.space.key(&trial.arch);
        let row = table.row(&trial.arch, &key).ok_or_else(|| {
            missing(format!("not among the {} architectures of the table {}", table.len(), table.name))
        })?;
        let value = stored.values[row].ok_or_else(|| {
            missing(format!("the table {} has no label ({}) for it", table.name, stored.label))
        })?;
        self.charge(key, stored.seconds[row]);
        let recipe = format!("{}/{}/{}", table.name, stored.label.dataset, stored.label.run);
        Ok(Measurement::new(self.objective(), value)
            .at(Fidelity::new(recipe, stored.label.epochs))
            .with_cost(stored.params[row], stored.macs[row])
            .in_seconds(stored.seconds[row]))
    }
}
