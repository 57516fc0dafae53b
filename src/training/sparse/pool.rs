//! Max pooling of feature maps, forward with the place of the largest value and backward to it.

use std::ops::Range;

use super::frame::Frame;
use super::rows::Finish;
use super::simd::{Kernel, Line, Simd};

/// The shape of a pooling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pool {
    pub(super) input: Frame,
    pub(super) output: Frame,
    pub(super) kernel: usize,
    pub(super) stride: usize,
}

/// y = the largest of each window; place = its number in the window, the first of equal ones.
pub(super) struct Forward<'a> {
    pub(super) pool: &'a Pool,
    pub(super) channels: Range<usize>,
    /// From the first of `channels` on.
    pub(super) x: &'a [Line],
    pub(super) y: &'a mut [Line],
    pub(super) places: &'a mut [Line],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Pool { input, output, kernel, stride } = *self.pool;
        let mut cell = self.channels.start * output.height * output.width;
        for channel in self.channels.clone() {
            for row in 0..output.height {
                for column in 0..output.width {
                    let first = input.at(channel - self.channels.start, row * stride, column * stride);
                    let mut largest = s.load(&self.x[first]);
                    let mut place = s.zero();
                    for ky in 0..kernel {
                        for kx in 0..kernel {
                            let x = s.load(&self.x[first + ky * input.row() + kx]);
                            let larger = s.greater(x, largest);
                            largest = s.select(larger, x, largest);
                            place = s.select(larger, s.splat((ky * kernel + kx) as f32), place);
                        }
                    }
                    s.store(&mut self.y[output.at(channel, row, column)], largest);
                    s.store(&mut self.places[cell], place);
                    cell += 1;
                }
            }
        }
    }
}

/// dx = finish(dy) at the place of the largest value, 0 elsewhere.
pub(super) struct Backward<'a> {
    pub(super) pool: &'a Pool,
    pub(super) channels: Range<usize>,
    pub(super) dy: &'a [Line],
    pub(super) places: &'a [Line],
    pub(super) finish: Finish<'a>,
    /// From the first of `channels` on.
    pub(super) dx: &'a mut [Line],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Pool { input, output, kernel, stride } = *self.pool;
        // Windows that neither overlap nor leave a gap write every input once.
        let apart = stride == kernel && output.height * stride == input.height && output.width * stride == input.width;
        if !apart {
            self.dx.fill(Line::ZERO);
        }
        let mut cell = self.channels.start * output.height * output.width;
        for channel in self.channels.clone() {
            for row in 0..output.height {
                for column in 0..output.width {
                    let at = output.at(channel, row, column);
                    let d = self.finish.apply(s, s.load(&self.dy[at]), at);
                    let place = s.load(&self.places[cell]);
                    let first = input.at(channel - self.channels.start, row * stride, column * stride);
                    for ky in 0..kernel {
                        for kx in 0..kernel {
                            let here = s.equal(place, s.splat((ky * kernel + kx) as f32));
                            let dx = &mut self.dx[first + ky * input.row() + kx];
                            let part = s.select(here, d, s.zero());
                            let sum = if apart { part } else { s.add(s.load(dx), part) };
                            s.store(dx, sum);
                        }
                    }
                    cell += 1;
                }
            }
        }
    }
}
