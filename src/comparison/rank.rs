//! Rank tests.

/// The probability that one of K + 1 exchangeable subnetworks ranks at least as far from the middle as
/// the original does among its K samples; `differences` are accuracy(sample) - accuracy(original). Ties
/// count for the original in the middle. At least 2 / (K + 1): a claim at 5 % needs 39 samples.
pub fn original_rank_p(differences: &[f64]) -> f64 {
    let below = differences.iter().filter(|difference| **difference <= 0.0).count();
    let above = differences.iter().filter(|difference| **difference >= 0.0).count();
    let rank = below.min(above) + 1;
    (2.0 * rank as f64 / (differences.len() + 1) as f64).min(1.0)
}

/// Two-sided p of Wilcoxon's signed-rank test that `differences` lie symmetrically about 0 (Biometrics
/// Bulletin 1, 80 (1945), doi:10.2307/3001968): exact over all signs, zeros left out, mean ranks for
/// ties. `None` where all differences are 0 or there are more than 1000. O(n^3).
pub fn signed_rank_p(differences: &[f64]) -> Option<f64> {
    let mut values: Vec<f64> = differences.iter().copied().filter(|value| *value != 0.0).collect();
    if values.is_empty() || values.len() > 1000 {
        return None;
    }
    values.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
    // Twice the mean ranks, which are whole numbers.
    let mut ranks = Vec::with_capacity(values.len());
    let mut start = 0;
    while start < values.len() {
        let tied = values[start..].iter().take_while(|value| value.abs() == values[start].abs()).count();
        ranks.extend(std::iter::repeat_n(2 * start + tied + 1, tied));
        start += tied;
    }
    let total: usize = ranks.iter().sum();
    let positive: usize = values.iter().zip(&ranks).filter(|(value, _)| **value > 0.0).map(|(_, rank)| rank).sum();
    // The probability of each sum of positive ranks, over all signs.
    let mut probability = vec![0.0; total + 1];
    probability[0] = 1.0;
    let mut largest = 0;
    for &rank in &ranks {
        largest += rank;
        for sum in (0..=largest).rev() {
            let with = if sum >= rank { probability[sum - rank] } else { 0.0 };
            probability[sum] = 0.5 * (probability[sum] + with);
        }
    }
    let far = positive.min(total - positive);
    Some((2.0 * probability[..=far].iter().sum::<f64>()).min(1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranks_of_the_original() {
        assert_eq!(original_rank_p(&[-1.0; 5]), 2.0 / 6.0);
        assert_eq!(original_rank_p(&[1.0; 39]), 0.05);
        assert_eq!(original_rank_p(&[-1.0, -1.0, 1.0]), 1.0);
        assert_eq!(original_rank_p(&[0.0, 0.0]), 1.0);
    }

    #[test]
    fn known_values_of_the_signed_rank_test() {
        // Five of one sign: 2 / 32.
        assert_eq!(signed_rank_p(&[0.1, 0.2, 0.3, 0.4, 0.5]), Some(0.0625));
        // scipy.stats.wilcoxon([1, 2, -3, 4, 5, 6, 7, 8], method="exact"): 0.0390625.
        assert_eq!(signed_rank_p(&[1.0, 2.0, -3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), Some(0.0390625));
        assert_eq!(signed_rank_p(&[0.0, 0.0]), None);
    }

    proptest! {
        #[test]
        fn exact_over_all_signs(values in prop::collection::vec(-4i32..5, 1..9)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let nonzero: Vec<f64> = values.iter().copied().filter(|v| *v != 0.0).collect();
            prop_assume!(!nonzero.is_empty());
            let rank = |value: f64| {
                let below = nonzero.iter().filter(|other| other.abs() < value.abs()).count() as f64;
                let same = nonzero.iter().filter(|other| other.abs() == value.abs()).count() as f64;
                below + (same + 1.0) / 2.0
            };
            let sum = |signs: u32| -> f64 {
                nonzero.iter().enumerate().filter(|(i, _)| signs >> i & 1 == 1).map(|(_, v)| rank(*v)).sum()
            };
            let total: f64 = nonzero.iter().map(|v| rank(*v)).sum();
            let observed = nonzero.iter().enumerate().fold(0, |s, (i, v)| s | u32::from(*v > 0.0) << i);
            let far = sum(observed).min(total - sum(observed));
            let all = 1u32 << nonzero.len();
            let extreme = (0..all).filter(|signs| sum(*signs) <= far).count() as f64;
            let expected = (2.0 * extreme / f64::from(all)).min(1.0);
            prop_assert!((signed_rank_p(&values).unwrap() - expected).abs() < 1e-12);
        }
    }
}
