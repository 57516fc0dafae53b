//! A collapse by least squares: several observables with one p_c and one nu, and corrections to scaling; see
//! [`fit_joint`].

use rayon::prelude::*;

use super::search::{kappa_at, starts_around};
use super::systematic::spread;
use super::window::{MIN_POINTS, MIN_POINTS_PER_SIZE, Window};
use super::{CORRECTIONS_OPEN, CollapseOptions, MAX_RELATIVE_ERROR, OMEGA_NU, fit};
use crate::scaling::ScalingError;
use crate::scaling::curves::Curves;
use crate::scaling::estimate::Estimate;
use crate::scaling::master::{Correction, Solution, Start};
use crate::scaling::quality::{Dataset, Parameters};
use crate::scaling::resample::Resampling;
use crate::seed::Seeds;

mod judgement;
mod result;
mod task;

pub use result::{Amplitude, JointChoice, JointFit, JointObservable, JointPoint};

use judgement::{reasons, systematic};
use task::{Found, Task};

/// Sizes that a correction needs beside the exponents.
const SIZES_FOR_CORRECTION: usize = 3;

/// How to fit several observables.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JointOptions {
    /// The window in x; `None`: that of a collapse of the first observable alone.
    pub window: Option<[f64; 2]>,
    /// A starting guess, with kappa/nu of the first observable.
    pub guess: Option<Parameters>,
    /// The correction.
    pub correction: Correction,
    /// The exponent omega of the correction, above 0; `None`: [`OMEGA_NU`] times the 1/nu of a plain collapse
    /// of the first observable.
    pub omega: Option<f64>,
    /// Starts around the optimum, at least 10.
    pub starts: usize,
    /// The seed of the starts.
    pub seed: u64,
}

impl Default for JointOptions {
    fn default() -> Self {
        Self { window: None, guess: None, correction: Correction::None, omega: None, starts: 40, seed: 0 }
    }
}

fn check(observables: &[(&str, &Curves)], options: &JointOptions) -> Result<(), ScalingError> {
    let option = |what, value: String, needed| Err(ScalingError::Option { what, value, needed });
    let Some((_, first)) = observables.first() else {
        return option("observables", "0".into(), "at least one");
    };
    if let Some(omega) = options.omega
        && !(omega.is_finite() && omega > 0.0)
    {
        return option("omega", omega.to_string(), "a finite number above 0");
    }
    match observables.iter().find(|(_, curves)| curves.sizes() != first.sizes()) {
        Some((name, _)) => option("observable", (*name).into(), "an observable with the sizes of the first one"),
        None => Ok(()),
    }
}

