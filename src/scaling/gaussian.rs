//! The likelihood of a collapse whose master curve is a Gaussian process.

use super::quality::{Dataset, Parameters};

/// A likelihood takes time with the cube of the points: of more points in the window than this, so
/// many are taken, evenly through the sizes and their controls.
pub const MAX_PROCESS_POINTS: usize = 60;

/// The points of one likelihood.
pub(crate) struct Process {
    /// ln of the size over the geometric mean size of the points, control, value, variance.
    points: Vec<[f64; 4]>,
}

impl Process {
    /// The points that `keep` accepts by number, thinned to [`MAX_PROCESS_POINTS`].
    pub(crate) fn new(data: &Dataset, keep: impl Fn(usize) -> bool) -> Self {
        let mut all = Vec::new();
        for (one, offset) in data.series.iter().zip(&data.offsets) {
            for (j, &control) in one.control.iter().enumerate().filter(|(j, _)| keep(offset + j)) {
                all.push([one.ln_size, control, one.value[j], 1.0 / one.weight[j]]);
            }
        }
        let count = all.len().min(MAX_PROCESS_POINTS);
        let mut points: Vec<[f64; 4]> = (0..count).map(|n| all[(2 * n + 1) * all.len() / (2 * count)]).collect();
        // The geometric mean as the unit of size makes the factor between the densities of the
        // scaled and the raw values, prod L^(kappa/nu), 1: no kappa wins by shrinking all values.
        let mean = points.iter().map(|point| point[0]).sum::<f64>() / count.max(1) as f64;
        points.iter_mut().for_each(|point| point[0] -= mean);
        Self { points }
    }

    /// First guesses of ln theta_0, ln theta_1 and ln theta_2.
    pub(crate) fn guess(&self, at: Parameters) -> [f64; 3] {
        let n = self.points.len() as f64;
        let square = self.points.iter().map(|point| point[2] * point[2]).sum::<f64>() / n;
        let variance = self.points.iter().map(|point| point[3]).sum::<f64>() / n;
        let x = self.points.iter().map(|point| (point[1] - at.p_c) * (point[0] * at.inv_nu).exp());
        let (low, high) = x.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        [0.5 * square.max(1e-300).ln(), (0.5 * (high - low)).max(1e-300).ln(), 0.5 * (0.1 * variance).ln()]
    }

    /// Minus the log likelihood of the raw values for each point; `None` where the matrix is not
    /// positive definite.
    pub(crate) fn cost(&self, at: Parameters, [theta_0, theta_1, theta_2]: [f64; 3]) -> Option<f64> {
        let n = self.points.len();
        let (height, range, nugget) = ((2.0 * theta_0).exp(), (-2.0 * theta_1).exp(), (2.0 * theta_2).exp());
        let scaled: Vec<[f64; 3]> = self
            .points
            .iter()
            .map(|&[ln_size, control, value, variance]| {
                let y = (ln_size * at.kappa_over_nu).exp();
                [(control - at.p_c) * (ln_size * at.inv_nu).exp(), value * y, variance * y * y]
            })
            .collect();
        // Cholesky's factor, row by row, and the solution of the triangular system beside it.
        let mut factor = vec![0.0; n * n];
        let mut solved = vec![0.0; n];
        let mut sum = 0.0;
        for i in 0..n {
            let [x, y, variance] = scaled[i];
            let (before, rest) = factor.split_at_mut(i * n);
            let row = &mut rest[..n];
            for j in 0..i {
                let other = &before[j * n..j * n + j + 1];
                let kernel = height * (-0.5 * range * (x - scaled[j][0]).powi(2)).exp();
                let product: f64 = row[..j].iter().zip(other).map(|(a, b)| a * b).sum();
                row[j] = (kernel - product) / other[j];
            }
            let squares: f64 = row[..i].iter().map(|a| a * a).sum();
            let pivot = height + variance + nugget - squares;
            if pivot.is_nan() || pivot <= 0.0 {
                return None;
            }
            row[i] = pivot.sqrt();
            let product: f64 = row[..i].iter().zip(&solved).map(|(a, b)| a * b).sum();
            solved[i] = (y - product) / row[i];
            sum += 0.5 * solved[i] * solved[i] + row[i].ln();
        }
        Some(sum / n as f64 + 0.5 * (2.0 * std::f64::consts::PI).ln())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_points_by_hand() {
        // K = [[1 + 1 + 1, e], [e, 3]] with e = exp(-1/2), y = (1, 2).
        let process = Process { points: vec![[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 2.0, 1.0]] };
        let at = Parameters { p_c: 0.0, inv_nu: 1.0, kappa_over_nu: 0.5 };
        let e = (-0.5f64).exp();
        let determinant = 9.0 - e * e;
        let quadratic = (3.0 - 2.0 * 2.0 * e + 3.0 * 4.0) / determinant;
        let expected = 0.5 * (0.5 * quadratic + 0.5 * determinant.ln()) + 0.5 * (2.0 * std::f64::consts::PI).ln();
        assert!((process.cost(at, [0.0, 0.0, 0.0]).unwrap() - expected).abs() < 1e-13);
    }

    #[test]
    fn the_density_is_of_the_raw_values() {
        // Scaling all sizes and the amplitude changes nothing: sizes enter by their ratios alone.
        let series = |factor: f64| {
            let row = |size: f64, n: u32| super::super::curves::Row {
                size: size * factor,
                control: f64::from(n),
                value: f64::from(n) + 1.0,
                error: Some(0.1),
                replicate: None,
            };
            let rows = (0..6).flat_map(|n| [row(1.0, n), row(4.0, n)]);
            Process::new(&Dataset::new(&super::super::curves::Curves::from_rows(rows).unwrap()), |_| true)
        };
        let at = Parameters { p_c: 2.0, inv_nu: 0.5, kappa_over_nu: -1.5 };
        let cost = |factor: f64| series(factor).cost(at, [1.0, 0.3, -2.0]).unwrap();
        assert!((cost(1.0) - cost(100.0)).abs() < 1e-10);
        let total: f64 = series(3.0).points.iter().map(|point| point[0]).sum();
        assert!(total.abs() < 1e-12);
    }
}
