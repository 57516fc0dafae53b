//! AVX-512: a line in one register.

// Intrinsics are unsafe where the compiler cannot see that the instruction set is there. A token is made in
// `InstructionSet::run` alone, where the processor was asked: holding one proves that its instructions exist.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::avx2::{equal_bytes, transpose_bytes};
use super::{Bytes, HALF, Halves, LANES, Line, Simd};

/// AVX-512: a line in one register.
#[derive(Clone, Copy)]
pub(super) struct Avx512(pub(super) ());

macro_rules! whole {
    ($e:expr) => {
        // SAFETY: the token proves AVX-512; loads and stores stay in the 16 floats.
        unsafe { $e }
    };
}

/// Quarter by quarter the sums of a, b, c and d over that quarter.
///
/// # Safety
/// Needs AVX-512.
#[inline(always)]
unsafe fn fold_four(a: __m512, b: __m512, c: __m512, d: __m512) -> __m512 {
    whole!({
        let ab = _mm512_castps_pd(_mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b)));
        let cd = _mm512_castps_pd(_mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d)));
        let (low, high) = (_mm512_unpacklo_pd(ab, cd), _mm512_unpackhi_pd(ab, cd));
        _mm512_add_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high))
    })
}

impl Simd for Avx512 {
    type V = __m512;
    type H = __m256;
    type M = __mmask16;
    const WIDE: bool = true;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        whole!(_mm512_set1_ps(x))
    }
    #[inline(always)]
    fn load(self, line: &Line) -> Self::V {
        whole!(_mm512_load_ps(line.0.as_ptr()))
    }
    #[inline(always)]
    fn load_any(self, floats: &[f32; LANES]) -> Self::V {
        whole!(_mm512_loadu_ps(floats.as_ptr()))
    }
    #[inline(always)]
    fn store(self, line: &mut Line, v: Self::V) {
        whole!(_mm512_store_ps(line.0.as_mut_ptr(), v))
    }
    #[inline(always)]
    fn store_any(self, floats: &mut [f32; LANES], v: Self::V) {
        whole!(_mm512_storeu_ps(floats.as_mut_ptr(), v))
    }
    #[inline(always)]
    fn load_bytes(self, bytes: &Bytes) -> Self::V {
        whole!(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(bytes.as_ptr().cast()))))
    }
    #[inline(always)]
    fn store_bytes(self, bytes: &mut Bytes, v: Self::V) {
        whole!(_mm_storeu_si128(bytes.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v))))
    }
    #[inline(always)]
    fn load_halves(self, halves: &Halves) -> Self::V {
        whole!(_mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(_mm256_load_si256(
            halves.0.as_ptr().cast()
        )))))
    }
    #[inline(always)]
    fn store_halves(self, halves: &mut Halves, v: Self::V) {
        whole!(_mm256_store_si256(
            halves.0.as_mut_ptr().cast(),
            _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(_mm512_castps_si512(v)))
        ))
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        whole!(_mm512_add_ps(a, b))
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        whole!(_mm512_sub_ps(a, b))
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        whole!(_mm512_mul_ps(a, b))
    }
    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        whole!(_mm512_div_ps(a, b))
    }
    #[inline(always)]
    fn sqrt(self, a: Self::V) -> Self::V {
        whole!(_mm512_sqrt_ps(a))
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        whole!(_mm512_fmadd_ps(a, b, c))
    }
    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        whole!(_mm512_max_ps(a, b))
    }
    #[inline(always)]
    fn round(self, a: Self::V) -> Self::V {
        whole!(_mm512_roundscale_ps::<8>(a))
    }
    #[inline(always)]
    fn power_of_two(self, a: Self::V) -> Self::V {
        whole!({
            let exponent = _mm512_add_epi32(_mm512_cvtps_epi32(a), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent))
        })
    }
    #[inline(always)]
    fn greater(self, a: Self::V, b: Self::V) -> Self::M {
        whole!(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b))
    }
    #[inline(always)]
    fn equal(self, a: Self::V, b: Self::V) -> Self::M {
        whole!(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b))
    }
    #[inline(always)]
    fn select(self, m: Self::M, a: Self::V, b: Self::V) -> Self::V {
        whole!(_mm512_mask_blend_ps(m, b, a))
    }
    #[inline(always)]
    fn sum(self, a: Self::V) -> f32 {
        whole!(_mm512_reduce_add_ps(a))
    }
    /// Pairs of lines are folded into one, four times: 15 additions and 30 shuffles in all.
    #[inline(always)]
    fn sums(self, v: [Self::V; LANES]) -> Self::V {
        whole!({
            // Each quarter now holds a, b, c, d summed over that quarter.
            let a = fold_four(v[0], v[1], v[2], v[3]);
            let b = fold_four(v[4], v[5], v[6], v[7]);
            let c = fold_four(v[8], v[9], v[10], v[11]);
            let d = fold_four(v[12], v[13], v[14], v[15]);
            let ab = _mm512_add_ps(_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xdd>(a, b));
            let cd = _mm512_add_ps(_mm512_shuffle_f32x4::<0x88>(c, d), _mm512_shuffle_f32x4::<0xdd>(c, d));
            _mm512_add_ps(_mm512_shuffle_f32x4::<0x88>(ab, cd), _mm512_shuffle_f32x4::<0xdd>(ab, cd))
        })
    }
    /// Pairs, fours, then quarters of registers are exchanged.
    #[inline(always)]
    fn transpose(self, v: [Self::V; LANES]) -> [Self::V; LANES] {
        let mut turned = [self.zero(); LANES];
        whole!({
            // fours[q][e]: lane by quarter, entry e of that quarter of the lines 4 q to 4 q + 3.
            let mut fours = [[self.zero(); 4]; 4];
            for q in 0..4 {
                let low = (_mm512_unpacklo_ps(v[4 * q], v[4 * q + 1]), _mm512_unpacklo_ps(v[4 * q + 2], v[4 * q + 3]));
                let high = (_mm512_unpackhi_ps(v[4 * q], v[4 * q + 1]), _mm512_unpackhi_ps(v[4 * q + 2], v[4 * q + 3]));
                let low = (_mm512_castps_pd(low.0), _mm512_castps_pd(low.1));
                let high = (_mm512_castps_pd(high.0), _mm512_castps_pd(high.1));
                fours[q][0] = _mm512_castpd_ps(_mm512_unpacklo_pd(low.0, low.1));
                fours[q][1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low.0, low.1));
                fours[q][2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high.0, high.1));
                fours[q][3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high.0, high.1));
            }
            for e in 0..4 {
                let even = (
                    _mm512_shuffle_f32x4::<0x88>(fours[0][e], fours[1][e]),
                    _mm512_shuffle_f32x4::<0x88>(fours[2][e], fours[3][e]),
                );
                let odd = (
                    _mm512_shuffle_f32x4::<0xdd>(fours[0][e], fours[1][e]),
                    _mm512_shuffle_f32x4::<0xdd>(fours[2][e], fours[3][e]),
                );
                turned[e] = _mm512_shuffle_f32x4::<0x88>(even.0, even.1);
                turned[e + 8] = _mm512_shuffle_f32x4::<0xdd>(even.0, even.1);
                turned[e + 4] = _mm512_shuffle_f32x4::<0x88>(odd.0, odd.1);
                turned[e + 12] = _mm512_shuffle_f32x4::<0xdd>(odd.0, odd.1);
            }
        });
        turned
    }
    #[inline(always)]
    fn prefetch<T>(self, at: &T) {
        // A prefetch reads nothing.
        whole!(_mm_prefetch::<_MM_HINT_T1>(std::ptr::from_ref(at).cast()))
    }
    #[inline(always)]
    fn bits(self, m: Self::M) -> u32 {
        u32::from(m)
    }
    #[inline(always)]
    fn pack(self, floats: &mut [f32; LANES], bits: u32, v: Self::V) {
        whole!(_mm512_storeu_ps(floats.as_mut_ptr(), _mm512_maskz_compress_ps(bits as __mmask16, v)))
    }
    #[inline(always)]
    fn pack_places(self, places: &mut [u32; LANES], bits: u32, first: u32) {
        whole!({
            let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            let all = _mm512_add_epi32(lanes, _mm512_set1_epi32(first as i32));
            let packed = _mm512_maskz_compress_epi32(bits as __mmask16, all);
            _mm512_storeu_si512(places.as_mut_ptr().cast(), packed);
        })
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