/// Fits observables, each with its name and curves, by one p_c and one nu, and corrections to scaling.
///
/// The model of an observable o is
///
/// A = L^(-kappa_o/nu) (1 + b_o (L/L_min)^-omega) F_o((p - p_c) L^(1/nu) - a (L/L_min)^-omega),
///
/// F_o a cubic spline, L_min the smallest size used; b or a is fitted where a [`Correction`] asks for it. Every
/// observable has a master curve and an exponent of its own. The number of the splines' intervals is the one
/// with the lowest BIC, chi-square being measured in the lowest one that any number reaches for each degree of
/// freedom, where that is below 1 (points that share their runs scatter less than their errors). The window and
/// the smallest size are those of a collapse of the first observable alone.
///
/// Statistical errors: points weigh by their own errors, and what they have in common is in the covariance of
/// the parameters, H^-1 (J^T C J) H^-1, with C the covariance of the points: diagonal, one deviate for all points
/// of a size and observable, or that of the replicates, which all observables of a size share (Huber's sandwich,
/// Proc. Fifth Berkeley Symp. 1, 221 (1967)). It is multiplied by chi-square for each degree of freedom where
/// that is above 1. Observables without replicates count as independent of one another. Systematic errors: the
/// scan of smallest size, window and intervals, each apart and in quadrature, as in [`fit`](super::fit()); with a
/// correction in the model nothing is extrapolated in size.
///
/// O(starts x points x parameters^2).
///
/// ```
/// use prunephase::scaling::collapse::{JointOptions, fit_joint};
/// use prunephase::scaling::{Curves, Row};
/// // An order parameter and a susceptibility with p_c = 0.3 and 1/nu = 1/2, slightly perturbed.
/// let curves = |kappa: f64, f: fn(f64) -> f64| {
///     let mut rows = Vec::new();
///     for size in [16.0f64, 64.0, 256.0] {
///         for step in -12..=12 {
///             let x = 0.15 * f64::from(step);
///             let noise = 1.0 + 0.004 * (f64::from(step) * 37.0 + size).sin();
///             let value = size.powf(-kappa) * f(x) * noise;
///             let (control, error) = (0.3 + x / size.sqrt(), Some(0.005 * value));
///             rows.push(Row { size, control, value, error, replicate: None });
///         }
///     }
///     Curves::from_rows(rows)
/// };
/// let (order, chi) = (curves(0.25, |x| 1.0 + x.tanh())?, curves(-1.0, |x| 1.0 / (1.0 + x * x))?);
/// let options = JointOptions { window: Some([-1.5, 1.5]), starts: 10, ..Default::default() };
/// let fit = fit_joint(&[("m", &order), ("chi", &chi)], &options)?;
/// assert!((fit.p_c.value - 0.3).abs() < 0.01, "{:?}", fit.p_c);
/// assert!((fit.inv_nu.value - 0.5).abs() < 0.05, "{:?}", fit.inv_nu);
/// assert!((fit.observables[1].kappa_over_nu.value + 1.0).abs() < 0.1);
/// assert_eq!(fit.parameters, ["p_c", "inv_nu", "kappa_over_nu m", "kappa_over_nu chi"]);
/// # Ok::<(), prunephase::scaling::ScalingError>(())
/// ```
///
/// # Errors
/// As [`fit`](super::fit()); [`ScalingError::Option`] for no observable, different sizes, or omega
/// not above 0; [`ScalingError::TooFewSizes`] for a correction with fewer than three.
pub fn fit_joint(observables: &[(&str, &Curves)], options: &JointOptions) -> Result<JointFit, ScalingError> {
    check(observables, options)?;
    let alone = CollapseOptions {
        window: options.window,
        guess: options.guess,
        starts: options.starts,
        bootstraps: 10,
        seed: options.seed,
        ..CollapseOptions::default()
    };
    let alone = fit(observables[0].1, &alone)?;
    let there = alone.sizes.len();
    if options.correction != Correction::None && there < SIZES_FOR_CORRECTION {
        return Err(ScalingError::TooFewSizes { there, needed: SIZES_FOR_CORRECTION });
    }
    let task = Task {
        curves: observables.iter().map(|(name, curves)| (*name, curves.from_size(alone.sizes[0]))).collect(),
        resampling: observables.iter().map(|(_, curves)| Resampling::for_curves(curves)).collect(),
        window: alone.window,
        correction: options.correction,
        omega: options.omega.unwrap_or(OMEGA_NU * alone.inv_nu.value),
    };
    let begin = |at: Parameters| {
        let others = task.curves.iter().skip(1);
        let kappas = others.map(|(_, curves)| kappa_at(&Dataset::new(curves), at.p_c).unwrap_or(0.0));
        let kappa_over_nu = std::iter::once(at.kappa_over_nu).chain(kappas).collect();
        Start { p_c: at.p_c, inv_nu: at.inv_nu, kappa_over_nu }
    };
    let data = Dataset::new(&task.curves[0].1);
    let mut stream = Seeds::new(options.seed, 0).stream("joint starts");
    let mut starts = vec![alone.parameters()];
    starts.extend(starts_around(&data, Window::Fixed(alone.window), starts[0], options.starts, &mut stream));
    let ends: Vec<Option<Found>> = starts.par_iter().map(|&start| task.solve(&begin(start))).collect();
    let cost = |found: &Found| found.solution.reduced();
    let Some(best) = ends.iter().flatten().min_by(|a, b| cost(a).total_cmp(&cost(b))) else {
        return Err(ScalingError::NoCollapse { points: MIN_POINTS, per_size: MIN_POINTS_PER_SIZE });
    };
    let scan = task.scan(best, &alone.sizes);
    let solution = &best.solution;
    let quality = solution.reduced();
    let inflation = quality.max(1.0).sqrt();
    let error = |axis: usize| inflation * solution.covariance[axis][axis].max(0.0).sqrt();
    let exponents = 2 + task.curves.len();
    let all: Vec<Estimate> = (0..exponents)
        .map(|axis| {
            let value = solution.theta[axis];
            Estimate::normal(value, error(axis), systematic(&scan, best, &alone.sizes, &task, axis))
        })
        .collect();
    // As in a plain collapse, a fit is judged without the extrapolation in size.
    let judged: Vec<f64> = (0..exponents)
        .map(|axis| {
            let deviations = scan.iter().map(|choice| (choice.weight, choice.of(axis) - solution.theta[axis]));
            error(axis).hypot(spread(deviations))
        })
        .collect();
    let near = |other: &Solution| {
        (0..exponents).all(|axis| (other.theta[axis] - solution.theta[axis]).abs() <= 2.0 * judged[axis])
    };
    // The first start is the optimum of the first observable alone, not one of those around it.
    let reached = ends.iter().skip(1).flatten().filter(|other| near(&other.solution)).count();
    let reasons = reasons(&task, options, quality, reached, (&all, &judged), scan.is_empty());
    let mut warnings = alone.warnings.clone();
    if all[1].total() > MAX_RELATIVE_ERROR * all[1].value.abs() && reasons.is_empty() {
        warnings.push(CORRECTIONS_OPEN.into());
    }
    if observables.len() > 1 && task.resampling.iter().any(|&how| how != Resampling::Replicates) {
        warnings.push("observables without replicates count as independent of one another".into());
    }
    let names = |prefix: &str| task.curves.iter().map(|(name, _)| format!("{prefix} {name}")).collect::<Vec<_>>();
    let (extra, unit) = match options.correction {
        Correction::None => (Vec::new(), 1.0),
        Correction::Factor => (names("b"), 1.0),
        Correction::Drift => (vec!["a".to_owned()], best.unit_of_x()),
    };
    let unit_of = |axis: usize| if axis < exponents { 1.0 } else { unit };
    let amplitudes = extra.iter().enumerate().map(|(k, name)| {
        let axis = exponents + k;
        Amplitude { name: name.clone(), value: solution.theta[axis] * unit, statistical: error(axis) * unit }
    });
    let parameters =
        ["p_c".to_owned(), "inv_nu".to_owned()].into_iter().chain(names("kappa_over_nu")).chain(extra.clone());
    let covariance = solution.covariance.iter().enumerate().map(|(a, row)| {
        let scale = |b: usize| inflation * inflation * unit_of(a) * unit_of(b);
        row.iter().enumerate().map(|(b, value)| value * scale(b)).collect()
    });
    let points_of = |observable: usize| {
        let own = best.problem.blocks.iter().filter(|block| block.observable == observable);
        own.map(|block| block.control.len()).sum()
    };
    let fitted = task.curves.iter().enumerate().map(|(observable, (name, _))| JointObservable {
        name: (*name).into(),
        kappa_over_nu: all[2 + observable],
        points: points_of(observable),
        resampling: task.resampling[observable],
    });
    Ok(JointFit {
        p_c: all[0],
        inv_nu: all[1],
        kappa_over_nu: all[2],
        observables: fitted.collect(),
        correction: options.correction,
        omega: task.omega,
        amplitudes: amplitudes.collect(),
        parameters: parameters.collect(),
        covariance: covariance.collect(),
        quality,
        chi_square: solution.chi_square,
        points: solution.points,
        intervals: best.intervals,
        starts: options.starts,
        reached,
        reliable: reasons.is_empty(),
        reasons,
        warnings,
        window: alone.window,
        window_given: options.window.is_some(),
        scan,
        scaled: best.scaled(&task),
        sizes: alone.sizes,
    })
}

#[cfg(test)]
mod tests;
