//! Which files data came from.

use nao_child::data::PartOrigin;

use crate::output::tell;
use crate::task::Task;

/// Says on standard error which files each part of the data came from, and what stands there twice. Data that is compiled
/// in has no files.
pub fn say_origin<T: Task>(data: &T::Data) {
    let origin = T::origin(data);
    if origin.is_empty() {
        return;
    }
    let parts: Vec<String> = origin
        .iter()
        .map(|part @ PartOrigin { examples, .. }| format!("{part} with {examples} {}", T::EXAMPLES))
        .collect();
    tell(format_args!("data: {}", parts.join(", ")));
    for sentence in T::repeated(data) {
        tell(format_args!("warning: {sentence}"));
    }
}
