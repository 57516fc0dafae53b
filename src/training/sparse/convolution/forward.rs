//! The way forward: a piece of an output row in registers, tap by tap, and the pooling of finished rows.

use super::super::frame::Frame;
use super::super::pool::Pool;
use super::super::rows::{Finish, block, block_mut};
use super::super::simd::{Bytes, Kernel, Line, Simd};
use super::Taps;

/// The outputs of a group.
pub(super) struct Forward<'a> {
    pub(super) taps: &'a Taps,
    pub(super) x: &'a [Line],
    pub(super) finish: Finish<'a>,
    /// In the frame `output`, which the layer after it wants.
    pub(super) y: &'a mut [Line],
    pub(super) output: Frame,
}

/// The same, pooled by windows that have no input in common: the outputs of one row of windows alone are held.
pub(super) struct Pooled<'a> {
    pub(super) taps: &'a Taps,
    pub(super) x: &'a [Line],
    pub(super) finish: Finish<'a>,
    pub(super) rows: &'a mut [Line],
    pub(super) pool: &'a Pool,
    pub(super) y: &'a mut [Line],
    pub(super) places: &'a mut [Bytes],
}

/// What is common to all pieces.
#[derive(Clone, Copy)]
struct Source<'a> {
    taps: &'a Taps,
    x: &'a [Line],
    finish: Finish<'a>,
}

impl Source<'_> {
    /// `C` outputs of channel `o` from column `x` on, of `rows` rows from `y` on, to lines `row` apart.
    #[inline(always)]
    fn outputs<S: Simd, const C: usize>(
        self,
        s: S,
        o: usize,
        (y, rows, x): (usize, usize, usize),
        (to, at, row): (&mut [Line], usize, usize),
    ) {
        for r in 0..rows {
            if self.taps.stride > 1 {
                self.strided::<S, C>(s, o, (y + r, x), (to, at + r * row));
            } else if S::WIDE && r + 1 < rows && r % 2 == 0 {
                self.row::<S, C, true>(s, o, (y + r, x), (to, at + r * row, row));
            } else if !S::WIDE || r % 2 == 0 {
                self.row::<S, C, false>(s, o, (y + r, x), (to, at + r * row, row));
            }
        }
    }

    /// `C` outputs of one row, or of two where `TWO`.
    #[inline(always)]
    fn row<S: Simd, const C: usize, const TWO: bool>(
        self,
        s: S,
        o: usize,
        from: (usize, usize),
        (to, at, next): (&mut [Line], usize, usize),
    ) {
        let [upper, lower] = self.sums::<S, C, TWO>(s, o, from);
        self.store(s, block_mut::<C>(to, at), upper);
        if TWO {
            self.store(s, block_mut::<C>(to, at + next), lower);
        }
    }

    /// `C` sums of one row, and of the row below where `TWO`.
    ///
    /// The sums are two arrays, not one of rows: the compiler keeps only the former in registers.
    #[inline(always)]
    fn sums<S: Simd, const C: usize, const TWO: bool>(self, s: S, o: usize, (y, x): (usize, usize)) -> [[S::V; C]; 2] {
        let taps = self.taps;
        let (start, end) = (taps.starts[o] as usize, taps.starts[o + 1] as usize);
        let bias = taps.bias.as_ref().map_or(0.0, |bias| bias.values()[o]);
        let mut upper = [s.splat(bias); C];
        let mut lower = [s.splat(bias); C];
        let row = taps.input.row();
        // Nothing where no tap is kept.
        let inputs = self.x.get(y * row + x..).unwrap_or_default();
        // Loads are left to the multiply-add: pieces held in registers would push sums out of them.
        for (&offset, &w) in taps.offsets[start..end].iter().zip(&taps.values.values()[start..end]) {
            let w = s.splat(w);
            let x = block::<C, _>(inputs, offset as usize);
            for c in 0..C {
                upper[c] = s.fma(w, s.load(&x[c]), upper[c]);
            }
            if TWO {
                let x = block::<C, _>(inputs, offset as usize + row);
                for c in 0..C {
                    lower[c] = s.fma(w, s.load(&x[c]), lower[c]);
                }
            }
        }
        [upper, lower]
    }

    /// `C` outputs of two rows from row `y` and column `x` on, pooled by windows of 2 x 2 before they leave the
    /// registers. An activation that never falls may follow the choice of the largest.
    #[inline(always)]
    fn pooled<S: Simd, const C: usize>(
        self,
        s: S,
        pool: &Pool,
        o: usize,
        (y, x): (usize, usize),
        (pooled, places): (&mut [Line], &mut [Bytes]),
    ) {
        let [upper, lower] = self.sums::<S, C, true>(s, o, (y, x));
        let at = pool.output.at(o, y / 2, x / 2);
        let cell = (o * pool.output.height + y / 2) * pool.output.width + x / 2;
        let ends = pooled[at..at + C / 2].iter_mut().zip(&mut places[cell..cell + C / 2]);
        for (c, to) in ends.enumerate() {
            let window = [upper[2 * c], upper[2 * c + 1], lower[2 * c], lower[2 * c + 1]];
            let (largest, largest_at) = Pool::largest_of_four(s, window);
            pool.store(s, to, self.finish.apply(s, largest, 0), largest_at);
        }
    }

    #[inline(always)]
    fn store<S: Simd, const C: usize>(self, s: S, to: &mut [Line; C], sums: [S::V; C]) {
        for c in 0..C {
            s.store(&mut to[c], self.finish.apply(s, sums[c], 0));
        }
    }

    /// `C` outputs of a row with a stride.
    #[inline(always)]
    fn strided<S: Simd, const C: usize>(self, s: S, o: usize, (y, x): (usize, usize), (to, at): (&mut [Line], usize)) {
        let taps = self.taps;
        let (start, end) = (taps.starts[o] as usize, taps.starts[o + 1] as usize);
        let mut sums = [s.splat(taps.bias.as_ref().map_or(0.0, |bias| bias.values()[o])); C];
        let base = (y * taps.input.row() + x) * taps.stride;
        for (&offset, &w) in taps.offsets[start..end].iter().zip(&taps.values.values()[start..end]) {
            let w = s.splat(w);
            for c in 0..C {
                sums[c] = s.fma(w, s.load(&self.x[base + offset as usize + c * taps.stride]), sums[c]);
            }
        }
        self.store(s, block_mut::<C>(to, at), sums);
    }
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let source = Source { taps: self.taps, x: self.x, finish: self.finish };
        let Frame { channels, height, width, .. } = self.output;
        // All channels read the same piece of the input, while it is near.
        for y in (0..height).step_by(2) {
            let rows = 2.min(height - y);
            pieces!(S, width, |x, C| {
                for o in 0..channels {
                    let to = (&mut *self.y, self.output.at(o, y, x), self.output.row());
                    source.outputs::<S, C>(s, o, (y, rows, x), to);
                }
            });
        }
    }
}

