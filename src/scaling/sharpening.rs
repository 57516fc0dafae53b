//! Whether a transition sharpens as the system grows.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::ScalingError;
use super::curves::{Curve, Curves, ErrorSource};
use super::estimate::standard_deviation;
use super::resample::{Resampling, resample_curve};
use crate::seed::Seeds;

/// A width falls beyond this many combined errors.
const SURE: f64 = 2.0;

/// A rise from one point to the next above this share of the largest value is a jump to the grid.
pub const JUMP_STEP: f64 = 0.5;

/// What the widths of several sizes say of a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// Nothing sharpens with the size: a smooth crossover.
    None,
    /// At the largest size more than half of the rise lies between two points: a jump, or a grid
    /// that does not resolve the rise. No exponents can be told from it.
    Jump,
    /// The rise narrows and is resolved: what a continuous transition does.
    Continuous,
}

/// How wide the rise of one curve is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SizeWidth {
    /// The system size.
    pub size: f64,
    /// ln of the ratio of the controls where the value first reaches 90 % and last leaves 10 % of its
    /// largest value, by lines between the points in ln control.
    pub width: f64,
    /// Its standard error over resamples.
    pub error: f64,
    /// The distance in ln control of the points around the rise: widths below are not resolved.
    pub resolution: f64,
    /// The largest rise from one point to the next, as a share of the largest value.
    pub step: f64,
}

/// How the width of a transition goes with the system size: width ~ size^(-a).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sharpening {
    /// The widths, sizes ascending.
    pub widths: Vec<SizeWidth>,
    /// a of width ~ size^(-a), by weighted least squares in logarithms.
    pub a: f64,
    /// Its standard error, times sqrt(chi-square / degrees of freedom) where that exceeds 1.
    pub error: f64,
    /// The shift of a when the smallest size is left out, 0 where two sizes are left.
    pub systematic: f64,
    /// Sum of the squared residuals in units of their errors.
    pub chi_square: f64,
    /// Sizes less 2.
    pub degrees_of_freedom: usize,
    /// How often chance exceeds `chi_square`; 1 without degrees of freedom.
    pub chance: f64,
    /// Whether a exceeds 0 by more than two combined errors.
    pub sharpens: bool,
    /// What that says of a transition.
    pub transition: Transition,
}

impl Sharpening {
    /// From at least two widths with errors, sizes ascending.
    pub(crate) fn of(widths: Vec<SizeWidth>) -> Self {
        let (slope, error, chi_square) = line(&widths);
        let degrees_of_freedom = widths.len().saturating_sub(2);
        let free = degrees_of_freedom.max(1) as f64;
        let error = error * (chi_square / free).sqrt().max(1.0);
        let systematic = if widths.len() > 2 { (line(&widths[1..]).0 - slope).abs() } else { 0.0 };
        let chance = match degrees_of_freedom {
            0 => 1.0,
            _ => ChiSquared::new(free).map_or(0.0, |law| law.sf(chi_square)),
        };
        let a = -slope;
        let sharpens = a > SURE * error.hypot(systematic);
        let transition = match widths.last() {
            Some(largest) if largest.step > JUMP_STEP => Transition::Jump,
            _ if sharpens => Transition::Continuous,
            _ => Transition::None,
        };
        Self { widths, a, error, systematic, chi_square, degrees_of_freedom, chance, sharpens, transition }
    }

    /// One line that says it.
    pub fn verdict(&self) -> String {
        let total = self.error.hypot(self.systematic);
        if self.transition == Transition::Jump {
            let step = self.widths.last().map_or(0.0, |largest| 100.0 * largest.step);
            format!(
                "a jump, or a rise that the grid does not resolve: {step:.0} % of it lies between two points at the largest size"
            )
        } else if self.sharpens {
            format!("sharpens: width ~ size^-{:.3} +- {total:.3}", self.a)
        } else {
            format!(
                "no transition: nothing sharpens, width ~ size^{:.3} +- {total:.3}, not below 0 by two errors",
                -self.a
            )
        }
    }
}

/// The controls, in ln, where values rise through `level` for the last time before (`last`) or the
/// first time after.
fn passes(x: &[f64], y: &[f64], level: f64, last: bool) -> Option<f64> {
    let rises = |&k: &usize| y[k] < level && level <= y[k + 1];
    let mut places = 0..x.len().saturating_sub(1);
    let k = if last { places.rfind(rises) } else { places.find(rises) }?;
    Some(x[k] + (x[k + 1] - x[k]) * (level - y[k]) / (y[k + 1] - y[k]))
}

