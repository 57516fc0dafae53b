//! The way back through a convolution before its pooling, from the largest inputs alone.
//!
//! Of the outputs of a convolution that a pooling reads, only the largest of each window has a gradient, where
//! its activation lets one through: a quarter of them at most with windows of 2 x 2, and another one in each
//! image. So images are taken one by one, and the inner loops run over the taps of a row of the kernel, which
//! lie side by side where the channels of an input come last: `[row][column][channel]`.
//!
//! Gradients of weights: for each output channel, g times the patch of the input at the winner.
//! Gradients of inputs: for each position, the sum over the channels that won there of g times their
//! weights, added to the patch. All taps are multiplied, pruned ones as zeros.

mod patch;
mod turn;

use super::frame::Frame;
use super::piece::{Half, Piece, Whole};
use super::pool::Pool;
use super::rows::Finish;
use super::simd::{Bytes, HALF, InstructionSet, Kernel, LANES, Line, Simd, floats, floats_mut};
use patch::{Part, Place};

/// The largest input of a window that has a gradient.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Win {
    /// The position of the convolution's output.
    position: u32,
    channel: u32,
    g: f32,
}

/// The buffers of one convolution.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Winners {
    input: Frame,
    output: Frame,
    kernel: usize,
    /// Lines of a row of the kernel.
    width: usize,
    /// The line in the frame of each float of an image with channels last.
    order: Vec<u32>,
    /// Lines of an image with channels last.
    image: usize,
    /// The first float of the patch of each output position.
    patches: Vec<u32>,
    /// Where each tap lies in `gradient` and `weights`.
    taps: Vec<u32>,
    /// `[output channel][row of the kernel][lines]`.
    gradient: Vec<Line>,
    weights: Vec<Line>,
    /// `[image]`: inputs and their gradients with channels last.
    turned: Vec<Line>,
    back: Vec<Line>,
    /// `[image][channel][cell]`, each channel filled up to lines: the gradients of the pooled outputs,
    /// through the activation, and the places of the largest inputs.
    gated: Vec<Line>,
    places: Vec<Line>,
    /// The first position of each window, filled up to lines.
    corners: Vec<u32>,
    /// From there to each place of a window.
    steps: Vec<u32>,
    /// Those of an image, by output channel, and where each channel ends; by position.
    wins: Vec<Win>,
    ends: Vec<usize>,
    sorted: Vec<(u32, f32)>,
    starts: Vec<u32>,
}

/// What one group brings.
pub(super) struct Group<'a> {
    pub(super) winners: &'a mut Winners,
    pub(super) pool: &'a Pool,
    pub(super) x: &'a [Line],
    /// The gradient of the pooled outputs, with their places, and the activation's derivative.
    pub(super) dy: &'a [Line],
    pub(super) places: &'a [Bytes],
    pub(super) finish: Finish<'a>,
    pub(super) bias_parts: &'a mut [Line],
    /// In the frame of the input, where it is wanted.
    pub(super) dx: Option<&'a mut [Line]>,
}

impl Winners {
    /// For taps (output, input, ky, kx) in the order of the layer's values, before `pool`.
    pub(super) fn new(
        (input, output): (Frame, Frame),
        (kernel, stride): (usize, usize),
        pool: &Pool,
        taps: impl Iterator<Item = [usize; 4]>,
    ) -> Self {
        let channels = input.channels;
        let width = (kernel * channels).div_ceil(LANES);
        let (rows, columns) = (input.height + 2 * input.padding, input.row());
        let place = |y: usize, x: usize, c: usize| (c * input.channel() + y * input.row() + x) as u32;
        let order: Vec<u32> = (0..rows * columns * channels)
            .map(|at| place(at / channels / columns, at / channels % columns, at % channels))
            .collect();
        // Patches are read in whole lines: one more line than the last row of the last patch needs.
        let image = order.len().div_ceil(LANES) + 1;
        let positions = (0..output.height).flat_map(|y| (0..output.width).map(move |x| (y, x)));
        let patches = positions.map(|(y, x)| ((y * columns + x) * stride * channels) as u32).collect();
        let tap = |[o, i, ky, kx]: [usize; 4]| ((o * kernel + ky) * width * LANES + kx * channels + i) as u32;
        let size = output.channels * kernel * width;
        let cells = pool.output.height * pool.output.width;
        let mut corners = vec![0; cells.div_ceil(LANES) * LANES];
        for (cell, corner) in corners.iter_mut().enumerate().take(cells) {
            let (y, x) = (cell / pool.output.width, cell % pool.output.width);
            *corner = ((y * output.width + x) * pool.stride) as u32;
        }
        let steps =
            (0..pool.kernel * pool.kernel).map(|at| (at / pool.kernel * output.width + at % pool.kernel) as u32);
        let gated = vec![Line::ZERO; output.channels * corners.len()];
        Self {
            input,
            output,
            kernel,
            width,
            order,
            image,
            patches,
            taps: taps.map(tap).collect(),
            gradient: vec![Line::ZERO; size],
            weights: vec![Line::ZERO; size],
            turned: vec![Line::ZERO; LANES * image],
            back: vec![Line::ZERO; LANES * image],
            places: gated.clone(),
            gated,
            wins: vec![Win::default(); output.channels * cells],
            ends: vec![0; output.channels + 1],
            corners,
            steps: steps.collect(),
            sorted: Vec::new(),
            starts: Vec::new(),
        }
    }

