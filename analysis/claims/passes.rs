//! Where a mean curve falls through a value, with errors over replicates, and how that goes with the size.

use prunephase::scaling::{GrowthFit, SizePoint, first_fall, fit_growth};
use prunephase::seed::Seeds;

use super::saved::{Graph, Row, Saved, means};

const RESAMPLES: usize = 400;

/// A number and its standard error.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    pub value: f64,
    pub error: f64,
}

impl Measured {
    /// From the value of the data and those of resamples.
    fn of(value: f64, resamples: &[f64]) -> Self {
        let n = resamples.len() as f64;
        let mean = resamples.iter().sum::<f64>() / n;
        let error = (resamples.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        Self { value, error }
    }
}

/// ln of the control at which a curve, from the dense network on, first falls below `level`.
fn pass(control: &[f64], values: &[f64], level: f64) -> Option<f64> {
    let curve: Vec<(f64, f64)> = control.iter().copied().zip(values.iter().copied()).collect();
    first_fall(&curve, level).map(f64::ln)
}

/// A function of the mean curve, with its bootstrap error over replicates; `None` where it, or one in ten of the
/// resamples, has none.
fn of_mean(replicates: &[&Vec<f64>], name: &str, of: impl Fn(&[f64]) -> Option<f64>) -> Option<Measured> {
    let value = of(&means(replicates))?;
    let mut stream = Seeds::new(1, 0).stream(name);
    let draw = |_| {
        let drawn: Vec<&Vec<f64>> =
            (0..replicates.len()).map(|_| replicates[stream.below(replicates.len() as u64) as usize]).collect();
        of(&means(&drawn))
    };
    let resamples: Vec<f64> = (0..RESAMPLES).filter_map(draw).collect();
    (resamples.len() * 10 >= RESAMPLES * 9).then(|| Measured::of(value, &resamples))
}

/// ln of the control where the mean of `value` falls through `level`.
pub fn ln_pass(
    saved: &Saved,
    width: usize,
    control: impl Fn(&Row) -> f64,
    value: impl Fn(&Row, &Graph) -> f64,
    level: f64,
) -> Option<Measured> {
    let control = saved.control(width, control);
    let values = saved.by_replicate(width, value);
    of_mean(&values.values().collect::<Vec<_>>(), "passes", |mean| pass(&control, mean, level))
}

/// ln of the ratio of the controls where the mean m falls through two values, 3/4 and 1/4 say.
pub fn ln_width(saved: &Saved, width: usize, control: impl Fn(&Row) -> f64, [high, low]: [f64; 2]) -> Option<Measured> {
    let control = saved.control(width, control);
    let values = saved.by_replicate(width, m);
    let of = |mean: &[f64]| Some(pass(&control, mean, high)? - pass(&control, mean, low)?);
    of_mean(&values.values().collect::<Vec<_>>(), "passes", of)
}

/// m of a row.
pub fn m(row: &Row, _: &Graph) -> f64 {
    row.m.unwrap_or(f64::NAN)
}

/// The exponent of a power of the size.
pub fn exponent(points: &[(f64, Measured)]) -> Option<GrowthFit> {
    let points: Vec<SizePoint> =
        points.iter().map(|&(size, of)| SizePoint { size, value: of.value, error: of.error }).collect();
    fit_growth(&points, None).ok()
}

/// The exponent of a power of the size, of points whose logarithms are given.
pub fn exponent_of_ln(points: &[(f64, Measured)]) -> Option<GrowthFit> {
    let points: Vec<(f64, Measured)> = points
        .iter()
        .map(|&(size, of)| (size, Measured { value: of.value.exp(), error: of.value.exp() * of.error }))
        .collect();
    exponent(&points)
}
