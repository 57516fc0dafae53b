//! The first layer over the inputs of each image that are not the background.
//!
//! With x = c + e, where c is the value of the background and e is zero for most inputs,
//! W x = c W 1 + W e: the first product is one number an output, kept up to date, and the second
//! visits the other inputs alone. The weight gradient is dy x^T = c (sum of dy) + dy e^T.

use std::ops::Range;

use super::dense::transpose;
use super::optimiser::{Rule, Tensor};
use super::others::{BLOCK, Others, blocks};
use super::rows::Finish;
use super::shades::{Pixel, Scale};
use super::simd::{Kernel, LANES, Line, Simd, floats_mut};

/// Lines of a panel of outputs, whose sums one pass holds in registers.
const PANEL: usize = 4;

/// Inputs whose gradients are found before their weights are updated, one after the other; an even number.
const TOGETHER: usize = 32;

/// The weights of the first layer, `[panel of outputs][input][output]`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Inputs {
    values: Tensor,
    kept: Option<Vec<Line>>,
    background: f32,
    outputs: usize,
    inputs: usize,
    lines: usize,
    others: Others,
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
            others: Others::new(),
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
        self.others.read((images, scale), pixels, self.background)
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

/// sums + the sum over the entries of a list of x times the lines of their place.
#[inline(always)]
fn add<S: Simd, const L: usize>(
    s: S,
    (places, x): (&[u32], &[f32]),
    lines: &[[Line; L]],
    mut sums: [S::V; L],
) -> [S::V; L] {
    let (mut places, mut x) = (places, x);
    if S::WIDE || L <= 2 {
        // Two sums of each line, or each multiply-add would wait for the one before.
        let (pairs, last) = places.as_chunks::<2>();
        let (x_of_pairs, last_x) = x.as_chunks::<2>();
        let mut others = [s.zero(); L];
        for (&[one, other], &[x, z]) in pairs.iter().zip(x_of_pairs) {
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
        (places, x) = (last, last_x);
    }
    for (&at, &x) in places.iter().zip(x) {
        let line = &lines[at as usize];
        let x = s.splat(x);
        for l in 0..L {
            sums[l] = s.fma(x, s.load(&line[l]), sums[l]);
        }
    }
    sums
}

/// For both numbers of the entries of a list: start + the sum of the number times the lines of their place.
#[inline(always)]
fn add_pair<S: Simd, const L: usize>(
    s: S,
    (places, [x, z]): (&[u32], [&[f32]; 2]),
    lines: &[[Line; L]],
    start: [S::V; L],
) -> [[S::V; L]; 2] {
    let (mut one, mut other) = (start, start);
    for ((&at, &x), &z) in places.iter().zip(x).zip(z) {
        let line = &lines[at as usize];
        let (x, z) = (s.splat(x), s.splat(z));
        for l in 0..L {
            let line = s.load(&line[l]);
            one[l] = s.fma(x, line, one[l]);
            other[l] = s.fma(z, line, other[l]);
        }
    }
    [one, other]
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
        let images = layer.others.by_image.len() / blocks;
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
                let (places, [x]) = layer.others.by_image.of(image * blocks + block);
                let sums = add(s, (places, x), weights, sums);
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

impl Backward<'_> {
    /// The gradients of the weights from these inputs, the first of an even number, to the outputs of L lines: lines
    /// `to` and after of each of `gradients`, which are those of a panel of P lines from `first` on. `dy` holds the L
    /// lines of each image, then their sums times the background.
    #[inline(always)]
    fn gradients<S: Simd, const L: usize, const P: usize>(
        &self,
        s: S,
        inputs: Range<usize>,
        dy: &[Line],
        (gradients, first, to): (&mut [[Line; P]], usize, usize),
    ) {
        let Tensor { w, first: mean, second } = &self.layer.values;
        let (dy, _) = dy.as_chunks::<L>();
        let Some((total, dy)) = dy.split_last() else { return };
        let mut start = [s.zero(); L];
        for l in 0..L {
            start[l] = s.load(&total[l]);
        }
        for (pair, gradients) in (inputs.start / 2..).zip(gradients[..inputs.len()].chunks_mut(2)) {
            // Weights and state of all panels together pass the second cache.
            for input in 0..gradients.len() {
                let at = first * self.layer.inputs + (2 * pair + input) * P + to;
                for l in 0..L {
                    s.prefetch(&w[at + l]);
                    s.prefetch(&mean[at + l]);
                    s.prefetch(&second[at + l]);
                }
            }
            let sums = add_pair(s, self.layer.others.by_pair.of(pair), dy, start);
            for (gradient, sums) in gradients.iter_mut().zip(sums) {
                for l in 0..L {
                    s.store(&mut gradient[to + l], sums[l]);
                }
            }
        }
    }
}

impl Panels for Backward<'_> {
    #[inline(always)]
    fn panel<S: Simd, const L: usize>(&mut self, s: S, first: usize) {
        // What one pass over a list holds in registers, for two inputs.
        let most = if S::WIDE { PANEL } else { PANEL / 2 };
        let width = self.layer.outputs.div_ceil(LANES);
        let images = self.layer.turned.len() / width;
        // Part by part: the lines of each image, then their sums times the background.
        let mut panel = vec![Line::ZERO; (images + 1) * L];
        for (part, panel) in panel.chunks_mut((images + 1) * most).enumerate() {
            let lines = panel.len() / (images + 1);
            let first = first + part * most;
            let mut total = [s.zero(); PANEL];
            for (dy, turned) in panel.chunks_exact_mut(lines).zip(self.layer.turned.chunks_exact(width)) {
                dy.copy_from_slice(&turned[first..first + lines]);
                for (total, dy) in total.iter_mut().zip(dy) {
                    *total = s.add(*total, s.load(dy));
                }
            }
            for (line, total) in panel[images * lines..].iter_mut().zip(total) {
                s.store(line, s.mul(s.splat(self.layer.background), total));
            }
        }
        let mut weights = [s.zero(); L];
        let mut gradients = [[Line::ZERO; L]; TOGETHER];
        for begin in (0..self.layer.inputs).step_by(TOGETHER) {
            let inputs = begin..self.layer.inputs.min(begin + TOGETHER);
            for (part, dy) in panel.chunks((images + 1) * most).enumerate() {
                let to = (&mut gradients[..], first, part * most);
                match dy.len() / (images + 1) {
                    1 => self.gradients::<S, 1, L>(s, inputs.clone(), dy, to),
                    2 => self.gradients::<S, 2, L>(s, inputs.clone(), dy, to),
                    3 => self.gradients::<S, 3, L>(s, inputs.clone(), dy, to),
                    _ => self.gradients::<S, PANEL, L>(s, inputs.clone(), dy, to),
                }
            }
            let Tensor { w, first: mean, second } = &mut self.layer.values;
            for (gradient, input) in gradients.iter().zip(inputs) {
                for l in 0..L {
                    let at = first * self.layer.inputs + input * L + l;
                    let g = match &self.layer.kept {
                        Some(kept) => s.mul(s.load(&gradient[l]), s.load(&kept[at])),
                        None => s.load(&gradient[l]),
                    };
                    let moved = self.rule.apply(s, g, &mut w[at], &mut mean[at], &mut second[at]);
                    weights[l] = s.add(weights[l], moved);
                }
            }
        }
        for l in 0..L {
            s.store(&mut self.layer.sums[first + l], weights[l]);
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
