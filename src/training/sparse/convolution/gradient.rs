//! The gradient of the taps: several taps in registers, position by position.

use std::ops::Range;

use super::super::pool::Pool;
use super::super::rows::{Finish, block};
use super::super::simd::{Bytes, Kernel, Line, Simd};
use super::Taps;
use super::deltas::Deltas;

/// Taps whose gradients one pass holds in registers, with 32 and with 16 of them.
const TAPS: [usize; 2] = [8, 6];

/// Adds the gradients of all taps over some rows of outputs.
pub(super) struct Gradient<'a> {
    pub(super) taps: &'a Taps,
    pub(super) x: &'a [Line],
    pub(super) deltas: &'a Deltas,
    pub(super) rows: Range<usize>,
    pub(super) parts: &'a mut [Line],
}

/// The same, from the gradients of pooled outputs: rows of windows are spread over their inputs, channel by
/// channel, and used while they are near.
pub(super) struct FromPool<'a> {
    pub(super) taps: &'a Taps,
    pub(super) pool: &'a Pool,
    pub(super) x: &'a [Line],
    /// The gradient of the pooled outputs, the places of the largest inputs, and the activation's derivative.
    pub(super) dy: (&'a [Line], &'a [Bytes], Finish<'a>),
    pub(super) deltas: &'a mut Deltas,
    /// Rows of them; all where they have inputs in common.
    pub(super) windows: Range<usize>,
    /// Of taps and of biases.
    pub(super) sums: (&'a mut [Line], &'a mut [Line]),
}

impl Gradient<'_> {
    /// The gradients of `T` taps, from `start` on, of output channel `o`.
    #[inline(always)]
    fn add<S: Simd, const T: usize>(&mut self, s: S, o: usize, start: usize) {
        let Taps { input, output, stride, .. } = *self.taps;
        let mut taps = [0; T];
        let mut sums = [s.zero(); T];
        for t in 0..T {
            taps[t] = self.taps.offsets[start + t] as usize;
            sums[t] = s.load(&self.parts[start + t]);
        }
        for y in self.rows.clone() {
            let dy_at = self.deltas.at(o, y);
            pieces!(S, output.width, |x, C| {
                let dy = block::<C, _>(&self.deltas.lines, dy_at + x);
                let base = (y * input.row() + x) * stride;
                if stride == 1 {
                    let mut inputs = [dy; T];
                    for t in 0..T {
                        inputs[t] = block::<C, _>(self.x, base + taps[t]);
                    }
                    for c in 0..C {
                        let dy = s.load(&dy[c]);
                        for t in 0..T {
                            sums[t] = s.fma(dy, s.load(&inputs[t][c]), sums[t]);
                        }
                    }
                } else {
                    for c in 0..C {
                        let dy = s.load(&dy[c]);
                        for t in 0..T {
                            sums[t] = s.fma(dy, s.load(&self.x[base + taps[t] + c * stride]), sums[t]);
                        }
                    }
                }
            });
        }
        for t in 0..T {
            s.store(&mut self.parts[start + t], sums[t]);
        }
    }

    /// The gradients of all taps of output channel `o`.
    #[inline(always)]
    fn channel<S: Simd>(&mut self, s: S, o: usize) {
        let (mut start, end) = (self.taps.starts[o] as usize, self.taps.starts[o + 1] as usize);
        while start < end {
            // Parts of nearly the same size: 18 taps are three times 6, not 8, 8 and 2.
            let parts = (end - start).div_ceil(TAPS[usize::from(!S::WIDE)]);
            let size = (end - start).div_ceil(parts);
            match size {
                8 => self.add::<S, 8>(s, o, start),
                7 => self.add::<S, 7>(s, o, start),
                6 => self.add::<S, 6>(s, o, start),
                5 => self.add::<S, 5>(s, o, start),
                4 => self.add::<S, 4>(s, o, start),
                3 => self.add::<S, 3>(s, o, start),
                2 => self.add::<S, 2>(s, o, start),
                _ => self.add::<S, 1>(s, o, start),
            }
            start += size;
        }
    }
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
        let Self { taps, pool, x, dy, deltas, windows, sums: (parts, bias_parts) } = self;
        let rows = if pool.is_apart() {
            windows.start * pool.stride..(windows.end * pool.stride).min(taps.output.height)
        } else {
            deltas.lines.fill(Line::ZERO);
            0..taps.output.height
        };
        for o in 0..taps.output.channels {
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
            Gradient { taps, x, deltas, rows: rows.clone(), parts: &mut *parts }.channel(s, o);
        }
    }
}
