//! What processes hold in memory.

/// The most resident memory that this process ever had, in MiB; none where the system does not say.
pub fn peak_mib() -> Option<f64> {
    value("VmHWM:", "/proc/self/status")
}

fn value(key: &str, file: &str) -> Option<f64> {
    let status = std::fs::read_to_string(file).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}

/// What this process holds now, in MiB; none where the system does not say.
pub fn resident_mib() -> Option<f64> {
    resident_mib_of(std::process::id())
}

/// What a process of this machine holds now, in MiB; none where the system does not say.
pub fn resident_mib_of(process: u32) -> Option<f64> {
    value("VmRSS:", &format!("/proc/{process}/status"))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn a_process_holds_some_memory() {
        let before = super::peak_mib().unwrap();
        let held = std::hint::black_box(vec![1u8; 64 << 20]);
        let after = super::peak_mib().unwrap();
        assert!(before > 1.0 && after >= before && after >= 64.0, "{before} {after} {}", held.len());
    }
}
