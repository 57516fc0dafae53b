//! The normal equations of the scaling form and what its replicates tell of the errors.

use super::block::Block;
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
    pub(super) first_of: Vec<usize>,
    pub(super) thetas: usize,
    pub(super) unknowns: usize,
}

/// The normal equations at a point.
pub(super) struct Normal {
    pub(super) matrix: Vec<f64>,
    pub(super) gradient: Vec<f64>,
    pub(super) chi_square: f64,
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

    /// The covariance of theta from the replicates, whatever their points have in common: every
    /// replicate's distance from the mean moves the parameters along. `None` without replicates.
    pub(super) fn from_replicates(&self, at: &[f64], columns: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
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
