//! A collapse by least squares: several observables with one p_c and one nu, and corrections to
//! scaling.
//!
//! The model of an observable o is
//! A = L^(-kappa_o/nu) (1 + b_o (L/L_min)^-omega) F_o((p - p_c) L^(1/nu) - a (L/L_min)^-omega),
//! F_o a cubic spline, L_min the smallest size used; b or a is fitted where a [`Correction`] asks for
//! it. Every observable has a master curve and an exponent of its own. The number of the splines'
//! intervals is the one with the lowest BIC, chi-square being measured in the lowest one that any number
//! reaches for each degree of freedom, where that is below 1 (points that share their runs scatter less
//! than their errors).
//!
//! # Errors
//! Statistical: points weigh by their own errors, and what they have in common is in the covariance of
//! the parameters, H^-1 (J^T C J) H^-1, with C the covariance of the points: diagonal, one deviate for
//! all points of a size and observable, or that of the replicates, which all observables of a size share
//! (Huber's sandwich). It is multiplied by chi-square for each degree of freedom where that is above 1.
//! Systematic: the scan of smallest size, window and intervals, each apart and in quadrature, as in
//! [`fit`](super::fit()); with a correction in the model nothing is extrapolated in size.

use rayon::prelude::*;

use super::search::{KAPPA_LIMIT, kappa_at, starts_around};
use super::systematic::{Moved, from_sizes, spread};
use super::window::{MIN_POINTS, MIN_POINTS_PER_SIZE, PointSet, Window};
use super::{CollapseOptions, MAX_RELATIVE_ERROR, MIN_REACHED, OMEGA_NU, WINDOW_FACTORS, fit};
use crate::scaling::ScalingError;
use crate::scaling::curves::Curves;
use crate::scaling::estimate::{Estimate, quality_weight};
use crate::scaling::master::{Block, Correction, Problem, Solution, Start};
use crate::scaling::quality::{Dataset, Parameters};
use crate::scaling::resample::Resampling;
use crate::seed::Seeds;

mod result;

pub use result::{Amplitude, JointChoice, JointFit, JointObservable, JointPoint};

/// A larger chi-square for each degree of freedom is no collapse.
const MAX_REDUCED: f64 = 10.0;
/// Selections of points at most.
const MAX_ROUNDS: usize = 12;
/// Intervals of the master curves that are tried.
const INTERVALS: [usize; 9] = [2, 3, 4, 5, 6, 8, 10, 13, 17];
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

/// What is fitted: the curves of every observable from the smallest size on.
struct Task<'a> {
    curves: Vec<(&'a str, Curves)>,
    resampling: Vec<Resampling>,
    window: [f64; 2],
    correction: Correction,
    omega: f64,
}

