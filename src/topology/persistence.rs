//! Zero-dimensional persistence of the layers: neural persistence.

use rayon::prelude::*;

use super::{Measurement, Measurements, Options, WHOLE};
use crate::graph::{Block, LayeredGraph};

/// The neural persistence of one block.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerPersistence {
    /// The block's name.
    pub layer: String,
    /// Deaths w' = |w| / w_max of the n - 1 components that merge into another, in descending order:
    /// the persistence diagram is (1, w') for each. Where the kept pairs leave components apart,
    /// these merge at 0.
    pub deaths: Vec<f64>,
    /// The 2-norm of 1 - w' over the deaths.
    pub value: f64,
    /// `value` / sqrt(n - 1), between 0 and 1; `None` where the block has fewer than two nodes.
    pub normalised: Option<f64>,
}

/// The neural persistence of every block.
///
/// B. Rieck et al., "Neural persistence" (ICLR 2019, arXiv:1812.09764). Weights are w' = |w| / w_max
/// with w_max the largest |w| of the whole network. The n nodes of a block (rows and columns) are all
/// born at 1; pairs enter in descending order of w', and a component dies at the w' of the pair that
/// merges it into another, so that the deaths are the weights of a maximum spanning tree. The neural
/// persistence is the p-norm of the persistences 1 - w', here p = 2, and sqrt(n - 1) is its upper
/// bound.
///
/// Three conventions. A pruned weight is a weight of 0: components that the kept weights leave
/// apart merge at 0, as in the paper's dense layer, whose n - 1 pairs are all there. (For a pair of
/// channels whose taps differ, |w| is the largest of the taps.) The last component, which never
/// dies, is left out: the bounds of the paper's theorems count n - 1 points. The authors' program
/// enters it as (1, 0) instead, which makes its values sqrt(value^2 + 1). And where all weights are
/// 0, so is every w'.
///
/// O(pairs log pairs), blocks in parallel.
///
/// ```
/// use prunephase::graph::{Block, LayeredGraph, Role};
/// use prunephase::topology::neural_persistence;
///
/// // A tree of weights 2 and 1 (w' = 1 and 1/2) and an input without weights (0).
/// let block = Block::new("fc", (0, 3), (1, 1), 3, [(0, 0, -2.0), (0, 1, 1.0)])?;
/// let graph = LayeredGraph::new([("in".into(), 3, Role::Input), ("fc".into(), 1, Role::Output)], vec![block])?;
/// let found = neural_persistence(&graph);
/// assert_eq!(found[0].deaths, [1.0, 0.5, 0.0]);
/// assert_eq!(found[0].value, f64::sqrt(0.25 + 1.0));
/// # Ok::<(), prunephase::Error>(())
/// ```
pub fn neural_persistence(graph: &LayeredGraph) -> Vec<LayerPersistence> {
    let largest = graph.weights().map(|(magnitude, _, _)| magnitude).fold(0.0, f32::max);
    graph.blocks().par_iter().map(|block| LayerPersistence::of(block, largest)).collect()
}

/// Of each block `neural_persistence` and `neural_persistence_normalised`, and of the whole their means
/// over the blocks.
pub(super) fn measure(graph: &LayeredGraph, _: &Options) -> Vec<Measurement> {
    let mut out = Measurements::default();
    let mut layers = neural_persistence(graph);
    layers.retain(|layer| graph.blocks().iter().any(|block| block.name() == layer.layer && !block.is_skip()));
    for layer in &layers {
        out.push(&layer.layer, "neural_persistence", layer.value);
        out.push_some(&layer.layer, "neural_persistence_normalised", layer.normalised);
    }
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    out.push(WHOLE, "neural_persistence", mean(layers.iter().map(|layer| layer.value).collect()));
    let normalised = layers.iter().filter_map(|layer| layer.normalised).collect();
    out.push(WHOLE, "neural_persistence_normalised", mean(normalised));
    out.into_vec()
}