fn width(x: &[f64], y: &[f64]) -> Option<f64> {
    let largest = y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let high = passes(x, y, 0.9 * largest, false)?;
    // Noise about 0 may cross 10 % early; the last crossing before the top counts.
    let end = x.partition_point(|&x| x <= high) + 1;
    let end = end.min(x.len());
    Some(high - passes(&x[..end], &y[..end], 0.1 * largest, true)?)
}

fn measured(curve: &Curve, seeds: Seeds, resamples: usize) -> Result<SizeWidth, ScalingError> {
    let size = curve.size();
    let points = curve.points();
    if let Some(point) = points.iter().find(|point| point.control <= 0.0) {
        return Err(ScalingError::ControlNotPositive { model: "the width in ln control", control: point.control });
    }
    let x: Vec<f64> = points.iter().map(|point| point.control.ln()).collect();
    let y: Vec<f64> = points.iter().map(|point| point.value).collect();
    let narrow = || ScalingError::TooFewPoints {
        what: format!("size {size}, from below 10 % to above 90 % of the largest value"),
        there: 0,
        needed: 2,
    };
    let own = width(&x, &y).ok_or_else(narrow)?;
    let how = Resampling::for_curve(curve);
    let cloud: Vec<f64> = (0..resamples)
        .filter_map(|number| {
            let mut stream = seeds.stream(&format!("width {size} {number}"));
            width(&x, &resample_curve(curve, how, &mut stream))
        })
        .collect();
    let largest = y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let middle = passes(&x, &y, 0.5 * largest, false).ok_or_else(narrow)?;
    let above = x.partition_point(|&x| x <= middle).clamp(1, x.len() - 1);
    let resolution = x[above] - x[above - 1];
    let step = y.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max) / largest;
    // Nothing finer than the grid is seen: a step inside one gap has its place and width within it.
    let error = standard_deviation(&cloud).hypot(if own < 2.0 * resolution { 0.5 * resolution } else { 0.0 });
    Ok(SizeWidth { size, width: own, error: error.max(1e-9 * own), resolution, step })
}

/// (slope, its error, chi-square) of ln width against ln size.
fn line(widths: &[SizeWidth]) -> (f64, f64, f64) {
    let items: Vec<[f64; 3]> =
        widths.iter().map(|one| [one.size.ln(), one.width.ln(), (one.width / one.error).powi(2)]).collect();
    let total: f64 = items.iter().map(|item| item[2]).sum();
    let mean = |axis: usize| items.iter().map(|item| item[2] * item[axis]).sum::<f64>() / total;
    let (x, y) = (mean(0), mean(1));
    let spread: f64 = items.iter().map(|item| item[2] * (item[0] - x).powi(2)).sum();
    let slope = items.iter().map(|item| item[2] * (item[0] - x) * (item[1] - y)).sum::<f64>() / spread;
    let chi_square = items.iter().map(|item| item[2] * (item[1] - y - slope * (item[0] - x)).powi(2)).sum();
    (slope, spread.sqrt().recip(), chi_square)
}

