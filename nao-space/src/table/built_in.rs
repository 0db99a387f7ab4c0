//! Tables that come with the crate, and the meaning of the columns of published ones.

use std::sync::{Arc, OnceLock};

use super::{CostColumn, Label, LabelColumn, StoredLabel, Table, TableSchema};
use crate::spaces::{EdgeOp, NasBench201Arch, NasBench201Space};
use crate::trial::Direction;

/// The numbers of NAS-Bench-201, made by `benches/src/bin/pack_nasbench201.rs`; `data/README.md` says where they come from.
///
/// Columns of 15,625 whole numbers in the order of cells by their edges, each number in three bytes, all lowest
/// bytes of a column first; packed by zstd. The columns are those of [`DATASETS`] after 200 epochs, validation before
/// test, the training time on CIFAR-10 in hundredths of a second, and those of [`DATASETS`] after 12 epochs.
const PACKED: &[u8] = include_bytes!("../../data/nasbench201.zst");

/// A data set of NAS-Bench-201.
struct Dataset {
    name: &'static str,
    classes: u64,
    /// Accuracies are whole multiples of per cents divided by this: images of the split and number of runs make
    /// them so. Validation, then test; after 200 epochs a mean over runs, after 12 of one run (of two on CIFAR-10, validation).
    steps_per_percent: [u32; 2],
    cheap_steps_per_percent: [u32; 2],
    /// Training time as a multiple of that on CIFAR-10, as the benchmark stores it (within 0.04 s).
    time: f64,
}

const DATASETS: [Dataset; 3] = [
    Dataset {
        name: "cifar10",
        classes: 10,
        steps_per_percent: [1500, 600],
        cheap_steps_per_percent: [500, 100],
        time: 1.0,
    },
    Dataset {
        name: "cifar100",
        classes: 100,
        steps_per_percent: [300, 300],
        cheap_steps_per_percent: [50, 50],
        time: 2.0,
    },
    Dataset {
        name: "imagenet16-120",
        classes: 120,
        steps_per_percent: [180, 180],
        cheap_steps_per_percent: [30, 30],
        time: 6.068,
    },
];

const SPLITS: [&str; 2] = ["validation", "test"];
const EPOCHS: u32 = 200;
const CHEAP_EPOCHS: u32 = 12;

impl Table<NasBench201Space> {
    /// NAS-Bench-201 (Dong and Yang, ICLR 2020): validation and test accuracy after 200 epochs, mean over runs, of
    /// all 15,625 cells on `cifar10`, `cifar100` and `imagenet16-120`, with training times and parameters; and those of
    /// trainings of their own that end after 12 epochs, without times. On `cifar10`, validation is of a training on half
    /// of the images, test of one on all.
    pub fn nasbench201() -> Arc<Self> {
        static TABLE: OnceLock<Arc<Table<NasBench201Space>>> = OnceLock::new();
        Arc::clone(TABLE.get_or_init(|| Arc::new(unpack())))
    }
}

fn unpack() -> Table<NasBench201Space> {
    let bytes = zstd::decode_all(PACKED).expect("the packed table is part of the crate");
    let mut columns = bytes.chunks_exact(3 * NasBench201Space::CELLS).map(|column| {
        let (low, rest) = column.split_at(NasBench201Space::CELLS);
        let (middle, high) = rest.split_at(NasBench201Space::CELLS);
        let numbers = low.iter().zip(middle).zip(high);
        numbers
            .map(|((&low, &middle), &high)| u32::from_le_bytes([low, middle, high, 0]))
            .collect::<Vec<u32>>()
    });
    let mut next = || columns.next().expect("the packed table has thirteen columns");
    let whole = accuracies(&mut next);
    let times = next();
    let cheap = accuracies(&mut next);
    let space = NasBench201Space::default();
    let archs: Vec<NasBench201Arch> = space.all().collect();
    let mut labels = Vec::new();
    for (dataset, (whole, cheap)) in DATASETS.iter().zip(whole.iter().zip(&cheap)) {
        let params: Vec<u64> = archs.iter().map(|arch| params(arch, dataset.classes)).collect();
        let seconds = |&hundredths: &u32| f64::from(hundredths) / 100.0 * dataset.time;
        let seconds: Vec<f64> = times.iter().map(seconds).collect();
        let mut add = |split: &str, epochs: u32, column: &[u32], steps: u32, seconds: Vec<f64>| {
            let values = column.iter().map(|&count| Some(f64::from(count) / f64::from(100 * steps)));
            labels.push(StoredLabel {
                label: Label::average(dataset.name, split, epochs),
                values: values.collect(),
                seconds,
                params: params.clone(),
                macs: vec![0; archs.len()],
            });
        };
        for (at, split) in SPLITS.into_iter().enumerate() {
            add(split, EPOCHS, &whole[at], dataset.steps_per_percent[at], seconds.clone());
        }
        for (at, split) in SPLITS.into_iter().enumerate() {
            let steps = dataset.cheap_steps_per_percent[at];
            add(split, CHEAP_EPOCHS, &cheap[at], steps, vec![0.0; archs.len()]);
        }
    }
    Table::new(space, "nasbench201", ("accuracy", Direction::Maximize, "fraction"), archs, labels)
}

