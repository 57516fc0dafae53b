//! A linear layer: its units that matter, its kernel, forward, backward and update.

use super::choice::{Kernels, LinearKernel};
use super::dense::Dense;
use super::images::{Images, Read, group_of};
use super::inputs::Inputs;
use super::optimiser::{Rule, Tensor};
use super::rows::{Finish, Rows, Sums, Update};
use super::shades::Scale;
use super::simd::{Halves, InstructionSet, LANES, Line, floats_mut};
use crate::mask::LayerMask;
use crate::network::{Activation, LayerParameters};

#[derive(Debug, Clone, PartialEq)]
enum Weights {
    Dense(Dense),
    Rows(Rows),
    Inputs(Inputs),
}

/// The outputs that matter of a linear layer, over the inputs that they use.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Linear {
    /// Of the units before, in the order of `x`.
    pub(super) inputs: Vec<u32>,
    /// Of its own units, in the order of `y`.
    pub(super) outputs: Vec<u32>,
    pub(super) activation: Activation,
    weights: Weights,
    bias: Option<Tensor>,
    bias_gradient: Vec<Line>,
    lines: usize,
    /// (output, input) of the kept weights.
    places: Vec<(u32, u32)>,
    /// Whether there is a way back to the inputs; compressed rows find their gradients on it.
    went_back: bool,
    /// The inputs, and how they become values, where they are images of bytes and the kernel reads them as such.
    shades: Option<(Vec<Halves>, Scale)>,
}

/// The inputs that have a kept weight to one of `outputs`.
pub(super) fn used_inputs(mask: &LayerMask, outputs: &[u32]) -> Vec<u32> {
    let width = mask.kept.len() / mask.kept.shape()[0].max(1);
    let mut used = vec![false; width];
    for &output in outputs {
        for (used, &kept) in used.iter_mut().zip(mask.kept.index_axis(ndarray::Axis(0), output as usize)) {
            *used |= kept;
        }
    }
    (0..width as u32).filter(|&input| used[input as usize]).collect()
}

/// An activation that is no line arithmetic, done one by one.
fn tanh(activation: Activation, y: &mut [Line]) {
    if activation == Activation::Tanh {
        floats_mut(y).iter_mut().for_each(|y| *y = y.tanh());
    }
}

/// The finish of a forward pass.
pub(super) fn forward_finish(activation: Activation) -> Finish<'static> {
    if activation == Activation::Relu { Finish::Relu } else { Finish::Plain }
}

/// The finish of a pass back to a layer with this activation and these outputs.
pub(super) fn gate(activation: Activation, y: &[Line]) -> Finish<'_> {
    match activation {
        Activation::None => Finish::Plain,
        Activation::Relu => Finish::GateRelu(y),
        Activation::Tanh => Finish::GateTanh(y),
    }
}

impl Linear {
    /// The layer over `inputs` and `outputs`; `background` is the value and the share of inputs with it
    /// where the inputs are images.
    pub(super) fn new(
        layer: &LayerParameters,
        mask: &LayerMask,
        (inputs, outputs): (Vec<u32>, Vec<u32>),
        activation: Activation,
        lines: usize,
        background: Option<(f32, f32)>,
        (set, kernels): (InstructionSet, Kernels),
    ) -> Self {
        let width = layer.weight.len() / layer.weight.shape()[0].max(1);
        let mut slots = vec![u32::MAX; width];
        for (slot, &input) in inputs.iter().enumerate() {
            slots[input as usize] = slot as u32;
        }
        let mut entries = Vec::new();
        let mut places = Vec::new();
        for (row, &output) in outputs.iter().enumerate() {
            let axis = ndarray::Axis(0);
            let weights = layer.weight.index_axis(axis, output as usize);
            let kept = mask.kept.index_axis(axis, output as usize);
            for (input, (&w, &kept)) in weights.iter().zip(&kept).enumerate() {
                if kept {
                    entries.push((row as u32, slots[input], w));
                    places.push((output, input as u32));
                }
            }
        }
        let density = entries.len() as f64 / (inputs.len() * outputs.len()).max(1) as f64;
        let others = background.map(|(_, share)| 1.0 - f64::from(share));
        let (ins, outs) = (inputs.len(), outputs.len());
        let weights = match (kernels.linear(density, others, set.is_wide()), background) {
            (LinearKernel::Inputs, Some((value, _))) => Weights::Inputs(Inputs::new(&entries, outs, ins, lines, value)),
            (LinearKernel::Rows, _) => Weights::Rows(Rows::new(&entries, outs, ins, lines)),
            _ => Weights::Dense(Dense::new(&entries, outs, ins, lines)),
        };
        let bias = layer.bias.as_ref().map(|bias| {
            let values: Vec<f32> = outputs.iter().map(|&output| bias[output as usize]).collect();
            Tensor::new(&values)
        });
        let bias_gradient = vec![Line::ZERO; bias.as_ref().map_or(0, |bias| bias.w.len())];
        Self {
            inputs,
            outputs,
            activation,
            weights,
            bias,
            bias_gradient,
            lines,
            places,
            went_back: false,
            shades: None,
        }
    }

