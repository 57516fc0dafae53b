//! The numbers of components by size, along an order.

use serde::{Deserialize, Serialize};

use super::{Order, Points, Ranking, Sweep};
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

/// One row of a table of cluster numbers, with its columns in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterRow {
    /// The checkpoint, as it was named.
    pub checkpoint: String,
    /// The order in which the weights return.
    pub order: Order,
    /// The realisation of the random order, else 0.
    pub realisation: u64,
    /// The number of kept weights.
    pub edges: usize,
    /// Kept weights / weights of the dense network.
    pub density: f64,
    /// The smallest size of the bin, in nodes.
    pub size_low: usize,
    /// The largest size of the bin, included.
    pub size_high: usize,
    /// Components in the bin, one largest left out.
    pub count: u64,
    /// n_s, per node and size.
    pub n_s: f64,
}

impl ClusterRow {
    /// The rows of one point, out of `dense` weights of the dense network.
    pub fn rows(checkpoint: &str, order: Order, realisation: u64, dense: usize, found: &ClusterNumbers) -> Vec<Self> {
        let row = |bin: ClusterBin| Self {
            checkpoint: checkpoint.to_owned(),
            order,
            realisation,
            edges: found.edges,
            density: found.edges as f64 / dense as f64,
            size_low: bin.low,
            size_high: bin.high,
            count: bin.count,
            n_s: bin.density,
        };
        found.bins().into_iter().map(row).collect()
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

/// The components by size along an order at ascending numbers of kept weights. What is 0 or more than
/// there are is left out, as in [`Points::At`]. O(edges + points x N).
///
/// ```
/// use prunephase::graph::generate::LayeredRandom;
/// use prunephase::percolation::{Ranking, cluster_numbers};
/// use prunephase::seed::Seeds;
///
/// let graph = LayeredRandom::with_edges(&[500, 500], 600)?.generate(&Seeds::new(1, 0))?;
/// let found = &cluster_numbers(&graph, Ranking::Magnitude, &[400])[0];
/// let inside: usize = found.counts.iter().map(|&(size, count)| size * count as usize).sum();
/// assert_eq!(inside + found.largest, 1000);
/// # Ok::<(), prunephase::graph::GraphError>(())
/// ```
///
/// # Panics
/// As [`Sweep::new`].
pub fn cluster_numbers(graph: &LayeredGraph, ranking: Ranking<'_>, edges: &[usize]) -> Vec<ClusterNumbers> {
    let mut sweep = Sweep::new(graph, ranking, &Points::At(edges.to_vec()));
    let mut found = Vec::with_capacity(sweep.len());
    while let Some(seen) = sweep.next() {
        let largest = seen.s1;
        let counts = (1..=largest)
            .map(|size| (size, sweep.components().of_size(size) as u64 - u64::from(size == largest)))
            .filter(|&(_, count)| count > 0)
            .collect();
        found.push(ClusterNumbers { edges: seen.edges, nodes: graph.nodes(), largest, counts });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::generate::LayeredRandom;
    use crate::seed::Seeds;

    /// The same order as the sweep's, so all that follows from the counts must agree with it.
    #[test]
    fn counts_agree_with_the_sweep() {
        for sizes in [&[40, 30, 20][..], &[40_000, 30_000]] {
            let edges = sizes.iter().sum::<usize>() / 2;
            let graph = LayeredRandom::with_edges(sizes, edges).unwrap().generate(&Seeds::new(1, 0)).unwrap();
            for ranking in [Ranking::Magnitude, Ranking::Random { seed: 5, realisation: 2 }] {
                let numbers = [1, edges / 3, edges / 2, edges];
                let found = cluster_numbers(&graph, ranking, &numbers);
                let curve = Sweep::new(&graph, ranking, &Points::At(numbers.to_vec()));
                assert_eq!(found.len(), 4);
                for (found, point) in found.iter().zip(curve) {
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
