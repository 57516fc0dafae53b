//! The images of a batch in groups, one a lane.

use super::shades::{Lanes, Pixel, Scale};
use super::simd::{InstructionSet, Kernel, LANES, Line, Simd};

/// The images of a batch, as values or as bytes of which these are made.
pub(super) enum Images<'a> {
    Floats(Vec<&'a [f32]>),
    Bytes(Vec<&'a [u8]>, Scale),
}

impl Images<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Floats(images) => images.len(),
            Self::Bytes(images, _) => images.len(),
        }
    }

    /// Group `index` as `places` says for each of `pixels`, after `offset`.
    pub(super) fn read(
        &self,
        set: InstructionSet,
        index: usize,
        (pixels, places): (&[u32], &[u32]),
        (offset, x): (usize, &mut [Line]),
    ) {
        match self {
            Self::Floats(all) => {
                let (images, next) = group_of(all, index);
                set.run(Read { images, next, scale: Scale::ONE, pixels, places, offset, x });
            }
            Self::Bytes(all, scale) => {
                let (images, next) = group_of(all, index);
                set.run(Read { images, next, scale: *scale, pixels, places, offset, x });
            }
        }
    }
}

/// The images of a group, and those of the one after it. Lanes beyond the last image take the first one's
/// values, which nothing reads.
#[inline(always)]
pub(super) fn group_of<'a, 'b, P>(images: &'b [&'a [P]], index: usize) -> ([&'a [P]; LANES], &'b [&'a [P]]) {
    let (first, next) = (index * LANES, ((index + 1) * LANES).min(images.len()));
    let mut rows = [images[first]; LANES];
    rows[..next - first].copy_from_slice(&images[first..next]);
    (rows, &images[next..(next + LANES).min(images.len())])
}

/// Pixels of the images of a group become lines.
pub(super) struct Read<'a, P, X> {
    pub(super) images: [&'a [P]; LANES],
    /// Those of the group after it.
    pub(super) next: &'a [&'a [P]],
    /// From pixels to what the lines hold.
    pub(super) scale: Scale,
    /// In ascending order.
    pub(super) pixels: &'a [u32],
    /// The line of each pixel, after `offset`.
    pub(super) places: &'a [u32],
    pub(super) offset: usize,
    pub(super) x: &'a mut [X],
}

/// Pixels among sixteen that follow each other from which on all sixteen are read.
const MANY: usize = 5;

impl<P: Pixel, X: Lanes> Kernel for Read<'_, P, X> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        prefetch(s, self.next);
        let (scale, shift) = (s.splat(self.scale.scale), s.splat(self.scale.shift));
        let mut at = 0;
        while at < self.pixels.len() {
            let first = self.pixels[at] as usize;
            let near = self.pixels[at..].iter().take(LANES).take_while(|&&pixel| (pixel as usize) < first + LANES);
            let count = near.count();
            let (pixels, places) = (&self.pixels[at..at + count], &self.places[at..at + count]);
            let square = if count >= MANY { square(s, &self.images, first) } else { None };
            if let Some(square) = square {
                for (&pixel, &place) in pixels.iter().zip(places) {
                    let v = s.fma(scale, P::load(s, &square[pixel as usize - first]), shift);
                    self.x[place as usize + self.offset].store(s, v);
                }
            } else {
                for (&pixel, &place) in pixels.iter().zip(places) {
                    let mut line = Line::ZERO;
                    for lane in 0..LANES {
                        line.0[lane] = self.images[lane][pixel as usize].raw();
                    }
                    let v = s.fma(scale, s.load(&line), shift);
                    self.x[place as usize + self.offset].store(s, v);
                }
            }
            at += count;
        }
    }
}

/// The sixteen pixels from `first` on of a group of images, `[pixel][image]`; `None` where images have fewer.
#[inline(always)]
pub(super) fn square<S: Simd, P: Pixel>(s: S, images: &[&[P]; LANES], first: usize) -> Option<[[P; LANES]; LANES]> {
    let mut square = [*images[0].get(first..)?.first_chunk()?; LANES];
    for (line, image) in square.iter_mut().zip(images) {
        *line = *image.get(first..)?.first_chunk()?;
    }
    Some(P::transpose(s, square))
}

/// Asks for these images to be fetched: they lie anywhere, and no pattern announces them. The first line of each before
/// the second of any: each image is in a page of its own, and pages are looked up side by side.
#[inline(always)]
pub(super) fn prefetch<S: Simd, P>(s: S, images: &[&[P]]) {
    let pixels = images.first().map_or(0, |image| image.len());
    for pixel in (0..pixels).step_by(size_of::<Line>() / size_of::<P>()) {
        for pixel in images.iter().filter_map(|image| image.get(pixel)) {
            s.prefetch(pixel);
        }
    }
}
