//! The first layer over the inputs of each image that are not the background.
//!
//! With x = c + e, where c is the value of the background and e is zero for most inputs,
//! W x = c W 1 + W e: the first product is one number an output, kept up to date, and the second
//! visits the other inputs alone. The weight gradient is dy x^T = c (sum of dy) + dy e^T.

use super::dense::transpose;
use super::images::prefetch;
use super::optimiser::{Rule, Tensor};
use super::rows::Finish;
use super::shades::{Pixel, Scale};
use super::simd::{Kernel, LANES, Line, Simd, floats_mut};

/// Lines of a panel of outputs, whose sums one pass holds in registers.
const PANEL: usize = 4;

/// Inputs whose gradients are found before their weights are updated, one after the other.
const TOGETHER: usize = 32;

/// Inputs whose weights to a panel stay in the first cache; a multiple of a line.
const BLOCK: usize = 112;

/// One at least, also where there are no inputs.
fn blocks(inputs: usize) -> usize {
    inputs.div_ceil(BLOCK).max(1)
}

/// Images that are asked for before they are read.
const AHEAD: usize = 8;

/// An input (or image), and x - c.
type Entry = (u32, f32);

/// The inputs of a batch that are not the background.
#[derive(Debug, Clone, PartialEq, Default)]
struct Sparse {
    /// Where each block of inputs of each image (or each input) starts, and the end of the last.
    starts: Vec<u32>,
    entries: Vec<Entry>,
}

impl Sparse {
    #[inline(always)]
    fn of(&self, index: usize) -> &[Entry] {
        &self.entries[self.starts[index] as usize..self.starts[index + 1] as usize]
    }
}

/// The weights of the first layer, `[panel of outputs][input][output]`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Inputs {
    values: Tensor,
    kept: Option<Vec<Line>>,
    background: f32,
    outputs: usize,
    inputs: usize,
    lines: usize,
    by_image: Sparse,
    by_input: Sparse,
    /// Sum over the inputs of w, by output.
    sums: Vec<Line>,
    /// `[image][output]`.
    turned: Vec<Line>,
}

/// The float of output `o` and input `i` in panels; `width` lines hold all outputs.
fn place(o: usize, i: usize, inputs: usize, width: usize) -> usize {
    let panel = o / (PANEL * LANES);
    let lines = PANEL.min(width - panel * PANEL);
    (panel * PANEL * inputs + i * lines) * LANES + o % (PANEL * LANES)
}

impl Inputs {
    /// From (output, input, w), with `lines` lines a unit.
    pub(super) fn new(
        entries: &[(u32, u32, f32)],
        outputs: usize,
        inputs: usize,
        lines: usize,
        background: f32,
    ) -> Self {
        let width = outputs.div_ceil(LANES);
        let mut weights = vec![0.0; width * LANES * inputs];
        let mut kept = vec![Line::ZERO; width * inputs];
        let mut sums = vec![Line::ZERO; width];
        for &(output, input, w) in entries {
            let at = place(output as usize, input as usize, inputs, width);
            weights[at] = w;
            floats_mut(&mut kept)[at] = 1.0;
            floats_mut(&mut sums)[output as usize] += w;
        }
        let kept = (entries.len() < outputs * inputs).then_some(kept);
        let turned = vec![Line::ZERO; lines * LANES * width];
        Self {
            values: Tensor::new(&weights),
            kept,
            background,
            outputs,
            inputs,
            lines,
            by_image: Sparse::default(),
            by_input: Sparse::default(),
            sums,
            turned,
        }
    }

    pub(super) fn weight(&self, output: usize, input: usize) -> f32 {
        self.values.values()[place(output, input, self.inputs, self.outputs.div_ceil(LANES))]
    }

