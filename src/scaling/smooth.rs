//! A quality that is continuous in the parameters: a window with soft edges.

use super::curves::Curves;
use super::quality::{Dataset, Parameters};

impl Dataset {
    /// The weight of every point, (1 - u^2)^2 with u from -1 to 1 across the window, 0 outside.
    pub(crate) fn soft_weights(&self, at: Parameters, [low, high]: [f64; 2]) -> Vec<f64> {
        let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
        let weight = |scale: f64, control: f64| {
            let u = ((control - at.p_c) * scale - middle) / half;
            (1.0 - u * u).max(0.0).powi(2)
        };
        self.series
            .iter()
            .flat_map(|one| {
                let scale = (one.ln_size * at.inv_nu).exp();
                one.control.iter().map(move |&control| weight(scale, control))
            })
            .collect()
    }

    /// The weighted mean of squared deviations, and the sum of the weights that could be compared.
    pub(crate) fn soft_quality(&self, at: Parameters, weights: &[f64]) -> Option<(f64, f64)> {
        let scales: Vec<(f64, f64)> = self
            .series
            .iter()
            .map(|one| ((one.ln_size * at.inv_nu).exp(), (one.ln_size * at.kappa_over_nu).exp()))
            .collect();
        let (mut sum, mut total) = (0.0, 0.0);
        for (own, one) in self.series.iter().enumerate() {
            let (x_scale, y_scale) = scales[own];
            for (j, &control) in one.control.iter().enumerate() {
                let weight = weights[self.offsets[own] + j];
                if weight <= 0.0 {
                    continue;
                }
                let shifted = (control - at.p_c) * x_scale;
                let (mut precision, mut product, mut cover) = (0.0, 0.0, 0.0f64);
                for (index, other) in self.series.iter().enumerate() {
                    let (other_x, other_y) = scales[index];
                    let wanted = shifted / other_x + at.p_c;
                    let above = other.control.partition_point(|&control| control <= wanted);
                    if index == own || above == 0 || above == other.control.len() {
                        continue;
                    }
                    let (left, right) = (other.control[above - 1], other.control[above]);
                    let share = (wanted - left) / (right - left);
                    // A size fades in over its first and out over its last interval.
                    let first = if above == 1 { share } else { 1.0 };
                    let last = if above + 1 == other.control.len() { 1.0 - share } else { 1.0 };
                    let fade = first.min(last);
                    let value = (1.0 - share) * other.value[above - 1] + share * other.value[above];
                    let variance =
                        (1.0 - share).powi(2) / other.weight[above - 1] + share * share / other.weight[above];
                    let part = fade / (variance * other_y * other_y);
                    precision += part;
                    product += part * value * other_y;
                    cover = cover.max(fade);
                }
                if precision > 0.0 {
                    let deviation = one.value[j] * y_scale - product / precision;
                    let variance = y_scale * y_scale / one.weight[j] + 1.0 / precision;
                    sum += weight * cover * deviation * deviation / variance;
                    total += weight * cover;
                }
            }
        }
        (total > 0.0 && sum.is_finite()).then(|| (sum / total, total))
    }
}

/// A quality of the collapse of `curves` with parameters `at` that is continuous in them.
///
/// As [`quality`](crate::scaling::quality()), with three changes: points have the weight
/// (1 - u^2)^2, u from -1 to 1 across the `window`; each other size gives the straight line between
/// its own two bracketing points, and these are averaged with their inverse variances; a size fades
/// in and out over the first and the last interval of its controls. So nothing jumps where a point
/// passes an edge of the window, another point, or the end of a curve.
///
/// `None` where no point in the window is bracketed. O(points x sizes x ln points).
///
/// ```
/// use prunephase::scaling::{Curves, Parameters, Row, smooth_quality};
/// let row = |size, control: f64| Row { size, control, value: control, error: Some(0.1), replicate: None };
/// let rows = (0..10).flat_map(|n| [row(1.0, 0.1 * f64::from(n)), row(2.0, 0.1 * f64::from(n) + 0.05)]);
/// let at = Parameters { p_c: 0.5, inv_nu: 0.0, kappa_over_nu: 0.0 };
/// assert!(smooth_quality(&Curves::from_rows(rows)?, at, [-0.3, 0.3]).is_some_and(|s| s < 1e-20));
/// # Ok::<(), prunephase::scaling::ScalingError>(())
/// ```
pub fn smooth_quality(curves: &Curves, at: Parameters, window: [f64; 2]) -> Option<f64> {
    let data = Dataset::new(curves);
    Some(data.soft_quality(at, &data.soft_weights(at, window))?.0)
}
