//! Finite-size scaling: the data collapse of curves of several sizes.
//!
//! With x = (p - p_c) L^(1/nu) and y = A L^(kappa/nu), the curves A(p) of all sizes L fall on one,
//! near p_c and for large sizes. An order parameter has kappa = beta > 0, a susceptibility
//! kappa = -gamma < 0. [`fit`] finds p_c, 1/nu and kappa/nu at the lowest
//! [quality S](crate::scaling::quality()).
//!
//! # The window
//! Only points with x in a window enter S. Its edge is hard, as in the published analyses, and S
//! jumps when a point crosses it. So S is minimised with the set of points fixed, the set is
//! selected anew at the optimum, and this is repeated until the set is the one that its own optimum
//! selects. There may be several such sets: the lowest S wins, the others are reported as
//! alternatives and enter the systematic error. Where the sets go in circles, the lowest of the
//! circle stands for it and is marked (`consistent: false`).
//!
//! Two other objectives need no such care: [`Objective::Smooth`], a window with soft edges, whose
//! weights are iterated in the same way, and [`Objective::GaussianProcess`], a maximum likelihood.
//!
//! Without a window, p_c, the window and the smallest size are found from the data. The window then
//! holds a share (15, 25, 40 or 60 %, with shared runs also 100 %, at least 4 on each side) of the points of the smallest size,
//! half of them on each side of p_c, and the smallest sizes are left out one by one while at least
//! three remain. For each choice a grid scan over the whole control range, 1/nu in [0.12, 3] and
//! kappa/nu around the slope of ln A at p_c gives the starts. Of the sound results with S at most
//! 1.5 max(1, lowest S), the one with most points is taken, or, where points share their runs and
//! their number says little, the one whose points determine the parameters best (the smallest product
//! of their three errors by least squares), and its window is fixed in x.
//!
//! # What is no collapse
//! A result is sound when 1/nu is inside [0.05, 5] and not at its edges, kappa/nu inside [-10, 10],
//! at least 10 points and 3 of each size are used, two sizes at least have points on both sides of
//! p_c (where the window has both), S is at most 10, and S is at least 4 times lower than the lowest
//! S of the same points with the control not scaled (1/nu = 0, any kappa/nu): where curves of
//! different sizes agree anyway, or differ by a factor (on a plateau, or because the size does not
//! matter), any p_c and 1/nu "collapse" them.
//!
//! # Errors
//! Statistical: [`Resampling`], each resample searched anew with the same window from the optimum
//! and from the ends of other resamples, until its set is consistent; the lowest S counts, as in the
//! fit. The statistical error is multiplied by sqrt(S) if S > 1, since the errors are then too small
//! for what the points scatter.
//!
//! Combined: an average over what could have been chosen otherwise, after W. I. Jay and E. T. Neil,
//! Phys. Rev. D 103, 114502 (2021), arXiv:2008.01069. The choices are the smallest size (all but the last
//! two may be left out), the window (1, 3/4 and 1/2 of the fit's) and the form: plain, or with one
//! [`Correction`](super::Correction) of exponent omega = 1/nu. Each is fitted by least squares with a
//! cubic spline as the master curve, whose number of knots has the lowest BIC at the fit's own points, and
//! has the weight exp(-(chi-square + 2 parameters + 2 points left out)/2). The plain choices are fitted by
//! the fit's own objective as well, at half the weight each, the other optima sharing that of the fit.
//! The reasons:
//!
//! - The parameters of a correction cost nothing. The plain form is no rival of the corrected one but the
//!   same with the amplitude 0, and every finite system has corrections: what is asked is how much they
//!   may matter, not whether they are there.
//! - omega = 1/nu, since then nothing depends on what the size is measured in (a width, or a number of
//!   nodes), corrections that are analytic in the control fall so, and percolation's fall at least so fast.
//! - Sizes below the fit's smallest stay out: one term of a correction need not hold where the plain form
//!   was seen to fail.
//!
//! The 68 and 95 % intervals hold the statistical ones and the middle 68 and 95 % of the mixture of normal
//! laws of all choices, value and error of each; no side of the 95 % interval is shorter than 1.96 times
//! that of the 68 % one. They are one-sided where the choices agree on a side. `systematic` is what makes
//! the statistical error half the width of the 68 % interval, in quadrature.
//!
//! A correction that falls more slowly than L^(-1/nu) and shows in no size is not in the intervals.
//! `cargo bench --bench coverage` counts how often they hold the truth. With two sizes nothing tells of
//! corrections to scaling, and a warning says so. Where no choice can be fitted the systematic error is
//! unknown, and half the range searched is shown.
//!
//! # Reliable
//! A sound optimum is reported as unreliable where fewer than half of the starts around it end
//! within two combined errors of it, fewer than 80 % of the resamples could be fitted, the error of
//! 1/nu or kappa/nu exceeds half of it (of 0.5, for a small kappa/nu) or that of p_c a fifth of the
//! range of the controls, no choice of the average could be fitted, or fewer than half of the searches
//! over everything that led to the window agree with it within three errors.
//!
//! # Several observables
//! [`fit_joint`] fits observables with one p_c and one nu, and corrections to scaling, by least squares.

