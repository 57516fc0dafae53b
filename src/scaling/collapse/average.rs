//! The combined error: an average over what could have been chosen otherwise.

use rayon::prelude::*;

use super::scan::ScanRow;
use super::search::{converge, faults};
use super::window::{PointSet, Window};
use crate::scaling::curves::{Curve, Curves};
use crate::scaling::master::{Block, Correction, Problem, Shared, Solution, Start};
use crate::scaling::minimise::Effort;
use crate::scaling::quality::{Dataset, Objective, Parameters};
use crate::scaling::resample::Resampling;

/// The exponent omega of the corrections in the average, relative to the smallest size used.
pub const OMEGA: f64 = 1.0;
/// The average has the fit's window times these.
pub const WINDOW_FACTORS: [f64; 3] = [1.0, 0.75, 0.5];
/// What the points of replicates have in common, at most; the rest keeps the covariance regular.
const MOST_SHARED: f64 = 0.95;
/// Intervals of the master curve, tried at the fit's own window.
const INTERVALS: [usize; 9] = [2, 3, 4, 5, 6, 8, 10, 13, 17];

/// One choice's result: a normal law of this weight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Component {
    pub(super) weight: f64,
    pub(super) value: [f64; 3],
    pub(super) error: [f64; 3],
}

/// The points of a curve that `keep` accepts, as a block of a least-squares fit.
///
/// Points of shared runs lose their correlation as exp(-distance) over the width of the points kept,
/// since nothing tells how they do: a size's offset is then about as uncertain as any of its points,
/// and a tilt more than it need be.
pub(super) fn block(
    curve: &Curve,
    observable: usize,
    resampling: Resampling,
    keep: impl Fn(usize) -> bool,
) -> Option<Block> {
    let kept: Vec<usize> = (0..curve.points().len()).filter(|&j| keep(j)).collect();
    let points: Vec<_> = kept.iter().map(|&j| &curve.points()[j]).collect();
    if points.is_empty() {
        return None;
    }
    let mut deviations = Vec::new();
    let mut shared = Shared::Nothing;
    match resampling {
        Resampling::PointByPoint => {}
        Resampling::SharedRuns => {
            let range = points[points.len() - 1].control - points[0].control;
            let links = points.windows(2).map(|pair| (-(pair[1].control - pair[0].control) / range).exp());
            shared = Shared::Chain(std::iter::once(0.0).chain(links).collect());
        }
        Resampling::Replicates => {
            deviations = vec![vec![0.0; points.len()]; curve.replicates()];
            for (j, point) in points.iter().enumerate() {
                for &(replicate, value) in &point.samples {
                    deviations[replicate][j] = value - point.value;
                }
            }
            shared = Shared::Common(shared_by(&deviations));
        }
    }
    Some(Block {
        observable,
        ln_size: curve.size().ln(),
        control: points.iter().map(|point| point.control).collect(),
        value: points.iter().map(|point| point.value).collect(),
        error: points.iter().map(|point| point.error).collect(),
        shared,
        deviations,
    })
}

/// The mean correlation of two points over replicates, from 0 to [`MOST_SHARED`].
fn shared_by(deviations: &[Vec<f64>]) -> f64 {
    let points = deviations.first().map_or(0, Vec::len);
    let spread: Vec<f64> =
        (0..points).map(|j| deviations.iter().map(|one| one[j] * one[j]).sum::<f64>().sqrt()).collect();
    let used = spread.iter().filter(|&&s| s > 0.0).count() as f64;
    if used < 2.0 {
        return 0.0;
    }
    let squares: f64 = deviations
        .iter()
        .map(|one| one.iter().zip(&spread).filter(|(_, s)| **s > 0.0).map(|(d, s)| d / s).sum::<f64>().powi(2))
        .sum();
    ((squares - used) / (used * (used - 1.0))).clamp(0.0, MOST_SHARED)
}

