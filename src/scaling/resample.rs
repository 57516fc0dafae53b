//! Resamples of curves for statistical errors.

use serde::{Deserialize, Serialize};

use super::ScalingError;
use super::curves::{Curve, Curves, ErrorSource};
use super::estimate::median;
use crate::seed::Stream;

/// Neighbouring points that scatter less than this share of their errors come from the same runs.
/// Independent points scatter 0.67 of it (the median of |normal|), and more where the curve bends.
const SHARED_BELOW: f64 = 0.1;

/// How resamples are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resampling {
    /// Whole replicates of each size with replacement, n - 1 of n (with n - 1 draws the variance of
    /// a mean is the unbiased s^2/n). All points of a replicate move together.
    Replicates,
    /// A normal deviate times its error for each point.
    PointByPoint,
    /// One normal deviate for each size, times each point's error: the points of a size come from
    /// the same runs.
    SharedRuns,
}

impl Resampling {
    /// Replicates where there are some. Else point by point, unless neighbouring points of a size
    /// scatter far less than their errors say (median below 0.1 of it): such points share their
    /// runs, and independent deviates would make the errors of the fit too small.
    pub fn for_curves(curves: &Curves) -> Self {
        Self::of(curves.source(), &curves.curves().iter().collect::<Vec<_>>())
    }

    /// As [`Resampling::for_curves`], from one curve.
    pub fn for_curve(curve: &Curve) -> Self {
        Self::of(curve.source(), &[curve])
    }

    fn of(source: ErrorSource, curves: &[&Curve]) -> Self {
        if source == ErrorSource::Replicates {
            return Self::Replicates;
        }
        let scatter: Vec<f64> = curves.iter().filter_map(|curve| roughness(curve)).collect();
        match median(&scatter) {
            Some(scatter) if scatter < SHARED_BELOW && source == ErrorSource::Given => Self::SharedRuns,
            _ => Self::PointByPoint,
        }
    }
}

/// The median distance of a point from the cubic through its four neighbours, in errors.
fn roughness(curve: &Curve) -> Option<f64> {
    let distances: Vec<f64> = curve
        .points()
        .windows(5)
        .map(|five| {
            let (mut expected, mut variance) = (0.0, five[2].error.powi(2));
            for (k, point) in five.iter().enumerate().filter(|(k, _)| *k != 2) {
                let mut lagrange = 1.0;
                for (_, other) in five.iter().enumerate().filter(|(m, _)| *m != 2 && *m != k) {
                    lagrange *= (five[2].control - other.control) / (point.control - other.control);
                }
                expected += lagrange * point.value;
                variance += (lagrange * point.error).powi(2);
            }
            (five[2].value - expected).abs() / variance.sqrt()
        })
        .collect();
    median(&distances)
}

/// The error of every point of a curve without errors, from the scatter of neighbouring points
/// (0.6745 is the median of |normal|). Never below 1e-6 of the largest value, so that exact values
/// have a finite weight.
pub(crate) fn noise_of(curve: &Curve) -> Result<f64, ScalingError> {
    let there = curve.points().len();
    let Some(scatter) = roughness(curve) else {
        let what = format!("size {}, without errors", curve.size());
        return Err(ScalingError::TooFewPoints { what, there, needed: 5 });
    };
    let largest = curve.points().iter().map(|point| point.value.abs()).fold(0.0, f64::max);
    // Points without errors have the error 1, so the scatter is in units of the values.
    let noise = (scatter / 0.674_489_750_196).max(1e-6 * largest);
    if noise > 0.0 { Ok(noise) } else { Err(ScalingError::NoSpread { size: curve.size() }) }
}

/// New values of a curve's points.
pub(crate) fn resample_curve(curve: &Curve, how: Resampling, stream: &mut Stream) -> Vec<f64> {
    match how {
        Resampling::PointByPoint => {
            curve.points().iter().map(|point| point.value + point.error * stream.normal()).collect()
        }
        Resampling::SharedRuns => {
            let deviate = stream.normal();
            curve.points().iter().map(|point| point.value + point.error * deviate).collect()
        }
        Resampling::Replicates => {
            let count = curve.replicates();
            let mut times = vec![0u32; count];
            for _ in 1..count {
                times[stream.below(count as u64) as usize] += 1;
            }
            curve
                .points()
                .iter()
                .map(|point| {
                    let (mut sum, mut number) = (0.0, 0.0);
                    for &(replicate, value) in &point.samples {
                        sum += f64::from(times[replicate]) * value;
                        number += f64::from(times[replicate]);
                    }
                    // Where no drawn replicate has this point (replicates with holes), it stays.
                    if number > 0.0 { sum / number } else { point.value }
                })
                .collect()
        }
    }
}

/// New values of all points, by size.
pub(crate) fn resample(curves: &Curves, how: Resampling, stream: &mut Stream) -> Vec<Vec<f64>> {
    curves.curves().iter().map(|curve| resample_curve(curve, how, stream)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::curves::Row;
    use crate::scaling::estimate::standard_deviation;
    use crate::seed::Seeds;

    #[test]
    fn resampled_means_have_the_standard_error_even_for_few_replicates() {
        let mut rows = Vec::new();
        for (replicate, value) in [0.3, -1.2, 0.9, 2.0].iter().enumerate() {
            for control in 0..3 {
                let (control, replicate) = (f64::from(control), Some(replicate.to_string()));
                rows.push(Row { size: 4.0, control, value: value + control, error: None, replicate });
            }
        }
        let curves = Curves::from_rows(rows).unwrap();
        assert_eq!(Resampling::for_curves(&curves), Resampling::Replicates);
        let mut stream = Seeds::new(3, 0).stream("test");
        let draws: Vec<Vec<f64>> =
            (0..40_000).map(|_| resample(&curves, Resampling::Replicates, &mut stream).remove(0)).collect();
        let first: Vec<f64> = draws.iter().map(|values| values[0]).collect();
        let expected = curves.curves()[0].points()[0].error;
        assert!((standard_deviation(&first) / expected - 1.0).abs() < 0.02);
        // Points of one replicate move together.
        assert!(draws.iter().all(|values| (values[1] - values[0] - 1.0).abs() < 1e-12));
    }

    #[test]
    fn shared_runs_are_seen() {
        let mut stream = Seeds::new(4, 0).stream("test");
        let curve = |noise: &mut dyn FnMut() -> f64| {
            let rows = (0..40).map(|n| {
                let control = f64::from(n) / 40.0;
                let value = (control - 0.5).tanh() + 0.01 * noise();
                Row { size: 8.0, control, value, error: Some(0.01), replicate: None }
            });
            Curves::from_rows(rows.collect::<Vec<_>>()).unwrap()
        };
        assert_eq!(Resampling::for_curves(&curve(&mut || stream.normal())), Resampling::PointByPoint);
        assert_eq!(Resampling::for_curves(&curve(&mut || 1.3)), Resampling::SharedRuns);
    }
}