mod alternatives;
mod average;
mod joint;
mod judgement;
mod options;
mod result;
mod scan;
mod search;
mod window;

use rayon::prelude::*;

use super::ScalingError;
use super::curves::Curves;
use super::estimate::{Estimate, quality_weight, standard_deviation};
use super::minimise::Effort;
use super::quality::{Objective, Parameters};
use super::resample::{Resampling, resample};
use crate::seed::Seeds;

pub use average::WINDOW_FACTORS;
pub use joint::{Amplitude, JointFit, JointObservable, JointOptions, fit_joint};
pub use options::CollapseOptions;
pub use result::{
    Alternative, CollapseFit, LandscapePoint, MasterPoint, ScaledPoint, landscape, master_curve, scaled_points,
};
pub use scan::{ACCEPTABLE, MIN_SIDE, ScanRow, WINDOW_SHARES};
pub use search::{INV_NU_RANGE, KAPPA_LIMIT, MAX_QUALITY, MIN_GAIN};
pub use window::{MIN_POINTS, MIN_POINTS_PER_SIZE};

use alternatives::alternatives;
use average::average;
use judgement::Judged;
use options::check;
use scan::{Choice, agreement, chosen, free_choices};
use search::{Outcome, best, converge, faults, first_starts, follow, starts_around, unscaled_quality};
use window::Window;

/// Points that every size must have in the table.
pub const MIN_POINTS_IN_TABLE: usize = 5;
/// A fit that fewer of its starts reach is unreliable.
pub const MIN_REACHED: f64 = 0.5;
/// A fit of which fewer resamples could be fitted is unreliable.
pub const MIN_RESAMPLES: f64 = 0.8;
/// A larger statistical error of 1/nu, relative to it, leaves it undetermined.
pub const MAX_RELATIVE_ERROR: f64 = 0.5;

/// A larger error of p_c, relative to the range of the controls, leaves it undetermined.
pub const MAX_SHARE: f64 = 0.2;

/// Resamples from whose optima the data are searched for other consistent sets.
const PROBES: usize = 100;
/// Of these optima, so many are starts of a resample's search beside the data's optimum.
const RESAMPLE_STARTS: usize = 3;
/// The first edges of those searches, in standard deviations of these optima.
const PROBE_STEP: f64 = 0.3;
/// Only a hard window has many sets of points that are consistent.
fn probes_of(objective: Objective) -> usize {
    match objective {
        Objective::Pooled | Objective::Pairwise => PROBES,
        Objective::Smooth | Objective::GaussianProcess | Objective::MasterCurve => 0,
    }
}

/// Four significant digits, so that a window found can be typed.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

