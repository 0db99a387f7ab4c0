//! What is known of a published network.

use serde::Serialize;

use crate::image::CnnArch;
use crate::network::concat::CellOutputs;
use crate::network::error::GeometryError;
use crate::network::plan::{GraphPlan, NetworkPlan};
use crate::network::skeleton::Skeleton;
use crate::spaces::CnnSpace;

/// A published architecture.
#[derive(Clone, Debug)]
pub struct ZooEntry {
    /// Its name.
    pub name: &'static str,
    /// A space that holds it; for the authors' cells the one in whose notation they were published.
    pub space: CnnSpace,
    /// The cells.
    pub arch: CnnArch,
    /// What the cells concatenate.
    pub outputs: CellOutputs,
    /// The network of the first published figure.
    pub skeleton: Skeleton,
    /// Number of operations in the space that was searched, as published; `None` where unknown.
    pub searched_ops: Option<u32>,
    /// Where the cells were read.
    pub source: &'static str,
    /// What was published about it.
    pub published: Vec<Published>,
}

impl ZooEntry {
    /// Its network on a skeleton, with what its cells concatenate.
    ///
    /// ```
    /// use nao_space::network::zoo_entry;
    /// let nasnet = zoo_entry("NASNet-A")?;
    /// assert_eq!(nasnet.plan(&nasnet.skeleton)?.cost().params, 3_346_538);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When images and skeleton do not fit, as in [`NetworkPlan::new`].
    pub fn plan(&self, skeleton: &Skeleton) -> Result<NetworkPlan, GeometryError> {
        NetworkPlan::with_outputs(&self.arch, &self.outputs, skeleton)
    }
}

/// One published figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Published {
    /// The data set and split.
    pub data: &'static str,
    /// Test error in per cent.
    pub error_percent: f64,
    /// Parameters in millions, as printed; `None` where none are.
    pub params_millions: Option<f64>,
    /// Network and training.
    pub setting: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// The network of cells; `None` where it has none or its cells are unknown.
    pub skeleton: Option<Skeleton>,
    /// Architectures that the search evaluated, as published.
    pub models_evaluated: Option<u32>,
    /// GPU-days of the search, as published.
    pub gpu_days: Option<f64>,
    /// What is known where the computed parameters are not the published ones.
    pub note: Option<&'static str>,
}

impl Published {
    /// A figure on CIFAR-10, with nothing said about parameters, network or search.
    pub(super) fn cifar10(error_percent: f64, setting: &'static str, source: &'static str) -> Self {
        Published {
            data: "CIFAR-10 test",
            error_percent,
            params_millions: None,
            setting,
            source,
            skeleton: None,
            models_evaluated: None,
            gpu_days: None,
            note: None,
        }
    }
}

/// A published network that is not given as cells.
#[derive(Clone, Debug)]
pub struct ZooGraph {
    /// Its name.
    pub name: &'static str,
    /// Its layers.
    pub plan: GraphPlan,
    /// What was published about it.
    pub published: Vec<Published>,
}

/// A published architecture whose cells are not published in readable form.
#[derive(Clone, Debug)]
pub struct UnpublishedCells {
    /// Its name.
    pub name: &'static str,
    /// Nodes per cell, where known.
    pub nodes: Option<usize>,
    /// Cells per stage (N), where known.
    pub cells_per_stage: Option<usize>,
    /// Width (F), where known.
    pub width: Option<usize>,
    /// Number of operations in the space that was searched.
    pub searched_ops: Option<u32>,
    /// What is known of the cells.
    pub known: &'static str,
    /// What was published about it.
    pub published: Vec<Published>,
}

/// Everything that the comparison of results lists.
#[derive(Clone, Debug)]
pub enum ZooNetwork {
    /// Cells on skeletons.
    Cells(&'static ZooEntry),
    /// A network that is not made of cells.
    Graph(ZooGraph),
    /// Figures without cells.
    Unpublished(UnpublishedCells),
}

impl ZooNetwork {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            ZooNetwork::Cells(entry) => entry.name,
            ZooNetwork::Graph(graph) => graph.name,
            ZooNetwork::Unpublished(cells) => cells.name,
        }
    }

    /// What was published about it.
    pub fn published(&self) -> &[Published] {
        match self {
            ZooNetwork::Cells(entry) => &entry.published,
            ZooNetwork::Graph(graph) => &graph.published,
            ZooNetwork::Unpublished(cells) => &cells.published,
        }
    }
}
