//! Random layered graphs for the tests of this module.

use proptest::prelude::*;

use crate::graph::{Block, LayeredGraph, Role};
use crate::seed::Stream;

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
    let blocks = blocks.collect();
    let last = sizes.len() - 1;
    let role = |group| match group {
        0 => Role::Input,
        group if group == last => Role::Output,
        _ => Role::Hidden,
    };
    let groups = sizes.iter().enumerate().map(|(group, &size)| (format!("g{group}"), size, role(group)));
    LayeredGraph::new(groups, blocks).unwrap()
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

/// Two to five groups of up to five nodes, some empty; a chain and some blocks that skip groups;
/// weights with ties, zeros and both signs.
pub(super) fn graphs() -> impl Strategy<Value = LayeredGraph> {
    let sizes = prop::collection::vec(0usize..6, 2..6).prop_filter("some nodes", |sizes| sizes.iter().any(|&n| n > 0));
    sizes
        .prop_flat_map(|sizes| {
            let all: Vec<_> = (0..sizes.len()).flat_map(|a| (a + 1..sizes.len()).map(move |b| (a, b))).collect();
            let skips = prop::collection::vec(prop::bool::weighted(0.3), all.len());
            let weights = prop::collection::vec(prop::option::weighted(0.4, -3i8..4), 25 * all.len());
            (Just(sizes), Just(all), skips, weights)
        })
        .prop_map(|(sizes, all, skips, weights)| {
            let chosen = all.into_iter().zip(skips).filter(|&((a, b), skip)| b == a + 1 || skip);
            let blocks: Vec<_> = chosen.map(|(pair, _)| pair).collect();
            skipping(&sizes, &blocks, |block, row, column| {
                weights[block * 25 + row * 5 + column].map(|weight| f32::from(weight) / 4.0)
            })
        })
}
