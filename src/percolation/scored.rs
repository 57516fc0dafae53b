//! Edges with scores, the runs in which they are walked through, and a histogram of the scores.

use super::edge_order::Ends;
use super::key;

/// Edges a bucket, on average, while there are few of them: so few are sorted by insertion.
const BUCKET: usize = 8;
/// More buckets would not stay in the second-level cache while they are filled.
const MOST_BUCKETS: usize = 1 << 12;

/// Some edges into one node, with their scores.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    /// Finite numbers.
    pub(super) scores: &'a [f32],
    /// As many: the sources, counted from `first`.
    pub(super) sources: &'a [u32],
    pub(super) first: u32,
    pub(super) target: u32,
}

impl Run<'_> {
    /// Every score with its ends.
    #[inline]
    pub(super) fn edges<E: Ends>(&self) -> impl Iterator<Item = (f32, E)> + '_ {
        self.scores.iter().enumerate().map(|(index, &score)| (score, self.ends(index)))
    }

    /// The ends of one edge.
    #[inline]
    pub(super) fn ends<E: Ends>(&self, index: usize) -> E {
        E::new(self.first + self.sources[index], self.target)
    }
}

/// Edges with scores, which can be walked through again and again.
pub(super) trait Scored {
    /// How many there are.
    fn count(&self) -> usize;

    /// Calls `visit` with all edges, always in the same order and the same runs.
    fn for_each_run(&self, visit: impl FnMut(Run<'_>));

    /// Calls `visit` with all scores in that order, in parts of any length.
    fn for_each_scores(&self, mut visit: impl FnMut(&[f32])) {
        self.for_each_run(|run| visit(run.scores));
    }

    /// Two numbers between which all scores lie.
    fn range(&self) -> (f32, f32) {
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        self.for_each_scores(|scores| {
            for &score in scores {
                low = if score < low { score } else { low };
                high = if score > high { score } else { high };
            }
        });
        (low, high)
    }
}

/// How many edges there are in buckets of descending score, of equal width in the score.
///
/// The map from scores to buckets is monotone in floating-point arithmetic too, so that scores of any
/// spread come into buckets; where they are spread evenly, evenly.
pub(super) struct Histogram {
    high: f32,
    /// Infinite where all scores are equal, and 0 where their range overflows; the products that are
    /// not numbers then count as the last bucket, which is monotone too.
    scale: f32,
    last: f32,
    /// The number of edges before each bucket, and of all.
    before: Vec<u32>,
    /// The bucket of every edge, in the order in which they are visited.
    of_edges: Vec<u16>,
}

impl Histogram {
    /// O(edges), 2 bytes each.
    pub(super) fn new(scored: &impl Scored) -> Self {
        let buckets = (scored.count() / BUCKET).clamp(1, MOST_BUCKETS);
        let (low, high) = scored.range();
        let mut histogram = Self {
            high,
            scale: buckets as f32 / (high - low),
            last: (buckets - 1) as f32,
            before: vec![0; buckets + 1],
            of_edges: Vec::new(),
        };
        let mut of_edges = Vec::with_capacity(scored.count());
        scored.for_each_scores(|scores| {
            of_edges.extend(scores.iter().map(|&score| histogram.bucket_of(score) as u16));
        });
        let mut counts = vec![0u32; buckets];
        of_edges.iter().for_each(|&bucket| counts[usize::from(bucket)] += 1);
        histogram.of_edges = of_edges;
        let mut sum = 0;
        for (before, count) in histogram.before[1..].iter_mut().zip(counts) {
            sum += count;
            *before = sum;
        }
        histogram
    }

    /// The number of buckets.
    pub(super) fn buckets(&self) -> usize {
        self.before.len() - 1
    }

    /// The bucket of a score of an edge, or of a lower one.
    #[inline]
    pub(super) fn bucket_of(&self, score: f32) -> usize {
        // Rounds to the nearest number below 2^23, and takes it from the bits: the conversions of the
        // language guard against what cannot come here, and take twice as long.
        const INTEGERS: f32 = (1 << (f32::MANTISSA_DIGITS - 1)) as f32;
        let bucket = (self.high - score) * self.scale;
        let bucket = if bucket < self.last { bucket } else { self.last };
        ((bucket + INTEGERS).to_bits() - INTEGERS.to_bits()) as usize
    }

    /// The bucket of every edge, in the order in which they are visited.
    pub(super) fn of_edges(&self) -> &[u16] {
        &self.of_edges
    }

    /// The number of edges in the buckets before one.
    pub(super) fn before(&self, bucket: usize) -> usize {
        self.before[bucket] as usize
    }

    /// The first bucket, but for that of the highest scores, before which there are `edges` edges; or
    /// the number of buckets.
    pub(super) fn first(&self, edges: usize) -> usize {
        self.before.partition_point(|&before| (before as usize) < edges).clamp(1, self.buckets())
    }

    /// The lowest finite score in the buckets before `bucket`.
    pub(super) fn lowest(&self, bucket: usize) -> f32 {
        let (mut inside, mut outside) = (key::of(self.high), key::of(f32::MIN) + 1);
        while outside - inside > 1 {
            let middle = inside.midpoint(outside);
            if self.bucket_of(key::score(middle)) < bucket {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        key::score(inside)
    }
}
