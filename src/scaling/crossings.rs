//! Where curves of neighbouring sizes cross, and where that goes as the size grows.

use serde::{Deserialize, Serialize};

use super::ScalingError;
use super::curves::{Curve, Curves, ErrorSource};
use super::estimate::standard_deviation;
use super::fit::inverse_diagonal;
use super::parabola::parabola;
use super::resample::{Resampling, resample};
use crate::seed::Seeds;

/// Fewer resamples that cross leave a crossing without an error.
const MIN_CROSSING: f64 = 0.5;
/// Controls on either side of a crossing that its parabola goes through.
const HALF_WINDOW: usize = 4;
/// Around a crossing the difference of the curves changes by at least this share of the range of their values.
const SWING: f64 = 1e-3;
/// A change of sign is steep from this share of the steepest on.
const STEEP: f64 = 0.25;
/// The exponents that an extrapolation may have.
const EXPONENTS: [f64; 2] = [0.1, 6.0];

/// A pseudo-critical point of one size, or of a pair of neighbouring sizes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PseudoCritical {
    /// The size; of a pair the geometric mean.
    pub size: f64,
    /// The smaller size of a pair, or the size.
    pub smaller: f64,
    /// The larger size of a pair, or the size.
    pub larger: f64,
    /// The control there.
    pub control: f64,
    /// Its standard error over resamples.
    pub error: f64,
    /// The value there.
    pub value: f64,
    /// Its standard error over resamples.
    pub value_error: f64,
    /// Resamples that had one, of those drawn.
    pub found: usize,
}

/// Where pseudo-critical points go: p(L) = p_c + c L^(-w).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Extrapolated {
    /// p_c.
    pub p_c: f64,
    /// Its standard error: w varied too where `w_given` is false.
    pub error: f64,
    /// c.
    pub c: f64,
    /// w.
    pub w: f64,
    /// Its standard error; `null` in JSON where w was given or is not determined.
    pub w_error: Option<f64>,
    /// Whether w was given.
    pub w_given: bool,
    /// Sum of the squared residuals in units of their errors.
    pub chi_square: f64,
    /// Points less parameters.
    pub degrees_of_freedom: usize,
}

/// Checks what crossings and peaks need.
pub(super) fn check(curves: &Curves, resamples: usize, sizes: usize) -> Result<(), ScalingError> {
    let there = curves.curves().len();
    if there < sizes {
        return Err(ScalingError::TooFewSizes { there, needed: sizes });
    }
    if curves.source() == ErrorSource::Unknown {
        return Err(ScalingError::NoErrors);
    }
    if resamples < 10 {
        let value = resamples.to_string();
        return Err(ScalingError::Option { what: "bootstrap", value, needed: "a number of at least 10" });
    }
    Ok(())
}

/// The value between two points of a curve, by a line.
fn at(curve: &Curve, values: &[f64], control: f64) -> Option<f64> {
    let points = curve.points();
    let above = points.partition_point(|point| point.control < control);
    if above == points.len() || (above == 0 && points[0].control > control) {
        return None;
    }
    if points[above].control == control {
        return Some(values[above]);
    }
    let (low, high) = (points[above - 1].control, points[above].control);
    Some(values[above - 1] + (values[above] - values[above - 1]) * (control - low) / (high - low))
}

/// (control, difference, value of the first curve) at all controls where both curves are known.
fn differences(pair: [&Curve; 2], values: [&[f64]; 2]) -> Vec<[f64; 3]> {
    let mut controls: Vec<f64> =
        pair.iter().flat_map(|curve| curve.points().iter().map(|point| point.control)).collect();
    controls.sort_by(f64::total_cmp);
    controls.dedup();
    let row = |x| {
        let (a, b) = (at(pair[0], values[0], x)?, at(pair[1], values[1], x)?);
        Some([x, b - a, a])
    };
    controls.into_iter().filter_map(row).collect()
}

