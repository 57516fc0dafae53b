//! The chain of double edge swaps.

use super::RewireError;
use super::bits::BitMatrix;
use super::cells::{Cell, Cells, Slots, fetch_window};
use crate::seed::Stream;

/// A Markov chain on the 0-1 matrices with given row and column sums.
///
/// A proposal draws two edges (a, b) and (c, d) and turns them into (a, d) and (c, b) unless one of
/// these is there already, in which case the matrix stays as it is *and the proposal counts*:
/// counting accepted swaps alone would weigh each matrix by its number of possible swaps. The two
/// are drawn as [`Slots`] of a list; a swap and its reverse use the same two slots, so the chain is
/// symmetric and its law uniform whatever the probabilities of the slots. The same slot may be drawn
/// twice, which makes the chain aperiodic. A slot keeps its row, so that a window of the list is a
/// few rows of the matrix and stays in the caches with their bits.
///
/// Where more than half of the cells are set the chain moves the holes instead: the same moves
/// between the same matrices, but nearly every proposal finds room.
#[derive(Debug, Clone)]
pub(super) struct SwapChain {
    moved: Cells,
    slots: Slots,
    bits: BitMatrix,
    turned: bool,
}

impl SwapChain {
    /// A chain that starts at `start`; `layer` is only named in errors.
    pub(super) fn new(layer: &str, start: &BitMatrix) -> Result<Self, RewireError> {
        let (bits, turned) = start.sparser();
        let moved = Cells::of(layer, &bits)?;
        Ok(Self { moved, slots: Slots::new(bits.count()), bits, turned })
    }

    #[cfg(test)]
    pub(super) fn with_windows(start: &BitMatrix, window: usize) -> Self {
        let mut chain = Self::new("a", start).unwrap();
        chain.slots = Slots::with_windows(chain.bits.count(), window);
        chain
    }

    /// Makes `proposals` proposals; returns how many were accepted. O(`proposals`).
    pub(super) fn propose(&mut self, proposals: u64, stream: &mut Stream) -> u64 {
        match &mut self.moved {
            Cells::Narrow(cells) => propose(cells, &mut self.slots, &mut self.bits, proposals, stream),
            Cells::Wide(cells) => propose(cells, &mut self.slots, &mut self.bits, proposals, stream),
        }
    }

    /// The matrix that the chain is at.
    pub(super) fn state(&self) -> BitMatrix {
        if self.turned { self.bits.complement() } else { self.bits.clone() }
    }
}

fn propose<C: Cell>(
    cells: &mut [C],
    slots: &mut Slots,
    bits: &mut BitMatrix,
    proposals: u64,
    stream: &mut Stream,
) -> u64 {
    let mut state = (cells, bits);
    slots.pairs(
        proposals,
        stream,
        &mut state,
        |(cells, bits), slots| fetch_window(cells, &bits.words, bits.words_per_row, slots),
        |(cells, bits), first, second, _| swap((first, second), cells, bits),
    )
}

/// One proposal; whether it was accepted. Without branches: which way a proposal goes cannot be
/// foreseen, and a wrong guess costs as much as the proposal.
#[inline(always)]
fn swap<C: Cell>((first, second): (usize, usize), cells: &mut [C], bits: &mut BitMatrix) -> bool {
    let (one, other) = (cells[first], cells[second]);
    let (a, b, c, d) = (one.row(), one.column(), other.row(), other.column());
    let (a_row, c_row) = (a * bits.words_per_row, c * bits.words_per_row);
    let (b_word, d_word) = (b >> 6, d >> 6);
    let (b_bit, d_bit) = (1 << (b & 63), 1 << (d & 63));
    let words = bits.words.as_mut_slice();
    // Where a = c or b = d the new edges are the old ones, so these two tests say it all.
    let taken = (words[a_row + d_word] & d_bit) | (words[c_row + b_word] & b_bit);
    let accepted = taken == 0;
    // All ones where it is accepted.
    let all = u64::from(accepted).wrapping_neg();
    words[a_row + b_word] ^= b_bit & all;
    words[c_row + d_word] ^= d_bit & all;
    words[a_row + d_word] ^= d_bit & all;
    words[c_row + b_word] ^= b_bit & all;
    cells[first] = if accepted { C::new(a, d) } else { one };
    cells[second] = if accepted { C::new(c, b) } else { other };
    accepted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rewire::cells::cells_of;
    use crate::seed::Seeds;

    #[test]
    fn the_list_and_the_matrix_stay_the_same_graph() {
        let mut stream = Seeds::new(0, 0).stream("test");
        for (rows, columns, one_in) in [(20, 70, 4), (8, 70_000, 50), (70_000, 3, 5), (30, 30, 1), (5, 9, 100)] {
            let mut start = BitMatrix::empty(rows, columns);
            for row in 0..rows {
                for column in 0..columns {
                    if stream.below(one_in) == 0 {
                        start.insert(row, column);
                    }
                }
            }
            let mut chain = SwapChain::new("a", &start).unwrap();
            assert_eq!(chain.state(), start);
            chain.propose(50_000, &mut stream);
            let end = chain.state();
            assert_eq!(end.row_sums(), start.row_sums());
            assert_eq!(end.column_sums(), start.column_sums());
            let mut listed = BitMatrix::empty(rows, columns);
            let pairs: Vec<(usize, usize)> = match &chain.moved {
                Cells::Narrow(cells) => cells.iter().map(|cell| (cell.row(), cell.column())).collect(),
                Cells::Wide(cells) => cells.iter().map(|cell| (cell.row(), cell.column())).collect(),
            };
            for (row, column) in pairs {
                assert!(listed.insert(row, column), "an edge is listed twice");
            }
            assert_eq!(listed, chain.bits);
        }
    }

    #[test]
    fn wide_cells_make_the_same_chain_as_narrow_ones() {
        let mut start = BitMatrix::empty(30, 40);
        let mut stream = Seeds::new(1, 0).stream("test");
        for _ in 0..300 {
            start.insert(stream.below(30) as usize, stream.below(40) as usize);
        }
        let (mut narrow, mut wide) = (start.clone(), start.clone());
        let accepted = (
            propose(
                &mut cells_of::<u32>(&start),
                &mut Slots::new(start.count()),
                &mut narrow,
                10_000,
                &mut stream.clone(),
            ),
            propose(
                &mut cells_of::<u64>(&start),
                &mut Slots::new(start.count()),
                &mut wide,
                10_000,
                &mut stream.clone(),
            ),
        );
        assert_eq!(accepted.0, accepted.1);
        assert_eq!(narrow, wide);
        assert_ne!(narrow, start);
    }
}
