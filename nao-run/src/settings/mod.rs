//! The settings of a search or a training: how they come together from a file, single settings and flags, how they are kept
//! in a folder, and how a change of what defines the result is noticed. What the settings are does not matter here.
//!
//! ```
//! use nao_run::settings::{nested, overlay, parse_setting, read_table, table_of};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct Training {
//!     epochs: u32,
//!     rate: f64,
//! }
//!
//! let mut table = table_of(&Training { epochs: 10, rate: 0.1 });
//! overlay(&mut table, parse_setting("rate=0.5")?);
//! overlay(&mut table, nested("epochs", 3.into()));
//! assert_eq!(read_table::<Training>(table.clone())?, Training { epochs: 3, rate: 0.5 });
//!
//! overlay(&mut table, parse_setting("epochs=many")?);
//! let error = read_table::<Training>(table).unwrap_err().to_string();
//! assert_eq!(error, "epochs: the text \"many\" is not a whole number of at least 0");
//! # Ok::<(), nao_run::RunError>(())
//! ```

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
