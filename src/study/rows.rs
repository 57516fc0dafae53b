//! The rows of a run's tables; field order is column order.

use serde::{Deserialize, Serialize};

use crate::rewire::{self, NullModel};

/// One level of one replicate: `tables/levels.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelRow {
    /// The data set.
    pub dataset: String,
    /// The architecture.
    pub architecture: String,
    /// The width W.
    pub width: usize,
    /// The replicate.
    pub seed: u64,
    /// 0 is the dense network.
    pub level: usize,
    /// kept / weights of the dense network.
    pub density: f64,
    /// Number of kept weights.
    pub kept: usize,
    /// Share of test images whose class is predicted.
    pub accuracy: f64,
    /// Mean cross entropy, nats.
    pub loss: f64,
    /// Mean entropy of the softmax, nats.
    pub prediction_entropy: f64,
    /// Entropy of the histogram of predicted labels, nats.
    pub outcome_entropy: f64,
    /// (A - A_chance) / (A_dense - A_chance); empty where the dense network is not above chance.
    pub m: Option<f64>,
    /// ||w_t - w_0|| over the kept weights.
    pub weight_distance: f64,
    /// Cosine between w_t and w_0 over the kept weights.
    pub weight_cosine: f64,
    /// Share of kept weights whose sign changed since initialisation.
    pub sign_flips: f64,
    /// Jaccard overlap of the mask with that of the level before.
    pub mask_overlap: f64,
}

/// The graph of one level of one replicate: `tables/percolation.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObservationRow {
    /// The data set.
    pub dataset: String,
    /// The architecture.
    pub architecture: String,
    /// The width W.
    pub width: usize,
    /// The replicate.
    pub seed: u64,
    /// 0 is the dense network.
    pub level: usize,
    /// kept / weights of the dense network.
    pub density: f64,
    /// Number of kept weights.
    pub edges: usize,
    /// N: all nodes, isolated ones included.
    pub nodes: usize,
    /// 2 edges / nodes.
    pub mean_degree: f64,
    /// s1 / N.
    pub p_inf: f64,
    /// Nodes of the largest component.
    pub s1: usize,
    /// Nodes of the second largest component.
    pub s2: usize,
    /// Sum of s^2 over all components but one largest, over N.
    pub chi: f64,
    /// Number of components, isolated nodes included.
    pub components: usize,
    /// Outputs on a directed path from an input.
    pub outputs_reached: usize,
    /// Inputs on a directed path to an output.
    pub inputs_used: usize,
    /// Weights on a directed path from an input to an output.
    pub active_edges: usize,
}

/// One number of the topology of one level of one replicate: `tables/topology.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopologyRow {
    /// The data set.
    pub dataset: String,
    /// The architecture.
    pub architecture: String,
    /// The width W.
    pub width: usize,
    /// The replicate.
    pub seed: u64,
    /// 0 is the dense network.
    pub level: usize,
    /// kept / weights of the dense network.
    pub density: f64,
    /// A block, a group of nodes, or `whole`.
    pub layer: String,
    /// The metric.
    pub metric: String,
    /// Its value.
    pub value: f64,
}

/// How far the chain of one layer of one sample went: `tables/mixing.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixingRow {
    /// The checkpoint the samples were drawn from.
    pub checkpoint: String,
    /// The null model.
    pub null: String,
    /// The sample.
    pub sample: usize,
    /// The layer.
    pub layer: String,
    /// Proposals so far over the layer's kept weights; half the rounds of Curveball.
    pub proposals_per_edge: Option<f64>,
    /// Proposals so far, accepted or not; of Curveball the edges looked at, in pairs.
    pub proposals: u64,
    /// Swaps made so far; of Curveball the edges dealt out anew, in pairs.
    pub accepted: u64,
    /// Edges shared with the start over the edges of the start.
    pub overlap: Option<f64>,
    /// The same of a uniform draw, on average.
    pub overlap_random: Option<f64>,
    /// Correlation of the target's in-degree and the source's out-degree over the edges.
    pub assortativity: Option<f64>,
    /// Correlation of the target's and the source's place in the layer over the edges.
    pub place_correlation: Option<f64>,
    /// Edges shared with the start that have its sign, where the null model keeps signs.
    pub sign_overlap: Option<f64>,
    /// The same of a uniform draw, on average.
    pub sign_overlap_random: Option<f64>,
    /// Share of the edges that are the same in every realisation.
    pub forced: Option<f64>,
    /// Autocorrelation time of the overlap, proposals an edge; in the last row of each sample.
    pub tau_overlap: Option<f64>,
    /// That of the assortativity.
    pub tau_assortativity: Option<f64>,
    /// That of the correlation of places.
    pub tau_place_correlation: Option<f64>,
}

impl MixingRow {
    pub(super) fn new(checkpoint: &str, null: NullModel, row: rewire::MixingRow) -> Self {
        Self {
            checkpoint: checkpoint.to_owned(),
            null: null.to_string(),
            sample: row.sample,
            layer: row.layer,
            proposals_per_edge: row.proposals_per_edge,
            proposals: row.proposals,
            accepted: row.accepted,
            overlap: row.overlap,
            overlap_random: row.overlap_random,
            assortativity: row.assortativity,
            place_correlation: row.place_correlation,
            sign_overlap: row.sign_overlap,
            sign_overlap_random: row.sign_overlap_random,
            forced: row.forced,
            tau_overlap: row.tau_overlap,
            tau_assortativity: row.tau_assortativity,
            tau_place_correlation: row.tau_place_correlation,
        }
    }
}