/// The rows around the last steep change of sign of the difference, averaged over five rows. Noise where
/// both curves lie on a plateau changes sign too, but not steeply; R and U4 cross steeply once more below
/// p_c, on the far side of the peak of the fluctuations. None where all changes are a plateau's, too small for the
/// range of the values.
fn window(rows: &[[f64; 3]]) -> Option<std::ops::Range<usize>> {
    let around = |k: usize| k.saturating_sub(2)..(k + 3).min(rows.len());
    let smooth: Vec<f64> = (0..rows.len())
        .map(|k| rows[around(k)].iter().map(|row| row[1]).sum::<f64>() / around(k).len() as f64)
        .collect();
    let changes = (0..rows.len().saturating_sub(1)).filter(|&k| smooth[k] != 0.0 && smooth[k] * smooth[k + 1] <= 0.0);
    let steep = |k: &usize| (smooth[(k + 3).min(rows.len() - 1)] - smooth[k.saturating_sub(2)]).abs();
    let changes: Vec<usize> = changes.collect();
    let strongest = changes.iter().map(&steep).fold(0.0, f64::max);
    let k = changes.into_iter().rfind(|k| steep(k) >= STEEP * strongest)?;
    let range = (k + 1).saturating_sub(HALF_WINDOW)..(k + 1 + HALF_WINDOW).min(rows.len());
    let spread = |values: &mut dyn Iterator<Item = f64>| {
        let (low, high) =
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        high - low
    };
    let swing = spread(&mut rows[range.clone()].iter().map(|row| row[1]));
    let whole = spread(&mut rows.iter().flat_map(|row| [row[2], row[2] + row[1]]));
    (range.len() >= 4 && swing >= SWING * whole).then_some(range)
}

/// (control, value) where the parabola through the differences of a window is 0.
fn crossing(rows: &[[f64; 3]]) -> Option<(f64, f64)> {
    let (low, high) = (rows[0][0], rows[rows.len() - 1][0]);
    let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
    let through = |axis: usize| parabola(rows.iter().map(|row| [(row[0] - middle) / half, row[axis], 1.0]));
    let ([a, b, c], [d, e, f]) = (through(1)?, through(2)?);
    // The root of a + b x + c x^2 that stays finite as c falls to 0, also for a falling difference.
    let root = (b * b - 4.0 * a * c).sqrt();
    let x = -2.0 * a / (b + root.copysign(b));
    // Half a window beyond its ends: a resample may cross there.
    (x.abs() <= 1.5).then_some((middle + half * x, d + e * x + f * x * x))
}

/// The crossings of curves of neighbouring sizes: of a quantity that does not depend on the size at
/// p_c, such as R, U4 or a spanning probability, they go to p_c.
///
/// Values between points are on lines; the difference of the two curves is followed by a parabola through the
/// eight controls around its change of sign, in resamples through the same; of several changes of sign the last one
/// at least a quarter as steep as the steepest counts, since R and U4 cross once more below p_c. Pairs without a
/// crossing are left out, and so is one around which the difference changes by less than 0.1 % of the range of both
/// curves: on one plateau they cross by noise alone. Errors from resamples of whole replicates or as the errors say
/// ([`Resampling`]). O(resamples x points).
///
/// # Errors
/// [`ScalingError::TooFewSizes`] for fewer than two sizes, [`ScalingError::NoErrors`],
/// [`ScalingError::Option`] for fewer than 10 resamples.
pub fn crossings(curves: &Curves, resamples: usize, seed: u64) -> Result<Vec<PseudoCritical>, ScalingError> {
    check(curves, resamples, 2)?;
    let all = curves.curves();
    let values: Vec<Vec<f64>> =
        all.iter().map(|curve| curve.points().iter().map(|point| point.value).collect()).collect();
    let draws = draws(curves, resamples, seed);
    let mut rows = Vec::new();
    for k in 0..all.len() - 1 {
        let pair = [&all[k], &all[k + 1]];
        let rows_of = |values: &[Vec<f64>]| differences(pair, [&values[k], &values[k + 1]]);
        let own = rows_of(&values);
        let Some(range) = window(&own) else { continue };
        let Some((control, value)) = crossing(&own[range.clone()]) else { continue };
        let cloud: Vec<(f64, f64)> = draws.iter().filter_map(|draw| crossing(&rows_of(draw)[range.clone()])).collect();
        let [smaller, larger] = pair.map(Curve::size);
        rows.extend(judged((smaller * larger).sqrt(), [smaller, larger], (control, value), &cloud, resamples));
    }
    Ok(rows)
}

pub(super) fn draws(curves: &Curves, resamples: usize, seed: u64) -> Vec<Vec<Vec<f64>>> {
    let (how, seeds) = (Resampling::for_curves(curves), Seeds::new(seed, 0));
    (0..resamples)
        .map(|number| resample(curves, how, &mut seeds.stream(&format!("pseudo-critical {number}"))))
        .collect()
}

