//! A convolution of sixteen images at a time: each kept tap is a multiplication of whole pieces of
//! feature-map rows with one number.

use std::ops::Range;

use super::choice::Kernels;
use super::frame::Frame;
use super::linear::forward_finish;
use super::optimiser::{Rule, Tensor};
use super::pool::{self, Pool};
use super::rows::{Finish, Update};
use super::simd::{Bytes, InstructionSet, LANES, Line, floats_mut};
use super::winners::{self, Winners};
use crate::mask::LayerMask;
use crate::network::{Activation, Convolution, LayerParameters};

/// Calls `$body` with pieces of a row of `$width`: `C` columns from `$x` on, as many as the first of `$left` says that
/// holds for the columns which are left.
macro_rules! cut {
    ($width:expr, |$x:ident, $C:ident| $body:expr, $($left:pat $(if $guard:expr)? => $c:literal),+) => {{
        let width: usize = $width;
        let mut $x = 0;
        while $x < width {
            match width - $x {
                $($left $(if $guard)? => {
                    const $C: usize = $c;
                    $body;
                    $x += $c;
                })+
            }
        }
    }};
}

/// Pieces of a row, or with 32 registers of two rows, that registers hold.
macro_rules! pieces {
    ($s:ty, $width:expr, |$x:ident, $C:ident| $body:expr) => {
        cut!($width, |$x, $C| $body,
            14 | 28.. if <$s>::WIDE => 14, 10.. if <$s>::WIDE => 10, 7 | 14 | 21 | 28 => 7, 5.. => 5, 3.. => 3, _ => 1)
    };
}

mod backward;
mod collected;
mod deltas;
mod forward;
mod gradient;
mod spots;
mod unframe;

use backward::Backward;
use collected::{Collected, Fold};
use deltas::Deltas;
use forward::{Forward, Pooled};
use gradient::{FromPool, Gradient};
use spots::Spots;
use unframe::Unframe;

/// What inputs and gradients of a band of one channel may take to stay in the first cache, in bytes, and those of
/// all channels for the second one. Small in tests, where maps are small.
const FIRST_CACHE: usize = if cfg!(test) { 8 << 10 } else { 24 << 10 };
const SECOND_CACHE: usize = if cfg!(test) { 32 << 10 } else { 256 << 10 };

/// The channels that matter of a convolution.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Taps {
    pub(super) input: Frame,
    /// Without a frame.
    pub(super) output: Frame,
    pub(super) activation: Activation,
    kernel: usize,
    stride: usize,
    channels: Vec<u32>,
    /// Where the taps of each output channel start, and the end of the last.
    starts: Vec<u32>,
    /// The input's line of each tap for the first output.
    offsets: Vec<u32>,
    values: Tensor,
    gradient: Vec<Line>,
    collected: Collected,
    /// Rows of windows of the pooling behind that are taken back at once.
    band: usize,
    /// Where the taps of each (input channel, kx, ky) start, and the end of the last.
    back_starts: Vec<u32>,
    /// Where each tap goes back from ([`Deltas::tap`]).
    back_offsets: Vec<u32>,
    /// Its place in `values`.
    back_order: Vec<u32>,
    back_values: Vec<f32>,
    bias: Option<Tensor>,
    bias_gradient: Vec<Line>,
    /// The flat index of each tap in the layer's weights.
    places: Vec<u32>,
    /// Where the way back visits the largest inputs of the pooling alone.
    winners: Option<Winners>,
}

/// The channels before that have a kept tap to one of `outputs`.
pub(super) fn used_channels(mask: &LayerMask, outputs: &[u32]) -> Vec<u32> {
    let &[_, inputs, ..] = mask.kept.shape() else { return Vec::new() };
    let used = |&input: &u32| {
        outputs.iter().any(|&output| {
            let taps = mask.kept.index_axis(ndarray::Axis(0), output as usize);
            taps.index_axis(ndarray::Axis(0), input as usize).iter().any(|&kept| kept)
        })
    };
    (0..inputs as u32).filter(used).collect()
}

