//! The inputs of a batch that are not the background, image by image and pair of inputs by pair.

use super::images::{self, group_of, prefetch};
use super::shades::{Pixel, Scale};
use super::simd::{Kernel, LANES, Simd};

/// Inputs of a block, whose entries of an image form a list; a multiple of a line.
pub(super) const BLOCK: usize = 112;

/// Images that are asked for before they are read.
const AHEAD: usize = 8;

/// One at least, also where there are no inputs.
pub(super) fn blocks(inputs: usize) -> usize {
    inputs.div_ceil(BLOCK).max(1)
}

/// Lists one after the other; an entry is a place with K numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lists<const K: usize> {
    /// Where each list starts; after all lists, also where the last one ends.
    starts: Vec<u32>,
    places: Vec<u32>,
    numbers: [Vec<f32>; K],
}

impl<const K: usize> Lists<K> {
    fn new() -> Self {
        Self { starts: Vec::new(), places: Vec::new(), numbers: std::array::from_fn(|_| Vec::new()) }
    }

    /// To write lists with `room` entries at most.
    fn pen(&mut self, room: usize) -> Pen<'_, K> {
        self.starts.clear();
        // A line is written wherever an entry is.
        let room = room + LANES;
        if self.places.len() < room {
            self.places.resize(room, 0);
            self.numbers.iter_mut().for_each(|numbers| numbers.resize(room, 0.0));
        }
        let Self { starts, places, numbers } = self;
        Pen { starts, places, numbers: numbers.each_mut().map(|numbers| &mut numbers[..]), end: 0 }
    }

    /// The places and numbers of a list, of the same length.
    #[inline(always)]
    pub(super) fn of(&self, index: usize) -> (&[u32], [&[f32]; K]) {
        let range = self.starts[index] as usize..self.starts[index + 1] as usize;
        (&self.places[range.clone()], std::array::from_fn(|k| &self.numbers[k][range.clone()]))
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }
}

/// Writes lists, one after the other.
struct Pen<'a, const K: usize> {
    starts: &'a mut Vec<u32>,
    places: &'a mut [u32],
    numbers: [&'a mut [f32]; K],
    end: usize,
}

impl<const K: usize> Pen<'_, K> {
    /// A list begins, or the last one ends.
    fn begin(&mut self) {
        self.starts.push(self.end as u32);
    }

    /// Appends `first` + lane and the numbers of these lanes, for each of the bits of `lanes`.
    #[inline(always)]
    fn append<S: Simd>(&mut self, s: S, lanes: u32, first: u32, numbers: [S::V; K]) {
        if let Some(room) = self.places[self.end..].first_chunk_mut() {
            s.pack_places(room, lanes, first);
        }
        for k in 0..K {
            if let Some(room) = self.numbers[k][self.end..].first_chunk_mut() {
                s.pack(room, lanes, numbers[k]);
            }
        }
        self.end += lanes.count_ones() as usize;
    }
}

/// The inputs that are not the background, as x - c: twice, since a gradient wants the images of an input.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Others {
    /// By image and block: inputs.
    pub(super) by_image: Lists<1>,
    /// By pair of inputs: the images in which one of both is not the background. Neighbours mostly are so in the
    /// same images: what is read for one serves the other.
    pub(super) by_pair: Lists<2>,
}

impl Others {
    pub(super) fn new() -> Self {
        Self { by_image: Lists::new(), by_pair: Lists::new() }
    }

    /// Those of these images; `pixels` are the places of the inputs in an image, in ascending order.
    pub(super) fn read<'a, P: Pixel>(
        &'a mut self,
        (images, scale): (&'a [&'a [P]], Scale),
        pixels: &'a [u32],
        background: f32,
    ) -> impl Kernel<Output = ()> + 'a {
        let source = Source { images, scale: scale.scale, pixels, background: P::nearest(background, scale) };
        Read { others: self, source }
    }
}

/// The images of a batch, of which `pixels` are read.
struct Source<'a, P> {
    images: &'a [&'a [P]],
    scale: f32,
    pixels: &'a [u32],
    background: P,
}