/// A pseudo-critical point with the errors of its cloud; none where most resamples have none.
pub(super) fn judged(
    size: f64,
    [smaller, larger]: [f64; 2],
    (control, value): (f64, f64),
    cloud: &[(f64, f64)],
    drawn: usize,
) -> Option<PseudoCritical> {
    let spread = |of: &dyn Fn(&(f64, f64)) -> f64| standard_deviation(&cloud.iter().map(of).collect::<Vec<_>>());
    let (error, value_error) = (spread(&|one| one.0), spread(&|one| one.1));
    let enough = cloud.len() as f64 >= MIN_CROSSING * drawn as f64 && error > 0.0;
    enough.then_some(PseudoCritical { size, smaller, larger, control, error, value, value_error, found: cloud.len() })
}

/// (p_c, its error, c, chi-square) with w given.
fn linear(points: &[PseudoCritical], w: f64) -> Option<[f64; 4]> {
    let items = || points.iter().map(|point| (point.size.powf(-w), point.control, point.error.powi(-2)));
    let total: f64 = items().map(|item| item.2).sum();
    let x = items().map(|item| item.2 * item.0).sum::<f64>() / total;
    let y = items().map(|item| item.2 * item.1).sum::<f64>() / total;
    let spread: f64 = items().map(|item| item.2 * (item.0 - x).powi(2)).sum();
    let c = items().map(|item| item.2 * (item.0 - x) * (item.1 - y)).sum::<f64>() / spread;
    let p_c = y - c * x;
    let error = (1.0 / total + x * x / spread).sqrt();
    let chi_square = items().map(|item| item.2 * (item.1 - p_c - c * item.0).powi(2)).sum();
    (spread > 0.0 && error.is_finite()).then_some([p_c, error, c, chi_square])
}

