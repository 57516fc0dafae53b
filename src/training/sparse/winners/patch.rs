//! Patches of images with channels last, in pieces.

// A patch is checked once, not piece by piece: with a check for each the inner loops take twice as long.
#![allow(unsafe_code)]

use super::super::piece::Piece;
use super::super::simd::Simd;

/// Where a part of a patch begins: the row of the kernel, and the piece of that row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) row: usize,
    pub(super) piece: usize,
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
