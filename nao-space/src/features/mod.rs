//! Structural features of architectures: what a model of scores should know about a cell, the same code for every
//! space that shows its architectures as graphs ([`Graphs`]).
//!
//! Three views of an architecture, each with a distance whose mean over the space is 1:
//! - [`structure`](Features::structure): counts, paths and positions of operations, in named columns,
//!   standardised;
//! - [`fine`](Features::fine): which labelled neighbourhoods occur how often, which tells nearly all cells apart;
//! - [`choices`](Features::choices): the tokens themselves. A space without graphs has these only.
//!
//! All are taken of the canonical spelling: other spellings have the same features.
//!
//! ```
//! use nao_space::features::FeatureMap;
//! use nao_space::seed::rng_for;
//! use nao_space::{NasBench201Space, Space};
//!
//! let space = NasBench201Space::default();
//! let map = FeatureMap::learn(&space, 500, &mut rng_for(1, "features", 0));
//! let arch = space.parse(
//!     "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|none~1|avg_pool_3x3~2|",
//! )?;
//! let row = map.named_row(&space, &arch);
//! let value = |name: &str| row.iter().find(|(column, _)| *column == name).map(|(_, value)| *value);
//! // Two paths: conv 3x3, conv 1x1, pool; and skip, pool.
//! assert_eq!(value("log paths"), Some(2f64.ln_1p()));
//! assert_eq!(value("longest only nor_conv_1x1|nor_conv_3x3"), Some(0.0));
//! assert_eq!(value("most nor_conv_1x1|nor_conv_3x3"), Some(2.0));
//! # Ok::<(), nao_space::notation::ParseError>(())
//! ```

mod fine;
mod structure;

use std::collections::{BTreeMap, HashMap, HashSet};

use rand_chacha::ChaCha8Rng;

use self::fine::FineLabel;
use self::structure::StructureColumns;
use crate::graph::OperationGraph;
use crate::language::{Graphs, Token};

/// A label must occur in as many samples to become a column.
const RARE: usize = 3;
/// A column that varies less over the space is left out.
const CONSTANT: f64 = 1e-6;

/// What a space's architectures look like on average, learned from unlabelled samples: which columns vary, around
/// which mean and by how much.
#[derive(Clone, Debug)]
pub struct FeatureMap {
    /// `None` for a space without graphs.
    columns: Option<StructureColumns>,
    kept: Vec<Column>,
    fine: HashMap<FineLabel, u32>,
    /// By which square roots of counts are divided.
    fine_unit: f64,
    mean_hamming: f64,
}

/// A column that varies.
#[derive(Clone, Copy, Debug)]
struct Column {
    /// Its place among all.
    index: usize,
    mean: f64,
    /// What is left of the mean is divided by this.
    unit: f64,
}

/// The features of one architecture.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// One value per varying column of the [`FeatureMap`]; squared Euclidean distances have mean 1 over the space.
    pub structure: Vec<f64>,
    /// The labelled neighbourhoods that occur, by ascending column; squared Euclidean distances between these sparse
    /// vectors have mean 1 over the space.
    pub fine: Vec<FineCount>,
    /// The sequence of the canonical spelling.
    pub choices: Vec<Token>,
}

/// How often a labelled neighbourhood occurs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FineCount {
    /// Which one, below [`FeatureMap::fine_columns`].
    pub column: u32,
    /// The square root of the count, scaled.
    pub value: f64,
}

impl FeatureMap {
    /// Learns from `samples` random architectures of the space.
    pub fn learn<S: Graphs>(space: &S, samples: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut seen = HashSet::new();
        let drawn = (0..samples).map(|_| space.sample(rng));
        FeatureMap::of_archs(space, &drawn.filter(|arch| seen.insert(space.key(arch))).collect::<Vec<_>>())
    }

    /// Learns from these architectures.
    pub fn of_archs<S: Graphs>(space: &S, archs: &[S::Arch]) -> Self {
        let columns = space.graph_schema().map(|schema| StructureColumns::new(&schema));
        let canonical: Vec<S::Arch> = archs.iter().map(|arch| space.canonical(arch)).collect();
        let (fine, fine_unit) =
            fine_columns(&canonical.iter().map(|arch| fine::counts(&space.graphs(arch))).collect::<Vec<_>>());
        let kept = columns.as_ref().map_or(Vec::new(), |columns| {
            varying(&canonical.iter().map(|arch| row(columns, &space.graphs(arch))).collect::<Vec<_>>())
        });
        let sequences: Vec<Vec<Token>> = canonical.iter().map(|arch| space.encode(arch)).collect();
        FeatureMap { columns, kept, fine, fine_unit, mean_hamming: mean_hamming(&sequences) }
    }

