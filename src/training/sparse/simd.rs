//! Sixteen floats at a time, on the instruction set that is chosen at run time.
//!
//! Everything here works on a [`Line`], 16 floats of 64 bytes: one register of AVX-512, two of
//! AVX2, a plain array elsewhere. Kernels are written once, generic in [`Simd`], and inlined into a
//! function that is compiled for the instruction set ([`InstructionSet::run`]).

// Intrinsics are unsafe where the compiler cannot see that the instruction set is there. A token
// (`Avx2`, `Avx512`) is made in `InstructionSet::run` alone, and an `InstructionSet` of that name
// only after the processor was asked: holding a token proves that its instructions exist.
#![allow(unsafe_code)]

use std::fmt;

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// Floats in a [`Line`].
pub(super) const LANES: usize = 16;

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
    /// The sum over the lanes.
    fn sum(self, a: Self::V) -> f32;

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

    /// Asks for the cache line of `at` to be fetched into the second cache.
    #[inline(always)]
    fn prefetch(self, _at: &f32) {}
}

/// Plain Rust, which the compiler vectorises as far as the target allows.
#[derive(Clone, Copy)]
pub(super) struct Portable;

#[inline(always)]
fn each(a: [f32; LANES], b: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    let mut out = [0.0; LANES];
    for lane in 0..LANES {
        out[lane] = f(a[lane], b[lane]);
    }
    out
}

#[inline(always)]
fn lanes<A: Copy, B: Copy>(a: [A; LANES], b: [A; LANES], f: impl Fn(A, A) -> B) -> [B; LANES] {
    std::array::from_fn(|lane| f(a[lane], b[lane]))
}

impl Simd for Portable {
    type V = [f32; LANES];
    type M = [bool; LANES];
    const WIDE: bool = false;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        [x; LANES]
    }
    #[inline(always)]
    fn load(self, line: &Line) -> Self::V {
        line.0
    }
    #[inline(always)]
    fn load_any(self, floats: &[f32; LANES]) -> Self::V {
        *floats
    }
    #[inline(always)]
    fn store(self, line: &mut Line, v: Self::V) {
        line.0 = v;
    }
    #[inline(always)]
    fn store_any(self, floats: &mut [f32; LANES], v: Self::V) {
        *floats = v;
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        each(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        each(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        each(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        each(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn sqrt(self, a: Self::V) -> Self::V {
        each(a, a, |a, _| a.sqrt())
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // Not `mul_add`: without the instruction it is a function call.
        self.add(self.mul(a, b), c)
    }
    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        each(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn round(self, a: Self::V) -> Self::V {
        // Adding and taking away 1.5 x 2^23 rounds to even in the last place.
        each(a, a, |a, _| (a + 12_582_912.0) - 12_582_912.0)
    }
    #[inline(always)]
    fn power_of_two(self, a: Self::V) -> Self::V {
        each(a, a, |a, _| f32::from_bits(((a as i32 + 127) << 23) as u32))
    }
    #[inline(always)]
    fn greater(self, a: Self::V, b: Self::V) -> Self::M {
        lanes(a, b, |a, b| a > b)
    }
    #[inline(always)]
    fn equal(self, a: Self::V, b: Self::V) -> Self::M {
        lanes(a, b, |a, b| a == b)
    }
    #[inline(always)]
    fn select(self, m: Self::M, a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|lane| if m[lane] { a[lane] } else { b[lane] })
    }
    #[inline(always)]
    fn sum(self, a: Self::V) -> f32 {
        let mut a = a;
        let mut half = LANES / 2;
        while half > 0 {
            for lane in 0..half {
                a[lane] += a[lane + half];
            }
            half /= 2;
        }
        a[0]
    }
}

/// AVX2 with fused multiply-add: a line in two registers.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

#[cfg(target_arch = "x86_64")]
macro_rules! halves {
    ($f:ident, $($x:ident),+) => {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { [$f($($x[0]),+), $f($($x[1]),+)] }
    };
}

#[cfg(target_arch = "x86_64")]
impl Simd for Avx2 {
    type V = [__m256; 2];
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
    fn prefetch(self, at: &f32) {
        // SAFETY: a prefetch reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(std::ptr::from_ref(at).cast()) }
    }
}

/// AVX-512: a line in one register.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

#[cfg(target_arch = "x86_64")]
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
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn fold_four(a: __m512, b: __m512, c: __m512, d: __m512) -> __m512 {
    whole!({
        let ab = _mm512_castps_pd(_mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b)));
        let cd = _mm512_castps_pd(_mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d)));
        let (low, high) = (_mm512_unpacklo_pd(ab, cd), _mm512_unpackhi_pd(ab, cd));
        _mm512_add_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high))
    })
}

/// 2^a for eight whole a.
///
/// # Safety
/// Needs AVX2.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn power_of_two_avx2(a: __m256) -> __m256 {
    // SAFETY: the caller has AVX2.
    unsafe {
        let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(a), _mm256_set1_epi32(127));
        _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
    }
}

#[cfg(target_arch = "x86_64")]
impl Simd for Avx512 {
    type V = __m512;
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
    fn prefetch(self, at: &f32) {
        // A prefetch reads nothing.
        whole!(_mm_prefetch::<_MM_HINT_T1>(std::ptr::from_ref(at).cast()))
    }
}

/// Work that is compiled for every instruction set. `run` must be `#[inline(always)]`, as everything
/// that it calls on lines: what is not inlined is compiled for the portable set.
pub(super) trait Kernel {
    type Output;
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// The instructions that the kernels use. Sums are rounded in another order, or once instead of
/// twice, on another set: results agree to rounding, not in their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstructionSet(Set);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl InstructionSet {
    /// What every processor of the target has.
    pub const PORTABLE: Self = Self(Set::Portable);

    /// Those that this processor has, the fastest first.
    pub fn available() -> Vec<Self> {
        let mut sets = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                if is_x86_feature_detected!("avx512f") {
                    sets.push(Self(Set::Avx512));
                }
                sets.push(Self(Set::Avx2));
            }
        }
        sets.push(Self::PORTABLE);
        sets
    }

    /// The fastest that this processor has.
    pub fn best() -> Self {
        Self::available().first().copied().unwrap_or(Self::PORTABLE)
    }

    /// Runs a kernel that is compiled for this set.
    #[inline]
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Set::Portable => kernel.run(Portable),
            // SAFETY: `available` alone makes these sets, where the processor has the instructions.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { run_avx2(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { run_avx512(kernel) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Avx2(()))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Avx512(()))
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Set::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "avx512",
        })
    }
}
