//! What people and programs see of results: tables, JSON.

mod assessment;
mod best;
mod data;
mod relaxed;
mod shared;
mod status;
mod summary;
mod table;
mod watch;

pub use assessment::assessment_table;
pub use best::best_table;
pub use data::say_origin;
pub use relaxed::relaxed_tables;
pub use shared::shared_tables;
pub use status::status_text;
pub use summary::print_summary;
pub use table::{narrow_table, plain_table};
pub use watch::operations_watch;
