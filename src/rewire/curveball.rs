//! The chain of Curveball trades.

use super::RewireError;
use super::bits::BitMatrix;
use super::cells::{below, check_size};
use super::deposit::{self, Deposit, Work};
use super::subset::{draw_short, draw_subset};
use crate::seed::Stream;

/// A Markov chain on the 0-1 matrices with given row and column sums (Strona, Nappo, Boccacci, Fattorini and
/// San-Miguel-Ayanz, Nat. Commun. 5, 4114 (2014), doi:10.1038/ncomms5114) by global trades (Carstens,
/// Berger and Strona, arXiv:1609.05137; Carstens, Hamann, Meyer, Penschuck, Tran and Wagner, ESA 2018,
/// arXiv:1804.08487).
///
/// A round draws a perfect matching of the rows uniformly (of an odd number one sits out), and each two
/// matched rows *trade*: the columns that just one of them holds are dealt out anew, uniformly among
/// all ways that keep both row sums. Column sums stay by themselves.
///
/// Its law is uniform. What a trade can turn into what never depends on which of the outcomes it starts
/// from, and all outcomes are as likely, so a trade leads from one matrix to another as often as
/// back; the matching never depends on the state, so a round does as well. A double edge swap is one outcome
/// of the trade of its two rows while all other trades leave their rows as they were, so rounds
/// connect what swaps connect, which is all (Ryser). A round may leave all as it was, so the chain is
/// aperiodic. (Carstens, Phys. Rev. E 91, 042812 (2015), doi:10.1103/PhysRevE.91.042812, with an erratum of
/// 2016, proves it for single trades. Carstens and Kleer, arXiv:1709.07290, show that these mix
/// rapidly wherever swaps do.)
///
/// Trades of columns are as good as those of rows; the shorter side is traded, whose rows are longer. An edge
/// of a row of sum a leaves it in a trade with one of sum b with a probability of about b / (a + b), so long
/// rows change slowly. Where the sums of the traded side vary much, the sides take turns.
#[derive(Debug, Clone)]
pub(super) struct CurveballChain {
    traded: Side,
    /// Row and column sums are exchanged with those of `traded` at its turn.
    other: Option<Side>,
    /// The matrix, whose rows are those of the traded side.
    bits: BitMatrix,
    /// Whether the traded rows are the columns of the layer.
    turned: bool,
    /// A subset under way.
    chosen: Vec<u64>,
    rounds: u64,
}

/// The lines that trade with each other: their sums, and an order of them to draw matchings from.
#[derive(Debug, Clone)]
struct Side {
    sums: Vec<u32>,
    order: Vec<u32>,
    words_per_row: usize,
}

impl Side {
    fn new(sums: &[usize], length: usize) -> Self {
        let needed = length.div_ceil(64);
        // Short rows are of a width that `trade` is compiled for.
        let words_per_row = [4, 8, 16].into_iter().find(|&width| needed <= width).unwrap_or(needed);
        Self {
            sums: sums.iter().map(|&sum| sum as u32).collect(),
            order: (0..sums.len() as u32).collect(),
            words_per_row,
        }
    }

    /// Whether the standard deviation of the sums that are not 0 is above half of their mean.
    fn uneven(&self) -> bool {
        let sums = || self.sums.iter().filter(|&&sum| sum > 0).map(|&sum| f64::from(sum));
        let (count, sum) = (sums().count() as f64, sums().sum::<f64>());
        let squares: f64 = sums().map(|sum| sum * sum).sum();
        squares * count > 1.25 * sum * sum
    }
}

/// Rounds after which sides take turns.
const TURN: u64 = 4;

impl CurveballChain {
    /// A chain that starts at `start`; `layer` is only named in errors.
    pub(super) fn new(layer: &str, start: &BitMatrix) -> Result<Self, RewireError> {
        check_size(layer, start)?;
        let rows = Side::new(&start.row_sums(), start.columns);
        let columns = Side::new(&start.column_sums(), start.rows);
        let turned = start.columns < start.rows;
        let (traded, other) = if turned { (columns, rows) } else { (rows, columns) };
        let width = traded.words_per_row;
        let bits = if turned { start.transposed(width) } else { start.widened(width) };
        let chosen = vec![0; start.rows.max(start.columns).div_ceil(64) + 2];
        let other = traded.uneven().then_some(other);
        Ok(Self { traded, other, bits, turned, chosen, rounds: 0 })
    }

