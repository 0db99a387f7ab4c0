//! A whole search over a tabular benchmark.

use nao_space::NasBench201Space;
use nao_space::search::{RandomSearch, RoundLimits, run_search};
use nao_space::table::{Label, Table};

#[test]
fn a_random_search_is_charged_for_each_cell_that_it_tries() {
    let table = Table::nasbench201();
    let label = Label::average("cifar10", "validation", 200);
    let evaluator = table.evaluator(&label).unwrap();
    let limits = RoundLimits { initial: 100, per_round: 100, budget: 500 };
    let history = run_search::<NasBench201Space>(
        &mut RandomSearch::new(table.space().clone(), 1),
        &evaluator,
        limits,
        1,
    )
    .unwrap();
    let (_, best) = history.best().unwrap();
    let (_, optimum) = table.best(&label).unwrap().unwrap();
    assert!(best.value <= optimum && best.value > 0.9, "{}", best.value);
    let seconds: f64 = history.trials.iter().map(|trial| trial.outcome.as_ref().unwrap().seconds).sum();
    let ledger = evaluator.ledger();
    assert_eq!((ledger.looks, ledger.charged), (500, 500));
    assert!((ledger.seconds - seconds).abs() < 1e-6 * seconds);
}
