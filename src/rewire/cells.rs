//! The list of cells that a chain moves, and the pairs that it draws from it.

use std::ops::Range;

use super::RewireError;
use super::bits::BitMatrix;
use super::prefetch::prefetch;
use crate::seed::Stream;

/// Row and column of a cell in one integer.
pub(super) trait Cell: Copy {
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

/// Whether rows and columns fit 16 bits each.
pub(super) fn narrow(bits: &BitMatrix) -> bool {
    bits.rows <= 1 << 16 && bits.columns <= 1 << 16
}

/// A list of cells, packed as narrowly as their matrix allows.
#[derive(Debug, Clone)]
pub(super) enum Cells {
    Narrow(Vec<u32>),
    Wide(Vec<u64>),
}

impl Cells {
    /// The cells that are set, row by row; `layer` is only named in errors.
    pub(super) fn of(layer: &str, bits: &BitMatrix) -> Result<Self, RewireError> {
        check_size(layer, bits)?;
        Ok(if narrow(bits) { Self::Narrow(cells_of(bits)) } else { Self::Wide(cells_of(bits)) })
    }
}

/// The cells that are set, row by row.
pub(super) fn cells_of<C: Cell>(bits: &BitMatrix) -> Vec<C> {
    let mut cells = Vec::with_capacity(bits.count());
    bits.for_each(|row, column| cells.push(C::new(row, column)));
    cells
}

/// A chain indexes rows, columns and cells with 32 bits.
pub(super) fn check_size(layer: &str, bits: &BitMatrix) -> Result<(), RewireError> {
    let most = u64::from(u32::MAX);
    let sizes = [
        ("the number of rows", bits.rows),
        ("the number of columns", bits.columns),
        ("the number of edges", bits.count()),
    ];
    match sizes.into_iter().find(|(_, found)| *found as u64 > most) {
        Some((what, found)) => Err(RewireError::TooLarge { layer: layer.to_owned(), what, found, most }),
        None => Ok(()),
    }
}

/// A number below `count` from 32 random bits. Not exactly uniform, which no chain here needs: what
/// it draws never depends on the state.
#[inline]
pub(super) fn below(half: u64, count: usize) -> usize {
    ((half * count as u64) >> 32) as usize
}

/// The slots of a list that a chain draws in pairs.
///
/// Pairs from anywhere in a long list would wait for memory at every proposal. A list that does not
/// fit the caches near a core is cut into windows instead, and the chain *visits* two of them at a
/// time: a quarter as many pairs as a window has slots, the first of each pair from the one window
/// and the second from the other. In a sweep every window comes first once and second once, each in
/// a random order, and every sweep cuts the ring of slots at another random place. So every slot is
/// drawn equally often, every pair may come together (with itself where a window meets itself), and
/// which slots are drawn never depends on the state: a chain of symmetric moves keeps its uniform
/// law. Visits are short so that few edges move back within one.
#[derive(Debug, Clone)]
pub(super) struct Slots {
    count: usize,
    window: usize,
    /// The windows in the order in which they come first and second; empty where pairs come from
    /// anywhere.
    orders: [Vec<u32>; 2],
    /// Where the ring is cut.
    cut: usize,
    /// The next visit of this sweep.
    visit: usize,
    /// Proposals left of the visit under way, and its windows.
    left: u64,
    starts: [usize; 2],
}

impl Slots {
    /// Slots of a window: two of them and the bits of their rows stay in the caches of one core.
    const WINDOW: usize = 1 << 12;

    /// A visit makes one proposal for so many slots of a window.
    const SLOTS_A_PAIR: u64 = 4;

    /// The longest list that is not cut.
    const NEAR: usize = 1 << 17;

    /// Slots of 4 bytes in a line of the cache.
    const LINE: usize = 16;

    pub(super) fn new(count: usize) -> Self {
        Self::with_windows(count, if count > Self::NEAR { Self::WINDOW } else { 0 })
    }

