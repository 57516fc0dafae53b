//! Images of whole numbers. A file holds a byte a pixel, and every pixel is `shift + scale byte`: read as bytes, the
//! images of a batch take a quarter of the memory's time, and as halves of floats half of a cache's.

use super::simd::{Bytes, Halves, LANES, Line, Simd};

/// value = shift + scale raw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub(super) scale: f32,
    pub(super) shift: f32,
}

impl Scale {
    /// Raw numbers are the values.
    pub(super) const ONE: Self = Self { scale: 1.0, shift: 0.0 };
}

/// The bits of all lanes.
const ALL: u32 = (1 << LANES) - 1;

/// Raw numbers of an image.
pub(super) trait Pixel: Copy {
    /// Sixteen of them.
    fn load<S: Simd>(s: S, pixels: &[Self; LANES]) -> S::V;
    fn raw(self) -> f32;
    /// The raw number of this value.
    fn nearest(value: f32, scale: Scale) -> Self;
    /// Where they are others than `one`, one bit a lane.
    fn others<S: Simd>(s: S, pixels: &[Self; LANES], one: Self) -> u32;
    /// Lane j of line i becomes lane i of line j.
    fn transpose<S: Simd>(s: S, square: [[Self; LANES]; LANES]) -> [[Self; LANES]; LANES];
}

impl Pixel for f32 {
    #[inline(always)]
    fn load<S: Simd>(s: S, pixels: &[Self; LANES]) -> S::V {
        s.load_any(pixels)
    }
    #[inline(always)]
    fn raw(self) -> f32 {
        self
    }
    #[inline(always)]
    fn nearest(value: f32, _scale: Scale) -> Self {
        value
    }
    #[inline(always)]
    fn others<S: Simd>(s: S, pixels: &[Self; LANES], one: Self) -> u32 {
        !s.bits(s.equal(s.load_any(pixels), s.splat(one))) & ALL
    }
    #[inline(always)]
    fn transpose<S: Simd>(s: S, mut square: [[Self; LANES]; LANES]) -> [[Self; LANES]; LANES] {
        let mut lines = [s.zero(); LANES];
        for i in 0..LANES {
            lines[i] = s.load_any(&square[i]);
        }
        let lines = s.transpose(lines);
        for i in 0..LANES {
            s.store_any(&mut square[i], lines[i]);
        }
        square
    }
}

impl Pixel for u8 {
    #[inline(always)]
    fn load<S: Simd>(s: S, pixels: &Bytes) -> S::V {
        s.load_bytes(pixels)
    }
    #[inline(always)]
    fn raw(self) -> f32 {
        f32::from(self)
    }
    #[inline(always)]
    fn nearest(value: f32, Scale { scale, shift }: Scale) -> Self {
        ((value - shift) / scale).round() as u8
    }
    #[inline(always)]
    fn others<S: Simd>(s: S, pixels: &Bytes, one: Self) -> u32 {
        !s.equal_bytes(pixels, one) & ALL
    }
    #[inline(always)]
    fn transpose<S: Simd>(s: S, square: [Bytes; LANES]) -> [Bytes; LANES] {
        s.transpose_bytes(square)
    }
}

/// Sixteen numbers of a unit as a layer reads them.
pub(super) trait Lanes: Copy {
    /// Whether they are raw numbers.
    const RAW: bool;
    fn load<S: Simd>(&self, s: S) -> S::V;
    fn store<S: Simd>(&mut self, s: S, v: S::V);
}

impl Lanes for Line {
    const RAW: bool = false;

    #[inline(always)]
    fn load<S: Simd>(&self, s: S) -> S::V {
        s.load(self)
    }
    #[inline(always)]
    fn store<S: Simd>(&mut self, s: S, v: S::V) {
        s.store(self, v);
    }
}

impl Lanes for Halves {
    const RAW: bool = true;

    #[inline(always)]
    fn load<S: Simd>(&self, s: S) -> S::V {
        s.load_halves(self)
    }
    #[inline(always)]
    fn store<S: Simd>(&mut self, s: S, v: S::V) {
        s.store_halves(self, v);
    }
}

/// All images of a data set as bytes, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shades {
    pub(super) bytes: Vec<u8>,
    pub(super) scale: Scale,
}

/// Values among which the smallest distance is looked for.
const SAMPLE: usize = 100_000;

/// Pixels between two looks at whether all were near a byte's value.
const PART: usize = 4096;