    /// The features of an architecture.
    pub fn features<S: Graphs>(&self, space: &S, arch: &S::Arch) -> Features {
        let arch = space.canonical(arch);
        let graphs = space.graphs(&arch);
        let structure = self.columns.as_ref().map_or(Vec::new(), |columns| {
            let row = row(columns, &graphs);
            self.kept.iter().map(|column| (row[column.index] - column.mean) / column.unit).collect()
        });
        let known = fine::counts(&graphs).into_iter().filter_map(|(label, count)| {
            let value = f64::from(count).sqrt() / self.fine_unit;
            Some(FineCount { column: *self.fine.get(&label)?, value })
        });
        let mut fine: Vec<FineCount> = known.collect();
        fine.sort_unstable_by_key(|count| count.column);
        Features { structure, fine, choices: space.encode(&arch) }
    }

    /// The names of the columns of [`Features::structure`], in order.
    pub fn structure_columns(&self) -> impl ExactSizeIterator<Item = &str> {
        let names = self.columns.as_ref().map_or(&[][..], StructureColumns::names);
        self.kept.iter().map(|column| names[column.index].as_str())
    }

    /// Number of labelled neighbourhoods that have a column.
    pub fn fine_columns(&self) -> usize {
        self.fine.len()
    }

    /// The mean number of tokens in which two architectures of the space differ: what distances between
    /// [`Features::choices`] are divided by.
    pub fn mean_hamming(&self) -> f64 {
        self.mean_hamming
    }

    /// All structural columns of an architecture with their names, as they are before standardising; empty for a
    /// space without graphs.
    pub fn named_row<S: Graphs>(&self, space: &S, arch: &S::Arch) -> Vec<(&str, f64)> {
        let Some(columns) = &self.columns else { return Vec::new() };
        let row = row(columns, &space.graphs(&space.canonical(arch)));
        columns.names().iter().map(String::as_str).zip(row).collect()
    }
}

fn row(columns: &StructureColumns, graphs: &[OperationGraph]) -> Vec<f64> {
    let mut row = Vec::with_capacity(columns.names().len());
    graphs.iter().for_each(|graph| columns.append(graph, &mut row));
    row
}

/// The columns that vary over the samples, scaled so that the mean squared distance is 1.
fn varying(rows: &[Vec<f64>]) -> Vec<Column> {
    let n = rows.len() as f64;
    let columns = rows.first().map_or(0, Vec::len);
    let mut kept: Vec<Column> = Vec::new();
    for index in 0..columns {
        let mean = rows.iter().map(|row| row[index]).sum::<f64>() / n;
        let variance = rows.iter().map(|row| (row[index] - mean).powi(2)).sum::<f64>() / n;
        if variance.sqrt() > CONSTANT {
            kept.push(Column { index, mean, unit: variance.sqrt() });
        }
    }
    // Each standardised column adds 2 to the mean squared distance of two samples.
    let scale = (2.0 * kept.len() as f64).sqrt();
    kept.iter_mut().for_each(|column| column.unit *= scale);
    kept
}

/// The labels that are neither rare nor everywhere, and the unit in which the mean squared distance is 1.
fn fine_columns(counts: &[Vec<(FineLabel, u32)>]) -> (HashMap<FineLabel, u32>, f64) {
    let mut samples: BTreeMap<FineLabel, (usize, f64, f64)> = BTreeMap::new();
    for &(label, count) in counts.iter().flatten() {
        let (samples, sum, sum_of_squares) = samples.entry(label).or_default();
        *samples += 1;
        *sum += f64::from(count).sqrt();
        *sum_of_squares += f64::from(count);
    }
    let n = counts.len() as f64;
    samples.retain(|_, (with_it, ..)| *with_it >= RARE && *with_it < counts.len());
    let variances = samples.values().map(|(_, sum, squares)| squares / n - (sum / n).powi(2));
    let mean_squared_distance = 2.0 * variances.sum::<f64>();
    let unit = if mean_squared_distance > 0.0 { mean_squared_distance.sqrt() } else { 1.0 };
    (samples.into_keys().zip(0..).collect(), unit)
}

fn mean_hamming(sequences: &[Vec<Token>]) -> f64 {
    let n = sequences.len() as f64;
    let positions = sequences.first().map_or(0, Vec::len);
    let differ = |position: usize| {
        let mut counts: BTreeMap<Token, f64> = BTreeMap::new();
        sequences.iter().for_each(|sequence| *counts.entry(sequence[position]).or_default() += 1.0);
        1.0 - counts.values().map(|count| (count / n).powi(2)).sum::<f64>()
    };
    let mean = (0..positions).map(differ).sum::<f64>();
    if mean > 0.0 { mean } else { 1.0 }
}

#[cfg(test)]
mod tests;
