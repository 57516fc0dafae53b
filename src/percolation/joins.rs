//! The edges that join two components, and the number of kept weights at which each does.
//!
//! They are at most N - 1, a maximum spanning forest, and all that the components along an order
//! depend on. Most edges of a dense network lie within one component long before they return: once
//! the edges of the highest scores are joined, walks leave such edges out before the next part is
//! sorted (the filter of Osipov, Sanders and Singler's Filter-Kruskal, doi:10.1137/1.9781611972894.5),
//! and a last one counts, for the few that still join, what returns before them.

use super::edge_order::{Ends, Narrow};
use super::key;
use super::scored::{Histogram, Scored};
use super::sort::sort_by_key;

/// So many edges a node are joined before the rest is looked at: random graphs are connected up to a
/// few nodes by then.
const FIRST: usize = 3;

/// How many times the edges before it a later part has: every part costs a walk through all edges.
const GROWTH: usize = 7;

/// An edge that joins two components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Join<E> {
    /// The number of kept weights once it is there, from 1 on.
    pub(super) number: u32,
    pub(super) ends: E,
}

/// Union-find by size with path halving, and nothing else. Of a root, the size below zero; of any
/// other node, its parent.
struct Forest {
    parent: Vec<i32>,
    trees: usize,
}

impl Forest {
    fn new(nodes: usize) -> Self {
        Self { parent: vec![-1; nodes], trees: nodes }
    }

    #[inline]
    fn root(&mut self, node: u32) -> u32 {
        let mut node = node;
        loop {
            let parent = self.parent[node as usize];
            if parent < 0 {
                return node;
            }
            let grandparent = self.parent[parent as usize];
            if grandparent < 0 {
                return parent as u32;
            }
            self.parent[node as usize] = grandparent;
            node = grandparent as u32;
        }
    }

    /// The root of every node.
    fn labels(&mut self) -> Vec<u32> {
        (0..self.parent.len() as u32).map(|node| self.root(node)).collect()
    }

    /// Whether the edge joined two trees.
    #[inline]
    fn join<E: Ends>(&mut self, edge: E) -> bool {
        let (source, target) = (edge.source(), edge.target());
        let parent = self.parent[source as usize];
        // Many ends have one parent; two roots of equal size do not.
        if parent >= 0 && parent == self.parent[target as usize] {
            return false;
        }
        let (mut large, mut small) = (self.root(source), self.root(target));
        if large == small {
            return false;
        }
        if self.parent[large as usize] > self.parent[small as usize] {
            std::mem::swap(&mut large, &mut small);
        }
        self.parent[large as usize] += self.parent[small as usize];
        self.parent[small as usize] = large as i32;
        self.trees -= 1;
        true
    }

    /// The joining edges among the first that return, in their order.
    fn joins<E: Ends>(&mut self, edges: impl IntoIterator<Item = E>) -> Vec<Join<E>> {
        let mut joins = Vec::with_capacity(self.trees.saturating_sub(1));
        for (ends, number) in edges.into_iter().zip(1..) {
            if self.trees == 1 {
                break;
            }
            if self.join(ends) {
                joins.push(Join { number, ends });
            }
        }
        joins
    }
}

/// The joining edges of a list in its order. O(edges) up to the inverse Ackermann function.
pub(super) fn along<E: Ends>(edges: impl IntoIterator<Item = E>, nodes: usize) -> Vec<Join<E>> {
    Forest::new(nodes).joins(edges)
}

/// The joining edges by descending score, equal scores in the order in which they are visited.
///
/// O(edges) up to the inverse Ackermann function; 16 bytes (24 with wide ends) for an edge of the first
/// few a node, and 24 (28) for an edge that they leave between two components.
pub(super) fn of_scored<E: Ends>(scored: &impl Scored, nodes: usize) -> Vec<Join<E>> {
    if scored.count() == 0 {
        return Vec::new();
    }
    let histogram = Histogram::new(scored);
    let first = histogram.first(FIRST * nodes);
    let mut forest = Forest::new(nodes);
    let mut joins = forest.joins(early::<E>(scored, histogram.lowest(first)).into_iter().map(E::ends));
    if forest.trees > 1 && first < histogram.buckets() {
        joins.extend(late(scored, &histogram, first, &mut forest));
    }
    joins
}

/// Picks some of many: every index is written and most are written over, since a branch that cannot be
/// foretold costs more.
struct Picker([u16; Self::ROOM]);

