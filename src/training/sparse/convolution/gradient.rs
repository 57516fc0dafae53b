//! The gradient of the taps: several taps in registers, position by position.

use std::ops::Range;

use super::super::rows::block;
use super::super::simd::{Kernel, Line, Simd};
use super::Taps;

/// Taps whose gradients one pass holds in registers, with 32 and with 16 of them.
const TAPS: [usize; 2] = [8, 6];

pub(super) struct Gradient<'a> {
    pub(super) taps: &'a Taps,
    pub(super) x: &'a [Line],
    /// From the first of `channels` on.
    pub(super) dy: &'a [Line],
    pub(super) channels: Range<usize>,
    pub(super) parts: &'a mut [Line],
    pub(super) bias_parts: &'a mut [Line],
}

impl Gradient<'_> {
    /// The gradients of `T` taps, from `start` on, of one output channel.
    #[inline(always)]
    fn add<S: Simd, const T: usize>(&mut self, s: S, start: usize, dy_at: usize) {
        let Taps { input, output, stride, .. } = *self.taps;
        let mut taps = [0; T];
        let mut sums = [s.zero(); T];
        for t in 0..T {
            taps[t] = self.taps.offsets[start + t] as usize;
            sums[t] = s.load(&self.parts[start + t]);
        }
        for y in 0..output.height {
            pieces!(S, output.width, |x, C| {
                let dy = block::<C>(self.dy, dy_at + y * output.row() + x);
                let base = (y * input.row() + x) * stride;
                if stride == 1 {
                    let mut inputs = [dy; T];
                    for t in 0..T {
                        inputs[t] = block::<C>(self.x, base + taps[t]);
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
}

impl Kernel for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let channel = self.taps.output.channel();
        for o in self.channels.clone() {
            let dy_at = (o - self.channels.start) * channel;
            let (mut start, end) = (self.taps.starts[o] as usize, self.taps.starts[o + 1] as usize);
            while start < end {
                // Parts of nearly the same size: 18 taps are three times 6, not 8, 8 and 2.
                let parts = (end - start).div_ceil(TAPS[usize::from(!S::WIDE)]);
                let size = (end - start).div_ceil(parts);
                match size {
                    8 => self.add::<S, 8>(s, start, dy_at),
                    7 => self.add::<S, 7>(s, start, dy_at),
                    6 => self.add::<S, 6>(s, start, dy_at),
                    5 => self.add::<S, 5>(s, start, dy_at),
                    4 => self.add::<S, 4>(s, start, dy_at),
                    3 => self.add::<S, 3>(s, start, dy_at),
                    2 => self.add::<S, 2>(s, start, dy_at),
                    _ => self.add::<S, 1>(s, start, dy_at),
                }
                start += size;
            }
            if let Some(part) = self.bias_parts.get_mut(o) {
                let mut sum = s.load(part);
                for line in &self.dy[dy_at..dy_at + channel] {
                    sum = s.add(sum, s.load(line));
                }
                s.store(part, sum);
            }
        }
    }
}
