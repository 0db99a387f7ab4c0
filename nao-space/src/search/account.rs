//! What the looks of one search at a table cost.

use std::cell::Cell;

/// The account of one search in a contest, in queries. A query is a look at the label that is searched by; a cheap look,
/// as at a training of fewer epochs, costs a part of it. All costs are whole numbers, so that sums are exact.
#[derive(Debug)]
pub struct Account {
    query: u64,
    spent: Cell<u64>,
    cheap_looks: Cell<u64>,
}

impl Account {
    /// An account where a query costs `query`, in a unit in which cheap looks cost whole numbers too, such as the
    /// epochs of a training; 1 where there are no cheap looks. At least 1.
    pub fn new(query: u64) -> Self {
        Account { query: query.max(1), spent: Cell::new(0), cheap_looks: Cell::new(0) }
    }

    /// Charges one look that costs a part of a query.
    pub fn charge_cheap_look(&self, cost: u64) {
        self.spent.set(self.spent.get() + cost);
        self.cheap_looks.set(self.cheap_looks.get() + 1);
    }

    /// Charges a query.
    pub(super) fn charge_query(&self) {
        self.spent.set(self.spent.get() + self.query);
    }

    /// All that was charged, in queries.
    pub fn queries(&self) -> f64 {
        self.spent.get() as f64 / self.query as f64
    }

    /// Cheap looks that were charged.
    pub fn cheap_looks(&self) -> u64 {
        self.cheap_looks.get()
    }

    /// How many queries are left of a budget of so many.
    pub(super) fn left(&self, budget: u64) -> u64 {
        budget.saturating_mul(self.query).saturating_sub(self.spent.get()) / self.query
    }
}