    /// Registers of a patch.
    pub(super) fn registers(set: InstructionSet, input: Frame, kernel: usize) -> usize {
        let register = if set.is_wide() { LANES } else { HALF };
        kernel * (kernel * input.channels).div_ceil(register)
    }

    /// Takes the weights, in the order of the taps, and begins a gradient of zero.
    pub(super) fn begin(&mut self, values: &[f32]) {
        let weights = floats_mut(&mut self.weights);
        for (&tap, &w) in self.taps.iter().zip(values) {
            weights[tap as usize] = w;
        }
        self.gradient.fill(Line::ZERO);
    }

    /// The gradient of each tap.
    pub(super) fn read(&self, gradient: &mut [f32]) {
        let all = floats(&self.gradient);
        for (g, &tap) in gradient.iter_mut().zip(&self.taps) {
            *g = all[tap as usize];
        }
    }

    /// Finds the largest inputs of an image that have a gradient.
    #[inline(always)]
    fn find<S: Simd>(&mut self, s: S, image: usize) {
        let lines = self.corners.len() / LANES;
        let mut next = 0;
        for channel in 0..self.output.channels {
            let first = (image * self.output.channels + channel) * lines;
            for line in 0..lines {
                let (gated, places) = (&self.gated[first + line], &self.places[first + line]);
                let none = s.bits(s.equal(s.load(gated), s.zero()));
                let mut some = !none & ((1 << LANES) - 1);
                while some != 0 {
                    let lane = some.trailing_zeros() as usize % LANES;
                    some &= some - 1;
                    let position = self.corners[line * LANES + lane] + self.steps[places.0[lane] as usize];
                    self.wins[next] = Win { position, channel: channel as u32, g: gated.0[lane] };
                    next += 1;
                }
            }
            self.ends[channel + 1] = next;
        }
    }

    /// Sorts them by position.
    fn sort(&mut self) {
        let Self { starts, wins, sorted, .. } = self;
        let wins = &wins[..self.ends[self.output.channels]];
        starts.clear();
        starts.resize(self.patches.len() + 2, 0);
        for win in wins {
            starts[win.position as usize + 2] += 1;
        }
        for at in 2..starts.len() {
            starts[at] += starts[at - 1];
        }
        sorted.resize(wins.len(), (0, 0.0));
        for win in wins {
            let place = &mut starts[win.position as usize + 1];
            sorted[*place as usize] = (win.channel, win.g);
            *place += 1;
        }
    }

    /// `gradient[channel]` += g patch, for a part of the patch, over the wins of a channel.
    #[inline(always)]
    fn add_gradient<S: Simd, P: Piece<S>, const N: usize, const W: usize>(
        &mut self,
        s: S,
        image: usize,
        part: Part,
        channel: usize,
    ) {
        let stride = self.input.row() * self.input.channels;
        let x = floats(&self.turned[image * self.image..(image + 1) * self.image]);
        let row = self.width * LANES;
        let to = Place { at: (channel * self.kernel + part.row) * row + part.piece * P::FLOATS, stride: row };
        let mut sums = to.load::<S, P, N, W>(s, floats(&self.gradient));
        let from = part.row * stride + part.piece * P::FLOATS;
        for win in &self.wins[self.ends[channel]..self.ends[channel + 1]] {
            let patch = Place { at: self.patches[win.position as usize] as usize + from, stride };
            sums = patch.add::<S, P, N, W>(s, x, win.g, sums);
        }
        to.store::<S, P, N, W>(s, floats_mut(&mut self.gradient), sums);
    }

