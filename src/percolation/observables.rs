//! What is seen of a graph while its kept weights return.

use serde::{Deserialize, Serialize};

use super::Order;

/// What is seen of a graph at a number of kept weights; see the [module](super) for the definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observables {
    /// The number of kept weights.
    pub edges: usize,
    /// The number of nodes N.
    pub nodes: usize,
    /// The weights of the dense network.
    pub dense: usize,
    /// The size of the largest component, in nodes.
    pub s1: usize,
    /// The size of the second largest component; 0 where there is one.
    pub s2: usize,
    /// The sum of s^2 over all components but one largest.
    pub squares_but_largest: u64,
    /// The number of components.
    pub components: usize,
    /// Outputs at the end of a directed path from an input.
    pub outputs_reached: usize,
    /// Inputs at the start of a directed path to an output.
    pub inputs_used: usize,
    /// Weights on a directed path from an input to an output.
    pub active_edges: usize,
    /// Hidden nodes on no directed path from an input to an output.
    pub dead: usize,
}

impl Observables {
    /// Kept weights / weights of the dense network; 0 where there are none.
    pub fn density(&self) -> f64 {
        ratio(self.edges as f64, self.dense)
    }

    /// Active weights / weights of the dense network; 0 where there are none.
    pub fn effective_density(&self) -> f64 {
        ratio(self.active_edges as f64, self.dense)
    }

    /// P_inf = s1 / N.
    pub fn p_inf(&self) -> f64 {
        ratio(self.s1 as f64, self.nodes)
    }

    /// chi = sum over components but one largest of s^2 / N.
    pub fn chi(&self) -> f64 {
        ratio(self.squares_but_largest as f64, self.nodes)
    }
}

fn ratio(numerator: f64, denominator: usize) -> f64 {
    if denominator == 0 { 0.0 } else { numerator / denominator as f64 }
}

/// One row of a percolation table, with its columns in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PercolationRow {
    /// The checkpoint, as it was named.
    pub checkpoint: String,
    /// The order in which the weights return.
    pub order: Order,
    /// The realisation of the random order; 0 in magnitude order.
    pub realisation: u64,
    /// The number of kept weights.
    pub edges: usize,
    /// Kept weights / weights of the dense network.
    pub density: f64,
    /// s1 / N.
    pub p_inf: f64,
    /// The size of the largest component, in nodes.
    pub s1: usize,
    /// The size of the second largest component; 0 where there is one.
    pub s2: usize,
    /// Sum over components but one largest of s^2 / N.
    pub chi: f64,
    /// The number of components.
    pub components: usize,
    /// Outputs at the end of a directed path from an input.
    pub outputs_reached: usize,
    /// Inputs at the start of a directed path to an output.
    pub inputs_used: usize,
    /// Weights on a directed path from an input to an output.
    pub active_edges: usize,
}

impl PercolationRow {
    /// The row of a checkpoint's observables.
    pub fn new(checkpoint: &str, order: Order, realisation: u64, seen: &Observables) -> Self {
        Self {
            checkpoint: checkpoint.to_owned(),
            order,
            realisation,
            edges: seen.edges,
            density: seen.density(),
            p_inf: seen.p_inf(),
            s1: seen.s1,
            s2: seen.s2,
            chi: seen.chi(),
            components: seen.components,
            outputs_reached: seen.outputs_reached,
            inputs_used: seen.inputs_used,
            active_edges: seen.active_edges,
        }
    }
}

/// A percolation curve: the observables at growing numbers of kept weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curve {
    /// The order in which the weights return.
    pub order: Order,
    /// The realisation of the random order, else 0.
    pub realisation: u64,
    /// By ascending number of kept weights; empty where no weight is kept.
    pub points: Vec<Observables>,
}

impl Curve {
    /// The rows of a table, made as they are asked for.
    pub fn rows<'a>(&'a self, checkpoint: &'a str) -> impl Iterator<Item = PercolationRow> + 'a {
        self.points.iter().map(move |point| PercolationRow::new(checkpoint, self.order, self.realisation, point))
    }
}
