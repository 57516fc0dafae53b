//! Sorting edges by descending score.

use super::edge_order::{Ends, Keyed};

/// Edges a bucket, on average: a bucket and its copy stay in the first-level cache.
const BUCKET: usize = 512;
/// More buckets would not stay in the second-level cache while they are filled.
const MOST_BUCKETS: usize = 1 << 12;
const DIGIT_BITS: u32 = 8;

/// Edges with scores, which can be walked through again and again.
pub(super) trait Scored<E: Ends> {
    /// How many there are.
    fn count(&self) -> usize;

    /// Calls `visit` with every score, a finite number, and its ends; always in the same order.
    fn for_each(&self, visit: impl FnMut(f32, E));
}

/// A key that ascends where the score descends; 0 and -0 have one key.
#[inline]
fn key(score: f32) -> u32 {
    let bits = (score + 0.0).to_bits();
    if bits >> 31 == 0 { !bits & (u32::MAX >> 1) } else { bits }
}

/// The ends of edges by descending score, equal scores in the order in which they are visited.
///
/// One pass finds the range of the scores, one counts and one fills buckets of equal width in the
/// score, and each bucket is sorted by radix within the cache. The map from scores to buckets is
/// monotone in floating-point arithmetic too, so that scores of any spread are sorted; where they
/// are spread evenly it is fastest. O(edges); 12 bytes an edge with narrow ends and 20 with wide
/// ones, and twice the largest bucket.
pub(super) fn descending<E: Ends>(edges: &impl Scored<E>) -> Vec<E> {
    let count = edges.count();
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    edges.for_each(|score, _| {
        low = if score < low { score } else { low };
        high = if score > high { score } else { high };
    });
    let buckets = (count / BUCKET).clamp(1, MOST_BUCKETS);
    let high = f64::from(high);
    let width = high - f64::from(low);
    let scale = if width > 0.0 { buckets as f64 / width } else { 0.0 };
    let bucket_of = |score: f32| (((high - f64::from(score)) * scale) as usize).min(buckets - 1);

    let mut next = vec![0u32; buckets + 1];
    edges.for_each(|score, _| next[bucket_of(score) + 1] += 1);
    for bucket in 0..buckets {
        next[bucket + 1] += next[bucket];
    }
    let mut keyed = vec![Keyed::default(); count];
    edges.for_each(|score, ends| {
        let place = &mut next[bucket_of(score)];
        keyed[*place as usize] = Keyed { key: key(score), ends };
        *place += 1;
    });
    // Each bucket now begins where the one before it ends.
    let mut sorted = Vec::with_capacity(count);
    let mut copy = Vec::new();
    let mut start = 0;
    for &end in &next[..buckets] {
        let bucket = &mut keyed[start..end as usize];
        sort_by_key(bucket, &mut copy);
        sorted.extend(bucket.iter().map(|edge| edge.ends));
        start = end as usize;
    }
    sorted
}

/// Sorts by ascending key and keeps the order of equal keys: a radix sort, least significant digit
/// first, over the digits in which the keys differ. `copy` is room to work in.
fn sort_by_key<E: Ends>(edges: &mut [Keyed<E>], copy: &mut Vec<Keyed<E>>) {
    let Some(first) = edges.first() else { return };
    let differ = edges.iter().fold(0, |differ, edge| differ | (edge.key ^ first.key));
    let bits = u32::BITS - differ.leading_zeros();
    if bits == 0 {
        return;
    }
    if edges.len() <= 16 {
        edges.sort_by_key(|edge| edge.key);
        return;
    }
    let passes = bits.div_ceil(DIGIT_BITS);
    let digit_bits = bits.div_ceil(passes);
    copy.clear();
    copy.resize(edges.len(), Keyed::default());
    let (mut from, mut to) = (&mut *edges, copy.as_mut_slice());
    for pass in 0..passes {
        let digit = |key: u32| (key >> (digit_bits * pass)) as usize & ((1 << digit_bits) - 1);
        let mut next = [0u32; 1 << DIGIT_BITS];
        for edge in from.iter() {
            next[digit(edge.key)] += 1;
        }
        let mut sum = 0;
        for count in &mut next[..1 << digit_bits] {
            sum += std::mem::replace(count, sum);
        }
        for &edge in from.iter() {
            let place = &mut next[digit(edge.key)];
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
        let found: Vec<u32> = descending(&Listed(scores)).iter().map(|edge| edge.source()).collect();
        assert_eq!(found, expected);
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
        assert_eq!(std::mem::size_of::<Keyed<Narrow>>(), 8);
        assert_eq!(std::mem::size_of::<Keyed<Wide>>(), 12);
    }
}
