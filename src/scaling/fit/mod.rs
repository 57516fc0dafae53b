//! One curve: a power law with a critical point against its rivals.
//!
//! The laws are those of [`Model`]: `power_law`, `logistic`, `rosenfeld`, `essential_singularity` and
//! `jump`.
//!
//! All laws are fitted to the same points with the same weights 1/error^2: amplitudes by linear least
//! squares inside (variable projection), the other parameters by many simplex searches from starts all
//! over their ranges. AICc = chi-square/c + 2k + 2k(k + 1)/(n - k - 1), k the number of parameters,
//! compares them, and the Akaike weight is exp(-(AICc - lowest)/2), normalised. c = max(1, the lowest
//! chi-square per degree of freedom of all laws) is the `overdispersion`: where no law fits, none wins
//! by its errors being too small. Source: K. P. Burnham and D. R. Anderson, Sociol. Methods Res. 33,
//! 261 (2004), doi:10.1177/0049124104268644.
//!
//! The points of a curve share their replicates and so are correlated. A full covariance of more points
//! than replicates is singular, and one that is made regular by shrinkage hides from the bootstrap the
//! noise in the directions that no replicate spans. So the weights are diagonal, and what depends on
//! correlations comes from whole replicates: the statistical errors from a block bootstrap, and the
//! comparison of the laws on replicates that were left out ([`HeldOut`]), whose differences between
//! laws have errors over replicates. AICc counts correlated points as if they were independent and is
//! too sure of itself where they are not: believe the smaller of the two verdicts.
//!
//! # The floor
//! A finite system is not at 0 below its transition, and a law that is would be judged by that. Where
//! the first points (at least 6, below half of the largest value) agree on a value of at least twice
//! their errors, this `floor` is added to all laws but Rosenfeld's, which has two plateaus of its own, and
//! counts as a parameter of theirs.
//!
//! # The range
//! Laws are compared on one range. Without a given one, the rise of the curve is cut below at the last
//! value under 0, 5, 10 or 20 % of the largest value and above at the first value of 40, 50, ... or
//! 90 %, or taken whole; a cut whose largest value is below half of the next one holds no rise (a jump
//! follows) and is left out. Every law is fitted to each of these with at least 6 points. A range is
//! acceptable where the best sound fit of any law has chi-square per degree of freedom up to 1.5
//! max(1, the lowest of all); of the acceptable ranges the one with most points is taken. No law has
//! more say than another; a law that holds near p_c alone loses where another describes the whole
//! curve. `ranges` holds the weights on every range, and `own_range` the widest one that each law
//! describes by itself.
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

mod floor;
mod held_out;
mod law;
mod model;
mod range;
mod result;
mod search;

use std::ops::Range;

use rayon::prelude::*;

use super::ScalingError;
use super::curves::{Curve, ErrorSource};
use super::minimise::Effort;
use super::resample::{Resampling, noise_of};
use crate::seed::Seeds;

pub use held_out::HeldOut;
pub use model::{BETA_RANGE, ESSENTIAL_EXPONENT, GAMMA_RANGE, JUMP_BETA_RANGE, MIN_ABOVE, Model};
pub use range::{ACCEPTABLE, LOWER_SHARES, MIN_POINTS, UPPER_SHARES};
pub use result::{CurveFit, FittedPoint, LawPoint, ModelFit, RangeRow, RangeWeights, fitted_points, law_curves};
pub(crate) use search::inverse_diagonal;

use floor::{floor_of, parameters};
use law::Task;
use range::{candidates, trimmed, within};
use search::{Optimum, Points};

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
    /// The laws.
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
        floor: floor_of(curve),
    }
}

/// chi-square per degree of freedom.
fn reduced(chi_square: f64, points: usize, model: Model) -> f64 {
    chi_square / points.saturating_sub(model.count()).max(1) as f64
}

/// AICc of a law with so many parameters.
fn aicc(chi_square: f64, points: usize, parameters: usize) -> f64 {
    let (k, n) = (parameters as f64, points as f64);
    chi_square + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0)
}

