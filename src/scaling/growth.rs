//! How an observable grows with the system size at the critical point.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::ScalingError;

/// A fit is acceptable where its chi-square is exceeded by chance at least this often.
pub const ACCEPTABLE_CHANCE: f64 = 0.05;

/// Sizes that a fit must keep.
const MIN_SIZES: usize = 3;

/// The mean of an observable over independent realisations of one size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizePoint {
    /// The system size, > 0.
    pub size: f64,
    /// The mean, > 0.
    pub value: f64,
    /// Its standard error, > 0.
    pub error: f64,
}

/// A growth exponent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GrowthFit {
    /// k of value = a size^k.
    pub exponent: f64,
    /// From the errors of the points, times sqrt(chi-square / degrees of freedom) where the fit is not
    /// acceptable.
    pub statistical: f64,
    /// The largest of twice the shift when one more of the smallest sizes is left out, of 4/3 of the shift when
    /// two more are and three stay, each of which is the whole of a correction that falls as 1/size where sizes
    /// double, and of the shift to `corrected`. Noise is in all of them, so it errs on the large side; one alone
    /// may be small by chance.
    pub systematic: f64,
    /// The exponent of value = a size^k exp(b size^-omega) over all sizes, where an omega was given.
    pub corrected: Option<f64>,
    /// Sum of the squared residuals in units of their errors.
    pub chi_square: f64,
    /// Sizes less 2.
    pub degrees_of_freedom: usize,
    /// How often chance exceeds `chi_square`.
    pub chance: f64,
    /// Whether `chance` is at least [`ACCEPTABLE_CHANCE`].
    pub acceptable: bool,
    /// The smallest size that was used.
    pub smallest: f64,
}

impl GrowthFit {
    /// Both errors combined.
    pub fn total(&self) -> f64 {
        self.statistical.hypot(self.systematic)
    }
}

/// The straight line through (ln size, ln value) by weighted least squares: (slope, error, chi-square).
fn line(points: &[SizePoint]) -> (f64, f64, f64) {
    let items: Vec<(f64, f64, f64)> =
        points.iter().map(|point| (point.size.ln(), point.value.ln(), (point.value / point.error).powi(2))).collect();
    let sum = |of: &dyn Fn(&(f64, f64, f64)) -> f64| items.iter().map(of).sum::<f64>();
    let weight = sum(&|item| item.2);
    let (x, y) = (sum(&|item| item.2 * item.0) / weight, sum(&|item| item.2 * item.1) / weight);
    let spread = sum(&|item| item.2 * (item.0 - x).powi(2));
    let slope = sum(&|item| item.2 * (item.0 - x) * (item.1 - y)) / spread;
    let chi_square = sum(&|item| item.2 * (item.1 - y - slope * (item.0 - x)).powi(2));
    (slope, spread.sqrt().recip(), chi_square)
}

/// The exponent k of a size^k exp(b size^-omega) by weighted least squares; `None` where the sizes
/// cannot tell the two apart.
fn corrected(points: &[SizePoint], omega: f64) -> Option<f64> {
    let weights: Vec<f64> = points.iter().map(|point| (point.value / point.error).powi(2)).collect();
    let total: f64 = weights.iter().sum();
    let centred = |of: &dyn Fn(&SizePoint) -> f64| -> Vec<f64> {
        let mean = points.iter().zip(&weights).map(|(point, weight)| weight * of(point)).sum::<f64>() / total;
        points.iter().map(|point| of(point) - mean).collect()
    };
    let (log, small) = (centred(&|point| point.size.ln()), centred(&|point| point.size.powf(-omega)));
    let value = centred(&|point| point.value.ln());
    let product =
        |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).zip(&weights).map(|((a, b), weight)| weight * a * b).sum() };
    let (ll, ls, ss) = (product(&log, &log), product(&log, &small), product(&small, &small));
    let determinant = ll * ss - ls * ls;
    let exponent = (product(&log, &value) * ss - product(&small, &value) * ls) / determinant;
    (determinant > 1e-12 * ll * ss && exponent.is_finite()).then_some(exponent)
}

/// How far the exponent of `used` moves when the smallest sizes are left out, scaled to a whole correction.
fn systematic(used: &[SizePoint], exponent: f64) -> f64 {
    let shift = |left_out: usize, whole: f64| whole * (line(&used[left_out..]).0 - exponent).abs();
    let further = if used.len() >= MIN_SIZES + 2 { shift(2, 4.0 / 3.0) } else { 0.0 };
    shift(1, 2.0).max(further)
}

