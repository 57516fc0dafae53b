//! Registers of floats: whole lines, or halves where lines would be mostly empty or need two registers.

// Pieces are not checked one by one: with a check for each the inner loops take twice as long.
#![allow(unsafe_code)]

use super::simd::{HALF, LANES, Simd};

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
