//! Least squares of a collapse: the master curve is a spline, fitted along with the exponents.
//!
//! The value of observable o at size L and control p is
//!
//! A = L^(-kappa_o/nu) (1 + b_o (L/L_min)^-omega) F_o((p - p_c) L^(1/nu) - a (L/L_min)^-omega),
//!
//! with F_o a cubic spline with even knots. b is a correction to scaling of the amplitude, a a drift
//! of p_c; both are 0 in the plain form. Points weigh by their errors alone; what they have in common
//! enters the covariance of the parameters.

use serde::{Deserialize, Serialize};

use super::linear::Cholesky;
use super::spline::Spline;

mod block;
mod form;

pub(crate) use block::Block;
use form::Form;

/// A correction to the scaling form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Correction {
    /// The plain form.
    #[default]
    None,
    /// The amplitude has the factor 1 + b (L/L_min)^-omega, b of each observable its own.
    Factor,
    /// p_c drifts: x = (p - p_c) L^(1/nu) - a (L/L_min)^-omega.
    Drift,
}

impl Correction {
    /// The number of its amplitudes.
    fn amplitudes(self, observables: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Factor => observables,
            Self::Drift => 1,
        }
    }
}

/// Where a search starts: p_c, 1/nu and kappa/nu of every observable.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) p_c: f64,
    pub(crate) inv_nu: f64,
    pub(crate) kappa_over_nu: Vec<f64>,
}

/// A fit: theta is p_c, 1/nu, kappa/nu of every observable, and the correction's amplitudes (b of
/// every observable, or a).
#[derive(Debug, Clone)]
pub(crate) struct Solution {
    pub(crate) theta: Vec<f64>,
    pub(crate) covariance: Vec<Vec<f64>>,
    pub(crate) chi_square: f64,
    pub(crate) points: usize,
    /// All parameters, those of the master curves included.
    pub(crate) parameters: usize,
    /// The observables' splines, in x at the middle size.
    pub(crate) curves: Vec<(Spline, Vec<f64>)>,
}

impl Solution {
    /// chi-square for each degree of freedom.
    pub(crate) fn reduced(&self) -> f64 {
        self.chi_square / (self.points - self.parameters) as f64
    }

    pub(crate) fn start(&self) -> Start {
        let kappa_over_nu = self.theta[2..2 + self.curves.len()].to_vec();
        Start { p_c: self.theta[0], inv_nu: self.theta[1], kappa_over_nu }
    }
}

/// All points of a fit.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) blocks: Vec<Block>,
    pub(crate) observables: usize,
    /// Sizes are measured by this one, ln, so that the parameters are as little correlated as may be.
    pub(crate) ln_middle: f64,
    pub(crate) ln_smallest: f64,
}

/// Steps of one search at most.
const MAX_STEPS: usize = 40;
/// A search ends where a step gains less than this of chi-square.
const STILL: f64 = 1e-6;
/// Knots reach beyond the points by this share of their range.
const MARGIN: f64 = 0.02;
/// The damping of a first step, and where a search gives up.
const DAMPING: [f64; 2] = [1e-4, 1e8];

impl Problem {
    pub(crate) fn new(blocks: Vec<Block>) -> Self {
        let logs = || blocks.iter().map(|block| block.ln_size);
        let ln_smallest = logs().fold(f64::INFINITY, f64::min);
        let ln_middle = logs().sum::<f64>() / blocks.len().max(1) as f64;
        let observables = blocks.iter().map(|block| block.observable + 1).max().unwrap_or(0);
        Self { blocks, observables, ln_middle, ln_smallest }
    }

    pub(crate) fn points(&self) -> usize {
        self.blocks.iter().map(|block| block.control.len()).sum()
    }

    fn splines(&self, at: &Start, intervals: usize) -> Option<Vec<Spline>> {
        (0..self.observables)
            .map(|observable| {
                let mut range = [f64::INFINITY, f64::NEG_INFINITY];
                for block in self.blocks.iter().filter(|block| block.observable == observable) {
                    let scale = ((block.ln_size - self.ln_middle) * at.inv_nu).exp();
                    for &control in &block.control {
                        let x = (control - at.p_c) * scale;
                        range = [range[0].min(x), range[1].max(x)];
                    }
                }
                let margin = MARGIN * (range[1] - range[0]);
                (margin > 0.0).then(|| Spline::new([range[0] - margin, range[1] + margin], intervals))
            })
            .collect()
    }

    /// The fit nearest to a start, with master curves of so many intervals; `None` where the points do
    /// not determine it. By Gauss and Newton's steps with Levenberg and Marquardt's damping.
    /// O(points x parameters^2) a step, about ten steps.
    pub(crate) fn solve(
        &self,
        start: &Start,
        correction: Correction,
        omega: f64,
        intervals: usize,
    ) -> Option<Solution> {
        // The knots follow the points, which move with the parameters.
        let first = self.descend(start, correction, omega, intervals)?;
        self.descend(&first.start(), correction, omega, intervals)
    }

    fn descend(&self, start: &Start, correction: Correction, omega: f64, intervals: usize) -> Option<Solution> {
        let splines = self.splines(start, intervals)?;
        let thetas = 2 + self.observables + correction.amplitudes(self.observables);
        let mut first_of = Vec::new();
        let mut unknowns = thetas;
        for spline in &splines {
            first_of.push(unknowns);
            unknowns += spline.coefficients();
        }
        if self.points() <= unknowns {
            return None;
        }
        let form = Form { problem: self, correction, omega, splines: &splines, first_of, thetas, unknowns };
        let mut at = vec![0.0; unknowns];
        at[0] = start.p_c;
        at[1] = start.inv_nu;
        at[2..2 + self.observables].copy_from_slice(&start.kappa_over_nu);
        // The curve first, which is linear.
        let curve = form.step(&form.normal(&at), 0.0, thetas)?;
        at.iter_mut().zip(&curve).for_each(|(value, step)| *value += step);
        let mut normal = form.normal(&at);
        let [mut damping, limit] = DAMPING;
        for _ in 0..MAX_STEPS {
            let step = form.step(&normal, damping, 0)?;
            let next: Vec<f64> = at.iter().zip(&step).map(|(value, step)| value + step).collect();
            let there = form.normal(&next);
            if there.chi_square.is_finite() && there.chi_square <= normal.chi_square && next[1] > 0.0 {
                let gained = normal.chi_square - there.chi_square;
                (at, normal) = (next, there);
                damping *= 0.2;
                if gained < STILL {
                    break;
                }
            } else {
                damping *= 8.0;
                if damping > limit {
                    break;
                }
            }
        }
        let inverse = Cholesky::new(&normal.matrix, unknowns)?.inverse_columns(thetas);
        let covariance = form.covariance(&at, &inverse);
        let coefficients =
            |(spline, &first): (&Spline, &usize)| (*spline, at[first..first + spline.coefficients()].to_vec());
        let curves = splines.iter().zip(&form.first_of).map(coefficients).collect();
        let theta = at[..thetas].to_vec();
        let sound = theta.iter().chain(covariance.iter().flatten()).all(|value| value.is_finite());
        let (chi_square, points) = (normal.chi_square, self.points());
        sound.then_some(Solution { theta, covariance, chi_square, points, parameters: unknowns, curves })
    }
}

#[cfg(test)]
mod tests;