impl Task<'_> {
    /// The points in the window at a start; `None` where there are too few of an observable.
    fn problem(&self, start: &Start, left_out: usize, factor: f64) -> Option<Problem> {
        let mut blocks = Vec::new();
        for (observable, (_, curves)) in self.curves.iter().enumerate() {
            let part = curves.from_size(*curves.sizes().get(left_out)?);
            let data = Dataset::new(&part);
            let kappa_over_nu = start.kappa_over_nu[observable];
            let at = Parameters { p_c: start.p_c, inv_nu: start.inv_nu, kappa_over_nu };
            let set = PointSet::select(&data, Window::Fixed(self.window.map(|edge| edge * factor)), at)?;
            let all = part.curves().iter().zip(&data.offsets);
            blocks.extend(all.filter_map(|(curve, offset)| {
                Block::new(curve, observable, self.resampling[observable], |j| set.contains(offset + j))
            }));
        }
        Some(Problem::new(blocks))
    }

    fn intervals(&self, problem: &Problem, start: &Start) -> Option<usize> {
        let penalty = (problem.points().max(8) as f64).ln();
        let found: Vec<(usize, Solution)> = INTERVALS
            .iter()
            .filter_map(|&count| Some((count, problem.solve(start, self.correction, self.omega, count)?)))
            .collect();
        let scale = found.iter().map(|(_, solution)| solution.reduced()).fold(1.0, f64::min);
        let cost = |solution: &Solution| {
            let fit = if scale > 0.0 { solution.chi_square / scale } else { 0.0 };
            fit + penalty * solution.parameters as f64
        };
        found.iter().min_by(|a, b| cost(&a.1).total_cmp(&cost(&b.1))).map(|(count, _)| *count)
    }

    /// Fits, selects the points anew, and repeats until they stay.
    fn solve(&self, start: &Start) -> Option<Found> {
        let mut start = start.clone();
        let mut problem = self.problem(&start, 0, 1.0)?;
        let intervals = self.intervals(&problem, &start)?;
        for round in 0.. {
            let solution = problem.solve(&start, self.correction, self.omega, intervals)?;
            start = solution.start();
            let next = self.problem(&start, 0, 1.0)?;
            let same = problem.blocks.iter().zip(&next.blocks).all(|(a, b)| a.control == b.control);
            if same || round >= MAX_ROUNDS {
                return Some(Found { solution, problem, intervals });
            }
            problem = next;
        }
        None
    }

    /// The other choices, each from the optimum.
    fn scan(&self, found: &Found, sizes: &[f64]) -> Vec<JointChoice> {
        let start = found.solution.start();
        let needed = if self.correction == Correction::None { 2 } else { SIZES_FOR_CORRECTION };
        let scaled = |factor: f64| ((found.intervals as f64 * factor).round() as usize).max(2);
        let mut choices: Vec<(usize, f64, usize)> = (0..=sizes.len().saturating_sub(needed))
            .flat_map(|left_out| WINDOW_FACTORS.map(|factor| (left_out, factor, scaled(factor))))
            .collect();
        choices.retain(|&choice| choice != (0, 1.0, found.intervals));
        choices.extend([0.7, 1.5].map(|factor| (0, 1.0, scaled(factor))));
        choices
            .into_par_iter()
            .filter_map(|(left_out, factor, intervals)| {
                let problem = self.problem(&start, left_out, factor)?;
                let solution = problem.solve(&start, self.correction, self.omega, intervals)?;
                let share = (solution.points as f64 / found.solution.points as f64).min(1.0);
                Some(JointChoice {
                    min_size: sizes[left_out],
                    sizes: sizes.len() - left_out,
                    window_low: factor * self.window[0],
                    window_high: factor * self.window[1],
                    intervals,
                    p_c: solution.theta[0],
                    inv_nu: solution.theta[1],
                    kappa_over_nu: solution.start().kappa_over_nu,
                    quality: solution.reduced(),
                    points: solution.points,
                    weight: share * quality_weight(solution.reduced(), found.solution.reduced()),
                })
            })
            .collect()
    }
}

/// An optimum with its points.
struct Found {
    solution: Solution,
    problem: Problem,
    intervals: usize,
}

impl Found {
    /// What turns the amplitude of a drift into the true x: the fit measures sizes by their middle one.
    fn unit_of_x(&self) -> f64 {
        (self.problem.ln_middle * self.solution.theta[1]).exp()
    }

