//! The moments of Adam under names, in the state of a strategy.

use burn::module::Module;
use nao_kernels::nn::{Adam, Moments, values_of};

use crate::bundle::NamedFloats;
use crate::error::ControllerError;

/// The moments under names.
pub(crate) fn save(adam: &Adam, prefix: &str) -> Vec<NamedFloats> {
    let named = adam.moments().iter().enumerate().flat_map(|(at, Moments { mean, square })| {
        let entry = |kind: &str, values: &Vec<f32>| NamedFloats {
            name: format!("{prefix}.{kind}.{at}"),
            values: values.clone(),
        };
        [entry("mean", mean), entry("square", square)]
    });
    named.collect()
}

/// Takes over moments that [`save`] gave of the same networks.
pub(crate) fn restore<M: Module>(
    adam: &mut Adam,
    module: &M,
    prefix: &str,
    steps: u64,
    find: impl Fn(&str) -> Option<Vec<f32>>,
) -> Result<(), ControllerError> {
    let count = if steps > 0 { values_of(module).len() } else { 0 };
    let moments = (0..count).map(|at| {
        let found = |kind: &str| {
            let name = format!("{prefix}.{kind}.{at}");
            let problem = format!("{name} is missing");
            find(&name).ok_or(ControllerError::Weights { problem })
        };
        Ok(Moments { mean: found("mean")?, square: found("square")? })
    });
    let moments = moments.collect::<Result<Vec<Moments>, ControllerError>>()?;
    Ok(adam.restore(module, steps, moments)?)
}
