//! Exact sampling without a chain.

use super::bits::BitMatrix;
use crate::seed::Stream;

/// Draws `count` of 0..`from` uniformly without replacement (Floyd's algorithm: Bentley and Floyd,
/// Commun. ACM 30, 754 (1987), doi:10.1145/30401.315746), in O(`count`). `insert` takes a number
/// and says whether it was not taken before.
pub(super) fn choose(stream: &mut Stream, from: usize, count: usize, mut insert: impl FnMut(usize) -> bool) {
    debug_assert!(count <= from, "{count} of {from}");
    for last in from - count..from {
        let drawn = stream.below(last as u64 + 1) as usize;
        if !insert(drawn) {
            insert(last);
        }
    }
}

/// As many cells as `like`, anywhere.
pub(super) fn same_count(like: &BitMatrix, stream: &mut Stream) -> BitMatrix {
    let mut drawn = BitMatrix::empty(like.rows, like.columns);
    choose(stream, like.cells(), like.count(), |cell| drawn.insert(cell / like.columns, cell % like.columns));
    drawn
}

/// As many cells in each row as in `like`.
pub(super) fn same_rows(like: &BitMatrix, stream: &mut Stream) -> BitMatrix {
    let mut drawn = BitMatrix::empty(like.rows, like.columns);
    for (row, count) in like.row_sums().into_iter().enumerate() {
        choose(stream, like.columns, count, |column| drawn.insert(row, column));
    }
    drawn
}

/// As many cells in each column as in `like`.
pub(super) fn same_columns(like: &BitMatrix, stream: &mut Stream) -> BitMatrix {
    let mut drawn = BitMatrix::empty(like.rows, like.columns);
    for (column, count) in like.column_sums().into_iter().enumerate() {
        choose(stream, like.rows, count, |row| drawn.insert(row, column));
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seeds;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn every_subset_is_as_likely() {
        let mut stream = Seeds::new(1, 0).stream("test");
        for (from, count, subsets) in [(5usize, 2usize, 10u32), (6, 4, 15), (4, 4, 1), (3, 0, 1)] {
            let mut counts = BTreeMap::new();
            for _ in 0..subsets * 2_000 {
                let mut drawn = BTreeSet::new();
                choose(&mut stream, from, count, |number| drawn.insert(number));
                assert_eq!(drawn.len(), count);
                *counts.entry(drawn).or_insert(0u32) += 1;
            }
            assert_eq!(counts.len(), subsets as usize);
            let chi_square: f64 = counts.values().map(|&n| (f64::from(n) - 2e3).powi(2) / 2e3).sum();
            // 99.99 % point of chi-square with 14 degrees of freedom.
            assert!(chi_square < 43.0, "{count} of {from}: {chi_square}");
        }
    }
}