impl LayerPersistence {
    fn of(block: &Block, largest: f32) -> Self {
        let nodes = block.rows() + block.columns();
        // |w| is not negative, so the order of the bits is that of the numbers; ties do not change
        // the weights of a spanning tree.
        let mut pairs: Vec<(u32, u32, u32)> = Vec::with_capacity(block.pairs());
        for row in 0..block.rows() {
            let (columns, magnitudes) = block.pairs_into(row);
            let node = (block.columns() + row) as u32;
            pairs.extend(columns.iter().zip(magnitudes).map(|(&column, &w)| (w.to_bits(), column, node)));
        }
        pairs.sort_unstable_by(|a, b| b.cmp(a));
        let merges = nodes.saturating_sub(1);
        let mut parents: Vec<u32> = (0..nodes as u32).collect();
        let mut deaths = Vec::with_capacity(merges);
        for (bits, a, b) in pairs {
            if deaths.len() == merges {
                break;
            }
            let (a, b) = (root(&mut parents, a), root(&mut parents, b));
            if a != b {
                parents[a as usize] = b;
                let magnitude = f32::from_bits(bits);
                deaths.push(if largest > 0.0 { f64::from(magnitude) / f64::from(largest) } else { 0.0 });
            }
        }
        deaths.resize(merges, 0.0);
        let value = deaths.iter().map(|death| (1.0 - death).powi(2)).sum::<f64>().sqrt();
        let normalised = (merges > 0).then(|| value / (merges as f64).sqrt());
        Self { layer: block.name().to_owned(), deaths, value, normalised }
    }
}

/// The root of a node, with path halving.
fn root(parents: &mut [u32], mut node: u32) -> u32 {
    while parents[node as usize] != node {
        let grandparent = parents[parents[node as usize] as usize];
        parents[node as usize] = grandparent;
        node = grandparent;
    }
    node
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::topology::testing::{chain, graphs};

    /// Prim's maximum spanning tree of the complete bipartite block, pruned weights being 0.
    fn by_prim(block: &Block, largest: f64) -> Option<Vec<f64>> {
        let (rows, columns) = (block.rows(), block.columns());
        if rows == 0 || columns == 0 {
            return None;
        }
        let mut weights = vec![vec![0.0; columns]; rows];
        for (row, weights) in weights.iter_mut().enumerate() {
            let (sources, magnitudes) = block.pairs_into(row);
            for (&column, &magnitude) in sources.iter().zip(magnitudes) {
                weights[column as usize] = f64::from(magnitude) / largest;
            }
        }
        let weight = |a: usize, b: usize| match (a < columns, b < columns) {
            (true, false) => Some(weights[b - columns][a]),
            (false, true) => Some(weights[a - columns][b]),
            _ => None,
        };
        let mut inside = vec![false; rows + columns];
        inside[0] = true;
        let mut deaths = Vec::new();
        for _ in 1..rows + columns {
            let mut best = (-1.0, 0);
            for a in (0..rows + columns).filter(|&a| inside[a]) {
                for b in (0..rows + columns).filter(|&b| !inside[b]) {
                    if let Some(weight) = weight(a, b).filter(|&weight| weight > best.0) {
                        best = (weight, b);
                    }
                }
            }
            inside[best.1] = true;
            deaths.push(best.0);
        }
        deaths.sort_by(|a, b| b.total_cmp(a));
        Some(deaths)
    }

    proptest! {
        #[test]
        fn deaths_are_those_of_a_maximum_spanning_tree(graph in graphs()) {
            let largest = graph.weights().map(|(w, _, _)| f64::from(w)).fold(0.0, f64::max);
            for (block, found) in graph.blocks().iter().zip(neural_persistence(&graph)) {
                if largest == 0.0 {
                    prop_assert!(found.deaths.iter().all(|&death| death == 0.0));
                } else if let Some(expected) = by_prim(block, largest) {
                    prop_assert_eq!(&found.deaths, &expected);
                }
                prop_assert!(found.normalised.is_none_or(|value| (0.0..=1.0).contains(&value)));
            }
        }
    }

    #[test]
    fn values_by_hand() {
        // Two layers: w_max = 4 lies in the first.
        let weights = [[-4.0, 2.0, 1.0, 3.0], [1.0, 1.0, 2.0, 2.0]];
        let graph = chain(&[2, 2, 2], |layer, row, column| Some(weights[layer][2 * row + column]));
        let found = neural_persistence(&graph);
        assert_eq!(found[0].deaths, [1.0, 0.75, 0.5]);
        assert_eq!(found[1].deaths, [0.5, 0.5, 0.25]);
        assert_eq!(found[0].value, f64::sqrt(0.0625 + 0.25));
        assert_eq!(found[1].normalised, Some(f64::sqrt(0.5 + 0.5625) / f64::sqrt(3.0)));
        let rows = measure(&graph, &Options::default());
        assert_eq!(rows.len(), 6);
        assert_eq!(rows[4].value, (found[0].value + found[1].value) / 2.0);
        // Equal weights everywhere: nothing persists. None at all: everything does.
        let equal = chain(&[3, 2], |_, _, _| Some(-0.5));
        assert_eq!(neural_persistence(&equal)[0].value, 0.0);
        let empty = chain(&[3, 2], |_, _, _| None);
        assert_eq!(neural_persistence(&empty)[0].normalised, Some(1.0));
    }
}