    /// Finds the inputs of these images that are not the background; `pixels` are the places of the
    /// inputs in an image, in ascending order.
    pub(super) fn read<'a, P: Pixel>(
        &'a mut self,
        (images, scale): (&'a [&'a [P]], Scale),
        pixels: &'a [u32],
    ) -> impl Kernel<Output = ()> + 'a {
        Read { layer: self, images, scale, pixels }
    }

    /// y = finish(W x + bias) of the images that were read, through a finish without other lines.
    pub(super) fn forward<'a>(
        &'a mut self,
        bias: Option<&'a [f32]>,
        finish: Finish<'a>,
        y: &'a mut [Line],
    ) -> impl Kernel<Output = ()> + 'a {
        Forward { layer: self, bias, finish, y }
    }

    /// Gradient and update in one pass.
    pub(super) fn step<'a>(&'a mut self, dy: &'a [Line], rule: Rule) -> impl Kernel<Output = ()> + 'a {
        Backward { layer: self, dy, rule }
    }
}

struct Read<'a, P> {
    layer: &'a mut Inputs,
    images: &'a [&'a [P]],
    scale: Scale,
    pixels: &'a [u32],
}

impl<P: Pixel> Kernel for Read<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { layer, images, scale: Scale { scale, shift }, pixels } = self;
        let Inputs { by_image, by_input, background, .. } = layer;
        // In the numbers of the images.
        let background =
            if (scale, shift) == (1.0, 0.0) { *background } else { ((*background - shift) / scale).round() };
        let Sparse { starts, entries } = by_image;
        let all = images.len() * pixels.len();
        if by_input.entries.len() < all {
            entries.resize(all + LANES, (0, 0.0));
            by_input.entries.resize(all, (0, 0.0));
        }
        starts.clear();
        let mut next = 0;
        for (at, image) in images.iter().enumerate() {
            if at % AHEAD == 0 {
                let after = if at == 0 { 0 } else { images.len().min(at + AHEAD) };
                prefetch(s, &images[after..images.len().min(at + 2 * AHEAD)]);
            }
            for block in (0..pixels.len().max(1)).step_by(BLOCK) {
                starts.push(next as u32);
                let pixels = &pixels[block..pixels.len().min(block + BLOCK)];
                for (at, pixels) in pixels.chunks(LANES).enumerate() {
                    let mut x = [background; LANES];
                    let first = pixels[0] as usize;
                    let whole = pixels.len() == LANES && pixels[LANES - 1] as usize == first + LANES - 1;
                    match image[first..].first_chunk() {
                        Some(pixels) if whole => s.store_any(&mut x, P::load(s, pixels)),
                        _ => x.iter_mut().zip(pixels).for_each(|(x, &pixel)| *x = image[pixel as usize].raw()),
                    }
                    let away = s.sub(s.load_any(&x), s.splat(background));
                    let others = !s.bits(s.equal(away, s.zero()));
                    if others << (32 - LANES) == 0 {
                        continue;
                    }
                    s.store_any(&mut x, s.mul(away, s.splat(scale)));
                    let Some(room) = entries[next..].first_chunk_mut::<LANES>() else { continue };
                    // All are written, and the next takes the place of one that is the background: nothing to guess.
                    let mut count = 0;
                    for lane in 0..LANES {
                        room[count % LANES] = ((block + at * LANES + lane) as u32, x[lane]);
                        count += (others >> lane & 1) as usize;
                    }
                    next += count;
                }
            }
        }
        starts.push(next as u32);
        by_input.starts.clear();
        by_input.starts.resize(pixels.len() + 2, 0);
        for &(input, _) in &entries[..next] {
            by_input.starts[input as usize + 2] += 1;
        }
        for at in 2..by_input.starts.len() {
            by_input.starts[at] += by_input.starts[at - 1];
        }
        // Block by block: the places where its inputs' entries go stay in the first cache.
        let blocks = blocks(pixels.len());
        for block in 0..blocks {
            for image in 0..images.len() {
                for &(input, x) in by_image.of(image * blocks + block) {
                    let place = &mut by_input.starts[input as usize + 1];
                    by_input.entries[*place as usize] = (image as u32, x);
                    *place += 1;
                }
            }
        }
        by_input.starts.truncate(pixels.len() + 1);
    }
}