/// The master curve's number of intervals with the lowest AIC.
pub(super) fn intervals(problem: &Problem, start: &Start, omega: f64) -> Option<usize> {
    let correction = if problem.sizes() > 2 { Correction::Factor } else { Correction::None };
    INTERVALS
        .into_par_iter()
        .filter_map(|count| {
            let found = problem.solve(start, correction, omega, count)?;
            Some((found.chi_square + 2.0 * found.parameters as f64, count))
        })
        .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
        .map(|(_, count)| count)
}

/// The points of a set as a least-squares problem.
pub(super) fn problem(curves: &Curves, data: &Dataset, set: &PointSet, resampling: Resampling) -> Problem {
    let offsets = curves.curves().iter().zip(&data.offsets);
    let kept = |(curve, offset): (&Curve, &usize)| block(curve, 0, resampling, |j| set.contains(offset + j));
    Problem::new(offsets.filter_map(kept).collect())
}

/// The errors of p_c, 1/nu and kappa/nu of the plain form by least squares.
pub(super) fn errors_of(problem: &Problem, at: Parameters) -> Option<[f64; 3]> {
    let start = at.into();
    let found = problem.solve(&start, Correction::None, OMEGA, intervals(problem, &start, OMEGA)?)?;
    Some(std::array::from_fn(|axis| found.covariance[axis][axis].max(0.0).sqrt()))
}

/// What is averaged.
pub(super) struct Averaged {
    pub(super) rows: Vec<ScanRow>,
    pub(super) components: Vec<Component>,
    /// The weight of the fit's own choice, without its objective's half.
    pub(super) own: f64,
}

struct Choice {
    left_out: usize,
    factor: f64,
    correction: Correction,
}