/// The columns of every data set, validation before test.
fn accuracies(next: &mut impl FnMut() -> Vec<u32>) -> [[Vec<u32>; 2]; 3] {
    std::array::from_fn(|_| std::array::from_fn(|_| next()))
}

/// Parameters of the benchmark's network: five cells each of width 16, 32 and 64, two residual reductions, stem and
/// classifier. The stored counts follow this formula but for 150 cells.
fn params(arch: &NasBench201Arch, classes: u64) -> u64 {
    let per_edge = |op| match op {
        EdgeOp::NorConv1x1 => 28_000,
        EdgeOp::NorConv3x3 => 243_040,
        EdgeOp::None | EdgeOp::SkipConnect | EdgeOp::AvgPool3x3 => 0,
    };
    let edges: u64 = arch.edges.iter().map(|&op| per_edge(op)).sum();
    // 73,306 with ten classes, of which each takes 64 weights and a bias.
    73_306 + (classes - 10) * 65 + edges
}

impl TableSchema {
    /// The columns of a NAS-Bench-201 table as `nasbench201.csv.gz` has them: prefixes `c10`, `c100` and `in16`,
    /// accuracies in per cent after 12 and 200 epochs, single runs and their mean.
    pub fn nasbench201() -> Self {
        let mut labels = Vec::new();
        for (prefix, dataset) in ["c10", "c100", "in16"].into_iter().zip(&DATASETS) {
            let mut add = |column: &str, label: Label| {
                let share = f64::from(label.epochs) / f64::from(EPOCHS);
                let seconds = CostColumn::scaled(&format!("{prefix}_train_time_e200_s"), share);
                let params = CostColumn::scaled(&format!("{prefix}_params_m"), 1e6);
                let column = LabelColumn::percent(&format!("{prefix}_{column}"), label);
                labels.push(column.with_seconds(seconds).with_params(params));
            };
            for (short, split) in ["val", "test"].into_iter().zip(SPLITS) {
                add(&format!("{short}_e12"), Label::average(dataset.name, split, 12));
                add(&format!("{short}_e200"), Label::average(dataset.name, split, EPOCHS));
            }
            for run in 0..3 {
                let label = Label::single(dataset.name, SPLITS[0], EPOCHS, run);
                add(&format!("val_e200_run{run}"), label);
            }
        }
        TableSchema::accuracies("nasbench201", ["arch_str"], labels)
    }

    /// The columns of a NAS-Bench-101 table as `nasbench101_subset.csv.gz` has them: one run each of 4, 12, 36 and
    /// 108 epochs on CIFAR-10, with the training time of the longest. Its cells belong to [`NasBench101Space`](crate::NasBench101Space).
    pub fn nasbench101() -> Self {
        let labels = [4, 12, 36, 108].map(|epochs| {
            let label = Label::single("cifar10", SPLITS[0], epochs, 0);
            let seconds = CostColumn::scaled("train_time_e108_s", f64::from(epochs) / 108.0);
            LabelColumn::fraction(&format!("val_e{epochs}"), label)
                .with_seconds(seconds)
                .with_params(CostColumn::new("params"))
        });
        TableSchema::accuracies("nasbench101", ["adjacency", "ops"], labels)
    }
}
