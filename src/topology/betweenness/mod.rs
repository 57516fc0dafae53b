//! Exact shortest-path betweenness of the nodes.

mod lanes;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

use self::lanes::{LANES, Sweep, Workspace};
use super::adjacency::Adjacency;
use super::{Measurement, Measurements, Options, Summary, WHOLE};
use crate::graph::LayeredGraph;

/// Chunks of sources at most. Each is summed by itself and the sums are added in order, so that the
/// bytes of the result depend on the graph alone.
const CHUNKS: usize = 64;

/// Sources in a chunk at least: fewer do not pay for the chunk's sum.
const CHUNK: usize = 64;

/// Lanes where the searches of different sources hardly meet.
const FEW_LANES: usize = 2;

/// Directed pairs a node below which they do not.
const SPARSE: usize = 4;

/// Which way paths may follow the pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PathDirection {
    /// Both ways: paths of the undirected graph, each unordered pair of ends counted once.
    Undirected,
    /// From sources to targets alone: paths along the computation.
    Directed,
}

/// The betweenness of every node of a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Betweenness {
    /// Which way the paths went.
    pub direction: PathDirection,
    /// One value a node, in the order of the graph's nodes, not normalised.
    pub values: Vec<f64>,
}

/// Exact betweenness b(v) = sum over pairs of ends s, t other than v of (shortest paths from s to t
/// through v) / (shortest paths from s to t), on the simple graph of pairs, where every pair of
/// joined nodes has length 1.
///
/// Values are not normalised, as networkx's `betweenness_centrality(normalized=False)` and igraph's
/// `betweenness` give them. Path counts are f64: exact up to 2^53, and they would overflow beyond
/// 1.8e308 (about 100 dense layers of 1,000 units).
///
/// Brandes's accumulation (J. Math. Sociol. 25, 163 (2001), doi:10.1080/0022250X.2001.9990249) runs
/// for 8 sources at once (2 in sparse directed graphs), level by level, and each level either pushes from the frontier or pulls
/// into the nodes not yet seen, whichever touches fewer pairs (Beamer, Asanovic and Patterson, SC
/// 2012, doi:10.1109/SC.2012.50). Chunks of sources run in parallel on rayon's current pool and are
/// summed in a fixed order: the bytes do not depend on the number of threads. O(nodes x pairs) time
/// in the worst case; 330 bytes a node and thread beside 8 bytes a node and chunk, 64 chunks at most.
///
/// ```
/// use prunephase::graph::{Block, LayeredGraph, Role};
/// use prunephase::topology::{PathDirection, betweenness};
///
/// // Two inputs, one hidden unit, two outputs: all four paths, and two more when undirected.
/// let first = Block::new("a", (0, 2), (1, 1), 2, [(0, 0, 1.0), (0, 1, 1.0)])?;
/// let second = Block::new("b", (1, 1), (2, 2), 2, [(0, 0, 1.0), (1, 0, 1.0)])?;
/// let groups = [("input".into(), 2, Role::Input), ("h".into(), 1, Role::Hidden), ("out".into(), 2, Role::Output)];
/// let graph = LayeredGraph::new(groups, vec![first, second])?;
/// assert_eq!(betweenness(&graph, PathDirection::Directed).values, [0.0, 0.0, 4.0, 0.0, 0.0]);
/// assert_eq!(betweenness(&graph, PathDirection::Undirected).values, [0.0, 0.0, 6.0, 0.0, 0.0]);
/// # Ok::<(), prunephase::Error>(())
/// ```
pub fn betweenness(graph: &LayeredGraph, direction: PathDirection) -> Betweenness {
    let values = match direction {
        PathDirection::Undirected => {
            let both = Adjacency::undirected(graph);
            let mut values = all_sources::<LANES>(&Sweep::new(graph, &both, &both, true));
            values.iter_mut().for_each(|value| *value /= 2.0);
            values
        }
        PathDirection::Directed => {
            let (forward, backward) = (Adjacency::forward(graph), Adjacency::backward(graph));
            let sweep = Sweep::new(graph, &forward, &backward, false);
            if graph.pairs() < SPARSE * graph.nodes() {
                all_sources::<FEW_LANES>(&sweep)
            } else {
                all_sources::<LANES>(&sweep)
            }
        }
    };
    Betweenness { direction, values }
}

/// The sum over all sources that have somewhere to go.
fn all_sources<const L: usize>(sweep: &Sweep<'_>) -> Vec<f64> {
    let sources = sweep.sources();
    let chunk = sources.len().div_ceil(CHUNKS).max(CHUNK).next_multiple_of(L);
    let sums: Vec<Vec<f64>> = sources
        .par_chunks(chunk)
        .map_init(
            || Workspace::<L>::new(sweep.nodes()),
            |workspace, chunk| {
                let mut sum = vec![0.0; sweep.nodes()];
                for batch in chunk.chunks(L) {
                    sweep.add(batch, workspace, &mut sum);
                }
                sum
            },
        )
        .collect();
    let mut total = vec![0.0; sweep.nodes()];
    for sum in &sums {
        for (total, value) in total.iter_mut().zip(sum) {
            *total += value;
        }
    }
    total
}

/// Of each group that has nodes and of the whole: `betweenness_mean` and the rest of [`Summary`]; along
/// directed paths with the prefix `directed_betweenness`.
pub(super) fn measure(graph: &LayeredGraph, _: &Options) -> Vec<Measurement> {
    let mut out = Measurements::default();
    for (direction, prefix) in
        [(PathDirection::Undirected, "betweenness"), (PathDirection::Directed, "directed_betweenness")]
    {
        let values = betweenness(graph, direction).values;
        for group in graph.groups() {
            if let Some(summary) = Summary::of(values[group.first..group.first + group.size].iter().copied()) {
                summary.push(&mut out, &group.name, prefix);
            }
        }
        if let Some(summary) = Summary::of(values) {
            summary.push(&mut out, WHOLE, prefix);
        }
    }
    out.into_vec()
}
