//! The scaling form, its derivatives and its normal equations.

use super::block::{Block, Deviations};
use super::{Correction, Problem};
use crate::scaling::linear::Cholesky;
use crate::scaling::spline::Spline;

/// Curvature of the spline between neighbouring bells weighs so little that it only settles
/// coefficients that no point decides.
const RIDGE: f64 = 1e-9;

pub(super) struct Form<'a> {
    pub(super) problem: &'a Problem,
    pub(super) correction: Correction,
    pub(super) omega: f64,
    pub(super) splines: &'a [Spline],
    /// The first coefficient of each spline among the unknowns.
    pub(super) first_of: Vec<usize>,
    pub(super) thetas: usize,
    pub(super) unknowns: usize,
}

/// The normal equations at a point; the lower triangle of the matrix.
pub(super) struct Normal {
    pub(super) matrix: Vec<f64>,
    pub(super) gradient: Vec<f64>,
    pub(super) chi_square: f64,
}

impl Form<'_> {
    /// The residuals of a block in errors and, for each unknown that matters there, their derivatives.
    fn block(&self, block: &Block, at: &[f64]) -> (Vec<f64>, Vec<(usize, Vec<f64>)>) {
        let problem = self.problem;
        let n = block.control.len();
        let o = block.observable;
        let (p_c, inv_nu, kappa) = (at[0], at[1], at[2 + o]);
        let ln = block.ln_size - problem.ln_middle;
        let (scale, height) = ((ln * inv_nu).exp(), (-ln * kappa).exp());
        let small = (-self.omega * (block.ln_size - problem.ln_smallest)).exp();
        let extra = 2 + problem.observables;
        let (factor, shift) = match self.correction {
            Correction::None => (1.0, 0.0),
            Correction::Factor => (1.0 + at[extra + o] * small, 0.0),
            Correction::Drift => (1.0, at[extra] * small),
        };
        let spline = &self.splines[o];
        let first = self.first_of[o];
        let coefficients = &at[first..first + spline.coefficients()];
        let mut residual = vec![0.0; n];
        let mut columns: Vec<(usize, Vec<f64>)> = [0, 1, 2 + o].into_iter().map(|axis| (axis, vec![0.0; n])).collect();
        match self.correction {
            Correction::None => {}
            Correction::Factor => columns.push((extra + o, vec![0.0; n])),
            Correction::Drift => columns.push((extra, vec![0.0; n])),
        }
        let bells_from = columns.len();
        columns.extend((0..spline.coefficients()).map(|k| (first + k, vec![0.0; n])));
        for (j, residual) in residual.iter_mut().enumerate() {
            let weight = 1.0 / block.error[j];
            let scaled = (block.control[j] - p_c) * scale;
            let (start, values, slopes) = spline.bells(scaled - shift);
            let (mut value, mut slope) = (0.0, 0.0);
            for k in 0..4 {
                value += coefficients[start + k] * values[k];
                slope += coefficients[start + k] * slopes[k];
                columns[bells_from + start + k].1[j] = weight * height * factor * values[k];
            }
            let (value, slope) = (weight * height * value, weight * height * factor * slope);
            *residual = weight * block.value[j] - factor * value;
            columns[0].1[j] = -slope * scale;
            columns[1].1[j] = slope * scaled * ln;
            columns[2].1[j] = -ln * factor * value;
            match self.correction {
                Correction::None => {}
                Correction::Factor => columns[3].1[j] = small * value,
                Correction::Drift => columns[3].1[j] = -slope * small,
            }
        }
        (residual, columns)
    }

    pub(super) fn normal(&self, at: &[f64]) -> Normal {
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
        self.settle(&mut normal, at);
        normal
    }

    /// Adds the small weight of the splines' curvature.
    fn settle(&self, normal: &mut Normal, at: &[f64]) {
        let n = self.unknowns;
        for (spline, &first) in self.splines.iter().zip(&self.first_of) {
            let count = spline.coefficients();
            let mean = (first..first + count).map(|k| normal.matrix[k * n + k]).sum::<f64>() / count as f64;
            let weight = RIDGE * mean;
            for k in first + 1..first + count - 1 {
                let terms = [(k - 1, 1.0), (k, -2.0), (k + 1, 1.0)];
                let bend: f64 = terms.iter().map(|&(a, x)| x * at[a]).sum();
                for (a, x) in terms {
                    for (b, y) in terms.into_iter().filter(|(b, _)| *b <= a) {
                        normal.matrix[a * n + b] += weight * x * y;
                    }
                    normal.gradient[a] -= weight * x * bend;
                }
            }
        }
    }

    /// The step of the unknowns from `from` on, the others kept.
    pub(super) fn step(&self, normal: &Normal, damping: f64, from: usize) -> Option<Vec<f64>> {
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

    /// The covariance of theta: with H the normal matrix and d the points' deviations, the sum over d of
    /// m m^T, m = H^-1 J^T d. Whatever the points of a block have in common is in it, though the weights
    /// of the fit know nothing of that. Replicates of one size move all observables together.
    pub(super) fn covariance(&self, at: &[f64], inverse: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let thetas = self.thetas;
        let mut groups: Vec<(f64, bool, Vec<Vec<f64>>)> = Vec::new();
        for block in &self.problem.blocks {
            let (_, columns) = self.block(block, at);
            // H^-1 J^T, a list over the points for each of theta.
            let derivatives: Vec<Vec<f64>> = inverse
                .iter()
                .map(|row| {
                    let mut sum = vec![0.0; block.control.len()];
                    for (unknown, column) in &columns {
                        sum.iter_mut().zip(column).for_each(|(sum, value)| *sum += row[*unknown] * value);
                    }
                    sum
                })
                .collect();
            let moves = block.moves(&derivatives);
            let replicates = matches!(block.deviations, Deviations::Replicates(_));
            let same = groups
                .iter_mut()
                .find(|(size, other, all)| replicates && *other && *size == block.ln_size && all.len() == moves.len());
            match same {
                Some((.., all)) => {
                    all.iter_mut().flatten().zip(moves.iter().flatten()).for_each(|(sum, one)| *sum += one)
                }
                None => groups.push((block.ln_size, replicates, moves)),
            }
        }
        let mut covariance = vec![vec![0.0; thetas]; thetas];
        for step in groups.iter().flat_map(|(.., all)| all) {
            for a in 0..thetas {
                for b in 0..thetas {
                    covariance[a][b] += step[a] * step[b];
                }
            }
        }
        covariance
    }
}
