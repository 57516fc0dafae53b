//! Curves from rows of pruned levels.

use std::collections::BTreeSet;

use super::ScalingError;
use super::curves::{Curves, Row};

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
        let mut seen = BTreeSet::new();
        let first = |row: &Row| {
            row.replicate.is_none() || seen.insert((row.size.to_bits(), row.control.to_bits(), row.replicate.clone()))
        };
        Self::from_rows(rows.into_iter().filter(first))
    }
}
