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
//! All of them are in the scan of systematic errors.
//!
//! Without a window, p_c, the window and the smallest size are found from the data. The window then
//! holds a share (15, 25, 40, 60 or 90 %, at least 4 on each side) of the points of the smallest size,
//! half of them on each side of p_c, and the smallest sizes are left out one by one while at least
//! three remain. For each choice a grid scan over the whole control range, 1/nu in [0.12, 3] and
//! kappa/nu around the slope of ln A at p_c gives the starts. Of the sound results with S at most
//! 1.5 max(1, lowest S), the one with the smallest statistical errors is taken (the product of those of
//! the three parameters, over a few resamples), and its window is fixed in x.
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
//! and from three ends of other resamples, until its set is consistent; the lowest S counts, as in the fit.
//! The error is the resamples' root mean square distance from the optimum.
//! The statistical error is multiplied by sqrt(S) if S > 1, since the errors are then too small for what
//! the points scatter. Systematic: the scan's results, each with the weight w = exp(1 - S/max(1, S_fit)) up to 1, times the share of points if it has
//! fewer than the fit. Four questions are asked apart and their answers d added in quadrature: the
//! windows, the objective and the alternatives each give sqrt(sum w d^2 / (1 + sum w)), the fit itself
//! counting with d = 0 and the weight 1; the
//! smallest size gives the bias that a correction L^-omega would leave in the fit, omega nu = 4/3
//! ([`OMEGA_NU`]): d / (1 - m'/m) with the slopes m and m' of L^-omega against ln L over the fit's sizes and
//! the row's, as a mean by quality and by the spread of ln L. The scan is followed from the optimum and from
//! starts around it. Statistical noise of its smaller sets is in it, so it errs on the large side where
//! there are no corrections; where there are strong ones that so few sizes cannot show, it is too small.
//! `cargo bench --bench coverage` measures both. Where no other choice is sound
//! it is unknown, and half the range searched is shown; with two sizes nothing tells of corrections
//! to scaling, and a warning says so.
//!
//! # Reliable
//! Errors are here the statistical one and the plain spread over scan and alternatives, without the
//! extrapolation in size. A sound optimum is reported as unreliable where fewer than half of the starts around it end
//! within two combined errors of it, fewer than 80 % of the resamples could be fitted, the error of
//! 1/nu or kappa/nu exceeds half of it (of 0.5, for a small kappa/nu) or that of p_c a fifth of the
//! range of the controls, no other choice of the scan is sound, or fewer than half of the searches over
//! everything that led to the window agree with it within three errors.

mod joint;
mod options;
mod resampled;
mod result;
mod scan;
mod search;
mod systematic;
mod window;

use rayon::prelude::*;

use super::ScalingError;
use super::curves::{Curve, Curves};
use super::estimate::{Estimate, distance, quality_weight, standard_deviation};
use super::minimise::Effort;
use super::quality::{Objective, Parameters};
use super::resample::{Resampling, resample};
use crate::seed::Seeds;

pub use joint::{Amplitude, JointChoice, JointFit, JointObservable, JointOptions, JointPoint, fit_joint};
pub use options::{CollapseOptions, MIN_POINTS_IN_TABLE};
pub use resampled::{Resample, resampled};
pub use result::{Alternative, CollapseFit, LandscapePoint, ScaledPoint, landscape, scaled_points};
pub use scan::{ACCEPTABLE, MIN_SIDE, ScanRow, WINDOW_FACTORS, WINDOW_SHARES};
pub use search::{INV_NU_RANGE, KAPPA_LIMIT, MAX_QUALITY, MIN_GAIN};
pub use systematic::OMEGA_NU;
pub use window::{MIN_POINTS, MIN_POINTS_PER_SIZE};

use options::check;
use scan::{Choice, agreement, chosen, fixed_choices, free_choices, local_choices, rows};
use search::{Outcome, best, converge, faults, first_starts, follow, starts_around, unscaled_quality};
use systematic::{Reference, systematic};
use window::Window;

/// A fit that fewer of its starts reach is unreliable.
pub const MIN_REACHED: f64 = 0.5;
/// A fit of which fewer resamples could be fitted is unreliable.
pub const MIN_RESAMPLES: f64 = 0.8;
/// A larger statistical error of 1/nu, relative to it, leaves it undetermined.
pub const MAX_RELATIVE_ERROR: f64 = 0.5;

