//! The way back through a convolution before its pooling, from the largest inputs alone.
//!
//! Of the outputs of a convolution that a pooling reads, only the largest of each window has a gradient: a
//! quarter of them with windows of 2 x 2, and another one in each image. So images are taken one by one,
//! and the inner loops run over the taps of a row of the kernel, which lie side by side where the
//! channels of an input come last: `[row][column][channel]`.
//!
//! Gradients of weights: for each output channel, g times the patch of the input at the winner.
//! Gradients of inputs: for each position, the sum over the channels that won there of g times their
//! weights, added to the patch. All taps are multiplied, pruned ones as zeros.

use super::frame::Frame;
use super::pool::Pool;
use super::rows::{Finish, block};
use super::simd::{Kernel, LANES, Line, Simd, floats, floats_mut};

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
    /// The gradients of the pooled outputs, through the activation.
    gated: Vec<Line>,
    /// (position, output channel, g) of an image, by output channel and by position.
    wins: Vec<(u32, u32, f32)>,
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
    pub(super) places: &'a [Line],
    pub(super) finish: Finish<'a>,
    pub(super) bias_parts: &'a mut [Line],
    /// In the frame of the input, where it is wanted.
    pub(super) dx: Option<&'a mut [Line]>,
}

impl Winners {
    /// For taps (output, input, ky, kx) in the order of the layer's values.
    pub(super) fn new(
        input: Frame,
        output: Frame,
        kernel: usize,
        stride: usize,
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
            gated: Vec::new(),
            wins: Vec::new(),
            sorted: Vec::new(),
            starts: Vec::new(),
        }
    }

    /// Multiplications of lines for the gradient of one image, at most.
    pub(super) fn cost(input: Frame, output: Frame, kernel: usize, cells: usize) -> usize {
        output.channels * cells * kernel * (kernel * input.channels).div_ceil(LANES)
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

    /// Images of a group with channels last.
    #[inline(always)]
    fn turn<S: Simd>(&mut self, s: S, x: &[Line]) {
        for (at, order) in self.order.chunks(LANES).enumerate() {
            let mut lines = [s.zero(); LANES];
            for (line, &place) in lines.iter_mut().zip(order) {
                *line = s.load(&x[place as usize]);
            }
            let lines = s.transpose(lines);
            for image in 0..LANES {
                s.store(&mut self.turned[image * self.image + at], lines[image]);
            }
        }
    }

    /// And back.
    #[inline(always)]
    fn turn_back<S: Simd>(&self, s: S, dx: &mut [Line]) {
        for (at, order) in self.order.chunks(LANES).enumerate() {
            let mut lines = [s.zero(); LANES];
            for image in 0..LANES {
                lines[image] = s.load(&self.back[image * self.image + at]);
            }
            let lines = s.transpose(lines);
            for (line, &place) in lines.iter().zip(order) {
                s.store(&mut dx[place as usize], *line);
            }
        }
    }

    /// `gradient[channel]` += g patch, for `N` lines: `N / W` rows of the kernel from `row` on, `W` lines of
    /// each from `line` on.
    #[inline(always)]
    fn add_gradient<S: Simd, const N: usize, const W: usize>(
        &mut self,
        s: S,
        image: usize,
        (row, line): (usize, usize),
        (start, end): (usize, usize),
        channel: usize,
    ) {
        let stride = self.input.row() * self.input.channels;
        let x = floats(&self.turned[image * self.image..(image + 1) * self.image]);
        let to = (channel * self.kernel + row) * self.width + line;
        let mut sums = [s.zero(); N];
        for n in 0..N {
            sums[n] = s.load(&self.gradient[to + n / W * self.width + n % W]);
        }
        for &(position, _, g) in &self.wins[start..end] {
            let at = self.patches[position as usize] as usize + row * stride + line * LANES;
            let g = s.splat(g);
            for n in 0..N {
                let from = at + n / W * stride + n % W * LANES;
                if let Some(x) = x[from..].first_chunk::<LANES>() {
                    sums[n] = s.fma(g, s.load_any(x), sums[n]);
                }
            }
        }
        for n in 0..N {
            s.store(&mut self.gradient[to + n / W * self.width + n % W], sums[n]);
        }
    }

    /// patch += sum over the channels that won at `position` of g weights.
    #[inline(always)]
    fn add_input<S: Simd, const N: usize, const W: usize>(
        &mut self,
        s: S,
        image: usize,
        (row, line): (usize, usize),
        position: usize,
    ) {
        let stride = self.input.row() * self.input.channels;
        let (start, end) = (self.starts[position] as usize, self.starts[position + 1] as usize);
        let dx = floats_mut(&mut self.back[image * self.image..(image + 1) * self.image]);
        let at = self.patches[position] as usize + row * stride + line * LANES;
        let mut sums = [s.zero(); N];
        for n in 0..N {
            if let Some(dx) = dx[at + n / W * stride + n % W * LANES..].first_chunk::<LANES>() {
                sums[n] = s.load_any(dx);
            }
        }
        for &(channel, g) in &self.sorted[start..end] {
            let from = (channel as usize * self.kernel + row) * self.width + line;
            let g = s.splat(g);
            if W == self.width {
                let weights = block::<N>(&self.weights, from);
                for n in 0..N {
                    sums[n] = s.fma(g, s.load(&weights[n]), sums[n]);
                }
            } else {
                for n in 0..N {
                    sums[n] = s.fma(g, s.load(&self.weights[from + n / W * self.width + n % W]), sums[n]);
                }
            }
        }
        // In ascending order: what a line writes beyond its row of the patch is what was there.
        for n in 0..N {
            if let Some(dx) = dx[at + n / W * stride + n % W * LANES..].first_chunk_mut::<LANES>() {
                s.store_any(dx, sums[n]);
            }
        }
    }
}

