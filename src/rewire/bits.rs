//! A layer's mask as a matrix of bits.

use ndarray::{ArrayD, IxDyn};

use super::RewireError;
use crate::mask::LayerMask;

/// Rows are outputs, columns inputs or taps; one bit a cell, each row in whole words, the bits
/// beyond the last column 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BitMatrix {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) words_per_row: usize,
    pub(super) words: Vec<u64>,
}

impl BitMatrix {
    pub(super) fn empty(rows: usize, columns: usize) -> Self {
        let words_per_row = columns.div_ceil(64);
        Self { rows, columns, words_per_row, words: vec![0; rows * words_per_row] }
    }

    pub(super) fn of_layer(layer: &LayerMask) -> Result<Self, RewireError> {
        let shape = layer.kept.shape();
        let Some((&rows, inputs)) = shape.split_first() else {
            return Err(RewireError::NoShape { layer: layer.name.clone() });
        };
        let columns = inputs.iter().product();
        let mut bits = Self::empty(rows, columns);
        if let Some(cells) = layer.kept.as_slice() {
            for (row, cells) in bits.words.chunks_exact_mut(bits.words_per_row.max(1)).zip(cells.chunks(columns.max(1)))
            {
                for (word, cells) in row.iter_mut().zip(cells.chunks(64)) {
                    *word = packed(cells);
                }
            }
            return Ok(bits);
        }
        // In the order of the flat index, whatever the layout in memory.
        let mut cells = layer.kept.iter();
        for row in bits.words.chunks_exact_mut(bits.words_per_row.max(1)) {
            for (column, &kept) in cells.by_ref().take(columns).enumerate() {
                row[column >> 6] |= u64::from(kept) << (column & 63);
            }
        }
        Ok(bits)
    }

    /// The mask of a layer with the name and shape of `like`, which has as many cells.
    pub(super) fn to_layer(&self, like: &LayerMask) -> LayerMask {
        let mut kept = ArrayD::from_elem(IxDyn(like.kept.shape()), false);
        // A new array is in the order of the flat index.
        let cells = kept.as_slice_mut().unwrap_or_default();
        for (row, cells) in
            self.words.chunks_exact(self.words_per_row.max(1)).zip(cells.chunks_mut(self.columns.max(1)))
        {
            for (word, cells) in row.iter().zip(cells.chunks_mut(64)) {
                let bytes = word.to_le_bytes();
                let (eights, rest) = cells.as_chunks_mut::<8>();
                for (byte, cells) in bytes.iter().zip(eights.iter_mut()) {
                    *cells = UNPACKED[*byte as usize];
                }
                // Fewer than eight, which the last byte that is in use begins with.
                let last = bytes.get(eights.len()).map_or([false; 8], |byte| UNPACKED[*byte as usize]);
                rest.iter_mut().zip(last).for_each(|(cell, kept)| *cell = kept);
            }
        }
        LayerMask { name: like.name.clone(), kept }
    }

    /// Word and bit of a cell.
    #[inline]
    pub(super) fn place(&self, row: usize, column: usize) -> (usize, u64) {
        (row * self.words_per_row + (column >> 6), 1 << (column & 63))
    }

    #[cfg(test)]
    pub(super) fn holds(&self, row: usize, column: usize) -> bool {
        let (word, bit) = self.place(row, column);
        self.words[word] & bit != 0
    }

    /// Sets a cell; whether it was not set before.
    pub(super) fn insert(&mut self, row: usize, column: usize) -> bool {
        let (word, bit) = self.place(row, column);
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        new
    }

    pub(super) fn cells(&self) -> usize {
        self.rows * self.columns
    }

    pub(super) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The cells set in both.
    pub(super) fn shared(&self, other: &Self) -> usize {
        self.words.iter().zip(&other.words).map(|(a, b)| (a & b).count_ones() as usize).sum()
    }

    /// The cells set in both whose signs are the same too: `negative` are the negative ones of each.
    pub(super) fn shared_with_signs(&self, negative: &Self, other: &Self, other_negative: &Self) -> usize {
        let signs = negative.words.iter().zip(&other_negative.words);
        let cells = self.words.iter().zip(&other.words);
        cells.zip(signs).map(|((a, b), (x, y))| (a & b & !(x ^ y)).count_ones() as usize).sum()
    }

    /// The cells set here but not in `other`.
    pub(super) fn without(&self, other: &Self) -> Self {
        Self { words: self.words.iter().zip(&other.words).map(|(a, b)| a & !b).collect(), ..*self }
    }

    /// The sum of `f` over the cells set.
    pub(super) fn sum_over(&self, f: impl Fn(usize, usize) -> f64) -> f64 {
        let mut sum = 0.0;
        self.for_each(|row, column| sum += f(row, column));
        sum
    }

