//! Houdayer and Hartmann's quality S of a collapse.

use serde::{Deserialize, Serialize};

use super::curves::Curves;

/// The three parameters of a collapse: x = (p - p_c) L^(1/nu), y = A L^(kappa/nu).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// The critical point, in units of the control.
    pub p_c: f64,
    /// 1/nu.
    pub inv_nu: f64,
    /// kappa/nu: beta/nu > 0 for an order parameter, -gamma/nu < 0 for a susceptibility.
    pub kappa_over_nu: f64,
}

impl Parameters {
    /// p_c, 1/nu, kappa/nu.
    pub fn to_array(self) -> [f64; 3] {
        [self.p_c, self.inv_nu, self.kappa_over_nu]
    }

    pub(crate) fn from_slice(values: &[f64]) -> Self {
        Self { p_c: values[0], inv_nu: values[1], kappa_over_nu: values[2] }
    }
}

/// What each point is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// One weighted line through the bracketing points of all other sizes (the published S).
    Pooled,
    /// A line for each other size, through its own two bracketing points: another weighting of the
    /// same data, part of the systematic scan.
    Pairwise,
    /// A window with soft edges ([`smooth_quality`](crate::scaling::smooth_quality)).
    Smooth,
    /// A Gaussian process as the master curve, by maximum likelihood of the raw values: the kernel
    /// theta_0^2 exp(-(x - x')^2 / (2 theta_1^2)) and the variances E^2 + theta_2^2 of the scaled
    /// values (K. Harada, Phys. Rev. E 84, 056704 (2011), arXiv:1102.4149).
    GaussianProcess,
}

/// The quality of a collapse.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// S, about 1 where the points scatter as their errors say.
    pub s: f64,
    /// The number of points in the mean.
    pub points: usize,
}

/// One size: its points, controls ascending.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) ln_size: f64,
    pub(crate) control: Vec<f64>,
    pub(crate) value: Vec<f64>,
    /// error^2.
    pub(crate) variance: Vec<f64>,
    /// 1 / error^2.
    pub(crate) weight: Vec<f64>,
}

/// The numbers of a set of curves, laid out for many evaluations. Points are numbered through all
/// sizes, the smallest size first.
#[derive(Debug, Clone)]
pub(crate) struct Dataset {
    pub(crate) series: Vec<Series>,
    /// The number of the first point of each size, and the number of points at the end.
    pub(crate) offsets: Vec<usize>,
}

impl Dataset {
    pub(crate) fn new(curves: &Curves) -> Self {
        let series: Vec<Series> = curves
            .curves()
            .iter()
            .map(|curve| Series {
                ln_size: curve.size().ln(),
                control: curve.points().iter().map(|point| point.control).collect(),
                value: curve.points().iter().map(|point| point.value).collect(),
                variance: curve.points().iter().map(|point| point.error * point.error).collect(),
                weight: curve.points().iter().map(|point| point.error.powi(-2)).collect(),
            })
            .collect();
        let mut offsets = vec![0];
        for one in &series {
            offsets.push(offsets[offsets.len() - 1] + one.control.len());
        }
        Self { series, offsets }
    }

    pub(crate) fn total(&self) -> usize {
        self.offsets[self.offsets.len() - 1]
    }

    /// The same points with other values.
    pub(crate) fn with_values(&self, values: Vec<Vec<f64>>) -> Self {
        let mut other = self.clone();
        for (one, value) in other.series.iter_mut().zip(values) {
            one.value = value;
        }
        other
    }