    /// Windows of `window` slots, a power of two; none where it is 0.
    pub(super) fn with_windows(count: usize, window: usize) -> Self {
        debug_assert!(window == 0 || window.is_power_of_two() && window <= count);
        let windows = if window > 0 { count.div_ceil(window) } else { 0 };
        let order: Vec<u32> = (0..windows as u32).collect();
        Self { count, window, visit: windows, orders: [order.clone(), order], cut: 0, left: 0, starts: [0; 2] }
    }

    /// Calls `propose` for each of `proposals` pairs of slots; returns how often it said yes. `fetch` asks for the
    /// memory of a window's slots: it is called for the windows of the next visit.
    #[inline(always)]
    pub(super) fn pairs<S>(
        &mut self,
        proposals: u64,
        stream: &mut Stream,
        state: &mut S,
        fetch: impl Fn(&S, Range<usize>),
        propose: impl Fn(&mut S, usize, usize, &mut Stream) -> bool,
    ) -> u64 {
        if self.count == 0 {
            return 0;
        }
        // A copy whose state stays in registers.
        let mut local = stream.clone();
        let mut accepted = 0;
        if self.window == 0 {
            for _ in 0..proposals {
                let random = local.next_u64();
                let (i, j) = (below(random >> 32, self.count), below(random & 0xffff_ffff, self.count));
                accepted += u64::from(propose(state, i, j, &mut local));
            }
        } else {
            let mask = self.window as u64 - 1;
            let mut to_do = proposals;
            while to_do > 0 {
                if self.left == 0 {
                    self.go_on(&mut local, |slots| fetch(state, slots));
                }
                let now = to_do.min(self.left);
                let ([first, second], count) = (self.starts, self.count);
                let wrap = |slot: usize| if slot >= count { slot - count } else { slot };
                for _ in 0..now {
                    let random = local.next_u64();
                    let (i, j) = (first + (random & mask) as usize, second + ((random >> 32) & mask) as usize);
                    accepted += u64::from(propose(state, wrap(i), wrap(j), &mut local));
                }
                self.left -= now;
                to_do -= now;
            }
        }
        *stream = local;
        accepted
    }

    /// The next visit.
    fn go_on(&mut self, stream: &mut Stream, fetch: impl Fn(Range<usize>)) {
        let windows = self.orders[0].len();
        if self.visit == windows {
            self.visit = 0;
            self.cut = stream.below(self.count as u64) as usize;
            self.orders.iter_mut().for_each(|order| stream.shuffle(order));
        }
        self.starts = [0, 1].map(|which| self.start(which, self.visit));
        self.visit += 1;
        if self.visit < windows {
            for which in [0, 1] {
                let start = self.start(which, self.visit);
                fetch(start..(start + self.window).min(self.count));
            }
        }
        self.left = (self.window as u64 / Self::SLOTS_A_PAIR).max(1);
    }

