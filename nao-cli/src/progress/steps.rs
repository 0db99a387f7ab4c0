//! Long work in equal steps: what it will cost, and how far it is.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use nao_controller::FitCost;

use crate::output::tell;

/// Work that is shorter is not worth a word.
const WORTH_SAYING: f64 = 3.0;
/// Where there is no terminal, a line at most so often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What fits cost, such as `about 40 s and 150 MiB of memory`.
pub fn cost_in_words(cost: FitCost) -> String {
    words(cost.seconds(), cost.bytes)
}

fn words(seconds: f64, bytes: f64) -> String {
    let time = match seconds {
        0.0..1.0 => "less than a second".to_owned(),
        1.0..100.0 => format!("about {seconds:.0} s"),
        _ => format!("about {:.0} min", seconds / 60.0),
    };
    // Memory of the program itself comes on top.
    format!("{time} and {:.0} MiB of memory", 50.0 + bytes / f64::from(1 << 20))
}

/// A bar on a terminal, else a line on standard error now and then.
pub struct StepProgress {
    what: &'static str,
    bar: ProgressBar,
    steps: u64,
    done: u64,
    begun: Instant,
    said: Instant,
}

impl StepProgress {
    /// So many steps, called `what`, which take what they cost altogether; that is said where it is worth a word.
    pub fn new(what: &'static str, steps: u64, cost: FitCost) -> Self {
        let seconds = cost.seconds();
        if seconds >= WORTH_SAYING {
            tell(format_args!("{steps} {what}, {}", words(seconds, cost.bytes)));
        }
        let style = ProgressStyle::with_template("  {msg} [{bar:20.green/dim}] {pos}/{len}  {elapsed} gone")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::new(steps).with_style(style).with_message(what),
            false => ProgressBar::hidden(),
        };
        bar.tick();
        let now = Instant::now();
        StepProgress { what, bar, steps, done: 0, begun: now, said: now }
    }

    /// One more is done.
    pub fn step(&mut self) {
        self.done += 1;
        self.bar.inc(1);
        if self.bar.is_hidden() && self.said.elapsed() >= LINE_EVERY {
            self.said = Instant::now();
            tell(format_args!(
                "{} of {} {} done after {:.0} s",
                self.done,
                self.steps,
                self.what,
                self.begun.elapsed().as_secs_f64()
            ));
        }
    }
}

impl Drop for StepProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_fit_costs_is_said_in_units_that_people_read() {
        assert_eq!(words(0.3, 0.0), "less than a second and 50 MiB of memory");
        assert_eq!(words(42.4, 104_857_600.0), "about 42 s and 150 MiB of memory");
        assert_eq!(words(600.0, 0.0), "about 10 min and 50 MiB of memory");
    }
}
