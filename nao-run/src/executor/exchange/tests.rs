use std::path::Path;
use std::sync::Barrier;
use std::time::Duration;

use nao_space::{ArchKey, EvaluationError, Fidelity, Trial, TrialId};

use super::*;

const LEASE: Duration = Duration::from_secs(10);

fn key(arch: &str) -> TaskKey {
    TaskKey::new("space", &ArchKey(arch.into()), &Fidelity::new("r", 1), 7)
}

fn exchange(run: &Path) -> Exchange {
    let exchange = Exchange::of(run);
    exchange.prepare().unwrap();
    exchange
}

fn put_up(exchange: &Exchange, arch: &str, id: u64) -> TaskKey {
    let trial = Trial { id: TrialId(id), arch: arch.to_owned(), seed: 7 };
    exchange.put_task(&TaskFile { key: key(arch), trial }).unwrap();
    key(arch)
}

/// Somebody on another machine, of whose life nothing is known here.
fn claimant(host: &str) -> Claimant {
    let holder = WorkerId { host: host.into(), process: 1, started: None, machine: None, place: None };
    Claimant { holder, lease: LEASE, max_attempts: 3, leases: Leases::default() }
}

fn claimed(exchange: &Exchange, key: &TaskKey, claimant: &mut Claimant, now: u64) -> Option<Attempt> {
    match exchange.claim(key, claimant, Duration::from_secs(now)).unwrap() {
        Claim::Mine(attempt) => Some(attempt),
        _ => None,
    }
}

fn beat(attempt: &Attempt, count: u64) {
    assert!(attempt.beat(&Beat { count, spent: count as f64, ..Beat::default() }));
}

fn result(key: TaskKey, trial: u64, host: &str) -> TaskResult {
    let outcome = Err(EvaluationError::Unsuitable { message: "test".into() });
    TaskResult { key, trial: TrialId(trial), outcome, curve: Vec::new(), holder: claimant(host).holder }
}

