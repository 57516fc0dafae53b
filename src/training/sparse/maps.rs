//! Feature maps: the convolutions and poolings before the first linear layer, sixteen images at a
//! time, so that the maps of a group stay in the cache from layer to layer.

use super::choice::Kernels;
use super::clock::{BACK, Clock, FORWARD, UPDATE};
use super::convolution::{Taps, used_channels};
use super::frame::Frame;
use super::images::Images;
use super::linear::gate;
use super::optimiser::Rule;
use super::pool::{self, Pool};
use super::rows::Finish;
use super::simd::{Bytes, InstructionSet, LANES, Line};
use crate::mask::Mask;
use crate::network::{Activation, Layer, LayerParameters, Network, Parameters};

#[derive(Debug, Clone)]
enum Kind {
    Convolution(Box<Taps>),
    Pool(Pool),
}

/// A layer of maps with what the way back needs of its outputs.
#[derive(Debug, Clone)]
struct Stage {
    kind: Kind,
    output: Frame,
    /// `[group][frame]`; nothing where a pooling follows a convolution, whose outputs it keeps instead.
    values: Vec<Line>,
    /// `[group][cell]` of a pooling.
    places: Vec<Bytes>,
}

/// The layers before the first linear one.
#[derive(Debug, Clone)]
pub(super) struct Maps {
    /// The pixels of the channels that matter.
    pixels: Vec<u32>,
    /// The line of each pixel in the frame of the input.
    pixel_lines: Vec<u32>,
    input: Frame,
    /// `[group][frame]`.
    images: Vec<Line>,
    stages: Vec<Stage>,
    /// The line of each unit that the linear layers use.
    flat: Vec<u32>,
    /// Lines of a unit of the linear layers: the number of groups.
    groups: usize,
    /// The gradient of those units, `[unit][group]`.
    delta: Vec<Line>,
    /// The outputs of a convolution before its pooling; gradients of a group.
    scratch: [Vec<Line>; 2],
}

fn group<T>(values: &[T], group: usize, size: usize) -> &[T] {
    &values[group * size..(group + 1) * size]
}

fn group_mut<T>(values: &mut [T], group: usize, size: usize) -> &mut [T] {
    &mut values[group * size..(group + 1) * size]
}

/// What the last of `stages` keeps of a group, or the group's images.
fn outputs<'a>(stages: &'a [Stage], images: &'a [Line], index: usize) -> &'a [Line] {
    stages.last().map_or(images, |stage| group(&stage.values, index, stage.output.lines()))
}

