//! AVX2 with fused multiply-add: a line in two registers.

// Intrinsics are unsafe where the compiler cannot see that the instruction set is there. A token is made in
// `InstructionSet::run` alone, where the processor was asked: holding one proves that its instructions exist.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{Bytes, HALF, Halves, LANES, Line, Simd};

/// AVX2 with fused multiply-add: a line in two registers.
#[derive(Clone, Copy)]
pub(super) struct Avx2(pub(super) ());

macro_rules! halves {
    ($f:ident, $($x:ident),+) => {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { [$f($($x[0]),+), $f($($x[1]),+)] }
    };
}

/// 2^a for eight whole a.
///
/// # Safety
/// Needs AVX2.
#[inline(always)]
unsafe fn power_of_two_avx2(a: __m256) -> __m256 {
    // SAFETY: the caller has AVX2.
    unsafe {
        let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(a), _mm256_set1_epi32(127));
        _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
    }
}

/// The sums of eight lines, in the order of `sum`: halves, quarters, then pairs two apart.
///
/// # Safety
/// Needs AVX2.
#[inline(always)]
unsafe fn sums_of_eight(v: [[__m256; 2]; HALF]) -> __m256 {
    // SAFETY: the caller has AVX2.
    unsafe {
        let mut halves = [v[0][0]; HALF];
        for i in 0..HALF {
            halves[i] = _mm256_add_ps(v[i][0], v[i][1]);
        }
        // Line i in the lower half, line i + 4 in the upper one.
        let mut fours = [v[0][0]; 4];
        for i in 0..4 {
            let low = _mm256_permute2f128_ps::<0x20>(halves[i], halves[i + 4]);
            fours[i] = _mm256_add_ps(low, _mm256_permute2f128_ps::<0x31>(halves[i], halves[i + 4]));
        }
        let (a, b) = (_mm256_unpacklo_ps(fours[0], fours[1]), _mm256_unpackhi_ps(fours[0], fours[1]));
        let (c, d) = (_mm256_unpacklo_ps(fours[2], fours[3]), _mm256_unpackhi_ps(fours[2], fours[3]));
        let (ab, cd) = (_mm256_add_ps(a, b), _mm256_add_ps(c, d));
        _mm256_add_ps(_mm256_shuffle_ps::<0x44>(ab, cd), _mm256_shuffle_ps::<0xee>(ab, cd))
    }
}

/// Lane j of register i becomes lane i of register j.
///
/// # Safety
/// Needs AVX2.
#[inline(always)]
unsafe fn transpose_eight(v: [__m256; 8]) -> [__m256; 8] {
    // SAFETY: the caller has AVX2.
    unsafe {
        let mut fours = [v[0]; 8];
        for i in 0..2 {
            let (a, b, c, d) = (v[4 * i], v[4 * i + 1], v[4 * i + 2], v[4 * i + 3]);
            let (ab, cd) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
            let (high_ab, high_cd) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
            fours[4 * i] = _mm256_shuffle_ps::<0x44>(ab, cd);
            fours[4 * i + 1] = _mm256_shuffle_ps::<0xee>(ab, cd);
            fours[4 * i + 2] = _mm256_shuffle_ps::<0x44>(high_ab, high_cd);
            fours[4 * i + 3] = _mm256_shuffle_ps::<0xee>(high_ab, high_cd);
        }
        let mut turned = fours;
        for i in 0..4 {
            turned[i] = _mm256_permute2f128_ps::<0x20>(fours[i], fours[i + 4]);
            turned[i + 4] = _mm256_permute2f128_ps::<0x31>(fours[i], fours[i + 4]);
        }
        turned
    }
}

/// Where the bytes are `one`, one bit a lane.
#[inline(always)]
pub(super) fn equal_bytes(bytes: &Bytes, one: u8) -> u32 {
    // SAFETY: every processor of the target has SSE2; the load stays in the 16 bytes.
    unsafe {
        let equal = _mm_cmpeq_epi8(_mm_loadu_si128(bytes.as_ptr().cast()), _mm_set1_epi8(one as i8));
        _mm_movemask_epi8(equal) as u32
    }
}

/// Lane j of line i becomes lane i of line j: four times each line is interleaved with the eighth after it.
#[inline(always)]
pub(super) fn transpose_bytes(lines: [Bytes; LANES]) -> [Bytes; LANES] {
    // SAFETY: every processor of the target has SSE2; loads and stores stay in the 16 bytes.
    unsafe {
        let mut v = [_mm_setzero_si128(); LANES];
        for i in 0..LANES {
            v[i] = _mm_loadu_si128(lines[i].as_ptr().cast());
        }
        for _ in 0..4 {
            let from = v;
            for i in 0..HALF {
                v[2 * i] = _mm_unpacklo_epi8(from[i], from[i + HALF]);
                v[2 * i + 1] = _mm_unpackhi_epi8(from[i], from[i + HALF]);
            }
        }
        let mut turned = lines;
        for i in 0..LANES {
            _mm_storeu_si128(turned[i].as_mut_ptr().cast(), v[i]);
        }
        turned
    }
}