    /// The points with their master curves.
    fn scaled(&self, task: &Task<'_>) -> Vec<JointPoint> {
        let theta = &self.solution.theta;
        let extra = 2 + task.curves.len();
        let mut points = Vec::new();
        for block in &self.problem.blocks {
            let o = block.observable;
            let small = (-task.omega * (block.ln_size - self.problem.ln_smallest)).exp();
            let (factor, shift) = match task.correction {
                Correction::None => (1.0, 0.0),
                Correction::Factor => (1.0 + theta[extra + o] * small, 0.0),
                Correction::Drift => (1.0, theta[extra] * small * self.unit_of_x()),
            };
            let height = (block.ln_size * theta[2 + o]).exp() / factor;
            let (spline, coefficients) = &self.solution.curves[o];
            for (j, &control) in block.control.iter().enumerate() {
                let x = (control - theta[0]) * (block.ln_size * theta[1]).exp() - shift;
                let (first, bells, _) = spline.bells(x / self.unit_of_x());
                let curve: f64 = bells.iter().zip(&coefficients[first..]).map(|(bell, c)| bell * c).sum();
                let master = curve * (self.problem.ln_middle * theta[2 + o]).exp();
                let (y, y_error) = (block.value[j] * height, block.error[j] * height.abs());
                points.push(JointPoint {
                    observable: task.curves[o].0.to_owned(),
                    size: block.ln_size.exp(),
                    control,
                    value: block.value[j],
                    error: block.error[j],
                    x,
                    y,
                    y_error,
                    master,
                    residual: (y - master) / y_error,
                });
            }
        }
        points
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

/// Fits observables, each with its name and curves, by one p_c and one nu; see the [module](self).
///
/// The window and the smallest size are those of a collapse of the first observable alone. Observables
/// without replicates count as independent of one another.
///
/// O(starts x points x parameters^2).
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
    let near = |other: &Solution| {
        (0..exponents).all(|axis| (other.theta[axis] - solution.theta[axis]).abs() <= 2.0 * all[axis].total())
    };
    // The first start is the optimum of the first observable alone, not one of those around it.
    let reached = ends.iter().skip(1).flatten().filter(|other| near(&other.solution)).count();
    let reasons = reasons(&task, options, quality, reached, &all, scan.is_empty());
    let mut warnings = alone.warnings.clone();
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

/// The systematic error of one parameter.
fn systematic(scan: &[JointChoice], best: &Found, sizes: &[f64], task: &Task<'_>, axis: usize) -> f64 {
    let of = |choice: &JointChoice| match axis {
        0 => choice.p_c,
        1 => choice.inv_nu,
        _ => choice.kappa_over_nu[axis - 2],
    };
    let value = best.solution.theta[axis];
    let pair = |choice: &JointChoice| (choice.weight, of(choice) - value);
    let own = || scan.iter().filter(|choice| choice.min_size == sizes[0]);
    let same_window = |choice: &&JointChoice| choice.window_low == task.window[0];
    let windows = spread(own().filter(|choice| !same_window(choice)).map(pair));
    let curves = spread(own().filter(same_window).map(pair));
    let smaller = || scan.iter().filter(|choice| choice.min_size != sizes[0]);
    let from_size = if task.correction == Correction::None {
        let moved: Vec<Moved> = smaller()
            .map(|choice| Moved {
                min_size: choice.min_size,
                weight: choice.weight,
                share: (choice.points as f64 / best.solution.points as f64).min(1.0),
                by: of(choice) - value,
            })
            .collect();
        from_sizes(sizes, sizes[0], task.omega, &moved)
    } else {
        spread(smaller().map(pair))
    };
    [windows, curves, from_size].into_iter().fold(0.0, f64::hypot)
}

/// Why a fit cannot be trusted.
fn reasons(
    task: &Task<'_>,
    options: &JointOptions,
    quality: f64,
    reached: usize,
    all: &[Estimate],
    unknown: bool,
) -> Vec<String> {
    let mut reasons = Vec::new();
    if (reached as f64) < MIN_REACHED * options.starts as f64 {
        let needed = 100.0 * MIN_REACHED;
        reasons.push(format!(
            "{reached} of {} starts reach this optimum, at least {needed:.0} % are needed",
            options.starts
        ));
    }
    if quality > MAX_REDUCED {
        reasons
            .push(format!("chi-square for each degree of freedom is {quality:.2}, up to {MAX_REDUCED} is a collapse"));
    }
    if all[1].total() > MAX_RELATIVE_ERROR * all[1].value.abs() {
        reasons.push(format!("1/nu = {:.3} is undetermined, its error is {:.3}", all[1].value, all[1].total()));
    }
    for (estimate, (name, _)) in all[2..].iter().zip(&task.curves) {
        let (value, error) = (estimate.value, estimate.total());
        if value.abs() > 0.98 * KAPPA_LIMIT || error > MAX_RELATIVE_ERROR * value.abs().max(0.5) {
            reasons.push(format!("kappa/nu of {name} = {value:.3} is undetermined, its error is {error:.3}"));
        }
    }
    if unknown {
        reasons.push("no other smallest size or window can be fitted: the systematic error is unknown".into());
    }
    reasons
}

#[cfg(test)]
mod tests;
