//! A network as the engine sees it: the units that matter, layer after layer, with their buffers.

use super::choice::{Kernels, LinearKernel};
use super::clock::{BACK, Clock, FORWARD, UPDATE};
use super::images::Images;
use super::inputs;
use super::linear::{Linear, gate, used_inputs};
use super::loss::Loss;
use super::maps::Maps;
use super::optimiser::Rule;
use super::rows::Finish;
use super::simd::{InstructionSet, Kernel, LANES, Line, Simd};
use crate::data::Dataset;
use crate::mask::Mask;
use crate::network::{Activation, Layer, Network, Parameters};

/// Images with labels of one step.
pub(super) struct Batch<'a> {
    pub(super) images: Images<'a>,
    pub(super) labels: Vec<u8>,
}

/// A masked network with the state of its optimiser and the buffers of a batch.
///
/// A unit matters where a path of kept weights leads from it to an output: the others have no gradient
/// and change nothing, and are left out. A unit that no input reaches is a constant, which the
/// network may use; it stays.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    set: InstructionSet,
    /// Lines of a unit: a batch filled up to sixteens.
    lines: usize,
    maps: Option<Maps>,
    linears: Vec<Linear>,
    /// The first line of each input of the first linear layer.
    places: Vec<u32>,
    /// The inputs of each linear layer, and the logits: `[unit][batch]`.
    values: Vec<Vec<Line>>,
    /// The gradient of what each linear layer gives before its activation: `[unit][batch]`.
    deltas: Vec<Vec<Line>>,
    pub(super) clock: Clock,
}

/// values *= the derivative that `finish` stands for.
struct Gate<'a> {
    finish: Finish<'a>,
    values: &'a mut [Line],
}

impl Kernel for Gate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (at, line) in self.values.iter_mut().enumerate() {
            let v = self.finish.apply(s, s.load(line), at);
            s.store(line, v);
        }
    }
}

impl Chain {
    /// The chain of a network that [`super::covers`], for batches of up to `batch` images like `data`.
    /// Shapes of parameters and mask have been checked.
    pub(super) fn new(
        network: &Network,
        parameters: &Parameters,
        mask: &Mask,
        (batch, data): (usize, &Dataset),
        set: InstructionSet,
        kernels: Kernels,
    ) -> Self {
        let lines = batch.div_ceil(LANES);
        let convolutions = network.layers.iter().filter(|layer| matches!(layer, Layer::Convolution(_))).count();
        let flat = network.layers.iter().filter_map(|layer| match layer {
            Layer::Linear(linear) => Some(linear),
            _ => None,
        });
        let mut outputs: Vec<u32> = (0..network.classes as u32).collect();
        let mut linears = Vec::new();
        let layers = parameters.layers.iter().zip(&mask.layers).skip(convolutions).zip(flat);
        let first = convolutions == 0 && matches!(network.layers.first(), Some(Layer::Linear(_)));
        let layers: Vec<_> = layers.collect();
        for (at, ((layer, mask), linear)) in layers.into_iter().enumerate().rev() {
            let inputs = used_inputs(mask, &outputs);
            let background = (at == 0 && first).then(|| inputs::background(data.images.view()));
            let next = inputs.clone();
            let ends = (inputs, outputs);
            linears.push(Linear::new(layer, mask, ends, linear.activation, lines, background, (set, kernels)));
            outputs = next;
        }
        linears.reverse();
        let maps = (!first).then(|| Maps::new(network, parameters, mask, &outputs, lines, (set, kernels)));
        let buffer = |units: usize| vec![Line::ZERO; units * lines];
        let mut values: Vec<_> = linears.iter().map(|linear: &Linear| buffer(linear.inputs.len())).collect();
        values.push(buffer(network.classes));
        let deltas = linears.iter().map(|linear| buffer(linear.outputs.len())).collect();
        let places = (0..outputs.len()).map(|input| (input * lines) as u32).collect();
        Self { set, lines, maps, linears, places, values, deltas, clock: Clock::new(parameters.layers.len()) }
    }

    /// The kernel of each linear layer.
    pub(super) fn linear_kernels(&self) -> impl Iterator<Item = LinearKernel> + '_ {
        self.linears.iter().map(Linear::kernel)
    }

    /// Kept weights of each layer between units that matter.
    pub(super) fn active_weights(&self) -> Vec<usize> {
        let convolutions = self.maps.as_ref().map_or(Vec::new(), Maps::kept);
        convolutions.into_iter().chain(self.linears.iter().map(Linear::kept)).collect()
    }

    /// The logits, `[class][image]`.
    pub(super) fn forward(&mut self, images: &Images<'_>) -> &[Line] {
        let Self { set, maps, linears, values, places, clock, .. } = self;
        let convolutions = clock.images() - linears.len();
        clock.begin();
        if let Some(maps) = maps {
            maps.forward(*set, images, &mut values[0], clock);
        } else if !linears[0].read(*set, images, places) {
            for index in 0..images.len().div_ceil(LANES) {
                images.read(*set, index, (&linears[0].inputs, places), (index, &mut values[0]));
            }
        }
        clock.lap(clock.images(), FORWARD);
        for (at, linear) in linears.iter_mut().enumerate() {
            let (before, after) = values.split_at_mut(at + 1);
            linear.forward(*set, &before[at], &mut after[0]);
            clock.lap(convolutions + at, FORWARD);
        }
        &values[linears.len()]
    }

    /// One step of the optimiser.
    pub(super) fn step(&mut self, batch: &Batch<'_>, rule: Rule) {
        self.forward(&batch.images);
        let Self { set, lines, maps, linears, values, deltas, clock, .. } = self;
        let convolutions = clock.images() - linears.len();
        let last = linears.len() - 1;
        let (logits, gradient) = (&values[last + 1], &mut deltas[last]);
        set.run(Loss { lines: *lines, labels: &batch.labels, logits, gradient });
        if linears[last].activation != Activation::None {
            set.run(Gate { finish: gate(linears[last].activation, logits), values: gradient });
        }
        clock.lap(clock.loss(), FORWARD);
        for at in (0..=last).rev() {
            let x = &values[at];
            let (before, after) = deltas.split_at_mut(at);
            let dy = &after[0];
            // The way back needs the weights as they were in the forward pass.
            if at > 0 {
                let finish = gate(linears[at - 1].activation, x);
                linears[at].backward(*set, (x, dy), finish, &mut before[at - 1]);
            } else if let Some(maps) = maps {
                linears[at].backward(*set, (x, dy), Finish::Plain, maps.delta());
            }
            clock.lap(convolutions + at, BACK);
            linears[at].step(*set, x, dy, batch.images.len(), rule);
            clock.lap(convolutions + at, UPDATE);
        }
        if let Some(maps) = maps {
            maps.step(*set, batch.images.len(), rule, clock);
        }
    }

    /// Writes the kept weights that matter and their biases back.
    pub(super) fn write(&self, parameters: &mut Parameters) {
        let convolutions = parameters.layers.len() - self.linears.len();
        let (before, after) = parameters.layers.split_at_mut(convolutions);
        for (linear, layer) in self.linears.iter().zip(after) {
            linear.write(layer);
        }
        if let Some(maps) = &self.maps {
            maps.write(before);
        }
    }
}
