//! A collapse by least squares: several observables with one p_c and one nu, and corrections to
//! scaling.
//!
//! The model of an observable o is
//! A = L^(-kappa_o/nu) (1 + b_o (L/L_min)^-omega) F_o((p - p_c) L^(1/nu) - a (L/L_min)^-omega),
//! F_o a cubic spline, L_min the smallest size used; b and a are fitted where a
//! [`Correction`] asks for them. Every observable has a master curve and an exponent of its own.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::average::{block, choices, intervals, reach, row};
use super::scan::ScanRow;
use super::search::{KAPPA_LIMIT, kappa_at, starts_around};
use super::window::{MIN_POINTS, MIN_POINTS_PER_SIZE, PointSet, Window};
use super::{CollapseOptions, MAX_RELATIVE_ERROR, MIN_REACHED, fit};
use crate::scaling::ScalingError;
use crate::scaling::curves::Curves;
use crate::scaling::estimate::Estimate;
use crate::scaling::master::{Correction, Problem, Solution, Start};
use crate::scaling::quality::{Dataset, Parameters};
use crate::scaling::resample::Resampling;
use crate::seed::Seeds;

/// A larger chi-square for each degree of freedom is no collapse.
const MAX_REDUCED: f64 = 10.0;
/// Selections of points at most.
const MAX_ROUNDS: usize = 12;

/// How to fit several observables.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JointOptions {
    /// The window in x; `None`: that of a collapse of the first observable alone.
    pub window: Option<[f64; 2]>,
    /// A starting guess, with kappa/nu of the first observable.
    pub guess: Option<Parameters>,
    /// The correction of the fit itself; all of them are in the average.
    pub correction: Correction,
    /// The exponent omega of corrections, above 0; `None`: 1/nu of a plain collapse of the first
    /// observable, that of analytic corrections.
    pub omega: Option<f64>,
    /// Starts around the optimum.
    pub starts: usize,
    /// The seed of the starts.
    pub seed: u64,
}

impl Default for JointOptions {
    fn default() -> Self {
        Self { window: None, guess: None, correction: Correction::None, omega: None, starts: 40, seed: 0 }
    }
}

/// One observable of a joint fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JointObservable {
    /// Its name.
    pub name: String,
    /// Its exponent.
    pub kappa_over_nu: Estimate,
    /// Points used.
    pub points: usize,
}

/// An amplitude of a correction at the smallest size, with its statistical error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Amplitude {
    /// Its name: `b NAME`, `a`, or `g0 NAME` to `g2 NAME`, the coefficients of a parabola in u, which
    /// goes from 0 to 1 over the points' x.
    pub name: String,
    /// The value at the smallest size used: the correction is this times (L/L_min)^-omega.
    pub value: f64,
    /// Its statistical error.
    pub statistical: f64,
}

/// A collapse by least squares with its errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JointFit {
    /// The critical point.
    pub p_c: Estimate,
    /// 1/nu.
    pub inv_nu: Estimate,
    /// kappa/nu of the first observable.
    pub kappa_over_nu: Estimate,
    /// All observables, in their order.
    pub observables: Vec<JointObservable>,
    /// The correction that was fitted along.
    pub correction: Correction,
    /// Its exponent.
    pub omega: f64,
    /// Its amplitudes.
    pub amplitudes: Vec<Amplitude>,
    /// Names of the rows and columns of `covariance`.
    pub parameters: Vec<String>,
    /// The statistical covariance of all parameters.
    pub covariance: Vec<Vec<f64>>,
    /// chi-square for each degree of freedom; with shared runs for each independent point.
    pub quality: f64,
    /// chi-square.
    pub chi_square: f64,
    /// Points in chi-square.
    pub points: usize,
    /// Searches started around the optimum.
    pub starts: usize,
    /// Those that ended there.
    pub reached: usize,
    /// Whether the result can be trusted.
    pub reliable: bool,
    /// Why not.
    pub reasons: Vec<String>,
    /// The window in x.
    pub window: [f64; 2],
    /// Whether it was given.
    pub window_given: bool,
    /// The sizes used.
    pub sizes: Vec<f64>,
    /// The choices in the average, with kappa/nu of the first observable.
    pub scan: Vec<ScanRow>,
}

impl JointFit {
    /// The three parameters of one observable.
    pub fn parameters_of(&self, observable: usize) -> Option<Parameters> {
        let kappa_over_nu = self.observables.get(observable)?.kappa_over_nu.value;
        Some(Parameters { p_c: self.p_c.value, inv_nu: self.inv_nu.value, kappa_over_nu })
    }
}

/// What is fitted: the curves of every observable from the smallest size on.
struct Task<'a> {
    curves: Vec<(&'a str, Curves)>,
    resampling: Vec<Resampling>,
    window: [f64; 2],
}

