//! The workloads of the comparison with PyTorch, and what feeds them: `cargo bench -p nao-benches --bench workloads`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nao_benches::workload;
use nao_child::data::augment::{ChannelScale, varied};
use nao_child::train::batch_of;
use nao_child::{Recipe, Split, digits};
use nao_space::seed::rng_for;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Training steps, inference, operations, controllers: on one thread.
fn workloads(criterion: &mut Criterion) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("nothing has started threads");
    for workload in workload::all() {
        let (group, name) = workload.name.split_once('/').expect("a workload is called group/what");
        let mut group = criterion.benchmark_group(group);
        group.sample_size(10).measurement_time(Duration::from_secs(3));
        let mut work = (workload.build)();
        group.bench_function(name, |bencher| bencher.iter(&mut work));
    }
}

/// A batch of digits, drawn and varied as in training.
fn data(criterion: &mut Criterion) {
    let recipe = Recipe::named("digits").expect("a recipe");
    let split = Split::validation(Arc::new(digits()), 1000, 1).expect("there are more digits");
    let scale = ChannelScale::new(recipe.augmentation.normalisation, &split);
    let device = burn::tensor::Device::flex();
    let mut rng = rng_for(1, "bench", 0);
    let images = &split.train[..32];
    let mut group = criterion.benchmark_group("data");
    group.throughput(Throughput::Elements(images.len() as u64));
    group.bench_function("batch of digits", |bencher| {
        bencher.iter(|| {
            batch_of(&split.data, black_box(images), &device, |image, inputs| {
                varied(&split.data, image, &scale, &recipe.augmentation, &mut rng, inputs);
            })
        });
    });
}

criterion_group!(benches, workloads, data);
criterion_main!(benches);
