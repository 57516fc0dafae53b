//! Curves from rows of pruned levels.

use std::collections::BTreeSet;

use super::ScalingError;
use super::curves::{Curves, Row};

/// Of several levels of one size and replicate that have one control (levels of a small network that keep as many
/// weights) the first, in the order given. Rows without a replicate all stay: nothing tells two of them apart.
/// O(rows log rows). [`Curves::of_levels`] makes curves of them at once.
///
/// ```
/// use prunephase::scaling::{Row, first_of_equal_controls};
/// let row = |control, value| Row { size: 8.0, control, value, error: None, replicate: Some("0".into()) };
/// let left: Vec<Row> = first_of_equal_controls([row(0.2, 1.0), row(0.1, 0.5), row(0.1, 0.3)]).collect();
/// assert_eq!(left, [row(0.2, 1.0), row(0.1, 0.5)]);
/// ```
pub fn first_of_equal_controls(rows: impl IntoIterator<Item = Row>) -> impl Iterator<Item = Row> {
    let mut seen = BTreeSet::new();
    rows.into_iter().filter(move |row| {
        row.replicate.is_none() || seen.insert((row.size.to_bits(), row.control.to_bits(), row.replicate.clone()))
    })
}

impl Curves {
    /// The curves of levels of pruning, in the order in which they were pruned: where several levels of a small
    /// network keep as many weights, the first one counts. Without replicates nothing tells two rows apart, and the
    /// same point twice is an error. O(rows log rows).
    ///
    /// # Errors
    /// As [`Curves::from_rows`].
    ///
    /// ```
    /// use prunephase::scaling::{Curves, Row};
    /// let row = |control, value| Row { size: 8.0, control, value, error: None, replicate: Some("0".into()) };
    /// let other = |control, value| Row { replicate: Some("1".into()), ..row(control, value) };
    /// let rows = [row(0.2, 1.0), row(0.1, 0.5), row(0.1, 0.3), other(0.2, 1.0), other(0.1, 0.7)];
    /// let curves = Curves::of_levels(rows)?;
    /// assert!((curves.curves()[0].points()[0].value - 0.6).abs() < 1e-12);
    /// # Ok::<(), prunephase::scaling::ScalingError>(())
    /// ```
    pub fn of_levels(rows: impl IntoIterator<Item = Row>) -> Result<Self, ScalingError> {
        Self::from_rows(first_of_equal_controls(rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A study of one replicate names it for this rule and takes the name away after it.
    #[test]
    fn the_first_level_counts_with_one_replicate_too() {
        let row = |control, value, replicate: Option<&str>| Row {
            size: 8.0,
            control,
            value,
            error: None,
            replicate: replicate.map(str::to_owned),
        };
        let levels = || [(0.2, 1.0), (0.1, 0.5), (0.1, 0.3)].map(|(control, value)| row(control, value, Some("0")));
        let left: Vec<f64> = first_of_equal_controls(levels()).map(|row| row.value).collect();
        assert_eq!(left, [1.0, 0.5]);
        let alone = first_of_equal_controls(levels()).map(|row| Row { replicate: None, ..row });
        assert_eq!(Curves::from_rows(alone).unwrap().curves()[0].points().len(), 2);
        // Without a name the same point twice stays, and is refused.
        assert!(Curves::of_levels([row(0.1, 0.5, None), row(0.1, 0.3, None)]).is_err());
    }
}