/// All choices of smallest size, window and correction, by least squares; those of the plain form
/// by the fit's own objective as well, at half the weight each. `None` where no choice could be
/// fitted.
pub(super) fn average(
    curves: &Curves,
    window: [f64; 2],
    objective: Objective,
    at: Parameters,
    statistical: [f64; 3],
    resampling: Resampling,
) -> Option<Averaged> {
    let sizes = curves.sizes();
    let problem_of = |left_out: usize, factor: f64| {
        let part = curves.from_size(sizes[left_out]);
        let data = Dataset::new(&part);
        let window = Window::Fixed(window.map(|edge| edge * factor));
        let set = PointSet::select(&data, window, at)?;
        let problem = problem(&part, &data, &set, resampling);
        Some((data, window, set, problem))
    };
    let (_, _, _, full) = problem_of(0, 1.0)?;
    let (full_worth, start) = (full.worth(), at.into());
    let knots = intervals(&full, &start, OMEGA)?;

    let mut choices = Vec::new();
    for left_out in 0..sizes.len() - 1 {
        for factor in WINDOW_FACTORS {
            for correction in [Correction::None, Correction::Factor, Correction::Drift, Correction::Shape] {
                if correction == Correction::None || sizes.len() - left_out > 2 {
                    choices.push(Choice { left_out, factor, correction });
                }
            }
        }
    }
    let fitted: Vec<(Choice, Solution, f64, ScanRow, Option<ScanRow>)> = choices
        .into_par_iter()
        .filter_map(|choice| {
            let (data, window, set, problem) = problem_of(choice.left_out, choice.factor)?;
            let count = ((knots as f64 * choice.factor).round() as usize).max(2);
            let found = problem.solve(&start, choice.correction, OMEGA, count)?;
            let [low, high] = window.interval(&data, at)?;
            let row = |at: Parameters, objective, errors: [f64; 3], quality, points| ScanRow {
                min_size: sizes[choice.left_out],
                sizes: sizes.len() - choice.left_out,
                window_low: low,
                window_high: high,
                objective,
                correction: choice.correction,
                p_c: at.p_c,
                inv_nu: at.inv_nu,
                kappa_over_nu: at.kappa_over_nu,
                p_c_error: errors[0],
                inv_nu_error: errors[1],
                kappa_over_nu_error: errors[2],
                quality,
                points,
                weight: 0.0,
            };
            let errors: [f64; 3] = std::array::from_fn(|axis| found.covariance[axis][axis].max(0.0).sqrt());
            let own = row(Parameters::from_slice(&found.theta), Objective::MasterCurve, errors, found.reduced().unwrap_or(0.0), set.count());
            let fits_own = choice.left_out == 0 && choice.factor == 1.0;
            // The fit's own choice is there already.
            let plain = choice.correction == Correction::None && !fits_own && objective != Objective::MasterCurve;
            let other = plain
                .then(|| converge(&data, window, objective, at, None, Effort::COARSE))
                .flatten()
                .filter(|outcome| faults(&data, window, outcome).is_empty())
                .map(|outcome| row(outcome.at, objective, errors, outcome.quality, outcome.set.count()));
            let cut = full_worth - problem.worth();
            Some((choice, found, cut, own, other))
        })
        .collect();

    // Errors that are too small make every choice look bad alike: the best one sets the scale.
    let scale = fitted.iter().filter_map(|(_, found, ..)| found.reduced()).fold(f64::INFINITY, f64::min);
    let scale = if scale.is_finite() { scale.max(1.0) } else { 1.0 };
    let cost = |correction: Correction, found: &Solution, cut: f64| {
        let free = if correction == Correction::None { 0.0 } else { 1.0 };
        found.chi_square / scale + 2.0 * (found.parameters as f64 - free) + 2.0 * cut
    };
    let lowest = fitted.iter().map(|(choice, found, cut, ..)| cost(choice.correction, found, *cut)).fold(f64::INFINITY, f64::min);
    let weight = |correction, found: &Solution, cut| (-0.5 * (cost(correction, found, cut) - lowest)).exp();
    let total: f64 = fitted.iter().map(|(choice, found, cut, ..)| weight(choice.correction, found, *cut)).sum();
    if fitted.is_empty() || !total.is_finite() {
        return None;
    }
    // The fit's own errors against those of least squares at the same points.
    let ratio: [f64; 3] = fitted
        .iter()
        .find(|(choice, ..)| choice.left_out == 0 && choice.factor == 1.0 && choice.correction == Correction::None)
        .map_or([1.0; 3], |(_, _, _, row, _)| {
            let own = [row.p_c_error, row.inv_nu_error, row.kappa_over_nu_error];
            std::array::from_fn(|axis| if own[axis] > 0.0 { statistical[axis] / own[axis] } else { 1.0 })
        });
    let mut averaged = Averaged { rows: Vec::new(), components: Vec::new(), own: 0.0 };
    for (choice, found, cut, mut row, other) in fitted {
        let mut share = weight(choice.correction, &found, cut) / total;
        let fits_own = choice.left_out == 0 && choice.factor == 1.0 && choice.correction == Correction::None;
        if (fits_own || other.is_some()) && objective != Objective::MasterCurve {
            share *= 0.5;
        }
        if fits_own {
            averaged.own = share;
        }
        if let Some(mut other) = other {
            other.p_c_error *= ratio[0];
            other.inv_nu_error *= ratio[1];
            other.kappa_over_nu_error *= ratio[2];
            other.weight = share;
            averaged.push(other, 1.0);
        }
        row.weight = share;
        averaged.push(row, scale.sqrt());
    }
    Some(averaged)
}

impl Averaged {
    fn push(&mut self, mut row: ScanRow, inflation: f64) {
        row.p_c_error *= inflation;
        row.inv_nu_error *= inflation;
        row.kappa_over_nu_error *= inflation;
        self.components.push(Component {
            weight: row.weight,
            value: [row.p_c, row.inv_nu, row.kappa_over_nu],
            error: [row.p_c_error, row.inv_nu_error, row.kappa_over_nu_error],
        });
        self.rows.push(row);
    }
}
