//! The order parameter m and what it is measured against.

/// m = (A - A_chance) / (A_dense - A_chance); `None` where the dense network is not above chance.
pub(super) fn order_parameter(accuracy: f64, chance: f64, dense: f64) -> Option<f64> {
    (dense > chance).then(|| (accuracy - chance) / (dense - chance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_when_dense_and_zero_at_chance() {
        assert_eq!(order_parameter(0.9, 0.1, 0.9), Some(1.0));
        assert_eq!(order_parameter(0.1, 0.1, 0.9), Some(0.0));
        assert_eq!(order_parameter(0.1, 0.1, 0.1), None);
    }
}