impl Maps {
    /// The maps of which the linear layers use the flat `units`, for `groups` groups of images.
    pub(super) fn new(
        network: &Network,
        parameters: &Parameters,
        mask: &Mask,
        units: &[u32],
        groups: usize,
        (set, kernels): (InstructionSet, Kernels),
    ) -> Self {
        let layers: Vec<&Layer> =
            network.layers.iter().take_while(|layer| !matches!(layer, Layer::Linear(_))).collect();
        let shapes: Vec<_> = layers
            .iter()
            .filter_map(|layer| match layer {
                Layer::Convolution(convolution) => Some((convolution.input, convolution.output)),
                Layer::MaxPool { input, output, .. } => Some((*input, *output)),
                Layer::Linear(_) => None,
            })
            .collect();
        // The channels that matter after each layer, from the last to the image.
        let last = shapes.last().map_or(network.input, |&(_, output)| output);
        let area = (last.height * last.width) as u32;
        let mut channels: Vec<u32> = units.iter().map(|unit| unit / area).collect();
        channels.dedup();
        let mut after = vec![channels];
        let mut at = layers.iter().filter(|layer| matches!(layer, Layer::Convolution(_))).count();
        for layer in layers.iter().rev() {
            let outputs = &after[after.len() - 1];
            let inputs = if matches!(layer, Layer::Convolution(_)) {
                at -= 1;
                used_channels(&mask.layers[at], outputs)
            } else {
                outputs.clone()
            };
            after.push(inputs);
        }
        after.reverse();
        let padding = |index: usize| match layers.get(index) {
            Some(Layer::Convolution(convolution)) => convolution.padding,
            _ => 0,
        };
        let input = Frame::new(network.input, after[0].len(), padding(0));
        let image_area = network.input.height * network.input.width;
        let pixels = after[0].iter().flat_map(|&channel| {
            let first = channel as usize * image_area;
            first as u32..(first + image_area) as u32
        });
        let (height, width) = (network.input.height, network.input.width);
        let pixel_lines = (0..input.channels * image_area)
            .map(|at| input.at(at / image_area, at / width % height, at % width) as u32);
        let pixel_lines = pixel_lines.collect();
        let mut stages: Vec<Stage> = Vec::new();
        let mut scratch = 0;
        let mut before = input;
        for (index, (layer, (_, shape))) in layers.iter().zip(&shapes).enumerate() {
            let outputs = &after[index + 1];
            let output = Frame::new(*shape, outputs.len(), padding(index + 1));
            let pooled = matches!(layers.get(index + 1), Some(Layer::MaxPool { .. }));
            let (kind, keeps, places) = match layer {
                Layer::Convolution(description) => {
                    let (layer, mask) = (&parameters.layers[at], &mask.layers[at]);
                    at += 1;
                    let taps = Taps::new(description, layer, mask, &after[index], outputs.clone());
                    (Kind::Convolution(Box::new(taps)), !pooled, 0)
                }
                Layer::MaxPool { kernel, stride, .. } => {
                    let mut pool = Pool { input: before, output, kernel: *kernel, stride: *stride, relu: false };
                    if let Some((Stage { kind: Kind::Convolution(taps), .. }, before)) = stages.split_last_mut() {
                        pool.relu = taps.activation == Activation::Relu;
                        let before = before.iter().any(|stage| matches!(stage.kind, Kind::Convolution(_)));
                        taps.choose(set, &pool, kernels, before);
                    }
                    (Kind::Pool(pool), true, outputs.len() * shape.height * shape.width)
                }
                Layer::Linear(_) => continue,
            };
            scratch = scratch.max(output.lines()).max(before.lines());
            let values = vec![Line::ZERO; if keeps { groups * output.lines() } else { 0 }];
            stages.push(Stage { kind, output, values, places: vec![[0; LANES]; groups * places] });
            before = output;
        }
        let slot = |channel: u32| after[after.len() - 1].binary_search(&channel).unwrap_or(0);
        let flat = units.iter().map(|unit| {
            let (y, x) = (unit % area / last.width as u32, unit % area % last.width as u32);
            before.at(slot(unit / area), y as usize, x as usize) as u32
        });
        Self {
            pixels: pixels.collect(),
            pixel_lines,
            input,
            images: vec![Line::ZERO; groups * input.lines()],
            stages,
            flat: flat.collect(),
            groups,
            delta: vec![Line::ZERO; units.len() * groups],
            scratch: [vec![Line::ZERO; scratch], vec![Line::ZERO; scratch]],
        }
    }

    /// Where the linear layers put the gradient of their inputs.
    pub(super) fn delta(&mut self) -> &mut [Line] {
        &mut self.delta
    }

    /// The kept taps of each convolution, between channels that matter.
    pub(super) fn kept(&self) -> Vec<usize> {
        let taps = self.stages.iter().filter_map(|stage| match &stage.kind {
            Kind::Convolution(taps) => Some(taps.kept()),
            Kind::Pool(_) => None,
        });
        taps.collect()
    }

    /// The units that the linear layers use, `[unit][group]`.
    pub(super) fn forward(&mut self, set: InstructionSet, images: &Images<'_>, x: &mut [Line], clock: &mut Clock) {
        for index in 0..images.len().div_ceil(LANES) {
            let input = group_mut(&mut self.images, index, self.input.lines());
            images.read(set, index, (&self.pixels, &self.pixel_lines), (0, input));
            clock.lap(clock.images(), FORWARD);
            let mut convolutions = 0;
            for at in 0..self.stages.len() {
                let (before, after) = self.stages.split_at_mut(at);
                let Some((stage, rest)) = after.split_first_mut() else { continue };
                let rest = rest.first_mut();
                let scratch = &mut self.scratch[0];
                let input = match before.last() {
                    Some(before) if before.values.is_empty() => None,
                    Some(before) => Some(group(&before.values, index, before.output.lines())),
                    None => Some(group(&self.images, index, self.input.lines())),
                };
                match &stage.kind {
                    Kind::Convolution(taps) => {
                        let input = input.unwrap_or_default();
                        convolutions += 1;
                        match rest {
                            Some(Stage { kind: Kind::Pool(pool), output, values, places })
                                if stage.values.is_empty() =>
                            {
                                let cells = places.len() / self.groups;
                                let y = group_mut(values, index, output.lines());
                                let places = group_mut(places, index, cells);
                                taps.forward_pooled(set, pool, input, scratch, (y, places));
                            }
                            _ => {
                                let y = group_mut(&mut stage.values, index, stage.output.lines());
                                taps.forward(set, input, stage.output, y);
                            }
                        }
                    }
                    // One that follows a convolution is done.
                    Kind::Pool(pool) => {
                        if let Some(x) = input {
                            let cells = stage.places.len() / self.groups;
                            let y = group_mut(&mut stage.values, index, stage.output.lines());
                            let places = group_mut(&mut stage.places, index, cells);
                            set.run(pool::Forward { pool, x, y, places });
                        }
                    }
                }
                // Poolings count to the convolution before them.
                clock.lap(convolutions.max(1) - 1, FORWARD);
            }
            let images = group(&self.images, index, self.input.lines());
            let last = outputs(&self.stages, images, index);
            for (unit, &at) in self.flat.iter().enumerate() {
                x[unit * self.groups + index] = last[at as usize];
            }
        }
    }

