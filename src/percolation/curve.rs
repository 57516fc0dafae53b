//! The sweep: components and flow along an order.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::edge_order::{self, Ends, Narrow, Order, Wide};
use super::{Components, Flow, Points};
use crate::graph::LayeredGraph;

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
    fn new(graph: &LayeredGraph, edges: usize, components: &Components, flow: &Flow) -> Self {
        Self {
            edges,
            nodes: graph.nodes(),
            dense: graph.dense(),
            s1: components.s1(),
            s2: components.s2(),
            squares_but_largest: components.squares_but_largest(),
            components: components.count(),
            outputs_reached: flow.outputs_reached(edges),
            inputs_used: flow.inputs_used(edges),
            active_edges: flow.active_edges(edges),
            dead: flow.dead(edges),
        }
    }

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

/// A percolation curve: the observables at growing numbers of kept weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curve {
    /// The order in which the weights return.
    pub order: Order,
    /// The realisation of the random order; 0 in magnitude order.
    pub realisation: u64,
    /// By ascending number of kept weights; empty where no weight is kept.
    pub points: Vec<Observables>,
}

impl Curve {
    /// The rows of a table, made as they are asked for.
    pub fn rows<'a>(&'a self, checkpoint: &'a str) -> impl Iterator<Item = PercolationRow> + 'a {
        self.points.iter().map(move |point| PercolationRow {
            checkpoint: checkpoint.to_owned(),
            order: self.order,
            realisation: self.realisation,
            edges: point.edges,
            density: point.density(),
            p_inf: point.p_inf(),
            s1: point.s1,
            s2: point.s2,
            chi: point.chi(),
            components: point.components,
            outputs_reached: point.outputs_reached,
            inputs_used: point.inputs_used,
            active_edges: point.active_edges,
        })
    }
}

/// The curve of one order. `seed` and `realisation` name the random one: the same two give the same
/// curve; in magnitude order both are ignored. A graph that keeps no weight gives a curve without
/// points.
///
/// O(edges) up to the inverse Ackermann function, the sort by radix included; 16 to 24 bytes an
/// edge beside the graph.
///
/// ```
/// use prunephase::graph::{Encoding, LayeredGraph};
/// use prunephase::mask::Mask;
/// use prunephase::network::{Architecture, FeatureShape, Parameters};
/// use prunephase::percolation::{Order, Points, sweep};
/// use prunephase::seed::Seeds;
///
/// let network = Architecture::built_in("fc4")?.network(4, FeatureShape::image(1, 8, 8), 10)?;
/// let parameters = Parameters::initialise(&network, &mut Seeds::new(0, 0).stream("initialisation"));
/// let graph = LayeredGraph::from_network(&network, &parameters, &Mask::dense(&network), Encoding::Channel)?;
/// let curve = sweep(&graph, Order::Magnitude, 0, 0, &Points::default());
/// let (first, last) = (curve.points[0], curve.points[curve.points.len() - 1]);
/// assert_eq!((first.edges, first.s1, first.active_edges), (1, 2, 0));
/// assert_eq!((last.p_inf(), last.chi(), last.outputs_reached), (1.0, 0.0, 10));
/// assert_eq!(last.active_edges, graph.edges());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sweep(graph: &LayeredGraph, order: Order, seed: u64, realisation: u64, points: &Points) -> Curve {
    let numbers = points.numbers(graph.edges());
    let realisation = if order == Order::Magnitude { 0 } else { realisation };
    let points = if edge_order::is_narrow(graph) {
        along(graph, &edge_order::ordered::<Narrow>(graph, order, seed, realisation), &numbers)
    } else {
        along(graph, &edge_order::ordered::<Wide>(graph, order, seed, realisation), &numbers)
    };
    Curve { order, realisation, points }
}

/// The curves of realisations 0 to `realisations` - 1, one alone in magnitude order; `done` is
/// called after each, in any order and from any thread. The curves do not depend on the number of
/// threads.
pub fn ensemble(
    graph: &LayeredGraph,
    order: Order,
    seed: u64,
    realisations: u64,
    points: &Points,
    done: impl Fn() + Sync,
) -> Vec<Curve> {
    let realisations = if order == Order::Magnitude { realisations.min(1) } else { realisations };
    (0..realisations)
        .into_par_iter()
        .map(|realisation| {
            let curve = sweep(graph, order, seed, realisation, points);
            done();
            curve
        })
        .collect()
}

/// The observables of the whole graph. O(edges).
pub fn observe(graph: &LayeredGraph) -> Observables {
    fn whole<E: Ends>(graph: &LayeredGraph) -> Observables {
        let edges = edge_order::in_place::<E>(graph);
        let mut components = Components::new(graph.nodes());
        for edge in &edges {
            components.join(edge.source(), edge.target());
        }
        Observables::new(graph, edges.len(), &components, &Flow::new(graph, &edges))
    }
    if edge_order::is_narrow(graph) { whole::<Narrow>(graph) } else { whole::<Wide>(graph) }
}

/// The observables along `edges`, at the ascending `numbers`.
fn along<E: Ends>(graph: &LayeredGraph, edges: &[E], numbers: &[usize]) -> Vec<Observables> {
    if numbers.is_empty() {
        return Vec::new();
    }
    let flow = Flow::new(graph, edges);
    let mut components = Components::new(graph.nodes());
    let mut added = 0;
    numbers
        .iter()
        .map(|&number| {
            for edge in &edges[added..number] {
                components.join(edge.source(), edge.target());
            }
            added = number;
            Observables::new(graph, number, &components, &flow)
        })
        .collect()
}

#[cfg(test)]
mod tests;
