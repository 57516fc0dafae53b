//! The way back to the input: a piece of an input row in registers, over the taps of one column of the kernel.

use super::super::rows::block;
use super::super::simd::{Kernel, Line, Simd};
use super::Taps;

pub(super) struct Backward<'a> {
    pub(super) taps: &'a Taps,
    pub(super) dy: &'a [Line],
    /// In the frame of the input; the frame itself gets what nobody reads.
    pub(super) dx: &'a mut [Line],
}

impl Backward<'_> {
    /// Adds taps `start..end`, all of one kx, to a row of the input.
    #[inline(always)]
    fn add<S: Simd>(&mut self, s: S, (start, end): (usize, usize), dy_at: usize, dx_at: usize) {
        let taps = self.taps;
        if start == end {
            return;
        }
        let stride = taps.stride;
        let back = (taps.kernel - 1) * taps.output.row();
        pieces!(S, taps.output.width, |x, C| {
            let mut sums = [s.zero(); C];
            for c in 0..C {
                sums[c] = s.load(&self.dx[dx_at + (x + c) * stride]);
            }
            for (&offset, &w) in taps.back_offsets[start..end].iter().zip(&taps.back_values[start..end]) {
                let dy = block::<C>(self.dy, dy_at + x + offset as usize - back);
                let w = s.splat(w);
                for c in 0..C {
                    sums[c] = s.fma(w, s.load(&dy[c]), sums[c]);
                }
            }
            for c in 0..C {
                s.store(&mut self.dx[dx_at + (x + c) * stride], sums[c]);
            }
        });
    }
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let Taps { input, output, kernel, stride, .. } = *self.taps;
        for channel in 0..input.channels {
            for row in 0..input.height {
                let framed = row + input.padding;
                let dx_at = channel * input.channel() + framed * input.row();
                self.dx[dx_at..dx_at + input.row()].fill(Line::ZERO);
                for kx in 0..kernel {
                    let first = (channel * kernel + kx) * kernel;
                    let start = |ky: usize| self.taps.back_starts[first + ky] as usize;
                    if stride == 1 {
                        // The output's row is framed - ky.
                        let (low, high) = ((framed + 1).saturating_sub(output.height), (framed + 1).min(kernel));
                        if low < high {
                            let range = (start(low), start(high));
                            self.add(s, range, framed * output.row(), dx_at + kx);
                        }
                        continue;
                    }
                    for ky in 0..kernel.min(framed + 1) {
                        let (y, rest) = ((framed - ky) / stride, (framed - ky) % stride);
                        if rest == 0 && y < output.height {
                            let range = (start(ky), start(ky + 1));
                            self.add(s, range, (y + ky) * output.row(), dx_at + kx);
                        }
                    }
                }
            }
        }
    }
}
