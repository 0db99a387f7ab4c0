//! Ctrl-C, SIGTERM and SIGHUP: how a command ends that is asked to stop.
//!
//! Work of which nothing can be kept ends at once, wherever it stands: [`Interrupt::at_once`]. Every command begins so.
//! Work that is kept is asked to stop at its next border: [`Interrupt::at_a_border`]. The two nest, and the innermost
//! counts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};

use crate::failure::STOPPED;
use crate::output::tell;

/// Whether the process that started this one has it ignore a signal, by its number.
pub type IsIgnored = fn(i32) -> bool;

/// What the process has been asked, and how it answers.
#[derive(Clone)]
pub struct Interrupt(Arc<Shared>);

struct Shared {
    raised: Arc<AtomicBool>,
    sections: Mutex<Vec<Section>>,
}

/// How the work under way ends.
enum Section {
    /// With the process, after these words, which are made when it ends.
    AtOnce(Option<Parting>),
    /// On its own, when it next checks the flag.
    AtABorder,
}

type Parting = Box<dyn FnOnce() -> String + Send>;

impl Interrupt {
    /// Listens to signals, but not to SIGHUP where it is ignored, as `nohup` has it.
    ///
    /// # Errors
    /// When the system has no room for a listener.
    pub fn listen(is_ignored: IsIgnored) -> Result<Self> {
        let interrupt = Self::deaf();
        interrupt.begin(Section::AtOnce(Some(Box::new(|| "stopped".to_owned()))));
        listen(interrupt.clone(), is_ignored).context("cannot listen for signals")?;
        Ok(interrupt)
    }

    /// Hears nothing.
    pub fn deaf() -> Self {
        Interrupt(Arc::new(Shared { raised: Arc::default(), sections: Mutex::default() }))
    }

    /// Whether the process was asked to stop.
    pub fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::Relaxed)
    }

    /// What is raised when the process is asked to stop.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.0.raised.clone()
    }

    /// Does work of which nothing is kept when it is broken off. If that happens, `parting` tidies up and gives the last
    /// words, and the process ends.
    pub fn at_once<T>(
        &self,
        parting: impl FnOnce() -> String + Send + 'static,
        work: impl FnOnce() -> T,
    ) -> T {
        self.within(Section::AtOnce(Some(Box::new(parting))), work)
    }

    /// Does work that checks the flag and then keeps its results.
    pub fn at_a_border<T>(&self, work: impl FnOnce() -> T) -> T {
        self.within(Section::AtABorder, work)
    }

    fn within<T>(&self, section: Section, work: impl FnOnce() -> T) -> T {
        self.begin(section);
        let _ending = Ending(self);
        work()
    }

    fn begin(&self, section: Section) {
        let mut sections = self.sections();
        sections.push(section);
        if self.is_raised() {
            // The signal came between the last check of the flag and here.
            part(&mut sections);
        }
    }

    /// While it is held, no section begins or ends.
    fn sections(&self) -> MutexGuard<'_, Vec<Section>> {
        self.0.sections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process is asked to stop; when it was asked before, it ends.
    fn raise(&self, is_repeatable: bool) {
        let mut sections = self.sections();
        if self.0.raised.swap(true, Ordering::Relaxed) {
            if is_repeatable {
                std::process::exit(STOPPED.into());
            }
            return;
        }
        part(&mut sections);
        tell("stopping ... (Ctrl-C again to stop at once)");
    }
}

/// Ends the process, unless the current work ends on its own.
fn part(sections: &mut [Section]) {
    if let Some(Section::AtOnce(parting)) = sections.last_mut() {
        tell(parting.take().map_or_else(|| "stopped".to_owned(), |parting| parting()));
        std::process::exit(STOPPED.into());
    }
}

/// Ends a section on every way out, a panic as well.
struct Ending<'a>(&'a Interrupt);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.sections().pop();
    }
}

#[cfg(unix)]
fn listen(interrupt: Interrupt, is_ignored: IsIgnored) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let heard =
        [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|&signal| signal != SIGHUP || !is_ignored(signal));
    let mut signals = signal_hook::iterator::Signals::new(heard)?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        // A terminal that goes sends SIGHUP, and so does its shell: that is no impatience.
        signals.forever().for_each(|signal| interrupt.raise(signal != SIGHUP));
    })?;
    Ok(())
}

#[cfg(not(unix))]
fn listen(interrupt: Interrupt, _is_ignored: IsIgnored) -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(move || interrupt.raise(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_within_a_border_goes_on_and_sees_the_flag() {
        let interrupt = Interrupt::deaf();
        interrupt.at_once(
            || unreachable!("the inner section counts"),
            || {
                let seen = interrupt.at_a_border(|| {
                    interrupt.raise(true);
                    interrupt.is_raised()
                });
                assert!(seen);
                // A second one that is no impatience changes nothing.
                interrupt.at_a_border(|| interrupt.raise(false));
                interrupt.0.sections.lock().unwrap().clear();
            },
        );
    }
}
