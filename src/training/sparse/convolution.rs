//! A convolution of sixteen images at a time: each kept tap is a multiplication of whole pieces of
//! feature-map rows with one number.

use std::ops::Range;

use super::choice::Kernels;
use super::frame::Frame;
use super::linear::forward_finish;
use super::optimiser::{Rule, Tensor};
use super::pool::{self, Pool};
use super::rows::{Finish, Update};
use super::simd::{InstructionSet, Kernel, LANES, Line, Simd, floats_mut};
use super::winners::{self, Winners};
use crate::mask::LayerMask;
use crate::network::{Activation, Convolution, LayerParameters};

/// Calls `$body` with pieces of a row of `$width`: `C` columns from `$x` on.
macro_rules! pieces {
    ($s:ty, $width:expr, |$x:ident, $C:ident| $body:expr) => {{
        let width: usize = $width;
        let mut $x = 0;
        macro_rules! one {
            ($c:literal) => {{
                const $C: usize = $c;
                $body;
                $x += $c;
            }};
        }
        while $x < width {
            match width - $x {
                14 | 28.. if <$s>::WIDE => one!(14),
                10.. if <$s>::WIDE => one!(10),
                7 | 14 | 21 | 28 => one!(7),
                5.. => one!(5),
                3.. => one!(3),
                _ => one!(1),
            }
        }
    }};
}

mod backward;
mod forward;
mod gradient;

use backward::Backward;
use forward::{Forward, Pooled};
use gradient::Gradient;

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
    /// The gradient of each tap, by lane.
    parts: Vec<Line>,
    gradient: Vec<Line>,
    /// Where the taps of each (input channel, kx, ky) start, and the end of the last.
    back_starts: Vec<u32>,
    /// The output's line of each tap, `kernel - 1` rows too far on.
    back_offsets: Vec<u32>,
    /// Its place in `values`.
    back_order: Vec<u32>,
    back_values: Vec<f32>,
    bias: Option<Tensor>,
    bias_parts: Vec<Line>,
    bias_gradient: Vec<Line>,
    /// The flat index of each tap in the layer's weights.
    places: Vec<u32>,
    /// Where the way back visits the largest inputs of the pooling alone.
    winners: Option<Winners>,
}

/// lanes of `parts` summed, sixteen at a time.
struct Fold<'a> {
    parts: &'a mut [Line],
    gradient: &'a mut [Line],
}

impl Kernel for Fold<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (parts, sums) in self.parts.chunks_mut(LANES).zip(self.gradient) {
            let mut lines = [s.zero(); LANES];
            for (line, part) in lines.iter_mut().zip(parts) {
                *line = s.load(part);
                *part = Line::ZERO;
            }
            s.store(sums, s.sums(lines));
        }
    }
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
        let row = output.row();
        let back_offset = |&(_, _, ky, o, _): &(usize, usize, usize, usize, usize)| {
            (o * output.channel() + (kernel - 1 - ky) * row) as u32
        };
        let bias = layer.bias.as_ref().map(|bias| {
            let values: Vec<f32> = outputs.iter().map(|&output| bias[output as usize]).collect();
            Tensor::new(&values)
        });
        let values = Tensor::new(&values);
        let bias_lines = bias.as_ref().map_or(0, |bias| bias.w.len());
        Self {
            input,
            output,
            activation: description.activation,
            kernel,
            stride,
            starts,
            parts: vec![Line::ZERO; offsets.len()],
            offsets,
            gradient: vec![Line::ZERO; values.w.len()],
            values,
            back_starts,
            back_offsets: back.iter().map(back_offset).collect(),
            back_order: back.iter().map(|&(.., tap)| tap as u32).collect(),
            back_values: vec![0.0; back.len()],
            bias_parts: vec![Line::ZERO; if bias.is_some() { outputs.len() } else { 0 }],
            bias_gradient: vec![Line::ZERO; bias_lines],
            bias,
            channels: outputs,
            places,
            winners: None,
        }
    }

    /// Lets the way back visit the largest inputs of `pool`, which follows, alone, where that is faster:
    /// where the multiplications of its lines are few enough.
    pub(super) fn choose(&mut self, set: InstructionSet, pool: &Pool, kernels: Kernels) {
        let positions = self.output.height * self.output.width;
        let cells = pool.output.height * pool.output.width;
        let winners = Winners::cost(set, self.input, self.output, self.kernel, cells);
        if kernels.winners(winners, self.kept() * positions / LANES) {
            let slots = self.starts.windows(2).enumerate().flat_map(|(o, ends)| (ends[0]..ends[1]).map(move |_| o));
            let (row, channel) = (self.input.row(), self.input.channel());
            let taps = slots.zip(&self.offsets).map(|(o, &offset)| {
                let (i, rest) = (offset as usize / channel, offset as usize % channel);
                [o, i, rest / row, rest % row]
            });
            self.winners = Some(Winners::new((self.input, self.output), (self.kernel, self.stride), pool, taps));
        }
    }

    /// Whether [`Taps::back_from_pool`] is the way back.
    pub(super) fn has_winners(&self) -> bool {
        self.winners.is_some()
    }

    /// The gradients of one group from those of the pooled outputs, through `finish`.
    pub(super) fn back_from_pool(
        &mut self,
        set: InstructionSet,
        pool: &Pool,
        x: &[Line],
        (dy, places, finish): (&[Line], &[Line], Finish<'_>),
        dx: Option<&mut [Line]>,
    ) {
        if let Some(winners) = &mut self.winners {
            let bias_parts = &mut self.bias_parts;
            set.run(winners::Group { winners, pool, x, dy, places, finish, bias_parts, dx });
        }
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
        (y, places): (&mut [Line], &mut [Line]),
    ) {
        if pool.is_apart() && self.activation != Activation::Tanh {
            let finish = forward_finish(self.activation);
            set.run(Pooled { taps: self, x, finish, rows, pool, y, places });
        } else {
            self.forward(set, x, self.output, rows);
            set.run(pool::Forward { pool, x: rows, y, places });
        }
    }

    /// Adds the gradient of `channels` of one group; `dy` begins with the first of them.
    pub(super) fn gradient(&mut self, set: InstructionSet, x: &[Line], dy: &[Line], channels: Range<usize>) {
        let mut parts = std::mem::take(&mut self.parts);
        let mut bias_parts = std::mem::take(&mut self.bias_parts);
        let bias = &mut bias_parts;
        set.run(Gradient { taps: self, x, dy, channels, parts: &mut parts, bias_parts: bias });
        self.parts = parts;
        self.bias_parts = bias_parts;
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

    /// The gradient of the input of one group.
    pub(super) fn backward(&self, set: InstructionSet, dy: &[Line], dx: &mut [Line]) {
        set.run(Backward { taps: self, dy, dx });
    }

    /// One update with the gradients of all groups, which begin anew.
    pub(super) fn step(&mut self, set: InstructionSet, rule: Rule) {
        match &self.winners {
            Some(winners) => winners.read(floats_mut(&mut self.gradient)),
            None => set.run(Fold { parts: &mut self.parts, gradient: &mut self.gradient }),
        }
        set.run(Update { tensor: &mut self.values, gradient: &self.gradient, rule });
        if let Some(tensor) = &mut self.bias {
            set.run(Fold { parts: &mut self.bias_parts, gradient: &mut self.bias_gradient });
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
