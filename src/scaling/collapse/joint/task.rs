//! The least squares of a joint collapse: which points, how many intervals, and what else could be chosen.

use rayon::prelude::*;

use super::super::WINDOW_FACTORS;
use super::super::window::{PointSet, Window};
use super::SIZES_FOR_CORRECTION;
use super::result::{JointChoice, JointPoint};
use crate::scaling::curves::Curves;
use crate::scaling::estimate::quality_weight;
use crate::scaling::master::{Block, Correction, Problem, Solution, Start};
use crate::scaling::quality::{Dataset, Parameters};
use crate::scaling::resample::Resampling;

/// Selections of points at most.
const MAX_ROUNDS: usize = 12;
/// Intervals of the master curves that are tried.
const INTERVALS: [usize; 9] = [2, 3, 4, 5, 6, 8, 10, 13, 17];
/// What is fitted: the curves of every observable from the smallest size on.
pub(super) struct Task<'a> {
    pub(super) curves: Vec<(&'a str, Curves)>,
    pub(super) resampling: Vec<Resampling>,
    pub(super) window: [f64; 2],
    pub(super) correction: Correction,
    pub(super) omega: f64,
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
    pub(super) fn solve(&self, start: &Start) -> Option<Found> {
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
    pub(super) fn scan(&self, found: &Found, sizes: &[f64]) -> Vec<JointChoice> {
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
pub(super) struct Found {
    pub(super) solution: Solution,
    pub(super) problem: Problem,
    pub(super) intervals: usize,
}

impl Found {
    /// What turns the amplitude of a drift into the true x: the fit measures sizes by their middle one.
    pub(super) fn unit_of_x(&self) -> f64 {
        (self.problem.ln_middle * self.solution.theta[1]).exp()
    }

    /// The points with their master curves.
    pub(super) fn scaled(&self, task: &Task<'_>) -> Vec<JointPoint> {
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
                    size: block.size,
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
