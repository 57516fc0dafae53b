//! Sorting edges by descending score.

use std::ops::{ControlFlow, Range};

use super::edge_order::Ends;

/// Edges a bucket, on average: a bucket and its copy stay in the first-level cache.
const BUCKET: usize = 512;
/// More buckets would not stay in the second-level cache while they are filled.
const MOST_BUCKETS: usize = 1 << 12;
const DIGIT_BITS: u32 = 8;
/// From so many edges on, one more walk through them costs less than an early end may save.
#[cfg(not(test))]
const APART: usize = 1 << 20;
#[cfg(test)]
const APART: usize = 1 << 9;

/// Edges with scores, which can be walked through again and again.
pub(super) trait Scored<E: Ends> {
    /// How many there are.
    fn count(&self) -> usize;

    /// Calls `visit` with every score, a finite number, and its ends; always in the same order.
    fn for_each(&self, visit: impl FnMut(f32, E));

    /// Two numbers between which all scores lie.
    fn range(&self) -> (f32, f32) {
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        self.for_each(|score, _| {
            low = if score < low { score } else { low };
            high = if score > high { score } else { high };
        });
        (low, high)
    }
}

/// A key that ascends where the score descends; 0 and -0 have one key.
#[inline]
fn key(score: f32) -> u32 {
    let bits = (score + 0.0).to_bits();
    if bits >> 31 == 0 { !bits & (u32::MAX >> 1) } else { bits }
}

/// Edges in buckets of descending score, a few of which at a time are filled and sorted.
///
/// One pass counts the edges of buckets of equal width in the score, another fills buckets, and each
/// is sorted by radix within the cache. The map from scores to buckets is monotone in floating-point
/// arithmetic too, so that scores of any spread are sorted; where they are spread evenly it is
/// fastest.
pub(super) struct Buckets<'a, E: Ends, S> {
    scored: &'a S,
    high: f32,
    /// Not a number where all scores are equal or the range overflows: then all edges are in the
    /// first bucket, which is monotone too.
    scale: f32,
    /// Where each bucket starts, and the number of edges.
    starts: Vec<u32>,
    /// The edges of the buckets that are filled.
    edges: Vec<E::Keyed>,
    filled: Range<usize>,
    copy: Vec<E::Keyed>,
}

impl<'a, E: Ends, S: Scored<E>> Buckets<'a, E, S> {
    /// O(edges).
    pub(super) fn new(scored: &'a S) -> Self {
        let buckets = (scored.count() / BUCKET).clamp(1, MOST_BUCKETS);
        let (low, high) = scored.range();
        let scale = buckets as f32 / (high - low);
        let mut starts = vec![0u32; buckets + 1];
        scored.for_each(|score, _| starts[bucket_of(score, high, scale, buckets) + 1] += 1);
        for bucket in 0..buckets {
            starts[bucket + 1] += starts[bucket];
        }
        Self { scored, high, scale, starts, edges: Vec::new(), filled: 0..0, copy: Vec::new() }
    }

    /// The number of buckets.
    pub(super) fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// The first bucket, but for that of the highest scores, before which there are `edges` edges.
    fn after(&self, edges: usize) -> usize {
        self.starts.partition_point(|&start| (start as usize) < edges).clamp(1, self.count())
    }

    /// Fills `buckets`, in the place of those that were filled before. O(edges); 8 bytes an edge in
    /// these buckets with narrow ends and 12 with wide ones.
    pub(super) fn fill(&mut self, buckets: Range<usize>) {
        let (high, scale, count) = (self.high, self.scale, self.count());
        let mut next = self.starts[buckets.clone()].to_vec();
        let offset = self.starts[buckets.start];
        next.iter_mut().for_each(|start| *start -= offset);
        self.edges = Vec::new();
        self.edges = vec![E::Keyed::default(); (self.starts[buckets.end] - offset) as usize];
        let (first, edges) = (buckets.start, &mut self.edges);
        self.scored.for_each(|score, ends| {
            // A bucket before the first wraps around to a large number.
            let bucket = bucket_of(score, high, scale, count).wrapping_sub(first);
            if let Some(place) = next.get_mut(bucket) {
                edges[*place as usize] = ends.keyed(key(score));
                *place += 1;
            }
        });
        self.filled = buckets;
    }

    /// The edges of a filled bucket by descending score, equal scores in the order in which they
    /// were visited. Room for a copy of the largest bucket is kept.
    pub(super) fn sorted(&mut self, bucket: usize) -> impl Iterator<Item = E> + '_ {
        debug_assert!(self.filled.contains(&bucket), "bucket {bucket} is not filled");
        let offset = self.starts[self.filled.start];
        let edges =
            &mut self.edges[(self.starts[bucket] - offset) as usize..(self.starts[bucket + 1] - offset) as usize];
        sort_by_key::<E>(edges, &mut self.copy);
        edges.iter().map(|&edge| E::ends(edge))
    }
}

#[inline]
fn bucket_of(score: f32, high: f32, scale: f32, buckets: usize) -> usize {
    (((high - score) * scale) as usize).min(buckets - 1)
}

/// The ends of edges by descending score, equal scores in the order in which they are visited.
/// O(edges); 12 bytes an edge with narrow ends and 20 with wide ones, and a copy of the largest
/// bucket.
pub(super) fn descending<E: Ends>(scored: &impl Scored<E>) -> Vec<E> {
    let mut buckets = Buckets::new(scored);
    buckets.fill(0..buckets.count());
    let mut sorted = Vec::with_capacity(scored.count());
    for bucket in 0..buckets.count() {
        sorted.extend(buckets.sorted(bucket));
    }
    sorted
}

