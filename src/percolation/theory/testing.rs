//! Graphs for the tests of the theory.

use crate::graph::{Block, LayeredGraph, Role};
use crate::percolation::testing::{Joined, random_joins};
use crate::seed::Stream;

/// Groups of these sizes, joined by these blocks.
pub(super) fn layered(sizes: &[usize], blocks: &[Joined]) -> LayeredGraph {
    let role = |group| Role::of_group(group, sizes.len());
    let groups = sizes.iter().enumerate().map(|(group, &size)| (group.to_string(), size, role(group)));
    let blocks = blocks.iter().map(|(source, target, entries)| {
        let mut entries = entries.clone();
        entries.sort_unstable();
        let (columns, rows) = (sizes[*source], sizes[*target]);
        let dense = (rows * columns).max(entries.len());
        let entries = entries.into_iter().map(|(row, column)| (row, column, 1.0));
        Block::new(format!("{source}-{target}"), (*source, columns), (*target, rows), dense, entries).unwrap()
    });
    LayeredGraph::new(groups, blocks.collect()).unwrap()
}

/// A random graph of 2 to 5 groups, any two of which may be joined, some pairs by two weights.
pub(super) fn random_dag(stream: &mut Stream) -> LayeredGraph {
    let (sizes, blocks) = random_joins(6, 6, stream);
    layered(&sizes, &blocks)
}