/// The lanes of the bits of each of 256 numbers, in order.
const ORDERS: [[u8; HALF]; 256] = {
    let mut orders = [[0; HALF]; 256];
    let mut bits = 0;
    while bits < orders.len() {
        let (mut lane, mut count) = (0, 0);
        while lane < HALF {
            if bits >> lane & 1 == 1 {
                orders[bits][count] = lane as u8;
                count += 1;
            }
            lane += 1;
        }
        bits += 1;
    }
    orders
};

/// The lanes of the bits of `bits`, which are eight, in order.
///
/// # Safety
/// Needs AVX2.
#[inline(always)]
unsafe fn order(bits: u32) -> __m256i {
    // SAFETY: the caller has AVX2; the load stays in the eight bytes.
    unsafe { _mm256_cvtepu8_epi32(_mm_loadl_epi64(ORDERS[bits as usize].as_ptr().cast())) }
}

impl Simd for Avx2 {
    type V = [__m256; 2];
    type H = __m256;
    type M = [__m256; 2];
    const WIDE: bool = false;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        // SAFETY: the token proves AVX2.
        unsafe { [_mm256_set1_ps(x); 2] }
    }
    #[inline(always)]
    fn load(self, line: &Line) -> Self::V {
        self.load_any(&line.0)
    }
    #[inline(always)]
    fn load_any(self, floats: &[f32; LANES]) -> Self::V {
        // SAFETY: the token proves AVX2; the loads stay in the 16 floats.
        unsafe { [_mm256_loadu_ps(floats.as_ptr()), _mm256_loadu_ps(floats.as_ptr().add(8))] }
    }
    #[inline(always)]
    fn store(self, line: &mut Line, v: Self::V) {
        self.store_any(&mut line.0, v);
    }
    #[inline(always)]
    fn store_any(self, floats: &mut [f32; LANES], v: Self::V) {
        // SAFETY: the token proves AVX2; the stores stay in the 16 floats.
        unsafe {
            _mm256_storeu_ps(floats.as_mut_ptr(), v[0]);
            _mm256_storeu_ps(floats.as_mut_ptr().add(8), v[1]);
        }
    }
    #[inline(always)]
    fn load_bytes(self, bytes: &Bytes) -> Self::V {
        // SAFETY: the token proves AVX2; the load stays in the 16 bytes.
        unsafe {
            let bytes = _mm_loadu_si128(bytes.as_ptr().cast());
            let (low, high) = (_mm256_cvtepu8_epi32(bytes), _mm256_cvtepu8_epi32(_mm_srli_si128::<8>(bytes)));
            [_mm256_cvtepi32_ps(low), _mm256_cvtepi32_ps(high)]
        }
    }
    #[inline(always)]
    fn store_bytes(self, bytes: &mut Bytes, v: Self::V) {
        // SAFETY: the token proves AVX2; the store stays in the 16 bytes.
        unsafe {
            let words = _mm256_packs_epi32(_mm256_cvtps_epi32(v[0]), _mm256_cvtps_epi32(v[1]));
            // Packing takes quarters of both in turn.
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(words);
            let (low, high) = (_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
            _mm_storeu_si128(bytes.as_mut_ptr().cast(), _mm_packus_epi16(low, high));
        }
    }
    #[inline(always)]
    fn load_halves(self, halves: &Halves) -> Self::V {
        // Lane j in the upper half of word j, lane j + 8 in the lower one: one operation for eight floats.
        // SAFETY: the token proves AVX2; the load stays in the 32 bytes, which are aligned.
        unsafe {
            let words = _mm256_load_si256(halves.0.as_ptr().cast());
            let upper = _mm256_and_si256(words, _mm256_set1_epi32(0xffff_0000_u32 as i32));
            [_mm256_castsi256_ps(upper), _mm256_castsi256_ps(_mm256_slli_epi32::<16>(words))]
        }
    }
    #[inline(always)]
    fn store_halves(self, halves: &mut Halves, v: Self::V) {
        // SAFETY: the token proves AVX2; the store stays in the 32 bytes, which are aligned.
        unsafe {
            let lower = _mm256_srli_epi32::<16>(_mm256_castps_si256(v[1]));
            let words = _mm256_or_si256(_mm256_castps_si256(v[0]), lower);
            _mm256_store_si256(halves.0.as_mut_ptr().cast(), words);
        }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        halves!(_mm256_add_ps, a, b)
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        halves!(_mm256_sub_ps, a, b)
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        halves!(_mm256_mul_ps, a, b)
    }
    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        halves!(_mm256_div_ps, a, b)
    }
    #[inline(always)]
    fn sqrt(self, a: Self::V) -> Self::V {
        halves!(_mm256_sqrt_ps, a)
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        halves!(_mm256_fmadd_ps, a, b, c)
    }
    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        halves!(_mm256_max_ps, a, b)
    }
    #[inline(always)]
    fn round(self, a: Self::V) -> Self::V {
        // SAFETY: the token proves AVX2. 8: to the nearest, no exceptions.
        unsafe { [_mm256_round_ps::<8>(a[0]), _mm256_round_ps::<8>(a[1])] }
    }
    #[inline(always)]
    fn power_of_two(self, a: Self::V) -> Self::V {
        halves!(power_of_two_avx2, a)
    }
    #[inline(always)]
    fn greater(self, a: Self::V, b: Self::V) -> Self::M {
        // SAFETY: the token proves AVX2.
        unsafe { [_mm256_cmp_ps::<_CMP_GT_OQ>(a[0], b[0]), _mm256_cmp_ps::<_CMP_GT_OQ>(a[1], b[1])] }
    }
    #[inline(always)]
    fn equal(self, a: Self::V, b: Self::V) -> Self::M {
        // SAFETY: the token proves AVX2.
        unsafe { [_mm256_cmp_ps::<_CMP_EQ_OQ>(a[0], b[0]), _mm256_cmp_ps::<_CMP_EQ_OQ>(a[1], b[1])] }
    }
    #[inline(always)]
    fn select(self, m: Self::M, a: Self::V, b: Self::V) -> Self::V {
        halves!(_mm256_blendv_ps, b, a, m)
    }
    #[inline(always)]
    fn sum(self, a: Self::V) -> f32 {
        // SAFETY: the token proves AVX2.
        unsafe {
            let eight = _mm256_add_ps(a[0], a[1]);
            let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
    #[inline(always)]
    fn prefetch<T>(self, at: &T) {
        // SAFETY: a prefetch reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(std::ptr::from_ref(at).cast()) }
    }
    #[inline(always)]
    fn bits(self, m: Self::M) -> u32 {
        // SAFETY: the token proves AVX2.
        unsafe { _mm256_movemask_ps(m[0]) as u32 | (_mm256_movemask_ps(m[1]) as u32) << HALF }
    }
    #[inline(always)]
    fn sums(self, v: [Self::V; LANES]) -> Self::V {
        let mut sums = self.zero();
        for (half, sums) in sums.iter_mut().enumerate() {
            let mut eight = [v[0]; HALF];
            for i in 0..HALF {
                eight[i] = v[half * HALF + i];
            }
            // SAFETY: the token proves AVX2.
            *sums = unsafe { sums_of_eight(eight) };
        }
        sums
    }
    #[inline(always)]
    fn transpose(self, v: [Self::V; LANES]) -> [Self::V; LANES] {
        let mut turned = v;
        for rows in 0..2 {
            for half in 0..2 {
                let mut square = [v[0][0]; HALF];
                for i in 0..HALF {
                    square[i] = v[rows * HALF + i][half];
                }
                // SAFETY: the token proves AVX2.
                let square = unsafe { transpose_eight(square) };
                for i in 0..HALF {
                    turned[half * HALF + i][rows] = square[i];
                }
            }
        }
        turned
    }
    #[inline(always)]
    fn pack(self, floats: &mut [f32; LANES], bits: u32, v: Self::V) {
        let (low, high) = (bits & 0xff, bits >> HALF & 0xff);
        // SAFETY: the token proves AVX2; eight floats from a place that is at most the eighth.
        unsafe {
            _mm256_storeu_ps(floats.as_mut_ptr(), _mm256_permutevar8x32_ps(v[0], order(low)));
            let after = floats.as_mut_ptr().add(low.count_ones() as usize);
            _mm256_storeu_ps(after, _mm256_permutevar8x32_ps(v[1], order(high)));
        }
    }
    #[inline(always)]
    fn pack_places(self, places: &mut [u32; LANES], bits: u32, first: u32) {
        let (low, high) = (bits & 0xff, bits >> HALF & 0xff);
        // SAFETY: the token proves AVX2; eight places from one that is at most the eighth.
        unsafe {
            let lanes = _mm256_add_epi32(order(low), _mm256_set1_epi32(first as i32));
            _mm256_storeu_si256(places.as_mut_ptr().cast(), lanes);
            let after = places.as_mut_ptr().add(low.count_ones() as usize);
            let lanes = _mm256_add_epi32(order(high), _mm256_set1_epi32(first as i32 + HALF as i32));
            _mm256_storeu_si256(after.cast(), lanes);
        }
    }
    #[inline(always)]
    fn equal_bytes(self, bytes: &Bytes, one: u8) -> u32 {
        equal_bytes(bytes, one)
    }
    #[inline(always)]
    fn transpose_bytes(self, lines: [Bytes; LANES]) -> [Bytes; LANES] {
        transpose_bytes(lines)
    }
    #[inline(always)]
    fn half_splat(self, x: f32) -> Self::H {
        // SAFETY: the token proves AVX2.
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    fn half_load(self, floats: &[f32; HALF]) -> Self::H {
        // SAFETY: the token proves AVX2; the load stays in the 8 floats.
        unsafe { _mm256_loadu_ps(floats.as_ptr()) }
    }
    #[inline(always)]
    fn half_store(self, floats: &mut [f32; HALF], v: Self::H) {
        // SAFETY: the token proves AVX2; the store stays in the 8 floats.
        unsafe { _mm256_storeu_ps(floats.as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn half_fma(self, a: Self::H, b: Self::H, c: Self::H) -> Self::H {
        // SAFETY: the token proves FMA.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
}
