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

impl Pool {
    /// Whether no two windows have an input in common.
    pub(super) fn is_apart(&self) -> bool {
        self.stride >= self.kernel
    }

    /// One row of outputs of `channel`, of which the windows' first inputs begin at `x[first]`, rows `width`
    /// lines apart: the largest of each window and its place, as lines after the window's first input; the
    /// first of equal ones.
    #[inline(always)]
    pub(super) fn row<S: Simd>(
        &self,
        s: S,
        (channel, row): (usize, usize),
        (x, first, width): (&[Line], usize, usize),
        (y, places): (&mut [Line], &mut [Line]),
    ) {
        let Self { output, kernel, stride, .. } = *self;
        let cell = (channel * output.height + row) * output.width;
        let at = output.at(channel, row, 0);
        let ends = y[at..at + output.width].iter_mut().zip(&mut places[cell..cell + output.width]);
        if kernel == 2 {
            let steps = [s.zero(), s.splat(1.0), s.splat(width as f32), s.splat((width + 1) as f32)];
            for (column, (y, place)) in ends.enumerate() {
                let at = first + column * stride;
                let (upper, lower) = (&x[at..at + 2], &x[at + width..at + width + 2]);
                let (a, b) = (s.load(&upper[0]), s.load(&upper[1]));
                let (c, d) = (s.load(&lower[0]), s.load(&lower[1]));
                let (right, left) = (s.greater(b, a), s.greater(d, c));
                let (a, c) = (s.select(right, b, a), s.select(left, d, c));
                let below = s.greater(c, a);
                let (p, q) = (s.select(right, steps[1], steps[0]), s.select(left, steps[3], steps[2]));
                s.store(y, s.select(below, c, a));
                s.store(place, s.select(below, q, p));
            }
            return;
        }
        for (column, (y, place)) in ends.enumerate() {
            let first = first + column * stride;
            let mut largest = s.load(&x[first]);
            let mut largest_at = s.zero();
            for ky in 0..kernel {
                for kx in 0..kernel {
                    let x = s.load(&x[first + ky * width + kx]);
                    let larger = s.greater(x, largest);
                    largest = s.select(larger, x, largest);
                    largest_at = s.select(larger, s.splat((ky * width + kx) as f32), largest_at);
                }
            }
            s.store(y, largest);
            s.store(place, largest_at);
        }
    }
}

/// y = the largest of each window, with its place.
pub(super) struct Forward<'a> {
    pub(super) pool: &'a Pool,
    pub(super) x: &'a [Line],
    pub(super) y: &'a mut [Line],
    pub(super) places: &'a mut [Line],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { pool, x, y, places } = self;
        for channel in 0..pool.output.channels {
            for row in 0..pool.output.height {
                let first = pool.input.at(channel, row * pool.stride, 0);
                pool.row(s, (channel, row), (x, first, pool.input.row()), (y, places));
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
                            let here = s.equal(place, s.splat((ky * input.row() + kx) as f32));
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
