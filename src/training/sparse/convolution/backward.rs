//! The way back to the input: a piece of an input row in registers, over all taps that reach it.

use std::ops::Range;

use super::super::rows::{block, block_mut};
use super::super::simd::{Kernel, Line, Simd};
use super::Taps;
use super::collected::Collected;

pub(super) struct Backward<'a> {
    pub(super) taps: &'a Taps,
    /// Of the input, in its frame.
    pub(super) rows: Range<usize>,
    /// In the frame of the input, of which nothing is written.
    pub(super) dx: &'a mut [Line],
}

impl Backward<'_> {
    /// A row of an input channel from taps in rows `ky` of the kernel, with a stride of 1.
    #[inline(always)]
    fn row<S: Simd>(&mut self, s: S, channel: usize, ky: &Range<usize>, row: usize, dx_at: usize) {
        let Taps { input, output, kernel, collected: Collected { deltas, .. }, .. } = self.taps;
        let from = row * deltas.row + input.padding;
        pieces!(S, input.width, |x, C| {
            let mut sums = [s.zero(); C];
            for kx in 0..*kernel {
                // Columns before the first and behind the last output that this column of the kernel reaches.
                let left = kx.saturating_sub(input.padding + x);
                let right = (x + C + input.padding).saturating_sub(output.width + kx);
                let taps = self.taps.back_range(channel, kx, ky);
                let at = from + x;
                sums = self.add_some(s, taps, at, (left, right), sums);
            }
            let dx = block_mut::<C>(self.dx, dx_at + x);
            for c in 0..C {
                s.store(&mut dx[c], sums[c]);
            }
        });
    }

    /// sums + taps, of which the first `left` and the last `right` columns find zeros.
    #[inline(always)]
    fn add_some<S: Simd, const C: usize>(
        &self,
        s: S,
        taps: Range<usize>,
        at: usize,
        outside: (usize, usize),
        sums: [S::V; C],
    ) -> [S::V; C] {
        macro_rules! add {
            ($($left:literal $right:literal),*) => {
                match outside {
                    $(($left, $right) if C >= 5 => self.add::<S, C, $left, $right>(s, taps, at, sums),)*
                    _ => self.add::<S, C, 0, 0>(s, taps, at, sums),
                }
            };
        }
        add!(0 1, 0 2, 0 3, 0 4, 1 0, 2 0, 3 0, 4 0, 1 1, 1 3, 2 2, 3 1)
    }

    /// sums + taps, at columns `LEFT` to `C - RIGHT`: at the others the taps find zeros.
    #[inline(always)]
    fn add<S: Simd, const C: usize, const LEFT: usize, const RIGHT: usize>(
        &self,
        s: S,
        taps: Range<usize>,
        at: usize,
        mut sums: [S::V; C],
    ) -> [S::V; C] {
        let Taps { kernel, back_offsets, back_values, collected: Collected { deltas, .. }, .. } = self.taps;
        let reach = (kernel - 1) * deltas.row;
        for (&offset, &w) in back_offsets[taps.clone()].iter().zip(&back_values[taps]) {
            let dy = block::<C, _>(&deltas.lines, at + offset as usize - reach);
            let w = s.splat(w);
            for c in LEFT..C.saturating_sub(RIGHT) {
                sums[c] = s.fma(w, s.load(&dy[c]), sums[c]);
            }
        }
        sums
    }

    /// Adds `taps`, all of one place in the kernel, to every `stride`th line from `dx_at` on.
    #[inline(always)]
    fn strided<S: Simd>(&mut self, s: S, taps: Range<usize>, dy_at: usize, dx_at: usize) {
        let Taps { output, kernel, stride, back_offsets, back_values, collected, .. } = self.taps;
        let deltas = &collected.deltas;
        let reach = (kernel - 1) * deltas.row;
        for (&offset, &w) in back_offsets[taps.clone()].iter().zip(&back_values[taps]) {
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
        let row = self.taps.collected.deltas.row;
        for framed in self.rows.clone() {
            // All channels read the same rows of outputs, while they are near.
            for channel in 0..input.channels {
                let dx_at = channel * input.channel() + framed * input.row();
                if stride == 1 {
                    // The output's row is framed - ky.
                    let low = (framed + 1).saturating_sub(output.height).min(kernel);
                    let high = (framed + 1).min(kernel).max(low);
                    self.row(s, channel, &(low..high), framed, dx_at + input.padding);
                    continue;
                }
                self.dx[dx_at..dx_at + input.row()].fill(Line::ZERO);
                for ky in 0..kernel.min(framed + 1) {
                    let (y, rest) = ((framed - ky) / stride, (framed - ky) % stride);
                    if rest == 0 && y < output.height {
                        for kx in 0..kernel {
                            let taps = self.taps.back_range(channel, kx, &(ky..ky + 1));
                            self.strided(s, taps, (y + ky) * row + kx, dx_at + kx);
                        }
                    }
                }
            }
        }
    }
}
