//! Graphs that share weights: a weight brings all its links at once.
//!
//! Times are numbers of weights, as everywhere in the sweep; a link comes at the time of its weight,
//! and a weight is active as soon as one of its links is.

use std::ops::{Range, RangeInclusive};

use super::Components;
use super::edge_order::{Ends, Ranking, Wide};
use super::flow::{self, Flow, NEVER};
use super::scored::{Run, Scored};
use super::sort;
use crate::graph::{Block, LayeredGraph};
use crate::seed::Seeds;

/// The time of each weight of a graph, by layer, then by flat index: 1 for the first that returns.
///
/// # Panics
/// Where there is not one score a kept weight.
pub(super) fn times(graph: &LayeredGraph, ranking: Ranking<'_>) -> Vec<u32> {
    let order = match ranking {
        Ranking::Magnitude => descending(&graph.magnitudes().collect::<Vec<_>>()),
        Ranking::Scores(scores) => {
            assert_eq!(scores.len(), graph.edges(), "one score a kept weight is needed");
            descending(scores)
        }
        Ranking::Random { seed, realisation } => {
            let mut order: Vec<u32> = (0..graph.edges() as u32).collect();
            // The stream of graphs that share no weights: one seed, one order, whatever the nodes are.
            Seeds::new(seed, realisation).stream("percolation: random order").shuffle(&mut order);
            order
        }
    };
    let mut times = vec![0; order.len()];
    for (weight, time) in order.into_iter().zip(1..) {
        times[weight as usize] = time;
    }
    times
}

/// Weights by their place, instead of the ends of an edge.
struct Places<'a>(&'a [f32]);

impl Scored for Places<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn for_each_run(&self, mut visit: impl FnMut(Run<'_>)) {
        const LENGTH: usize = 256;
        let places: [u32; LENGTH] = std::array::from_fn(|place| place as u32);
        for (scores, first) in self.0.chunks(LENGTH).zip((0..).step_by(LENGTH)) {
            visit(Run { scores, sources: &places[..scores.len()], first, target: 0 });
        }
    }
}

/// The places of the scores, the highest first, equal ones in their order. O(weights).
fn descending(scores: &[f32]) -> Vec<u32> {
    sort::descending::<Wide>(&Places(scores)).into_iter().map(Wide::source).collect()
}

/// The ends of all links in the order of their weights.
#[derive(Debug, Clone)]
pub(super) struct SharedLinks {
    ends: Vec<Wide>,
    /// For each number of weights, from 0 on, the number of their links.
    until: Vec<u32>,
}

impl SharedLinks {
    /// The links in the order of their weights' times. O(links), 8 bytes a link.
    pub(super) fn new(graph: &LayeredGraph, times: &[u32]) -> Self {
        let mut until = vec![0u32; times.len() + 1];
        for (weight, _, _) in graph.weight_links() {
            until[times[weight as usize] as usize] += 1;
        }
        let mut sum = 0;
        for count in &mut until {
            sum += *count;
            *count = sum;
        }
        // The links of the weight at time t begin where those of time t - 1 end.
        let mut next = until.clone();
        let mut ends = vec![Wide::default(); sum as usize];
        for (weight, source, target) in graph.weight_links() {
            let place = &mut next[times[weight as usize] as usize - 1];
            ends[*place as usize] = Wide::new(source, target);
            *place += 1;
        }
        Self { ends, until }
    }

    /// The links of the weights in a range of the order.
    pub(super) fn of(&self, weights: Range<usize>) -> &[Wide] {
        &self.ends[self.until[weights.start] as usize..self.until[weights.end] as usize]
    }
}

/// A block and where its nodes and weights stand in the graph.
struct Placed<'a> {
    block: &'a Block,
    source: usize,
    target: usize,
    first_weight: usize,
}

impl Placed<'_> {
    /// Calls `visit` with the weight (none in a skip), the source and the target of every link.
    fn for_each_link(&self, mut visit: impl FnMut(Option<usize>, usize, usize)) {
        let skip = self.block.is_skip();
        for row in 0..self.block.rows() {
            for (&column, weight) in self.block.edges_into(row).0.iter().zip(self.block.weights_into(row)) {
                let weight = (!skip).then_some(self.first_weight + weight as usize);
                visit(weight, self.source + column as usize, self.target + row);
            }
        }
    }
}

/// The flow of a graph whose weights return at `times`: as [`Flow::new`], with each link at the time
/// of its weight, and a weight's least time over its links. Skips are there from time 0 on. O(links +
/// nodes log nodes).
pub(super) fn flow(graph: &LayeredGraph, times: &[u32]) -> Flow {
    let groups = graph.groups();
    let mut first_weight = 0;
    let mut blocks: Vec<Placed<'_>> = graph
        .blocks()
        .iter()
        .map(|block| {
            let (source, target) = (groups[block.source()].first, groups[block.target()].first);
            let placed = Placed { block, source, target, first_weight };
            first_weight += block.edges();
            placed
        })
        .collect();
    // A topological order: every block into a group comes before those out of it.
    blocks.sort_by_key(|placed| placed.block.source());
    let (mut from_inputs, mut to_outputs) = flow::at_the_ends(graph);
    let time_of = |weight: Option<usize>| weight.map_or(0, |weight| times[weight]);
    for block in &blocks {
        block.for_each_link(|weight, source, target| {
            let time = time_of(weight).max(from_inputs[source]);
            from_inputs[target] = time.min(from_inputs[target]);
        });
    }
    for block in blocks.iter().rev() {
        block.for_each_link(|weight, source, target| {
            let time = time_of(weight).max(to_outputs[target]);
            to_outputs[source] = time.min(to_outputs[source]);
        });
    }
    let mut active_from = vec![NEVER; times.len()];
    for block in &blocks {
        block.for_each_link(|weight, source, target| {
            let Some(weight) = weight else { return };
            let time = times[weight].max(from_inputs[source]).max(to_outputs[target]);
            active_from[weight] = time.min(active_from[weight]);
        });
    }
    Flow::of_times(graph, &from_inputs, &to_outputs, active_from.len(), active_from)
}

/// Calls `visit` with the components along an order, each time with the numbers of kept weights at
/// which they are these: the ranges follow each other from 1 to all.
pub(super) fn sweep_components(
    graph: &LayeredGraph,
    ranking: Ranking<'_>,
    mut visit: impl FnMut(RangeInclusive<usize>, &Components),
) {
    let links = SharedLinks::new(graph, &times(graph, ranking));
    let join = |components: &mut Components, weights: Range<usize>| {
        let before = components.count();
        for link in links.of(weights) {
            components.join(link.source(), link.target());
        }
        components.count() < before
    };
    // Once to learn where a range ends, once to show it.
    let mut components = Components::of_skips(graph);
    let changes = |weight: &usize| join(&mut components, *weight..weight + 1) || *weight == 0;
    let starts: Vec<usize> = (0..graph.edges()).filter(changes).collect();
    let mut components = Components::of_skips(graph);
    for (place, &start) in starts.iter().enumerate() {
        join(&mut components, start..start + 1);
        visit(start + 1..=starts.get(place + 1).copied().unwrap_or(graph.edges()), &components);
    }
}

#[cfg(test)]
mod tests;
