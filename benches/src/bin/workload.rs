//! Our side of the comparison with PyTorch: writes the descriptions of the workloads, or runs one.
//!
//! `workload write FOLDER` writes a JSON file per workload; `workload FILE --threads N --seconds S` runs that one and
//! prints what it cost as one line of JSON; `workload list` lists them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use nao_benches::workload::{Workload, all, measure};
use serde_json::json;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Our side of the comparison with PyTorch.
#[derive(Parser)]
struct Arguments {
    /// `list`, `write`, or the JSON file of a workload to run.
    what: PathBuf,
    /// Where to write.
    folder: Option<PathBuf>,
    /// Threads.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// How long to repeat the work.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

fn main() -> Result<()> {
    // As the `nao` command does: freed memory is kept. Option 15 is the delay of giving it back, -1 is never.
    // SAFETY: sets a number inside the allocator.
    unsafe { libmimalloc_sys::mi_option_set_default(15, -1) };
    let arguments = Arguments::parse();
    match arguments.what.to_str() {
        Some("list") => all().iter().for_each(|workload| println!("{}", workload.name)),
        Some("write") => write(&arguments.folder.context("write where?")?)?,
        _ => run(&arguments)?,
    }
    Ok(())
}

fn write(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for (number, Workload { name, description, .. }) in all().into_iter().enumerate() {
        let file = format!("{number:02}-{}.json", name.replace(['/', ' ', '='], "_"));
        std::fs::write(folder.join(file), serde_json::to_string(&description)?)?;
    }
    Ok(())
}

fn run(arguments: &Arguments) -> Result<()> {
    let text = std::fs::read_to_string(&arguments.what)
        .with_context(|| format!("cannot read the workload {}", arguments.what.display()))?;
    let description: serde_json::Value = serde_json::from_str(&text)?;
    let Some(workload) =
        all().into_iter().find(|workload| workload.description["name"] == description["name"])
    else {
        bail!("{} is no workload of this program", description["name"]);
    };
    let threads = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build()?;
    let before = memory("VmRSS");
    forget_peak();
    let cost = threads.install(|| {
        let mut work = (workload.build)();
        measure(&mut work, Duration::from_secs_f64(arguments.seconds))
    });
    let peak = memory("VmHWM").saturating_sub(before);
    let mut result = json!({
        "name": workload.name,
        "side": "nao",
        "threads": arguments.threads,
        "cpu_ms": cost.cpu_ms,
        "wall_ms": cost.wall_ms,
        "passes": cost.passes,
        "peak_mib": peak as f64 / 1024.0,
        "version": nao_kernels::check_environment().unwrap_or_default(),
    });
    if let (Some(batch), Some(segment)) = (description["batch"].as_u64(), description["segment"].as_u64()) {
        result["words"] = (batch * segment).into();
    }
    println!("{result}");
    Ok(())
}

/// A figure of this process in KiB; 0 where the system does not say.
fn memory(figure: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Starts the high-water mark of resident memory anew, where the system lets us.
fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
