//! One curve: a power law with a critical point against its rivals.
//!
//! - `power_law`: value = amplitude (p - p_c)^beta above p_c, 0 below;
//! - `logistic`: value = high / (1 + exp(-(ln p - ln p_0) / width)), a smooth rise.
//!
//! All laws are fitted to the same points with the same weights 1/error^2: the amplitude by linear
//! least squares inside (variable projection), the other two parameters by many simplex searches
//! from starts all over their ranges. AICc = chi-square + 2k + 2k(k + 1)/(n - k - 1) with k = 3
//! compares them, and the Akaike weight is exp(-(AICc - lowest)/2), normalised. Source: K. P.
//! Burnham and D. R. Anderson, Sociol. Methods Res. 33, 261 (2004), doi:10.1177/0049124104268644.
//!
//! # The range
//! A power law holds near p_c alone, above the rounding of a finite size and below saturation.
//! Without a range, the rise of the curve is cut below at the last value under 0, 5, 10 or 20 % of
//! the largest value and above at the first value of 40, 50, ... or 90 %. Of the ranges with at
//! least 6 points where the first law asked for is sound and has chi-square per degree of freedom
//! up to 1.5 max(1, the lowest), the one with most points is taken. (The power law comes first by
//! default, so the range favours it: a warning tells where a rival holds on a wider one.)
//!
//! # Errors
//! Statistical: every resample ([`Resampling`]) is fitted anew on the same points, times
//! sqrt(chi-square per degree of freedom) if that exceeds 1. Systematic: the deviations d over all
//! these ranges (around a given range: up to two points fewer at either end),
//! sqrt(sum w d^2 / max(1, sum w)), with w = exp(1 - r/max(1, r_fit)) up to 1, r chi-square per
//! degree of freedom, times (error of the fit / error of the range)^2 up to 1, both from the
//! curvature of chi-square: a range that hardly determines a parameter does not contradict it. Where no other range is sound it
//! is unknown, and the span of the controls (p_c) or the value itself is shown.
//!
//! Without errors or replicates, all points get the same error, from how far they lie from the
//! cubic through their four neighbours; curvature is in it, so it is rather too large.

mod law;
mod model;
mod range;
mod result;

use std::ops::Range;

use rayon::prelude::*;

use super::ScalingError;
use super::curves::{Curve, ErrorSource};
use super::minimise::Effort;
use super::resample::{Resampling, noise_of};
use crate::seed::Seeds;

pub use model::{BETA_RANGE, MIN_ABOVE, Model};
pub use range::{ACCEPTABLE, LOWER_SHARES, MIN_POINTS, UPPER_SHARES};
pub use result::{CurveFit, FittedPoint, ModelFit, RangeRow, fitted_points};

use law::Task;
use model::{Optimum, PARAMETERS, Points};
use range::{candidates, trimmed, within};

/// A fit that fewer of its starts reach is unreliable.
pub const MIN_REACHED: f64 = 0.5;
/// More resamples at an edge make a fit unreliable.
pub const MAX_EDGE: f64 = 0.2;
/// A larger chi-square per degree of freedom is no fit.
pub const MAX_REDUCED: f64 = 10.0;
/// The exponents of a law of less Akaike weight are not to be believed.
pub const MIN_WEIGHT: f64 = 0.05;
/// A larger error of a parameter, relative to it, leaves it undetermined.
pub const MAX_RELATIVE_ERROR: f64 = 0.5;

/// Starts of the ranges of the scan and of each resample.
const FEW_STARTS: usize = 6;

/// How to fit a curve.
#[derive(Debug, Clone, PartialEq)]
pub struct FitOptions {
    /// The laws; the first one chooses the range.
    pub models: Vec<Model>,
    /// The number of resamples, at least 10.
    pub bootstraps: usize,
    /// The seed of the starts and resamples.
    pub seed: u64,
    /// The closed interval of the control; `None`: found from the data.
    pub range: Option<[f64; 2]>,
    /// The number of starts of each law, at least 10.
    pub starts: usize,
    /// How resamples are drawn; `None`: as [`Resampling::for_curve`] says.
    pub resampling: Option<Resampling>,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self { models: Model::ALL.to_vec(), bootstraps: 200, seed: 0, range: None, starts: 24, resampling: None }
    }
}