    /// Calls `found(number, sum of terms, number of terms, line)` for every point that `keep(number, x)`
    /// accepts and that lies between two points of at least one other size; the line is through the points of
    /// all other sizes, and an empty one where they are compared one by one.
    pub(crate) fn visit(
        &self,
        at: Parameters,
        objective: Objective,
        mut keep: impl FnMut(usize, f64) -> bool,
        mut found: impl FnMut(usize, f64, usize, &Line),
    ) {
        let scale = |one: &Series| {
            let y_scale = (one.ln_size * at.kappa_over_nu).exp();
            Scale { x: (one.ln_size * at.inv_nu).exp(), y: y_scale, weight: 1.0 / (y_scale * y_scale) }
        };
        let scales: Vec<Scale> = self.series.iter().map(scale).collect();
        let mut cursors = vec![None; self.series.len()];
        for (own, one) in self.series.iter().enumerate() {
            let to = scales[own];
            cursors.fill(None);
            for (j, &control) in one.control.iter().enumerate() {
                let x = (control - at.p_c) * to.x;
                let number = self.offsets[own] + j;
                if !keep(number, x) {
                    continue;
                }
                let (y, variance) = (one.value[j] * to.y, to.y * to.y * one.variance[j]);
                let (mut sum, mut terms) = (0.0, 0);
                let mut line = Line::default();
                for (index, other) in self.series.iter().enumerate() {
                    let last = other.control.len().saturating_sub(2);
                    if index == own || other.control.len() < 2 {
                        continue;
                    }
                    let from = scales[index];
                    let x_of = |k: usize| (other.control[k] - at.p_c) * from.x;
                    // Points come by ascending x: the first is looked for, the others are a few steps on.
                    let mut first = cursors[index].unwrap_or_else(|| {
                        let below = other.control.partition_point(|&control| (control - at.p_c) * from.x <= x);
                        below.saturating_sub(1).min(last)
                    });
                    let mut right = x_of(first + 1);
                    while first < last && right <= x {
                        first += 1;
                        right = x_of(first + 1);
                    }
                    cursors[index] = Some(first);
                    let left = x_of(first);
                    if x < left || x > right {
                        continue;
                    }
                    line.add(left - x, other.value[first] * from.y, other.weight[first] * from.weight);
                    line.add(right - x, other.value[first + 1] * from.y, other.weight[first + 1] * from.weight);
                    if objective == Objective::Pairwise {
                        if let Some(square) = line.square(y, variance) {
                            sum += square;
                            terms += 1;
                        }
                        line = Line::default();
                    }
                }
                if let Some(square) = line.square(y, variance) {
                    sum += square;
                    terms += 1;
                }
                if terms > 0 {
                    found(number, sum, terms, &line);
                }
            }
        }
    }

    /// S over the points that `keep` accepts; `None` where none of them is bracketed.
    pub(crate) fn quality(
        &self,
        at: Parameters,
        objective: Objective,
        keep: impl FnMut(usize, f64) -> bool,
    ) -> Option<Quality> {
        let (mut sum, mut terms, mut points) = (0.0, 0, 0);
        self.visit(at, objective, keep, |_, s, n, _| {
            sum += s;
            terms += n;
            points += 1;
        });
        (terms > 0 && sum.is_finite()).then(|| Quality { s: sum / terms as f64, points })
    }
}

/// What the points of a size are multiplied with.
#[derive(Debug, Clone, Copy)]
struct Scale {
    x: f64,
    y: f64,
    /// 1 / y^2, for weights.
    weight: f64,
}

/// Sums of a weighted straight line, abscissae measured from where it is wanted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Line {
    w: f64,
    wu: f64,
    wy: f64,
    wuu: f64,
    wuy: f64,
}

impl Line {
    fn add(&mut self, u: f64, y: f64, weight: f64) {
        self.w += weight;
        self.wu += weight * u;
        self.wy += weight * y;
        self.wuu += weight * u * u;
        self.wuy += weight * u * y;
    }

    /// D; `None` where the points do not determine a line.
    fn determinant(&self) -> Option<f64> {
        let determinant = self.w * self.wuu - self.wu * self.wu;
        (determinant > 1e-13 * self.w * self.wuu).then_some(determinant)
    }

    /// The line's value and variance at u = 0.
    pub(crate) fn at_zero(&self) -> Option<(f64, f64)> {
        let determinant = self.determinant()?;
        Some(((self.wuu * self.wy - self.wu * self.wuy) / determinant, self.wuu / determinant))
    }

    /// The square of the distance of a value from the line at u = 0, in both variances, by one division.
    fn square(&self, y: f64, variance: f64) -> Option<f64> {
        let determinant = self.determinant()?;
        let distance = y * determinant - (self.wuu * self.wy - self.wu * self.wuy);
        Some(distance * distance / (determinant * (variance * determinant + self.wuu)))
    }
}