impl Task<'_> {
    /// The points in the window at a start; `None` where there are too few of an observable.
    fn problem(&self, start: &Start, left_out: usize, factor: f64) -> Option<Problem> {
        let mut blocks = Vec::new();
        for (observable, (_, curves)) in self.curves.iter().enumerate() {
            let sizes = curves.sizes();
            let part = curves.from_size(*sizes.get(left_out)?);
            let data = Dataset::new(&part);
            let at = at(start, observable);
            let set = PointSet::select(&data, Window::Fixed(self.window.map(|edge| edge * factor)), at)?;
            let all = part.curves().iter().zip(&data.offsets);
            blocks.extend(all.filter_map(|(curve, offset)| {
                let reach = reach(self.window, curve.size(), start.inv_nu);
                block(curve, observable, self.resampling[observable], reach, |j| set.contains(offset + j))
            }));
        }
        Some(Problem::new(blocks))
    }

    /// Fits, selects the points anew, and repeats until they stay.
    fn solve(&self, start: &Start, correction: Correction, omega: f64) -> Option<(Solution, Problem, usize)> {
        let mut start = start.clone();
        let mut problem = self.problem(&start, 0, 1.0)?;
        let knots = intervals(&problem, &start, omega)?;
        for round in 0.. {
            let solution = problem.solve(&start, correction, omega, knots)?;
            start = solution.start(problem.observables);
            let next = self.problem(&start, 0, 1.0)?;
            let same = problem.blocks.iter().zip(&next.blocks).all(|(a, b)| a.control == b.control);
            if same || round >= MAX_ROUNDS {
                return Some((solution, problem, knots));
            }
            problem = next;
        }
        None
    }
}

fn at(start: &Start, observable: usize) -> Parameters {
    Parameters { p_c: start.p_c, inv_nu: start.inv_nu, kappa_over_nu: start.kappa_over_nu[observable] }
}

