//! What this process holds in memory.

/// The most resident memory that this process ever had, in MiB; none where the system does not say.
pub fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
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
