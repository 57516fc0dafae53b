//! The images of a batch in groups, one a lane.

use super::simd::{Kernel, LANES, Line, Simd};

/// The images of a group, and those of the one after it. Lanes beyond the last image take the first one's
/// values, which nothing reads.
#[inline(always)]
pub(super) fn group_of<'a, 'b>(images: &'b [&'a [f32]], index: usize) -> ([&'a [f32]; LANES], &'b [&'a [f32]]) {
    let (first, next) = (index * LANES, ((index + 1) * LANES).min(images.len()));
    let mut rows = [images[first]; LANES];
    rows[..next - first].copy_from_slice(&images[first..next]);
    (rows, &images[next..(next + LANES).min(images.len())])
}

/// Pixels of the images of a group become lines.
pub(super) struct Read<'a> {
    pub(super) images: [&'a [f32]; LANES],
    /// Those of the group after it.
    pub(super) next: &'a [&'a [f32]],
    /// In ascending order.
    pub(super) pixels: &'a [u32],
    /// The line of each pixel, after `offset`.
    pub(super) places: &'a [u32],
    pub(super) offset: usize,
    pub(super) x: &'a mut [Line],
}

/// Pixels among sixteen that follow each other from which on all sixteen are read.
const MANY: usize = 5;

impl Kernel for Read<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        prefetch(s, self.next);
        let mut at = 0;
        while at < self.pixels.len() {
            let first = self.pixels[at] as usize;
            let near = self.pixels[at..].iter().take(LANES).take_while(|&&pixel| (pixel as usize) < first + LANES);
            let count = near.count();
            let (pixels, places) = (&self.pixels[at..at + count], &self.places[at..at + count]);
            if count >= MANY && first + LANES <= self.images[0].len() {
                let mut square = [s.zero(); LANES];
                for lane in 0..LANES {
                    if let Some(floats) = self.images[lane][first..].first_chunk() {
                        square[lane] = s.load_any(floats);
                    }
                }
                let square = s.transpose(square);
                for (&pixel, &place) in pixels.iter().zip(places) {
                    s.store(&mut self.x[place as usize + self.offset], square[pixel as usize - first]);
                }
            } else {
                for (&pixel, &place) in pixels.iter().zip(places) {
                    let line = &mut self.x[place as usize + self.offset];
                    for lane in 0..LANES {
                        line.0[lane] = self.images[lane][pixel as usize];
                    }
                }
            }
            at += count;
        }
    }
}

/// Asks for these images to be fetched: they lie anywhere, and no pattern announces them.
#[inline(always)]
pub(super) fn prefetch<S: Simd>(s: S, images: &[&[f32]]) {
    for image in images {
        for pixel in image.iter().step_by(LANES) {
            s.prefetch(pixel);
        }
    }
}