/// Visits the edges as [`descending`] sorts them, until `visit` returns [`ControlFlow::Break`]. The
/// first eighth of many is sorted alone, so that an early end costs less. O(edges); 7 bytes an edge with
/// narrow ends and 11 with wide ones at most, and a copy of the largest bucket.
pub(super) fn visit_descending<E: Ends>(
    scored: &impl Scored<E>,
    mut visit: impl FnMut(E) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut buckets = Buckets::new(scored);
    let last = buckets.count();
    let middle = if scored.count() < APART { last } else { buckets.after(scored.count() / 8) };
    for part in [0..middle, middle..last] {
        if part.is_empty() {
            break;
        }
        buckets.fill(part.clone());
        for bucket in part {
            buckets.sorted(bucket).try_for_each(&mut visit)?;
        }
    }
    ControlFlow::Continue(())
}

/// Sorts by ascending key and keeps the order of equal keys: a radix sort, least significant digit
/// first, over the digits in which the keys differ. `copy` is room to work in.
fn sort_by_key<E: Ends>(edges: &mut [E::Keyed], copy: &mut Vec<E::Keyed>) {
    let Some(&first) = edges.first() else { return };
    let differ = edges.iter().fold(0, |differ, &edge| differ | (E::key(edge) ^ E::key(first)));
    let bits = u32::BITS - differ.leading_zeros();
    if bits == 0 {
        return;
    }
    if edges.len() <= 16 {
        edges.sort_by_key(|&edge| E::key(edge));
        return;
    }
    let passes = bits.div_ceil(DIGIT_BITS) as usize;
    let digit_bits = bits.div_ceil(passes as u32);
    let digits = 1 << digit_bits;
    let digit = |key: u32, pass: usize| (key >> (digit_bits * pass as u32)) as usize & (digits - 1);
    let mut next = [[0u32; 1 << DIGIT_BITS]; 4];
    for &edge in edges.iter() {
        for (pass, next) in next[..passes].iter_mut().enumerate() {
            next[digit(E::key(edge), pass)] += 1;
        }
    }
    let count = edges.len();
    if copy.len() < count {
        copy.resize(count, E::Keyed::default());
    }
    let (mut from, mut to) = (&mut *edges, &mut copy[..count]);
    for (pass, next) in next[..passes].iter_mut().enumerate() {
        let mut sum = 0;
        for count in &mut next[..digits] {
            sum += std::mem::replace(count, sum);
        }
        for &edge in from.iter() {
            let place = &mut next[digit(E::key(edge), pass)];
            to[*place as usize] = edge;
            *place += 1;
        }
        std::mem::swap(&mut from, &mut to);
    }
    if passes % 2 == 1 {
        // The sorted edges are in the copy.
        to.copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::edge_order::{Narrow, Wide};
    use super::*;

    struct Listed(Vec<f32>);

    impl Scored<Wide> for Listed {
        fn count(&self) -> usize {
            self.0.len()
        }

        fn for_each(&self, mut visit: impl FnMut(f32, Wide)) {
            for (index, &score) in self.0.iter().enumerate() {
                visit(score, Wide::new(index as u32, 0));
            }
        }
    }

    fn check(scores: Vec<f32>) {
        let mut expected: Vec<u32> = (0..scores.len() as u32).collect();
        // A stable sort by the numbers themselves.
        expected.sort_by(|&a, &b| scores[b as usize].partial_cmp(&scores[a as usize]).unwrap());
        let scores = Listed(scores);
        let found: Vec<u32> = descending(&scores).iter().map(|edge| edge.source()).collect();
        assert_eq!(found, expected);
        for most in [expected.len() / 2, expected.len()] {
            let mut found = Vec::new();
            let _ = visit_descending(&scores, |edge| {
                if found.len() == most {
                    return ControlFlow::Break(());
                }
                found.push(edge.source());
                ControlFlow::Continue(())
            });
            assert_eq!(found, expected[..most]);
        }
    }

    proptest! {
        #[test]
        fn any_scores(
            scores in prop::collection::vec(
                prop_oneof![prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL | prop::num::f32::ZERO, -2f32..2.0, Just(0.5)],
                0..3000,
            )
        ) {
            check(scores);
        }

        #[test]
        fn scores_like_weights(scores in prop::collection::vec((0u32..500).prop_map(|w| w as f32 * 1e-3), 0..5000)) {
            check(scores);
        }
    }

    #[test]
    fn extreme_scores() {
        let tiny = f32::from_bits(1);
        check(vec![f32::MAX, f32::MIN, 0.0, -0.0, tiny, -tiny, f32::MIN_POSITIVE]);
        // One large score puts all others into one bucket.
        let mut scores: Vec<f32> = (0..40_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 * 1e-9).collect();
        scores.push(1e30);
        check(scores);
        check((0..4000).map(|i| (i as f32 * 0.01).exp2() * 1e-30).collect());
        check(vec![0.25; 3000]);
    }

    #[test]
    fn edges_stay_small() {
        assert_eq!(std::mem::size_of::<<Narrow as Ends>::Keyed>(), 8);
        assert_eq!(std::mem::size_of::<<Wide as Ends>::Keyed>(), 12);
    }
}
