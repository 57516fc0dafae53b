//! The moments and the inequality of a list of numbers, one a node.

use super::Measurements;

/// Moments, extremes and Gini coefficient of values that are not negative (degrees, strengths).
///
/// ```
/// use prunephase::topology::Summary;
/// let summary = Summary::of([0.0, 0.0, 0.0, 4.0]).ok_or("no values")?;
/// assert_eq!((summary.mean, summary.second_moment, summary.variance), (1.0, 4.0, 3.0));
/// assert_eq!(summary.gini, Some(0.75));
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// The number of values n.
    pub count: usize,
    /// (sum of x) / n.
    pub mean: f64,
    /// (sum of x^2) / n.
    pub second_moment: f64,
    /// (sum of (x - mean)^2) / n: of the population, not of a sample.
    pub variance: f64,
    /// The largest value.
    pub max: f64,
    /// The smallest value.
    pub min: f64,
    /// sum over i of (2 i - n - 1) x_i / (n sum of x), the values ascending and i from 1: 0 where
    /// all are equal, 1 - 1/n where one has everything. `None` where the sum is 0.
    pub gini: Option<f64>,
}

impl Summary {
    /// The summary of `values`, none of them negative or NaN; `None` where there are none.
    /// O(n log n).
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let count = values.len();
        let n = count as f64;
        let sum: f64 = values.iter().sum();
        let mean = sum / n;
        let second_moment = values.iter().map(|x| x * x).sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let lorenz: f64 = values.iter().enumerate().map(|(index, x)| (2.0 * index as f64 + 1.0 - n) * x).sum();
        let gini = (sum > 0.0).then(|| lorenz / (n * sum));
        Some(Self { count, mean, second_moment, variance, max, min, gini })
    }

    /// Adds `PREFIX_mean` and so on.
    pub(super) fn push(&self, out: &mut Measurements, layer: &str, prefix: &str) {
        out.push(layer, format!("{prefix}_mean"), self.mean);
        out.push(layer, format!("{prefix}_second_moment"), self.second_moment);
        out.push(layer, format!("{prefix}_variance"), self.variance);
        out.push(layer, format!("{prefix}_max"), self.max);
        out.push(layer, format!("{prefix}_min"), self.min);
        out.push_some(layer, format!("{prefix}_gini"), self.gini);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn extremes_of_inequality() {
        let equal = Summary::of([3.0; 5]).unwrap();
        assert_eq!((equal.gini, equal.variance, equal.min, equal.max), (Some(0.0), 0.0, 3.0, 3.0));
        assert_eq!(Summary::of([0.0, 0.0]).unwrap().gini, None);
        assert_eq!(Summary::of([]), None);
    }

    proptest! {
        /// Gini's first definition: half the mean absolute difference over the mean.
        #[test]
        fn gini_is_half_the_relative_mean_difference(values in prop::collection::vec(0u8..9, 1..12)) {
            let n = values.len() as f64;
            let values: Vec<f64> = values.iter().map(|&value| f64::from(value)).collect();
            let summary = Summary::of(values.iter().copied()).unwrap();
            let difference: f64 = values.iter().flat_map(|a| values.iter().map(move |b| (a - b).abs())).sum();
            match summary.gini {
                Some(gini) => prop_assert!((gini - difference / (2.0 * n * n * summary.mean)).abs() < 1e-12),
                None => prop_assert!(values.iter().all(|&value| value == 0.0)),
            }
            prop_assert!((summary.variance - (summary.second_moment - summary.mean * summary.mean)).abs() < 1e-9);
        }
    }
}