/// The Akaike weights of values of AICc.
fn akaike(all: &[f64]) -> Vec<f64> {
    let lowest = all.iter().copied().fold(f64::INFINITY, f64::min);
    let relative: Vec<f64> = all.iter().map(|aicc| (0.5 * (lowest - aicc)).exp()).collect();
    let total: f64 = relative.iter().sum();
    relative.into_iter().map(|one| one / total).collect()
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
    let ranges = match options.range {
        // A given range stands among its neighbours.
        Some(interval) => {
            let range = within(curve, interval);
            let mut ranges = trimmed(&range);
            ranges.push(range);
            ranges.retain(|range| range.len() >= MIN_POINTS);
            ranges
        }
        None => candidates(curve),
    };
    positive(curve, &ranges, options)?;
    let scans: Vec<Vec<Option<Optimum>>> =
        options.models.iter().map(|&model| scanned(curve, &values, &ranges, model, seeds)).collect();
    let range = match options.range {
        Some(interval) => within(curve, interval),
        None => {
            let laws: Vec<(Model, &[Option<Optimum>])> =
                options.models.iter().copied().zip(scans.iter().map(Vec::as_slice)).collect();
            chosen(curve, &values, &ranges, &laws).unwrap_or(0..0)
        }
    };
    if range.len() < MIN_POINTS {
        let what = match options.range {
            Some([low, high]) => format!("size {}, controls from {low} to {high}", curve.size()),
            None => format!("size {}, the rise of the curve below 90 % of its largest value", curve.size()),
        };
        return Err(ScalingError::TooFewPoints { what, there: range.len(), needed: MIN_POINTS });
    }

    let resampling = options.resampling.unwrap_or_else(|| Resampling::for_curve(curve));
    let task = Task { curve, values: &values, range: &range, ranges: &ranges, resampling, options, seeds };
    let mut scan = Vec::new();
    let mut models = Vec::new();
    for (&model, scanned) in options.models.iter().zip(&scans) {
        let mut fitted = task.fit(model, scanned, &mut scan);
        let own = chosen(curve, &values, &ranges, &[(model, scanned)]);
        fitted.own_range = own.map(|own| [own.start, own.end - 1].map(|index| curve.points()[index].control));
        models.push(fitted);
    }
    held_out::measure(&task, &mut models);
    let floor = floor_of(curve);
    let overdispersion = weigh(&mut models, floor);
    // min_by keeps the first of equals: the order asked for.
    let best = models.iter().min_by(|a, b| a.aicc.total_cmp(&b.aicc)).map_or(options.models[0], |model| model.name);
    let mut warnings: Vec<String> = curve.few_replicates().into_iter().collect();
    if let Some(error) = assumed_error {
        warnings
            .push(format!("no errors are given: every point has {error:.3e}, from the scatter of neighbouring points"));
    }
    let ends = [curve.points()[range.start].control, curve.points()[range.end - 1].control];
    for fitted in models.iter().filter(|fitted| fitted.name.is_critical_point(0) && fitted.values()[0] < ends[0]) {
        warnings.push(format!(
            "p_c = {:.5} of {} lies below all points fitted, the lowest is {:.5}: it is extrapolated",
            fitted.values()[0],
            fitted.name,
            ends[0]
        ));
    }
    let compared = compared(curve, options, &ranges, &range, &scans);
    let others = compared.iter().filter(|one| one.best != best).count();
    if others > 0 {
        warnings.push(format!(
            "on {others} of {} ranges another law than {best} has the lowest AICc: see `ranges`",
            compared.len()
        ));
    }
    warnings.extend(held_out::warning(&models, best));
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
        floor,
        reliable: reasons.is_empty(),
        reasons,
        warnings,
        resampling,
        bootstraps: options.bootstraps,
        overdispersion,
        ranges: compared,
        scan,
        models,
    })
}

fn positive(curve: &Curve, ranges: &[Range<usize>], options: &FitOptions) -> Result<(), ScalingError> {
    let Some(model) = options.models.iter().find(|model| model.needs_positive()) else { return Ok(()) };
    let first = ranges.iter().filter_map(|range| curve.points()[range.clone()].first()).map(|point| point.control);
    match first.min_by(f64::total_cmp) {
        Some(control) if control <= 0.0 => Err(ScalingError::ControlNotPositive { model: model.name(), control }),
        _ => Ok(()),
    }
}

