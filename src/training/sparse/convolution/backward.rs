//! The way back to the input: a piece of an input row in registers, over all taps that reach it.

use std::ops::Range;

use super::super::rows::{block, block_mut};
use super::super::simd::{Kernel, Line, Simd};
use super::Taps;

pub(super) struct Backward<'a> {
    pub(super) taps: &'a Taps,
    /// Of the input, in its frame.
    pub(super) rows: Range<usize>,
    /// In the frame of the input, of which nothing is written.
    pub(super) dx: &'a mut [Line],
}

impl Backward<'_> {
    /// A row of an input channel from taps `start..end`, with a stride of 1.
    #[inline(always)]
    fn row<S: Simd>(&mut self, s: S, (start, end): (usize, usize), row: usize, dx_at: usize) {
        let Taps { input, deltas, kernel, back_offsets, back_values, .. } = self.taps;
        let (lines, reach) = (&deltas.lines[..], (kernel - 1) * deltas.row);
        let from = row * deltas.row + input.padding;
        pieces!(S, input.width, |x, C| {
            let mut sums = [s.zero(); C];
            for (&offset, &w) in back_offsets[start..end].iter().zip(&back_values[start..end]) {
                let dy = block::<C, _>(lines, from + x + offset as usize - reach);
                let w = s.splat(w);
                for c in 0..C {
                    sums[c] = s.fma(w, s.load(&dy[c]), sums[c]);
                }
            }
            let dx = block_mut::<C>(self.dx, dx_at + x);
            for c in 0..C {
                s.store(&mut dx[c], sums[c]);
            }
        });
    }

    /// Adds taps `start..end`, all of one place in the kernel, to every `stride`th line from `dx_at` on.
    #[inline(always)]
    fn strided<S: Simd>(&mut self, s: S, (start, end): (usize, usize), dy_at: usize, dx_at: usize) {
        let Taps { output, deltas, kernel, stride, back_offsets, back_values, .. } = self.taps;
        let reach = (kernel - 1) * deltas.row;
        for (&offset, &w) in back_offsets[start..end].iter().zip(&back_values[start..end]) {
            let (from, w) = (dy_at + offset as usize - reach, s.splat(w));
            for x in 0..output.width {
                let dx = &mut self.dx[dx_at + x * stride];
                let sum = s.fma(w, s.load(&deltas.lines[from + x]), s.load(dx));
                s.store(dx, sum);
            }
        }
    }
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let Taps { input, output, kernel, stride, .. } = *self.taps;
        let row = self.taps.deltas.row;
        for framed in self.rows.clone() {
            // All channels read the same rows of outputs, while they are near.
            for channel in 0..input.channels {
                let dx_at = channel * input.channel() + framed * input.row();
                let first = channel * kernel * kernel;
                let start = |place: usize| self.taps.back_starts[first + place] as usize;
                if stride == 1 {
                    // The output's row is framed - ky.
                    let low = (framed + 1).saturating_sub(output.height).min(kernel);
                    let high = (framed + 1).min(kernel).max(low);
                    let range = (start(low * kernel), start(high * kernel));
                    self.row(s, range, framed, dx_at + input.padding);
                    continue;
                }
                self.dx[dx_at..dx_at + input.row()].fill(Line::ZERO);
                for ky in 0..kernel.min(framed + 1) {
                    let (y, rest) = ((framed - ky) / stride, (framed - ky) % stride);
                    if rest == 0 && y < output.height {
                        for kx in 0..kernel {
                            let place = ky * kernel + kx;
                            let range = (start(place), start(place + 1));
                            self.strided(s, range, (y + ky) * row + kx, dx_at + kx);
                        }
                    }
                }
            }
        }
    }
}
