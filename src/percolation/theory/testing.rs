//! Graphs for the tests of the theory.

use crate::graph::{Block, LayeredGraph, Role};
use crate::seed::Stream;

/// (source group, target group, entries (row, column)).
pub(super) type Joined = (usize, usize, Vec<(usize, usize)>);

/// Groups of these sizes, joined by these blocks.
pub(super) fn layered(sizes: &[usize], blocks: &[Joined]) -> LayeredGraph {
    let last = sizes.len() - 1;
    let role = |group| match group {
        0 => Role::Input,
        group if group == last => Role::Output,
        _ => Role::Hidden,
    };
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
    let count = 2 + stream.below(4) as usize;
    let sizes: Vec<usize> = (0..count).map(|_| 1 + stream.below(6) as usize).collect();
    let share = 1 + stream.below(6);
    let mut blocks = Vec::new();
    for target in 1..count {
        for source in 0..target {
            if source + 1 < target && stream.below(3) > 0 {
                continue;
            }
            let mut entries = Vec::new();
            for row in 0..sizes[target] {
                for column in 0..sizes[source] {
                    for _ in 0..2 {
                        if stream.below(10) < share {
                            entries.push((row, column));
                        }
                    }
                }
            }
            blocks.push((source, target, entries));
        }
    }
    layered(&sizes, &blocks)
}
