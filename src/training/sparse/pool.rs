//! Max pooling of feature maps, forward with the place of the largest value and backward to it.

use super::frame::Frame;
use super::rows::{Finish, block_mut};
use super::simd::{Bytes, Kernel, Line, Simd};

/// The shape of a pooling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pool {
    pub(super) input: Frame,
    pub(super) output: Frame,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    /// Whether its inputs are those of a ReLU.
    pub(super) relu: bool,
}

/// The place of a largest input that has no gradient.
const NONE: u8 = u8::MAX;
/// The widest window whose places are all below [`NONE`].
pub(super) const MAX_KERNEL: usize = 15;

impl Pool {
    /// Whether no two windows have an input in common.
    pub(super) fn is_apart(&self) -> bool {
        self.stride >= self.kernel
    }

    /// Asks for the places of a row of outputs, and for the row in `lines` too: rows of channels lie far apart, and
    /// nothing announces the next one. Nothing where there is no such channel.
    #[inline(always)]
    pub(super) fn fetch_row<S: Simd>(
        &self,
        s: S,
        (channel, row): (usize, usize),
        places: &[Bytes],
        lines: Option<&[Line]>,
    ) {
        let Frame { channels, height, width, .. } = self.output;
        if channel >= channels {
            return;
        }
        let (at, cell) = (self.output.at(channel, row, 0), (channel * height + row) * width);
        // Four to a cache line.
        for place in places[cell..cell + width].iter().step_by(4) {
            s.prefetch(place);
        }
        if let Some(lines) = lines {
            for line in &lines[at..at + width] {
                s.prefetch(line);
            }
        }
    }

