//! Where the curves of several sizes have their peaks.

use super::ScalingError;
use super::crossings::{PseudoCritical, check, draws, judged};
use super::curves::{Curve, Curves};
use super::parabola::parabola;

/// The parabola goes through the points around the largest value down to this share of it.
const SHARE: f64 = 0.8;
/// And through at least this many points.
const MIN_POINTS: usize = 5;

/// The points around the largest value; none where it lies at an end.
fn window(values: &[f64]) -> Option<std::ops::Range<usize>> {
    let top = (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b]))?;
    let mut range = top..top + 1;
    while range.start > 0 && values[range.start - 1] >= SHARE * values[top] {
        range.start -= 1;
    }
    while range.end < values.len() && values[range.end] >= SHARE * values[top] {
        range.end += 1;
    }
    while range.len() < MIN_POINTS.min(values.len()) {
        range = range.start.saturating_sub(1)..(range.end + 1).min(values.len());
    }
    let inner = range.start < top && top + 1 < range.end && range.len() >= MIN_POINTS;
    inner.then_some(range)
}

/// The vertex of the parabola through the points of a range, all with one weight; none where it opens upward or its
/// vertex lies outside. Errors of fluctuations grow with the fluctuations, so that weights of 1/error^2 would favour
/// the points that lie low by chance.
fn vertex(curve: &Curve, values: &[f64], range: &std::ops::Range<usize>) -> Option<(f64, f64)> {
    let points = &curve.points()[range.clone()];
    let (low, high) = (points[0].control, points[points.len() - 1].control);
    let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
    let [a, b, c] = parabola(
        points.iter().zip(&values[range.clone()]).map(|(point, value)| [(point.control - middle) / half, *value, 1.0]),
    )?;
    let x = -b / (2.0 * c);
    (c < 0.0 && x.abs() <= 1.0).then_some((middle + half * x, a - b * b / (4.0 * c)))
}

/// The peaks of s2, chi or chi_fl of every size, by a parabola through the points around the
/// largest value down to 80 % of it (at least 5 points); errors from resamples on the same points.
/// Their places go to p_c as p_c + c L^(-1/nu) ([`super::extrapolate`]), their heights grow as
/// chi does ([`super::fit_growth`]). A parabola does not follow a skewed peak: the place is off by a
/// share of the width that is the same at all sizes, which changes c and not p_c. Sizes whose largest
/// value lies at an end of the controls are left out. O(resamples x points).
///
/// # Errors
/// [`ScalingError::NoErrors`], [`ScalingError::TooFewSizes`] without any,
/// [`ScalingError::Option`] for fewer than 10 resamples.
pub fn peaks(curves: &Curves, resamples: usize, seed: u64) -> Result<Vec<PseudoCritical>, ScalingError> {
    check(curves, resamples, 1)?;
    let draws = draws(curves, resamples, seed);
    let mut rows = Vec::new();
    for (k, curve) in curves.curves().iter().enumerate() {
        let values: Vec<f64> = curve.points().iter().map(|point| point.value).collect();
        let Some(range) = window(&values) else { continue };
        let Some(found) = vertex(curve, &values, &range) else { continue };
        let cloud: Vec<(f64, f64)> = draws.iter().filter_map(|draw| vertex(curve, &draw[k], &range)).collect();
        rows.extend(judged(curve.size(), [curve.size(); 2], found, &cloud, resamples));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::curves::Row;
    use crate::scaling::extrapolate;
    use crate::seed::Seeds;

    /// Peaks at 0.5 - 0.6 L^-3/4 of width L^-3/4; 100 sets.
    #[test]
    fn peaks_and_their_limit_cover_the_truth() {
        let (mut within, mut drawn, mut covered) = (0, 0, 0);
        for seed in 0..100 {
            let mut stream = Seeds::new(seed, 0).stream("synthetic");
            let mut rows = Vec::new();
            for size in [16.0f64, 32.0, 64.0, 128.0] {
                for step in 0..120 {
                    let control = 0.3 + 0.0025 * f64::from(step);
                    let x = (control - 0.5) * size.powf(0.75) + 0.6;
                    let value = size * ((-x * x).exp() + 0.02 * stream.normal());
                    rows.push(Row { size, control, value, error: Some(0.02 * size), replicate: None });
                }
            }
            let found = peaks(&Curves::from_rows(rows).unwrap(), 60, seed).unwrap();
            for one in &found {
                drawn += 1;
                let truth = 0.5 - 0.6 * one.size.powf(-0.75);
                within += i32::from((one.control - truth).abs() < 1.96 * one.error);
            }
            let limit = extrapolate(&found, Some(0.75)).unwrap();
            covered += i32::from((limit.p_c - 0.5).abs() < 1.96 * limit.error);
        }
        assert!(drawn >= 395 && f64::from(within) > 0.88 * f64::from(drawn), "{within} of {drawn}");
        assert!(covered >= 88, "{covered}");
    }

    #[test]
    fn a_curve_that_only_rises_has_no_peak() {
        let rows = (0..20).map(|n| Row {
            size: 8.0,
            control: f64::from(n),
            value: f64::from(n),
            error: Some(1.0),
            replicate: None,
        });
        assert!(peaks(&Curves::from_rows(rows).unwrap(), 20, 0).unwrap().is_empty());
    }
}
