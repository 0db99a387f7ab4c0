//! What a round of the search did, for reports.

use serde::{Deserialize, Serialize};

/// One round in which the controller was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoundReport {
    /// Which ask it was, counted from 0.
    pub round: u64,
    /// Observations trained on: those with a finite score.
    pub trained_on: usize,
    /// Epochs of the fit.
    pub epochs: usize,
    /// Joint loss of the last epoch.
    pub loss: Option<f64>,
    /// Mean squared error of the predictions in the last epoch.
    pub prediction_loss: Option<f64>,
    /// Token cross entropy in the last epoch.
    pub reconstruction_loss: Option<f64>,
    /// Share of pairs of the pool that predictions and scores order alike; the pool was trained on, so this is
    /// no estimate for new architectures. `None` where tau is undefined.
    pub pairwise_accuracy: Option<f64>,
    /// Kendall's tau-b of predictions and scores on the pool; `None` where undefined.
    pub kendall_tau: Option<f64>,
    /// Mean number of tokens that greedy decoding gets wrong on the pool.
    pub hamming: Option<f64>,
    /// Architectures that were moved.
    pub parents: usize,
    /// The largest step tried; `None` if none was.
    pub largest_step: Option<f64>,
    /// Sequences decoded after a step, new or not.
    pub decoded: usize,
    /// Proposals by origin.
    pub proposals: ProposalCounts,
    /// Wall-clock seconds of the fit.
    pub fit_seconds: f64,
    /// Wall-clock seconds of everything after it.
    pub propose_seconds: f64,
}

/// Numbers of proposals by origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalCounts {
    /// Decoded after a gradient step.
    pub ascent: usize,
    /// Drawn from the space.
    pub random: usize,
}