    /// The way back from `delta`, and one update.
    pub(super) fn step(&mut self, set: InstructionSet, batch: usize, rule: Rule, clock: &mut Clock) {
        let first = self.stages.iter().position(|stage| matches!(stage.kind, Kind::Convolution(_)));
        let Some(first) = first else { return };
        let mut convolutions = 0;
        for stage in &mut self.stages {
            if let Kind::Convolution(taps) = &mut stage.kind {
                taps.turn();
                convolutions += 1;
            }
        }
        // The last group is still near.
        for index in (0..batch.div_ceil(LANES)).rev() {
            let [current, other] = &mut self.scratch;
            let images = group(&self.images, index, self.input.lines());
            let mut convolution = convolutions;
            if let Some(stage) = self.stages.last() {
                current[..stage.output.lines()].fill(Line::ZERO);
            }
            for (unit, &at) in self.flat.iter().enumerate() {
                current[at as usize] = self.delta[unit * self.groups + index];
            }
            for at in (first..self.stages.len()).rev() {
                let (before, after) = self.stages.split_at_mut(at);
                let Stage { kind, output, values, places } = &mut after[0];
                let values = if values.is_empty() { &[] } else { group(values, index, output.lines()) };
                match (kind, before) {
                    // A pooling and its convolution in one.
                    (Kind::Pool(pool), [before @ .., Stage { kind: Kind::Convolution(taps), .. }]) => {
                        let x = outputs(before, images, index);
                        let places = group(places, index, places.len() / self.groups);
                        // The places of a pooling know where a ReLU lets nothing through.
                        let finish = if pool.relu { Finish::Plain } else { gate(taps.activation, values) };
                        let dy = (&current[..], places, finish);
                        convolution -= 1;
                        if taps.has_winners() {
                            let dx = (at - 1 > first).then_some(&mut other[..]);
                            taps.back_from_winners(set, pool, x, dy, dx);
                            clock.lap(convolution, UPDATE);
                        } else {
                            for band in taps.bands(pool) {
                                taps.gradient_from_pool(set, pool, x, dy, &band);
                                clock.lap(convolution, UPDATE);
                                if at - 1 > first {
                                    taps.backward(set, taps.rows_back(pool, &band), other);
                                    clock.lap(convolution, BACK);
                                }
                            }
                        }
                        std::mem::swap(current, other);
                    }
                    (Kind::Pool(pool), _) => {
                        let places = group(places, index, places.len() / self.groups);
                        let dx = &mut other[..pool.input.lines()];
                        set.run(pool::Backward { pool, dy: current, places, dx });
                        std::mem::swap(current, other);
                        clock.lap(convolution.max(1) - 1, BACK);
                    }
                    // Done with the pooling behind, which holds its outputs.
                    (Kind::Convolution(_), _) if values.is_empty() => {}
                    (Kind::Convolution(taps), before) => {
                        let dy = (&current[..], *output, gate(taps.activation, values));
                        convolution -= 1;
                        taps.gradient(set, outputs(before, images, index), dy);
                        clock.lap(convolution, UPDATE);
                        if at > first {
                            taps.backward(set, 0..usize::MAX, other);
                            std::mem::swap(current, other);
                        }
                        clock.lap(convolution, BACK);
                    }
                }
            }
        }
        let mut convolutions = 0;
        for stage in &mut self.stages {
            if let Kind::Convolution(taps) = &mut stage.kind {
                taps.step(set, rule);
                clock.lap(convolutions, UPDATE);
                convolutions += 1;
            }
        }
    }

    /// Writes kept weights and biases back, into the layers of the convolutions.
    pub(super) fn write(&self, layers: &mut [LayerParameters]) {
        let taps = self.stages.iter().filter_map(|stage| match &stage.kind {
            Kind::Convolution(taps) => Some(taps),
            Kind::Pool(_) => None,
        });
        for (taps, layer) in taps.zip(layers) {
            taps.write(layer);
        }
    }
}
