//! A fitted process as plain data, from which it predicts again without a fit.

use faer::Mat;
use serde::{Deserialize, Serialize};

use super::basis::Sparse;
use super::kernel::Kernel;
use super::mean::{EstimatedMean, PriorMean};
use super::points::{Points, View};
use super::posterior::Posterior;
use super::{GaussianProcess, Member};
use crate::error::ControllerError;

/// Everything of a process but its points. An exact one is conditioned again on its targets, with its kernels; a sparse
/// one holds what it learned of observations that are not kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessState {
    /// The observations learned from.
    observations: usize,
    /// The targets of its points; none where it is sparse.
    #[serde(with = "packed")]
    targets: Vec<f64>,
    members: Vec<MemberState>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberState {
    /// Its weight in the average.
    share: f64,
    log_evidence: f64,
    kernel: Kernel,
    sparse: Option<SparseState>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SparseState {
    jitter: f64,
    #[serde(with = "packed")]
    weights: Vec<f64>,
    /// The lower triangle of the second factor, column by column.
    #[serde(with = "packed")]
    factor: Vec<f64>,
    mean: Option<MeanState>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MeanState {
    coefficients: PriorMean,
    #[serde(with = "packed")]
    ones: Vec<f64>,
    #[serde(with = "packed")]
    scores: Vec<f64>,
    factor: [f64; 3],
}

impl GaussianProcess {
    /// The process as plain data.
    pub fn state(&self) -> ProcessState {
        let member = |Member { share, posterior }: &Member| MemberState {
            share: *share,
            log_evidence: posterior.log_evidence,
            kernel: posterior.kernel.clone(),
            sparse: posterior.sparse.as_ref().map(|sparse| sparse_state(posterior, sparse)),
        };
        ProcessState {
            observations: self.observations,
            targets: self.targets.clone(),
            members: self.members.iter().map(member).collect(),
        }
    }

    /// The process of such a state and of the same points: the observations of an exact one, the basis of a sparse one.
    ///
    /// # Errors
    /// Says what of the state cannot be.
    pub fn from_state(points: Points, state: ProcessState) -> Result<Self, ControllerError> {
        let ProcessState { observations, targets, members: states } = state;
        let forms = states.iter().flat_map(|member| member.kernel.form.views().iter().copied());
        let needed: Vec<View> = forms.collect();
        let views: Vec<View> = View::ALL.into_iter().filter(|view| needed.contains(view)).collect();
        let distances = points.distances(&points, &views);
        let mut members = Vec::with_capacity(states.len());
        for MemberState { share, log_evidence, kernel, sparse } in states {
            kernel.check().map_err(|problem| ControllerError::State { problem })?;
            if !(share > 0.0 && share <= 1.0) {
                return refuse("a share is outside of 0 to 1");
            }
            let posterior = match sparse {
                Some(state) => state.posterior(kernel, log_evidence, &distances)?,
                None if targets.len() == points.len() && targets.iter().all(|target| target.is_finite()) => {
                    Posterior::new(kernel, &distances, &targets)
                }
                None => return refuse("there is not one finite target per architecture"),
            };
            let Some(posterior) = posterior else {
                return refuse("a kernel matrix is not positive definite");
            };
            members.push(Member { share, posterior });
        }
        if members.is_empty() || points.is_empty() {
            return refuse("there is no kernel, or nothing was learned from");
        }
        let kernels = members.iter().map(|member| member.posterior.kernel.clone()).collect();
        let basis = (0..points.len()).collect();
        Ok(GaussianProcess { points, observations, basis, targets, members, kernels, views })
    }
}

fn refuse<T>(problem: &str) -> Result<T, ControllerError> {
    Err(ControllerError::State { problem: problem.to_owned() })
}

fn sparse_state(posterior: &Posterior, sparse: &Sparse) -> SparseState {
    let columns = 0..sparse.factor.ncols();
    let mean = posterior.mean.as_ref().map(|mean| MeanState {
        coefficients: mean.coefficients,
        ones: mean.solved[0].clone(),
        scores: mean.solved[1].clone(),
        factor: mean.factor,
    });
    SparseState {
        jitter: sparse.jitter,
        weights: posterior.weights.clone(),
        factor: columns.flat_map(|column| &sparse.factor.col_as_slice(column)[column..]).copied().collect(),
        mean,
    }
}

impl SparseState {
    /// The posterior; `None` where the kernel of the basis is not positive definite.
    fn posterior(
        self,
        kernel: Kernel,
        log_evidence: f64,
        basis: &super::Distances,
    ) -> Result<Option<Posterior>, ControllerError> {
        let SparseState { jitter, weights, factor: triangle, mean } = self;
        let n = basis.rows();
        let means: Vec<&[f64]> = mean.iter().flat_map(|mean| [&mean.ones[..], &mean.scores]).collect();
        let sizes = weights.len() == n
            && triangle.len() == n * (n + 1) / 2
            && means.iter().all(|solved| solved.len() == n);
        let mut numbers = weights.iter().chain(&triangle).chain(means.into_iter().flatten());
        if !sizes || !numbers.all(|number| number.is_finite()) {
            return refuse("its arrays are of other lengths than its architectures, or not finite");
        }
        let mut lower = Mat::zeros(n, n);
        let mut rest = &triangle[..];
        for column in 0..n {
            let (own, others) = rest.split_at(n - column);
            lower.col_as_slice_mut(column)[column..].copy_from_slice(own);
            if own[0] <= 0.0 {
                return refuse("its factor has a diagonal that is not above 0");
            }
            rest = others;
        }
        let mean = mean.map(|mean| EstimatedMean {
            coefficients: mean.coefficients,
            solved: [mean.ones, mean.scores],
            factor: mean.factor,
            gain: 0.0,
        });
        let Some(factor) = Sparse::jittered_factor(&kernel, basis, jitter) else { return Ok(None) };
        let sparse = Some(Sparse { factor: lower, jitter });
        Ok(Some(Posterior { kernel, factor, sparse, mean, weights, log_evidence }))
    }
}

/// Many numbers as one text, bit for bit: base64 of their little-endian bytes.
pub(crate) mod packed {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(numbers: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text.as_bytes()).map_err(D::Error::custom)?;
        let (numbers, rest) = bytes.as_chunks::<8>();
        match rest {
            [] => Ok(numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()),
            _ => Err(D::Error::custom("packed numbers end in the middle of one")),
        }
    }
}