impl Taps {
    /// The convolution from the channels `inputs` to the channels `outputs`.
    pub(super) fn new(
        description: &Convolution,
        layer: &LayerParameters,
        mask: &LayerMask,
        inputs: &[u32],
        outputs: Vec<u32>,
    ) -> Self {
        let Convolution { kernel, stride, padding, .. } = *description;
        let input = Frame::new(description.input, inputs.len(), padding);
        let output = Frame::new(description.output, outputs.len(), 0);
        let (mut starts, mut offsets, mut values, mut places) = (vec![0], Vec::new(), Vec::new(), Vec::new());
        // (slot of the input, kx, ky, slot of the output, tap).
        let mut back = Vec::new();
        for (o, &out) in outputs.iter().enumerate() {
            for (i, &channel) in inputs.iter().enumerate() {
                for ky in 0..kernel {
                    for kx in 0..kernel {
                        let index = [out as usize, channel as usize, ky, kx];
                        if mask.kept[index] {
                            back.push((i, kx, ky, o, values.len()));
                            offsets.push((i * input.channel() + ky * input.row() + kx) as u32);
                            values.push(layer.weight[index]);
                            let flat = (index[0] * description.input.channels + index[1]) * kernel + ky;
                            places.push((flat * kernel + kx) as u32);
                        }
                    }
                }
            }
            starts.push(values.len() as u32);
        }
        back.sort_unstable();
        let mut back_starts = vec![0; inputs.len() * kernel * kernel + 1];
        for &(i, kx, ky, _, _) in &back {
            back_starts[(i * kernel + kx) * kernel + ky + 1] += 1;
        }
        for at in 1..back_starts.len() {
            back_starts[at] += back_starts[at - 1];
        }
        let deltas = Deltas::whole(output, kernel);
        let back_offsets = back.iter().map(|&(_, kx, ky, o, _)| deltas.tap(o, (ky, kx), kernel) as u32).collect();
        let bias = layer.bias.as_ref().map(|bias| {
            let values: Vec<f32> = outputs.iter().map(|&output| bias[output as usize]).collect();
            Tensor::new(&values)
        });
        let collected = Collected {
            parts: vec![Line::ZERO; offsets.len()],
            bias_parts: vec![Line::ZERO; if bias.is_some() { outputs.len() } else { 0 }],
            spots: Spots::default(),
            deltas,
        };
        let values = Tensor::new(&values);
        let bias_lines = bias.as_ref().map_or(0, |bias| bias.w.len());
        Self {
            input,
            output,
            activation: description.activation,
            kernel,
            stride,
            starts,
            offsets,
            gradient: vec![Line::ZERO; values.w.len()],
            values,
            back_starts,
            back_offsets,
            collected,
            band: 1,
            back_order: back.iter().map(|&(.., tap)| tap as u32).collect(),
            back_values: vec![0.0; back.len()],
            bias_gradient: vec![Line::ZERO; bias_lines],
            bias,
            channels: outputs,
            places,
            winners: None,
        }
    }

    /// Chooses the way back from `pool`, which follows: from its largest inputs alone where the multiplications of
    /// their lines are few enough, else in bands of rows that stay in a cache. Where no layer `before` wants a
    /// gradient, the rows of one channel alone are held.
    pub(super) fn choose(&mut self, set: InstructionSet, pool: &Pool, kernels: Kernels, before: bool) {
        let Self { input, output, kernel, stride, .. } = *self;
        let winners = output.channels * pool.output.height * pool.output.width;
        let registers = Winners::registers(set, input, kernel);
        let lines = self.kept() * output.height * output.width / LANES;
        if kernels.winners((winners, registers), lines, before) {
            let slots = self.starts.windows(2).enumerate().flat_map(|(o, ends)| (ends[0]..ends[1]).map(move |_| o));
            let taps = slots.zip(&self.offsets).map(|(o, &offset)| {
                let (i, rest) = (offset as usize / input.channel(), offset as usize % input.channel());
                [o, i, rest / input.row(), rest % input.row()]
            });
            self.winners = Some(Winners::new((input, output), (kernel, stride), pool, taps));
            self.collected.deltas = Deltas::default();
            return;
        }
        self.band = pool.output.height;
        if pool.is_apart() {
            let (channels, cache) = if before { (output.channels, SECOND_CACHE) } else { (1, FIRST_CACHE) };
            let fits = |&windows: &usize| {
                let rows = windows * pool.stride;
                let inputs = ((rows - 1) * stride + kernel) * input.row() * input.channels;
                (inputs + rows * output.width * channels) * size_of::<Line>() <= cache
            };
            self.band = (1..=self.band).take_while(fits).last().unwrap_or(1);
            if !before {
                self.collected.deltas = Deltas::band(output, self.band * pool.stride);
            }
        }
    }

    /// Whether [`Taps::back_from_winners`] is the way back from a pooling.
    pub(super) fn has_winners(&self) -> bool {
        self.winners.is_some()
    }

