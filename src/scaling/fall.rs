//! Where a curve falls through a value.

/// The control at which a curve, read from its largest control on, first falls from `level` or above to below
/// it: between two points on a line in ln control. `None` where it does not. Points are (control, value), controls
/// positive and falling; a rise after the fall does not count. O(points).
///
/// ```
/// use prunephase::scaling::first_fall;
/// let curve = [(1.0, 1.0), (0.1, 0.75), (0.01, 0.25), (0.001, 0.0)];
/// let half = first_fall(&curve, 0.5).ok_or("no fall")?;
/// assert!((half - 10f64.powf(-1.5)).abs() < 1e-12);
/// assert_eq!(first_fall(&curve[..2], 0.5), None);
/// # Ok::<(), &str>(())
/// ```
pub fn first_fall(curve: &[(f64, f64)], level: f64) -> Option<f64> {
    curve.windows(2).find(|pair| pair[0].1 >= level && pair[1].1 < level).map(|pair| {
        let ((high, above), (low, below)) = (pair[0], pair[1]);
        let share = (above - level) / (above - below);
        (high.ln() + share * (low.ln() - high.ln())).exp()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fall_that_ends_on_the_level_is_not_one() {
        let curve = [(1.0, 1.0), (0.5, 0.5), (0.25, 0.5), (0.125, 0.0)];
        assert_eq!(first_fall(&curve, 0.5), Some(0.25));
        assert_eq!(first_fall(&curve[..3], 0.5), None);
    }

    #[test]
    fn of_two_falls_the_first_counts() {
        let curve = [(8.0, 1.0), (4.0, 0.0), (2.0, 1.0), (1.0, 0.0)];
        assert!((first_fall(&curve, 0.5).unwrap() - 32f64.sqrt()).abs() < 1e-12);
        assert_eq!(first_fall(&curve, -1.0), None);
        assert_eq!(first_fall(&[], 0.5), None);
    }
}
