//! A parameter with its errors.

use serde::{Deserialize, Serialize};

/// The normal quantiles of the two intervals.
const Z68: f64 = 1.0;
const Z95: f64 = 1.959_963_984_540_054;

/// A parameter with its errors.
///
/// `statistical` is the standard deviation over resamples, or their root mean square distance from the value;
/// `systematic` the weighted deviation over
/// a scan of choices. The intervals hold both: each half-width is the square root of the sum of
/// squares of the statistical part and of z times the systematic error (z = 1 and 1.96). The
/// statistical part is the larger of z times the standard deviation and of the distance of the
/// resamples' quantile (16 % and 84 %, 2.5 % and 97.5 %) from the value, so that skewed resamples
/// and resamples that lie beside the value widen their side and never narrow the other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value at the optimum.
    pub value: f64,
    /// The statistical error.
    pub statistical: f64,
    /// The systematic error.
    pub systematic: f64,
    /// 68 % interval, all errors combined.
    pub interval68: [f64; 2],
    /// 95 % interval, all errors combined.
    pub interval95: [f64; 2],
}

impl Estimate {
    /// From the value at the optimum, the values over resamples and the systematic error;
    /// `inflation` multiplies the statistical part.
    pub(crate) fn new(value: f64, resamples: &[f64], inflation: f64, systematic: f64) -> Self {
        Self::with(value, resamples, standard_deviation(resamples), inflation, systematic)
    }

    /// The same, with the resamples' root mean square distance from the value as the statistical error: an
    /// optimum that itself sits by chance in one of several dips lies beside the middle of its resamples.
    pub(crate) fn around(value: f64, resamples: &[f64], inflation: f64, systematic: f64) -> Self {
        Self::with(value, resamples, distance(value, resamples), inflation, systematic)
    }

    fn with(value: f64, resamples: &[f64], deviation: f64, inflation: f64, systematic: f64) -> Self {
        let interval = |z: f64, tail: f64| {
            let low = (value - quantile(resamples, tail).unwrap_or(value)).max(z * deviation) * inflation;
            let high = (quantile(resamples, 1.0 - tail).unwrap_or(value) - value).max(z * deviation) * inflation;
            [value - low.hypot(z * systematic), value + high.hypot(z * systematic)]
        };
        Self {
            value,
            statistical: deviation * inflation,
            systematic,
            interval68: interval(Z68, 0.158_655),
            interval95: interval(Z95, 0.025),
        }
    }

    /// From the value, its normal statistical error and the systematic error.
    pub(crate) fn normal(value: f64, statistical: f64, systematic: f64) -> Self {
        let total = statistical.hypot(systematic);
        let interval = |z: f64| [value - z * total, value + z * total];
        Self { value, statistical, systematic, interval68: interval(Z68), interval95: interval(Z95) }
    }

    /// The same with another systematic error, in place of one that is unknown.
    pub(crate) fn widened(self, systematic: f64) -> Self {
        let widen = |[low, high]: [f64; 2], z: f64| {
            let side = z * systematic;
            [self.value - (self.value - low).hypot(side), self.value + (high - self.value).hypot(side)]
        };
        Self {
            systematic: self.systematic.max(systematic),
            interval68: widen(self.interval68, Z68),
            interval95: widen(self.interval95, Z95),
            ..self
        }
    }

    /// Both errors combined.
    pub fn total(&self) -> f64 {
        self.statistical.hypot(self.systematic)
    }
}

/// The sample standard deviation; 0 for fewer than two numbers.
pub(crate) fn standard_deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
}

/// The root mean square distance from a value; 0 for no numbers.
pub(crate) fn distance(value: f64, values: &[f64]) -> f64 {
    let squares: f64 = values.iter().map(|other| (other - value).powi(2)).sum();
    (squares / values.len().max(1) as f64).sqrt()
}

/// The `share` quantile, linear between order statistics.
pub(crate) fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let position = share.clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    Some(sorted[below] + (position - below as f64) * (sorted[above] - sorted[below]))
}

/// The median.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The quality weight of another choice: 1 where it is as good as the reference or as noise allows
/// (S <= 1), else falling exponentially, exp(1 - S/max(1, S_reference)).
pub(crate) fn quality_weight(quality: f64, reference: f64) -> f64 {
    (1.0 - quality / reference.max(1.0)).exp().min(1.0)
}

/// The systematic error from the deviations of other choices from the value, with their weights:
/// the root of the sum of w d^2 over max(1, sum of w), so that poor choices alone weigh little.
pub(crate) fn weighted_deviation(deviations: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    let (mut weights, mut squares) = (0.0, 0.0);
    for (weight, deviation) in deviations {
        weights += weight;
        squares += weight * deviation * deviation;
    }
    (squares / f64::max(1.0, weights)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_deviations_by_hand() {
        assert_eq!(quantile(&[3.0, 1.0, 2.0], 0.5), Some(2.0));
        assert_eq!(quantile(&[3.0, 1.0, 2.0], 0.75), Some(2.5));
        assert_eq!(median(&[]), None);
        assert!((standard_deviation(&[1.0, 2.0, 3.0]) - 1.0).abs() < 1e-15);
        assert_eq!(standard_deviation(&[1.0]), 0.0);
        assert!((weighted_deviation([(1.0, 3.0), (1.0, 4.0)]) - 12.5f64.sqrt()).abs() < 1e-15);
        assert!((weighted_deviation([(0.01, 10.0)]) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn resamples_beside_the_value_count_by_their_distance() {
        let resamples = [1.0, 2.0, 3.0];
        let (own, around) = (Estimate::new(0.0, &resamples, 2.0, 0.0), Estimate::around(0.0, &resamples, 2.0, 0.0));
        assert!((own.statistical - 2.0).abs() < 1e-12);
        assert!((around.statistical - 2.0 * (14.0f64 / 3.0).sqrt()).abs() < 1e-12);
        assert!((around.interval68[0] + around.statistical).abs() < 1e-12);
    }

    #[test]
    fn intervals_hold_both_errors_and_only_widen() {
        let resamples: Vec<f64> = (0..1001).map(|n| f64::from(n) / 1000.0).collect();
        let estimate = Estimate::new(0.1, &resamples, 1.0, 0.0);
        let sd = standard_deviation(&resamples);
        // The cloud lies above the value: the upper side reaches its quantile, the lower one keeps sd.
        assert!((estimate.interval68[0] - (0.1 - sd)).abs() < 1e-12);
        assert!((estimate.interval68[1] - 0.841_345).abs() < 1e-3);
        let wider = Estimate::new(0.1, &resamples, 1.0, 3.0);
        assert!((wider.interval95[0] - (0.1 - (Z95 * sd).hypot(Z95 * 3.0))).abs() < 1e-12);
        assert!((wider.total() - sd.hypot(3.0)).abs() < 1e-12);
    }
}