/// Work on panels of outputs.
trait Panels {
    /// The panel of L lines from `first` on.
    fn panel<S: Simd, const L: usize>(&mut self, s: S, first: usize);
}

/// All panels of `width` lines; the last may be narrower.
#[inline(always)]
fn in_panels<S: Simd>(s: S, work: &mut impl Panels, width: usize) {
    for first in (0..width).step_by(PANEL) {
        match width - first {
            1 => work.panel::<S, 1>(s, first),
            2 => work.panel::<S, 2>(s, first),
            3 => work.panel::<S, 3>(s, first),
            _ => work.panel::<S, PANEL>(s, first),
        }
    }
}

/// sums + the sum over `entries` of x times the lines of their place.
#[inline(always)]
fn add<S: Simd, const L: usize>(s: S, entries: &[Entry], lines: &[[Line; L]], mut sums: [S::V; L]) -> [S::V; L] {
    let mut rest = entries;
    if S::WIDE || L <= 2 {
        // Two sums of each line, or each multiply-add would wait for the one before.
        let (pairs, last) = entries.as_chunks::<2>();
        let mut others = [s.zero(); L];
        for &[(one, x), (other, z)] in pairs {
            let (one, other) = (&lines[one as usize], &lines[other as usize]);
            let (x, z) = (s.splat(x), s.splat(z));
            for l in 0..L {
                sums[l] = s.fma(x, s.load(&one[l]), sums[l]);
                others[l] = s.fma(z, s.load(&other[l]), others[l]);
            }
        }
        for l in 0..L {
            sums[l] = s.add(sums[l], others[l]);
        }
        rest = last;
    }
    for &(at, x) in rest {
        let line = &lines[at as usize];
        let x = s.splat(x);
        for l in 0..L {
            sums[l] = s.fma(x, s.load(&line[l]), sums[l]);
        }
    }
    sums
}

struct Forward<'a> {
    layer: &'a mut Inputs,
    bias: Option<&'a [f32]>,
    finish: Finish<'a>,
    y: &'a mut [Line],
}

impl Panels for Forward<'_> {
    #[inline(always)]
    fn panel<S: Simd, const L: usize>(&mut self, s: S, first: usize) {
        let layer = &mut *self.layer;
        let width = layer.outputs.div_ceil(LANES);
        let weights = &layer.values.w[first * layer.inputs..(first + L) * layer.inputs];
        let (weights, _) = weights.as_chunks::<L>();
        let background = s.splat(layer.background);
        let mut start = [s.zero(); L];
        for l in 0..L {
            let mut bias = Line::ZERO;
            if let Some(all) = self.bias {
                let first = (first + l) * LANES;
                bias.0.iter_mut().zip(&all[first..]).for_each(|(bias, from)| *bias = *from);
            }
            start[l] = s.fma(background, s.load(&layer.sums[first + l]), s.load(&bias));
        }
        let blocks = blocks(layer.inputs);
        let images = (layer.by_image.starts.len() - 1) / blocks;
        let mut panel = vec![[Line::ZERO; L]; images];
        for block in 0..blocks {
            for (image, kept) in panel.iter_mut().enumerate() {
                // The weights of the next block, of all panels too many for the second cache.
                let next = (first * layer.inputs + ((block + 1) * BLOCK + image) * L)..;
                if let Some(next) = layer.values.w.get(next).filter(|_| image < BLOCK) {
                    for line in next.iter().take(L) {
                        s.prefetch(line);
                    }
                }
                let mut sums = start;
                if block > 0 {
                    for l in 0..L {
                        sums[l] = s.load(&kept[l]);
                    }
                }
                let sums = add(s, layer.by_image.of(image * blocks + block), weights, sums);
                let last = block + 1 == blocks;
                for l in 0..L {
                    s.store(&mut kept[l], if last { self.finish.apply(s, sums[l], 0) } else { sums[l] });
                }
            }
        }
        for (panel, turned) in panel.iter().zip(layer.turned.chunks_exact_mut(width)) {
            turned[first..first + L].copy_from_slice(panel);
        }
    }
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let width = self.layer.outputs.div_ceil(LANES);
        in_panels(s, &mut self, width);
        let Self { layer: Inputs { turned, lines, .. }, y, .. } = self;
        transpose(s, turned, *lines * LANES, width, y);
    }
}

