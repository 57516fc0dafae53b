//! Where the gradients of one output channel are not zero.

use std::ops::Range;

use super::super::simd::{HALF, LANES, Simd};
use super::Taps;
use super::deltas::Deltas;

/// A register of gradients, of sixteen images, or of eight where a line is two registers: its first float, and that of
/// the input which a tap at the kernel's first place takes to it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Spot {
    pub(super) dy: u32,
    pub(super) x: u32,
}

/// Those that are not all zero. Behind a pooling three of four outputs of an image have no gradient, and the others of
/// several images are often at the same places.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Spots {
    spots: Vec<Spot>,
    count: usize,
    /// What is after the last float of all of them.
    end: Spot,
}

impl Spots {
    /// Those of these rows of output channel `o`.
    #[inline(always)]
    pub(super) fn find<S: Simd>(&mut self, s: S, taps: &Taps, deltas: &Deltas, o: usize, rows: &Range<usize>) {
        let Taps { input, output, stride, .. } = *taps;
        let pieces = if S::WIDE { 1 } else { LANES / HALF };
        self.spots.resize(rows.len() * output.width * pieces, Spot::default());
        // Counted in a register, not in `self`.
        let (spots, mut next, mut end) = (&mut self.spots[..], 0, Spot::default());
        for y in rows.clone() {
            let (at, x_at) = (deltas.at(o, y), y * input.row() * stride);
            let mut spot = Spot { dy: (at * LANES) as u32, x: (x_at * LANES) as u32 };
            for line in &deltas.lines[at..at + output.width] {
                let zeros = s.bits(s.equal(s.load(line), s.zero()));
                for piece in 0..pieces {
                    let (from, lanes) = (LANES / pieces * piece, u32::MAX >> (u32::BITS as usize - LANES / pieces));
                    // Written in any case, and again where it counts for nothing.
                    spots[next] = Spot { dy: spot.dy + from as u32, x: spot.x + from as u32 };
                    next += usize::from(zeros >> from & lanes != lanes);
                }
                spot.dy += LANES as u32;
                spot.x += (stride * LANES) as u32;
            }
            let last = ((output.width - 1) * stride + 1) * LANES;
            end.dy = end.dy.max(spot.dy);
            end.x = end.x.max((x_at * LANES + last) as u32);
        }
        (self.count, self.end) = (next, end);
    }

    /// All, and where their floats end.
    #[inline(always)]
    pub(super) fn all(&self) -> (&[Spot], Spot) {
        (&self.spots[..self.count], self.end)
    }
}
