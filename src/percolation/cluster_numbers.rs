//! The numbers of components by size, along an order.

use super::edge_order::{self, Ends, Narrow, Order, Wide};
use super::{Components, Points};
use crate::graph::LayeredGraph;

/// The components of a graph by size, one largest left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterNumbers {
    /// The number of kept weights.
    pub edges: usize,
    /// The number of nodes N.
    pub nodes: usize,
    /// The size of the component that is left out.
    pub largest: usize,
    /// (size, number of components of that size), ascending, sizes without components left out.
    pub counts: Vec<(usize, u64)>,
}

/// Cluster numbers of sizes `low` to `high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusterBin {
    /// The smallest size of the bin.
    pub low: usize,
    /// The largest size of the bin, included.
    pub high: usize,
    /// Components in the bin.
    pub count: u64,
    /// n_s = count / (N x number of sizes in the bin).
    pub density: f64,
}

impl ClusterBin {
    /// The geometric mean of the ends of the bin, at which n_s is best drawn.
    pub fn centre(&self) -> f64 {
        (self.low as f64 * self.high as f64).sqrt()
    }
}

impl ClusterNumbers {
    /// n_s in bins that each reach to twice the lower end of the one before: 1, 2 to 3, 4 to 7, and
    /// so on. Empty ones up to the last with components are kept.
    pub fn bins(&self) -> Vec<ClusterBin> {
        bins(&self.counts, self.nodes as f64)
    }
}

fn bins(counts: &[(usize, u64)], nodes: f64) -> Vec<ClusterBin> {
    let mut bins: Vec<ClusterBin> = Vec::new();
    for &(size, count) in counts {
        let place = size.max(1).ilog2() as usize;
        while bins.len() <= place {
            let low = 1 << bins.len();
            bins.push(ClusterBin { low, high: 2 * low - 1, count: 0, density: 0.0 });
        }
        bins[place].count += count;
    }
    for bin in &mut bins {
        bin.density = bin.count as f64 / (nodes * (bin.high - bin.low + 1) as f64);
    }
    bins
}

/// The components by size at ascending numbers of kept weights, in the order that
/// [`sweep`](super::sweep) takes for the same seed and realisation. What is 0 or more than there are
/// is left out, as in [`Points::At`]. O(edges + points x N).
///
/// ```
/// use prunephase::graph::generate::LayeredRandom;
/// use prunephase::percolation::{Order, cluster_numbers};
/// use prunephase::seed::Seeds;
///
/// let graph = LayeredRandom::with_edges(&[500, 500], 600)?.generate(&Seeds::new(1, 0))?;
/// let found = &cluster_numbers(&graph, Order::Magnitude, 0, 0, &[400])[0];
/// let inside: usize = found.counts.iter().map(|&(size, count)| size * count as usize).sum();
/// assert_eq!(inside + found.largest, 1000);
/// # Ok::<(), prunephase::graph::GraphError>(())
/// ```
pub fn cluster_numbers(
    graph: &LayeredGraph,
    order: Order,
    seed: u64,
    realisation: u64,
    edges: &[usize],
) -> Vec<ClusterNumbers> {
    fn along<E: Ends>(graph: &LayeredGraph, ends: &[E], numbers: &[usize]) -> Vec<ClusterNumbers> {
        let mut components = Components::new(graph.nodes());
        let mut added = 0;
        numbers
            .iter()
            .map(|&number| {
                for edge in &ends[added..number] {
                    components.join(edge.source(), edge.target());
                }
                added = number;
                let largest = components.s1();
                let counts = (1..=largest)
                    .map(|size| (size, components.of_size(size) as u64 - u64::from(size == largest)))
                    .filter(|&(_, count)| count > 0)
                    .collect();
                ClusterNumbers { edges: number, nodes: graph.nodes(), largest, counts }
            })
            .collect()
    }
    let numbers = Points::At(edges.to_vec()).numbers(graph.edges());
    let realisation = if order == Order::Magnitude { 0 } else { realisation };
    if edge_order::is_narrow(graph) {
        along(graph, &edge_order::ordered::<Narrow>(graph, order, seed, realisation), &numbers)
    } else {
        along(graph, &edge_order::ordered::<Wide>(graph, order, seed, realisation), &numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::generate::LayeredRandom;
    use crate::percolation::sweep;
    use crate::seed::Seeds;

    /// The same order as the sweep's, so all that follows from the counts must agree with it.
    #[test]
    fn counts_agree_with_the_sweep() {
        for sizes in [&[40, 30, 20][..], &[40_000, 30_000]] {
            let edges = sizes.iter().sum::<usize>() / 2;
            let graph = LayeredRandom::with_edges(sizes, edges).unwrap().generate(&Seeds::new(1, 0)).unwrap();
            for order in [Order::Magnitude, Order::Random] {
                let numbers = [1, edges / 3, edges / 2, edges];
                let found = cluster_numbers(&graph, order, 5, 2, &numbers);
                let curve = sweep(&graph, order, 5, 2, &Points::At(numbers.to_vec()));
                assert_eq!(found.len(), 4);
                for (found, point) in found.iter().zip(&curve.points) {
                    assert_eq!((found.edges, found.largest), (point.edges, point.s1));
                    let sum = |of: &dyn Fn(u64) -> u64| -> u64 {
                        found.counts.iter().map(|&(size, count)| count * of(size as u64)).sum()
                    };
                    assert_eq!(sum(&|_| 1) + 1, point.components as u64);
                    assert_eq!(sum(&|size| size) + point.s1 as u64, graph.nodes() as u64);
                    assert_eq!(sum(&|size| size * size), point.squares_but_largest);
                    assert_eq!(found.counts.last().unwrap().0, point.s2);
                    let bins = found.bins();
                    let inside: f64 = bins.iter().map(|bin| bin.density * (bin.high - bin.low + 1) as f64).sum::<f64>();
                    assert!((inside * graph.nodes() as f64 - (point.components as f64 - 1.0)).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn bins_by_hand() {
        let numbers = ClusterNumbers { edges: 1, nodes: 10, largest: 9, counts: vec![(1, 4), (2, 1), (3, 2), (9, 1)] };
        let bins: Vec<_> = numbers.bins().iter().map(|bin| (bin.low, bin.high, bin.count, bin.density)).collect();
        assert_eq!(bins, [(1, 1, 4, 0.4), (2, 3, 3, 0.15), (4, 7, 0, 0.0), (8, 15, 1, 0.0125)]);
        assert_eq!(numbers.bins()[3].centre(), 120f64.sqrt());
    }
}