    /// The matrix with every cell turned.
    pub(super) fn complement(&self) -> Self {
        let mut turned = Self { words: self.words.iter().map(|word| !word).collect(), ..*self };
        if !self.columns.is_multiple_of(64) {
            let used = (1 << (self.columns % 64)) - 1;
            for row in turned.words.chunks_exact_mut(self.words_per_row) {
                if let Some(last) = row.last_mut() {
                    *last &= used;
                }
            }
        }
        turned
    }

    /// The matrix, or its complement where more than half of the cells are set; and whether it is the
    /// complement.
    pub(super) fn sparser(&self) -> (Self, bool) {
        let turned = self.count() > self.cells() / 2;
        (if turned { self.complement() } else { self.clone() }, turned)
    }

    /// The columns set in each row, in ascending order.
    pub(super) fn rows_of_columns(&self) -> impl Iterator<Item = (usize, impl Iterator<Item = usize> + '_)> + '_ {
        (0..self.rows).map(|row| {
            let words = &self.words[row * self.words_per_row..][..self.words_per_row];
            let columns = words.iter().enumerate().flat_map(|(at, &word)| {
                let mut left = word;
                std::iter::from_fn(move || {
                    (left != 0).then(|| {
                        let bit = left.trailing_zeros() as usize;
                        left &= left - 1;
                        at * 64 + bit
                    })
                })
            });
            (row, columns)
        })
    }

    /// Calls `visit` with the row and column of every cell set, row by row.
    #[inline]
    pub(super) fn for_each(&self, mut visit: impl FnMut(usize, usize)) {
        for row in 0..self.rows {
            for (at, &word) in self.words[row * self.words_per_row..][..self.words_per_row].iter().enumerate() {
                let mut left = word;
                while left != 0 {
                    visit(row, at * 64 + left.trailing_zeros() as usize);
                    left &= left - 1;
                }
            }
        }
    }

    /// Row sums: in-degrees.
    pub(super) fn row_sums(&self) -> Vec<usize> {
        let row = |row: usize| &self.words[row * self.words_per_row..][..self.words_per_row];
        (0..self.rows).map(|at| row(at).iter().map(|word| word.count_ones() as usize).sum()).collect()
    }

    /// Column sums: out-degrees.
    pub(super) fn column_sums(&self) -> Vec<usize> {
        let mut sums = vec![0; self.columns];
        self.for_each(|_, column| sums[column] += 1);
        sums
    }
}

/// Up to 64 cells as the bits of a word.
fn packed(cells: &[bool]) -> u64 {
    let eights = cells.chunks_exact(8);
    let rest = eights.remainder().iter().rev().fold(0, |byte, &kept| byte << 1 | u64::from(kept));
    let count = eights.len();
    let word = eights.enumerate().fold(0, |word, (at, cells)| {
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(cells).for_each(|(byte, &kept)| *byte = u8::from(kept));
        // The product brings the lowest bit of byte k to bit 56 + k, and nothing else above.
        word | (u64::from_le_bytes(bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * at)
    });
    if count < 8 { word | rest << (8 * count) } else { word }
}

/// The eight cells of every byte.
static UNPACKED: [[bool; 8]; 256] = {
    let mut cells = [[false; 8]; 256];
    let mut at = 0;
    while at < 2048 {
        cells[at / 8][at % 8] = (at / 8) >> (at % 8) & 1 == 1;
        at += 1;
    }
    cells
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seeds;

    #[test]
    fn there_and_back_through_every_shape() {
        let mut stream = Seeds::new(0, 0).stream("test");
        for shape in [vec![3, 5], vec![4, 64], vec![2, 65], vec![4, 3, 5, 5], vec![1, 1], vec![0, 3], vec![3, 0]] {
            let kept = ArrayD::from_shape_simple_fn(IxDyn(&shape), || stream.below(3) == 0);
            let layer = LayerMask { name: "a".into(), kept };
            let bits = BitMatrix::of_layer(&layer).unwrap();
            assert_eq!(bits.to_layer(&layer), layer);
            assert_eq!(bits.count(), layer.kept_count());
            assert_eq!(bits.row_sums().iter().sum::<usize>(), bits.count());
            assert_eq!(bits.column_sums().iter().sum::<usize>(), bits.count());
            let turned = bits.complement();
            assert_eq!(turned.count(), bits.cells() - bits.count());
            assert_eq!(turned.shared(&bits), 0);
            assert_eq!(turned.complement(), bits);
        }
    }

    #[test]
    fn a_row_is_a_filter_and_a_column_a_tap() {
        let mut kept = ArrayD::from_elem(IxDyn(&[2, 3, 2, 2]), false);
        kept[[1, 2, 0, 1]] = true;
        let bits = BitMatrix::of_layer(&LayerMask { name: "conv".into(), kept }).unwrap();
        assert_eq!((bits.rows, bits.columns), (2, 12));
        assert!(bits.holds(1, 2 * 4 + 1));
        assert_eq!(bits.row_sums(), [0, 1]);
    }
}
