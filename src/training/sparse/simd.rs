//! Sixteen floats at a time, on the instruction set that is chosen at run time.
//!
//! Everything here works on a [`Line`], 16 floats of 64 bytes: one register of AVX-512, two of
//! AVX2, a plain array elsewhere. Kernels are written once, generic in [`Simd`], and inlined into a
//! function that is compiled for the instruction set ([`InstructionSet::run`]).

// The floats of lines are looked at as one slice; the intrinsics are in the files of their sets.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
mod set;

pub use set::InstructionSet;

/// Floats in a [`Line`].
pub(super) const LANES: usize = 16;

/// Floats of half a line, where rows of sixteen would be mostly empty.
pub(super) const HALF: usize = 8;

/// Sixteen whole numbers, one a lane.
pub(super) type Bytes = [u8; LANES];

/// Sixteen whole numbers from 0 to 255, one a lane, as upper halves of floats in the order of the instruction set
/// that stored them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(32))]
pub(super) struct Halves(pub [u16; LANES]);

impl Halves {
    pub(super) const ZERO: Self = Self([0; LANES]);
}

/// Sixteen floats, aligned as the widest registers want them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub(super) struct Line(pub [f32; LANES]);

impl Line {
    pub(super) const ZERO: Self = Self([0.0; LANES]);
}

/// The floats of lines, in order.
pub(super) fn floats(lines: &[Line]) -> &[f32] {
    // SAFETY: a line is 16 floats without padding (`repr(C)`, 64 bytes), aligned more strictly.
    unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * LANES) }
}

/// The floats of lines, in order.
pub(super) fn floats_mut(lines: &mut [Line]) -> &mut [f32] {
    // SAFETY: as in `floats`; the borrow is unique.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * LANES) }
}

/// Arithmetic on lines. Methods are safe: a value of `Self` exists only where the instructions do.
pub(super) trait Simd: Copy {
    /// A line in registers.
    type V: Copy;
    /// Eight floats in registers.
    type H: Copy;
    /// Which lanes.
    type M: Copy;
    /// Whether a line is one register and there are 32 of them: how much a kernel holds at once.
    const WIDE: bool;

    fn splat(self, x: f32) -> Self::V;
    fn load(self, line: &Line) -> Self::V;
    /// Of sixteen floats without alignment.
    fn load_any(self, floats: &[f32; LANES]) -> Self::V;
    fn store(self, line: &mut Line, v: Self::V);
    /// To sixteen floats without alignment.
    fn store_any(self, floats: &mut [f32; LANES], v: Self::V);
    /// Whole numbers as floats.
    fn load_bytes(self, bytes: &Bytes) -> Self::V;
    /// Floats that are whole numbers from 0 to 255.
    fn store_bytes(self, bytes: &mut Bytes, v: Self::V);
    fn load_halves(self, halves: &Halves) -> Self::V;
    /// Floats that are whole numbers from 0 to 255: their lower halves are zero.
    fn store_halves(self, halves: &mut Halves, v: Self::V);
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    fn sqrt(self, a: Self::V) -> Self::V;
    /// a b + c, rounded once where the instruction set can.
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The larger; b where a is NaN.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// The nearest whole number.
    fn round(self, a: Self::V) -> Self::V;
    /// 2^a for whole a from -126 to 127.
    fn power_of_two(self, a: Self::V) -> Self::V;
    /// Where a > b.
    fn greater(self, a: Self::V, b: Self::V) -> Self::M;
    /// Where a = b.
    fn equal(self, a: Self::V, b: Self::V) -> Self::M;
    /// `a` on the lanes of `m`, `b` on the others.
    fn select(self, m: Self::M, a: Self::V, b: Self::V) -> Self::V;
    /// One bit a lane, the first one lowest.
    fn bits(self, m: Self::M) -> u32;
    /// Stores the lanes of these bits one after the other; what is stored behind them has no meaning.
    fn pack(self, floats: &mut [f32; LANES], bits: u32, v: Self::V);
    /// As [`Simd::pack`], for `first` + lane.
    fn pack_places(self, places: &mut [u32; LANES], bits: u32, first: u32);
    /// The sum over the lanes.
    fn sum(self, a: Self::V) -> f32;
    fn half_splat(self, x: f32) -> Self::H;
    fn half_load(self, floats: &[f32; HALF]) -> Self::H;
    fn half_store(self, floats: &mut [f32; HALF], v: Self::H);
    /// a b + c.
    fn half_fma(self, a: Self::H, b: Self::H, c: Self::H) -> Self::H;

    fn zero(self) -> Self::V {
        self.splat(0.0)
    }

    /// The sums of sixteen lines, one a lane.
    #[inline(always)]
    fn sums(self, lines: [Self::V; LANES]) -> Self::V {
        let mut sums = [0.0; LANES];
        for (sum, line) in sums.iter_mut().zip(lines) {
            *sum = self.sum(line);
        }
        self.load_any(&sums)
    }

    /// Lane j of line i becomes lane i of line j.
    #[inline(always)]
    fn transpose(self, lines: [Self::V; LANES]) -> [Self::V; LANES] {
        let mut square = [Line::ZERO; LANES];
        for i in 0..LANES {
            self.store(&mut square[i], lines[i]);
        }
        let mut turned = [self.zero(); LANES];
        for j in 0..LANES {
            let mut line = Line::ZERO;
            for i in 0..LANES {
                line.0[i] = square[i].0[j];
            }
            turned[j] = self.load(&line);
        }
        turned
    }

    /// Where the bytes are `one`, one bit a lane.
    #[inline(always)]
    fn equal_bytes(self, bytes: &Bytes, one: u8) -> u32 {
        bytes.iter().rev().fold(0, |bits, &byte| bits << 1 | u32::from(byte == one))
    }

    /// Lane j of line i becomes lane i of line j.
    #[inline(always)]
    fn transpose_bytes(self, lines: [Bytes; LANES]) -> [Bytes; LANES] {
        std::array::from_fn(|j| std::array::from_fn(|i| lines[i][j]))
    }

    /// Asks for the cache line of `at` to be fetched into the second cache.
    #[inline(always)]
    fn prefetch<T>(self, _at: &T) {}
}

/// Work that is compiled for every instruction set. `run` must be `#[inline(always)]`, as everything
/// that it calls on lines: what is not inlined is compiled for the portable set.
pub(super) trait Kernel {
    type Output;
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}
