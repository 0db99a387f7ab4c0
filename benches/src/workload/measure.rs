//! Process CPU time, wall time and memory of repeated work.

use std::time::{Duration, Instant};

/// Passes before the first that counts.
const WARM_UP: usize = 2;

/// The least number of passes that count.
const LEAST_PASSES: usize = 5;

/// What one pass costs.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Median process CPU time in milliseconds.
    pub cpu_ms: f64,
    /// Median wall time in milliseconds.
    pub wall_ms: f64,
    /// Passes that counted.
    pub passes: usize,
}

/// Runs `work` for some time, and at least five times.
pub fn measure(mut work: impl FnMut(), time: Duration) -> Cost {
    for _ in 0..WARM_UP {
        work();
    }
    let (mut cpu, mut wall) = (Vec::new(), Vec::new());
    let start = Instant::now();
    while wall.len() < LEAST_PASSES || start.elapsed() < time {
        let (cpu_start, wall_start) = (cpu_time::ProcessTime::now(), Instant::now());
        work();
        wall.push(wall_start.elapsed().as_secs_f64() * 1e3);
        cpu.push(cpu_start.elapsed().as_secs_f64() * 1e3);
    }
    let passes = wall.len();
    Cost { cpu_ms: median(cpu), wall_ms: median(wall), passes }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