#[test]
fn of_many_that_claim_at_once_one_has_it() {
    let run = tempfile::tempdir().unwrap();
    let exchange = exchange(run.path());
    let tasks: Vec<TaskKey> = (0..20).map(|id| put_up(&exchange, &id.to_string(), id)).collect();
    let barrier = Barrier::new(16);
    let wins: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|index| {
                let (exchange, tasks, barrier) = (&exchange, &tasks, &barrier);
                scope.spawn(move || {
                    let mut me = claimant(&format!("host {index}"));
                    barrier.wait();
                    tasks.iter().filter(|key| claimed(exchange, key, &mut me, 0).is_some()).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(wins, tasks.len());
    for key in &tasks {
        assert_eq!(exchange.copies(key).unwrap().len(), 1);
    }
    // Nothing half made is left.
    assert_eq!(std::fs::read_dir(run.path().join("attempts")).unwrap().count(), tasks.len());
}

#[test]
fn a_lease_lapses_by_a_heart_that_stands_still_on_the_clock_of_the_watcher() {
    let run = tempfile::tempdir().unwrap();
    let exchange = exchange(run.path());
    let key = put_up(&exchange, "a", 1);
    let (mut first, mut second) = (claimant("one"), claimant("two"));
    let attempt = claimed(&exchange, &key, &mut first, 0).unwrap();
    beat(&attempt, 1);
    assert!(claimed(&exchange, &key, &mut second, 1_000).is_none(), "seen for the first time just now");
    assert!(claimed(&exchange, &key, &mut second, 1_009).is_none());
    beat(&attempt, 2);
    assert!(claimed(&exchange, &key, &mut second, 1_011).is_none(), "it beats");
    assert!(claimed(&exchange, &key, &mut second, 1_020).is_none());
    let taken = claimed(&exchange, &key, &mut second, 1_021).unwrap();
    assert_eq!((taken.number().0, taken.before.count), (2, 2));
    // The first one may live on; its folder is its own.
    beat(&attempt, 3);
    assert!(claimed(&exchange, &key, &mut first, 5_000).is_none());
}

#[test]
fn what_was_put_back_goes_on_at_once_from_its_state() {
    let run = tempfile::tempdir().unwrap();
    let exchange = exchange(run.path());
    let key = put_up(&exchange, "a", 1);
    let attempt = claimed(&exchange, &key, &mut claimant("one"), 0).unwrap();
    std::fs::write(attempt.checkpoint(), "state of one").unwrap();
    attempt.release("test");
    let next = claimed(&exchange, &key, &mut claimant("two"), 0).unwrap();
    assert_eq!(std::fs::read(next.checkpoint()).unwrap(), b"state of one");
    next.release("test");
    // An attempt without a state does not hide an older one.
    let third = claimed(&exchange, &key, &mut claimant("three"), 0).unwrap();
    assert_eq!(std::fs::read(third.checkpoint()).unwrap(), b"state of one");
}

#[test]
fn attempts_that_come_no_further_are_counted_and_bounded() {
    let run = tempfile::tempdir().unwrap();
    let exchange = exchange(run.path());
    let key = put_up(&exchange, "a", 1);
    // To this one everybody else is dead at once.
    let dies = |keeps: Option<&str>| {
        let mut heir = Claimant { lease: Duration::ZERO, ..claimant("one") };
        let claim = exchange.claim(&key, &mut heir, Duration::ZERO).unwrap();
        if let (Claim::Mine(attempt), Some(state)) = (&claim, keeps) {
            std::fs::write(attempt.checkpoint(), state).unwrap();
        }
        claim
    };
    assert!(matches!(dies(None), Claim::Mine(_)));
    assert_eq!(exchange.fruitless(&key).unwrap(), 1);
    assert!(matches!(dies(Some("further")), Claim::Mine(_)));
    assert_eq!(exchange.fruitless(&key).unwrap(), 0);
    for fruitless in 1..=3 {
        assert!(matches!(dies(None), Claim::Mine(_)), "{fruitless}");
        assert_eq!(exchange.fruitless(&key).unwrap(), fruitless);
    }
    let Claim::GivenUp(error) = dies(None) else { panic!("still tried") };
    assert!(error.to_string().contains("3 attempts that came no further"), "{error}");
}

#[test]
fn being_sent_away_does_not_count_against_a_trial() {
    let run = tempfile::tempdir().unwrap();
    let exchange = exchange(run.path());
    let key = put_up(&exchange, "a", 1);
    for _ in 0..10 {
        claimed(&exchange, &key, &mut claimant("one"), 0).unwrap().release("preempted");
    }
    assert_eq!(exchange.fruitless(&key).unwrap(), 0);
}

#[test]
fn the_first_result_counts_and_what_is_put_away_is_gone() {
    let run = tempfile::tempdir().unwrap();
    let exchange = exchange(run.path());
    let key = put_up(&exchange, "a", 5);
    let attempt = claimed(&exchange, &key, &mut claimant("one"), 0).unwrap();
    assert_eq!(exchange.publish(&result(key, 5, "one")).unwrap(), Published::First);
    assert_eq!(exchange.publish(&result(key, 5, "two")).unwrap(), Published::Late);
    assert!(matches!(exchange.claim(&key, &mut claimant("two"), Duration::ZERO).unwrap(), Claim::Gone));
    let children = run.path().join("children").join("5");
    for _ in 0..2 {
        // A second time changes nothing: a coordinator may die in between.
        exchange.put_away(&key, &children).unwrap();
        assert!(exchange.clear(&key).unwrap());
    }
    // A late copy publishes again, and began its log anew while its folder was being removed.
    let late = run.path().join("attempts").join(key.to_string()).join(attempt.number().to_string());
    std::fs::create_dir_all(&late).unwrap();
    std::fs::write(late.join("log"), "publishes its result\n").unwrap();
    assert_eq!(exchange.publish(&result(key, 5, "two")).unwrap(), Published::First);
    exchange.put_away(&key, &children).unwrap();
    assert!(exchange.clear(&key).unwrap());
    let kept: TaskResult =
        serde_json::from_slice(&std::fs::read(children.join("result.json")).unwrap()).unwrap();
    assert_eq!(kept, result(key, 5, "one"));
    assert!(std::fs::read_to_string(children.join("log")).unwrap().contains("attempt 1: process 1 on one"));
    // Who is late learns it from the next heartbeat, and leaves nothing behind.
    assert!(!attempt.beat(&Beat::default()));
    attempt.note("late");
    attempt.release("late");
    assert_eq!(std::fs::read_dir(run.path().join("attempts")).unwrap().count(), 0);
    assert!(matches!(exchange.claim(&key, &mut claimant("two"), Duration::ZERO).unwrap(), Claim::Gone));
}

#[test]
fn curves_of_all_attempts_are_one() {
    let run = tempfile::tempdir().unwrap();
    let exchange = exchange(run.path());
    let key = put_up(&exchange, "a", 1);
    let report = |epoch, train_loss| nao_space::EpochReport {
        epoch,
        epochs: 3,
        train_loss,
        value: None,
        learning_rate: 0.1,
    };
    let attempt = claimed(&exchange, &key, &mut claimant("one"), 0).unwrap();
    attempt.keep_epoch(&report(1, 0.5));
    attempt.keep_epoch(&report(2, 0.4));
    // A line that a crash cut short.
    let torn = run.path().join("attempts").join(key.to_string()).join("001").join("curve.jsonl");
    let text = std::fs::read_to_string(&torn).unwrap();
    std::fs::write(&torn, &text[..text.len() - 5]).unwrap();
    attempt.release("test");
    let attempt = claimed(&exchange, &key, &mut claimant("two"), 0).unwrap();
    attempt.keep_epoch(&report(2, 0.4));
    attempt.keep_epoch(&report(3, 0.3));
    let losses: Vec<f64> = exchange.curve(&key).iter().map(|report| report.train_loss).collect();
    assert_eq!(losses, [0.5, 0.4, 0.3]);
}

#[test]
fn damaged_files_are_named() {
    let run = tempfile::tempdir().unwrap();
    let exchange = exchange(run.path());
    let key = put_up(&exchange, "a", 1);
    std::fs::write(run.path().join("order.json"), "{").unwrap();
    assert!(exchange.order().unwrap_err().to_string().contains("order.json is damaged"));
    std::fs::write(run.path().join("results").join(format!("{key}.json")), "{\"key\"").unwrap();
    assert!(exchange.read_result(&key).unwrap_err().to_string().contains("is damaged"));
    // Files under way have other names, and count as nothing.
    std::fs::write(run.path().join("tasks").join(".nao-x.tmp"), "{").unwrap();
    assert_eq!(exchange.open_tasks().unwrap(), [key]);
    std::fs::create_dir(run.path().join("attempts").join(".new-x")).unwrap();
    exchange.sweep();
    for (folder, left) in [("tasks", 1), ("results", 1), ("attempts", 0)] {
        assert_eq!(std::fs::read_dir(run.path().join(folder)).unwrap().count(), left, "{folder}");
    }
}