/// A larger error of p_c, relative to the range of the controls, leaves it undetermined.
pub const MAX_SHARE: f64 = 0.2;

/// A warning.
const CORRECTIONS_OPEN: &str = "the sizes cannot exclude corrections to scaling as large as half of 1/nu";

/// Resamples from whose optima the data are searched for other consistent sets.
const PROBES: usize = 100;
/// Of these optima, so many are starts of a resample's search beside the data's optimum.
const RESAMPLE_STARTS: usize = 3;
/// The first edges of those searches, in standard deviations of these optima.
const PROBE_STEP: f64 = 0.3;
/// Alternatives of less weight than this are false minima and not reported; rows of the scan of
/// less weight say nothing of the systematic error.
const MIN_WEIGHT: f64 = 1e-3;

/// Only a hard window has many sets of points that are consistent.
fn probes_of(objective: Objective) -> usize {
    match objective {
        Objective::Pooled | Objective::Pairwise => PROBES,
        Objective::Smooth | Objective::GaussianProcess => 0,
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

    let (choice, first, free) = match options.window {
        Some(window) => {
            let choice = Choice::new(curves, Window::Fixed(window));
            let starts = first_starts(&choice.data, choice.window, options.guess);
            (choice, starts, None)
        }
        None => {
            let choices = free_choices(curves, options.guess);
            let resampling = options.resampling.unwrap_or_else(|| Resampling::for_curves(curves));
            let Some(base) = chosen(&choices, curves.curves().len(), resampling, seeds) else { return Err(nothing) };
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
    let resampling = options.resampling.unwrap_or_else(|| Resampling::for_curves(used_curves));
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
    let choices = match (&free, *window) {
        (Some(choices), _) => local_choices(choices, objective, optimum.at, seeds),
        (None, Window::Fixed(interval)) => fixed_choices(used_curves, interval, objective, optimum.at, seeds),
        (None, Window::Nearest(_)) => Vec::new(),
    };
    let scan = rows(&choices, &choice, &optimum, weight);
    let reference = Reference {
        sizes: curves.sizes(),
        min_size: used_curves.curves()[0].size(),
        points: optimum.set.count(),
        objective,
        omega: OMEGA_NU * optimum.at.inv_nu,
    };
    let estimate = |axis: usize, pick: fn(&ScanRow) -> f64, other: fn(&Alternative) -> f64| {
        let statistical = inflation * distance(value[axis], &cloud(axis));
        let scatter = Reference::scatter(&scan, &alternatives, value[axis], pick, other);
        let systematic = systematic(&reference, &scan, &alternatives, value[axis], pick, other);
        (Estimate::around(value[axis], &cloud(axis), inflation, systematic), statistical.hypot(scatter))
    };
    let (p_c, judged_p_c) = estimate(0, |row| row.p_c, |other| other.p_c);
    let (inv_nu, judged_inv_nu) = estimate(1, |row| row.inv_nu, |other| other.inv_nu);
    let (kappa_over_nu, judged_kappa) = estimate(2, |row| row.kappa_over_nu, |other| other.kappa_over_nu);

    let totals = [judged_p_c, judged_inv_nu, judged_kappa];
    let near = |outcome: &Outcome| {
        let other = outcome.at.to_array();
        (0..3).all(|axis| (other[axis] - value[axis]).abs() <= 2.0 * totals[axis])
    };
    let reached = around.iter().flatten().filter(|outcome| near(outcome)).count();

    let mut reasons = faults(data, *window, &optimum);
    if (reached as f64) < MIN_REACHED * options.starts as f64 {
        reasons.push(format!(
            "{reached} of {} starts reach this optimum, at least {:.0} % are needed",
            options.starts,
            100.0 * MIN_REACHED
        ));
    }
    if (bootstrap.len() as f64) < MIN_RESAMPLES * options.bootstraps as f64 {
        reasons.push(format!(
            "{} of {} resamples could be fitted, at least {:.0} % are needed",
            bootstrap.len(),
            options.bootstraps,
            100.0 * MIN_RESAMPLES
        ));
    }
    if judged_inv_nu > MAX_RELATIVE_ERROR * inv_nu.value.abs() {
        reasons.push(format!("1/nu = {:.3} is undetermined, its error is {:.3}", inv_nu.value, judged_inv_nu));
    }
    let controls = data.series.iter().flat_map(|one| one.control.iter().copied());
    let (low, high) = controls.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), c| (low.min(c), high.max(c)));
    if judged_p_c > MAX_SHARE * (high - low) {
        reasons.push(format!(
            "p_c = {:.5} is undetermined, its error is {:.5} and the controls span {:.5}",
            p_c.value,
            judged_p_c,
            high - low
        ));
    }
    if judged_kappa > MAX_RELATIVE_ERROR * kappa_over_nu.value.abs().max(0.5) {
        reasons
            .push(format!("kappa/nu = {:.3} is undetermined, its error is {:.3}", kappa_over_nu.value, judged_kappa));
    }
    // The scan without a window has the fit's own choice as one of its rows.
    let others = scan.iter().filter(|row| row.weight >= MIN_WEIGHT).count();
    let unknown = others < 1 + usize::from(free.is_some());
    if unknown {
        reasons.push("no other window or smallest size gives a sound collapse: the systematic error is unknown".into());
    }
    // An unknown error must not look like none.
    let shown = |estimate: Estimate, half: f64| if unknown { estimate.widened(half) } else { estimate };
    let p_c = shown(p_c, 0.5 * (high - low));
    let inv_nu = shown(inv_nu, 0.5 * (INV_NU_RANGE[1] - INV_NU_RANGE[0]));
    let kappa_over_nu = shown(kappa_over_nu, KAPPA_LIMIT);
    if let Some(choices) = &free {
        let limits = totals.map(|total| 3.0 * total);
        let (sound, agree) = agreement(choices, curves.curves().len(), optimum.at, limits);
        if 2 * agree < sound {
            reasons.push(format!(
                "{agree} of {sound} choices of window and smallest size find this optimum, at least half must: give a window"
            ));
        }
    }
    let mut warnings: Vec<String> = used_curves.curves().iter().filter_map(Curve::few_replicates).collect();
    if optimum.quality > 3.0 {
        warnings.push(format!(
            "S = {:.2}: the points scatter {:.1} times their errors, so corrections to scaling matter or the errors are too small",
            optimum.quality,
            optimum.quality.sqrt()
        ));
    }
    if inv_nu.total() > MAX_RELATIVE_ERROR * inv_nu.value.abs() && !unknown {
        warnings.push(CORRECTIONS_OPEN.into());
    }
    if curves.curves().len() == 2 {
        warnings.push("two sizes: nothing tells how far corrections to scaling move the result".into());
    }
    if !optimum.consistent {
        warnings
            .push("no set of points is the one that its own optimum selects; the lowest of a circle is shown".into());
    }
    if resampling == Resampling::SharedRuns && options.resampling.is_none() {
        warnings.push(
            "neighbouring points scatter far less than their errors: taken to share their runs, and resampled together"
                .into(),
        );
    }
    let Window::Fixed(interval) = *window else { return Err(nothing) };
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
        scan,
        bootstraps: options.bootstraps,
        bootstrap,
    })
}

