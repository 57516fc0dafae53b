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

/// The average has the fit's window times these.
pub const WINDOW_FACTORS: [f64; 3] = [1.0, 0.75, 0.5];
/// What the points of replicates have in common, at most; the rest keeps the covariance regular.
const MOST_SHARED: f64 = 0.99;
/// Neighbouring points of replicates that share more than this on average form a chain.
const CHAIN_FROM: f64 = 0.8;
/// Intervals of the master curve, tried at the fit's own window.
const INTERVALS: [usize; 9] = [2, 3, 4, 5, 6, 8, 10, 13, 17];

/// A choice of less weight is not fitted a second time.
const NEGLIGIBLE: f64 = 1e-4;

/// The points of a curve that `keep` accepts, as a block of a least-squares fit.
///
/// Points of shared runs lose their correlation as exp(-distance/reach), since nothing tells how they
/// do. With the width of the window as the reach a size's offset is about as uncertain as any of its
/// points, and a tilt more than it need be.
pub(super) fn block(
    curve: &Curve,
    observable: usize,
    resampling: Resampling,
    reach: f64,
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
            let links = points.windows(2).map(|pair| (-(pair[1].control - pair[0].control) / reach).exp());
            shared = Shared::AssumedChain(std::iter::once(0.0).chain(links).collect());
        }
        Resampling::Replicates => {
            deviations = vec![vec![0.0; points.len()]; curve.replicates()];
            for (j, point) in points.iter().enumerate() {
                for &(replicate, value) in &point.samples {
                    deviations[replicate][j] = value - point.value;
                }
            }
            let control: Vec<f64> = points.iter().map(|point| point.control).collect();
            shared = shared_by(&control, &deviations);
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

/// What the points of replicates have in common, by one number for a size: more of them, each measured
/// from a few replicates, would fit the noise of the replicates, and errors from the same replicates
/// would be too small. Where neighbouring points hardly differ, as those of one sweep, they form a
/// chain whose correlation falls as exp(-distance/reach); else all points share as much as two of them
/// do on average.
fn shared_by(control: &[f64], deviations: &[Vec<f64>]) -> Shared {
    let points = control.len();
    let norm = |j: usize| deviations.iter().map(|one| one[j] * one[j]).sum::<f64>().sqrt();
    let spread: Vec<f64> = (0..points).map(norm).collect();
    let correlation = |i: usize, j: usize| {
        let product: f64 = deviations.iter().map(|one| one[i] * one[j]).sum();
        let scale = spread[i] * spread[j];
        if scale > 0.0 { (product / scale).clamp(0.0, MOST_SHARED) } else { 0.0 }
    };
    if points < 2 {
        return Shared::Nothing;
    }
    let lost: f64 = (1..points).map(|j| 1.0 - correlation(j - 1, j)).sum();
    if lost < (1.0 - CHAIN_FROM) * (points - 1) as f64 {
        let reach = (control[points - 1] - control[0]) / lost;
        let link = |pair: &[f64]| (-(pair[1] - pair[0]) / reach).exp().min(MOST_SHARED);
        return Shared::Chain(std::iter::once(0.0).chain(control.windows(2).map(link)).collect());
    }
    let pairs = (0..points).flat_map(|j| (0..j).map(move |i| (i, j)));
    let sum: f64 = pairs.map(|(i, j)| correlation(i, j)).sum();
    Shared::Common(sum / (0.5 * (points * (points - 1)) as f64))
}

/// The master curve's number of intervals with the lowest BIC: knots that fit the noise make the slopes
/// steeper than they are, and the errors of the parameters too small.
pub(super) fn intervals(problem: &Problem, start: &Start, omega: f64) -> Option<usize> {
    let points: usize = problem.blocks.iter().map(|block| block.control.len()).sum();
    let penalty = (points.max(8) as f64).ln();
    let correction = if problem.sizes() > 2 { Correction::Factor } else { Correction::None };
    INTERVALS
        .into_par_iter()
        .filter_map(|count| {
            let found = problem.solve(start, correction, omega, count)?;
            Some((found.chi_square + penalty * found.parameters as f64, count))
        })
        .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
        .map(|(_, count)| count)
}

/// The width of a window in the control at a size.
pub(super) fn reach(window: [f64; 2], size: f64, inv_nu: f64) -> f64 {
    (window[1] - window[0]) * size.powf(-inv_nu)
}

/// The points of a set as a least-squares problem; `window` is the whole one in x.
pub(super) fn problem(
    curves: &Curves,
    data: &Dataset,
    set: &PointSet,
    resampling: Resampling,
    window: [f64; 2],
    inv_nu: f64,
) -> Problem {
    let offsets = curves.curves().iter().zip(&data.offsets);
    let kept = |(curve, offset): (&Curve, &usize)| {
        block(curve, 0, resampling, reach(window, curve.size(), inv_nu), |j| set.contains(offset + j))
    };
    Problem::new(offsets.filter_map(kept).collect())
}

/// The errors of p_c, 1/nu and kappa/nu of the plain form by least squares.
pub(super) fn errors_of(problem: &Problem, at: Parameters) -> Option<[f64; 3]> {
    let start = at.into();
    let found = problem.solve(&start, Correction::None, at.inv_nu, intervals(problem, &start, at.inv_nu)?)?;
    Some(std::array::from_fn(|axis| found.covariance[axis][axis].max(0.0).sqrt()))
}

/// What is averaged.
pub(super) struct Averaged {
    pub(super) rows: Vec<ScanRow>,
    /// The weight of the fit itself.
    pub(super) own: f64,
}

/// A choice of smallest size, window and correction, with its least-squares fit.
#[derive(Debug, Clone)]
pub(super) struct Fitted {
    /// How many of the smallest sizes are left out.
    pub(super) left_out: usize,
    /// What the window is multiplied with.
    pub(super) factor: f64,
    /// Whether it has the points of the fit.
    plain: bool,
    pub(super) correction: Correction,
    pub(super) solution: Solution,
    /// Independent points that it does without.
    cut: f64,
    /// The share in the average, all of them together 1.
    pub(super) weight: f64,
}

impl Fitted {
    /// Whether it has the points of the fit and the plain form.
    pub(super) fn is_plain(&self) -> bool {
        self.plain && self.correction == Correction::None
    }

    /// chi-square, two for each parameter of the plain form and two for each point cut. The
    /// parameters of a correction cost nothing: corrections are there in every finite system, and
    /// what is asked is how much they may matter.
    fn cost(&self, scale: f64) -> f64 {
        let free = self.correction.parameters(self.solution.observables());
        self.solution.chi_square / scale + 2.0 * (self.solution.parameters - free) as f64 + 2.0 * self.cut
    }
}

/// All choices of the smallest size, the window and the correction, `problem_of` giving the points
/// of a choice, with their weights, and what errors must be multiplied with where every choice has
/// a chi-square above what it should be. Empty where nothing could be fitted.
pub(super) fn choices(
    problem_of: impl Fn(usize, f64) -> Option<Problem> + Sync,
    sizes: usize,
    start: &Start,
    omega: f64,
) -> (Vec<Fitted>, f64) {
    let Some(full) = problem_of(0, 1.0) else { return (Vec::new(), 1.0) };
    let Some(knots) = intervals(&full, start, omega) else { return (Vec::new(), 1.0) };
    let forms = [Correction::None, Correction::Factor, Correction::Drift, Correction::Shape];
    let all: Vec<(usize, f64)> =
        (0..sizes - 1).flat_map(|left_out| WINDOW_FACTORS.map(|factor| (left_out, factor))).collect();
    let mut fitted: Vec<Fitted> = all
        .into_par_iter()
        .filter_map(|(left_out, factor)| {
            let problem = problem_of(left_out, factor)?;
            let count = ((knots as f64 * factor).round() as usize).max(2);
            let used = &forms[..if sizes - left_out > 2 { forms.len() } else { 1 }];
            let plain = left_out == 0 && factor == 1.0;
            let solved = used.iter().filter_map(|&correction| {
                let solution = problem.solve(start, correction, omega, count)?;
                Some(Fitted { left_out, factor, plain, correction, solution, cut: 0.0, weight: 0.0 })
            });
            Some(solved.collect::<Vec<_>>())
        })
        .flatten()
        .collect();
    let most = fitted.iter().map(|one| one.solution.worth).fold(0.0, f64::max);
    fitted.iter_mut().for_each(|one| one.cut = most - one.solution.worth);
    // Errors that are too small make every choice look bad alike: the best one sets the scale.
    let scale = fitted.iter().filter_map(|one| one.solution.reduced()).fold(f64::INFINITY, f64::min);
    let scale = if scale.is_finite() { scale.max(1.0) } else { 1.0 };
    let lowest = fitted.iter().map(|one| one.cost(scale)).fold(f64::INFINITY, f64::min);
    for one in &mut fitted {
        one.weight = (-0.5 * (one.cost(scale) - lowest)).exp();
    }
    let total: f64 = fitted.iter().map(|one| one.weight).sum();
    fitted.iter_mut().for_each(|one| one.weight /= total);
    (fitted, scale.sqrt())
}

/// The row of a choice.
pub(super) fn row(fitted: &Fitted, sizes: &[f64], window: [f64; 2], inflation: f64, points: usize) -> ScanRow {
    let Solution { theta, covariance, .. } = &fitted.solution;
    let error = |axis: usize| inflation * covariance[axis][axis].max(0.0).sqrt();
    ScanRow {
        min_size: sizes[fitted.left_out],
        sizes: sizes.len() - fitted.left_out,
        window_low: window[0] * fitted.factor,
        window_high: window[1] * fitted.factor,
        objective: Objective::MasterCurve,
        correction: fitted.correction,
        p_c: theta[0],
        inv_nu: theta[1],
        kappa_over_nu: theta[2],
        p_c_error: error(0),
        inv_nu_error: error(1),
        kappa_over_nu_error: error(2),
        quality: fitted.solution.reduced().unwrap_or(0.0),
        points,
        weight: fitted.weight,
    }
}

/// All choices of smallest size, window and correction, by least squares; those of the plain form
/// by the fit's own objective as well, at half the weight each. `None` where no choice could be fitted.
pub(super) fn average(
    curves: &Curves,
    window: [f64; 2],
    objective: Objective,
    at: Parameters,
    statistical: [f64; 3],
    resampling: Resampling,
) -> Option<Averaged> {
    let sizes = curves.sizes();
    let points_of = |left_out: usize, factor: f64| {
        let part = curves.from_size(sizes[left_out]);
        let data = Dataset::new(&part);
        let window = Window::Fixed(window.map(|edge| edge * factor));
        let set = PointSet::select(&data, window, at)?;
        Some((part, data, window, set))
    };
    let problem_of = |left_out: usize, factor: f64| {
        let (part, data, _, set) = points_of(left_out, factor)?;
        Some(problem(&part, &data, &set, resampling, window, at.inv_nu))
    };
    let (fitted, inflation) = choices(problem_of, sizes.len(), &at.into(), at.inv_nu);
    if fitted.is_empty() {
        return None;
    }
    // The fit's own errors against those of least squares at the same points.
    let ratio = fitted.iter().find(|one| one.is_plain()).map_or([1.0; 3], |one| {
        std::array::from_fn(|axis| {
            let own = inflation * one.solution.covariance[axis][axis].max(0.0).sqrt();
            if own > 0.0 { statistical[axis] / own } else { 1.0 }
        })
    });
    let both: Vec<(ScanRow, Option<ScanRow>, bool)> = fitted
        .par_iter()
        .filter_map(|one| {
            let (_, data, interval, set) = points_of(one.left_out, one.factor)?;
            let own = row(one, &sizes, window, inflation, set.count());
            // The fit's own choice is there already.
            let wanted = one.correction == Correction::None && !one.is_plain() && own.weight > NEGLIGIBLE;
            let other = wanted
                .then(|| converge(&data, interval, objective, at, None, Effort::COARSE))
                .flatten()
                .filter(|outcome| faults(&data, interval, outcome).is_empty())
                .map(|outcome| ScanRow {
                    objective,
                    p_c: outcome.at.p_c,
                    inv_nu: outcome.at.inv_nu,
                    kappa_over_nu: outcome.at.kappa_over_nu,
                    p_c_error: own.p_c_error * ratio[0],
                    inv_nu_error: own.inv_nu_error * ratio[1],
                    kappa_over_nu_error: own.kappa_over_nu_error * ratio[2],
                    quality: outcome.quality,
                    points: outcome.set.count(),
                    ..own.clone()
                });
            Some((own, other, one.is_plain()))
        })
        .collect();
    let mut averaged = Averaged { rows: Vec::new(), own: 0.0 };
    for (mut own, other, plain) in both {
        if plain || other.is_some() {
            own.weight *= 0.5;
        }
        if plain {
            averaged.own = own.weight;
        }
        averaged.rows.extend(other.map(|other| ScanRow { weight: own.weight, ..other }));
        averaged.rows.push(own);
    }
    Some(averaged)
}
