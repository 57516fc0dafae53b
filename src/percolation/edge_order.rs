//! The order in which the kept weights return.

use std::fmt;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::sort::{self, Scored};
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
pub(super) trait Ends: Copy + Default + Send {
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
#[derive(Debug, Clone, Copy, Default)]
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
#[derive(Debug, Clone, Copy, Default)]
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

/// Calls `visit` with |w| and the ends of every kept weight, by layer, then by flat index.
#[inline]
pub(super) fn for_each_edge<E: Ends>(graph: &LayeredGraph, mut visit: impl FnMut(f32, E)) {
    for block in graph.blocks() {
        let source = graph.groups()[block.source()].first as u32;
        let target = graph.groups()[block.target()].first as u32;
        for row in 0..block.rows() {
            let (columns, magnitudes) = block.edges_into(row);
            let row = target + row as u32;
            for (&column, &magnitude) in columns.iter().zip(magnitudes) {
                visit(magnitude, E::new(source + column, row));
            }
        }
    }
}

/// Edges scored by |w|.
struct Magnitudes<'a>(&'a LayeredGraph);

impl<E: Ends> Scored<E> for Magnitudes<'_> {
    fn count(&self) -> usize {
        self.0.edges()
    }

    fn for_each(&self, visit: impl FnMut(f32, E)) {
        for_each_edge(self.0, visit);
    }

    fn range(&self) -> (f32, f32) {
        // The bits of numbers that are not negative are ordered as the numbers are.
        let (mut least, mut most) = (u32::MAX, 0);
        for block in self.0.blocks() {
            for &magnitude in block.magnitudes() {
                least = least.min(magnitude.to_bits());
                most = most.max(magnitude.to_bits());
            }
        }
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

impl<E: Ends> Scored<E> for Scores<'_> {
    fn count(&self) -> usize {
        self.0.edges()
    }

    fn for_each(&self, mut visit: impl FnMut(f32, E)) {
        let mut scores = self.1.iter();
        for_each_edge(self.0, |_, ends| {
            if let Some(&score) = scores.next() {
                visit(score, ends);
            }
        });
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

/// Calls `visit` with the ends of the kept weights in an order, until it returns
/// [`ControlFlow::Break`]; what comes after is not sorted.
///
/// # Panics
/// Where there is not one score a kept weight.
pub(super) fn in_order<E: Ends>(
    graph: &LayeredGraph,
    ranking: Ranking<'_>,
    visit: impl FnMut(E) -> ControlFlow<()>,
) -> ControlFlow<()> {
    match ranking {
        Ranking::Magnitude => sort::visit_descending(&Magnitudes(graph), visit),
        Ranking::Scores(scores) => sort::visit_descending(&Scores::of(graph, scores), visit),
        Ranking::Random { seed, realisation } => shuffled(graph, seed, realisation).into_iter().try_for_each(visit),
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
    for_each_edge(graph, |_, ends| edges.push(ends));
    edges
}
