//! One number measured on a part of a graph, and the rows of the table.

use serde::{Deserialize, Serialize};

/// The `layer` of what is measured on the whole network.
pub const WHOLE: &str = "whole";

/// The name of what theory says of large random graphs with the same joint degrees, and of uniform masks: a family
/// beside [`FAMILIES`](super::FAMILIES) that is not measured here.
pub const THRESHOLDS: &str = "thresholds";

/// One number: of a block or a group of nodes, both by their name, or of the [`WHOLE`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The block's name, the group's name where the metric is one of nodes, or [`WHOLE`].
    pub layer: String,
    /// The metric; its name says whether it is one of a block or of a group.
    pub metric: String,
    /// The value, always finite.
    pub value: f64,
}

impl Measurement {
    /// A number of the whole network.
    pub fn whole(metric: &str, value: f64) -> Self {
        Self { layer: WHOLE.to_owned(), metric: metric.to_owned(), value }
    }
}

/// One row of a topology table, with its columns in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopologyRow {
    /// The checkpoint, as it was named.
    pub checkpoint: String,
    /// As [`Measurement::layer`].
    pub layer: String,
    /// As [`Measurement::metric`].
    pub metric: String,
    /// As [`Measurement::value`].
    pub value: f64,
}

impl Measurement {
    /// The row of this number in the table.
    pub fn row(&self, checkpoint: &str) -> TopologyRow {
        TopologyRow {
            checkpoint: checkpoint.to_owned(),
            layer: self.layer.clone(),
            metric: self.metric.clone(),
            value: self.value,
        }
    }
}

/// Collects measurements; what is not defined on a graph is left out.
#[derive(Debug, Clone, Default)]
pub struct Measurements(Vec<Measurement>);

impl Measurements {
    /// Adds a number, unless it is NaN or infinite: a quantity that is not defined has no row.
    pub fn push(&mut self, layer: &str, metric: impl Into<String>, value: f64) {
        if value.is_finite() {
            self.0.push(Measurement { layer: layer.to_owned(), metric: metric.into(), value });
        }
    }

    /// Adds a number where there is one.
    pub fn push_some(&mut self, layer: &str, metric: impl Into<String>, value: Option<f64>) {
        if let Some(value) = value {
            self.push(layer, metric, value);
        }
    }

    /// Adds a count.
    pub fn count(&mut self, layer: &str, metric: impl Into<String>, count: usize) {
        self.push(layer, metric, count as f64);
    }

    /// What was collected, in the order in which it was added.
    pub fn into_vec(self) -> Vec<Measurement> {
        self.0
    }
}