    pub(super) fn kernel(&self) -> LinearKernel {
        match self.weights {
            Weights::Dense(_) => LinearKernel::Dense,
            Weights::Rows(_) => LinearKernel::Rows,
            Weights::Inputs(_) => LinearKernel::Inputs,
        }
    }

    /// Kept weights between units that matter.
    pub(super) fn kept(&self) -> usize {
        self.places.len()
    }

    /// Reads a batch of images where the kernel wants them in another form than `[unit][batch]`; whether it did.
    pub(super) fn read(&mut self, set: InstructionSet, images: &Images<'_>, places: &[u32]) -> bool {
        match (&mut self.weights, images) {
            (Weights::Inputs(layer), Images::Floats(images)) => set.run(layer.read((images, Scale::ONE), &self.inputs)),
            (Weights::Inputs(layer), Images::Bytes(images, scale)) => {
                set.run(layer.read((images, *scale), &self.inputs));
            }
            (Weights::Rows(_), Images::Bytes(images, scale)) => {
                let (x, to) = self.shades.get_or_insert_with(|| (Vec::new(), *scale));
                x.resize(self.inputs.len() * self.lines, Halves::ZERO);
                *to = *scale;
                for offset in 0..images.len().div_ceil(LANES) {
                    let (images, next) = group_of(images, offset);
                    let pixels = &self.inputs[..];
                    set.run(Read { images, next, scale: Scale::ONE, pixels, places, offset, x: &mut x[..] });
                }
            }
            _ => {
                self.shades = None;
                return false;
            }
        }
        true
    }

    pub(super) fn forward(&mut self, set: InstructionSet, x: &[Line], y: &mut [Line]) {
        let bias = self.bias.as_ref().map(Tensor::values);
        let finish = forward_finish(self.activation);
        match &mut self.weights {
            Weights::Dense(layer) => set.run(layer.forward(x, bias, finish, y)),
            Weights::Rows(layer) => match &self.shades {
                Some((x, scale)) => set.run(layer.forward((x, *scale), bias, finish, y)),
                None => set.run(layer.forward((x, Scale::ONE), bias, finish, y)),
            },
            Weights::Inputs(layer) => {
                set.run(layer.forward(bias, finish, y));
            }
        }
        tanh(self.activation, y);
    }

    /// The gradient of the inputs, through `finish`; the first layer needs none.
    pub(super) fn backward(
        &mut self,
        set: InstructionSet,
        (x, dy): (&[Line], &[Line]),
        finish: Finish<'_>,
        dx: &mut [Line],
    ) {
        self.went_back = true;
        match &mut self.weights {
            Weights::Dense(layer) => set.run(layer.backward(dy, finish, dx)),
            Weights::Rows(layer) => set.run(layer.backward(x, dy, finish, dx)),
            Weights::Inputs(_) => {}
        }
    }

    /// The gradients of weights and biases, and one update.
    pub(super) fn step(&mut self, set: InstructionSet, x: &[Line], dy: &[Line], batch: usize, rule: Rule) {
        match &mut self.weights {
            Weights::Dense(layer) => set.run(layer.step(x, dy, batch, rule)),
            Weights::Rows(layer) => {
                match &self.shades {
                    // Found on the way back.
                    _ if self.went_back => {}
                    Some((x, scale)) => set.run(layer.gradient((x, *scale), dy)),
                    None => set.run(layer.gradient((x, Scale::ONE), dy)),
                }
                set.run(layer.update(rule));
            }
            Weights::Inputs(layer) => set.run(layer.step(dy, rule)),
        }
        if let Some(tensor) = &mut self.bias {
            set.run(Sums { dy, lines: self.lines, gradient: floats_mut(&mut self.bias_gradient) });
            set.run(Update { tensor, gradient: &self.bias_gradient, rule });
        }
    }

    /// Writes kept weights and biases back.
    pub(super) fn write(&self, layer: &mut LayerParameters) {
        let mut slots = vec![0; layer.weight.len() / layer.weight.shape()[0].max(1)];
        for (slot, &input) in self.inputs.iter().enumerate() {
            slots[input as usize] = slot;
        }
        let mut rows = vec![0; layer.weight.shape()[0]];
        for (row, &output) in self.outputs.iter().enumerate() {
            rows[output as usize] = row;
        }
        for (k, &(output, input)) in self.places.iter().enumerate() {
            let (row, slot) = (rows[output as usize], slots[input as usize]);
            let w = match &self.weights {
                Weights::Dense(layer) => layer.values.values()[row * layer.row() + slot],
                Weights::Rows(layer) => layer.values.values()[k],
                Weights::Inputs(layer) => layer.weight(row, slot),
            };
            layer.weight[[output as usize, input as usize]] = w;
        }
        if let (Some(bias), Some(tensor)) = (&mut layer.bias, &self.bias) {
            for (&output, &value) in self.outputs.iter().zip(tensor.values()) {
                bias[output as usize] = value;
            }
        }
    }
}