/// Fits value = a size^k at the critical point, from points of independent sizes in any order.
///
/// Corrections to scaling bend the line at small sizes, so the smallest are left out one by one until
/// chi-square is acceptable, while three are left; the last fit stands, with a larger error and
/// `acceptable: false`, where it never is. What chi-square cannot see is still there: with
/// `correction` = Some(omega) a second fit with the factor exp(b size^-omega), 1 + b size^-omega for
/// large sizes, enters the systematic error. O(sizes^2).
///
/// # Errors
/// [`ScalingError::TooFewPoints`] where there are fewer than three different sizes,
/// [`ScalingError::NotPositive`] where a size, value or error is not above 0.
///
/// ```
/// use prunephase::scaling::{SizePoint, fit_growth};
/// let points = [8.0, 16.0, 32.0, 64.0].map(|size: f64| {
///     let value = 3.0 * size.powf(1.9);
///     SizePoint { size, value, error: 0.01 * value }
/// });
/// let fit = fit_growth(&points, None)?;
/// assert!(fit.acceptable && (fit.exponent - 1.9).abs() < 1e-12);
/// # Ok::<(), prunephase::scaling::ScalingError>(())
/// ```
pub fn fit_growth(points: &[SizePoint], correction: Option<f64>) -> Result<GrowthFit, ScalingError> {
    for point in points {
        for (what, value) in [("size", point.size), ("value", point.value), ("error", point.error)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(ScalingError::NotPositive { what, value, control: point.size });
            }
        }
    }
    let mut points = points.to_vec();
    points.sort_by(|a, b| a.size.total_cmp(&b.size));
    let mut sizes: Vec<f64> = points.iter().map(|point| point.size).collect();
    sizes.dedup();
    if sizes.len() < MIN_SIZES || sizes.len() < points.len() {
        let what = "growth, different sizes with one point each".into();
        let there = if sizes.len() < points.len() { 0 } else { sizes.len() };
        return Err(ScalingError::TooFewPoints { what, there, needed: MIN_SIZES });
    }
    let corrected = correction.filter(|_| points.len() > MIN_SIZES).and_then(|omega| corrected(&points, omega));
    let mut first = 0;
    loop {
        let used = &points[first..];
        let (exponent, error, chi_square) = line(used);
        let degrees_of_freedom = used.len() - 2;
        let chance = ChiSquared::new(degrees_of_freedom as f64).map_or(0.0, |law| law.sf(chi_square));
        let acceptable = chance >= ACCEPTABLE_CHANCE;
        if acceptable || used.len() == MIN_SIZES {
            let inflation = if acceptable { 1.0 } else { (chi_square / degrees_of_freedom as f64).sqrt().max(1.0) };
            return Ok(GrowthFit {
                exponent,
                statistical: error * inflation,
                systematic: systematic(used, exponent).max(corrected.map_or(0.0, |k| (k - exponent).abs())),
                corrected,
                chi_square,
                degrees_of_freedom,
                chance,
                acceptable,
                smallest: used[0].size,
            });
        }
        first += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seeds;

    fn points(correction: f64, noise: &mut impl FnMut() -> f64) -> Vec<SizePoint> {
        [16.0f64, 32.0, 64.0, 128.0, 256.0, 512.0]
            .iter()
            .map(|&size| {
                let exact = 2.0 * size.powf(1.5) * (1.0 + correction / size);
                SizePoint { size, value: exact * (1.0 + 0.01 * noise()), error: 0.01 * exact }
            })
            .collect()
    }

    #[test]
    fn errors_cover_the_truth_and_chi_square_is_one() {
        let (mut z, mut chi, mut taken) = (0.0, 0.0, 0);
        for seed in 0..300 {
            let mut stream = Seeds::new(seed, 0).stream("growth");
            let fit = fit_growth(&points(0.0, &mut || stream.normal()), None).unwrap();
            if fit.smallest == 16.0 {
                z += ((fit.exponent - 1.5) / fit.statistical).powi(2);
                chi += fit.chi_square / fit.degrees_of_freedom as f64;
                taken += 1;
            }
        }
        let n = f64::from(taken);
        // One in twenty is not acceptable by chance; what is left has a little less than 1.
        assert!((270..=296).contains(&taken), "{taken}");
        assert!((z / n - 1.0).abs() < 0.35, "{}", z / n);
        assert!((chi / n - 0.9).abs() < 0.15, "{}", chi / n);
    }

    #[test]
    fn sizes_with_corrections_are_left_out() {
        let fit = fit_growth(&points(8.0, &mut || 0.0), None).unwrap();
        assert!(fit.acceptable && fit.smallest > 16.0, "{fit:?}");
        assert!((fit.exponent - 1.5).abs() < 2.0 * fit.total(), "{fit:?}");
        // With the form of the correction known the exponent is found, to its next order.
        let fit = fit_growth(&points(0.5, &mut || 0.0), Some(1.0)).unwrap();
        assert!((fit.corrected.unwrap() - 1.5).abs() < 1e-4, "{fit:?}");
        assert!(fit.systematic >= (fit.corrected.unwrap() - fit.exponent).abs());
    }

    /// Twice 1/2 and 4/3 of 3/4 of a correction; a shift that chance hides from the one is seen by the other.
    #[test]
    fn the_systematic_error_is_the_whole_correction() {
        let of = |values: [f64; 5]| {
            let points: Vec<SizePoint> = (0..5)
                .map(|k| SizePoint {
                    size: f64::from(1 << k),
                    value: values[k as usize],
                    error: 0.3 * values[k as usize],
                })
                .collect();
            fit_growth(&points, None).unwrap()
        };
        assert!(of([1.0, 2.0, 4.0, 8.0, 16.0]).systematic < 1e-12);
        // In powers of 2: -1, 0, 1, 1, 3. The slopes of all five and of the last four are 0.9, of the last three 1.
        let hidden = of([0.5, 1.0, 2.0, 2.0, 8.0]);
        assert!((hidden.exponent - 0.9).abs() < 1e-12);
        assert!((hidden.systematic - 4.0 / 3.0 * 0.1).abs() < 1e-12, "{hidden:?}");
    }

    #[test]
    fn wrong_input_is_named() {
        let point = |size, value| SizePoint { size, value, error: 1.0 };
        let message = |points: &[SizePoint]| fit_growth(points, None).unwrap_err().to_string();
        assert!(message(&[point(1.0, 1.0), point(2.0, 1.0)]).contains("2 points, at least 3"));
        assert!(message(&[point(1.0, 1.0), point(2.0, 0.0), point(3.0, 1.0)]).contains("value 0"));
        assert!(
            message(&[point(1.0, 1.0), point(1.0, 1.0), point(2.0, 1.0), point(3.0, 1.0)]).contains("one point each")
        );
    }
}
