//! The inner loop of dense products: a tile of outputs held in registers.

// The two loads of the innermost loop are not checked one by one: `tile` asserts before the loop
// that the last of each lies inside its slice. With checked loads the product is a third slower.
#![allow(unsafe_code)]

use super::simd::{Line, Simd};

/// A matrix of scalars: element (r, k) at `at + r row + k column`.
#[derive(Clone, Copy)]
pub(super) struct Scalars<'a> {
    pub(super) values: &'a [f32],
    pub(super) at: usize,
    pub(super) row: usize,
    pub(super) column: usize,
}

/// A matrix of lines: element (k, l) at `at + k row + l`.
#[derive(Clone, Copy)]
pub(super) struct Lines<'a> {
    pub(super) values: &'a [Line],
    pub(super) at: usize,
    pub(super) row: usize,
}

/// start + sum over k < depth of a(r, k) b(k, l), for r < R and l < L.
///
/// # Panics
/// Where an element lies outside its slice.
#[inline(always)]
pub(super) fn tile<S: Simd, const R: usize, const L: usize>(
    s: S,
    depth: usize,
    a: Scalars<'_>,
    b: Lines<'_>,
    start: [f32; R],
) -> [[S::V; L]; R] {
    let mut sums = [[s.zero(); L]; R];
    for r in 0..R {
        sums[r] = [s.splat(start[r]); L];
    }
    if depth == 0 {
        return sums;
    }
    assert!(a.at + (R - 1) * a.row + (depth - 1) * a.column < a.values.len(), "scalars of a tile");
    assert!(b.at + (depth - 1) * b.row + L <= b.values.len(), "lines of a tile");
    for k in 0..depth {
        let mut lines = [s.zero(); L];
        for l in 0..L {
            // SAFETY: k < depth and l < L: not beyond the place asserted above.
            lines[l] = s.load(unsafe { b.values.get_unchecked(b.at + k * b.row + l) });
        }
        for r in 0..R {
            // SAFETY: k < depth and r < R: not beyond the place asserted above.
            let x = s.splat(unsafe { *a.values.get_unchecked(a.at + r * a.row + k * a.column) });
            for l in 0..L {
                sums[r][l] = s.fma(x, lines[l], sums[r][l]);
            }
        }
    }
    sums
}