/// Whether the rise of an order parameter narrows with the system size, without any law: a smooth
/// crossover keeps its width in ln control, a transition has width ~ size^(-1/nu) or, where it is of
/// first order, smaller still.
///
/// A slow rise that follows a jump hides it where it takes the value beyond 1/0.9 of the jump: the 90 %
/// then lie on the slow rise, and the verdict is that nothing sharpens. `step` and the law `jump` show it.
///
/// The width of one curve is that of its rise from 10 to 90 % of its largest value in ln control, with
/// errors from resamples of whole replicates, or of points. A width below twice the distance of
/// the points has half that distance in its error. O(resamples x points).
///
/// # Errors
/// [`ScalingError::TooFewSizes`] for fewer than two sizes, [`ScalingError::NoErrors`],
/// [`ScalingError::ControlNotPositive`], [`ScalingError::TooFewPoints`] where a curve does not rise from
/// below 10 to above 90 %, [`ScalingError::Option`] for fewer than 10 resamples.
///
/// ```
/// use prunephase::scaling::{Curves, Row, sharpening};
/// // The same smooth rise at all sizes.
/// let rows = [16.0, 32.0, 64.0].into_iter().flat_map(|size| (1..60).map(move |step| {
///     let control = 0.002 * 1.12f64.powi(step);
///     let value = 1.0 / (1.0 + (0.05 / control).powi(2)) + 0.002 * (f64::from(step * 7 % 5) - 2.0);
///     Row { size, control, value, error: Some(0.003), replicate: None }
/// }));
/// let found = sharpening(&Curves::from_rows(rows)?, 50, 0)?;
/// assert!(!found.sharpens && found.a.abs() < 0.1);
/// # Ok::<(), prunephase::scaling::ScalingError>(())
/// ```
pub fn sharpening(curves: &Curves, resamples: usize, seed: u64) -> Result<Sharpening, ScalingError> {
    let there = curves.curves().len();
    if there < 2 {
        return Err(ScalingError::TooFewSizes { there, needed: 2 });
    }
    if curves.source() == ErrorSource::Unknown {
        return Err(ScalingError::NoErrors);
    }
    if resamples < 10 {
        let value = resamples.to_string();
        return Err(ScalingError::Option { what: "bootstrap", value, needed: "a number of at least 10" });
    }
    let seeds = Seeds::new(seed, 0);
    let widths =
        curves.curves().iter().map(|curve| measured(curve, seeds, resamples)).collect::<Result<Vec<_>, _>>()?;
    Ok(Sharpening::of(widths))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::curves::Row;

    fn curves(seed: u64, law: impl Fn(f64, f64) -> f64) -> Curves {
        let mut stream = Seeds::new(seed, 0).stream("synthetic");
        let mut rows = Vec::new();
        for size in [16.0, 32.0, 64.0, 128.0] {
            for replicate in 0..8 {
                let offset = 0.01 * stream.normal();
                for step in 0..60 {
                    let control = 0.002 * 500f64.powf(f64::from(step) / 59.0);
                    let value = law(size, control) + 0.01 * stream.normal() + offset;
                    rows.push(Row { size, control, value, error: None, replicate: Some(replicate.to_string()) });
                }
            }
        }
        Curves::from_rows(rows).unwrap()
    }

    /// a of a logistic whose width falls as size^-a: 100 sets, truth within two combined errors.
    #[test]
    fn the_exponent_of_the_width_is_covered_and_a_crossover_does_not_sharpen() {
        for truth in [0.0, 0.5] {
            let (mut within, mut sharp) = (0, 0);
            for seed in 0..100 {
                let curves =
                    curves(seed, |size, p| 1.0 / (1.0 + (-(p / 0.05).ln() / (0.4 * (size / 16.0).powf(-truth))).exp()));
                let found = sharpening(&curves, 50, seed).unwrap();
                within += i32::from((found.a - truth).abs() < 2.0 * found.error.hypot(found.systematic));
                sharp += i32::from(found.sharpens);
                let expected = if found.sharpens { Transition::Continuous } else { Transition::None };
                assert_eq!(found.transition, expected);
            }
            assert!(within >= 88, "{truth}: {within}");
            assert!(if truth == 0.0 { sharp <= 6 } else { sharp >= 97 }, "{truth}: {sharp}");
        }
    }

    #[test]
    fn a_jump_is_one_at_the_same_place_or_moving() {
        for shift in [0.0, 0.5] {
            let found = sharpening(
                &curves(3, |size, p| if p > 0.05 * (1.0 + shift * 16.0 / size) { 0.8 + 0.1 * p } else { 0.02 }),
                50,
                0,
            )
            .unwrap();
            assert_eq!(found.transition, Transition::Jump, "{found:?}");
            assert!(found.verdict().contains("jump"), "{}", found.verdict());
        }
    }

    #[test]
    fn wrong_input_is_named() {
        let all = curves(1, |_, p| if p > 0.05 { 1.0 } else { 0.0 });
        let message = |curves: &Curves, resamples| sharpening(curves, resamples, 0).unwrap_err().to_string();
        assert!(message(&all.from_size(128.0), 50).contains("1 size"));
        assert!(message(&all, 5).contains("bootstrap 5"));
        let flat = curves(1, |_, _| 1.0);
        assert!(message(&flat, 50).contains("from below 10 %"));
    }
}