struct Backward<'a> {
    layer: &'a mut Inputs,
    /// `[output][batch]`.
    dy: &'a [Line],
    rule: Rule,
}

impl Panels for Backward<'_> {
    #[inline(always)]
    fn panel<S: Simd, const L: usize>(&mut self, s: S, first: usize) {
        let layer = &mut *self.layer;
        let width = layer.outputs.div_ceil(LANES);
        let mut panel = vec![[Line::ZERO; L]; layer.turned.len() / width];
        let mut total = [s.zero(); L];
        for (dy, turned) in panel.iter_mut().zip(layer.turned.chunks_exact(width)) {
            for l in 0..L {
                dy[l] = turned[first + l];
                total[l] = s.add(total[l], s.load(&dy[l]));
            }
        }
        for l in 0..L {
            total[l] = s.mul(s.splat(layer.background), total[l]);
        }
        let Tensor { w, first: mean, second } = &mut layer.values;
        let mut weights = [s.zero(); L];
        let mut gradients = [[Line::ZERO; L]; TOGETHER];
        for begin in (0..layer.inputs).step_by(TOGETHER) {
            let inputs = begin..layer.inputs.min(begin + TOGETHER);
            for (gradient, input) in gradients.iter_mut().zip(inputs.clone()) {
                // Weights and state of all panels together pass the second cache.
                let at = first * layer.inputs + input * L;
                for l in 0..L {
                    s.prefetch(&w[at + l]);
                    s.prefetch(&mean[at + l]);
                    s.prefetch(&second[at + l]);
                }
                let sums = add(s, layer.by_input.of(input), &panel, total);
                for l in 0..L {
                    s.store(&mut gradient[l], sums[l]);
                }
            }
            for (gradient, input) in gradients.iter().zip(inputs) {
                for l in 0..L {
                    let at = first * layer.inputs + input * L + l;
                    let g = match &layer.kept {
                        Some(kept) => s.mul(s.load(&gradient[l]), s.load(&kept[at])),
                        None => s.load(&gradient[l]),
                    };
                    let moved = self.rule.apply(s, g, &mut w[at], &mut mean[at], &mut second[at]);
                    weights[l] = s.add(weights[l], moved);
                }
            }
        }
        for l in 0..L {
            s.store(&mut layer.sums[first + l], weights[l]);
        }
    }
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        transpose(s, self.dy, self.layer.outputs, self.layer.lines, &mut self.layer.turned);
        let width = self.layer.outputs.div_ceil(LANES);
        in_panels(s, &mut self, width);
    }
}

/// The most frequent value among the first images, and the share of inputs that have it.
pub(super) fn background(images: ndarray::ArrayView2<'_, f32>) -> (f32, f32) {
    const ENOUGH: usize = 64;
    let mut values: Vec<f32> = images.rows().into_iter().take(ENOUGH).flatten().copied().collect();
    values.sort_by(f32::total_cmp);
    let runs = values.chunk_by(|a, b| a == b);
    // The first of equally frequent values.
    let longest = runs.fold(&[][..], |longest: &[f32], run| if run.len() > longest.len() { run } else { longest });
    let share = longest.len() as f32 / values.len().max(1) as f32;
    (longest.first().copied().unwrap_or(0.0), share)
}
