//! The hot paths of the discrete space: `cargo bench -p nao-benches --bench space`.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use nao_space::draw::{Drawing, arch_dot, arch_svg};
use nao_space::network::{NetworkPlan, Skeleton, zoo_entry};
use nao_space::seed::rng_for;
use nao_space::{CnnArch, CnnSpace, OpSet, Space, Token};

/// A few hundred architectures, so that no branch predictor learns one by heart.
fn archs(space: &CnnSpace) -> Vec<CnnArch> {
    let mut rng = rng_for(1, "bench", 0);
    (0..512).map(|_| space.sample(&mut rng)).collect()
}

/// Measures `work` on one item after another, over and over.
fn each<T>(criterion: &mut Criterion, name: &str, items: &[T], mut work: impl FnMut(&T)) {
    let mut items = items.iter().cycle();
    criterion.bench_function(name, |bencher| {
        bencher.iter_batched(|| items.next().expect("there are items"), &mut work, BatchSize::SmallInput);
    });
}

fn cells(criterion: &mut Criterion) {
    let space = CnnSpace::default();
    let archs = archs(&space);
    let sentences: Vec<Vec<Token>> = archs.iter().map(|arch| space.encode(arch)).collect();
    let texts: Vec<String> = archs.iter().map(|arch| space.format(arch)).collect();
    let mut rng = rng_for(2, "bench", 0);

    criterion.bench_function("sample", |bencher| bencher.iter(|| space.sample(&mut rng)));
    each(criterion, "encode", &archs, |arch| {
        black_box(space.encode(arch));
    });
    each(criterion, "decode and validate", &sentences, |tokens| {
        black_box(space.decode(tokens).unwrap());
    });
    each(criterion, "format", &archs, |arch| {
        black_box(space.format(arch));
    });
    each(criterion, "parse", &texts, |text| {
        black_box(space.parse(text).unwrap());
    });
    each(criterion, "canonical", &archs, |arch| {
        black_box(space.canonical(arch));
    });
    each(criterion, "canonical key", &archs, |arch| {
        black_box(space.key(arch));
    });
    each(criterion, "neighbours", &archs, |arch| {
        black_box(space.neighbours(arch));
    });

    let mut together = criterion.benchmark_group("together");
    together.throughput(Throughput::Elements(1));
    together.bench_function("sample, encode and canonical key", |bencher| {
        bencher.iter(|| {
            let arch = space.sample(&mut rng);
            (space.encode(&arch), space.key(&arch))
        });
    });
    together.finish();
}

fn large_cells(criterion: &mut Criterion) {
    let space = CnnSpace::new(12, OpSet::v1_14()).expect("12 nodes are allowed");
    let archs = archs(&space);
    each(criterion, "canonical key, 12 nodes", &archs, |arch| {
        black_box(space.key(arch));
    });
}

fn networks(criterion: &mut Criterion) {
    let arch = &zoo_entry("NAONet-A").expect("it is in the zoo").arch;
    let skeleton = Skeleton::cifar10(6, 36);
    criterion.bench_function("plan and cost, NAONet-A N=6 F=36", |bencher| {
        bencher.iter(|| NetworkPlan::new(black_box(arch), &skeleton).unwrap().cost());
    });
}

fn drawings(criterion: &mut Criterion) {
    let small = archs(&CnnSpace::default());
    let large = archs(&CnnSpace::new(12, OpSet::v1_14()).expect("12 nodes are allowed"));
    let drawing = Drawing::titled("bench");
    for (name, archs) in [("5 nodes", &small), ("12 nodes", &large)] {
        each(criterion, &format!("draw SVG, {name}"), archs, |arch| {
            black_box(arch_svg(arch, &drawing));
        });
    }
    each(criterion, "draw DOT, 5 nodes", &small, |arch| {
        black_box(arch_dot(arch, "bench"));
    });
}

criterion_group!(benches, cells, large_cells, networks, drawings);
criterion_main!(benches);
