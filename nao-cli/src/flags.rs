//! Flags that would have no effect.

use anyhow::{Result, bail};

/// A flag without its dashes, and whether it was given.
pub type Given<'a> = (&'a str, bool);

/// Refuses the first of these flags that was given; `why` says why it has no effect.
pub fn refuse_idle<'a>(flags: impl IntoIterator<Item = Given<'a>>, why: &str) -> Result<()> {
    match flags.into_iter().find(|(_, given)| *given) {
        Some((flag, _)) => bail!("--{flag} has no effect: {why}"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_idle_flag_is_named() {
        assert!(refuse_idle([("rank", false)], "there is no run").is_ok());
        let error = refuse_idle([("rank", false), ("nodes", true)], "it is a run").unwrap_err().to_string();
        assert_eq!(error, "--nodes has no effect: it is a run");
    }
}
