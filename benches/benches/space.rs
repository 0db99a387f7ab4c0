//! The hot paths of the discrete space: `cargo bench -p nao-benches --bench space`.

use std::hint::black_box;
use std::time::Instant;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use nao_space::draw::{Drawing, arch_dot, arch_svg};
use nao_space::network::{NetworkPlan, Skeleton, zoo_entry};
use nao_space::seed::rng_for;
use nao_space::table::Table;
use nao_space::{CnnSpace, NasBench101Space, NasBench201Space, OpSet, RnnSpace, Space, Token};

/// A few hundred architectures, so that no branch predictor learns one by heart.
fn archs<S: Space>(space: &S) -> Vec<S::Arch> {
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
    let sequences: Vec<Vec<Token>> = archs.iter().map(|arch| space.encode(arch)).collect();
    let texts: Vec<String> = archs.iter().map(|arch| space.format(arch)).collect();
    let mut rng = rng_for(2, "bench", 0);

    criterion.bench_function("sample", |bencher| bencher.iter(|| space.sample(&mut rng)));
    each(criterion, "encode", &archs, |arch| {
        black_box(space.encode(arch));
    });
    each(criterion, "decode and validate", &sequences, |tokens| {
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

/// The canonical forms of the other spaces, one architecture after another.
fn other_spaces(criterion: &mut Criterion) {
    let rnn = RnnSpace::default();
    each(criterion, "canonical, recurrent cell", &archs(&rnn), |arch| {
        black_box(rnn.canonical(arch));
    });
    let nasbench101 = NasBench101Space::default();
    each(criterion, "canonical, NAS-Bench-101", &archs(&nasbench101), |arch| {
        black_box(nasbench101.canonical(arch));
    });
    let nasbench201 = NasBench201Space::default();
    // Its classes are found once, by the first question.
    black_box(nasbench201.canonical(&archs(&nasbench201)[0]));
    each(criterion, "canonical, NAS-Bench-201", &archs(&nasbench201), |arch| {
        black_box(nasbench201.canonical(arch));
    });
}

/// Every sequence of NAS-Bench-101, and which of them are canonical.
fn enumeration(criterion: &mut Criterion) {
    let space = NasBench101Space::default();
    let mut group = criterion.benchmark_group("enumeration");
    group.sample_size(10);
    group.bench_function("canonical cells of NAS-Bench-101", |bencher| {
        bencher.iter(|| space.all().filter(|arch| space.canonical(arch) == *arch).count());
    });
    group.finish();
}

/// A process unpacks the table of NAS-Bench-201 once, which no harness can repeat: one plain measurement.
fn table(_: &mut Criterion) {
    let start = Instant::now();
    let table = Table::nasbench201();
    println!("table of NAS-Bench-201, {} cells, unpacked once: {:?}", table.len(), start.elapsed());
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

// The table first: other benches ask for its space.
criterion_group!(benches, table, cells, large_cells, other_spaces, enumeration, networks, drawings);
criterion_main!(benches);
