//! The chain of double edge swaps.

use super::RewireError;
use super::bits::BitMatrix;
use crate::seed::Stream;

/// Row and column of a cell in one integer.
trait Cell: Copy {
    fn new(row: usize, column: usize) -> Self;
    fn row(self) -> usize;
    fn column(self) -> usize;
}

impl Cell for u32 {
    #[inline]
    fn new(row: usize, column: usize) -> Self {
        (row as Self) << 16 | column as Self
    }

    #[inline]
    fn row(self) -> usize {
        (self >> 16) as usize
    }

    #[inline]
    fn column(self) -> usize {
        (self & 0xffff) as usize
    }
}

impl Cell for u64 {
    #[inline]
    fn new(row: usize, column: usize) -> Self {
        (row as Self) << 32 | column as Self
    }

    #[inline]
    fn row(self) -> usize {
        (self >> 32) as usize
    }

    #[inline]
    fn column(self) -> usize {
        (self & 0xffff_ffff) as usize
    }
}

/// The edges, packed as narrowly as the matrix allows.
#[derive(Debug, Clone)]
enum Cells {
    Narrow(Vec<u32>),
    Wide(Vec<u64>),
}

fn cells_of<C: Cell>(bits: &BitMatrix) -> Vec<C> {
    bits.rows_of_columns().flat_map(|(row, columns)| columns.map(move |column| C::new(row, column))).collect()
}

/// A Markov chain on the 0-1 matrices with given row and column sums.
///
/// A proposal draws two edges (a, b) and (c, d) and turns them into (a, d) and (c, b) unless one of
/// these is there already, in which case the matrix stays as it is *and the proposal counts*:
/// counting accepted swaps alone would weigh each matrix by its number of possible swaps. The two
/// are drawn as slots of a list; a swap and its reverse use the same two slots, so the chain is
/// symmetric and its law uniform whatever the probabilities of the slots, and the 32-bit
/// multiplication that draws them needs no correction. The same slot may be drawn twice, which
/// makes the chain aperiodic.
///
/// Where more than half of the cells are set the chain moves the holes instead: the same moves
/// between the same matrices, but nearly every proposal finds room.
#[derive(Debug, Clone)]
pub(super) struct SwapChain {
    moved: Cells,
    bits: BitMatrix,
    turned: bool,
}

impl SwapChain {
    /// A chain that starts at `start`; `layer` is only named in errors.
    pub(super) fn new(layer: &str, start: &BitMatrix) -> Result<Self, RewireError> {
        let turned = start.count() > start.cells() / 2;
        let bits = if turned { start.complement() } else { start.clone() };
        let most = u64::from(u32::MAX);
        let sizes = [("the number of rows", bits.rows), ("the number of columns", bits.columns)];
        for (what, found) in sizes.into_iter().chain([("the number of edges", bits.count())]) {
            if found as u64 > most {
                return Err(RewireError::TooLarge { layer: layer.to_owned(), what, found, most });
            }
        }
        let narrow = bits.rows <= 1 << 16 && bits.columns <= 1 << 16;
        let moved = if narrow { Cells::Narrow(cells_of(&bits)) } else { Cells::Wide(cells_of(&bits)) };
        Ok(Self { moved, bits, turned })
    }

    /// Makes `proposals` proposals; returns how many were accepted. O(`proposals`).
    pub(super) fn propose(&mut self, proposals: u64, stream: &mut Stream) -> u64 {
        match &mut self.moved {
            Cells::Narrow(cells) => propose(cells, &mut self.bits, proposals, stream),
            Cells::Wide(cells) => propose(cells, &mut self.bits, proposals, stream),
        }
    }

    /// The matrix that the chain is at.
    pub(super) fn state(&self) -> BitMatrix {
        if self.turned { self.bits.complement() } else { self.bits.clone() }
    }
}

/// Proposals that are drawn, and whose memory is touched, before the first of them is tried.
const BLOCK: usize = 32;

/// Bytes of edges and bits above which they do not stay in the caches near a core, so that touching
/// a block's memory ahead pays.
const FAR: usize = 1 << 22;