    /// One row of outputs of `channel`, of which the windows' first inputs begin at `x[first]`, rows `width`
    /// lines apart: the largest of each window and its place, `ky kernel + kx`; the first of equal ones. Where a
    /// ReLU is before it, a largest input of 0 has no gradient and is in the place [`NONE`].
    #[inline(always)]
    pub(super) fn row<S: Simd>(
        &self,
        s: S,
        (channel, row): (usize, usize),
        (x, first, width): (&[Line], usize, usize),
        (y, places): (&mut [Line], &mut [Bytes]),
    ) {
        let Self { output, kernel, stride, .. } = *self;
        let cell = (channel * output.height + row) * output.width;
        let at = output.at(channel, row, 0);
        let ends = y[at..at + output.width].iter_mut().zip(&mut places[cell..cell + output.width]);
        if kernel == 2 {
            for (column, (y, place)) in ends.enumerate() {
                let at = first + column * stride;
                let (upper, lower) = (&x[at..at + 2], &x[at + width..at + width + 2]);
                let window = [s.load(&upper[0]), s.load(&upper[1]), s.load(&lower[0]), s.load(&lower[1])];
                let (largest, largest_at) = Self::largest_of_four(s, window);
                self.store(s, (y, place), largest, largest_at);
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
                    largest_at = s.select(larger, s.splat((ky * kernel + kx) as f32), largest_at);
                }
            }
            self.store(s, (y, place), largest, largest_at);
        }
    }

    /// The largest of a window of 2 x 2, row by row, and its place; the first of equal ones.
    #[inline(always)]
    pub(super) fn largest_of_four<S: Simd>(s: S, [a, b, c, d]: [S::V; 4]) -> (S::V, S::V) {
        let (right, left) = (s.greater(b, a), s.greater(d, c));
        let (a, c) = (s.select(right, b, a), s.select(left, d, c));
        let below = s.greater(c, a);
        let (p, q) = (s.select(right, s.splat(1.0), s.zero()), s.select(left, s.splat(3.0), s.splat(2.0)));
        (s.select(below, c, a), s.select(below, q, p))
    }

    /// An output and its place.
    #[inline(always)]
    pub(super) fn store<S: Simd>(&self, s: S, (y, place): (&mut Line, &mut Bytes), largest: S::V, largest_at: S::V) {
        let none = s.splat(f32::from(NONE));
        let some = s.greater(largest, s.zero());
        s.store(y, largest);
        s.store_bytes(place, if self.relu { s.select(some, largest_at, none) } else { largest_at });
    }

    /// The gradient of a window's output through `finish`, 0 where it has none, and its place.
    #[inline(always)]
    pub(super) fn gated<S: Simd>(s: S, (dy, place, at): (&Line, &Bytes, usize), finish: Finish<'_>) -> (S::V, S::V) {
        let place = s.load_bytes(place);
        let some = s.greater(s.splat(f32::from(NONE)), place);
        (s.select(some, finish.apply(s, s.load(dy), at), s.zero()), place)
    }

    /// The way back of one row of windows of `channel`: `finish(dy)` at the place of the largest input, 0 at the
    /// others, to rows `width` lines apart from `to[first]` on; added where windows have inputs in common. The sum
    /// of what went back.
    #[inline(always)]
    pub(super) fn back_row<S: Simd>(
        &self,
        s: S,
        (channel, row): (usize, usize),
        (dy, places, finish): (&[Line], &[Bytes], Finish<'_>),
        (to, first, width): (&mut [Line], usize, usize),
    ) -> S::V {
        let Self { output, kernel, stride, .. } = *self;
        let mut sum = s.zero();
        let cell = (channel * output.height + row) * output.width;
        let at = output.at(channel, row, 0);
        let cells = dy[at..at + output.width].iter().zip(&places[cell..cell + output.width]).enumerate();
        if kernel == 2 && self.is_apart() {
            let steps = [s.zero(), s.splat(1.0), s.splat(2.0), s.splat(3.0)];
            for (column, (dy, place)) in cells {
                let (d, place) = Self::gated(s, (dy, place, at + column), finish);
                sum = s.add(sum, d);
                let mut spread = [s.zero(); 4];
                for (part, step) in spread.iter_mut().zip(steps) {
                    *part = s.select(s.equal(place, step), d, s.zero());
                }
                let first = first + column * stride;
                let upper = block_mut::<2>(to, first);
                s.store(&mut upper[0], spread[0]);
                s.store(&mut upper[1], spread[1]);
                let lower = block_mut::<2>(to, first + width);
                s.store(&mut lower[0], spread[2]);
                s.store(&mut lower[1], spread[3]);
            }
            return sum;
        }
        for (column, (dy, place)) in cells {
            let (d, place) = Self::gated(s, (dy, place, at + column), finish);
            sum = s.add(sum, d);
            let first = first + column * stride;
            for ky in 0..kernel {
                for kx in 0..kernel {
                    let here = s.equal(place, s.splat((ky * kernel + kx) as f32));
                    let to = &mut to[first + ky * width + kx];
                    let part = s.select(here, d, s.zero());
                    let part = if self.is_apart() { part } else { s.add(s.load(to), part) };
                    s.store(to, part);
                }
            }
        }
        sum
    }
}

/// y = the largest of each window, with its place.
pub(super) struct Forward<'a> {
    pub(super) pool: &'a Pool,
    pub(super) x: &'a [Line],
    pub(super) y: &'a mut [Line],
    pub(super) places: &'a mut [Bytes],
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

/// dx = dy at the place of the largest value, 0 elsewhere.
pub(super) struct Backward<'a> {
    pub(super) pool: &'a Pool,
    pub(super) dy: &'a [Line],
    pub(super) places: &'a [Bytes],
    pub(super) dx: &'a mut [Line],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { pool, dy, places, dx } = self;
        dx.fill(Line::ZERO);
        for channel in 0..pool.output.channels {
            for row in 0..pool.output.height {
                let first = pool.input.at(channel, row * pool.stride, 0);
                let to = (&mut *dx, first, pool.input.row());
                pool.back_row(s, (channel, row), (dy, places, Finish::Plain), to);
            }
        }
    }
}