/// Calls a method for all lines of a patch, as many at once as registers hold.
macro_rules! patch {
    ($self:expr, $method:ident, $s:expr, $image:expr, $($rest:expr),+) => {{
        let (kernel, width) = ($self.kernel, $self.width);
        match (kernel, width) {
            (5, 1) => $self.$method::<S, 5, 1>($s, $image, (0, 0), $($rest),+),
            (5, 2) => $self.$method::<S, 10, 2>($s, $image, (0, 0), $($rest),+),
            (3, 1) => $self.$method::<S, 3, 1>($s, $image, (0, 0), $($rest),+),
            (3, 2) => $self.$method::<S, 6, 2>($s, $image, (0, 0), $($rest),+),
            (3, 3) => $self.$method::<S, 9, 3>($s, $image, (0, 0), $($rest),+),
            _ => {
                for row in 0..kernel {
                    let mut line = 0;
                    while line < width {
                        match width - line {
                            8.. => {
                                $self.$method::<S, 8, 8>($s, $image, (row, line), $($rest),+);
                                line += 8;
                            }
                            4.. => {
                                $self.$method::<S, 4, 4>($s, $image, (row, line), $($rest),+);
                                line += 4;
                            }
                            _ => {
                                $self.$method::<S, 1, 1>($s, $image, (row, line), $($rest),+);
                                line += 1;
                            }
                        }
                    }
                }
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
        let cells = pool.output.height * pool.output.width;
        winners.turn(s, x);
        winners.gated.resize(output.channels * cells, Line::ZERO);
        let mut cell = 0;
        for channel in 0..output.channels {
            let mut sum = s.zero();
            for y in 0..pool.output.height {
                for column in 0..pool.output.width {
                    let at = pool.output.at(channel, y, column);
                    let g = finish.apply(s, s.load(&dy[at]), at);
                    sum = s.add(sum, g);
                    s.store(&mut winners.gated[cell], g);
                    cell += 1;
                }
            }
            if let Some(part) = bias_parts.get_mut(channel) {
                let sum = s.add(s.load(part), sum);
                s.store(part, sum);
            }
        }
        // The output position of each place in a window, and of each window.
        let window: Vec<u32> = (0..pool.kernel * pool.kernel)
            .map(|place| (place / pool.kernel * output.width + place % pool.kernel) as u32)
            .collect();
        let corner: Vec<u32> = (0..cells)
            .map(|cell| {
                let (y, x) = (cell / pool.output.width, cell % pool.output.width);
                ((y * output.width + x) * pool.stride) as u32
            })
            .collect();
        let positions = winners.patches.len();
        let mut ends = Vec::with_capacity(output.channels + 1);
        if dx.is_some() {
            winners.back.fill(Line::ZERO);
        }
        for image in 0..LANES {
            // All cells are written, one over the other while g is zero: no branch.
            winners.wins.resize(output.channels * cells + 1, (0, 0, 0.0));
            ends.clear();
            ends.push(0);
            let mut next = 0;
            for channel in 0..output.channels {
                let range = channel * cells..(channel + 1) * cells;
                let lines = winners.gated[range.clone()].iter().zip(&places[range]);
                for ((gated, place), &corner) in lines.zip(&corner) {
                    let g = gated.0[image];
                    let position = corner + window[place.0[image] as usize];
                    winners.wins[next] = (position, channel as u32, g);
                    next += usize::from(g != 0.0);
                }
                ends.push(next);
            }
            for channel in 0..output.channels {
                let range = (ends[channel], ends[channel + 1]);
                patch!(winners, add_gradient, s, image, range, channel);
            }
            if dx.is_none() {
                continue;
            }
            let Winners { starts, wins, sorted, .. } = &mut *winners;
            starts.clear();
            starts.resize(positions + 2, 0);
            for &(position, ..) in &wins[..next] {
                starts[position as usize + 2] += 1;
            }
            for at in 2..starts.len() {
                starts[at] += starts[at - 1];
            }
            sorted.resize(next, (0, 0.0));
            for &(position, channel, g) in &wins[..next] {
                let place = &mut starts[position as usize + 1];
                sorted[*place as usize] = (channel, g);
                *place += 1;
            }
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
