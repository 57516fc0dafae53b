//! Sorting edges by descending score.

use super::edge_order::Ends;
use super::key;
use super::scored::{Histogram, Scored};

/// Counts of fewer digits stay in the first-level cache with a bucket and its copy; more digits take
/// fewer passes, which pays from [`MANY`] edges on.
const DIGIT_BITS: u32 = 8;
const MORE_DIGIT_BITS: u32 = 12;
const MANY: usize = 1 << 12;

/// The ends of edges by descending score, equal scores in the order in which they are visited.
///
/// One pass counts the edges of buckets, another fills the buckets, and each is sorted within the
/// cache. O(edges); 14 bytes an edge with narrow ends and 22 with wide ones, and a copy of the largest
/// bucket.
pub(super) fn descending<E: Ends>(scored: &impl Scored) -> Vec<E> {
    let histogram = Histogram::new(scored);
    let mut next: Vec<usize> = (0..histogram.buckets()).map(|bucket| histogram.before(bucket)).collect();
    let mut edges = vec![E::Keyed::default(); scored.count()];
    let mut buckets = histogram.of_edges().iter();
    scored.for_each_run(|run| {
        for ((score, ends), &bucket) in run.edges::<E>().zip(&mut buckets) {
            let place = &mut next[usize::from(bucket)];
            edges[*place] = ends.keyed(key::of(score));
            *place += 1;
        }
    });
    let mut copy = Vec::new();
    let mut sorted = Vec::with_capacity(scored.count());
    for bucket in 0..histogram.buckets() {
        let bucket = &mut edges[histogram.before(bucket)..histogram.before(bucket + 1)];
        sort_by_key::<E>(bucket, &mut copy);
        sorted.extend(bucket.iter().map(|&edge| E::ends(edge)));
    }
    sorted
}

/// Sorts by ascending key and keeps the order of equal keys: a radix sort, least significant digit
/// first, over the digits of what they are above the least. `copy` is room to work in.
pub(super) fn sort_by_key<E: Ends>(edges: &mut [E::Keyed], copy: &mut Vec<E::Keyed>) {
    let (least, most) = edges
        .iter()
        .map(|&edge| E::key(edge))
        .fold((u32::MAX, 0), |(least, most), key| (least.min(key), most.max(key)));
    if least >= most {
        return;
    }
    let bits = u32::BITS - (most - least).leading_zeros();
    if edges.len() <= 16 {
        edges.sort_by_key(|&edge| E::key(edge));
        return;
    }
    let most_bits = if edges.len() < MANY { DIGIT_BITS } else { MORE_DIGIT_BITS };
    let passes = bits.div_ceil(most_bits) as usize;
    let digit_bits = bits.div_ceil(passes as u32);
    let digits = 1 << digit_bits;
    let digit = |key: u32, pass: usize| ((key - least) >> (digit_bits * pass as u32)) as usize & (digits - 1);
    let (mut few, mut many) = ([0u32; 4 << DIGIT_BITS], Vec::new());
    let counts = if most_bits == DIGIT_BITS {
        &mut few[..passes << digit_bits]
    } else {
        many.resize(passes << digit_bits, 0);
        &mut many[..]
    };
    for &edge in edges.iter() {
        for (pass, counts) in counts.chunks_exact_mut(digits).enumerate() {
            counts[digit(E::key(edge), pass)] += 1;
        }
    }
    let count = edges.len();
    if copy.len() < count {
        copy.resize(count, E::Keyed::default());
    }
    let (mut from, mut to) = (&mut *edges, &mut copy[..count]);
    for (pass, next) in counts.chunks_exact_mut(digits).enumerate() {
        let mut sum = 0;
        for count in next.iter_mut() {
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
    use super::super::scored::Run;
    use super::*;

    struct Listed(Vec<f32>);

    impl Scored for Listed {
        fn count(&self) -> usize {
            self.0.len()
        }

        fn for_each_run(&self, mut visit: impl FnMut(Run<'_>)) {
            for (first, score) in self.0.iter().enumerate() {
                visit(Run { scores: std::slice::from_ref(score), sources: &[0], first: first as u32, target: 0 });
            }
        }
    }

    fn check(scores: Vec<f32>) {
        let mut expected: Vec<u32> = (0..scores.len() as u32).collect();
        // A stable sort by the numbers themselves.
        expected.sort_by(|&a, &b| scores[b as usize].partial_cmp(&scores[a as usize]).unwrap());
        let scores = Listed(scores);
        let found: Vec<u32> = descending::<Wide>(&scores).iter().map(|edge| edge.source()).collect();
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
        assert_eq!(std::mem::size_of::<<Narrow as Ends>::Keyed>(), 8);
        assert_eq!(std::mem::size_of::<<Wide as Ends>::Keyed>(), 12);
    }
}
