//! How a search learns that it is to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Knows when a search is asked to stop. A flag, `Arc<AtomicBool>`, is one.
pub trait Interruption {
    /// Whether the search was asked to stop.
    fn is_raised(&self) -> bool;

    /// Does work of which nothing is kept when it is broken off. Whoever can end the process in the midst of it may do so
    /// while it lasts; otherwise it is done to its end.
    fn at_once(&self, work: &mut dyn FnMut()) {
        work();
    }
}

impl Interruption for Arc<AtomicBool> {
    fn is_raised(&self) -> bool {
        self.load(Ordering::Relaxed)
    }
}
