//! Rounds of the search on structure: `RAYON_NUM_THREADS=1 cargo bench -p nao-benches --bench controller`.
//!
//! `enumerate` fits the posterior, scores 2,000 given cells and picks five; `generate` fits, moves ten parents, scores
//! what it decodes beside neighbours, and picks five.

use std::hint::black_box;
use std::sync::Arc;

use burn::tensor::Device;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use nao_controller::{Enumeration, PretrainedSpace, PretrainingConfig, StructureConfig, StructureSearch};
use nao_space::search::{Observation, Strategy};
use nao_space::seed::rng_for;
use nao_space::{CnnSpace, Graphs, NasBench201Space, Objective, TrialId};

/// Few steps: how well a space was learned makes no difference to how long a round takes.
fn learned<S: Graphs>(space: &S) -> (StructureConfig, Arc<PretrainedSpace>) {
    let pretraining = PretrainingConfig { cells: 2_000, steps: 50, ..PretrainingConfig::default() };
    let learned = PretrainedSpace::learn(space, &pretraining, &Device::flex());
    (StructureConfig { pretraining, ..StructureConfig::default() }, Arc::new(learned.expect("training runs")))
}

/// Distinct architectures with scores that depend on them.
fn observations<S: Graphs>(space: &S, count: usize) -> Vec<Observation<S::Arch>> {
    let mut rng = rng_for(1, "bench", 0);
    let mut seen = std::collections::HashSet::new();
    let archs = std::iter::repeat_with(|| space.sample(&mut rng)).filter(|arch| seen.insert(space.key(arch)));
    let observed = archs.take(count).enumerate().map(|(index, arch)| Observation {
        trial: TrialId(index as u64 + 1),
        value: Some(space.encode(&arch).iter().map(|token| (f64::from(token.0)).sin()).sum()),
        arch,
        objective: Objective::validation_accuracy(),
    });
    observed.collect()
}

fn rounds<S: Graphs>(criterion: &mut Criterion, space: &S) {
    let (config, learned) = learned(space);
    let mut rng = rng_for(2, "bench", 0);
    let archs = (0..4_000).map(|_| space.sample(&mut rng)).take(2_600);
    let enumeration = Arc::new(Enumeration::new(space, &learned, archs));
    let mut group = criterion.benchmark_group(space.name().replace('/', "-"));
    group.sample_size(10);
    for count in [200, 1_000] {
        let told = observations(space, count);
        for enumerates in [true, false] {
            let name = format!("{} {count}", if enumerates { "enumerate" } else { "generate" });
            let begun = || {
                let search = StructureSearch::new(space.clone(), config.clone(), 1, Arc::clone(&learned));
                let search = search.expect("the settings fit");
                let mut search =
                    if enumerates { search.enumerating(Arc::clone(&enumeration)) } else { search };
                search.tell(&told).expect("one objective");
                search
            };
            group.bench_function(&name, |bencher| {
                bencher.iter_batched(begun, |mut search| black_box(search.ask(5)), BatchSize::SmallInput);
            });
        }
    }
}

fn controller(criterion: &mut Criterion) {
    rounds(criterion, &NasBench201Space::default());
    rounds(criterion, &CnnSpace::default());
}

criterion_group!(benches, controller);
criterion_main!(benches);