    /// Makes `rounds` rounds; returns how many edges were dealt out anew. O(`rounds` x (cells / 64 + sqrt(rows x
    /// edges))).
    pub(super) fn trade(&mut self, rounds: u64, stream: &mut Stream) -> u64 {
        let (mut dealt, mut left) = (0, rounds);
        while left > 0 {
            let now = if self.other.is_some() { left.min(TURN - self.rounds % TURN) } else { left };
            dealt += deposit::run(Rounds {
                side: &mut self.traded,
                bits: &mut self.bits,
                chosen: &mut self.chosen,
                rounds: now,
                stream,
            });
            self.rounds += now;
            left -= now;
            if let Some(other) = self.other.as_mut().filter(|_| self.rounds.is_multiple_of(TURN)) {
                self.bits = self.bits.transposed(other.words_per_row);
                std::mem::swap(&mut self.traded, other);
                self.turned = !self.turned;
            }
        }
        dealt
    }

    /// The matrix that the chain is at.
    pub(super) fn state(&self) -> BitMatrix {
        if self.turned {
            self.bits.transposed(self.bits.rows.div_ceil(64))
        } else {
            self.bits.widened(self.bits.columns.div_ceil(64))
        }
    }
}

struct Rounds<'a> {
    side: &'a mut Side,
    bits: &'a mut BitMatrix,
    chosen: &'a mut [u64],
    rounds: u64,
    stream: &'a mut Stream,
}

impl Work for Rounds<'_> {
    type Output = u64;

    #[inline(always)]
    fn on<D: Deposit>(self) -> u64 {
        match self.bits.words_per_row {
            4 => self.of_width::<D, 4>(),
            8 => self.of_width::<D, 8>(),
            16 => self.of_width::<D, 16>(),
            _ => self.of_width::<D, 0>(),
        }
    }
}

/// Trades that are made side by side: no row is in two of them.
const BATCH: usize = 16;

/// A trade under way.
#[derive(Debug, Clone, Copy, Default)]
struct Trade {
    /// The rows, the first one above.
    rows: (u32, u32),
    /// The columns that just one of them holds.
    open: u32,
    /// How many of those belong to the first.
    share: u32,
    /// Which, where there are fewer than 64 open ones.
    dealt: u64,
}

impl Rounds<'_> {
    /// With `WIDTH` words a row, or any number where it is 0.
    #[inline(always)]
    fn of_width<D: Deposit, const WIDTH: usize>(self) -> u64 {
        let Self { side: Side { sums, order, .. }, bits, chosen, rounds, stream } = self;
        let width = if WIDTH > 0 { WIDTH } else { bits.words_per_row };
        // A copy whose state stays in registers.
        let mut local = stream.clone();
        let mut dealt = 0;
        for _ in 0..rounds {
            let mut left = order.len();
            if left % 2 == 1 {
                order.swap(left - 1, below(local.next_u64() >> 32, left));
                left -= 1;
            }
            while left > 0 {
                let mut batch = [Trade::default(); BATCH];
                let trades = &mut batch[..BATCH.min(left / 2)];
                // One step of all trades after the other: a step whose length a processor does not foresee holds no
                // other one up.
                for trade in trades.iter_mut() {
                    // The last row that is left with one of the others.
                    order.swap(left - 2, below(local.next_u64() >> 32, left - 1));
                    trade.open_rows(order[left - 1], order[left - 2], &bits.words, width, sums);
                    left -= 2;
                }
                for trade in trades.iter_mut().filter(|trade| trade.open < 64) {
                    trade.dealt = draw_short::<D>(trade.open, trade.share, &mut local);
                }
                for trade in trades.iter() {
                    let (first, second) = (trade.rows.0 as usize, trade.rows.1 as usize);
                    let (head, tail) = bits.words.split_at_mut(second * width);
                    let rows = (&mut head[first * width..][..width], &mut tail[..width]);
                    if trade.open < 64 {
                        trade.deal_short::<D>(rows);
                    } else {
                        trade.deal_long::<D>(rows, chosen, &mut local);
                    }
                    dealt += if trade.share == 0 || trade.share == trade.open { 0 } else { u64::from(trade.open) };
                }
            }
        }
        *stream = local;
        dealt
    }
}

impl Trade {
    #[inline(always)]
    fn open_rows(&mut self, one: u32, other: u32, words: &[u64], width: usize, sums: &[u32]) {
        let (first, second) = (one.min(other), one.max(other));
        let row = |row: u32| &words[row as usize * width..][..width];
        self.rows = (first, second);
        self.open = row(first).iter().zip(row(second)).map(|(a, b)| (a ^ b).count_ones()).sum();
        // As many more as its sum is larger.
        self.share = (self.open + sums[first as usize] - sums[second as usize]) / 2;
    }

