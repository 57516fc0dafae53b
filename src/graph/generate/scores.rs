//! Weights that are all different and in random order.

use crate::seed::Stream;

/// Whole numbers up to this one are exact in 32 bits, so that as many scores are all different.
const EXACT: usize = 1 << 24;

/// The weight of the item that comes as number `rank` of `count`, counted from 0: above 0, at most
/// 1, and the larger the earlier. Different for different ranks up to 2^24 items; beyond, some
/// neighbours in rank are equal and the order in the graph breaks the tie.
pub(super) fn score(rank: u32, count: usize) -> f32 {
    (count - rank as usize) as f32 / count.max(EXACT) as f32
}

/// A uniformly random order of `count` items: the rank of each.
pub(super) fn random_ranks(count: usize, stream: &mut Stream) -> Vec<u32> {
    let mut ranks: Vec<u32> = (0..count as u32).collect();
    stream.shuffle(&mut ranks);
    ranks
}

/// The order statistics of `count` independent uniform times in [0, 1), ascending. They are
/// independent of the order of the items, so item i of rank r has the time at place r.
pub(super) fn sorted_times(count: usize, stream: &mut Stream) -> Vec<f64> {
    let mut times: Vec<f64> = (0..count).map(|_| stream.unit()).collect();
    times.sort_unstable_by(f64::total_cmp);
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_fall_with_the_rank_and_never_tie_below_the_limit() {
        for count in [1, 5, EXACT - 1, EXACT] {
            let step = (count / 1000).max(1);
            for rank in (0..count.saturating_sub(1)).step_by(step).chain([count.saturating_sub(2)]) {
                if rank + 1 < count {
                    assert!(score(rank as u32, count) > score(rank as u32 + 1, count), "{rank} of {count}");
                }
            }
            assert!(score(0, count) <= 1.0 && score(count as u32 - 1, count) > 0.0);
        }
    }
}
