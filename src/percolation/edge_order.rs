//! The order in which the kept weights return.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::joins::{self, Join};
use super::scored::{Run, Scored};
use super::sort;
use crate::graph::LayeredGraph;
use crate::seed::Seeds;

/// The kind of order in which the kept weights return, as tables name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Order {
    /// By descending |w|, ties by layer, then by flat index: the reverse of the order in which
    /// magnitude pruning removes them.
    Magnitude,
    /// Uniformly at random.
    Random,
    /// By descending score, ties by layer, then by flat index.
    Score,
}

impl fmt::Display for Order {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Magnitude => "magnitude",
            Self::Random => "random",
            Self::Score => "score",
        })
    }
}

/// One order of a graph's kept weights.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Ranking<'a> {
    /// See [`Order::Magnitude`].
    Magnitude,
    /// See [`Order::Random`]; the seed and the realisation name the order.
    Random {
        /// The seed of all realisations.
        seed: u64,
        /// The realisation.
        realisation: u64,
    },
    /// See [`Order::Score`]: one finite score a kept weight, by layer, then by flat index.
    Scores(&'a [f32]),
}

impl Ranking<'_> {
    /// The kind of order.
    pub fn order(&self) -> Order {
        match self {
            Self::Magnitude => Order::Magnitude,
            Self::Random { .. } => Order::Random,
            Self::Scores(_) => Order::Score,
        }
    }

    /// The realisation of a random order, else 0.
    pub fn realisation(&self) -> u64 {
        match self {
            Self::Random { realisation, .. } => *realisation,
            _ => 0,
        }
    }
}

/// The two ends of an edge, packed; the sweep is bound by memory.
pub(super) trait Ends: Copy + Default + PartialEq + Send {
    /// The ends with a number: what they are sorted by, or when they come. Plain integers, since
    /// arrays of zeros of these cost nothing before they are filled.
    type Keyed: Copy + Default + Send;

    fn new(source: u32, target: u32) -> Self;
    fn source(self) -> u32;
    fn target(self) -> u32;
    fn keyed(self, key: u32) -> Self::Keyed;
    fn key(keyed: Self::Keyed) -> u32;
    fn ends(keyed: Self::Keyed) -> Self;
}

/// Ends in graphs of at most 65,536 nodes: the source in the upper half, the target in the lower.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Narrow(u32);

impl Ends for Narrow {
    /// The key in the upper half, the ends in the lower: 8 bytes.
    type Keyed = u64;

    #[inline]
    fn new(source: u32, target: u32) -> Self {
        debug_assert!(source.max(target) <= u32::from(u16::MAX));
        Self(source << 16 | target)
    }

    #[inline]
    fn source(self) -> u32 {
        self.0 >> 16
    }

    #[inline]
    fn target(self) -> u32 {
        self.0 & u32::from(u16::MAX)
    }

    #[inline]
    fn keyed(self, key: u32) -> u64 {
        u64::from(key) << 32 | u64::from(self.0)
    }

    #[inline]
    fn key(keyed: u64) -> u32 {
        (keyed >> 32) as u32
    }

    #[inline]
    fn ends(keyed: u64) -> Self {
        Self(keyed as u32)
    }
}

/// Ends in any graph.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Wide([u32; 2]);

impl Ends for Wide {
    /// Key, source, target: 12 bytes.
    type Keyed = [u32; 3];

    #[inline]
    fn new(source: u32, target: u32) -> Self {
        Self([source, target])
    }

    #[inline]
    fn source(self) -> u32 {
        self.0[0]
    }

    #[inline]
    fn target(self) -> u32 {
        self.0[1]
    }

    #[inline]
    fn keyed(self, key: u32) -> [u32; 3] {
        [key, self.0[0], self.0[1]]
    }

    #[inline]
    fn key(keyed: [u32; 3]) -> u32 {
        keyed[0]
    }

    #[inline]
    fn ends([_, source, target]: [u32; 3]) -> Self {
        Self([source, target])
    }
}

/// A graph whose ends fit 16 bits.
pub(super) fn is_narrow(graph: &LayeredGraph) -> bool {
    graph.nodes() <= 1 << 16
}