fn check(curve: &Curve, options: &FitOptions) -> Result<(), ScalingError> {
    let option = |what, value: String, needed| Err(ScalingError::Option { what, value, needed });
    if let Some([low, high]) = options.range
        && !(low.is_finite() && high.is_finite() && low < high)
    {
        return option("range", format!("{low},{high}"), "a finite lower edge below a finite upper edge");
    }
    if options.bootstraps < 10 {
        return option("bootstrap", options.bootstraps.to_string(), "a number of at least 10");
    }
    if options.starts < 10 {
        return option("starts", options.starts.to_string(), "a number of at least 10");
    }
    let repeated = options.models.iter().enumerate().any(|(n, model)| options.models[..n].contains(model));
    if options.models.is_empty() || repeated {
        let names: Vec<&str> = options.models.iter().map(|model| model.name()).collect();
        return option("models", format!("`{}`", names.join(",")), "at least one, none twice,");
    }
    if options.resampling == Some(Resampling::Replicates) && curve.source() != ErrorSource::Replicates {
        return option("resampling", "replicates".into(), "a table with a column of replicates");
    }
    Ok(())
}

fn points_of(curve: &Curve, values: &[f64], range: &Range<usize>) -> Points {
    let points = &curve.points()[range.clone()];
    Points {
        control: points.iter().map(|point| point.control).collect(),
        value: values[range.clone()].to_vec(),
        weight: points.iter().map(|point| point.error.powi(-2)).collect(),
    }
}

/// chi-square per degree of freedom.
fn reduced(chi_square: f64, points: usize) -> f64 {
    chi_square / points.saturating_sub(PARAMETERS).max(1) as f64
}

fn lowest(optima: &[Optimum]) -> Option<Optimum> {
    optima.iter().copied().min_by(|a, b| a.chi_square.total_cmp(&b.chi_square))
}

/// The best fit of each range, sound or not.
fn scanned(curve: &Curve, values: &[f64], ranges: &[Range<usize>], model: Model, seeds: Seeds) -> Vec<Option<Optimum>> {
    ranges
        .par_iter()
        .map(|range| {
            let points = points_of(curve, values, range);
            let mut stream = seeds.stream(&format!("fit scan {model} {} {}", range.start, range.end));
            lowest(&points.search(model, &points.starts(model, 2 * FEW_STARTS, &mut stream), Effort::COARSE))
        })
        .collect()
}

/// Fits the laws to one curve; see the [module](self) for what is done.
///
/// Deterministic: the same curve and options give the same result whatever the number of threads
/// and the order of the rows. O(models (starts + 7 bootstraps) points) times some hundred.
///
/// # Errors
/// [`ScalingError::Option`]; [`ScalingError::TooFewPoints`]; [`ScalingError::ControlNotPositive`]
/// where the logistic law is asked for and a control in the range is not above 0. A fit that cannot
/// be trusted is a result, with `reliable: false` and reasons.
///
/// ```
/// use prunephase::scaling::{Curves, Row, fit};
/// let rows = (0..30).map(|step| {
///     let control = 0.05 * f64::from(step);
///     let value = f64::max(control - 0.4, 0.0).powf(0.5) + 0.002 * f64::from(step * 7 % 5 - 2);
///     Row { size: 1.0, control, value, error: Some(0.003), replicate: None }
/// });
/// let curves = Curves::from_rows(rows)?;
/// let options = fit::FitOptions { models: vec![fit::Model::PowerLaw], bootstraps: 20, ..Default::default() };
/// let fitted = fit::fit(&curves.curves()[0], &options)?;
/// let beta = fitted.models[0].parameters["beta"];
/// assert!((beta.value - 0.5).abs() < 3.0 * beta.total().max(0.01), "{beta:?}");
/// # Ok::<(), prunephase::scaling::ScalingError>(())
/// ```
pub fn fit(curve: &Curve, options: &FitOptions) -> Result<CurveFit, ScalingError> {
    check(curve, options)?;
    let (assumed_error, curve) = match curve.source() {
        ErrorSource::Unknown => {
            let noise = noise_of(curve)?;
            (Some(noise), &curve.with_error(noise))
        }
        _ => (None, curve),
    };
    let seeds = Seeds::new(options.seed, 0);
    let values: Vec<f64> = curve.points().iter().map(|point| point.value).collect();
    let mut rivals: Vec<(Model, Range<usize>)> = Vec::new();
    let (range, ranges) = match options.range {
        Some(interval) => {
            let range = within(curve, interval);
            (range.clone(), trimmed(&range))
        }
        None => {
            let ranges = candidates(curve);
            positive(curve, &ranges, options)?;
            let by_model = options.models.iter().map(|&model| {
                let optima = scanned(curve, &values, &ranges, model, seeds);
                (model, chosen(curve, &values, &ranges, &optima, model).unwrap_or(0..0))
            });
            rivals = by_model.collect();
            (rivals[0].1.clone(), ranges)
        }
    };
    if range.len() < MIN_POINTS {
        let what = match options.range {
            Some([low, high]) => format!("size {}, controls from {low} to {high}", curve.size()),
            None => format!("size {}, the rise of the curve below 90 % of its largest value", curve.size()),
        };
        return Err(ScalingError::TooFewPoints { what, there: range.len(), needed: MIN_POINTS });
    }
    positive(curve, std::slice::from_ref(&range), options)?;

    let resampling = options.resampling.unwrap_or_else(|| Resampling::for_curve(curve));
    let task = Task { curve, values: &values, range: &range, ranges: &ranges, resampling, options, seeds };
    let mut scan = Vec::new();
    let mut models = Vec::new();
    for &model in &options.models {
        models.push(task.fit(model, &mut scan));
    }
    weigh(&mut models);
    // min_by keeps the first of equals: the order asked for.
    let best = models.iter().min_by(|a, b| a.aicc.total_cmp(&b.aicc)).map_or(options.models[0], |model| model.name);
    let mut warnings: Vec<String> = curve.few_replicates().into_iter().collect();
    if let Some(error) = assumed_error {
        warnings
            .push(format!("no errors are given: every point has {error:.3e}, from the scatter of neighbouring points"));
    }
    let ends = [curve.points()[range.start].control, curve.points()[range.end - 1].control];
    for fitted in models.iter().filter(|fitted| fitted.name == Model::PowerLaw && fitted.values()[0] < ends[0]) {
        warnings.push(format!(
            "p_c = {:.5} lies below all points fitted, the lowest is {:.5}: it is extrapolated",
            fitted.values()[0],
            ends[0]
        ));
    }
    for (model, wider) in rivals.iter().skip(1).filter(|(_, wider)| wider.len() > range.len()) {
        warnings.push(format!(
            "the range is the one where {} holds, {} points; {model} holds on {}, from {:.5} to {:.5}: compare the laws \
             there as well (--range)",
            rivals[0].0,
            range.len(),
            wider.len(),
            curve.points()[wider.start].control,
            curve.points()[wider.end - 1].control
        ));
    }
    if models.len() > 1 && best != options.models[0] {
        warnings.push(format!("{best} describes the points better than {}", options.models[0]));
    }
    let reasons = models.iter().find(|fitted| fitted.name == best).map_or_else(Vec::new, |best| best.reasons.clone());
    Ok(CurveFit {
        best,
        size: curve.size(),
        range: ends,
        range_given: options.range.is_some(),
        points: range.len(),
        assumed_error,
        reliable: reasons.is_empty(),
        reasons,
        warnings,
        resampling,
        bootstraps: options.bootstraps,
        scan,
        models,
    })
}