impl Picker {
    const ROOM: usize = 256;

    fn new() -> Self {
        Self([0; Self::ROOM])
    }

    /// Calls `pick` with the indices below `count` that are `wanted`.
    #[inline]
    fn pick(&mut self, count: usize, wanted: impl Fn(usize) -> bool, mut pick: impl FnMut(usize)) {
        for start in (0..count).step_by(Self::ROOM) {
            let mut picked = 0;
            for index in start..count.min(start + Self::ROOM) {
                self.0[picked % Self::ROOM] = (index - start) as u16;
                picked += usize::from(wanted(index));
            }
            self.0[..picked].iter().for_each(|&index| pick(start + usize::from(index)));
        }
    }
}

/// The edges of a score of at least `lowest`, sorted.
fn early<E: Ends>(scored: &impl Scored, lowest: f32) -> Vec<E::Keyed> {
    let (mut picker, mut edges) = (Picker::new(), Vec::new());
    scored.for_each_run(|run| {
        let pick = |index: usize| edges.push(run.ends::<E>(index).keyed(key::of(run.scores[index])));
        picker.pick(run.scores.len(), |index| run.scores[index] >= lowest, pick);
    });
    sort_by_key::<E>(&mut edges, &mut Vec::new());
    edges
}

/// The joining edges after those in the buckets before `first`, by descending score: part after part of the
/// buckets, each of which has [`GROWTH`] times as many edges as all before it. Of a part only the edges between
/// two trees are sorted.
fn late<E: Ends>(scored: &impl Scored, histogram: &Histogram, mut first: usize, forest: &mut Forest) -> Vec<Join<E>> {
    let (mut joined, mut all_ends) = (Vec::new(), Vec::new());
    let mut picker = Picker::new();
    while forest.trees > 1 && first < histogram.buckets() {
        let end = histogram.first((GROWTH + 1) * histogram.before(first).max(1)).max(first + 1);
        let (lowest, trees) = (histogram.lowest(end), forest.labels());
        let (mut ends, mut returns, mut place) = (Vec::<E>::new(), Vec::new(), 0);
        scored.for_each_run(|run| {
            let (trees, tree) = (&trees[run.first as usize..], trees[run.target as usize]);
            let pick = |index: usize| {
                ends.push(run.ends(index));
                returns.push(Return::new(run.scores[index], place + index as u32));
            };
            // Edges of the parts before are within one tree.
            let wanted = |index: usize| trees[run.sources[index] as usize] != tree && run.scores[index] >= lowest;
            picker.pick(run.sources.len(), wanted, pick);
            place += run.sources.len() as u32;
        });
        // Sorted with their places in these lists, to find both again.
        let mut order: Vec<u64> = returns.iter().zip(0..).map(|(edge, index)| edge.at(index).0).collect();
        sort_by_key::<Narrow>(&mut order, &mut Vec::new());
        for index in order.into_iter().map(|edge| Return(edge).place()) {
            if forest.join(ends[index]) {
                joined.push(returns[index]);
                all_ends.push(ends[index]);
            }
        }
        first = end;
    }
    let numbers = numbers(scored, histogram, &joined);
    all_ends.into_iter().zip(numbers).map(|(ends, number)| Join { number, ends }).collect()
}

/// When an edge returns: the key of its score above its place among others, which breaks ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Return(u64);

impl Return {
    #[inline]
    fn new(score: f32, place: u32) -> Self {
        Self(u64::from(key::of(score)) << u32::BITS | u64::from(place))
    }

    /// The same key with another place.
    fn at(self, place: u32) -> Self {
        Self(self.0 >> u32::BITS << u32::BITS | u64::from(place))
    }

    fn score(self) -> f32 {
        key::score((self.0 >> u32::BITS) as u32)
    }

    fn place(self) -> usize {
        self.0 as u32 as usize
    }
}

