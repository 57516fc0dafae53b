//! Least squares of a collapse: the master curve is a spline, fitted along with the exponents.
//!
//! The value of observable o at size L and control p is
//!
//! L^(-kappa_o/nu) (1 + b_o (L/L_min)^-omega) F_o((p - p_c) L^(1/nu) - a (L/L_min)^-omega),
//!
//! with F_o a cubic spline with even knots. b is a correction to scaling of the amplitude, a a drift
//! of p_c; both are 0 in the plain form. A correction of any shape adds (L/L_min)^-omega G_o(x) to
//! F_o, G_o a parabola. Points of one size that share their runs or replicates are correlated, see
//! [`Shared`].

use serde::{Deserialize, Serialize};

use super::linear::Cholesky;
use super::quality::Parameters;
use super::spline::Spline;

mod block;
mod form;

pub(crate) use block::{Block, Shared};
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
    /// The master curve has another shape: (L/L_min)^-omega G(x) is added, G a parabola of each
    /// observable's own.
    Shape,
}

impl Correction {
    /// The number of parameters of its own.
    pub(crate) fn parameters(self, observables: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Factor => observables,
            Self::Drift => 1,
            Self::Shape => 3 * observables,
        }
    }
}

/// Where a search starts.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) p_c: f64,
    pub(crate) inv_nu: f64,
    /// kappa/nu of every observable.
    pub(crate) kappa_over_nu: Vec<f64>,
}

impl From<Parameters> for Start {
    fn from(at: Parameters) -> Self {
        Self { p_c: at.p_c, inv_nu: at.inv_nu, kappa_over_nu: vec![at.kappa_over_nu] }
    }
}

/// A fit: theta is p_c, 1/nu, kappa/nu of every observable, and the correction's amplitudes (b of
/// every observable, or a).
#[derive(Debug, Clone)]
pub(crate) struct Solution {
    pub(crate) theta: Vec<f64>,
    /// Row by row, for theta.
    pub(crate) covariance: Vec<Vec<f64>>,
    pub(crate) chi_square: f64,
    /// All parameters, those of the master curves included.
    pub(crate) parameters: usize,
    /// Independent points.
    pub(crate) worth: f64,
    curves: usize,
}

impl Solution {
    /// chi-square for each degree of freedom; `None` where few are left.
    pub(crate) fn reduced(&self) -> Option<f64> {
        let free = self.worth - self.parameters as f64;
        (free >= MIN_FREE).then(|| self.chi_square / free)
    }

    /// The number of observables, each with its master curve.
    pub(crate) fn observables(&self) -> usize {
        self.curves
    }

    pub(crate) fn start(&self, observables: usize) -> Start {
        Start { p_c: self.theta[0], inv_nu: self.theta[1], kappa_over_nu: self.theta[2..2 + observables].to_vec() }
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

/// Degrees of freedom that tell whether errors are too small.
const MIN_FREE: f64 = 5.0;
/// Steps of one search at most.
const MAX_STEPS: usize = 40;
/// A search ends where a step gains less than this of chi-square.
const STILL: f64 = 1e-5;
/// Knots reach beyond the points by this share of their range.
const MARGIN: f64 = 0.02;
impl Problem {
    pub(crate) fn new(blocks: Vec<Block>) -> Self {
        let logs = || blocks.iter().map(|block| block.ln_size);
        let ln_smallest = logs().fold(f64::INFINITY, f64::min);
        let ln_middle = logs().sum::<f64>() / blocks.len().max(1) as f64;
        let observables = blocks.iter().map(|block| block.observable + 1).max().unwrap_or(0);
        Self { blocks, observables, ln_middle, ln_smallest }
    }

    /// How many independent points there are.
    pub(crate) fn worth(&self) -> f64 {
        self.blocks.iter().map(Block::worth).sum()
    }

    /// The number of sizes.
    pub(crate) fn sizes(&self) -> usize {
        let mut sizes: Vec<f64> = self.blocks.iter().map(|block| block.ln_size).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        sizes.len()
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

    /// The fit nearest to a start, with a master curve of so many intervals; `None` where the
    /// points do not determine it. O(points x parameters^2) a step, about ten steps.
    ///
    /// By Gauss and Newton's steps with Levenberg and Marquardt's damping, from the plain form.
    pub(crate) fn solve(
        &self,
        start: &Start,
        correction: Correction,
        omega: f64,
        intervals: usize,
    ) -> Option<Solution> {
        // The knots follow the points, which move with the parameters.
        let first = self.descend(start, correction, omega, intervals)?;
        self.descend(&first.start(self.observables), correction, omega, intervals)
    }

    fn descend(&self, start: &Start, correction: Correction, omega: f64, intervals: usize) -> Option<Solution> {
        let splines = self.splines(start, intervals)?;
        let thetas = 2 + self.observables + correction.parameters(self.observables);
        let mut first_of = Vec::new();
        let mut unknowns = thetas;
        for spline in &splines {
            first_of.push(unknowns);
            unknowns += spline.coefficients();
        }
        let points: usize = self.blocks.iter().map(|block| block.control.len()).sum();
        if points <= unknowns {
            return None;
        }
        let form = Form { problem: self, correction, omega, splines: &splines, first_of, thetas, unknowns };
        let mut at = vec![0.0; unknowns];
        at[0] = start.p_c;
        at[1] = start.inv_nu;
        at[2..2 + self.observables].copy_from_slice(&start.kappa_over_nu);
        // The curve first, which is linear.
        let mut normal = form.normal(&at);
        let curve = form.step(&normal, 0.0, thetas)?;
        at.iter_mut().zip(&curve).for_each(|(value, step)| *value += step);
        normal = form.normal(&at);
        let mut damping = 1e-4;
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
                if damping > 1e8 {
                    break;
                }
            }
        }
        let factor = Cholesky::new(&normal.matrix, unknowns)?;
        let columns = factor.inverse_columns(thetas);
        let mut covariance: Vec<Vec<f64>> = columns.iter().map(|column| column[..thetas].to_vec()).collect();
        if let Some(measured) = form.from_replicates(&at, &columns) {
            covariance = measured;
        }
        let worth = self.worth();
        let mut theta = at;
        theta.truncate(thetas);
        let chi_square = normal.chi_square;
        let all = theta.iter().chain(covariance.iter().flatten()).all(|value| value.is_finite());
        all.then_some(Solution { theta, covariance, chi_square, parameters: unknowns, worth, curves: self.observables })
    }
}
