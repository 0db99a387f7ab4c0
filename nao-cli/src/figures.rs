//! Numbers as people read them.

/// A measured value as people read it: four digits after the point of a fraction, two of a perplexity.
pub fn figure(value: f64) -> String {
    if value.abs() < 10.0 { format!("{value:.4}") } else { format!("{value:.2}") }
}

/// A count as people read it: `11.47 M`, `35.2 k`.
pub fn millions(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => format!("{:.1} k", count as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2} M", count as f64 / 1e6),
        _ => format!("{:.2} G", count as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_short() {
        let cases = [(7, "7"), (35_206, "35.2 k"), (11_470_150, "11.47 M"), (1_860_000_000, "1.86 G")];
        for (count, text) in cases {
            assert_eq!(millions(count), text);
        }
    }
}
