//! The gradient of the taps: several taps in registers, position by position, where a gradient is not zero.

// The loads of the innermost loop are not checked one by one: `add` asserts once that the farthest of them lie inside.
#![allow(unsafe_code)]

use std::ops::Range;

use super::super::piece::{Half, Piece, Whole};
use super::super::pool::Pool;
use super::super::rows::Finish;
use super::super::simd::{Bytes, Kernel, LANES, Line, Simd, floats, floats_mut};
use super::Taps;
use super::collected::Collected;
use super::spots::Spot;

/// Taps whose gradients one pass holds in registers, with the addresses of their inputs.
const TAPS: usize = 9;

/// Taps whose gradients are two sums each, or each multiply-add would wait for the one before.
const FEW: usize = 6;

/// Adds the gradients of all taps over some rows of outputs.
pub(super) struct Gradient<'a> {
    pub(super) taps: &'a Taps,
    pub(super) x: &'a [Line],
    pub(super) rows: Range<usize>,
    pub(super) collected: &'a mut Collected,
}

/// The same, from the gradients of pooled outputs: rows of windows are spread over their inputs, channel by
/// channel, and used while they are near.
pub(super) struct FromPool<'a> {
    pub(super) taps: &'a Taps,
    pub(super) pool: &'a Pool,
    pub(super) x: &'a [Line],
    /// The gradient of the pooled outputs, the places of the largest inputs, and the activation's derivative.
    pub(super) dy: (&'a [Line], &'a [Bytes], Finish<'a>),
    /// Rows of them; all where they have inputs in common.
    pub(super) windows: Range<usize>,
    pub(super) collected: &'a mut Collected,
}

impl Gradient<'_> {
    /// The gradients of `T` taps, from `start` on, over the spots.
    #[inline(always)]
    fn add<S: Simd, P: Piece<S>, const T: usize>(&mut self, s: S, start: usize) {
        let Collected { deltas, spots, parts, .. } = &mut *self.collected;
        let (spots, end) = spots.all();
        let dy = floats(&deltas.lines);
        assert!(end.dy as usize <= dy.len(), "gradients of spots");
        let parts = floats_mut(&mut parts[start..start + T]);
        let mut inputs = [dy; T];
        let mut sums = [P::splat(s, 0.0); T];
        let mut others = sums;
        for t in 0..T {
            inputs[t] = &floats(self.x)[self.taps.offsets[start + t] as usize * LANES..];
            assert!(end.x as usize <= inputs[t].len(), "inputs of spots");
            // SAFETY: a part is a line.
            sums[t] = unsafe { P::load(s, parts, t * LANES) };
        }
        let (pairs, rest) = if T <= FEW { spots.as_chunks::<2>() } else { (&[][..], spots) };
        for &[first, second] in pairs {
            // SAFETY: no spot ends behind `end`, which all slices hold.
            sums = unsafe { add_spot::<S, P, T>(s, (dy, inputs), first, sums) };
            // SAFETY: as above.
            others = unsafe { add_spot::<S, P, T>(s, (dy, inputs), second, others) };
        }
        for &spot in rest {
            // SAFETY: as above.
            sums = unsafe { add_spot::<S, P, T>(s, (dy, inputs), spot, sums) };
        }
        for t in 0..T {
            let sum = P::fma(s, P::splat(s, 1.0), others[t], sums[t]);
            // SAFETY: a part is a line.
            unsafe { P::store(s, parts, t * LANES, sum) };
        }
    }

    /// The gradients of all taps of output channel `o`.
    #[inline(always)]
    fn channel<S: Simd>(&mut self, s: S, o: usize) {
        let Collected { deltas, spots, .. } = &mut *self.collected;
        spots.find(s, self.taps, deltas, o, &self.rows);
        if S::WIDE {
            self.pieces::<S, Whole>(s, o);
        } else {
            self.pieces::<S, Half>(s, o);
        }
    }

    #[inline(always)]
    fn pieces<S: Simd, P: Piece<S>>(&mut self, s: S, o: usize) {
        let (mut start, end) = (self.taps.starts[o] as usize, self.taps.starts[o + 1] as usize);
        while start < end {
            // Parts of nearly the same size: 20 taps are 7, 7 and 6, not 9, 9 and 2.
            let parts = (end - start).div_ceil(TAPS);
            let size = (end - start).div_ceil(parts);
            match size {
                9 => self.add::<S, P, 9>(s, start),
                8 => self.add::<S, P, 8>(s, start),
                7 => self.add::<S, P, 7>(s, start),
                6 => self.add::<S, P, 6>(s, start),
                5 => self.add::<S, P, 5>(s, start),
                4 => self.add::<S, P, 4>(s, start),
                3 => self.add::<S, P, 3>(s, start),
                2 => self.add::<S, P, 2>(s, start),
                _ => self.add::<S, P, 1>(s, start),
            }
            start += size;
        }
    }
}

/// sums + the gradients at a spot times the inputs of each tap.
///
/// # Safety
/// The spot's gradients and inputs are not beyond the ends.
#[inline(always)]
unsafe fn add_spot<S: Simd, P: Piece<S>, const T: usize>(
    s: S,
    (dy, inputs): (&[f32], [&[f32]; T]),
    spot: Spot,
    mut sums: [P::V; T],
) -> [P::V; T] {
    // SAFETY: the caller's.
    let dy = unsafe { P::load(s, dy, spot.dy as usize) };
    for t in 0..T {
        // SAFETY: the caller's.
        sums[t] = P::fma(s, dy, unsafe { P::load(s, inputs[t], spot.x as usize) }, sums[t]);
    }
    sums
}

impl Kernel for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        for o in 0..self.taps.output.channels {
            self.channel(s, o);
        }
    }
}

impl Kernel for FromPool<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { taps, pool, x, dy, windows, collected } = self;
        let rows = if pool.is_apart() {
            windows.start * pool.stride..(windows.end * pool.stride).min(taps.output.height)
        } else {
            collected.deltas.lines.fill(Line::ZERO);
            0..taps.output.height
        };
        for o in 0..taps.output.channels {
            let Collected { deltas, bias_parts, .. } = &mut *collected;
            let mut sum = s.zero();
            for row in windows.clone() {
                let to = deltas.at(o, row * pool.stride);
                sum = s.add(sum, pool.back_row(s, (o, row), dy, (&mut deltas.lines, to, deltas.row)));
            }
            for row in windows.clone() {
                pool.fetch_row(s, (o + 1, row), dy.1, None);
            }
            if let Some(part) = bias_parts.get_mut(o) {
                let sum = s.add(s.load(part), sum);
                s.store(part, sum);
            }
            Gradient { taps, x, rows: rows.clone(), collected: &mut *collected }.channel(s, o);
        }
    }
}