    /// patch += sum over the channels that won at `position` of g weights, for a part of the patch.
    #[inline(always)]
    fn add_input<S: Simd, P: Piece<S>, const N: usize, const W: usize>(
        &mut self,
        s: S,
        image: usize,
        part: Part,
        position: usize,
    ) {
        let stride = self.input.row() * self.input.channels;
        let (start, end) = (self.starts[position] as usize, self.starts[position + 1] as usize);
        let row = self.width * LANES;
        let from = part.row * stride + part.piece * P::FLOATS;
        let patch = Place { at: self.patches[position] as usize + from, stride };
        let dx = floats_mut(&mut self.back[image * self.image..(image + 1) * self.image]);
        let weights = floats(&self.weights);
        let mut sums = patch.load::<S, P, N, W>(s, dx);
        for &(channel, g) in &self.sorted[start..end] {
            let at = (channel as usize * self.kernel + part.row) * row + part.piece * P::FLOATS;
            sums = Place { at, stride: row }.add::<S, P, N, W>(s, weights, g, sums);
        }
        // In ascending order: what a piece writes beyond its row of the patch is what was there.
        patch.store::<S, P, N, W>(s, dx, sums);
    }
}

/// Calls a method for all parts of a patch, as much at once as registers hold.
macro_rules! patch {
    ($self:expr, $method:ident, $s:expr, $image:expr, $rest:expr) => {{
        let (kernel, floats) = ($self.kernel, $self.kernel * $self.input.channels);
        macro_rules! part {
            ($P:ty, $n:literal, $w:literal, $row:expr, $piece:expr) => {
                $self.$method::<S, $P, $n, $w>($s, $image, Part { row: $row, piece: $piece }, $rest)
            };
        }
        macro_rules! rows {
            ($P:ty, $width:expr) => {{
                for row in 0..kernel {
                    let mut piece = 0;
                    while piece < $width {
                        match $width - piece {
                            8.. => {
                                part!($P, 8, 8, row, piece);
                                piece += 8;
                            }
                            4.. => {
                                part!($P, 4, 4, row, piece);
                                piece += 4;
                            }
                            _ => {
                                part!($P, 1, 1, row, piece);
                                piece += 1;
                            }
                        }
                    }
                }
            }};
        }
        if S::WIDE && floats > HALF {
            match (kernel, $self.width) {
                (5, 1) => part!(Whole, 5, 1, 0, 0),
                (5, 2) => part!(Whole, 10, 2, 0, 0),
                (3, 1) => part!(Whole, 3, 1, 0, 0),
                (3, 2) => part!(Whole, 6, 2, 0, 0),
                (3, 3) => part!(Whole, 9, 3, 0, 0),
                (_, width) => rows!(Whole, width),
            }
        } else {
            match (kernel, floats.div_ceil(HALF)) {
                (5, 1) => part!(Half, 5, 1, 0, 0),
                (5, 2) => part!(Half, 10, 2, 0, 0),
                (5, 4) => {
                    part!(Half, 12, 4, 0, 0);
                    part!(Half, 8, 4, 3, 0);
                }
                (3, 1) => part!(Half, 3, 1, 0, 0),
                (3, 2) => part!(Half, 6, 2, 0, 0),
                (3, 3) => part!(Half, 9, 3, 0, 0),
                (3, 4) => part!(Half, 12, 4, 0, 0),
                (_, width) => rows!(Half, width),
            }
        }
    }};
}

impl Kernel for Group<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { winners, pool, x, dy, places, finish, bias_parts, dx } = self;
        let (input, output) = (winners.input, winners.output);
        winners.turn(s, x);
        winners.gate(s, pool, (dy, places, finish), bias_parts);
        if dx.is_some() {
            winners.back.fill(Line::ZERO);
        }
        for image in 0..LANES {
            winners.find(s, image);
            for channel in 0..output.channels {
                patch!(winners, add_gradient, s, image, channel);
            }
            if dx.is_none() {
                continue;
            }
            winners.sort();
            // Patches that follow each other do not overlap: a read would wait for the write before.
            for y in 0..output.height {
                for phase in 0..winners.kernel {
                    for x in (phase..output.width).step_by(winners.kernel) {
                        let position = y * output.width + x;
                        if winners.starts[position] < winners.starts[position + 1] {
                            patch!(winners, add_input, s, image, position);
                        }
                    }
                }
            }
        }
        if let Some(dx) = dx {
            winners.turn_back(s, &mut dx[..input.lines()]);
        }
    }
}