/// The sound optima with other sets of points, each with the lowest S found for its set.
fn alternatives(
    choice: &Choice,
    optimum: &Outcome,
    outcomes: &[Outcome],
    around: &[Option<Outcome>],
    weight: impl Fn(&Outcome) -> f64,
) -> Vec<Alternative> {
    let mut distinct: Vec<&Outcome> = Vec::new();
    let mut sorted: Vec<&Outcome> = outcomes.iter().collect();
    sorted.sort_by(|a, b| a.quality.total_cmp(&b.quality));
    for outcome in sorted {
        if outcome.set != optimum.set
            && distinct.iter().all(|other| other.set != outcome.set)
            && faults(&choice.data, choice.window, outcome).is_empty()
        {
            distinct.push(outcome);
        }
    }
    distinct
        .into_iter()
        .map(|outcome| Alternative {
            p_c: outcome.at.p_c,
            inv_nu: outcome.at.inv_nu,
            kappa_over_nu: outcome.at.kappa_over_nu,
            quality: outcome.quality,
            points: outcome.set.count(),
            consistent: outcome.consistent,
            reached: around.iter().flatten().filter(|other| other.set == outcome.set).count(),
            weight: weight(outcome),
        })
        .filter(|alternative| alternative.weight >= MIN_WEIGHT)
        .collect()
}

#[cfg(test)]
mod tests;
