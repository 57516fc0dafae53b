//! A layer's mask and the signs of its kept weights as a matrix of two bits a cell.

use super::bits::BitMatrix;

/// A cell's value: nothing, + or -.
pub(super) type Code = u64;

/// A cell without an edge.
pub(super) const EMPTY: Code = 0;

/// A positive edge.
#[cfg(test)]
pub(super) const PLUS: Code = 1;

/// A negative edge.
#[cfg(test)]
pub(super) const MINUS: Code = 2;

/// Two bits a cell, each row in whole words, so that one read tells the edge and its sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CodeMatrix {
    pub(super) rows: usize,
    pub(super) columns: usize,
    words_per_row: usize,
    words: Vec<u64>,
}

impl CodeMatrix {
    /// `negative` is within `kept`.
    pub(super) fn new(kept: &BitMatrix, negative: &BitMatrix) -> Self {
        let words_per_row = kept.columns.div_ceil(32);
        let mut words = Vec::with_capacity(kept.rows * words_per_row);
        for (kept, negative) in kept
            .words
            .chunks_exact(kept.words_per_row.max(1))
            .zip(negative.words.chunks_exact(negative.words_per_row.max(1)))
        {
            for at in 0..words_per_row {
                let half = |word: u64| if at % 2 == 0 { word & 0xffff_ffff } else { word >> 32 };
                let (kept, negative) = (half(kept[at / 2]), half(negative[at / 2]));
                words.push(spread(kept & !negative) | spread(negative) << 1);
            }
        }
        Self { rows: kept.rows, columns: kept.columns, words_per_row, words }
    }

    /// The kept weights and those of them that are negative.
    pub(super) fn split(&self) -> (BitMatrix, BitMatrix) {
        let mut kept = BitMatrix::empty(self.rows, self.columns);
        let mut negative = kept.clone();
        let per_row = kept.words_per_row;
        for (row, words) in self.words.chunks_exact(self.words_per_row.max(1)).enumerate() {
            for (at, &word) in words.iter().enumerate() {
                let (place, shift) = (row * per_row + at / 2, 32 * (at % 2));
                negative.words[place] |= gather(word >> 1) << shift;
                kept.words[place] |= gather(word | word >> 1) << shift;
            }
        }
        (kept, negative)
    }

    #[inline]
    pub(super) fn get(&self, row: usize, column: usize) -> Code {
        self.words[row * self.words_per_row + (column >> 5)] >> (2 * (column & 31)) & 3
    }

    #[inline]
    pub(super) fn set(&mut self, row: usize, column: usize, code: Code) {
        let shift = 2 * (column & 31);
        let word = &mut self.words[row * self.words_per_row + (column >> 5)];
        *word = *word & !(3 << shift) | code << shift;
    }
}

/// Bit k of the lower half to bit 2 k.
fn spread(half: u64) -> u64 {
    let mut word = half & 0xffff_ffff;
    word = (word | word << 16) & 0x0000_ffff_0000_ffff;
    word = (word | word << 8) & 0x00ff_00ff_00ff_00ff;
    word = (word | word << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    word = (word | word << 2) & 0x3333_3333_3333_3333;
    (word | word << 1) & 0x5555_5555_5555_5555
}

/// Bit 2 k to bit k; odd bits do not matter.
fn gather(word: u64) -> u64 {
    let mut half = word & 0x5555_5555_5555_5555;
    half = (half | half >> 1) & 0x3333_3333_3333_3333;
    half = (half | half >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    half = (half | half >> 4) & 0x00ff_00ff_00ff_00ff;
    half = (half | half >> 8) & 0x0000_ffff_0000_ffff;
    (half | half >> 16) & 0xffff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seeds;

    #[test]
    fn there_and_back() {
        let mut stream = Seeds::new(0, 0).stream("test");
        for (rows, columns) in [(3, 5), (2, 32), (4, 33), (5, 64), (2, 65), (3, 97), (1, 130), (0, 4), (4, 0)] {
            let mut kept = BitMatrix::empty(rows, columns);
            let mut negative = kept.clone();
            for row in 0..rows {
                for column in 0..columns {
                    if stream.below(2) == 0 {
                        kept.insert(row, column);
                        if stream.below(3) == 0 {
                            negative.insert(row, column);
                        }
                    }
                }
            }
            let mut codes = CodeMatrix::new(&kept, &negative);
            for row in 0..rows {
                for column in 0..columns {
                    let expected = match (kept.holds(row, column), negative.holds(row, column)) {
                        (false, _) => EMPTY,
                        (true, false) => PLUS,
                        (true, true) => MINUS,
                    };
                    assert_eq!(codes.get(row, column), expected);
                }
            }
            assert_eq!(codes.split(), (kept.clone(), negative.clone()));
            if rows * columns > 0 {
                codes.set(rows - 1, columns - 1, MINUS);
                assert_eq!(codes.get(rows - 1, columns - 1), MINUS);
                codes.set(rows - 1, columns - 1, EMPTY);
                assert_eq!(codes.split().0.count(), kept.count() - usize::from(kept.holds(rows - 1, columns - 1)));
            }
        }
    }
}