    /// The gradients of one group from those of the pooled outputs, through `finish`.
    pub(super) fn back_from_winners(
        &mut self,
        set: InstructionSet,
        pool: &Pool,
        x: &[Line],
        (dy, places, finish): (&[Line], &[Bytes], Finish<'_>),
        dx: Option<&mut [Line]>,
    ) {
        if let Some(winners) = &mut self.winners {
            let bias_parts = &mut self.collected.bias_parts;
            set.run(winners::Group { winners, pool, x, dy, places, finish, bias_parts, dx });
        }
    }

    /// The rows of windows of `pool` that are taken back at once.
    pub(super) fn bands(&self, pool: &Pool) -> impl Iterator<Item = Range<usize>> + use<> {
        let (height, band) = (pool.output.height, self.band);
        (0..height).step_by(band.max(1)).map(move |row| row..(row + band).min(height))
    }

    /// Adds the gradients of one group over a band, from those of the pooled outputs.
    pub(super) fn gradient_from_pool(
        &mut self,
        set: InstructionSet,
        pool: &Pool,
        x: &[Line],
        dy: (&[Line], &[Bytes], Finish<'_>),
        band: &Range<usize>,
    ) {
        let mut collected = std::mem::take(&mut self.collected);
        set.run(FromPool { taps: self, pool, x, dy, windows: band.clone(), collected: &mut collected });
        self.collected = collected;
    }

    /// The rows of the input that a band is the last to reach.
    pub(super) fn rows_back(&self, pool: &Pool, band: &Range<usize>) -> Range<usize> {
        let row = |window: usize| match window {
            _ if window >= pool.output.height => self.input.height + 2 * self.input.padding,
            _ => window * pool.stride * self.stride,
        };
        row(band.start)..row(band.end)
    }

    /// Whether the rows of the input that all channels read stay in the first cache while channels are taken
    /// one by one, in rows or with the pooling between.
    pub(super) fn is_near(&self) -> bool {
        self.input.channels * (self.kernel + 1) * self.input.row() * size_of::<Line>() <= 16 << 10
    }

    /// The outputs of one group, in the frame `output`.
    pub(super) fn forward(&self, set: InstructionSet, x: &[Line], output: Frame, y: &mut [Line]) {
        let finish = forward_finish(self.activation);
        set.run(Forward { taps: self, x, finish, y, output });
        if self.activation == Activation::Tanh {
            for channel in 0..output.channels {
                for row in 0..output.height {
                    let at = output.at(channel, row, 0);
                    floats_mut(&mut y[at..at + output.width]).iter_mut().for_each(|y| *y = y.tanh());
                }
            }
        }
    }

    /// The outputs of one group, pooled, with the places of the largest.
    pub(super) fn forward_pooled(
        &self,
        set: InstructionSet,
        pool: &Pool,
        x: &[Line],
        rows: &mut [Line],
        (y, places): (&mut [Line], &mut [Bytes]),
    ) {
        if pool.is_apart() && self.activation != Activation::Tanh {
            let finish = forward_finish(self.activation);
            set.run(Pooled { taps: self, x, finish, rows, pool, y, places });
        } else {
            self.forward(set, x, self.output, rows);
            set.run(pool::Forward { pool, x: rows, y, places });
        }
    }

    /// Adds the gradients of one group, whose outputs no pooling follows: `dy` in the frame `frame`, through
    /// `finish`.
    pub(super) fn gradient(
        &mut self,
        set: InstructionSet,
        x: &[Line],
        (dy, frame, finish): (&[Line], Frame, Finish<'_>),
    ) {
        let mut collected = std::mem::take(&mut self.collected);
        let Collected { deltas, bias_parts, .. } = &mut collected;
        set.run(Unframe { frame, from: dy, finish, deltas, bias_parts });
        set.run(Gradient { taps: self, x, rows: 0..self.output.height, collected: &mut collected });
        self.collected = collected;
    }

    /// Copies the weights into the order of the way back.
    pub(super) fn turn(&mut self) {
        let values = self.values.values();
        if let Some(winners) = &mut self.winners {
            winners.begin(values);
            return;
        }
        for (to, &from) in self.back_values.iter_mut().zip(&self.back_order) {
            *to = values[from as usize];
        }
    }

    /// The gradient of `rows` of the input of one group, of which those in its frame are left out.
    pub(super) fn backward(&self, set: InstructionSet, rows: Range<usize>, dx: &mut [Line]) {
        let inside = |row: usize| row.clamp(self.input.padding, self.input.padding + self.input.height);
        set.run(Backward { taps: self, rows: inside(rows.start)..inside(rows.end), dx });
    }

    /// The taps of these rows and one column of the kernel from an input channel, in the order of the way back.
    #[inline(always)]
    fn back_range(&self, channel: usize, kx: usize, ky: &Range<usize>) -> Range<usize> {
        let first = (channel * self.kernel + kx) * self.kernel;
        self.back_starts[first + ky.start] as usize..self.back_starts[first + ky.end] as usize
    }

    /// One update with the gradients of all groups, which begin anew.
    pub(super) fn step(&mut self, set: InstructionSet, rule: Rule) {
        match &self.winners {
            Some(winners) => winners.read(floats_mut(&mut self.gradient)),
            None => set.run(Fold { parts: &mut self.collected.parts, gradient: &mut self.gradient }),
        }
        set.run(Update { tensor: &mut self.values, gradient: &self.gradient, rule });
        if let Some(tensor) = &mut self.bias {
            set.run(Fold { parts: &mut self.collected.bias_parts, gradient: &mut self.bias_gradient });
            set.run(Update { tensor, gradient: &self.bias_gradient, rule });
        }
    }

    /// Kept taps between channels that matter.
    pub(super) fn kept(&self) -> usize {
        self.places.len()
    }

    /// Writes kept weights and biases back.
    pub(super) fn write(&self, layer: &mut LayerParameters) {
        if let Some(weights) = layer.weight.as_slice_mut() {
            for (&place, &w) in self.places.iter().zip(self.values.values()) {
                weights[place as usize] = w;
            }
        }
        if let (Some(bias), Some(tensor)) = (&mut layer.bias, &self.bias) {
            for (&channel, &value) in self.channels.iter().zip(tensor.values()) {
                bias[channel as usize] = value;
            }
        }
    }
}
