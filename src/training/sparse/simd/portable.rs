//! Plain Rust.

use super::{Bytes, HALF, Halves, LANES, Line, Simd};

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

/// `of` each lane of the bits, one after the other. All are stored, and the next takes the place of one that is left
/// out: nothing to guess.
#[inline(always)]
fn pack<T>(to: &mut [T; LANES], bits: u32, of: impl Fn(usize) -> T) {
    let mut count = 0;
    for lane in 0..LANES {
        to[count % LANES] = of(lane);
        count += (bits >> lane & 1) as usize;
    }
}

impl Simd for Portable {
    type V = [f32; LANES];
    type H = [f32; HALF];
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
    fn load_bytes(self, bytes: &Bytes) -> Self::V {
        bytes.map(f32::from)
    }
    #[inline(always)]
    fn store_bytes(self, bytes: &mut Bytes, v: Self::V) {
        *bytes = v.map(|x| x as u8);
    }
    #[inline(always)]
    fn load_halves(self, halves: &Halves) -> Self::V {
        halves.0.map(|half| f32::from_bits(u32::from(half) << 16))
    }
    #[inline(always)]
    fn store_halves(self, halves: &mut Halves, v: Self::V) {
        halves.0 = v.map(|x| (x.to_bits() >> 16) as u16);
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
    #[inline(always)]
    fn bits(self, m: Self::M) -> u32 {
        m.iter().rev().fold(0, |bits, &lane| bits << 1 | u32::from(lane))
    }
    #[inline(always)]
    fn pack(self, floats: &mut [f32; LANES], bits: u32, v: Self::V) {
        pack(floats, bits, |lane| v[lane]);
    }
    #[inline(always)]
    fn pack_places(self, places: &mut [u32; LANES], bits: u32, first: u32) {
        pack(places, bits, |lane| first + lane as u32);
    }
    #[inline(always)]
    fn half_splat(self, x: f32) -> Self::H {
        [x; HALF]
    }
    #[inline(always)]
    fn half_load(self, floats: &[f32; HALF]) -> Self::H {
        *floats
    }
    #[inline(always)]
    fn half_store(self, floats: &mut [f32; HALF], v: Self::H) {
        *floats = v;
    }
    #[inline(always)]
    fn half_fma(self, a: Self::H, b: Self::H, c: Self::H) -> Self::H {
        std::array::from_fn(|lane| a[lane] * b[lane] + c[lane])
    }
}
