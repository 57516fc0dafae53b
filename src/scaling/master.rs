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

/// What the errors of a size's points have in common.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shared {
    /// Nothing.
    Nothing,
    /// This share of their variance: the correlation of any two points.
    Common(f64),
    /// The correlation of every point with the one before it (that of the first is not used), the
    /// points forming a chain, measured over replicates.
    Chain(Vec<f64>),
    /// The same, assumed: chi-square is then no count of points.
    AssumedChain(Vec<f64>),
}

/// Points of one size and one observable.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) observable: usize,
    pub(crate) ln_size: f64,
    pub(crate) control: Vec<f64>,
    pub(crate) value: Vec<f64>,
    pub(crate) error: Vec<f64>,
    pub(crate) shared: Shared,
    /// The distance of every replicate from the mean, point by point; empty without replicates.
    pub(crate) deviations: Vec<Vec<f64>>,
}

impl Block {
    /// How many independent points the block is worth: all of them once a known correlation is taken
    /// out.
    pub(crate) fn worth(&self) -> f64 {
        match &self.shared {
            Shared::AssumedChain(links) => 1.0 + links.iter().skip(1).map(|link| 1.0 - link).sum::<f64>(),
            _ => self.control.len() as f64,
        }
    }

    /// Divides by the errors and takes the correlation out.
    fn whiten(&self, values: &mut [f64]) {
        let n = values.len() as f64;
        for (value, error) in values.iter_mut().zip(&self.error) {
            *value /= error;
        }
        match &self.shared {
            Shared::Nothing => {}
            Shared::Common(share) => {
                let mean = values.iter().sum::<f64>() / n;
                let (own, common) = ((1.0 - share).sqrt(), (1.0 + (n - 1.0) * share).sqrt());
                for value in values {
                    *value = (*value - mean) / own + mean / common;
                }
            }
            Shared::Chain(links) | Shared::AssumedChain(links) => {
                for j in (1..values.len()).rev() {
                    values[j] = (values[j] - links[j] * values[j - 1]) / (1.0 - links[j] * links[j]).sqrt();
                }
            }
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
/// Curvature of the spline between neighbouring bells weighs so little that it only settles
/// coefficients that no point decides.
const RIDGE: f64 = 1e-9;

struct Form<'a> {
    problem: &'a Problem,
    correction: Correction,
    omega: f64,
    splines: &'a [Spline],
    first_of: Vec<usize>,
    thetas: usize,
    unknowns: usize,
}

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

/// The normal equations at a point.
struct Normal {
    matrix: Vec<f64>,
    gradient: Vec<f64>,
    chi_square: f64,
}

impl Form<'_> {
    /// The whitened residuals of a block and, column by column, its whitened derivatives.
    fn block(&self, block: &Block, at: &[f64]) -> (Vec<f64>, Vec<(usize, Vec<f64>)>) {
        let problem = self.problem;
        let n = block.control.len();
        let o = block.observable;
        let (p_c, inv_nu, kappa) = (at[0], at[1], at[2 + o]);
        let ln = block.ln_size - problem.ln_middle;
        let scale = (ln * inv_nu).exp();
        let height = (-ln * kappa).exp();
        let small = (-self.omega * (block.ln_size - problem.ln_smallest)).exp();
        let first_extra = 2 + problem.observables;
        let (mut factor, mut shift, mut bend) = (1.0, 0.0, &[0.0; 3][..]);
        match self.correction {
            Correction::None => {}
            Correction::Factor => factor = 1.0 + at[first_extra + o] * small,
            Correction::Drift => shift = at[first_extra] * small,
            Correction::Shape => bend = &at[first_extra + 3 * o..first_extra + 3 * o + 3],
        }
        let spline = &self.splines[o];
        let first = self.first_of[o];
        let coefficients = &at[first..first + spline.coefficients()];
        let mut residual = vec![0.0; n];
        let mut columns: Vec<(usize, Vec<f64>)> = [0, 1, 2 + o].into_iter().map(|axis| (axis, vec![0.0; n])).collect();
        match self.correction {
            Correction::None => {}
            Correction::Factor => columns.push((first_extra + o, vec![0.0; n])),
            Correction::Drift => columns.push((first_extra, vec![0.0; n])),
            Correction::Shape => columns.extend((0..3).map(|k| (first_extra + 3 * o + k, vec![0.0; n]))),
        }
        let bells_from = columns.len();
        columns.extend((0..spline.coefficients()).map(|k| (first + k, vec![0.0; n])));
        for (j, &control) in block.control.iter().enumerate() {
            let scaled = (control - p_c) * scale;
            let x = scaled - shift;
            let (start, values, slopes) = spline.bells(x);
            let (mut value, mut slope) = (0.0, 0.0);
            for k in 0..4 {
                value += coefficients[start + k] * values[k];
                slope += coefficients[start + k] * slopes[k];
                columns[bells_from + start + k].1[j] = height * factor * values[k];
            }
            // The spline's range as the unit of x.
            let u = (x - spline.low()) / spline.range();
            value += small * (bend[0] + u * (bend[1] + u * bend[2]));
            slope += small * (bend[1] + 2.0 * u * bend[2]) / spline.range();
            residual[j] = block.value[j] - height * factor * value;
            columns[0].1[j] = -height * factor * slope * scale;
            columns[1].1[j] = height * factor * slope * scaled * ln;
            columns[2].1[j] = -ln * height * factor * value;
            match self.correction {
                Correction::None => {}
                Correction::Factor => columns[3].1[j] = height * small * value,
                Correction::Drift => columns[3].1[j] = -height * factor * slope * small,
                Correction::Shape => (0..3).for_each(|k| columns[3 + k].1[j] = height * small * u.powi(k as i32)),
            }
        }
        block.whiten(&mut residual);
        for (_, column) in &mut columns {
            block.whiten(column);
        }
        (residual, columns)
    }

    fn normal(&self, at: &[f64]) -> Normal {
        let n = self.unknowns;
        let mut normal = Normal { matrix: vec![0.0; n * n], gradient: vec![0.0; n], chi_square: 0.0 };
        for block in &self.problem.blocks {
            let (residual, columns) = self.block(block, at);
            normal.chi_square += residual.iter().map(|r| r * r).sum::<f64>();
            for (position, (row, left)) in columns.iter().enumerate() {
                normal.gradient[*row] += left.iter().zip(&residual).map(|(a, b)| a * b).sum::<f64>();
                for (column, right) in &columns[..=position] {
                    let product: f64 = left.iter().zip(right).map(|(a, b)| a * b).sum();
                    normal.matrix[row * n + column] += product;
                }
            }
        }
        for (spline, &first) in self.splines.iter().zip(&self.first_of) {
            let count = spline.coefficients();
            let mean = (first..first + count).map(|k| normal.matrix[k * n + k]).sum::<f64>() / count as f64;
            for k in first + 1..first + count - 1 {
                let weight = RIDGE * mean;
                for (a, x) in [(k - 1, 1.0), (k, -2.0), (k + 1, 1.0)] {
                    for (b, y) in [(k - 1, 1.0), (k, -2.0), (k + 1, 1.0)] {
                        if b <= a {
                            normal.matrix[a * n + b] += weight * x * y;
                        }
                    }
                    let bend = at[k - 1] - 2.0 * at[k] + at[k + 1];
                    normal.gradient[a] -= weight * x * bend;
                }
            }
        }
        normal
    }

    /// The step of the unknowns from `from` on, the others kept.
    fn step(&self, normal: &Normal, damping: f64, from: usize) -> Option<Vec<f64>> {
        let (n, m) = (self.unknowns, self.unknowns - from);
        let mut matrix = vec![0.0; m * m];
        for i in 0..m {
            for j in 0..=i {
                matrix[i * m + j] = normal.matrix[(i + from) * n + j + from];
            }
            matrix[i * m + i] *= 1.0 + damping;
        }
        let solved = Cholesky::new(&matrix, m)?.solve(&normal.gradient[from..]);
        let mut step = vec![0.0; from];
        step.extend(solved);
        Some(step)
    }

    /// The covariance of theta from the replicates, whatever their points have in common: every
    /// replicate's distance from the mean moves the parameters along. `None` without replicates.
    fn from_replicates(&self, at: &[f64], columns: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
        let blocks = &self.problem.blocks;
        if blocks.iter().any(|block| block.deviations.len() < 2) {
            return None;
        }
        let thetas = self.thetas;
        let mut covariance = vec![vec![0.0; thetas]; thetas];
        let mut moves: Vec<(f64, Vec<Vec<f64>>)> = Vec::new();
        for block in blocks {
            let (_, derivatives) = self.block(block, at);
            let moved: Vec<Vec<f64>> = block
                .deviations
                .iter()
                .map(|deviation| {
                    let mut white = deviation.clone();
                    block.whiten(&mut white);
                    let mut change = vec![0.0; thetas];
                    for (row, derivative) in &derivatives {
                        let product: f64 = derivative.iter().zip(&white).map(|(a, b)| a * b).sum();
                        for (axis, column) in columns.iter().enumerate() {
                            change[axis] += column[*row] * product;
                        }
                    }
                    change
                })
                .collect();
            // Observables of one size come from the same replicates.
            let same = moves.iter_mut().find(|(size, all)| *size == block.ln_size && all.len() == moved.len());
            match same {
                Some((_, all)) => {
                    all.iter_mut().flatten().zip(moved.iter().flatten()).for_each(|(sum, one)| *sum += one)
                }
                None => moves.push((block.ln_size, moved)),
            }
        }
        for (_, all) in moves {
            let count = all.len() as f64;
            for change in &all {
                for a in 0..thetas {
                    for b in 0..thetas {
                        covariance[a][b] += change[a] * change[b] / (count * (count - 1.0));
                    }
                }
            }
        }
        Some(covariance)
    }
}