impl<P: Pixel> Source<'_, P> {
    /// x - c of sixteen pixels.
    #[inline(always)]
    fn away<S: Simd>(&self, s: S, x: &[P; LANES]) -> S::V {
        s.mul(s.sub(P::load(s, x), s.splat(self.background.raw())), s.splat(self.scale))
    }

    /// Line by line; what holds nothing but the background is left out before it becomes numbers.
    #[inline(always)]
    fn by_image<S: Simd>(&self, s: S, mut pen: Pen<'_, 1>) {
        let Self { images, pixels, background, .. } = *self;
        for (at, image) in images.iter().enumerate() {
            if at % AHEAD == 0 {
                let after = if at == 0 { 0 } else { images.len().min(at + AHEAD) };
                prefetch(s, &images[after..images.len().min(at + 2 * AHEAD)]);
            }
            for block in (0..pixels.len().max(1)).step_by(BLOCK) {
                pen.begin();
                let pixels = &pixels[block..pixels.len().min(block + BLOCK)];
                for (at, pixels) in pixels.chunks(LANES).enumerate() {
                    let first = pixels[0] as usize;
                    let whole = pixels.len() == LANES && pixels[LANES - 1] as usize == first + LANES - 1;
                    let mut some = [background; LANES];
                    let x = match image[first..].first_chunk() {
                        Some(x) if whole => x,
                        _ => {
                            some.iter_mut().zip(pixels).for_each(|(x, &pixel)| *x = image[pixel as usize]);
                            &some
                        }
                    };
                    let lanes = P::others(s, x, background);
                    if lanes != 0 {
                        pen.append(s, lanes, (block + at * LANES) as u32, [self.away(s, x)]);
                    }
                }
            }
        }
        pen.begin();
    }

    /// In squares of sixteen images and inputs, turned so that the images of an input follow each other.
    #[inline(always)]
    fn by_pair<S: Simd>(&self, s: S, mut pen: Pen<'_, 2>) {
        let Self { images, pixels, background, .. } = *self;
        let groups: Vec<_> = (0..images.len().div_ceil(LANES)).map(|index| group_of(images, index).0).collect();
        // Sixteen inputs of each group, and the background beside the last input of an odd number.
        let mut square = vec![[[background; LANES]; LANES]; groups.len()];
        for pixels in pixels.chunks(LANES) {
            for (square, images) in square.iter_mut().zip(&groups) {
                turn(s, images, pixels, square);
            }
            for one in (0..pixels.len()).step_by(2) {
                pen.begin();
                for (group, square) in square.iter().enumerate() {
                    let (x, z) =
                        (&square[one], if one + 1 < pixels.len() { &square[one + 1] } else { &[background; LANES] });
                    let first = group * LANES;
                    let read = u32::MAX >> (u32::BITS - LANES.min(images.len() - first) as u32);
                    let lanes = (P::others(s, x, background) | P::others(s, z, background)) & read;
                    if lanes != 0 {
                        pen.append(s, lanes, first as u32, [self.away(s, x), self.away(s, z)]);
                    }
                }
            }
        }
        pen.begin();
    }
}

/// These pixels of a group of images, `[pixel][image]`.
#[inline(always)]
fn turn<S: Simd, P: Pixel>(s: S, images: &[&[P]; LANES], pixels: &[u32], square: &mut [[P; LANES]; LANES]) {
    let mut at = 0;
    while at < pixels.len() {
        // The last sixteen pixels where there are no sixteen more.
        let first = (pixels[at] as usize).min(images[0].len().saturating_sub(LANES));
        let Some(window) = images::square(s, images, first) else {
            for (x, image) in square[at].iter_mut().zip(images) {
                *x = image[pixels[at] as usize];
            }
            at += 1;
            continue;
        };
        while let Some(x) = pixels.get(at).and_then(|&pixel| window.get(pixel as usize - first)) {
            square[at] = *x;
            at += 1;
        }
    }
}

struct Read<'a, P> {
    others: &'a mut Others,
    source: Source<'a, P>,
}

