//! Checks that the settings of anything share: how small, how large, how many.
//!
//! ```
//! use nao_space::settings::{Setting, at_least, positive, within};
//!
//! let setting = |field| Setting { section: "execution", field };
//! at_least(setting("workers"), 4, 1)?;
//! within(setting("max_failed_share"), 0.5, 0.0..=1.0)?;
//! let error = positive(setting("lease"), -2.0, "number of seconds").unwrap_err();
//! assert_eq!(error.to_string(), "execution.lease is -2: it must be a positive number of seconds");
//! # Ok::<(), nao_space::settings::InvalidSetting>(())
//! ```

use std::fmt::{self, Display};
use std::ops::RangeInclusive;

/// The place of a setting in a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting<'a> {
    /// The section, such as `execution`; empty for settings that stand in none.
    pub section: &'a str,
    /// The field in it, such as `workers` or `slurm.parallel`.
    pub field: &'a str,
}

/// A setting whose value is none of those that it may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct InvalidSetting {
    /// The section of the configuration; empty for settings that stand in none.
    pub section: String,
    /// The field in it.
    pub field: String,
    /// The value that was given.
    pub value: String,
    /// What it has to be, after the words "it must be".
    pub rule: String,
}

impl InvalidSetting {
    /// The setting at a place, with the value that it has and what it must be.
    pub fn new(setting: Setting<'_>, value: impl Display, rule: impl Display) -> Self {
        InvalidSetting {
            section: setting.section.to_owned(),
            field: setting.field.to_owned(),
            value: value.to_string(),
            rule: rule.to_string(),
        }
    }
}

impl Display for InvalidSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let InvalidSetting { section, field, value, rule } = self;
        let dot = if section.is_empty() { "" } else { "." };
        write!(f, "{section}{dot}{field} is {value}: it must be {rule}")
    }
}

/// Refuses a number below `least`, and what is no number.
///
/// # Errors
/// Names the setting, its value and the least.
pub fn at_least<T: PartialOrd + Display>(
    setting: Setting<'_>,
    value: T,
    least: T,
) -> Result<(), InvalidSetting> {
    let is_enough = value >= least;
    is_enough.then_some(()).ok_or_else(|| InvalidSetting::new(setting, value, format!("at least {least}")))
}

/// Refuses a number that is not in a range, and what is no number.
///
/// # Errors
/// Names the setting, its value and the range.
pub fn within<T: PartialOrd + Display>(
    setting: Setting<'_>,
    value: T,
    range: RangeInclusive<T>,
) -> Result<(), InvalidSetting> {
    let is_inside = range.contains(&value);
    let (least, most) = range.into_inner();
    let rule = || format!("from {least} to {most}");
    is_inside.then_some(()).ok_or_else(|| InvalidSetting::new(setting, value, rule()))
}

/// Refuses what is not a finite number above 0. `what` says what it counts, such as `number of seconds`.
///
/// # Errors
/// Names the setting, its value and what it counts.
pub fn positive(setting: Setting<'_>, value: f64, what: &str) -> Result<(), InvalidSetting> {
    let is_positive = value > 0.0 && value.is_finite();
    let rule = || format!("a positive {what}");
    is_positive.then_some(()).ok_or_else(|| InvalidSetting::new(setting, value, rule()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: Setting<'static> = Setting { section: "", field: "width" };

    #[test]
    fn bounds_belong_to_what_is_allowed() {
        assert!(at_least(WIDTH, 1, 1).is_ok());
        assert!(within(WIDTH, 0.0, 0.0..=1.0).is_ok() && within(WIDTH, 1.0, 0.0..=1.0).is_ok());
        assert!(positive(WIDTH, f64::MIN_POSITIVE, "number").is_ok());
    }

    #[test]
    fn what_is_refused_is_said_with_place_value_and_rule() {
        let said = |checked: Result<(), InvalidSetting>| checked.unwrap_err().to_string();
        assert_eq!(said(at_least(WIDTH, 0, 1)), "width is 0: it must be at least 1");
        assert_eq!(said(within(WIDTH, 9, 1..=8)), "width is 9: it must be from 1 to 8");
        assert_eq!(said(within(WIDTH, -0.5, 0.0..=1.0)), "width is -0.5: it must be from 0 to 1");
        for value in [0.0, -1.0, f64::INFINITY, f64::NAN] {
            let words = said(positive(WIDTH, value, "number of MiB"));
            assert_eq!(words, format!("width is {value}: it must be a positive number of MiB"));
        }
        assert!(at_least(WIDTH, f64::NAN, 0.0).is_err() && within(WIDTH, f64::NAN, 0.0..=1.0).is_err());
    }
}