    #[inline(always)]
    fn deal_short<D: Deposit>(&self, (one, other): (&mut [u64], &mut [u64])) {
        let mut left = self.dealt;
        for (a, b) in one.iter_mut().zip(other.iter_mut()) {
            let places = *a ^ *b;
            *a = (*a & *b) | D::deposit(left, places);
            *b = *a ^ places;
            left >>= places.count_ones();
        }
    }

    #[inline(always)]
    fn deal_long<D: Deposit>(&self, (one, other): (&mut [u64], &mut [u64]), chosen: &mut [u64], stream: &mut Stream) {
        draw_subset::<D>(chosen, self.open as usize, self.share as usize, stream);
        // Bits beyond the subset are read and not used.
        let mut at = 0;
        for (a, b) in one.iter_mut().zip(other.iter_mut()) {
            let places = *a ^ *b;
            let (word, shift) = (at >> 6, at & 63);
            let left = (chosen[word] >> shift) | (chosen[word + 1] << 1 << (63 - shift));
            *a = (*a & *b) | D::deposit(left, places);
            *b = *a ^ places;
            at += places.count_ones() as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seeds;

    fn random(rows: usize, columns: usize, one_in: u64, stream: &mut Stream) -> BitMatrix {
        let mut bits = BitMatrix::empty(rows, columns);
        for row in 0..rows {
            // The first rows are longer, so that some sides take turns.
            let one_in = if row < rows / 8 { one_in.div_ceil(4) } else { one_in };
            for column in 0..columns {
                if stream.below(one_in) == 0 {
                    bits.insert(row, column);
                }
            }
        }
        bits
    }

    #[test]
    fn rounds_keep_both_sums_and_move_edges() {
        let mut stream = Seeds::new(0, 0).stream("test");
        let sizes =
            [(20, 70, 4), (33, 3000, 8), (3000, 33, 8), (70, 600, 40), (30, 31, 1), (1, 9, 2), (2, 300, 3), (0, 4, 1)];
        for (rows, columns, one_in) in sizes {
            let start = random(rows, columns, one_in, &mut stream);
            let mut chain = CurveballChain::new("a", &start).unwrap();
            assert_eq!(chain.state(), start);
            for rounds in [1, 4, 7] {
                let dealt = chain.trade(rounds, &mut stream);
                let end = chain.state();
                assert_eq!(end.row_sums(), start.row_sums());
                assert_eq!(end.column_sums(), start.column_sums());
                assert!(dealt <= rounds * start.count() as u64);
                if one_in > 1 && rows > 1 {
                    assert!(dealt > 0);
                    assert_ne!(end, start);
                }
            }
        }
    }

    #[test]
    fn every_processor_makes_the_same_rounds() {
        let mut stream = Seeds::new(1, 0).stream("test");
        for (rows, columns, one_in) in [(40, 200, 30), (41, 1000, 3), (300, 1500, 5)] {
            let start = random(rows, columns, one_in, &mut stream);
            let mut chain = CurveballChain::new("a", &start).unwrap();
            let mut copy = chain.clone();
            chain.trade(3, &mut stream.clone());
            Rounds {
                side: &mut copy.traded,
                bits: &mut copy.bits,
                chosen: &mut copy.chosen,
                rounds: 3,
                stream: &mut stream,
            }
            .on::<deposit::Portable>();
            assert_eq!(chain.bits, copy.bits);
        }
    }

    #[test]
    fn every_two_rows_are_matched_as_often() {
        // Five rows of one edge each: where row 0 loses its edge, the other row has it.
        let mut stream = Seeds::new(2, 0).stream("test");
        let mut start = BitMatrix::empty(5, 5);
        (0..5).for_each(|at| assert!(start.insert(at, at)));
        let mut partners = [0u32; 5];
        let mut chain = CurveballChain::new("a", &start).unwrap();
        let draws = 40_000;
        for _ in 0..draws {
            // The order goes on from round to round, the matrix starts anew.
            chain.bits = start.widened(4);
            chain.trade(1, &mut stream);
            let end = chain.state();
            let holder = (0..5).find(|&row| end.holds(row, 0)).unwrap();
            partners[holder] += 1;
        }
        // Matched with each of the four others in one round of five, half of these trades exchange.
        for (row, &count) in partners.iter().enumerate().skip(1) {
            let expected = f64::from(draws) / 10.0;
            assert!((f64::from(count) - expected).abs() < 5.0 * expected.sqrt(), "{row}: {partners:?}");
        }
    }
}
