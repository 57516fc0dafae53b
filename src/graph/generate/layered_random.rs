//! Layered random graphs: chains of groups joined at random.

use super::distinct::distinct;
use super::scores::{random_ranks, score};
use crate::graph::{Block, GraphError, LayeredGraph, Role};
use crate::seed::Seeds;

/// A random graph of groups in a chain, each joined to the next by edges drawn uniformly without
/// repetition out of all pairs. Magnitude order is a uniformly random order of its edges.
///
/// | made by | edges |
/// | --- | --- |
/// | [`LayeredRandom::with_densities`] | of each block exactly round(density x rows x columns) |
/// | [`LayeredRandom::with_edges`] | this many in all, drawn out of all blocks together: a uniform mask of the whole network |
/// | [`LayeredRandom::with_mean_degree`] | round(mean degree x N / 2) in all, drawn in the same way |
///
/// Memory and time follow the edges, not the pairs: a million nodes of mean degree 1 need half a
/// million edges out of 10^11 pairs.
///
/// ```
/// use prunephase::graph::generate::LayeredRandom;
/// use prunephase::seed::Seeds;
///
/// let lenet = LayeredRandom::with_edges(&[784, 300, 100, 10], 2662)?;
/// let graph = lenet.generate(&Seeds::new(1, 0))?;
/// assert_eq!((graph.nodes(), graph.edges(), graph.dense()), (1194, 2662, 266_200));
/// # Ok::<(), prunephase::graph::GraphError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayeredRandom {
    sizes: Vec<usize>,
    edges: Edges,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Edges {
    /// Of each block.
    Blocks(Vec<u64>),
    /// Of all blocks together.
    Whole(u64),
}

impl LayeredRandom {
    /// Groups of `sizes` nodes N_0 to N_L, block l with exactly round(density x N_l x
    /// N_(l+1)) edges, `densities` holding one density a block.
    ///
    /// # Errors
    /// [`GraphError::Structure`] where there is not one density for each block, or one is not in 0
    /// to 1.
    pub fn with_densities(sizes: &[usize], densities: &[f64]) -> Result<Self, GraphError> {
        let blocks = sizes.len().saturating_sub(1);
        if densities.len() != blocks {
            return Err(GraphError::Structure(format!(
                "{} densities for {} groups; {blocks} are needed, one a block",
                densities.len(),
                sizes.len()
            )));
        }
        if let Some(density) = densities.iter().find(|density| !(0.0..=1.0).contains(*density)) {
            return Err(GraphError::Structure(format!("density {density}; a number from 0 to 1 is needed")));
        }
        let pairs = pairs(sizes)?;
        let edges = densities.iter().zip(&pairs).map(|(density, &pairs)| (density * pairs as f64).round() as u64);
        Ok(Self { sizes: sizes.to_vec(), edges: Edges::Blocks(edges.collect()) })
    }

    /// Groups of `sizes` nodes with `edges` edges in all, every set of that many equally likely; how
    /// they fall on the blocks is multivariate hypergeometric.
    ///
    /// # Errors
    /// [`GraphError::Structure`] where there are fewer pairs of nodes than `edges`.
    pub fn with_edges(sizes: &[usize], edges: usize) -> Result<Self, GraphError> {
        let most: u64 = pairs(sizes)?.iter().sum();
        let edges = edges as u64;
        if edges > most {
            return Err(GraphError::Structure(format!("{edges} edges; these groups have {most} pairs of nodes")));
        }
        Ok(Self { sizes: sizes.to_vec(), edges: Edges::Whole(edges) })
    }

    /// As [`LayeredRandom::with_edges`] with the number that gives a mean degree 2 E / N over all
    /// nodes.
    ///
    /// # Errors
    /// [`GraphError::Structure`] where the degree is not a number from 0 on, or too large for the
    /// groups.
    pub fn with_mean_degree(sizes: &[usize], mean_degree: f64) -> Result<Self, GraphError> {
        if !(mean_degree >= 0.0 && mean_degree.is_finite()) {
            return Err(GraphError::Structure(format!("mean degree {mean_degree}; a number from 0 on is needed")));
        }
        let nodes: usize = sizes.iter().sum();
        Self::with_edges(sizes, (0.5 * mean_degree * nodes as f64).round() as usize)
    }

