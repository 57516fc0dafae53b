//! Rows and columns of a matrix of bits exchanged.

use super::bits::BitMatrix;

impl BitMatrix {
    /// The same cells with `words_per_row` words for each row, no fewer than its columns need.
    pub(super) fn widened(&self, words_per_row: usize) -> Self {
        let mut words = vec![0; self.rows * words_per_row];
        let used = self.columns.div_ceil(64);
        if used > 0 {
            let rows = self.words.chunks_exact(self.words_per_row);
            for (wide, row) in words.chunks_exact_mut(words_per_row).zip(rows) {
                wide[..used].copy_from_slice(&row[..used]);
            }
        }
        Self { words, words_per_row, ..*self }
    }

    /// Rows as columns and columns as rows, with `words_per_row` words for each new row. In blocks of 64 x 64
    /// bits, O(cells / 10).
    pub(super) fn transposed(&self, words_per_row: usize) -> Self {
        let mut words = vec![0; self.columns * words_per_row];
        for first in (0..self.rows).step_by(64) {
            for at in 0..self.columns.div_ceil(64) {
                let mut block = [0; 64];
                for (row, word) in (first..self.rows).zip(&mut block) {
                    *word = self.words[row * self.words_per_row + at];
                }
                if block.iter().all(|&word| word == 0) {
                    continue;
                }
                transpose(&mut block);
                for (column, word) in (at * 64..self.columns).zip(block) {
                    words[column * words_per_row + first / 64] = word;
                }
            }
        }
        Self { rows: self.columns, columns: self.rows, words_per_row, words }
    }
}

/// Exchanges bit j of word i with bit i of word j, quarters first, then quarters of these.
fn transpose(block: &mut [u64; 64]) {
    let (mut width, mut mask) = (32, u64::from(u32::MAX));
    while width > 0 {
        let mut row = 0;
        while row < 64 {
            let turned = ((block[row] >> width) ^ block[row + width]) & mask;
            block[row] ^= turned << width;
            block[row + width] ^= turned;
            row = (row + width + 1) & !width;
        }
        width /= 2;
        mask ^= mask << width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seeds;

    #[test]
    fn cells_keep_their_places() {
        let mut stream = Seeds::new(0, 0).stream("test");
        for (rows, columns) in [(1, 1), (3, 130), (64, 64), (65, 1), (100, 200), (0, 5), (5, 0)] {
            let mut bits = BitMatrix::empty(rows, columns);
            for _ in 0..rows * columns / 3 {
                bits.insert(stream.below(rows as u64) as usize, stream.below(columns as u64) as usize);
            }
            let turned = bits.transposed(rows.div_ceil(64) + 3);
            assert_eq!((turned.rows, turned.columns, turned.count()), (columns, rows, bits.count()));
            bits.for_each(|row, column| assert!(turned.holds(column, row)));
            assert_eq!(turned.transposed(columns.div_ceil(64)), bits);
            assert_eq!(bits.widened(columns.div_ceil(64) + 2).widened(columns.div_ceil(64)), bits);
        }
    }
}
