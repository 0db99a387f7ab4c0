//! Evaluators of a single number.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Instant;

use nao_space::{Direction, EvaluationError, Evaluator, Fidelity, Measurement, Objective, Progress, Trial};

/// A function of a trial as an evaluator: for scores that are computed, looked up or asked of another program. What takes
/// epochs, and is to go on in the middle after a stop, is better an [`Evaluator`] of its own.
pub struct ScoreFunction<A, F> {
    objective: Objective,
    function: F,
    of: PhantomData<fn(&A)>,
}

impl<A, F: Fn(&Trial<A>) -> f64> ScoreFunction<A, F> {
    /// Larger values are better.
    pub fn maximize(name: &str, function: F) -> Self {
        Self::new(name, Direction::Maximize, function)
    }

    /// Smaller values are better.
    pub fn minimize(name: &str, function: F) -> Self {
        Self::new(name, Direction::Minimize, function)
    }

    fn new(name: &str, direction: Direction, function: F) -> Self {
        let objective =
            Objective { name: name.to_owned(), direction, unit: name.to_owned(), split: "score".to_owned() };
        ScoreFunction { objective, function, of: PhantomData }
    }
}

impl<A, F: Fn(&Trial<A>) -> f64> Evaluator<A> for ScoreFunction<A, F> {
    fn objective(&self) -> Objective {
        self.objective.clone()
    }

    fn evaluate(&self, trial: &Trial<A>, _: &mut dyn Progress) -> Result<Measurement, EvaluationError> {
        let begun = Instant::now();
        let value = (self.function)(trial);
        if !value.is_finite() {
            let message = format!("its {} is {value}", self.objective.name);
            return Err(EvaluationError::Unsuitable { message });
        }
        Ok(Measurement {
            objective: self.objective(),
            value,
            fidelity: Fidelity::new("function", 0),
            params: 0,
            macs: 0,
            seconds: begun.elapsed().as_secs_f64(),
            extra: BTreeMap::new(),
        })
    }
}