    /// Where the first or second window of a visit of this sweep begins. Evenly spaced: the windows of a sweep
    /// overlap a little where they do not divide the list.
    fn start(&self, which: usize, visit: usize) -> usize {
        let place = self.orders[which][visit] as usize * self.count / self.orders[which].len();
        (self.cut + place) % self.count
    }
}

/// Asks for the cells of a window and, where they are no more than those, for the bits of its rows: a slot keeps
/// its row, so the rows of a window lie between those of its ends.
pub(super) fn fetch_window<C: Cell>(cells: &[C], words: &[u64], words_per_row: usize, slots: Range<usize>) {
    let Some((first, last)) = cells.get(slots.start).zip(cells.get(slots.end.saturating_sub(1))) else { return };
    let rows = first.row()..last.row() + 1;
    slots.step_by(Slots::LINE).for_each(|slot| prefetch(cells, slot));
    if rows.len() * words_per_row <= Slots::WINDOW {
        (rows.start * words_per_row..rows.end * words_per_row).step_by(8).for_each(|word| prefetch(words, word));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::rewire::joint::JointChain;
    use crate::rewire::signed::SignedChain;
    use crate::rewire::swaps::SwapChain;
    use crate::seed::Seeds;

    #[test]
    fn windows_draw_every_pair_equally_often() {
        let (count, window) = (37, 8);
        let mut slots = Slots::with_windows(count, window);
        let mut stream = Seeds::new(0, 0).stream("test");
        let mut counts = vec![0u32; count * count];
        let proposals = 2_000_000;
        slots.pairs(
            proposals,
            &mut stream,
            &mut counts,
            |_, _| {},
            |counts, first, second, _| {
                counts[first * count + second] += 1;
                true
            },
        );
        let expected = proposals as f64 / counts.len() as f64;
        // A visit draws two pairs of one pair of windows: their counts vary more than Poisson's.
        assert!(counts.iter().all(|&n| (f64::from(n) / expected - 1.0).abs() < 0.2), "{counts:?}");
    }

    fn chi_square(counts: &BTreeMap<Vec<u64>, u32>) -> f64 {
        let expected = counts.values().sum::<u32>() as f64 / counts.len() as f64;
        counts.values().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum()
    }

    #[test]
    fn chains_that_draw_in_windows_are_uniform() {
        let of = |cells: &[(usize, usize)]| {
            let mut bits = BitMatrix::empty(4, 4);
            cells.iter().for_each(|&(row, column)| assert!(bits.insert(row, column)));
            bits
        };
        let start = of(&[(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0), (2, 2), (3, 3)]);
        let pairs = of(&[(0, 0), (0, 1), (1, 0), (1, 2), (2, 1), (3, 3)]);
        let signed = of(&[(0, 0), (0, 1), (1, 1), (1, 2), (2, 0), (2, 2)]);
        let negative = of(&[(0, 1), (1, 2), (2, 0)]);
        let mut swaps = SwapChain::with_windows(&start, 2);
        let mut signs = SignedChain::with_windows(&signed, &negative, 2);
        let mut joint = JointChain::new("a", &pairs, &pairs.row_sums(), &pairs.column_sums()).unwrap();
        let mut stream = Seeds::new(3, 0).stream("test");
        let mut counts = [BTreeMap::new(), BTreeMap::new(), BTreeMap::new()];
        for _ in 0..40_000 {
            swaps.propose(160, &mut stream);
            *counts[0].entry(swaps.state().words).or_insert(0) += 1;
            signs.propose(160, &mut stream);
            let (kept, negative) = signs.state();
            *counts[1].entry([kept.words, negative.words].concat()).or_insert(0) += 1;
            joint.propose_in_windows(160, 2, &mut stream);
            *counts[2].entry(joint.state().words).or_insert(0) += 1;
        }
        // 99.99 % points of chi-square with 23, 11 and 15 degrees of freedom.
        for (counts, (matrices, most)) in counts.iter().zip([(24, 58.6), (12, 37.4), (16, 44.3)]) {
            assert_eq!(counts.len(), matrices);
            assert!(chi_square(counts) < most, "{}", chi_square(counts));
        }
    }

    #[test]
    fn a_long_list_forgets_as_fast_in_windows_as_without() {
        // A band: rows and columns of the same place.
        let mut start = BitMatrix::empty(512, 512);
        for row in 0..512 {
            (0usize..512).filter(|column| column.abs_diff(row) < 25).for_each(|column| {
                start.insert(row, column);
            });
        }
        let overlap = |window: usize| {
            let mut chain = SwapChain::with_windows(&start, window);
            chain.propose(start.count() as u64 * 3 / 2, &mut Seeds::new(4, 0).stream("test"));
            chain.state().shared(&start) as f64 / start.count() as f64
        };
        let (without, with) = (overlap(0), overlap(256));
        assert!((without - with).abs() < 0.05, "{without} without, {with} with windows");
    }
}