    /// A graph; the streams `layered random: edges` and `layered random: order` of `seeds` hold its
    /// randomness. O(edges log edges).
    ///
    /// # Errors
    /// [`GraphError`] where there are no nodes or 32-bit indices do not suffice.
    pub fn generate(&self, seeds: &Seeds) -> Result<LayeredGraph, GraphError> {
        let pairs = pairs(&self.sizes)?;
        let mut stream = seeds.stream("layered random: edges");
        let cells: Vec<Vec<u64>> = match &self.edges {
            Edges::Blocks(edges) => {
                edges.iter().zip(&pairs).map(|(&edges, &pairs)| distinct(edges, pairs, &mut stream)).collect()
            }
            Edges::Whole(edges) => {
                // All pairs of all blocks in one row: the split over the blocks follows by itself.
                let all = distinct(*edges, pairs.iter().sum(), &mut stream);
                let mut first = 0;
                pairs
                    .iter()
                    .map(|&pairs| {
                        let range = all.partition_point(|&c| c < first)..all.partition_point(|&c| c < first + pairs);
                        let cells = all[range].iter().map(|cell| cell - first).collect();
                        first += pairs;
                        cells
                    })
                    .collect()
            }
        };
        let count = cells.iter().map(Vec::len).sum();
        if count >= u32::MAX as usize {
            return Err(GraphError::TooLarge { what: "kept weights", count });
        }
        let mut ranks = random_ranks(count, &mut seeds.stream("layered random: order")).into_iter();
        let blocks: Result<Vec<Block>, GraphError> = cells
            .into_iter()
            .enumerate()
            .map(|(level, cells)| {
                let (columns, rows) = (self.sizes[level], self.sizes[level + 1]);
                let entries = cells.into_iter().zip(ranks.by_ref()).map(|(cell, rank)| {
                    let (row, column) = (cell / columns as u64, cell % columns as u64);
                    (row as usize, column as usize, score(rank, count))
                });
                let dense = pairs[level] as usize;
                Block::new(format!("block{}", level + 1), (level, columns), (level + 1, rows), dense, entries)
            })
            .collect();
        let role = |group| Role::of_group(group, self.sizes.len());
        let groups = self.sizes.iter().enumerate().map(|(group, &size)| (format!("group{group}"), size, role(group)));
        LayeredGraph::new(groups, blocks?)
    }
}

/// The pairs of nodes of each block.
fn pairs(sizes: &[usize]) -> Result<Vec<u64>, GraphError> {
    let too_large = || GraphError::Structure("the pairs of nodes do not fit 64 bits".into());
    let pairs: Vec<u64> = sizes
        .windows(2)
        .map(|pair| (pair[0] as u64).checked_mul(pair[1] as u64).ok_or_else(too_large))
        .collect::<Result<_, _>>()?;
    pairs.iter().try_fold(0u64, |sum, &pairs| sum.checked_add(pairs)).ok_or_else(too_large)?;
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn blocks_have_exactly_their_edges_each_once() {
        let random = LayeredRandom::with_densities(&[40, 30, 20], &[0.25, 0.8]).unwrap();
        let graph = random.generate(&Seeds::new(1, 0)).unwrap();
        let edges: Vec<usize> = graph.blocks().iter().map(Block::edges).collect();
        assert_eq!(edges, [300, 480]);
        assert_eq!((graph.pairs(), graph.dense()), (780, 1800));
        // All weights differ.
        let weights: BTreeSet<u32> = graph.weights().map(|(w, _, _)| w.to_bits()).collect();
        assert_eq!(weights.len(), 780);
        assert_eq!(graph.groups()[0].role, Role::Input);
        assert_eq!(graph.groups()[2].role, Role::Output);
        assert!(random.generate(&Seeds::new(1, 0)).unwrap().weights().eq(graph.weights()));
        assert!(!random.generate(&Seeds::new(1, 1)).unwrap().weights().eq(graph.weights()));
    }

    /// Split over blocks: mean E D_b/D and variance E (D_b/D)(1 - D_b/D)(D - E)/(D - 1).
    #[test]
    fn a_uniform_mask_falls_hypergeometrically_on_the_blocks() {
        let (edges, draws) = (50usize, 4000u64);
        let random = LayeredRandom::with_edges(&[10, 8, 5], edges).unwrap();
        let (mut sum, mut squares) = (0.0, 0.0);
        for draw in 0..draws {
            let graph = random.generate(&Seeds::new(2, draw)).unwrap();
            assert_eq!(graph.edges(), edges);
            let first = graph.blocks()[0].edges() as f64;
            sum += first;
            squares += first * first;
        }
        let (all, share, e, n) = (120.0, 80.0 / 120.0, edges as f64, draws as f64);
        let expected = e * share * (1.0 - share) * (all - e) / (all - 1.0);
        let (mean, variance) = (sum / n, squares / n - (sum / n).powi(2));
        assert!((mean - e * share).abs() < 4.0 * (expected / n).sqrt(), "{mean}");
        assert!((variance / expected - 1.0).abs() < 4.0 * (2.0 / n).sqrt(), "{variance} {expected}");
    }

    #[test]
    fn large_and_sparse() {
        let sizes = [100_000; 3];
        let graph = LayeredRandom::with_mean_degree(&sizes, 1.0).unwrap().generate(&Seeds::new(3, 0)).unwrap();
        assert_eq!(graph.edges(), 150_000);
        assert_eq!(graph.dense(), 20_000_000_000);
    }

    #[test]
    fn wrong_input_is_named() {
        let message = |result: Result<LayeredRandom, GraphError>| result.unwrap_err().to_string();
        assert!(message(LayeredRandom::with_densities(&[2, 3], &[])).contains("0 densities for 2 groups; 1"));
        assert!(message(LayeredRandom::with_densities(&[2, 3], &[1.5])).contains("density 1.5"));
        assert!(message(LayeredRandom::with_densities(&[2, 3], &[f64::NAN])).contains("NaN"));
        assert!(message(LayeredRandom::with_edges(&[2, 3], 7)).contains("7 edges; these groups have 6 pairs"));
        assert!(message(LayeredRandom::with_mean_degree(&[2, 3], -1.0)).contains("mean degree -1"));
        let empty = LayeredRandom::with_edges(&[], 0).unwrap();
        assert!(empty.generate(&Seeds::new(0, 0)).unwrap_err().to_string().contains("no nodes"));
    }
}