/// Fits observables, each with its name and curves, by one p_c and one nu.
///
/// Statistical errors are those of least squares; with replicates they come from the replicates'
/// distances from their means, so that what the points and the observables of a replicate have in common
/// is in them. These hold the truth less often than they say (kappa/nu within one error in 8 and 10 of 24
/// synthetic sets of 12 replicates that share an offset), so such a fit is reported as unreliable. Observables without replicates count as independent of one another. The combined
/// intervals are those of the average over smallest size, window and correction, as in
/// [`fit`](super::fit()).
///
/// O(starts x points x parameters^2).
///
/// # Errors
/// As [`fit`](super::fit()); [`ScalingError::Option`] for no observable, different sizes, or omega
/// not above 0.
pub fn fit_joint(observables: &[(&str, &Curves)], options: &JointOptions) -> Result<JointFit, ScalingError> {
    let option = |what, value: String, needed| Err(ScalingError::Option { what, value, needed });
    let Some((_, first)) = observables.first() else {
        return option("observables", "0".into(), "at least one");
    };
    if let Some(omega) = options.omega
        && !(omega.is_finite() && omega > 0.0)
    {
        return option("omega", omega.to_string(), "a finite number above 0");
    }
    if let Some((name, _)) = observables.iter().find(|(_, curves)| curves.sizes() != first.sizes()) {
        return option("observable", (*name).into(), "an observable with the sizes of the first one");
    }
    let alone = CollapseOptions {
        window: options.window,
        guess: options.guess,
        starts: options.starts,
        bootstraps: 10,
        seed: options.seed,
        ..CollapseOptions::default()
    };
    let alone = fit(first, &alone)?;
    if options.correction != Correction::None && alone.sizes.len() < 3 {
        return Err(ScalingError::TooFewSizes { there: alone.sizes.len(), needed: 3 });
    }
    let omega = options.omega.unwrap_or(alone.inv_nu.value);
    let task = Task {
        curves: observables.iter().map(|(name, curves)| (*name, curves.from_size(alone.sizes[0]))).collect(),
        resampling: observables.iter().map(|(_, curves)| Resampling::for_curves(curves)).collect(),
        window: alone.window,
    };
    let kappas = |p_c: f64, first: f64| -> Vec<f64> {
        let others = task.curves.iter().skip(1).map(|(_, curves)| kappa_at(&Dataset::new(curves), p_c).unwrap_or(0.0));
        std::iter::once(first).chain(others).collect()
    };
    let begin =
        |at: Parameters| Start { p_c: at.p_c, inv_nu: at.inv_nu, kappa_over_nu: kappas(at.p_c, at.kappa_over_nu) };
    let data = Dataset::new(&task.curves[0].1);
    let mut stream = Seeds::new(options.seed, 0).stream("joint starts");
    let mut starts = vec![alone.parameters()];
    starts.extend(starts_around(&data, Window::Fixed(alone.window), starts[0], options.starts, &mut stream));
    let ends: Vec<Option<(Solution, Problem, usize)>> =
        starts.par_iter().map(|&start| task.solve(&begin(start), options.correction, omega)).collect();
    let cost = |solution: &Solution| solution.chi_square + 2.0 * (solution.parameters as f64 - solution.worth);
    let best = ends.iter().flatten().min_by(|a, b| cost(&a.0).total_cmp(&cost(&b.0)));
    let Some((solution, problem, _)) = best else {
        return Err(ScalingError::NoCollapse { points: MIN_POINTS, per_size: MIN_POINTS_PER_SIZE });
    };
    let count = observables.len();
    let start = solution.start(count);
    let sizes = alone.sizes.clone();
    let problem_of = |left_out: usize, factor: f64| task.problem(&start, left_out, factor);
    let (fitted, inflation) = choices(problem_of, sizes.len(), &start, omega);
    let own_error = |axis: usize| inflation * solution.covariance[axis][axis].max(0.0).sqrt();
    let estimate = |axis: usize| {
        let mut laws: Vec<(f64, f64, f64)> = fitted
            .iter()
            .map(|one| {
                let error = inflation * one.solution.covariance[axis][axis].max(0.0).sqrt();
                (one.weight, one.solution.theta[axis], error)
            })
            .collect();
        if laws.is_empty() {
            laws.push((1.0, solution.theta[axis], own_error(axis)));
        }
        Estimate::of_laws(solution.theta[axis], own_error(axis), &laws)
    };
    let points_of = |observable: usize| {
        problem.blocks.iter().filter(|block| block.observable == observable).map(|block| block.control.len()).sum()
    };
    let all: Vec<Estimate> = (0..2 + count).map(estimate).collect();
    let points: usize = (0..count).map(points_of).sum();
    let near = |other: &Solution| {
        (0..2 + count).all(|axis| (other.theta[axis] - solution.theta[axis]).abs() <= 2.0 * all[axis].total())
    };
    // The first start is the optimum of the first observable alone, not one of those around it.
    let reached = ends.iter().skip(1).flatten().filter(|(other, ..)| near(other)).count();
    let quality = solution.reduced().unwrap_or(solution.chi_square / solution.worth);

    let mut reasons: Vec<String> = Vec::new();
    if (reached as f64) < MIN_REACHED * options.starts as f64 {
        reasons.push(format!(
            "{reached} of {} starts reach this optimum, at least {:.0} % are needed",
            options.starts,
            100.0 * MIN_REACHED
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
        if estimate.value.abs() > 0.98 * KAPPA_LIMIT
            || estimate.total() > MAX_RELATIVE_ERROR * estimate.value.abs().max(0.5)
        {
            let (value, error) = (estimate.value, estimate.total());
            reasons.push(format!("kappa/nu of {name} = {value:.3} is undetermined, its error is {error:.3}"));
        }
    }
    if task.resampling.contains(&Resampling::Replicates) {
        reasons.push(
            "errors from replicates were found too small in joint fits: give means with their errors (--error)".into(),
        );
    }
    if fitted.is_empty() {
        reasons.push("no choice of smallest size and window can be fitted: the systematic error is unknown".into());
    }
    let names = |prefix: &str| task.curves.iter().map(|(name, _)| format!("{prefix} {name}")).collect::<Vec<_>>();
    let extra: Vec<String> = match options.correction {
        Correction::None => Vec::new(),
        Correction::Factor => names("b"),
        Correction::Drift => vec!["a".into()],
        Correction::Shape => {
            task.curves.iter().flat_map(|(name, _)| (0..3).map(move |k| format!("g{k} {name}"))).collect()
        }
    };
    // The least squares measure sizes by their middle one.
    let unit = |axis: usize| {
        let middle = problem.ln_middle;
        match options.correction {
            Correction::Drift if axis >= 2 + count => (middle * solution.theta[1]).exp(),
            Correction::Shape if axis >= 2 + count => (middle * solution.theta[2 + (axis - 2 - count) / 3]).exp(),
            _ => 1.0,
        }
    };
    let amplitudes = extra.iter().enumerate().map(|(k, name)| {
        let axis = 2 + count + k;
        let (value, statistical) = (solution.theta[axis] * unit(axis), own_error(axis) * unit(axis));
        Amplitude { name: name.clone(), value, statistical }
    });
    let parameters =
        ["p_c".to_owned(), "inv_nu".to_owned()].into_iter().chain(names("kappa_over_nu")).chain(extra.clone());
    Ok(JointFit {
        p_c: all[0],
        inv_nu: all[1],
        kappa_over_nu: all[2],
        observables: task
            .curves
            .iter()
            .enumerate()
            .map(|(observable, (name, _))| JointObservable {
                name: (*name).into(),
                kappa_over_nu: all[2 + observable],
                points: points_of(observable),
            })
            .collect(),
        correction: options.correction,
        omega,
        amplitudes: amplitudes.collect(),
        parameters: parameters.collect(),
        covariance: solution
            .covariance
            .iter()
            .enumerate()
            .map(|(a, row)| {
                let scale = |b: usize| inflation * inflation * unit(a) * unit(b);
                row.iter().enumerate().map(|(b, value)| value * scale(b)).collect()
            })
            .collect(),
        quality,
        chi_square: solution.chi_square,
        points,
        starts: options.starts,
        reached,
        reliable: reasons.is_empty(),
        reasons,
        window: alone.window,
        window_given: options.window.is_some(),
        scan: fitted.iter().map(|one| row(one, &sizes, alone.window, inflation, points)).collect(),
        sizes: alone.sizes,
    })
}

#[cfg(test)]
mod tests;
