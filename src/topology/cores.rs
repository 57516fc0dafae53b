//! Core numbers of the undirected simple graph.

use super::undirected::Undirected;
use super::{Measurement, Measurements, Options, WHOLE};
use crate::graph::LayeredGraph;

/// The core number of every node: the largest k such that the node belongs to a subgraph in which
/// each node has at least k neighbours. Edges are pairs, without their direction.
///
/// V. Batagelj and M. Zaversnik, arXiv:cs/0310049: nodes leave by ascending degree, in buckets,
/// O(nodes + pairs).
///
/// ```
/// use prunephase::graph::{Block, LayeredGraph, Role};
/// use prunephase::topology::core_numbers;
/// // A square and a node that hangs on it.
/// let entries = [(0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, 1.0), (1, 2, 1.0)];
/// let block = Block::new("fc", (0, 3), (1, 2), 6, entries)?;
/// let graph = LayeredGraph::new([("in".into(), 3, Role::Input), ("fc".into(), 2, Role::Output)], vec![block])?;
/// assert_eq!(core_numbers(&graph), [2, 2, 1, 2, 2]);
/// # Ok::<(), prunephase::Error>(())
/// ```
pub fn core_numbers(graph: &LayeredGraph) -> Vec<u32> {
    let graph = Undirected::of(graph);
    let nodes = graph.nodes();
    let mut degree: Vec<u32> = (0..nodes).map(|node| graph.degree(node) as u32).collect();
    let largest = degree.iter().max().map_or(0, |&max| max as usize);
    // `order` holds the nodes by degree; those of degree d begin at `starts[d]`.
    let mut starts = vec![0u32; largest + 2];
    for &degree in &degree {
        starts[degree as usize + 1] += 1;
    }
    for degree in 0..=largest {
        starts[degree + 1] += starts[degree];
    }
    let mut next = starts.clone();
    let (mut order, mut place) = (vec![0u32; nodes], vec![0u32; nodes]);
    for node in 0..nodes {
        let slot = &mut next[degree[node] as usize];
        (order[*slot as usize], place[node]) = (node as u32, *slot);
        *slot += 1;
    }
    for index in 0..nodes {
        let node = order[index] as usize;
        let own = degree[node];
        for &neighbour in graph.of_node(node) {
            let neighbour = neighbour as usize;
            let other = degree[neighbour];
            if other <= own {
                continue;
            }
            // The neighbour changes places with the first of its bucket, whose bounds then move.
            let start = &mut starts[other as usize];
            let (first, from) = (order[*start as usize], place[neighbour]);
            (order[*start as usize], order[from as usize]) = (neighbour as u32, first);
            (place[neighbour], place[first as usize]) = (*start, from);
            *start += 1;
            degree[neighbour] = other - 1;
        }
    }
    degree
}

/// All over pairs. Of the whole: `core_max` (the degeneracy), `core_max_units` (the nodes of the top
/// core), `core_mean`. Of each group: `core_mean`, `core_max`.
pub(super) fn measure(graph: &LayeredGraph, _: &Options) -> Vec<Measurement> {
    let mut out = Measurements::default();
    let cores = core_numbers(graph);
    let mut of_nodes = |name: &str, cores: &[u32]| {
        let sum: u64 = cores.iter().map(|&core| u64::from(core)).sum();
        out.push(name, "core_mean", sum as f64 / cores.len() as f64);
        out.push_some(name, "core_max", cores.iter().max().map(|&core| f64::from(core)));
    };
    for group in graph.groups() {
        of_nodes(&group.name, &cores[group.first..group.first + group.size]);
    }
    of_nodes(WHOLE, &cores);
    let top = cores.iter().max();
    out.count(WHOLE, "core_max_units", cores.iter().filter(|&core| Some(core) == top).count());
    out.into_vec()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{dense_chain, graphs, matrix, value};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_core_of_a_dense_chain_is_its_smaller_cut() {
        // Outputs leave first (3 neighbours), then nothing below 4 is left: 5 x 4 units.
        let found = measure(&dense_chain(&[5, 4, 3, 1]), &Options::default());
        assert_eq!(value(&found, WHOLE, "core_max"), 4.0);
        assert_eq!(value(&found, "g3", "core_mean"), 3.0);
        assert_eq!(value(&found, WHOLE, "core_max_units"), 12.0);
    }

    proptest! {
        /// By the definition: what is left once nodes with fewer than k neighbours are taken away.
        #[test]
        fn core_numbers_by_peeling(graph in graphs()) {
            let all = matrix(&graph, 0..graph.blocks().len());
            let mut expected = vec![0u32; graph.nodes()];
            for k in 1..graph.nodes() as u32 {
                let mut left = vec![true; graph.nodes()];
                loop {
                    let weak = (0..graph.nodes()).find(|&node| {
                        left[node] && ((0..graph.nodes()).filter(|&other| left[other] && all[node][other]).count() as u32) < k
                    });
                    match weak {
                        Some(node) => left[node] = false,
                        None => break,
                    }
                }
                (0..graph.nodes()).filter(|&node| left[node]).for_each(|node| expected[node] = k);
            }
            prop_assert_eq!(core_numbers(&graph), expected);
        }
    }
}
