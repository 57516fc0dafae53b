//! The order in which the kept weights return.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::graph::LayeredGraph;
use crate::seed::Seeds;

/// The order in which the kept weights return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// By descending |w|, ties by layer, then by flat index: the reverse of the order in which
    /// magnitude pruning removes them.
    Magnitude,
    /// Uniformly at random.
    Random,
}

impl fmt::Display for Order {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Magnitude => "magnitude",
            Self::Random => "random",
        })
    }
}

/// The two ends of an edge, packed; the sweep is bound by memory.
pub(super) trait Ends: Copy + Default + Send {
    fn new(source: u32, target: u32) -> Self;
    fn source(self) -> u32;
    fn target(self) -> u32;
}

/// Ends in graphs of at most 65,536 nodes.
#[derive(Clone, Copy, Default)]
pub(super) struct Narrow([u16; 2]);

impl Ends for Narrow {
    #[inline]
    fn new(source: u32, target: u32) -> Self {
        debug_assert!(source.max(target) <= u32::from(u16::MAX));
        Self([source as u16, target as u16])
    }

    #[inline]
    fn source(self) -> u32 {
        u32::from(self.0[0])
    }

    #[inline]
    fn target(self) -> u32 {
        u32::from(self.0[1])
    }
}

/// Ends in any graph.
#[derive(Clone, Copy, Default)]
pub(super) struct Wide([u32; 2]);

impl Ends for Wide {
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
}

/// An edge with what it is sorted by: 8 bytes with [`Narrow`] ends, 12 with [`Wide`] ones.
#[derive(Clone, Copy, Default)]
pub(super) struct Keyed<E> {
    pub key: u32,
    pub ends: E,
}

/// A graph whose ends fit 16 bits.
pub(super) fn is_narrow(graph: &LayeredGraph) -> bool {
    graph.nodes() <= 1 << 16
}

/// The ends of the kept weights in an order; `seed` and `realisation` name the random one.
pub(super) fn ordered<E: Ends>(graph: &LayeredGraph, order: Order, seed: u64, realisation: u64) -> Vec<E> {
    match order {
        Order::Magnitude => {
            let mut edges = Vec::with_capacity(graph.edges());
            // The bits of numbers that are not negative are ordered as the numbers are.
            edges.extend(
                graph.weights().map(|(w, source, target)| Keyed { key: !w.to_bits(), ends: E::new(source, target) }),
            );
            sort_by_key(&mut edges);
            edges.into_iter().map(|edge| edge.ends).collect()
        }
        Order::Random => {
            let mut edges = in_place(graph);
            Seeds::new(seed, realisation).stream("percolation: random order").shuffle(&mut edges);
            edges
        }
    }
}

/// The ends of the kept weights by layer, then by flat index.
pub(super) fn in_place<E: Ends>(graph: &LayeredGraph) -> Vec<E> {
    let mut edges = Vec::with_capacity(graph.edges());
    edges.extend(graph.weights().map(|(_, source, target)| E::new(source, target)));
    edges
}

const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 3;

/// Sorts by ascending key and keeps the order of equal keys: a radix sort in three passes, least
/// significant digit first.
fn sort_by_key<E: Ends>(edges: &mut Vec<Keyed<E>>) {
    let digit = |key: u32, pass: usize| (key >> (DIGIT_BITS * pass as u32)) as usize & ((1 << DIGIT_BITS) - 1);
    let mut counts = vec![[0u32; 1 << DIGIT_BITS]; DIGITS];
    for edge in edges.iter() {
        for (pass, counts) in counts.iter_mut().enumerate() {
            counts[digit(edge.key, pass)] += 1;
        }
    }
    let mut sorted = vec![Keyed::default(); edges.len()];
    for (pass, counts) in counts.iter_mut().enumerate() {
        if counts.iter().any(|&count| count as usize == edges.len()) {
            continue;
        }
        let mut next = 0;
        for count in counts.iter_mut() {
            next += std::mem::replace(count, next);
        }
        for &edge in edges.iter() {
            let place = &mut counts[digit(edge.key, pass)];
            sorted[*place as usize] = edge;
            *place += 1;
        }
        std::mem::swap(edges, &mut sorted);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_radix_sort_is_a_stable_sort(
            keys in prop::collection::vec(prop_oneof![any::<u32>(), 0u32..4, Just(u32::MAX)], 0..200)
        ) {
            let mut edges: Vec<Keyed<Wide>> = keys
                .iter()
                .enumerate()
                .map(|(index, &key)| Keyed { key, ends: Wide::new(index as u32, 0) })
                .collect();
            sort_by_key(&mut edges);
            let mut expected: Vec<(u32, u32)> =
                keys.iter().enumerate().map(|(index, &key)| (key, index as u32)).collect();
            expected.sort();
            let found: Vec<(u32, u32)> = edges.iter().map(|edge| (edge.key, edge.ends.source())).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn edges_stay_small() {
        assert_eq!(std::mem::size_of::<Keyed<Narrow>>(), 8);
        assert_eq!(std::mem::size_of::<Keyed<Wide>>(), 12);
    }
}
