//! The images of a batch in groups, one a lane.

use super::simd::{LANES, Simd};

/// The images of a group, and those of the one after it. Lanes beyond the last image take the first one's
/// values, which nothing reads.
#[inline(always)]
pub(super) fn group_of<'a, 'b>(images: &'b [&'a [f32]], index: usize) -> ([&'a [f32]; LANES], &'b [&'a [f32]]) {
    let (first, next) = (index * LANES, ((index + 1) * LANES).min(images.len()));
    let mut rows = [images[first]; LANES];
    rows[..next - first].copy_from_slice(&images[first..next]);
    (rows, &images[next..(next + LANES).min(images.len())])
}

/// One pixel of all images of a group.
#[inline(always)]
pub(super) fn gather<S: Simd>(s: S, images: &[&[f32]; LANES], pixel: u32) -> S::V {
    let mut values = [0.0; LANES];
    for lane in 0..LANES {
        values[lane] = images[lane][pixel as usize];
    }
    s.load_any(&values)
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