impl Shades {
    /// `None` where the pixels are other than at most 256 values at equal distances, to rounding.
    pub(super) fn of(pixels: &[f32]) -> Option<Self> {
        let mut sample = pixels[..pixels.len().min(SAMPLE)].to_vec();
        sample.sort_unstable_by(f32::total_cmp);
        sample.dedup();
        if sample.len() > 256 {
            return None;
        }
        let extremes = |(low, high): (f32, f32), x: &f32| (low.min(*x), high.max(*x));
        let (low, high) = pixels.iter().fold((f32::INFINITY, f32::NEG_INFINITY), extremes);
        let gap = sample.windows(2).map(|pair| pair[1] - pair[0]).fold(f32::INFINITY, f32::min);
        let steps = ((high - low) / gap).round();
        if !(1.0..=255.0).contains(&steps) {
            return None;
        }
        let scale = (f64::from(high) - f64::from(low)) / f64::from(steps);
        let scale = Scale { scale: scale as f32, shift: low };
        // A few roundings of the largest value.
        let most = 4.0 * f32::EPSILON * low.abs().max(high.abs());
        let inverse = 1.0 / scale.scale;
        let mut bytes = vec![0; pixels.len()];
        for (bytes, pixels) in bytes.chunks_mut(PART).zip(pixels.chunks(PART)) {
            let mut near = true;
            for (byte, x) in bytes.iter_mut().zip(pixels) {
                *byte = ((x - low) * inverse + 0.5) as u8;
                near &= (low + scale.scale * f32::from(*byte) - x).abs() <= most;
            }
            if !near {
                return None;
            }
        }
        Some(Self { bytes, scale })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::sparse::simd::InstructionSet;
    use crate::training::sparse::simd::Kernel;

    fn normalised(bytes: &[u8]) -> Vec<f32> {
        bytes.iter().map(|&byte| (f32::from(byte) / 255.0 - 0.1307) / 0.3081).collect()
    }

    #[test]
    fn bytes_are_found_again() {
        let bytes: Vec<u8> = (0..50_000).map(|i| if i % 3 == 0 { (i % 256) as u8 } else { 0 }).collect();
        let shades = Shades::of(&normalised(&bytes)).unwrap();
        assert_eq!(shades.bytes, bytes);
        for (byte, x) in bytes.iter().zip(normalised(&bytes)) {
            let Scale { scale, shift } = shades.scale;
            assert!((shift + scale * f32::from(*byte) - x).abs() < 2e-6);
        }
        // From the second smallest value on: counted from there.
        let bytes: Vec<u8> = (0..9000).map(|i| 16 * (1 + i % 15) as u8).collect();
        let shades = Shades::of(&normalised(&bytes)).unwrap();
        assert!(shades.bytes.iter().zip(&bytes).all(|(found, byte)| *found == byte / 16 - 1));
    }

    #[test]
    fn other_images_are_none() {
        assert_eq!(Shades::of(&[]), None);
        assert_eq!(Shades::of(&[0.3; 40]), None);
        assert_eq!(Shades::of(&[0.0, 1.0, f32::NAN, 2.0]), None);
        assert_eq!(Shades::of(&[0.0, 1.0, f32::INFINITY]), None);
        let uneven: Vec<f32> = (0..200).map(|i| (i as f32).sqrt()).collect();
        assert_eq!(Shades::of(&uneven), None);
        // One pixel between two values, far behind the sample.
        let mut pixels = normalised(&[0, 255, 7, 8].repeat(60_000));
        assert!(Shades::of(&pixels).is_some());
        pixels[239_000] += 0.001;
        assert_eq!(Shades::of(&pixels), None);
    }

    struct Back(Bytes);

    impl Kernel for Back {
        type Output = [f32; LANES];

        #[inline(always)]
        fn run<S: Simd>(self, s: S) -> [f32; LANES] {
            let (mut halves, mut line) = (Halves::ZERO, Line::ZERO);
            halves.store(s, u8::load(s, &self.0));
            let v = halves.load(s);
            line.store(s, v);
            line.0
        }
    }

    #[test]
    fn halves_hold_every_byte() {
        for set in InstructionSet::available() {
            for first in (0..=255u8).step_by(LANES) {
                let bytes = std::array::from_fn(|lane| first + lane as u8);
                assert_eq!(set.run(Back(bytes)), bytes.map(f32::from), "{set}");
            }
        }
    }
}
