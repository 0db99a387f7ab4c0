//! Counts as people say them.

/// A count with its noun: `1 epoch`, `25 epochs`. The noun is given for one thing; its plural takes an `s`, or `es`, or
/// `ies`, as English has it.
///
/// ```
/// use nao_space::counted;
///
/// assert_eq!(counted(1, "epoch"), "1 epoch");
/// assert_eq!(counted(3, "search"), "3 searches");
/// assert_eq!(counted(0, "query"), "0 queries");
/// ```
pub fn counted(count: impl TryInto<u64>, noun: &str) -> String {
    // What a `u64` cannot hold is, in any case, not one.
    match count.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {noun}"),
        count => format!("{count} {}", plural(noun)),
    }
}

fn plural(noun: &str) -> String {
    let ends = |endings: &[&str]| endings.iter().any(|ending| noun.ends_with(ending));
    // Its `ch` is a `k`.
    if noun.ends_with("epoch") {
        return format!("{noun}s");
    }
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if ends(&["s", "x", "ch", "sh"]) => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_follow_their_number() {
        let cases = [
            (counted(1_u32, "epoch"), "1 epoch"),
            (counted(2_u64, "round"), "2 rounds"),
            (counted(0_usize, "trial"), "0 trials"),
            (counted(2_u8, "entry"), "2 entries"),
            (counted(2_u8, "array"), "2 arrays"),
            (counted(5_usize, "search"), "5 searches"),
            (counted(1_usize, "search"), "1 search"),
        ];
        for (said, expected) in cases {
            assert_eq!(said, expected);
        }
    }
}
