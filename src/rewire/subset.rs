//! Uniformly random subsets of a given size, as bits.

use super::deposit::Deposit;
use crate::seed::Stream;

/// Makes the lowest `from` bits of `words` a uniformly random subset of `size` of them; bits beyond are
/// 0 up to the end of their word. `words` must hold `from` bits and `size` be at most `from`.
///
/// Every bit is first set by a coin of its own, all coins alike; then bits drawn uniformly from those
/// set are cleared, or from those not set are set, until there are `size`. *Exactly* uniform, whatever the
/// coin: renumbering the bits changes the probability of no step, so all subsets that some renumbering turns
/// into each other are as likely, and that is all of the size `size`. The coin has a probability near
/// `size / from` with few binary digits, so that about sqrt(`from`) bits are left to correct and the cost is
/// O(`from` / 64 log `from` + sqrt(`from`)).
#[inline(always)]
pub(super) fn draw_subset<D: Deposit>(words: &mut [u64], from: usize, size: usize, stream: &mut Stream) {
    if from <= 64 {
        words[0] = draw_short::<D>(from as u32, size as u32, stream);
        return;
    }
    // The smaller of the two sides is drawn.
    let few = size.min(from - size);
    let coin = Coin::near(few, from);
    let words = &mut words[..from.div_ceil(64)];
    let (mut count, mut left) = (0, from);
    for word in words.iter_mut() {
        *word = coin.toss(stream) & lowest(left.min(64));
        left = left.saturating_sub(64);
        count += word.count_ones() as usize;
    }
    while count != few {
        // A bit of the right kind by rejection: at least about half of the draws hit where bits are missing.
        let drawn = stream.below(from as u64) as usize;
        let (word, bit) = (&mut words[drawn >> 6], 1 << (drawn & 63));
        if (*word & bit == 0) == (count < few) {
            *word ^= bit;
            count = if count < few { count + 1 } else { count - 1 };
        }
    }
    if few != size {
        let mut left = from;
        for word in words.iter_mut() {
            *word = !*word & lowest(left.min(64));
            left = left.saturating_sub(64);
        }
    }
}

/// [`draw_subset`] of at most 64 bits.
///
/// Where a fair coin is near enough, of two independent tosses (or their complements) the one is taken that
/// needs fewer corrections. That looks at counts alone, so renumbering the bits still changes nothing.
#[inline(always)]
pub(super) fn draw_short<D: Deposit>(from: u32, size: u32, stream: &mut Stream) -> u64 {
    let all = lowest(from as usize);
    // Twice how far a number of bits is above one half.
    let wanted = 2 * size as i32 - from as i32;
    let mut chosen = if (wanted * wanted) as u32 <= 4 * from {
        let word = stream.next_u64();
        let other = if from <= 32 { word >> 32 } else { stream.next_u64() };
        let [(one, one_above), (other, other_above)] = [word, other].map(|toss| {
            let toss = toss & all;
            let above = 2 * toss.count_ones() as i32 - from as i32;
            // On the side of `size`.
            let turn = (above ^ wanted) >> 31;
            (toss ^ (all & turn as i64 as u64), (above ^ turn) - turn)
        });
        if (one_above - wanted).abs() <= (other_above - wanted).abs() { one } else { other }
    } else {
        let few = size.min(from - size);
        let chosen = Coin::near(few as usize, from as usize).toss(stream) & all;
        if few == size { chosen } else { all ^ chosen }
    };
    // Once without a question, whose answer a processor does not foresee.
    chosen = corrected::<D>(chosen, all, from, size, stream);
    while chosen.count_ones() != size {
        chosen = corrected::<D>(chosen, all, from, size, stream);
    }
    chosen
}

/// `chosen` with one bit more or fewer, so that it is nearer to `size`, or as it was.
#[inline(always)]
fn corrected<D: Deposit>(chosen: u64, all: u64, from: u32, size: u32, stream: &mut Stream) -> u64 {
    let count = chosen.count_ones();
    let (candidates, number) = if count < size { (all ^ chosen, from - count) } else { (chosen, count) };
    let bit = D::deposit(1 << stream.below(u64::from(number.max(1))), candidates);
    if count == size { chosen } else { chosen ^ bit }
}

/// The lowest `count` bits, at most 64.
#[inline(always)]
fn lowest(count: usize) -> u64 {
    if count == 64 { u64::MAX } else { (1 << count) - 1 }
}

/// A coin that falls on 1 with probability `numerator` / 2^`digits`.
#[derive(Debug, Clone, Copy)]
struct Coin {
    numerator: u64,
    digits: u32,
}