fn propose<C: Cell>(cells: &mut [C], bits: &mut BitMatrix, proposals: u64, stream: &mut Stream) -> u64 {
    if cells.is_empty() {
        return 0;
    }
    let far = size_of_val(cells) + 8 * bits.words.len() > FAR;
    // A copy whose state stays in registers.
    let mut local = stream.clone();
    let mut accepted = 0;
    let mut left = proposals;
    if far {
        let mut slots = [(0, 0); BLOCK];
        while left >= BLOCK as u64 {
            slots.fill_with(|| draw(local.next_u64(), cells.len()));
            touch(&slots, cells, bits);
            accepted += slots.iter().map(|&slots| u64::from(swap(slots, cells, bits))).sum::<u64>();
            left -= BLOCK as u64;
        }
    }
    for _ in 0..left {
        accepted += u64::from(swap(draw(local.next_u64(), cells.len()), cells, bits));
    }
    *stream = local;
    accepted
}

/// Two slots of `count`, each from half of the bits of `random`.
#[inline]
fn draw(random: u64, count: usize) -> (usize, usize) {
    let slot = |half: u64| ((half * count as u64) >> 32) as usize;
    (slot(random >> 32), slot(random & 0xffff_ffff))
}

/// Reads what the proposals are going to read, with no read waiting for the one before; the values
/// are not used, since an earlier proposal of the block may change them.
fn touch<C: Cell>(slots: &[(usize, usize); BLOCK], cells: &[C], bits: &BitMatrix) {
    let pairs = slots.map(|(first, second)| (cells[first], cells[second]));
    let mut seen = 0;
    for (ab, cd) in pairs {
        for (row, column) in
            [(ab.row(), cd.column()), (cd.row(), ab.column()), (ab.row(), ab.column()), (cd.row(), cd.column())]
        {
            seen ^= bits.words[bits.place(row, column).0];
        }
    }
    std::hint::black_box(seen);
}

/// One proposal; whether it was accepted.
#[inline]
fn swap<C: Cell>((first, second): (usize, usize), cells: &mut [C], bits: &mut BitMatrix) -> bool {
    let (a, b) = (cells[first].row(), cells[first].column());
    let (c, d) = (cells[second].row(), cells[second].column());
    let (ad_word, ad_bit) = bits.place(a, d);
    let (cb_word, cb_bit) = bits.place(c, b);
    // Where a = c or b = d the new edges are the old ones, so these two tests say it all.
    if (bits.words[ad_word] & ad_bit) | (bits.words[cb_word] & cb_bit) != 0 {
        return false;
    }
    let (ab_word, ab_bit) = bits.place(a, b);
    let (cd_word, cd_bit) = bits.place(c, d);
    bits.words[ab_word] ^= ab_bit;
    bits.words[cd_word] ^= cd_bit;
    bits.words[ad_word] ^= ad_bit;
    bits.words[cb_word] ^= cb_bit;
    cells[first] = C::new(a, d);
    cells[second] = C::new(c, b);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
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
            propose(&mut cells_of::<u32>(&start), &mut narrow, 10_000, &mut stream.clone()),
            propose(&mut cells_of::<u64>(&start), &mut wide, 10_000, &mut stream.clone()),
        );
        assert_eq!(accepted.0, accepted.1);
        assert_eq!(narrow, wide);
        assert_ne!(narrow, start);
    }

    #[test]
    fn touching_memory_ahead_changes_nothing() {
        // Above FAR: 6000 x 6000 bits are 4.5 MB.
        let mut stream = Seeds::new(2, 0).stream("test");
        let mut start = BitMatrix::empty(6_000, 6_000);
        // All edges in a corner, so that the proposals of one block meet.
        for row in 0..8 {
            for column in (row % 2..8).step_by(2) {
                start.insert(row, column);
            }
        }
        start.insert(5_999, 5_999);
        assert!(8 * start.words.len() > FAR);
        let mut small = BitMatrix::empty(9, 9);
        for (row, columns) in start.rows_of_columns() {
            columns.for_each(|column| assert!(small.insert(row.min(8), column.min(8))));
        }
        let (mut far, mut near) = (SwapChain::new("a", &start).unwrap(), SwapChain::new("a", &small).unwrap());
        // Not a multiple of a block.
        assert_eq!(far.propose(10_001, &mut stream.clone()), near.propose(10_001, &mut stream));
        for (row, columns) in far.state().rows_of_columns() {
            columns.for_each(|column| assert!(near.state().holds(row.min(8), column.min(8))));
        }
        assert_ne!(far.state(), start);
    }
}