/// Houdayer and Hartmann's quality of the collapse of `curves` with parameters `at`, over the points
/// with x in the closed `window`:
///
/// S = mean over points (i, j) of (y_ij - Y_ij)^2 / (dy_ij^2 + dY_ij^2),
///
/// where Y_ij and dY_ij are value and error, at x_ij, of the weighted straight line through the two
/// points of every other size that bracket x_ij (all points bracket, also those outside the window).
/// A point that no other size brackets is skipped. With w = 1/dy^2, u = x - x_ij and sums over the
/// bracketing points, D = Sum w Sum w u^2 - (Sum w u)^2,
/// Y = (Sum w u^2 Sum w y - Sum w u Sum w u y)/D and dY^2 = Sum w u^2 / D.
///
/// `None` where no point in the window is bracketed. O(points x sizes).
///
/// Source: J. Houdayer and A. K. Hartmann, Phys. Rev. B 70, 014418 (2004),
/// doi:10.1103/PhysRevB.70.014418; O. Melchert, arXiv:0910.5403.
pub fn quality(curves: &Curves, at: Parameters, window: [f64; 2]) -> Option<Quality> {
    Dataset::new(curves).quality(at, Objective::Pooled, |_, x| window[0] <= x && x <= window[1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::curves::Row;

    fn curves(rows: &[(f64, f64, f64, f64)]) -> Curves {
        Curves::from_rows(rows.iter().map(|&(size, control, value, error)| Row {
            size,
            control,
            value,
            error: Some(error),
            replicate: None,
        }))
        .unwrap()
    }

    #[test]
    fn by_hand() {
        // L = 1 and L = 2, 1/nu = 0 and kappa = 0: x = p - 1, y = A. The point of size 2 at x = 0.5
        // lies between (0, 0 +- 1) and (1, 2 +- 1): Y = 1, dY^2 = 1/2; (4 - 1)^2 / (1 + 1/2) = 6. The
        // points of size 1 have one neighbour only, none brackets them but the pair at 1.5 and 3.
        let data = curves(&[(1.0, 1.0, 0.0, 1.0), (1.0, 2.0, 2.0, 1.0), (2.0, 1.5, 4.0, 1.0), (2.0, 3.0, 4.0, 1.0)]);
        let at = Parameters { p_c: 1.0, inv_nu: 0.0, kappa_over_nu: 0.0 };
        let s = quality(&data, at, [0.4, 0.6]).unwrap();
        assert_eq!(s.points, 1);
        assert!((s.s - 6.0).abs() < 1e-12, "{s:?}");
        // In the wide window the point (1, 2) joins: Y = 4 at x = 1, between x = 0.5 (weight 1) and
        // x = 2: u = -0.5 and 1, D = 2 x 1.25 - 0.25, dY^2 = 1.25/2.25; (2 - 4)^2/(1 + 5/9) = 36/14.
        let s = quality(&data, at, [-5.0, 5.0]).unwrap();
        assert_eq!(s.points, 2);
        assert!((s.s - (6.0 + 36.0 / 14.0) / 2.0).abs() < 1e-12, "{s:?}");
        assert!(quality(&data, at, [10.0, 11.0]).is_none());
    }

    #[test]
    fn objectives_agree_for_two_sizes() {
        let data = curves(&[
            (1.0, 1.0, 0.1, 0.2),
            (1.0, 2.0, 2.0, 0.3),
            (1.0, 2.5, 2.2, 0.3),
            (4.0, 0.9, 4.0, 0.1),
            (4.0, 1.7, 4.0, 0.2),
            (4.0, 3.0, 5.0, 0.2),
        ]);
        let dataset = Dataset::new(&data);
        let at = Parameters { p_c: 1.2, inv_nu: 0.3, kappa_over_nu: -0.2 };
        let pooled = dataset.quality(at, Objective::Pooled, |_, _| true).unwrap();
        let pairwise = dataset.quality(at, Objective::Pairwise, |_, _| true).unwrap();
        assert!(pooled.points > 2);
        assert_eq!(pooled.points, pairwise.points);
        assert!((pooled.s - pairwise.s).abs() < 1e-12 * pooled.s);
    }
}
