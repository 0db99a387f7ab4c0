//! Which files data came from.

use nao_child::data::{DataKind, PartOrigin};

use crate::cells::NamedRecipe;
use crate::output::tell;

/// Says on standard error which files each part of the data came from, and what stands there twice. Data that is compiled
/// in has no files.
pub fn say_origin<R: NamedRecipe>(data: &R::Data) {
    let origin = data.origin();
    if origin.is_empty() {
        return;
    }
    let parts: Vec<String> = origin
        .iter()
        .map(|part @ PartOrigin { examples, .. }| format!("{part} with {examples} {}", R::Data::EXAMPLES))
        .collect();
    tell(format_args!("data: {}", parts.join(", ")));
    for sentence in data.repetitions() {
        tell(format_args!("warning: {sentence}"));
    }
}
