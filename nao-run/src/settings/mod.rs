//! The settings of a search or a training: how they come together from a file, single settings and flags, how they are kept
//! in a folder, and how a change of what defines the result is noticed. What the settings are does not matter here.

mod difference;
mod file;
mod reading;
mod stored;
mod table;

pub use difference::{Difference, all_words, differences, fields, refuse_changed};
pub use file::{RUN_FILE, TRAINING_FILE, in_json, read_toml, refuse_existing};
pub use reading::{in_text, plain, read_table};
pub use stored::{Configuration, StoredSettings};
pub use table::{has_key, nested, overlay, parse_setting, read_settings, table_of, word};
