//! Architectures as points, and the squared distances between them.

use std::collections::HashMap;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use nao_space::Token;
use nao_space::features::{FeatureMap, Features, FineCount};

/// One of the views of an architecture between which distances are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// [`Features::structure`].
    Structure = 0,
    /// [`Features::fine`].
    Fine = 1,
    /// [`Features::choices`]: the number of tokens that differ.
    Choices = 2,
}

impl View {
    /// All of them, in order.
    pub const ALL: [View; 3] = [View::Structure, View::Fine, View::Choices];
}

/// Architectures by their features. All distances have mean 1 over the space.
#[derive(Clone, Debug)]
pub struct Points {
    /// `[features, points]`.
    structure: Mat<f64>,
    squared_norms: Vec<f64>,
    fine: Vec<Vec<FineCount>>,
    choices: Vec<Vec<Token>>,
    mean_hamming: f64,
    /// One score per point.
    scores: Option<Vec<f64>>,
}

impl Points {
    /// The points of these features, which `map` made.
    pub fn new<'a>(map: &FeatureMap, features: impl IntoIterator<Item = &'a Features>) -> Self {
        let features: Vec<&Features> = features.into_iter().collect();
        let rows = features.iter().map(|features| features.structure.as_slice()).collect::<Vec<_>>();
        Points {
            fine: features.iter().map(|features| features.fine.clone()).collect(),
            choices: features.iter().map(|features| features.choices.clone()).collect(),
            mean_hamming: map.mean_hamming(),
            ..Points::of_structure(&rows)
        }
    }

    /// Points that have a structure only, such as features read from an embedding; all rows have one length.
    pub fn of_structure(rows: &[impl AsRef<[f64]>]) -> Self {
        let width = rows.first().map_or(0, |row| row.as_ref().len());
        let structure = Mat::from_fn(width, rows.len(), |feature, point| rows[point].as_ref()[feature]);
        let square = |row: &[f64]| row.iter().map(|value| value * value).sum();
        Points {
            structure,
            squared_norms: rows.iter().map(|row| square(row.as_ref())).collect(),
            fine: Vec::new(),
            choices: Vec::new(),
            mean_hamming: 1.0,
            scores: None,
        }
    }

    /// The same points with a score each, on which the prior mean of a process may rest.
    ///
    /// # Panics
    /// When there are not as many scores as points.
    pub fn with_scores(self, scores: Vec<f64>) -> Self {
        assert_eq!(scores.len(), self.len(), "one score per point");
        Points { scores: Some(scores), ..self }
    }

    /// Some of the points, by their numbers.
    pub(crate) fn select(&self, places: &[usize]) -> Points {
        // Points of a structure only have neither of these.
        let some = |count: usize| places.iter().copied().filter(move |&point| point < count);
        Points {
            structure: Mat::from_fn(self.width(), places.len(), |row, point| {
                self.structure[(row, places[point])]
            }),
            squared_norms: places.iter().map(|&point| self.squared_norms[point]).collect(),
            fine: some(self.fine.len()).map(|point| self.fine[point].clone()).collect(),
            choices: some(self.choices.len()).map(|point| self.choices[point].clone()).collect(),
            mean_hamming: self.mean_hamming,
            scores: self.scores.as_ref().map(|scores| places.iter().map(|&point| scores[point]).collect()),
        }
    }

    /// The scores, if there are any.
    pub fn scores(&self) -> Option<&[f64]> {
        self.scores.as_deref()
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.squared_norms.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.squared_norms.is_empty()
    }

    /// Number of structural features.
    pub(super) fn width(&self) -> usize {
        self.structure.nrows()
    }

    /// The structures, `[features, points]`.
    pub(super) fn structures(&self) -> &Mat<f64> {
        &self.structure
    }

    /// The distances of these views from every point (rows) to every other point (columns).
    pub fn distances(&self, others: &Points, views: &[View]) -> Distances {
        let of = |view: View| views.contains(&view).then(|| self.distances_of(view, others));
        let scores = others.scores.clone();
        Distances { rows: self.len(), columns: others.len(), views: View::ALL.map(of), scores }
    }

    fn distances_of(&self, view: View, others: &Points) -> Mat<f64> {
        if self.is_empty() || others.is_empty() {
            return Mat::zeros(self.len(), others.len());
        }
        match view {
            View::Structure => self.structure_distances(others),
            View::Fine => self.fine_distances(others),
            View::Choices => self.choice_distances(others),
        }
    }

    fn structure_distances(&self, others: &Points) -> Mat<f64> {
        let mut distances = Mat::zeros(self.len(), others.len());
        let (rows, columns) = (self.structure.transpose(), &others.structure);
        matmul(&mut distances, Accum::Replace, rows, columns, -2.0, Par::Seq);
        for (column, &norm) in others.squared_norms.iter().enumerate() {
            let column = distances.col_as_slice_mut(column);
            for (distance, own) in column.iter_mut().zip(&self.squared_norms) {
                *distance = (*distance + own + norm).max(0.0);
            }
        }
        distances
    }

    /// By an index from labels to the points that have them: most pairs share few labels.
    fn fine_distances(&self, others: &Points) -> Mat<f64> {
        let mut with_label: HashMap<u32, Vec<(usize, f64)>> = HashMap::new();
        for (point, counts) in self.fine.iter().enumerate() {
            for count in counts {
                with_label.entry(count.column).or_default().push((point, count.value));
            }
        }
        let norm = |counts: &Vec<FineCount>| counts.iter().map(|count| count.value * count.value).sum();
        let norms: Vec<f64> = self.fine.iter().map(norm).collect();
        let mut distances = Mat::zeros(self.len(), others.len());
        for (column, counts) in others.fine.iter().enumerate() {
            let column = distances.col_as_slice_mut(column);
            let norm: f64 = norm(counts);
            column.iter_mut().zip(&norms).for_each(|(distance, own)| *distance = own + norm);
            for count in counts {
                for &(point, value) in with_label.get(&count.column).map_or(&[][..], Vec::as_slice) {
                    column[point] -= 2.0 * value * count.value;
                }
            }
            column.iter_mut().for_each(|distance| *distance = distance.max(0.0));
        }
        distances
    }

    fn choice_distances(&self, others: &Points) -> Mat<f64> {
        Mat::from_fn(self.len(), others.len(), |row, column| {
            let pairs = self.choices[row].iter().zip(&others.choices[column]);
            pairs.filter(|(a, b)| a != b).count() as f64 / self.mean_hamming
        })
    }
}

/// Squared distances between two sets of points, in some views.
#[derive(Clone, Debug)]
pub struct Distances {
    rows: usize,
    columns: usize,
    /// In the order of [`View::ALL`]; each `[rows, columns]`.
    views: [Option<Mat<f64>>; 3],
    /// The scores of the columns' points.
    scores: Option<Vec<f64>>,
}

impl Distances {
    /// The scores of the points of the columns, if they have any.
    pub(super) fn scores(&self) -> Option<&[f64]> {
        self.scores.as_deref()
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// The distances of one column in a view, from row `from` on.
    pub(super) fn column(&self, view: View, column: usize, from: usize) -> &[f64] {
        let distances = self.views[view as usize].as_ref();
        &distances.expect("distances of every view of the kernel were taken").col_as_slice(column)[from..]
    }
}