/// Calls `visit` with the kept weights into every node, scored by |w|: by layer, then by flat index.
#[inline]
fn for_each_row(graph: &LayeredGraph, mut visit: impl FnMut(Run<'_>)) {
    for block in graph.blocks() {
        let first = graph.groups()[block.source()].first as u32;
        let target = graph.groups()[block.target()].first as u32;
        for row in 0..block.rows() {
            let (sources, scores) = block.edges_into(row);
            visit(Run { scores, sources, first, target: target + row as u32 });
        }
    }
}

/// Edges scored by |w|.
struct Magnitudes<'a>(&'a LayeredGraph);

impl Scored for Magnitudes<'_> {
    fn count(&self) -> usize {
        self.0.edges()
    }

    fn for_each_run(&self, visit: impl FnMut(Run<'_>)) {
        for_each_row(self.0, visit);
    }

    fn for_each_scores(&self, mut visit: impl FnMut(&[f32])) {
        self.0.blocks().iter().for_each(|block| visit(block.magnitudes()));
    }

    fn range(&self) -> (f32, f32) {
        // The bits of numbers that are not negative are ordered as the numbers are.
        let (mut least, mut most) = (u32::MAX, 0);
        self.for_each_scores(|magnitudes| {
            for &magnitude in magnitudes {
                least = least.min(magnitude.to_bits());
                most = most.max(magnitude.to_bits());
            }
        });
        (f32::from_bits(least), f32::from_bits(most))
    }
}

/// Edges with scores of their own.
struct Scores<'a>(&'a LayeredGraph, &'a [f32]);

impl<'a> Scores<'a> {
    fn of(graph: &'a LayeredGraph, scores: &'a [f32]) -> Self {
        assert_eq!(scores.len(), graph.edges(), "one score a kept weight is needed");
        Self(graph, scores)
    }
}

impl Scored for Scores<'_> {
    fn count(&self) -> usize {
        self.0.edges()
    }

    fn for_each_run(&self, mut visit: impl FnMut(Run<'_>)) {
        let mut left = self.1;
        for_each_row(self.0, |run| {
            let (scores, rest) = left.split_at(run.scores.len());
            left = rest;
            visit(Run { scores, ..run });
        });
    }

    fn for_each_scores(&self, mut visit: impl FnMut(&[f32])) {
        visit(self.1);
    }
}

/// The ends of the kept weights in an order.
///
/// # Panics
/// Where there is not one score a kept weight.
pub(super) fn ordered<E: Ends>(graph: &LayeredGraph, ranking: Ranking<'_>) -> Vec<E> {
    match ranking {
        Ranking::Magnitude => sort::descending(&Magnitudes(graph)),
        Ranking::Scores(scores) => sort::descending(&Scores::of(graph, scores)),
        Ranking::Random { seed, realisation } => shuffled(graph, seed, realisation),
    }
}

/// The edges that join components when the kept weights return in an order, and when.
///
/// # Panics
/// Where there is not one score a kept weight.
pub(super) fn joins<E: Ends>(graph: &LayeredGraph, ranking: Ranking<'_>) -> Vec<Join<E>> {
    match ranking {
        Ranking::Magnitude => joins::of_scored(&Magnitudes(graph), graph.nodes()),
        Ranking::Scores(scores) => joins::of_scored(&Scores::of(graph, scores), graph.nodes()),
        Ranking::Random { seed, realisation } => joins::along(shuffled(graph, seed, realisation), graph.nodes()),
    }
}

fn shuffled<E: Ends>(graph: &LayeredGraph, seed: u64, realisation: u64) -> Vec<E> {
    let mut edges = in_place(graph);
    Seeds::new(seed, realisation).stream("percolation: random order").shuffle(&mut edges);
    edges
}

/// The ends of the kept weights by layer, then by flat index.
pub(super) fn in_place<E: Ends>(graph: &LayeredGraph) -> Vec<E> {
    let mut edges = Vec::with_capacity(graph.edges());
    for_each_row(graph, |run| edges.extend(run.edges::<E>().map(|(_, ends)| ends)));
    edges
}