impl Coin {
    /// Near `few` / `from`, at most 1/2: fair where that leaves no more to correct than chance does, else
    /// not above it, since missing bits are drawn faster than surplus ones.
    #[inline(always)]
    fn near(few: usize, from: usize) -> Self {
        let gap = from - 2 * few;
        if gap * gap <= 4 * from {
            return Self { numerator: 1, digits: 1 };
        }
        let digits = (usize::BITS - from.leading_zeros()).div_ceil(2);
        Self { numerator: ((few << digits) / from) as u64, digits }
    }

    /// 64 coins at once: from the last digit of the probability to the first, a one halves the distance to
    /// 1, a zero that to 0.
    #[inline(always)]
    fn toss(self, stream: &mut Stream) -> u64 {
        if self.digits == 1 {
            return stream.next_u64();
        }
        (0..self.digits).skip_while(|digit| self.numerator >> digit & 1 == 0).fold(0, |word, digit| {
            let random = stream.next_u64();
            if self.numerator >> digit & 1 == 1 { word | random } else { word & random }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use statrs::distribution::{ChiSquared, ContinuousCDF};

    use super::*;
    use crate::rewire::deposit::{Portable, Work, run};
    use crate::seed::Seeds;

    struct Draws<'a> {
        from: usize,
        size: usize,
        stream: &'a mut Stream,
    }

    impl Work for Draws<'_> {
        type Output = Vec<u64>;

        fn on<D: Deposit>(self) -> Vec<u64> {
            let mut words = vec![0; self.from.div_ceil(64)];
            draw_subset::<D>(&mut words, self.from, self.size, self.stream);
            words
        }
    }

    #[test]
    fn every_subset_is_as_likely() {
        let mut stream = Seeds::new(1, 0).stream("test");
        for (from, size, subsets) in
            [(6, 3, 20), (7, 2, 21), (8, 7, 8), (9, 1, 9), (10, 4, 210), (12, 6, 924), (5, 5, 1), (4, 0, 1)]
        {
            let mut counts = BTreeMap::new();
            let draws = subsets * 2000;
            for _ in 0..draws {
                *counts.entry(run(Draws { from, size, stream: &mut stream })[0]).or_insert(0u32) += 1;
            }
            assert_eq!(counts.len(), subsets);
            assert!(counts.keys().all(|word| word.count_ones() as usize == size && word >> from == 0));
            let chi_square: f64 = counts.values().map(|&n| (f64::from(n) - 2e3).powi(2) / 2e3).sum();
            let most = ChiSquared::new((subsets as f64 - 1.0).max(1.0)).unwrap().inverse_cdf(1.0 - 1e-4);
            assert!(chi_square < most, "{size} of {from}: {chi_square}");
        }
    }

    #[test]
    fn every_pair_of_bits_of_a_long_subset_is_as_likely() {
        let mut stream = Seeds::new(2, 0).stream("test");
        for (from, size) in [(65, 33), (70, 3), (130, 100), (64, 20), (200, 199), (20, 9), (33, 15), (40, 20), (64, 31)]
        {
            let draws = 20_000;
            let mut pairs = vec![0u32; from * from];
            for _ in 0..draws {
                let words = run(Draws { from, size, stream: &mut stream });
                let set: Vec<usize> = (0..from).filter(|bit| words[bit >> 6] >> (bit & 63) & 1 == 1).collect();
                assert_eq!(set.len(), size);
                assert_eq!(words.iter().map(|word| word.count_ones()).sum::<u32>() as usize, size);
                for &a in &set {
                    set.iter().for_each(|&b| pairs[a * from + b] += 1);
                }
            }
            let share = size as f64 / from as f64;
            let both = share * (size as f64 - 1.0) / (from as f64 - 1.0);
            for (pair, &count) in pairs.iter().enumerate() {
                let p = if pair / from == pair % from { share } else { both };
                let (mean, deviation) = (draws as f64 * p, (draws as f64 * p * (1.0 - p)).sqrt());
                assert!((f64::from(count) - mean).abs() <= 5.5 * deviation + 1.0, "{size} of {from}: {count}, {mean}");
            }
        }
    }

    #[test]
    fn every_processor_draws_the_same() {
        let mut one = Seeds::new(3, 0).stream("test");
        let mut other = one.clone();
        for (from, size) in [(1, 0), (1, 1), (20, 7), (63, 31), (64, 64), (65, 1), (500, 250), (500, 30)] {
            let here = run(Draws { from, size, stream: &mut one });
            assert_eq!(here, Draws { from, size, stream: &mut other }.on::<Portable>());
        }
        assert_eq!(one, other);
    }
}
