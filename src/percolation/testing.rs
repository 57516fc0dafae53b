//! Random layered graphs for the tests of this module.

use crate::graph::{Block, LayeredGraph, Role};
use crate::seed::Stream;

/// (source group, target group, entries (row, column)).
pub(super) type Joined = (usize, usize, Vec<(usize, usize)>);

/// The pairs of `count` groups that a block joins: neighbours always, others now and then.
pub(super) fn joined_groups(count: usize, stream: &mut Stream) -> Vec<(usize, usize)> {
    let all = (1..count).flat_map(|target| (0..target).map(move |source| (source, target)));
    all.filter(|&(source, target)| source + 1 == target || stream.below(3) == 0).collect()
}

/// The sizes of 2 to 5 groups, 1 to `most_nodes` each, and the entries of the blocks between them; up to
/// two weights join a pair of nodes, each there with a probability of 1 to `most_tenths` tenths.
pub(super) fn random_joins(most_nodes: u64, most_tenths: u64, stream: &mut Stream) -> (Vec<usize>, Vec<Joined>) {
    let count = 2 + stream.below(4) as usize;
    let sizes: Vec<usize> = (0..count).map(|_| 1 + stream.below(most_nodes) as usize).collect();
    let tenths = 1 + stream.below(most_tenths);
    let joins = joined_groups(count, stream).into_iter().map(|(source, target)| {
        let cells = (0..sizes[target]).flat_map(|row| (0..sizes[source]).map(move |column| (row, column)));
        let twice = cells.flat_map(|cell| [cell, cell]);
        (source, target, twice.filter(|_| stream.below(10) < tenths).collect())
    });
    let joins = joins.collect();
    (sizes, joins)
}

/// Groups of these sizes joined by these blocks; now and then with inputs and outputs in the middle.
pub(super) fn with_mixed_roles(sizes: &[usize], blocks: Vec<Block>) -> LayeredGraph {
    let role = |index: usize| match index {
        1 if sizes.len() > 2 && sizes[0] == 1 => Role::Input,
        2 if sizes.len() > 3 && sizes[0] == 2 => Role::Output,
        index => Role::of_group(index, sizes.len()),
    };
    let groups = sizes.iter().enumerate().map(|(index, &size)| (index.to_string(), size, role(index)));
    LayeredGraph::new(groups, blocks).unwrap()
}

/// A random graph of 2 to 5 groups; few values of |w|, so that there are ties, zeros among them.
pub(super) fn random_graph(stream: &mut Stream) -> LayeredGraph {
    let (sizes, joins) = random_joins(5, 8, stream);
    let blocks = joins.into_iter().map(|(source, target, cells)| {
        let entries = cells.into_iter().map(|(row, column)| (row, column, stream.below(7) as f32 - 3.0));
        let (from, to) = ((source, sizes[source]), (target, sizes[target]));
        Block::new(format!("{source}-{target}"), from, to, 2 * sizes[source] * sizes[target], entries).unwrap()
    });
    let blocks = blocks.collect();
    with_mixed_roles(&sizes, blocks)
}
