//! Which points of a curve are fitted.

use crate::scaling::curves::Curve;

/// A fit uses at least this many points.
pub const MIN_POINTS: usize = 6;
/// Without a range, it may begin above the last value below these shares of the largest value.
pub const LOWER_SHARES: [f64; 4] = [0.0, 0.05, 0.1, 0.2];
/// And end before the first value at these shares.
pub const UPPER_SHARES: [f64; 6] = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
/// A range is acceptable up to this many times max(1, the lowest chi-square per degree of freedom).
pub const ACCEPTABLE: f64 = 1.5;

/// The index ranges that are tried without a range: the rise of the curve, cut at shares of its
/// largest value, and the whole curve. Distinct, with enough points.
pub(super) fn candidates(curve: &Curve) -> Vec<std::ops::Range<usize>> {
    let values: Vec<f64> = curve.points().iter().map(|point| point.value).collect();
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut ranges = Vec::new();
    for upper in UPPER_SHARES {
        let end = values.iter().position(|&value| value >= upper * largest).unwrap_or(0);
        for lower in LOWER_SHARES {
            let begin = match lower {
                0.0 => 0,
                _ => values[..end].iter().rposition(|&value| value < lower * largest).map_or(0, |below| below + 1),
            };
            let range = begin..end;
            if range.len() >= MIN_POINTS && !ranges.contains(&range) {
                ranges.push(range);
            }
        }
    }
    // A curve that rises at all is also tried whole, with its plateau.
    let rises = !ranges.is_empty();
    // Where it rises by a jump, the points below hold none of the rise, and every law fits them.
    ranges.retain(|range| range.end == values.len() || holds_rise(&values[range.clone()], &values[range.end..]));
    if rises && !ranges.contains(&(0..values.len())) {
        ranges.push(0..values.len());
    }
    ranges
}

/// Whether the largest value of a range is at least half of the one that ended it.
fn holds_rise(inside: &[f64], beyond: &[f64]) -> bool {
    let largest = inside.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    beyond.first().is_none_or(|&next| largest >= 0.5 * next)
}

/// Around a range that was given: up to two points fewer at either end.
pub(super) fn trimmed(range: &std::ops::Range<usize>) -> Vec<std::ops::Range<usize>> {
    let mut ranges = Vec::new();
    for (low, high) in [(1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (2, 2)] {
        if range.len() >= MIN_POINTS + low + high {
            ranges.push(range.start + low..range.end - high);
        }
    }
    ranges
}

/// The points of a curve with controls in a closed interval.
pub(super) fn within(curve: &Curve, [low, high]: [f64; 2]) -> std::ops::Range<usize> {
    let begin = curve.points().partition_point(|point| point.control < low);
    let end = curve.points().partition_point(|point| point.control <= high);
    begin..end.max(begin)
}