/// Fits a collapse; see the [module](self) for what is done.
///
/// Deterministic: the same curves and options give the same result whatever the number of threads
/// and the order of the rows. The time is about (starts + bootstraps) x 1,500 evaluations of S, each
/// O(points x sizes).
///
/// # Errors
/// [`ScalingError::NoErrors`], [`ScalingError::TooFewSizes`], [`ScalingError::TooFewPoints`],
/// [`ScalingError::Option`]; [`ScalingError::NoCollapse`] where no parameters put enough points over
/// one another. A collapse that was found and cannot be trusted is a result, with `reliable: false`
/// and reasons.
///
/// ```
/// use prunephase::scaling::{Curves, Row, collapse};
/// // A = L^(-1/4) f((p - 0.3) L^(1/2)) with f(x) = exp(x), slightly perturbed.
/// let mut rows = Vec::new();
/// for size in [16.0f64, 64.0, 256.0] {
///     for step in -10..=10 {
///         let x = 0.2 * f64::from(step);
///         let noise = 1.0 + 0.005 * (f64::from(step) * 37.0 + size).sin();
///         let value = size.powf(-0.25) * x.exp() * noise;
///         let (control, error) = (0.3 + x / size.sqrt(), Some(0.005 * value));
///         rows.push(Row { size, control, value, error, replicate: None });
///     }
/// }
/// let options = collapse::CollapseOptions { bootstraps: 20, ..Default::default() };
/// let fit = collapse::fit(&Curves::from_rows(rows)?, &options)?;
/// assert!((fit.p_c.value - 0.3).abs() < 0.01, "{:?}", fit.p_c);
/// assert!((fit.inv_nu.value - 0.5).abs() < 0.05, "{:?}", fit.inv_nu);
/// # Ok::<(), prunephase::scaling::ScalingError>(())
/// ```
pub fn fit(curves: &Curves, options: &CollapseOptions) -> Result<CollapseFit, ScalingError> {
    check(curves, options)?;
    let seeds = Seeds::new(options.seed, 0);
    let nothing = ScalingError::NoCollapse { points: MIN_POINTS, per_size: MIN_POINTS_PER_SIZE };

    let resampling = options.resampling.unwrap_or_else(|| Resampling::for_curves(curves));
    let (choice, first, free) = match options.window {
        Some(window) => {
            let choice = Choice::new(curves, Window::Fixed(window));
            let starts = first_starts(&choice.data, choice.window, options.guess);
            (choice, starts, None)
        }
        None => {
            let choices = free_choices(curves, options.guess, resampling);
            let Some(base) = chosen(&choices, curves.curves().len(), resampling) else { return Err(nothing) };
            let Some((at, window)) = base
                .outcome
                .as_ref()
                .and_then(|outcome| Some((outcome.at, base.window.interval(&base.data, outcome.at)?)))
            else {
                return Err(nothing);
            };
            let choice = Choice::new(&base.curves, Window::Fixed(window.map(rounded)));
            (choice, vec![at], Some(choices))
        }
    };
    let objective = options.objective;
    let choice = choice.with(objective);
    let Choice { curves: used_curves, data, window, .. } = &choice;
    let search = |starts: &[Parameters]| follow(data, *window, objective, starts, Effort::FINE);

    let mut outcomes: Vec<Outcome> = search(&first).into_iter().flatten().collect();
    let Some(centre) = best(data, *window, &outcomes).map(|outcome| outcome.at) else { return Err(nothing) };
    let mut stream = seeds.stream("collapse starts");
    let around = search(&starts_around(data, *window, centre, options.starts, &mut stream));
    outcomes.extend(around.iter().flatten().cloned());
    let Some(found) = best(data, *window, &outcomes).map(|outcome| outcome.at) else { return Err(nothing) };

    // Other consistent sets sit within the errors of the optimum, where wide starts rarely stop:
    // the data are searched from where resamples end.
    let refit = |purpose: &str, number: usize, starts: &[Parameters]| {
        let mut stream = seeds.stream(&format!("collapse {purpose} {number}"));
        let other = data.with_values(resample(used_curves, resampling, &mut stream));
        let ends = starts.iter().filter_map(|&at| converge(&other, *window, objective, at, None, Effort::COARSE));
        // As in the fit, the lowest of several consistent sets: what this choice scatters belongs
        // to the error.
        ends.min_by(|a, b| b.consistent.cmp(&a.consistent).then(a.quality.total_cmp(&b.quality)))
            .map(|outcome| outcome.at)
    };
    let probes: Vec<Parameters> =
        (0..probes_of(objective)).into_par_iter().filter_map(|number| refit("probe", number, &[found])).collect();
    let edges: [f64; 3] = std::array::from_fn(|axis| {
        let ends: Vec<f64> = probes.iter().map(|at| at.to_array()[axis]).collect();
        PROBE_STEP * standard_deviation(&ends)
    });
    let probed: Vec<Outcome> =
        probes.par_iter().filter_map(|&at| converge(data, *window, objective, at, Some(edges), Effort::FINE)).collect();
    outcomes.extend(probed);
    let Some(optimum) = best(data, *window, &outcomes).cloned() else { return Err(nothing) };

    let bootstrap: Vec<[f64; 3]> = (0..options.bootstraps)
        .into_par_iter()
        .filter_map(|number| {
            let others = (0..RESAMPLE_STARTS).filter_map(|turn| probes.get((number + 37 * turn) % probes.len().max(1)));
            let starts: Vec<Parameters> = std::iter::once(optimum.at).chain(others.copied()).collect();
            refit("bootstrap", number, &starts).map(Parameters::to_array)
        })
        .collect();
    let inflation = optimum.quality.max(1.0).sqrt();
    let cloud = |axis: usize| -> Vec<f64> { bootstrap.iter().map(|values| values[axis]).collect() };
    let value = optimum.at.to_array();
    let points = optimum.set.count() as f64;
    let weight = |outcome: &Outcome| {
        quality_weight(outcome.quality, optimum.quality) * (outcome.set.count() as f64 / points).min(1.0)
    };
    let alternatives = alternatives(&choice, &optimum, &outcomes, &around, weight);
    let Window::Fixed(interval) = *window else { return Err(nothing) };
    let own = [0, 1, 2].map(|axis| inflation * standard_deviation(&cloud(axis)));
    let averaged = average(used_curves, interval, objective, optimum.at, own, resampling);
    let estimate = |axis: usize| {
        let Some(averaged) = &averaged else { return Estimate::new(value[axis], &cloud(axis), inflation, 0.0) };
        let mut laws: Vec<(f64, f64, f64)> = averaged.rows.iter().map(|row| row.law(axis)).collect();
        // The fit's own weight is shared with the other optima of the same choice.
        let all = 1.0 + alternatives.iter().map(|other| other.weight).sum::<f64>();
        laws.push((averaged.own / all, value[axis], own[axis]));
        laws.extend(alternatives.iter().map(|other| {
            let at = [other.p_c, other.inv_nu, other.kappa_over_nu];
            (averaged.own * other.weight / all, at[axis], own[axis])
        }));
        Estimate::averaged(value[axis], &cloud(axis), inflation, &laws)
    };
    let [p_c, inv_nu, kappa_over_nu] = [0, 1, 2].map(estimate);

    let totals = [p_c, inv_nu, kappa_over_nu].map(|estimate| estimate.total());
    let near = |outcome: &Outcome| {
        let other = outcome.at.to_array();
        (0..3).all(|axis| (other[axis] - value[axis]).abs() <= 2.0 * totals[axis])
    };
    let reached = around.iter().flatten().filter(|outcome| near(outcome)).count();

    let controls = data.series.iter().flat_map(|one| one.control.iter().copied());
    let (low, high) = controls.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), c| (low.min(c), high.max(c)));
    let judged = Judged {
        estimates: [p_c, inv_nu, kappa_over_nu],
        controls: high - low,
        reached: [reached, options.starts],
        resamples: [bootstrap.len(), options.bootstraps],
        known: averaged.is_some(),
        agreement: free.as_ref().map(|choices| {
            let limits = totals.map(|total| 3.0 * total);
            agreement(choices, curves.curves().len(), optimum.at, limits)
        }),
    };
    let mut reasons = faults(data, *window, &optimum);
    reasons.extend(judged.reasons());
    let assumed = resampling == Resampling::SharedRuns && options.resampling.is_none();
    let warnings = judged.warnings(&optimum, used_curves, curves.curves().len(), assumed);
    // An unknown error must not look like none.
    let shown = |estimate: Estimate, half: f64| if averaged.is_none() { estimate.widened(half) } else { estimate };
    let p_c = shown(p_c, 0.5 * (high - low));
    let inv_nu = shown(inv_nu, 0.5 * (INV_NU_RANGE[1] - INV_NU_RANGE[0]));
    let kappa_over_nu = shown(kappa_over_nu, KAPPA_LIMIT);
    Ok(CollapseFit {
        p_c,
        inv_nu,
        kappa_over_nu,
        quality: optimum.quality,
        unscaled_quality: unscaled_quality(data, &optimum),
        points: optimum.set.count(),
        starts: options.starts,
        reached,
        reliable: reasons.is_empty(),
        reasons,
        warnings,
        consistent: optimum.consistent,
        objective,
        window: interval,
        window_given: options.window.is_some(),
        sizes: used_curves.sizes(),
        resampling,
        alternatives,
        scan: averaged.map(|averaged| averaged.rows).unwrap_or_default(),
        bootstraps: options.bootstraps,
        bootstrap,
    })
}

#[cfg(test)]
mod tests;
