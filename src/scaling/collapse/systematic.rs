//! The systematic error from the scan and the other optima.

use super::result::Alternative;
use super::scan::ScanRow;
use crate::scaling::estimate::weighted_deviation;
use crate::scaling::quality::Objective;

/// Corrections to scaling are taken to fall at least as fast as L to minus this: 0.83 in the
/// three-dimensional Ising class, 1.2 to 1.5 in percolation, are the slowest usual ones.
pub const SLOWEST_CORRECTION: f64 = 0.8;

/// What the rows of the scan are measured against.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    /// All sizes of the table, ascending.
    pub(super) sizes: Vec<f64>,
    /// The smallest size of the fit.
    pub(super) min_size: f64,
    pub(super) points: usize,
    pub(super) objective: Objective,
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
fn slope(sizes: &[f64], smallest: f64) -> f64 {
    let used: Vec<f64> = sizes.iter().copied().filter(|&size| size >= smallest).collect();
    let mean = used.iter().map(|size| size.ln()).sum::<f64>() / used.len().max(1) as f64;
    let product = used.iter().map(|size| (size.ln() - mean) * size.powf(-SLOWEST_CORRECTION)).sum::<f64>();
    product / lever(sizes, smallest)
}

/// The error that corrections to scaling leave, from how far the value moves with the smallest size:
/// a bias that goes with the [`slope`] moves by 1 - slope'/slope of itself, so the deviation is
/// divided by that. The mean deviation of each smallest size counts by its
/// lever, which its noise goes with, and by its quality.
///
/// What the data cannot exclude belongs to the error as well: where the deviation happens to be
/// small, its own noise, from the statistical error and the levers, stands for it.
fn from_sizes(reference: &Reference, rows: &[ScanRow], statistical: f64, deviation: impl Fn(&ScanRow) -> f64) -> f64 {
    let full = lever(&reference.sizes, reference.min_size);
    let (mut squares, mut levers) = (0.0, 0.0);
    for &size in reference.sizes.iter().filter(|&&size| size != reference.min_size) {
        let (mut weights, mut sum, mut best) = (0.0, 0.0, 0.0f64);
        for row in rows.iter().filter(|row| row.min_size == size && row.objective == reference.objective) {
            let share = (row.points as f64 / reference.points as f64).min(1.0);
            weights += row.weight;
            sum += row.weight * deviation(row);
            best = best.max(row.weight / share);
        }
        if weights > 0.0 {
            let moved = 1.0 - slope(&reference.sizes, size) / slope(&reference.sizes, reference.min_size);
            let lever = lever(&reference.sizes, size);
            let noise = statistical * (full / lever - 1.0).abs().sqrt();
            let extrapolated = (sum / weights).hypot(noise) / moved;
            squares += lever * best * extrapolated.powi(2);
            levers += lever;
        }
    }
    if levers > 0.0 { (squares / levers).sqrt() } else { 0.0 }
}

/// The systematic error of one parameter: smallest size, window, objective and other optima, in
/// quadrature. Different questions are not averaged with one another: a window that changes nothing
/// says nothing about the smallest size.
pub(super) fn systematic(
    reference: &Reference,
    rows: &[ScanRow],
    alternatives: &[Alternative],
    (value, statistical): (f64, f64),
    pick: fn(&ScanRow) -> f64,
    other: fn(&Alternative) -> f64,
) -> f64 {
    let own_sizes = || rows.iter().filter(|row| row.min_size == reference.min_size);
    let spread = |same: bool| {
        let rows = own_sizes().filter(|row| (row.objective == reference.objective) == same);
        weighted_deviation(rows.map(|row| (row.weight, pick(row) - value)))
    };
    let sizes = from_sizes(reference, rows, statistical, |row| pick(row) - value);
    let optima = weighted_deviation(alternatives.iter().map(|one| (one.weight, other(one) - value)));
    [spread(true), spread(false), sizes, optima].into_iter().fold(0.0, f64::hypot)
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
    fn a_bias_that_falls_as_the_slowest_correction_is_found_whole() {
        let reference =
            Reference { sizes: vec![8.0, 16.0, 32.0, 64.0], min_size: 16.0, points: 50, objective: Objective::Pooled };
        let at = |size: f64| 0.5 + 0.3 * slope(&reference.sizes, size);
        let rows: Vec<ScanRow> = [8.0, 16.0, 32.0].into_iter().map(|size| row(size, at(size), 1.0)).collect();
        let found = systematic(&reference, &rows, &[], (at(16.0), 0.0), |row| row.p_c, |other| other.p_c);
        assert!((found - (at(16.0) - 0.5).abs()).abs() < 1e-12, "{found}");
        // A row of no weight says nothing.
        let rows = [row(32.0, at(32.0), 0.0)];
        assert_eq!(systematic(&reference, &rows, &[], (at(16.0), 0.0), |row| row.p_c, |other| other.p_c), 0.0);
    }
}
