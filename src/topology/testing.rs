//! Random layered graphs for the tests of this module, and the simple graph as a matrix.

use proptest::prelude::*;

use crate::graph::{Block, LayeredGraph, Role};
use crate::seed::Stream;

/// Two to five groups of up to five nodes (some may be empty), a chain with some blocks that skip
/// groups, up to three weights a pair, small weights with ties, zeros and both signs.
pub fn graphs() -> impl Strategy<Value = LayeredGraph> {
    prop::collection::vec(0usize..6, 2..6)
        .prop_filter("a graph has nodes", |sizes| sizes.iter().sum::<usize>() > 0)
        .prop_flat_map(|sizes| {
            let last = sizes.len() - 1;
            let pairs: Vec<(usize, usize)> = (0..=last).flat_map(|a| (a + 1..=last).map(move |b| (a, b))).collect();
            let skips = prop::collection::vec(prop::bool::weighted(0.3), pairs.len());
            let taps = prop_oneof![3 => Just(1usize), 1 => Just(3)];
            let weights = prop::collection::vec(prop::option::weighted(0.5, -3i8..4), 3 * 25 * pairs.len());
            (Just(sizes), Just(pairs), skips, taps, weights)
        })
        .prop_map(|(sizes, pairs, skips, taps, weights)| {
            let mut weights = weights.into_iter();
            let mut blocks = Vec::new();
            for (&(source, target), skip) in pairs.iter().zip(skips) {
                if target != source + 1 && !skip {
                    continue;
                }
                let mut entries = Vec::new();
                for row in 0..sizes[target] {
                    for column in 0..sizes[source] {
                        for weight in weights.by_ref().take(taps).flatten() {
                            entries.push((row, column, f32::from(weight) / 2.0));
                        }
                    }
                }
                let dense = taps * sizes[source] * sizes[target];
                let name = format!("{source}-{target}");
                blocks
                    .push(Block::new(name, (source, sizes[source]), (target, sizes[target]), dense, entries).unwrap());
            }
            layered(&sizes, blocks)
        })
}

/// A graph of groups of these sizes named g0, g1 and so on, the first inputs, the last outputs.
pub fn layered(sizes: &[usize], blocks: Vec<Block>) -> LayeredGraph {
    let role = |index| Role::of_group(index, sizes.len());
    let groups = sizes.iter().enumerate().map(|(index, &size)| (format!("g{index}"), size, role(index)));
    LayeredGraph::new(groups, blocks).unwrap()
}

/// A chain with all weights 1.
pub fn dense_chain(sizes: &[usize]) -> LayeredGraph {
    let blocks = sizes.windows(2).enumerate().map(|(index, pair)| {
        let entries = (0..pair[1]).flat_map(|row| (0..pair[0]).map(move |column| (row, column, 1.0)));
        let (source, target) = ((index, pair[0]), (index + 1, pair[1]));
        Block::new(format!("b{index}"), source, target, pair[0] * pair[1], entries).unwrap()
    });
    let blocks = blocks.collect();
    layered(sizes, blocks)
}

/// The symmetric adjacency matrix of the pairs of some blocks.
pub fn matrix(graph: &LayeredGraph, blocks: impl Iterator<Item = usize>) -> Vec<Vec<bool>> {
    let mut matrix = vec![vec![false; graph.nodes()]; graph.nodes()];
    for block in blocks.map(|index| &graph.blocks()[index]) {
        let (source, target) = (graph.groups()[block.source()].first, graph.groups()[block.target()].first);
        for row in 0..block.rows() {
            for &column in block.edges_into(row).0 {
                matrix[target + row][source + column as usize] = true;
                matrix[source + column as usize][target + row] = true;
            }
        }
    }
    matrix
}

/// The value of a metric, which must be there once.
pub fn value(found: &[super::Measurement], layer: &str, metric: &str) -> f64 {
    let values: Vec<f64> =
        found.iter().filter(|one| one.layer == layer && one.metric == metric).map(|one| one.value).collect();
    assert_eq!(values.len(), 1, "{layer} {metric} in {found:?}");
    values[0]
}

/// A chain of groups of these sizes from (layer, row, column, weight) in order.
pub(super) fn chain(sizes: &[usize], kept: impl Fn(usize, usize, usize) -> Option<f32>) -> LayeredGraph {
    skipping(sizes, &(1..sizes.len()).map(|target| (target - 1, target)).collect::<Vec<_>>(), kept)
}

/// A graph of groups of these sizes with a block for each (source, target).
pub(super) fn skipping(
    sizes: &[usize],
    blocks: &[(usize, usize)],
    kept: impl Fn(usize, usize, usize) -> Option<f32>,
) -> LayeredGraph {
    let blocks = blocks.iter().enumerate().map(|(index, &(source, target))| {
        let (rows, columns) = (sizes[target], sizes[source]);
        let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let entries = cells.filter_map(|(row, column)| kept(index, row, column).map(|weight| (row, column, weight)));
        Block::new(format!("l{index}"), (source, columns), (target, rows), rows * columns, entries).unwrap()
    });
    layered(sizes, blocks.collect())
}

/// A chain with each weight kept with probability `density`, its value uniform in [-1, 1).
pub(super) fn random_chain(sizes: &[usize], density: f64, stream: &mut Stream) -> LayeredGraph {
    let weights: Vec<Vec<Option<f32>>> = sizes
        .windows(2)
        .map(|pair| {
            let draw = |_| (stream.unit() < density).then(|| stream.uniform(-1.0, 1.0) as f32);
            (0..pair[0] * pair[1]).map(draw).collect()
        })
        .collect();
    chain(sizes, |layer, row, column| weights[layer][row * sizes[layer] + column])
}