/// Extrapolates pseudo-critical points: p(L) = p_c + c L^(-w), by weighted least squares. With w given
/// (1/nu, for peaks) two points are enough and the line decides; else w is scanned from 0.1 to 6 and
/// refined, and the errors come from the curvature of chi-square in all three parameters; where the
/// points do not determine w, the error of p_c is the spread over all w with chi-square within 1 of the
/// lowest. Neighbouring crossings share a size and so are correlated, which is left out. Errors grow by
/// sqrt(chi-square / degrees of freedom) where that exceeds 1.
///
/// # Errors
/// [`ScalingError::TooFewPoints`]: three points without, two with a given w;
/// [`ScalingError::Option`] for a given w that is not above 0.
///
/// ```
/// use prunephase::scaling::{PseudoCritical, extrapolate};
/// let points = [16.0, 32.0, 64.0, 128.0].map(|size: f64| PseudoCritical {
///     size, smaller: size, larger: size, control: 0.5 + 0.3 * size.powf(-0.75),
///     error: 1e-5, value: 1.0, value_error: 0.1, found: 100,
/// });
/// let found = extrapolate(&points, None)?;
/// assert!((found.p_c - 0.5).abs() < 1e-5 && (found.w - 0.75).abs() < 1e-3);
/// # Ok::<(), prunephase::scaling::ScalingError>(())
/// ```
pub fn extrapolate(points: &[PseudoCritical], w: Option<f64>) -> Result<Extrapolated, ScalingError> {
    if let Some(w) = w.filter(|w| !(*w > 0.0 && w.is_finite())) {
        return Err(ScalingError::Option { what: "w", value: w.to_string(), needed: "a number above 0" });
    }
    let (there, needed) = (points.len(), if w.is_some() { 2 } else { 3 });
    let too_few = || ScalingError::TooFewPoints { what: "pseudo-critical points".into(), there, needed };
    if there < needed {
        return Err(too_few());
    }
    let inflated = |chi_square: f64, free: usize| (chi_square / free.max(1) as f64).sqrt().max(1.0);
    if let Some(w) = w {
        let [p_c, error, c, chi_square] = linear(points, w).ok_or_else(too_few)?;
        let error = error * inflated(chi_square, there - 2);
        let degrees_of_freedom = there - 2;
        return Ok(Extrapolated { p_c, error, c, w, w_error: None, w_given: true, chi_square, degrees_of_freedom });
    }
    let ratio = EXPONENTS[1] / EXPONENTS[0];
    let grid: Vec<(f64, [f64; 4])> = (0..=2000)
        .map(|step| EXPONENTS[0] * ratio.powf(f64::from(step) / 2000.0))
        .filter_map(|w| Some((w, linear(points, w)?)))
        .collect();
    let (w, [p_c, fixed_error, c, chi_square]) =
        *grid.iter().min_by(|a, b| a.1[3].total_cmp(&b.1[3])).ok_or_else(too_few)?;
    let slopes = points.iter().map(|point| {
        let power = point.size.powf(-w);
        ([1.0, power, -c * power * point.size.ln()], point.error.powi(-2))
    });
    let mut matrix = vec![vec![0.0; 3]; 3];
    for (slope, weight) in slopes {
        for row in 0..3 {
            for column in 0..3 {
                matrix[row][column] += weight * slope[row] * slope[column];
            }
        }
    }
    let scale = inflated(chi_square, there - 3);
    // The span of p_c over the exponents that fit as well.
    let near: Vec<f64> =
        grid.iter().filter(|(_, one)| one[3] <= chi_square + scale * scale).map(|(_, one)| one[0]).collect();
    let spread = near.iter().map(|other| (other - p_c).abs()).fold(0.0, f64::max);
    let inner = w > 1.01 * EXPONENTS[0] && w < 0.99 * EXPONENTS[1];
    let variances = inverse_diagonal(matrix).filter(|_| inner);
    let w_error = variances.as_ref().map(|all| scale * all[2].max(0.0).sqrt()).filter(|error| *error < w);
    let error = match (&variances, w_error) {
        (Some(all), Some(_)) => scale * all[0].max(0.0).sqrt(),
        _ => (scale * fixed_error).hypot(spread),
    };
    let degrees_of_freedom = there - 3;
    Ok(Extrapolated { p_c, error, c, w, w_error, w_given: false, chi_square, degrees_of_freedom })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::curves::Row;

    /// Curves (p - p_c) L^(3/4) about 0.4 with a correction; 100 sets: the crossings of lines.
    #[test]
    fn crossings_cover_the_truth() {
        let (mut within, mut covered, mut drawn) = (0, 0, 0);
        for seed in 0..100 {
            let mut stream = Seeds::new(seed, 0).stream("synthetic");
            let mut rows = Vec::new();
            for size in [16.0f64, 32.0, 64.0, 128.0] {
                for step in 0..41 {
                    let control = 0.48 + 0.001 * f64::from(step);
                    let value = 0.4 + 0.5 * ((control - 0.5) * size.powf(0.75)).tanh() + 0.002 * stream.normal();
                    rows.push(Row { size, control, value, error: Some(0.002), replicate: None });
                }
            }
            let found = crossings(&Curves::from_rows(rows).unwrap(), 100, seed).unwrap();
            drawn += found.len();
            within += found.iter().filter(|one| (one.control - 0.5).abs() < 1.96 * one.error).count();
            let limit = extrapolate(&found, Some(1.5)).unwrap();
            covered += i32::from((limit.p_c - 0.5).abs() < 1.96 * limit.error);
        }
        assert!(drawn >= 290 && within as f64 > 0.88 * drawn as f64, "{within} of {drawn}");
        assert!(covered >= 88, "{covered}");
    }

    /// Two curves that are 1 on a plateau and fall at other controls: their noise crosses, they do not.
    #[test]
    fn noise_on_a_plateau_is_no_crossing() {
        let mut found = 0;
        for seed in 0..50 {
            let mut stream = Seeds::new(seed, 0).stream("synthetic");
            let mut rows = Vec::new();
            for (size, place) in [(16.0f64, 0.3), (32.0, 0.2)] {
                for step in 0..60 {
                    let control = 0.01 * f64::from(step);
                    let value = 1.0 + 2.0 * (-control / place * 8.0).exp() + 1e-5 * stream.normal();
                    rows.push(Row { size, control, value, error: Some(1e-5), replicate: None });
                }
            }
            found += crossings(&Curves::from_rows(rows).unwrap(), 60, seed).unwrap().len();
        }
        assert_eq!(found, 0);
    }

    #[test]
    fn wrong_input_is_named() {
        let message = |w, n: usize| {
            let point = |k: usize| PseudoCritical {
                size: 2f64.powi(k as i32 + 3),
                smaller: 1.0,
                larger: 1.0,
                control: 0.5,
                error: 0.1,
                value: 1.0,
                value_error: 0.1,
                found: 10,
            };
            extrapolate(&(0..n).map(point).collect::<Vec<_>>(), w).unwrap_err().to_string()
        };
        assert!(message(None, 2).contains("2 points, at least 3"));
        assert!(message(Some(0.0), 4).contains("w 0"));
        let rows =
            (0..5).map(|n| Row { size: 8.0, control: f64::from(n), value: 0.0, error: Some(1.0), replicate: None });
        let one = Curves::from_rows(rows).unwrap();
        assert!(crossings(&one, 20, 0).unwrap_err().to_string().contains("1 size"));
    }
}