impl<P: Pixel> Kernel for Read<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { others: Others { by_image, by_pair }, source } = self;
        let (images, inputs) = (source.images.len(), source.pixels.len());
        source.by_image(s, by_image.pen(images * inputs));
        source.by_pair(s, by_pair.pen(images * inputs.div_ceil(2)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::simd::InstructionSet;
    use super::*;

    /// 37 images of 40 pixels, of which about a third are others than 7.
    fn images() -> Vec<[u8; 40]> {
        let pixel = |at: usize| match at * 7919 % 1009 {
            rest if rest < 336 => (rest % 251) as u8,
            _ => 7,
        };
        (0..37).map(|image| std::array::from_fn(|at| pixel(image * 40 + at))).collect()
    }

    fn check<P: Pixel>(images: &[Vec<P>], scale: Scale, pixels: &[u32]) {
        let images: Vec<_> = images.iter().map(Vec::as_slice).collect();
        let away = |image: usize, input: usize| {
            let raw = images[image][pixels[input] as usize].raw();
            (raw - 7.0) * scale.scale
        };
        for set in InstructionSet::available() {
            let mut others = Others::new();
            // What was read before leaves nothing behind.
            set.run(others.read((&images, scale), &[0, 1, 2, 3], 7.0 * scale.scale + scale.shift));
            set.run(others.read((&images, scale), pixels, 7.0 * scale.scale + scale.shift));
            assert_eq!(others.by_image.len(), images.len());
            for image in 0..images.len() {
                let (places, [x]) = others.by_image.of(image);
                let found: Vec<_> = places.iter().map(|&input| input as usize).zip(x.iter().copied()).collect();
                let all = (0..pixels.len()).map(|input| (input, away(image, input)));
                assert_eq!(found, all.filter(|(_, x)| *x != 0.0).collect::<Vec<_>>(), "{set}, image {image}");
            }
            assert_eq!(others.by_pair.len(), pixels.len().div_ceil(2));
            for pair in 0..pixels.len().div_ceil(2) {
                let (places, [x, z]) = others.by_pair.of(pair);
                let numbers = x.iter().copied().zip(z.iter().copied());
                let found: Vec<_> = places.iter().map(|&image| image as usize).zip(numbers).collect();
                let other = |image| if 2 * pair + 1 < pixels.len() { away(image, 2 * pair + 1) } else { 0.0 };
                let all = (0..images.len()).map(|image| (image, (away(image, 2 * pair), other(image))));
                assert_eq!(found, all.filter(|(_, x)| *x != (0.0, 0.0)).collect::<Vec<_>>(), "{set}, pair {pair}");
            }
        }
    }

    #[test]
    fn lists_hold_what_is_not_the_background() {
        let all: Vec<u32> = (0..40).collect();
        // All, an odd number with gaps, and the last ones of an image.
        for pixels in [&all[..], &[0, 1, 3, 4, 5, 9, 12, 20, 21, 22, 23, 31, 39], &[37, 38, 39], &[]] {
            let bytes: Vec<_> = images().iter().map(|image| image.to_vec()).collect();
            check(&bytes, Scale { scale: 0.5, shift: -3.0 }, pixels);
            let floats: Vec<Vec<f32>> =
                bytes.iter().map(|image| image.iter().map(|&x| f32::from(x)).collect()).collect();
            check(&floats, Scale::ONE, pixels);
            let short: Vec<_> = bytes.iter().map(|image| image[..9].to_vec()).collect();
            check(
                &short,
                Scale { scale: 2.0, shift: 0.0 },
                &pixels[..pixels.len().min(5)].iter().copied().filter(|&pixel| pixel < 9).collect::<Vec<_>>(),
            );
        }
    }

    /// A block of inputs more than one list.
    #[test]
    fn blocks_of_an_image_are_lists_of_their_own() {
        let image: Vec<f32> = (0..BLOCK + 5).map(|pixel| (pixel % 3) as f32).collect();
        let pixels: Vec<u32> = (0..image.len() as u32).collect();
        for set in InstructionSet::available() {
            let mut others = Others::new();
            set.run(others.read((&[&image[..], &image[..]], Scale::ONE), &pixels, 0.0));
            assert_eq!(others.by_image.len(), 4);
            for list in 0..4 {
                let (places, [x]) = others.by_image.of(list);
                assert!(places.iter().zip(x).all(|(&input, &x)| input % 3 == x as u32 && x != 0.0), "{set}");
                let block = list % 2 * BLOCK..((list % 2 + 1) * BLOCK).min(image.len());
                assert_eq!(places.len(), block.filter(|input| input % 3 != 0).count(), "{set}, list {list}");
            }
        }
    }
}
