//! A uniformly random subset of given size.

use crate::seed::Stream;

/// `count` different numbers below `of`, ascending, every set of that size equally likely.
/// O(count log count), whatever `of` is.
///
/// Numbers are drawn, repeats dropped, and as many drawn again as are missing. The procedure treats
/// all numbers alike, so that all sets of its final size are equally likely. Beyond half of all
/// numbers those left out are drawn instead.
///
/// # Panics
/// Where `count` exceeds `of`.
pub(super) fn distinct(count: u64, of: u64, stream: &mut Stream) -> Vec<u64> {
    assert!(count <= of, "{count} different numbers below {of}");
    if count > of / 2 {
        let mut absent = distinct(of - count, of, stream).into_iter().peekable();
        return (0..of).filter(|number| absent.next_if_eq(number).is_none()).collect();
    }
    let count = count as usize;
    let mut numbers = Vec::with_capacity(count);
    while numbers.len() < count {
        numbers.extend((numbers.len()..count).map(|_| stream.below(of)));
        numbers.sort_unstable();
        numbers.dedup();
    }
    numbers
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::seed::Seeds;

    #[test]
    fn every_subset_is_equally_likely() {
        let mut stream = Seeds::new(1, 0).stream("test");
        // 3 of 6 and 4 of 6, where the complement is drawn: 20 and 15 subsets.
        for (count, of, subsets) in [(3, 6, 20), (4, 6, 15), (2, 7, 21)] {
            let mut counts = BTreeMap::new();
            let draws = 1000 * subsets;
            for _ in 0..draws {
                let numbers = distinct(count, of, &mut stream);
                assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]) && numbers.iter().all(|&n| n < of));
                *counts.entry(numbers).or_insert(0u32) += 1;
            }
            assert_eq!(counts.len(), subsets);
            let chi_square: f64 = counts.values().map(|&n| (f64::from(n) - 1e3).powi(2) / 1e3).sum();
            // 99.99 % point of chi-square with 20 degrees of freedom.
            assert!(chi_square < 54.0, "{count} of {of}: {chi_square}");
        }
    }

    #[test]
    fn all_and_none_and_few_of_many() {
        let mut stream = Seeds::new(2, 0).stream("test");
        assert_eq!(distinct(0, 0, &mut stream), [0u64; 0]);
        assert_eq!(distinct(5, 5, &mut stream), [0, 1, 2, 3, 4]);
        assert_eq!(distinct(1000, 1 << 50, &mut stream).len(), 1000);
    }
}
