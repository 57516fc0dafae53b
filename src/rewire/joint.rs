//! The chain that keeps the joint degrees.

use std::collections::HashMap;

use super::RewireError;
use super::bits::BitMatrix;
use super::cells::{Cell, Cells, below, cells_of, check_size, narrow};
use crate::seed::Stream;

/// A Markov chain on the 0-1 matrices with given row and column sums and a given number of ones
/// between every class of rows and every class of columns. Rows of a class have the same sum, and so
/// have columns.
///
/// A proposal draws an edge (a, b), then an edge (c, d) among those whose column is of the class of b
/// or, every second time, whose row is of the class of a, and turns them into (a, d) and (c, b)
/// unless one of these is there; it counts either way. Either swap keeps the number of edges
/// between every two classes, so every slot of the list can keep its class of rows and its class of
/// columns for good: which slots may be drawn together, and how likely they are, never depends
/// on the state, so the chain is symmetric.
///
/// As in [`super::cells::Slots`], a visit draws its pairs from two short stretches of the list, so
/// that a long one need not fit the caches. Where more than half of the cells are set the chain
/// moves the holes, which have joint degrees of their own that say the same.
#[derive(Debug, Clone)]
pub(super) struct JointChain {
    moved: Cells,
    pairing: Pairing,
    bits: BitMatrix,
    turned: bool,
}

/// Which slots may be drawn together. The list is sorted by the class of columns, then of rows.
#[derive(Debug, Clone)]
struct Pairing {
    /// The class of every column, and the slots of each class.
    column_group: Vec<u32>,
    of_column: Vec<Stretch>,
    /// The class of every row, and the slots of each class as stretches of `by_row`.
    row_group: Vec<u32>,
    of_row: Vec<Stretch>,
    by_row: Vec<u32>,
    visit: Visit,
}

/// A stretch of a list.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    start: usize,
    count: usize,
}

/// Where the pairs under way come from: two short stretches of the list, and whether its rows or its columns
/// are of one class.
#[derive(Debug, Clone, Copy, Default)]
struct Visit {
    first: usize,
    /// Where in its stretch the second slot is looked for, as a share of 2^32.
    second: u64,
    left: u64,
    rows: bool,
}

impl Stretch {
    /// A slot for `random`, 32 bits: near `share` of a long stretch, anywhere in a short one.
    #[inline]
    fn draw(self, share: u64, random: u64, window: usize) -> usize {
        if self.count <= window {
            return self.start + below(random, self.count);
        }
        let slot = below(share, self.count) + (random as usize & (window - 1));
        self.start + if slot >= self.count { slot - self.count } else { slot }
    }
}

/// Slots of a window, a power of two.
const WINDOW: usize = 1 << 12;

/// A visit makes one proposal for so many slots of a window.
const SLOTS_A_PAIR: u64 = 4;

impl JointChain {
    /// A chain that starts at `start`. Rows of the same number in `row_classes` and columns of the
    /// same number in `column_classes` are of one class; `layer` is only named in errors.
    pub(super) fn new(
        layer: &str,
        start: &BitMatrix,
        row_classes: &[usize],
        column_classes: &[usize],
    ) -> Result<Self, RewireError> {
        let (bits, turned) = start.sparser();
        check_size(layer, &bits)?;
        let (moved, pairing) = if narrow(&bits) {
            let (cells, pairing) = sorted::<u32>(&bits, row_classes, column_classes);
            (Cells::Narrow(cells), pairing)
        } else {
            let (cells, pairing) = sorted::<u64>(&bits, row_classes, column_classes);
            (Cells::Wide(cells), pairing)
        };
        Ok(Self { moved, pairing, bits, turned })
    }

    /// Makes `proposals` proposals; returns how many were accepted. O(`proposals`).
    pub(super) fn propose(&mut self, proposals: u64, stream: &mut Stream) -> u64 {
        self.propose_in_windows(proposals, WINDOW, stream)
    }

    /// The same with windows of `window` slots.
    #[inline]
    pub(super) fn propose_in_windows(&mut self, proposals: u64, window: usize, stream: &mut Stream) -> u64 {
        match &mut self.moved {
            Cells::Narrow(cells) => propose(cells, &mut self.pairing, &mut self.bits, proposals, window, stream),
            Cells::Wide(cells) => propose(cells, &mut self.pairing, &mut self.bits, proposals, window, stream),
        }
    }

    /// The matrix that the chain is at.
    pub(super) fn state(&self) -> BitMatrix {
        if self.turned { self.bits.complement() } else { self.bits.clone() }
    }
}

/// Classes from 0 in the order of their numbers.
fn dense_classes(classes: &[usize]) -> (Vec<u32>, usize) {
    let mut numbers: Vec<usize> = classes.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    let of: HashMap<usize, u32> = numbers.iter().enumerate().map(|(at, &number)| (number, at as u32)).collect();
    (classes.iter().map(|class| of[class]).collect(), numbers.len())
}