fn positive(curve: &Curve, ranges: &[Range<usize>], options: &FitOptions) -> Result<(), ScalingError> {
    if !options.models.contains(&Model::Logistic) {
        return Ok(());
    }
    let first = ranges.iter().filter_map(|range| curve.points()[range.clone()].first()).map(|point| point.control);
    match first.min_by(f64::total_cmp) {
        Some(control) if control <= 0.0 => {
            Err(ScalingError::ControlNotPositive { model: Model::Logistic.name(), control })
        }
        _ => Ok(()),
    }
}

/// The rule without a range. Where no range has a sound fit, all compete.
fn chosen(
    curve: &Curve,
    values: &[f64],
    ranges: &[Range<usize>],
    optima: &[Option<Optimum>],
    model: Model,
) -> Option<Range<usize>> {
    let all: Vec<(&Range<usize>, f64, bool)> = ranges
        .iter()
        .zip(optima)
        .filter_map(|(range, optimum)| {
            let optimum = optimum.as_ref()?;
            let sound = points_of(curve, values, range).faults(model, optimum).is_empty();
            Some((range, reduced(optimum.chi_square, range.len()), sound))
        })
        .collect();
    let any_sound = all.iter().any(|(_, _, sound)| *sound);
    let eligible = || all.iter().filter(|(_, _, sound)| *sound || !any_sound);
    let limit = ACCEPTABLE * eligible().map(|(_, reduced, _)| *reduced).fold(f64::INFINITY, f64::min).max(1.0);
    eligible()
        .filter(|(_, reduced, _)| *reduced <= limit)
        .max_by(|a, b| a.0.len().cmp(&b.0.len()).then(b.1.total_cmp(&a.1)))
        .map(|(range, _, _)| (*range).clone())
}

/// Akaike weights, and the verdict that follows from them.
fn weigh(models: &mut [ModelFit]) {
    let lowest = models.iter().map(|model| model.aicc).fold(f64::INFINITY, f64::min);
    let best = models.iter().find(|model| model.aicc == lowest).map(|model| model.name);
    let total: f64 = models.iter().map(|model| (0.5 * (lowest - model.aicc)).exp()).sum();
    for model in models.iter_mut() {
        model.weight = (0.5 * (lowest - model.aicc)).exp() / total;
        if let Some(best) = best
            && model.weight < MIN_WEIGHT
        {
            model.reasons.push(format!(
                "{best} describes the same points better: AICc {:.2} against {lowest:.2}, weight {:.1e}",
                model.aicc, model.weight
            ));
            model.reliable = false;
        }
    }
}

#[cfg(test)]
mod tests;
