//! The systematic error from the scan and the other optima.

use super::result::Alternative;
use super::scan::ScanRow;
use crate::scaling::estimate::weighted_deviation;
use crate::scaling::quality::Objective;

/// The leading correction to scaling is taken to fall as L^-omega with omega nu = 4/3, between 1 (analytic
/// corrections, mean field) and 2 (percolation in two dimensions). A ratio of exponents does not depend on
/// whether the size is a length or a number of nodes.
pub const OMEGA_NU: f64 = 4.0 / 3.0;

/// What the rows of the scan are measured against.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    /// All sizes of the table, ascending.
    pub(super) sizes: Vec<f64>,
    /// The smallest size of the fit.
    pub(super) min_size: f64,
    pub(super) points: usize,
    pub(super) objective: Objective,
    /// The exponent of corrections.
    pub(super) omega: f64,
}

impl Reference {
    /// One deviation over all questions, not extrapolated: by this and the statistical error a fit
    /// is judged, since the extrapolated bias of a few sizes is mostly their noise.
    pub(super) fn scatter(
        rows: &[ScanRow],
        alternatives: &[Alternative],
        value: f64,
        pick: fn(&ScanRow) -> f64,
        other: fn(&Alternative) -> f64,
    ) -> f64 {
        let rows = weighted_deviation(rows.iter().map(|row| (row.weight, pick(row) - value)));
        rows.hypot(weighted_deviation(alternatives.iter().map(|one| (one.weight, other(one) - value))))
    }
}

/// The sum of squares of ln L around its mean, from a smallest size on: how well sizes tell an
/// exponent.
fn lever(sizes: &[f64], smallest: f64) -> f64 {
    let logs: Vec<f64> = sizes.iter().filter(|&&size| size >= smallest).map(|size| size.ln()).collect();
    let mean = logs.iter().sum::<f64>() / logs.len().max(1) as f64;
    logs.iter().map(|log| (log - mean).powi(2)).sum()
}

/// The slope of L^-omega against ln L over the sizes from a smallest one on: what a correction to
/// scaling adds to an exponent that is fitted to these sizes.
fn slope(sizes: &[f64], smallest: f64, omega: f64) -> f64 {
    let used: Vec<f64> = sizes.iter().copied().filter(|&size| size >= smallest).collect();
    let mean = used.iter().map(|size| size.ln()).sum::<f64>() / used.len().max(1) as f64;
    let product = used.iter().map(|size| (size.ln() - mean) * size.powf(-omega)).sum::<f64>();
    product / lever(sizes, smallest)
}

/// How far another smallest size moves a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moved {
    pub(super) min_size: f64,
    /// By its quality and, where it has fewer points than the fit, its share of them.
    pub(super) weight: f64,
    /// That share, at most 1.
    pub(super) share: f64,
    pub(super) by: f64,
}

/// The error that corrections to scaling leave, from how far the value moves with the smallest size:
/// a bias that goes with the [`slope`] moves by 1 - slope'/slope of itself, so the deviation is
/// divided by that. The mean deviation of each smallest size counts by its
/// lever, which its noise goes with, and by its quality.
pub(super) fn from_sizes(sizes: &[f64], min_size: f64, omega: f64, moved: &[Moved]) -> f64 {
    let (mut squares, mut levers) = (0.0, 0.0);
    for &size in sizes.iter().filter(|&&size| size != min_size) {
        let (mut weights, mut sum, mut best) = (0.0, 0.0, 0.0f64);
        for one in moved.iter().filter(|one| one.min_size == size) {
            weights += one.weight;
            sum += one.weight * one.by;
            best = best.max(one.weight / one.share);
        }
        if weights > 0.0 {
            let share = 1.0 - slope(sizes, size, omega) / slope(sizes, min_size, omega);
            let lever = lever(sizes, size);
            squares += lever * best * (sum / weights / share).powi(2);
            levers += lever;
        }
    }
    if levers > 0.0 { (squares / levers).sqrt() } else { 0.0 }
}

/// The deviation of choices from the value, which is one of them, with weight 1.
pub(super) fn spread(deviations: impl Iterator<Item = (f64, f64)>) -> f64 {
    weighted_deviation(std::iter::once((1.0, 0.0)).chain(deviations))
}

/// The systematic error of one parameter: smallest size, window, objective and other optima, in
/// quadrature. Different questions are not averaged with one another: a window that changes nothing
/// says nothing about the smallest size.
pub(super) fn systematic(
    reference: &Reference,
    rows: &[ScanRow],
    alternatives: &[Alternative],
    value: f64,
    pick: fn(&ScanRow) -> f64,
    other: fn(&Alternative) -> f64,
) -> f64 {
    let own_sizes = || rows.iter().filter(|row| row.min_size == reference.min_size);
    let choices = |same: bool| {
        let rows = own_sizes().filter(|row| (row.objective == reference.objective) == same);
        spread(rows.map(|row| (row.weight, pick(row) - value)))
    };
    let others = rows.iter().filter(|row| row.objective == reference.objective);
    let moved: Vec<Moved> = others
        .map(|row| Moved {
            min_size: row.min_size,
            weight: row.weight,
            share: (row.points as f64 / reference.points as f64).min(1.0),
            by: pick(row) - value,
        })
        .collect();
    let sizes = from_sizes(&reference.sizes, reference.min_size, reference.omega, &moved);
    let optima = spread(alternatives.iter().map(|one| (one.weight, other(one) - value)));
    [choices(true), choices(false), sizes, optima].into_iter().fold(0.0, f64::hypot)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(min_size: f64, p_c: f64, weight: f64) -> ScanRow {
        ScanRow {
            min_size,
            sizes: 2,
            window_low: -1.0,
            window_high: 1.0,
            objective: Objective::Pooled,
            p_c,
            inv_nu: 1.0,
            kappa_over_nu: 0.0,
            quality: 1.0,
            points: 50,
            weight,
        }
    }

    #[test]
    fn a_bias_that_falls_as_the_correction_is_found_whole() {
        let reference = Reference {
            sizes: vec![8.0, 16.0, 32.0, 64.0],
            min_size: 16.0,
            points: 50,
            objective: Objective::Pooled,
            omega: 0.9,
        };
        let at = |size: f64| 0.5 + 0.3 * slope(&reference.sizes, size, 0.9);
        let rows: Vec<ScanRow> = [8.0, 16.0, 32.0].into_iter().map(|size| row(size, at(size), 1.0)).collect();
        let found = systematic(&reference, &rows, &[], at(16.0), |row| row.p_c, |other| other.p_c);
        assert!((found - (at(16.0) - 0.5).abs()).abs() < 1e-12, "{found}");
        // A row of no weight says nothing.
        let rows = [row(32.0, at(32.0), 0.0)];
        assert_eq!(systematic(&reference, &rows, &[], at(16.0), |row| row.p_c, |other| other.p_c), 0.0);
    }
}