/// The places of `values`, which are below `count`, in the stable order of the values; and where each value is.
fn sort_by(count: usize, values: impl Iterator<Item = usize> + Clone) -> (Vec<u32>, Vec<Stretch>) {
    let mut stretches = vec![Stretch { start: 0, count: 0 }; count];
    let mut length = 0;
    for value in values.clone() {
        stretches[value].count += 1;
        length += 1;
    }
    let mut start = 0;
    for stretch in &mut stretches {
        stretch.start = start;
        start += stretch.count;
    }
    let mut next: Vec<usize> = stretches.iter().map(|stretch| stretch.start).collect();
    let mut order = vec![0; length];
    for (place, value) in values.enumerate() {
        order[next[value]] = place as u32;
        next[value] += 1;
    }
    (order, stretches)
}

/// The cells sorted by the classes of their columns and, within, of their rows, and their pairing.
fn sorted<C: Cell>(bits: &BitMatrix, row_classes: &[usize], column_classes: &[usize]) -> (Vec<C>, Pairing) {
    let ((rows, row_count), (columns, column_count)) = (dense_classes(row_classes), dense_classes(column_classes));
    let cells: Vec<C> = cells_of(bits);
    let (order, _) = sort_by(row_count, cells.iter().map(|cell| rows[cell.row()] as usize));
    let cells: Vec<C> = order.into_iter().map(|slot| cells[slot as usize]).collect();
    let (order, of_column) = sort_by(column_count, cells.iter().map(|cell| columns[cell.column()] as usize));
    let cells: Vec<C> = order.into_iter().map(|slot| cells[slot as usize]).collect();
    let (by_row, of_row) = sort_by(row_count, cells.iter().map(|cell| rows[cell.row()] as usize));
    let pairing =
        Pairing { column_group: columns, of_column, by_row, row_group: rows, of_row, visit: Visit::default() };
    (cells, pairing)
}

fn propose<C: Cell>(
    cells: &mut [C],
    pairing: &mut Pairing,
    bits: &mut BitMatrix,
    proposals: u64,
    window: usize,
    stream: &mut Stream,
) -> u64 {
    if cells.is_empty() {
        return 0;
    }
    let all = Stretch { start: 0, count: cells.len() };
    let mut local = stream.clone();
    let (mut accepted, mut left) = (0, proposals);
    while left > 0 {
        let visit = &mut pairing.visit;
        if visit.left == 0 {
            let random = local.next_u64();
            *visit = Visit {
                first: below(random >> 32, cells.len()),
                second: random & 0xffff_ffff,
                left: (window.min(cells.len()) as u64 / SLOTS_A_PAIR).max(1),
                rows: !visit.rows,
            };
        }
        let now = left.min(visit.left);
        visit.left -= now;
        left -= now;
        let share = ((visit.first as u64) << 32) / cells.len() as u64;
        let visit = *visit;
        for _ in 0..now {
            let random = local.next_u64();
            let first = all.draw(share, random >> 32, window);
            let (a, b) = (cells[first].row(), cells[first].column());
            let second = if visit.rows {
                let stretch = pairing.of_row[pairing.row_group[a] as usize];
                pairing.by_row[stretch.draw(visit.second, random & 0xffff_ffff, window)] as usize
            } else {
                let stretch = pairing.of_column[pairing.column_group[b] as usize];
                stretch.draw(visit.second, random & 0xffff_ffff, window)
            };
            accepted += u64::from(swap(first, second, visit.rows, cells, bits));
        }
    }
    *stream = local;
    accepted
}

/// One proposal; each slot keeps its class of rows and its class of columns.
#[inline(always)]
fn swap<C: Cell>(first: usize, second: usize, rows: bool, cells: &mut [C], bits: &mut BitMatrix) -> bool {
    let (one, other) = (cells[first], cells[second]);
    let (a, b, c, d) = (one.row(), one.column(), other.row(), other.column());
    let ((ad, ad_bit), (cb, cb_bit)) = (bits.place(a, d), bits.place(c, b));
    let ((ab, ab_bit), (cd, cd_bit)) = (bits.place(a, b), bits.place(c, d));
    let words = bits.words.as_mut_slice();
    // Where a = c or b = d the new edges are the old ones, so these two tests say it all.
    let accepted = (words[ad] & ad_bit) | (words[cb] & cb_bit) == 0;
    let all = u64::from(accepted).wrapping_neg();
    words[ab] ^= ab_bit & all;
    words[cd] ^= cd_bit & all;
    words[ad] ^= ad_bit & all;
    words[cb] ^= cb_bit & all;
    let (kept, turned) = if rows { (C::new(c, b), C::new(a, d)) } else { (C::new(a, d), C::new(c, b)) };
    cells[first] = if accepted { kept } else { one };
    cells[second] = if accepted { turned } else { other };
    accepted
}
