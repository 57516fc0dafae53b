//! Pieces of a patch: whole lines, or halves where lines would be mostly empty or need two registers.

// A patch is checked once, not piece by piece: with a check for each the inner loops take twice as long.
#![allow(unsafe_code)]

use super::super::simd::{HALF, LANES, Simd};

/// Where a part of a patch begins: the row of the kernel, and the piece of that row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) row: usize,
    pub(super) piece: usize,
}

/// Floats of one register.
pub(super) trait Piece<S: Simd> {
    type V: Copy;
    const FLOATS: usize;
    fn splat(s: S, x: f32) -> Self::V;
    /// # Safety
    /// `at + FLOATS` is not beyond the end.
    unsafe fn load(s: S, floats: &[f32], at: usize) -> Self::V;
    /// # Safety
    /// `at + FLOATS` is not beyond the end.
    unsafe fn store(s: S, floats: &mut [f32], at: usize, v: Self::V);
    /// a b + c.
    fn fma(s: S, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
}

/// Where N pieces lie among floats: W side by side in each row, rows `stride` floats apart, from `at` on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) at: usize,
    pub(super) stride: usize,
}

impl Place {
    #[inline(always)]
    fn check<S: Simd, P: Piece<S>, const N: usize, const W: usize>(self, length: usize) {
        assert!(self.at + (N / W - 1) * self.stride + W * P::FLOATS <= length, "a patch lies within its image");
    }

    /// The pieces.
    #[inline(always)]
    pub(super) fn load<S: Simd, P: Piece<S>, const N: usize, const W: usize>(self, s: S, floats: &[f32]) -> [P::V; N] {
        self.check::<S, P, N, W>(floats.len());
        let mut pieces = [P::splat(s, 0.0); N];
        for n in 0..N {
            // SAFETY: the last piece ends where `check` looked.
            pieces[n] = unsafe { P::load(s, floats, self.at + n / W * self.stride + n % W * P::FLOATS) };
        }
        pieces
    }

    /// sums + g pieces.
    #[inline(always)]
    pub(super) fn add<S: Simd, P: Piece<S>, const N: usize, const W: usize>(
        self,
        s: S,
        floats: &[f32],
        g: f32,
        mut sums: [P::V; N],
    ) -> [P::V; N] {
        self.check::<S, P, N, W>(floats.len());
        let g = P::splat(s, g);
        for n in 0..N {
            // SAFETY: the last piece ends where `check` looked.
            let piece = unsafe { P::load(s, floats, self.at + n / W * self.stride + n % W * P::FLOATS) };
            sums[n] = P::fma(s, g, piece, sums[n]);
        }
        sums
    }

    /// Writes the pieces, in ascending order.
    #[inline(always)]
    pub(super) fn store<S: Simd, P: Piece<S>, const N: usize, const W: usize>(
        self,
        s: S,
        floats: &mut [f32],
        pieces: [P::V; N],
    ) {
        self.check::<S, P, N, W>(floats.len());
        for n in 0..N {
            // SAFETY: the last piece ends where `check` looked.
            unsafe { P::store(s, floats, self.at + n / W * self.stride + n % W * P::FLOATS, pieces[n]) };
        }
    }
}

/// Sixteen floats.
pub(super) struct Whole;

/// Eight floats.
pub(super) struct Half;

macro_rules! piece {
    ($name:ident, $V:ident, $floats:ident, $splat:ident, $load:ident, $store:ident, $fma:ident) => {
        impl<S: Simd> Piece<S> for $name {
            type V = S::$V;
            const FLOATS: usize = $floats;

            #[inline(always)]
            fn splat(s: S, x: f32) -> Self::V {
                s.$splat(x)
            }
            #[inline(always)]
            unsafe fn load(s: S, floats: &[f32], at: usize) -> Self::V {
                // SAFETY: the caller's.
                s.$load(unsafe { &*floats.as_ptr().add(at).cast() })
            }
            #[inline(always)]
            unsafe fn store(s: S, floats: &mut [f32], at: usize, v: Self::V) {
                // SAFETY: the caller's.
                s.$store(unsafe { &mut *floats.as_mut_ptr().add(at).cast() }, v);
            }
            #[inline(always)]
            fn fma(s: S, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
                s.$fma(a, b, c)
            }
        }
    };
}

piece!(Whole, V, LANES, splat, load_any, store_any, fma);
piece!(Half, H, HALF, half_splat, half_load, half_store, half_fma);
