//! The chain that keeps the degrees of each sign.

use super::RewireError;
use super::bits::BitMatrix;
use super::cells::{Cell, Cells, Slots, below, fetch_window};
use super::codes::{Code, CodeMatrix, EMPTY};
use crate::seed::Stream;

/// Proposals of a round: the last of each is a hexagon, the others are pairs.
const ROUND: u64 = 16;

/// A Markov chain on the matrices of nothing, + and - whose rows and columns have given numbers of +
/// and of -.
///
/// Its moves, with x, y, z any of the three values, x and y different:
///
/// ```text
/// square      x y -> y x      within a sign where y is nothing, of mixed signs where x is + and y is -
///             y x    x y
/// trade       x 0 z -> 0 z x  in two rows and three columns, or two columns and three rows,
///             0 z x    x 0 z  x and z of different signs
/// hexagon     x y . -> y x .  in three rows and three columns; the third value of each row
///             . x y    . y x  stays
///             y . x    x . y
/// ```
///
/// A proposal draws two listed cells (of a hexagon, three) that it takes for those on the diagonal,
/// looks at the cells that this fixes, and does nothing unless they make one of the pictures; it
/// counts either way. A move and its reverse are proposed by as many draws, so the chain is symmetric.
/// Listed are the edges, or the empty cells where they are fewer; every second round then draws
/// squares and hexagons of mixed signs from all rows and columns, which empty cells cannot show.
/// A slot of the list keeps its row under every move, so that windows stay in the caches.
#[derive(Debug, Clone)]
pub(super) struct SignedChain {
    listed: Cells,
    slots: Slots,
    codes: CodeMatrix,
    /// Whether the empty cells are listed.
    holes: bool,
    /// Proposals so far, which say whose turn it is.
    proposals: u64,
}

impl SignedChain {
    /// A chain that starts at `kept`, of which `negative` are negative; `layer` is only named in
    /// errors.
    pub(super) fn new(layer: &str, kept: &BitMatrix, negative: &BitMatrix) -> Result<Self, RewireError> {
        let holes = kept.count() > kept.cells() / 2;
        let listed = if holes { &kept.complement() } else { kept };
        let slots = Slots::new(listed.count());
        let listed = Cells::of(layer, listed)?;
        Ok(Self { listed, slots, codes: CodeMatrix::new(kept, negative), holes, proposals: 0 })
    }

    #[cfg(test)]
    pub(super) fn with_windows(kept: &BitMatrix, negative: &BitMatrix, window: usize) -> Self {
        let mut chain = Self::new("a", kept, negative).unwrap();
        let count = match &chain.listed {
            Cells::Narrow(cells) => cells.len(),
            Cells::Wide(cells) => cells.len(),
        };
        chain.slots = Slots::with_windows(count, window);
        chain
    }

    /// Makes `proposals` proposals; returns how many were accepted. O(`proposals`).
    pub(super) fn propose(&mut self, proposals: u64, stream: &mut Stream) -> u64 {
        if self.codes.rows * self.codes.columns == 0 {
            return 0;
        }
        let (mut left, mut accepted) = (proposals, 0);
        while left > 0 {
            let turn = self.proposals % ROUND;
            // As many pairs as the turn has, or one hexagon.
            let now = if turn < ROUND - 1 { (ROUND - 1 - turn).min(left) } else { 1 };
            let anywhere = self.holes && (self.proposals / ROUND).is_multiple_of(2);
            accepted += if anywhere {
                (0..now).filter(|_| self.codes.anywhere(turn == ROUND - 1, stream)).count() as u64
            } else {
                match &mut self.listed {
                    Cells::Narrow(cells) => listed(cells, &mut self.slots, &mut self.codes, turn, now, stream),
                    Cells::Wide(cells) => listed(cells, &mut self.slots, &mut self.codes, turn, now, stream),
                }
            };
            self.proposals += now;
            left -= now;
        }
        accepted
    }

    /// The kept weights of the matrix that the chain is at, and those of them that are negative.
    pub(super) fn state(&self) -> (BitMatrix, BitMatrix) {
        self.codes.split()
    }
}

/// `proposals` pairs of listed cells, or hexagons where it is their turn.
fn listed<C: Cell>(
    cells: &mut [C],
    slots: &mut Slots,
    codes: &mut CodeMatrix,
    turn: u64,
    proposals: u64,
    stream: &mut Stream,
) -> u64 {
    let count = cells.len();
    let mut state = (cells, codes);
    slots.pairs(
        proposals,
        stream,
        &mut state,
        |(cells, _), slots| fetch_window(cells, &[], 0, slots),
        |(cells, codes), first, second, stream| {
            if turn == ROUND - 1 {
                let third = below(stream.next_u64() >> 32, count);
                hexagon([first, second, third], cells, codes)
            } else {
                pair(first, second, cells, codes, stream)
            }
        },
    )
}

