//! Least squares of a law on the points of a fit.

use super::model::{BETA_RANGE, GAMMA_RANGE, JUMP_BETA_RANGE, MIN_ABOVE, MOST, Model};
use crate::scaling::minimise::{Effort, FORBIDDEN, minimise};
use crate::seed::Stream;

/// Nearer to an edge than this share of the range is at the edge.
const EDGE: f64 = 0.005;

/// What two parameters must gain of chi-square, as in AIC.
const WORTH_TWO: f64 = 4.0;

/// The points of a fit, controls ascending.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Points {
    pub(super) control: Vec<f64>,
    pub(super) value: Vec<f64>,
    /// 1 / error^2.
    pub(super) weight: Vec<f64>,
    /// What stands below the laws that have no plateau there.
    pub(super) floor: f64,
}

/// An optimum of a law; parameters it does not have are 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Optimum {
    pub(super) parameters: [f64; MOST],
    pub(super) chi_square: f64,
}

impl Points {
    fn rows(&self) -> impl Iterator<Item = (f64, f64, f64)> + '_ {
        self.control.iter().zip(&self.value).zip(&self.weight).map(|((&x, &y), &w)| (x, y, w))
    }

    /// chi-square for the searched parameters, with the linear ones that make it lowest and are not
    /// negative.
    fn solve(&self, model: Model, mut parameters: [f64; MOST]) -> Optimum {
        if model.linear() == 0 {
            let chi_square = self.rows().map(|(x, y, w)| w * (y - model.value(x, &parameters)).powi(2)).sum();
            return Optimum { parameters, chi_square };
        }
        // All laws with linear parameters have the floor below them.
        let rows = || self.rows().map(|(x, y, w)| (x, y - self.floor, w));
        let basis: Vec<[f64; 2]> =
            self.control.iter().map(|&control| model.basis(control, parameters[0], parameters[1])).collect();
        let (mut aa, mut ab, mut bb, mut ay, mut by) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for ((_, y, w), [a, b]) in rows().zip(&basis) {
            aa += w * a * a;
            ab += w * a * b;
            bb += w * b * b;
            ay += w * a * y;
            by += w * b * y;
        }
        let alone = |vf: f64, ff: f64| if ff > 0.0 { (vf / ff).max(0.0) } else { 0.0 };
        let mut linear = [alone(ay, aa), 0.0];
        if model.linear() == 2 {
            let determinant = aa * bb - ab * ab;
            let both = [(ay * bb - by * ab) / determinant, (by * aa - ay * ab) / determinant];
            if determinant > 1e-12 * aa * bb && both[0] >= 0.0 && both[1] >= 0.0 {
                linear = both;
            } else {
                // The lowest on the border where one of them is 0.
                let second = alone(by, bb);
                if second * by > linear[0] * ay {
                    linear = [0.0, second];
                }
            }
        }
        // From the residuals: the normal equations cancel where the fit is good.
        let chi_square_of = |linear: [f64; 2]| -> f64 {
            let all = rows().zip(&basis);
            all.map(|((_, y, w), [a, b])| w * (y - linear[0] * a - linear[1] * b).powi(2)).sum()
        };
        let mut chi_square = chi_square_of(linear);
        if model == Model::Jump {
            // What follows a jump has two parameters of its own, and must be worth them.
            let flat = [alone(ay, aa), 0.0];
            let without = chi_square_of(flat);
            if without <= chi_square + WORTH_TWO {
                (linear, chi_square) = (flat, without);
            }
        }
        parameters[model.searched()..model.count()].copy_from_slice(&linear[..model.linear()]);
        Optimum { parameters, chi_square }
    }

    /// Where the search coordinates may go.
    pub(super) fn bounds(&self, model: Model) -> [[f64; 2]; MOST] {
        let last = self.control.len() - 1;
        let (low, high) = (self.control[0], self.control[last]);
        let mut bounds = [[0.0, 1.0]; MOST];
        let critical = {
            let lowest = low - 0.5 * (high - low);
            // Controls that are never negative (densities, degrees) have no negative p_c.
            let lowest = if low >= 0.0 { lowest.max(0.0) } else { lowest };
            [lowest, self.control[(last + 1).saturating_sub(MIN_ABOVE)]]
        };
        match model {
            Model::PowerLaw => (bounds[0], bounds[1]) = (critical, BETA_RANGE.map(f64::ln)),
            Model::EssentialSingularity => {
                let scale = (high - low).sqrt();
                (bounds[0], bounds[1]) = (critical, [(0.02 * scale).ln(), (50.0 * scale).ln()]);
            }
            // Below all points there is no jump to be seen.
            Model::Jump => (bounds[0], bounds[1]) = ([low, critical[1]], JUMP_BETA_RANGE.map(f64::ln)),
            Model::Logistic => {
                let span = (high / low).ln();
                bounds[0] = [low.ln() - span, high.ln() + span];
                bounds[1] = [(1e-3 * span).ln(), (10.0 * span).ln()];
            }
            Model::Rosenfeld => {
                let span = (high / low).ln();
                let [_, largest] = self.errors();
                bounds[0] = [low.ln() - span, high.ln() + span];
                bounds[1] = GAMMA_RANGE.map(f64::ln);
                bounds[2] = [0.0, 2.0 * largest];
                bounds[3] = [0.0, 2.0 * largest];
            }
        }
        bounds
    }

    /// The smallest and the largest 1 - value, with room above 0.
    fn errors(&self) -> [f64; 2] {
        let (low, high) =
            self.value.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(1.0 - v), b.max(1.0 - v)));
        let high = if high > 1e-6 { high } else { 1.0 };
        [low.clamp(0.0, high), high]
    }

    fn decoded(model: Model, at: &[f64]) -> [f64; MOST] {
        let mut parameters = [0.0; MOST];
        for (axis, &value) in at.iter().enumerate() {
            parameters[axis] = if model.is_log(axis) { value.exp() } else { value };
        }
        parameters
    }

    fn encoded(model: Model, parameters: [f64; MOST]) -> [f64; MOST] {
        let mut coded = [0.0; MOST];
        for axis in 0..model.searched() {
            coded[axis] = if model.is_log(axis) { parameters[axis].ln() } else { parameters[axis] };
        }
        coded
    }

    /// Follows the starts, given in search coordinates; the results are in their order.
    pub(super) fn search(&self, model: Model, starts: &[[f64; MOST]], effort: Effort) -> Vec<Optimum> {
        let axes = model.searched();
        let bounds = &self.bounds(model)[..axes];
        let steps: Vec<f64> = bounds.iter().map(|[low, high]| 0.1 * (high - low)).collect();
        let cost = |at: &[f64]| {
            let beyond: f64 = bounds
                .iter()
                .zip(at)
                .map(|([low, high], at)| ((low - at).max(0.0) + (at - high).max(0.0)) / (high - low))
                .sum();
            if beyond > 0.0 {
                return FORBIDDEN * (1.0 + beyond);
            }
            self.solve(model, Self::decoded(model, at)).chi_square
        };
        let follow = |start: &[f64; MOST]| {
            let steps: &[f64] = &match model {
                // Within the gap between two points: the other gaps have starts of their own.
                Model::Jump => vec![0.3 * self.gap(start[0]), steps[1]],
                _ => steps.clone(),
            };
            let (found, _) = minimise(&cost, &start[..axes], steps, effort);
            self.solve(model, Self::decoded(model, &found))
        };
        starts.iter().map(follow).collect()
    }

    /// The distance of the two controls around a critical point.
    pub(super) fn gap(&self, p_c: f64) -> f64 {
        let above = self.control.partition_point(|&control| control <= p_c).clamp(1, self.control.len() - 1);
        self.control[above] - self.control[above - 1]
    }

    /// The standard errors of the parameters from the curvature of chi-square (J^T W J inverted, J by
    /// differences); infinite where the points do not determine them. Those of a jump hold for its
    /// place and its beta given, with half the gap for its place.
    pub(super) fn curvature_errors(&self, model: Model, optimum: &Optimum) -> [f64; MOST] {
        let at = optimum.parameters;
        let span = self.control[self.control.len() - 1] - self.control[0];
        let mut errors = [f64::INFINITY; MOST];
        let first = if model == Model::Jump { 2 } else { 0 };
        let axes: Vec<usize> = (first..model.count()).filter(|&axis| model != Model::Jump || at[axis] != 0.0).collect();
        let scales: Vec<f64> = axes
            .iter()
            .map(|&axis| match () {
                () if model.is_critical_point(axis) => span,
                // eps_np may be 0.
                () if model == Model::Rosenfeld && axis > 1 => at[axis].max(0.01 * at[3]),
                () => at[axis].abs(),
            })
            .collect();
        let n = axes.len();
        let mut matrix = vec![vec![0.0; n]; n];
        for (control, _, weight) in self.rows() {
            let slope: Vec<f64> = axes
                .iter()
                .zip(&scales)
                .map(|(&axis, scale)| {
                    let step = 1e-5 * scale;
                    let (mut above, mut below) = (at, at);
                    above[axis] += step;
                    below[axis] = if model == Model::Rosenfeld { (at[axis] - step).max(0.0) } else { at[axis] - step };
                    // In units of the scales, so that the matrix is well conditioned.
                    (model.value(control, &above) - model.value(control, &below)) / (above[axis] - below[axis]) * scale
                })
                .collect();
            for row in 0..n {
                for column in 0..n {
                    matrix[row][column] += weight * slope[row] * slope[column];
                }
            }
        }
        if let Some(variances) = inverse_diagonal(matrix) {
            for ((&axis, scale), variance) in axes.iter().zip(&scales).zip(variances) {
                if variance > 0.0 && variance.is_finite() {
                    errors[axis] = variance.sqrt() * scale;
                }
            }
        }
        if model == Model::Jump {
            errors[0] = 0.5 * self.gap(at[0]);
        }
        errors
    }

    /// Starts all over the bounds. Those of a jump are its best places among all gaps between points.
    pub(super) fn starts(&self, model: Model, count: usize, stream: &mut Stream) -> Vec<[f64; MOST]> {
        let bounds = self.bounds(model);
        if model == Model::Jump {
            let places = self.control.windows(2).map(|pair| 0.5 * (pair[0] + pair[1]));
            let mut all: Vec<(f64, [f64; MOST])> = places
                .take_while(|&place| place < bounds[0][1])
                .flat_map(|place| [0.3, 1.0].map(|beta| [place, f64::ln(beta), 0.0, 0.0]))
                .map(|start| (self.solve(model, Self::decoded(model, &start[..2])).chi_square, start))
                .collect();
            all.sort_by(|a, b| a.0.total_cmp(&b.0));
            return all.into_iter().take(count).map(|(_, start)| start).collect();
        }
        let [smallest, largest] = self.errors();
        let mut start = || {
            let mut at = bounds.map(|[low, high]| low + (high - low) * stream.uniform(0.02, 0.98));
            if model == Model::Rosenfeld {
                // The plateaus are nearly seen; their place and steepness are not.
                at[2] = smallest + 0.2 * (largest - smallest) * stream.unit();
                at[3] = largest * stream.uniform(0.8, 1.3);
            }
            at
        };
        (0..count).map(|_| start()).collect()
    }

    /// An optimum as a start.
    pub(super) fn start_at(&self, model: Model, optimum: &Optimum) -> [f64; MOST] {
        let coded = Self::encoded(model, optimum.parameters);
        let bounds = self.bounds(model);
        // Exactly on an edge a simplex could step outside only.
        std::array::from_fn(|axis| {
            let [low, high] = bounds[axis];
            let margin = 1e-6 * (high - low);
            coded[axis].clamp(low + margin, high - margin)
        })
    }

    /// What speaks against an optimum being a fit of the law.
    pub(super) fn faults(&self, model: Model, optimum: &Optimum) -> Vec<String> {
        let mut faults = Vec::new();
        let at = optimum.parameters;
        let coded = Self::encoded(model, at);
        let bounds = self.bounds(model);
        for axis in (0..model.searched()).filter(|&axis| model != Model::Jump || axis == 0) {
            let [low, high] = bounds[axis];
            let margin = EDGE * (high - low);
            // No error of the dense network is a good error; a jump may be in the first gap.
            let low_is_fine = (model == Model::Rosenfeld && axis == 2) || model == Model::Jump;
            if !((coded[axis] > low + margin || low_is_fine) && coded[axis] < high - margin) {
                let name = model.parameters()[axis];
                let edges = [low, high].map(|edge| if model.is_log(axis) { edge.exp() } else { edge });
                faults.push(format!(
                    "{name} = {:.5} is at the edge of the range searched, {:.5} to {:.5}",
                    at[axis], edges[0], edges[1]
                ));
            }
        }
        let rises = match model {
            Model::Rosenfeld => at[3] > at[2],
            _ => at[2] > 0.0 || at[3] > 0.0,
        };
        if !rises {
            faults.push("the values do not rise with the control: no positive amplitude fits".into());
        } else if model == Model::Jump && at[2] <= 0.0 {
            faults.push("no jump: m0 = 0 fits best".into());
        }
        faults
    }
}

/// The diagonal of the inverse of a symmetric matrix, by elimination; `None` where it is singular to
/// rounding.
pub(crate) fn inverse_diagonal(mut matrix: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let n = matrix.len();
    let largest = (0..n).map(|k| matrix[k][k]).fold(0.0, f64::max);
    for (k, row) in matrix.iter_mut().enumerate() {
        row.extend((0..n).map(|column| if column == k { 1.0 } else { 0.0 }));
    }
    for k in 0..n {
        let pivot = (k..n).max_by(|&a, &b| matrix[a][k].abs().total_cmp(&matrix[b][k].abs()))?;
        matrix.swap(k, pivot);
        let scale = matrix[k][k];
        if scale.is_nan() || scale.abs() <= 1e-14 * largest {
            return None;
        }
        matrix[k].iter_mut().for_each(|value| *value /= scale);
        let pivot_row = matrix[k].clone();
        for (_, row) in matrix.iter_mut().enumerate().filter(|(other, _)| *other != k) {
            let factor = row[k];
            row.iter_mut().zip(&pivot_row).for_each(|(value, pivot)| *value -= factor * pivot);
        }
    }
    Some((0..n).map(|k| matrix[k][n + k]).collect())
}