/// The numbers of kept weights at which some edges return, which are sorted: one walk through all
/// scores, O(edges), and O(log) of the edges asked for in its bucket for each edge whose bucket has any.
fn numbers(scored: &impl Scored, histogram: &Histogram, sorted: &[Return]) -> Vec<u32> {
    let bucket_of = |edge: Return| histogram.bucket_of(edge.score());
    // For each bucket the edges asked for before it.
    let mut until = vec![0u32; histogram.buckets() + 1];
    for &edge in sorted {
        until[bucket_of(edge) + 1] += 1;
    }
    for bucket in 0..histogram.buckets() {
        until[bucket + 1] += until[bucket];
    }
    let asked: Vec<bool> = until.windows(2).map(|pair| pair[0] < pair[1]).collect();
    // For each the edges of its bucket that return before it, but not before the one ahead of it.
    let mut ahead = vec![0u32; sorted.len()];
    let (mut picker, mut buckets, mut place) = (Picker::new(), histogram.of_edges(), 0);
    scored.for_each_scores(|scores| {
        let (of_these, rest) = buckets.split_at(scores.len());
        let pick = |index: usize| {
            let edge = Return::new(scores[index], place + index as u32);
            let bucket = usize::from(of_these[index]);
            let (start, end) = (until[bucket] as usize, until[bucket + 1] as usize);
            let next = start + sorted[start..end].partition_point(|&asked| asked <= edge);
            if next < end {
                ahead[next] += 1;
            }
        };
        picker.pick(scores.len(), |index| asked[usize::from(of_these[index])], pick);
        buckets = rest;
        place += scores.len() as u32;
    });
    let mut number = 0;
    let numbers = sorted.iter().zip(&ahead).enumerate().map(|(index, (&edge, &ahead))| {
        let bucket = bucket_of(edge);
        if index == until[bucket] as usize {
            number = histogram.before(bucket) as u32;
        }
        number += ahead;
        number + 1
    });
    numbers.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::edge_order::Wide;
    use super::super::scored::Run;
    use super::super::sort::descending;
    use super::*;

    struct Listed(Vec<(f32, u32, u32)>);

    impl Scored for Listed {
        fn count(&self) -> usize {
            self.0.len()
        }

        fn for_each_run(&self, mut visit: impl FnMut(Run<'_>)) {
            for &(score, source, target) in &self.0 {
                visit(Run { scores: &[score], sources: &[source], first: 0, target });
            }
        }
    }

    /// Every edge sorted and tried.
    fn check<E: Ends + std::fmt::Debug>(nodes: usize, edges: Vec<(f32, u32, u32)>) -> usize {
        let edges = Listed(edges);
        let found: Vec<Join<E>> = of_scored(&edges, nodes);
        assert_eq!(found, along(descending(&edges), nodes));
        let histogram = Histogram::new(&edges);
        let first = histogram.before(histogram.first(FIRST * nodes));
        found.iter().filter(|join| join.number as usize > first).count()
    }

    fn edges(nodes: u32, score: impl Strategy<Value = f32>) -> impl Strategy<Value = Vec<(f32, u32, u32)>> {
        prop::collection::vec((score, 0..nodes, 0..nodes), 0..600)
    }

    proptest! {
        #[test]
        fn any_scores(edges in edges(40, prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL | prop::num::f32::ZERO)) {
            check::<Narrow>(40, edges.clone());
            check::<Wide>(40, edges);
        }

        #[test]
        fn many_ties_and_repeated_ends(edges in edges(30, (0u8..6).prop_map(|score| f32::from(score) - 1.0))) {
            check::<Narrow>(30, edges);
        }

        /// The nodes of the upper half are only touched by low scores.
        #[test]
        fn joined_late(edges in edges(40, (1u16..400).prop_map(f32::from))) {
            let late = |(score, a, b): (f32, u32, u32)| (if a.max(b) >= 20 { score * 0.1 } else { score }, a, b);
            check::<Narrow>(40, edges.into_iter().map(late).collect());
        }
    }

    #[test]
    fn late_joins_are_met_among_equal_scores() {
        // A dense core of high scores, then 60 nodes joined by edges of three scores only, each edge twice
        // and once again within the core.
        let mut edges: Vec<(f32, u32, u32)> = (0..400).map(|i| (100.0 + i as f32, i % 20, i * 7 % 19)).collect();
        for node in 20..80 {
            let score = (node % 3) as f32;
            edges.extend([(score, 0, 1), (score, node, node % 20), (score, node, node % 20), (score, node, 3)]);
        }
        assert!(check::<Narrow>(80, edges) >= 60);
    }

    #[test]
    fn no_edges_no_nodes() {
        assert_eq!(of_scored::<Narrow>(&Listed(Vec::new()), 0), []);
        assert_eq!(of_scored::<Narrow>(&Listed(Vec::new()), 5), []);
    }
}