/// The rule without a range, for all laws together. Where no range has a sound fit, all compete.
fn chosen(
    curve: &Curve,
    values: &[f64],
    ranges: &[Range<usize>],
    laws: &[(Model, &[Option<Optimum>])],
) -> Option<Range<usize>> {
    let mut all: Vec<(&Range<usize>, f64, bool)> = Vec::new();
    for (number, range) in ranges.iter().enumerate() {
        let points = points_of(curve, values, range);
        for (model, optima) in laws {
            if let Some(optimum) = &optima[number] {
                let sound = points.faults(*model, optimum).is_empty();
                all.push((range, reduced(optimum.chi_square, range.len(), *model), sound));
            }
        }
    }
    let any_sound = all.iter().any(|(_, _, sound)| *sound);
    let eligible = || all.iter().filter(|(_, _, sound)| *sound || !any_sound);
    let limit = ACCEPTABLE * eligible().map(|(_, reduced, _)| *reduced).fold(f64::INFINITY, f64::min).max(1.0);
    eligible()
        .filter(|(_, reduced, _)| *reduced <= limit)
        .max_by(|a, b| a.0.len().cmp(&b.0.len()).then(b.1.total_cmp(&a.1)))
        .map(|(range, _, _)| (*range).clone())
}

/// The laws on every range, where all of them were fitted.
fn compared(
    curve: &Curve,
    options: &FitOptions,
    ranges: &[Range<usize>],
    chosen: &Range<usize>,
    scans: &[Vec<Option<Optimum>>],
) -> Vec<RangeWeights> {
    let mut rows = Vec::new();
    for (number, range) in ranges.iter().enumerate() {
        let found: Option<Vec<Optimum>> = scans.iter().map(|optima| optima[number]).collect();
        let Some(found) = found else { continue };
        let laws = || options.models.iter().copied().zip(&found);
        let ratios: Vec<f64> = laws().map(|(model, one)| reduced(one.chi_square, range.len(), model)).collect();
        let overdispersion = ratios.iter().copied().fold(f64::INFINITY, f64::min).max(1.0);
        let criterion = |(model, one): (Model, &Optimum)| {
            aicc(one.chi_square / overdispersion, range.len(), parameters(model, &one.parameters, floor_of(curve)))
        };
        let criteria: Vec<f64> = laws().map(criterion).collect();
        let best = options.models.iter().zip(&criteria).min_by(|a, b| a.1.total_cmp(b.1)).map(|(model, _)| *model);
        let named = |values: Vec<f64>| options.models.iter().copied().zip(values).collect();
        rows.push(RangeWeights {
            low: curve.points()[range.start].control,
            high: curve.points()[range.end - 1].control,
            points: range.len(),
            chosen: range == chosen,
            best: best.unwrap_or(options.models[0]),
            weights: named(akaike(&criteria)),
            reduced: named(ratios),
        });
    }
    rows
}

/// AICc with the overdispersion, which is given back, Akaike weights, and the verdict that follows.
fn weigh(models: &mut [ModelFit], floor: f64) -> f64 {
    let ratio = |fitted: &ModelFit| reduced(fitted.chi_square, fitted.points, fitted.name);
    let overdispersion = models.iter().map(ratio).fold(f64::INFINITY, f64::min).max(1.0);
    for model in models.iter_mut() {
        model.aicc =
            aicc(model.chi_square / overdispersion, model.points, parameters(model.name, &model.values(), floor));
    }
    let criteria: Vec<f64> = models.iter().map(|model| model.aicc).collect();
    let lowest = criteria.iter().copied().fold(f64::INFINITY, f64::min);
    let best = models.iter().find(|model| model.aicc == lowest).map(|model| model.name);
    for (model, weight) in models.iter_mut().zip(akaike(&criteria)) {
        model.weight = weight;
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
    overdispersion
}

#[cfg(test)]
mod tests;