impl Kernel for Pooled<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { taps, x: input, finish, rows, pool, y: pooled, places } = self;
        let source = Source { taps, x: input, finish };
        let Frame { channels, width, .. } = taps.output;
        let kernel = pool.kernel;
        // Windows of one row and one channel leave the registers as they are finished.
        let in_registers = S::WIDE && width % 2 == 0 && (kernel, pool.stride, taps.stride) == (2, 2, 1);
        for row in 0..pool.output.height {
            let y = row * pool.stride;
            if in_registers {
                // Whole windows, of two rows that 32 registers hold.
                cut!(
                    width,
                    |x, C| {
                        for o in 0..channels {
                            if x == 0 {
                                pool.fetch_row(s, (o + 1, row), places, Some(pooled));
                            }
                            source.pooled::<S, C>(s, pool, o, (y, x), (&mut *pooled, &mut *places));
                        }
                    },
                    14 | 28.. => 14, 10.. => 10, 4.. => 4, _ => 2
                );
                continue;
            }
            if taps.is_near() {
                // The outputs of one channel stay as near as the inputs.
                for o in 0..channels {
                    pool.fetch_row(s, (o, row), places, Some(pooled));
                    pieces!(S, width, |x, C| source.outputs::<S, C>(s, o, (y, kernel, x), (&mut *rows, x, width)));
                    pool.row(s, (o, row), (rows, 0, width), (pooled, places));
                }
                continue;
            }
            pieces!(S, width, |x, C| {
                for o in 0..channels {
                    let to = (&mut *rows, o * kernel * width + x, width);
                    source.outputs::<S, C>(s, o, (y, kernel, x), to);
                }
            });
            for o in 0..channels {
                pool.fetch_row(s, (o + 1, row), places, Some(pooled));
                pool.row(s, (o, row), (rows, o * kernel * width, width), (pooled, places));
            }
        }
    }
}
