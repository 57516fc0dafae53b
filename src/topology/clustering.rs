//! Bipartite clustering: how many paths of three pairs close to a 4-cycle.

use super::four_cycles::four_cycles;
use super::undirected::Undirected;
use super::{Measurement, Measurements, Options, WHOLE};
use crate::graph::LayeredGraph;

/// 4-cycles and paths of three pairs of an undirected simple graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clustering {
    /// Cycles of four nodes, each once: sum over pairs of nodes of C(c, 2) / 2, c the number of their
    /// common neighbours. In a bipartite block these are the butterflies.
    pub four_cycles: u128,
    /// Paths over four different nodes, each once: sum over pairs (u, v) of (k_u - 1)(k_v - 1), less
    /// three for each triangle (a chain has none).
    pub three_paths: u128,
}

impl Clustering {
    /// Of the whole network, 4-cycles across layers included. O(nodes + pairs + w), w the smaller of
    /// the sum over pairs of the smaller degree, and of a word operation for each 64 pairs of
    /// common neighbours that the dense network has.
    ///
    /// ```
    /// use prunephase::graph::{Block, LayeredGraph, Role};
    /// use prunephase::topology::Clustering;
    /// let square = [(0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, 1.0)];
    /// let block = Block::new("fc", (0, 2), (1, 2), 4, square)?;
    /// let graph = LayeredGraph::new([("in".into(), 2, Role::Input), ("fc".into(), 2, Role::Output)], vec![block])?;
    /// let clustering = Clustering::of(&graph);
    /// assert_eq!((clustering.four_cycles, clustering.three_paths), (1, 4));
    /// assert_eq!(clustering.robins_alexander(), Some(1.0));
    /// # Ok::<(), prunephase::Error>(())
    /// ```
    pub fn of(graph: &LayeredGraph) -> Self {
        let blocks: Vec<usize> = (0..graph.blocks().len()).collect();
        Self::of_blocks(graph, &blocks)
    }

    /// Of one block alone.
    ///
    /// # Panics
    /// Where the graph has no block of that index.
    pub fn of_block(graph: &LayeredGraph, block: usize) -> Self {
        Self::of_blocks(graph, &[block])
    }

    fn of_blocks(graph: &LayeredGraph, blocks: &[usize]) -> Self {
        let undirected = Undirected::of_blocks(graph, blocks.iter().copied());
        let mut paths = 0u128;
        for node in 0..undirected.nodes() {
            let further = |node: usize| undirected.degree(node) as u64 - 1;
            let neighbours = undirected.of_node(node);
            let sum: u64 = neighbours.iter().map(|&neighbour| further(neighbour as usize)).sum();
            if sum > 0 {
                paths += u128::from(sum) * u128::from(further(node));
            }
        }
        // Each pair was met from both ends.
        let three_paths = paths / 2 - 3 * triangles(graph, blocks);
        Self { four_cycles: four_cycles(graph, &undirected, blocks), three_paths }
    }

    /// The coefficient of G. Robins and M. Alexander, Comput. Math. Organ. Theory 10, 69 (2004):
    /// 4 x 4-cycles / paths of three pairs, the share of such paths whose ends are joined. `None`
    /// where there are no such paths.
    pub fn robins_alexander(&self) -> Option<f64> {
        (self.three_paths > 0).then(|| 4.0 * self.four_cycles as f64 / self.three_paths as f64)
    }
}

/// The triangles of the simple graph: they need blocks that skip a group.
fn triangles(graph: &LayeredGraph, blocks: &[usize]) -> u128 {
    let mut found = 0u128;
    let of = |index: usize| &graph.blocks()[index];
    for long in blocks.iter().map(|&index| of(index)) {
        for upper in blocks.iter().map(|&index| of(index)).filter(|upper| upper.target() == long.target()) {
            let wanted = (long.source(), upper.source());
            let lower = blocks.iter().map(|&index| of(index)).find(|low| (low.source(), low.target()) == wanted);
            let Some(lower) = lower else { continue };
            let mut marked = vec![false; long.columns()];
            for row in 0..long.rows() {
                let (columns, _) = long.pairs_into(row);
                columns.iter().for_each(|&column| marked[column as usize] = true);
                for &middle in upper.pairs_into(row).0 {
                    let (ends, _) = lower.pairs_into(middle as usize);
                    found += ends.iter().filter(|&&end| marked[end as usize]).count() as u128;
                }
                columns.iter().for_each(|&column| marked[column as usize] = false);
            }
        }
    }
    found
}

/// All over pairs, of each block and of the whole (4-cycles across layers included): `four_cycles`
/// (the butterflies of a block), `three_paths`, and `robins_alexander`, 4 x the first / the second,
/// without a row where the second is 0. Counts beyond 2^53 are rounded.
pub(super) fn measure(graph: &LayeredGraph, _: &Options) -> Vec<Measurement> {
    let mut out = Measurements::default();
    let mut add = |name: &str, found: Clustering| {
        out.push(name, "four_cycles", found.four_cycles as f64);
        out.push(name, "three_paths", found.three_paths as f64);
        out.push_some(name, "robins_alexander", found.robins_alexander());
    };
    for (index, block) in graph.blocks().iter().enumerate() {
        add(block.name(), Clustering::of_block(graph, index));
    }
    add(WHOLE, Clustering::of(graph));
    out.into_vec()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{dense_chain, graphs, matrix, value};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_path_of_a_dense_block_closes() {
        let found = measure(&dense_chain(&[5, 4, 1]), &Options::default());
        assert_eq!(value(&found, "b0", "robins_alexander"), 1.0);
        assert_eq!((value(&found, "b0", "four_cycles"), value(&found, "b0", "three_paths")), (60.0, 240.0));
        // A star has no path of three.
        assert_eq!(value(&found, "b1", "three_paths"), 0.0);
        assert!(!found.iter().any(|one| one.layer == "b1" && one.metric == "robins_alexander"));
        // 5 + 1 nodes against 4: a dense bipartite graph as well.
        assert_eq!(value(&found, WHOLE, "robins_alexander"), 1.0);
    }

    proptest! {
        #[test]
        fn paths_by_definition(graph in graphs()) {
            let all = matrix(&graph, 0..graph.blocks().len());
            let nodes = graph.nodes();
            let (mut paths, mut closed) = (0u128, 0u128);
            for b in 0..nodes {
                for c in (0..nodes).filter(|&c| all[b][c]) {
                    for a in (0..nodes).filter(|&a| a != c && all[a][b]) {
                        for d in (0..nodes).filter(|&d| d != b && d != a && all[c][d]) {
                            paths += 1;
                            closed += u128::from(all[a][d]);
                        }
                    }
                }
            }
            let found = Clustering::of(&graph);
            prop_assert_eq!(found.three_paths, paths / 2);
            // Four paths in each 4-cycle.
            prop_assert_eq!(found.four_cycles, closed / 2 / 4);
        }
    }
}
