//! A parameter with its errors.

use serde::{Deserialize, Serialize};
use statrs::function::erf::erfc;

/// The normal quantiles of the two intervals.
const Z68: f64 = 1.0;
const Z95: f64 = 1.959_963_984_540_054;

/// A parameter with its errors.
///
/// `statistical` is the standard deviation over resamples, and `systematic` what other choices add to
/// it; the intervals hold both.
///
/// Where `systematic` is the weighted deviation over a scan, each half-width is the square root of the
/// sum of squares of the statistical part and of z times the systematic error (z = 1 and 1.96). Where
/// the result is an average over choices (a collapse), the intervals reach to the 16 and 84 %, and the
/// 2.5 and 97.5 % quantiles of a mixture of normal laws, one a choice, where these lie beyond the
/// statistical part; `systematic` is then what makes the statistical error half the width of the 68 %
/// interval, in quadrature, and each side of the 95 % interval is at least 1.96 times that of the
/// 68 % one. The statistical part is the larger of z times the standard deviation and of the distance
/// of the resamples' quantile from the value, so that skewed resamples and resamples that lie beside
/// the value widen their side and never narrow the other.
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
        let deviation = standard_deviation(resamples);
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

    /// From the value at the optimum, the values over resamples, and the average over choices: a
    /// mixture of normal laws (weight, value, error), of any total weight.
    pub(crate) fn averaged(value: f64, resamples: &[f64], inflation: f64, choices: &[(f64, f64, f64)]) -> Self {
        Self::new(value, resamples, inflation, 0.0).combined(choices)
    }

    /// As [`Estimate::averaged`], with a normal statistical error.
    pub(crate) fn of_laws(value: f64, statistical: f64, choices: &[(f64, f64, f64)]) -> Self {
        let interval = |z: f64| [value - z * statistical, value + z * statistical];
        let (interval68, interval95) = (interval(Z68), interval(Z95));
        Self { value, statistical, systematic: 0.0, interval68, interval95 }.combined(choices)
    }

    /// Widens the statistical intervals to those of the average; the systematic error is what
    /// makes the statistical one half the width of the 68 % interval, in quadrature.
    fn combined(self, choices: &[(f64, f64, f64)]) -> Self {
        let interval = |[low, high]: [f64; 2], tail: f64| {
            [
                mixture_quantile(choices, tail).map_or(low, |end| end.min(low)),
                mixture_quantile(choices, 1.0 - tail).map_or(high, |end| end.max(high)),
            ]
        };
        let interval68 = interval(self.interval68, 0.158_655);
        let half = 0.5 * (interval68[1] - interval68[0]);
        let systematic = (half * half - self.statistical * self.statistical).max(0.0).sqrt();
        let [low, high] = interval(self.interval95, 0.025);
        // The average has the tails of the few choices that were tried: a normal law's at least.
        let side = |end: f64| self.value + Z95 * (end - self.value);
        let interval95 = [low.min(side(interval68[0])), high.max(side(interval68[1]))];
        Self { systematic, interval68, interval95, ..self }
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

/// The `share` quantile of a mixture of normal laws (weight, value, error); `None` without weight.
pub(crate) fn mixture_quantile(laws: &[(f64, f64, f64)], share: f64) -> Option<f64> {
    let laws: Vec<_> = laws.iter().filter(|law| law.0 > 0.0).collect();
    let total: f64 = laws.iter().map(|law| law.0).sum();
    let mut low = laws.iter().map(|law| law.1 - 9.0 * law.2).reduce(f64::min)?;
    let mut high = laws.iter().map(|law| law.1 + 9.0 * law.2).reduce(f64::max)?;
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        let below: f64 = laws
            .iter()
            .map(|&&(weight, value, error)| {
                let z = (middle - value) / error.max(1e-300);
                weight * 0.5 * erfc(-z / std::f64::consts::SQRT_2)
            })
            .sum();
        if below < share * total {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(0.5 * (low + high))
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
    fn mixtures_have_their_quantiles_and_widen_the_side_where_they_lie() {
        let normal = [(2.0, 1.0, 0.5)];
        assert!((mixture_quantile(&normal, 0.158_655).unwrap() - 0.5).abs() < 1e-5);
        assert!((mixture_quantile(&[(1.0, 0.0, 1.0), (1.0, 10.0, 1.0)], 0.5).unwrap() - 5.0).abs() < 1e-6);
        assert_eq!(mixture_quantile(&[(0.0, 1.0, 1.0)], 0.5), None);
        // The other choice lies above: that side reaches it, the other is the statistical one.
        let estimate = Estimate::of_laws(0.0, 1.0, &[(0.5, 0.0, 1.0), (0.5, 4.0, 1.0)]);
        assert_eq!(estimate.interval68[0], -1.0);
        let below: f64 =
            [0.0, 4.0].map(|value| 0.5 * erfc((value - estimate.interval68[1]) / 2f64.sqrt())).iter().sum();
        assert!((0.5 * below - 0.841_345).abs() < 1e-5, "{estimate:?}");
        assert!((2.0 * estimate.total() - (estimate.interval68[1] + 1.0)).abs() < 1e-9);
        assert!(estimate.interval95[1] >= Z95 * estimate.interval68[1]);
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