/// A square or a trade with the two cells on its diagonal.
#[inline(always)]
fn pair<C: Cell>(first: usize, second: usize, cells: &mut [C], codes: &mut CodeMatrix, stream: &mut Stream) -> bool {
    let (a, b, c, d) = (cells[first].row(), cells[first].column(), cells[second].row(), cells[second].column());
    let (x, z) = (codes.get(a, b), codes.get(c, d));
    let (u, v) = (codes.get(a, d), codes.get(c, b));
    let moved = if x == z {
        // Where a = c or b = d the two others have the same value too.
        if u == v && u != x {
            for (row, column, code) in [(a, b, u), (c, d, u), (a, d, x), (c, b, x)] {
                codes.set(row, column, code);
            }
            if x != EMPTY && u != EMPTY {
                // Signs trade places, listed cells stay.
                return true;
            }
            true
        } else {
            // Two empty cells between edges of different signs.
            x == EMPTY && u != v && u != EMPTY && v != EMPTY && trade([a, c], [d, b], [u, v], codes, stream)
        }
    } else {
        // Two edges of different signs between empty cells.
        u == EMPTY && v == EMPTY && trade([a, c], [b, d], [x, z], codes, stream)
    };
    if moved {
        cells[first] = C::new(a, d);
        cells[second] = C::new(c, b);
    }
    moved
}

/// With x at (a, b), z at (c, d) and nothing at (a, d) and (c, b): a third column with z at a and x at
/// c, or a third row with z at b and x at d, drawn at random, completes a trade.
fn trade(
    [a, c]: [usize; 2],
    [b, d]: [usize; 2],
    [x, z]: [Code; 2],
    codes: &mut CodeMatrix,
    stream: &mut Stream,
) -> bool {
    let random = stream.next_u64();
    if random & 1 == 0 {
        let e = below(random >> 32, codes.columns);
        if codes.get(a, e) != z || codes.get(c, e) != x {
            return false;
        }
        for (row, column, code) in [(a, b, EMPTY), (c, b, x), (a, d, z), (c, d, EMPTY), (a, e, x), (c, e, z)] {
            codes.set(row, column, code);
        }
    } else {
        let e = below(random >> 32, codes.rows);
        if codes.get(e, b) != z || codes.get(e, d) != x {
            return false;
        }
        for (row, column, code) in [(a, b, EMPTY), (a, d, x), (c, b, z), (c, d, EMPTY), (e, b, x), (e, d, z)] {
            codes.set(row, column, code);
        }
    }
    true
}

/// A hexagon with the three cells on its diagonal.
fn hexagon<C: Cell>(slots: [usize; 3], cells: &mut [C], codes: &mut CodeMatrix) -> bool {
    let rows = slots.map(|slot| cells[slot].row());
    let columns = slots.map(|slot| cells[slot].column());
    let Some(y) = codes.turn_hexagon(rows, columns) else { return false };
    let listed = codes.get(rows[0], columns[1]);
    if listed == EMPTY || y == EMPTY {
        for (k, slot) in slots.into_iter().enumerate() {
            cells[slot] = C::new(rows[k], columns[(k + 1) % 3]);
        }
    }
    true
}

impl CodeMatrix {
    /// Exchanges the values at (r0, c0), (r1, c1), (r2, c2) and at (r0, c1), (r1, c2), (r2, c0) where
    /// each three are the same and the two are not; returns what the latter had.
    fn turn_hexagon(&mut self, rows: [usize; 3], columns: [usize; 3]) -> Option<Code> {
        let at = |codes: &Self, shift: usize| [0, 1, 2].map(|k| codes.get(rows[k], columns[(k + shift) % 3]));
        let ([x, x1, x2], [y, y1, y2]) = (at(self, 0), at(self, 1));
        // Two equal rows or columns put one cell into both threes, so that these tests say it all.
        if x != x1 || x != x2 || y != y1 || y != y2 || x == y {
            return None;
        }
        for k in 0..3 {
            self.set(rows[k], columns[k], y);
            self.set(rows[k], columns[(k + 1) % 3], x);
        }
        Some(y)
    }

    /// A square or hexagon of mixed signs in rows and columns drawn from all.
    fn anywhere(&mut self, hexagon: bool, stream: &mut Stream) -> bool {
        let mut draw = || {
            let random = stream.next_u64();
            (below(random >> 32, self.rows), below(random & 0xffff_ffff, self.columns))
        };
        let ((a, b), (c, d)) = (draw(), draw());
        let (x, u) = (self.get(a, b), self.get(a, d));
        if hexagon {
            let (e, f) = draw();
            return x != EMPTY && u != EMPTY && self.turn_hexagon([a, c, e], [b, d, f]).is_some();
        }
        if x == u || x == EMPTY || u == EMPTY || self.get(c, d) != x || self.get(c, b) != u {
            return false;
        }
        for (row, column, code) in [(a, b, u), (c, d, u), (a, d, x), (c, b, x)] {
            self.set(row, column, code);
        }
        true
    }
}
