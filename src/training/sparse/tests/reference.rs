//! The same networks as sums written out, in f64: dense loops over masked weights.

use crate::data::Dataset;
use crate::mask::Mask;
use crate::network::{Activation, Layer, Network, Parameters};
use crate::training::{Hyperparameters, Optimiser};

/// Weights and biases of each layer with weights, flat.
#[derive(Debug, Clone)]
pub(super) struct Values {
    pub(super) weights: Vec<Vec<f64>>,
    pub(super) biases: Vec<Vec<f64>>,
}

impl Values {
    pub(super) fn of(parameters: &Parameters) -> Self {
        let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect();
        Self {
            weights: parameters.layers.iter().map(|layer| wide(layer.weight.iter().copied().collect())).collect(),
            biases: parameters
                .layers
                .iter()
                .map(|layer| layer.bias.as_ref().map_or(Vec::new(), |bias| wide(bias.to_vec())))
                .collect(),
        }
    }

    fn zeros(&self) -> Self {
        let zeros = |values: &Vec<Vec<f64>>| values.iter().map(|values| vec![0.0; values.len()]).collect();
        Self { weights: zeros(&self.weights), biases: zeros(&self.biases) }
    }
}

fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::None => x,
        Activation::Relu => x.max(0.0),
        Activation::Tanh => x.tanh(),
    }
}

fn slope(activation: Activation, y: f64) -> f64 {
    match activation {
        Activation::None => 1.0,
        Activation::Relu => f64::from(u8::from(y > 0.0)),
        Activation::Tanh => 1.0 - y * y,
    }
}

/// Calls `each(output, input, weight)` for every product of a layer with weights.
fn products(layer: &Layer, mut each: impl FnMut(usize, usize, usize)) {
    match layer {
        Layer::Linear(l) => {
            for o in 0..l.outputs {
                for i in 0..l.inputs {
                    each(o, i, o * l.inputs + i);
                }
            }
        }
        Layer::Convolution(c) => {
            for o in 0..c.output.channels {
                for y in 0..c.output.height {
                    for x in 0..c.output.width {
                        for i in 0..c.input.channels {
                            for ky in 0..c.kernel {
                                for kx in 0..c.kernel {
                                    let (iy, ix) = (y * c.stride + ky, x * c.stride + kx);
                                    if iy < c.padding || ix < c.padding {
                                        continue;
                                    }
                                    let (iy, ix) = (iy - c.padding, ix - c.padding);
                                    if iy < c.input.height && ix < c.input.width {
                                        each(
                                            (o * c.output.height + y) * c.output.width + x,
                                            (i * c.input.height + iy) * c.input.width + ix,
                                            ((o * c.input.channels + i) * c.kernel + ky) * c.kernel + kx,
                                        );
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        Layer::MaxPool { .. } => unreachable!("pooling has no products"),
    }
}

/// The outputs of every layer, the image first.
fn forward(network: &Network, values: &Values, image: &[f32]) -> Vec<Vec<f64>> {
    let mut all = vec![image.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>()];
    let mut at = 0;
    for layer in &network.layers {
        let x = &all[all.len() - 1];
        let (size, per_bias, activation) = match layer {
            Layer::Linear(l) => (l.outputs, 1, l.activation),
            Layer::Convolution(c) => (c.output.size(), c.output.height * c.output.width, c.activation),
            Layer::MaxPool { output, .. } => {
                let y = (0..output.size()).map(|cell| x[largest(layer, cell, x)]).collect();
                all.push(y);
                continue;
            }
        };
        let bias = &values.biases[at];
        let mut y: Vec<f64> = (0..size).map(|o| bias.get(o / per_bias).copied().unwrap_or(0.0)).collect();
        products(layer, |o, i, w| y[o] += values.weights[at][w] * x[i]);
        y.iter_mut().for_each(|y| *y = activate(activation, *y));
        at += 1;
        all.push(y);
    }
    all
}

/// The place of the largest input of a pooled cell, the first of equal ones.
fn largest(layer: &Layer, cell: usize, x: &[f64]) -> usize {
    let Layer::MaxPool { input, output, kernel, stride } = layer else { unreachable!("no pooling") };
    let (c, at) = (cell / (output.height * output.width), cell % (output.height * output.width));
    let (y, column) = (at / output.width, at % output.width);
    let place = |ky, kx| (c * input.height + y * stride + ky) * input.width + column * stride + kx;
    let mut best = place(0, 0);
    for ky in 0..*kernel {
        for kx in 0..*kernel {
            if x[place(ky, kx)] > x[best] {
                best = place(ky, kx);
            }
        }
    }
    best
}

/// The logits of an image.
pub(super) fn logits(network: &Network, values: &Values, image: &[f32]) -> Vec<f64> {
    forward(network, values, image).pop().unwrap()
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|z| (z - largest).exp()).sum();
    logits.iter().map(|z| (z - largest).exp() / sum).collect()
}

/// Mean cross entropy of these images.
pub(super) fn loss(network: &Network, values: &Values, data: &Dataset, images: &[usize]) -> f64 {
    let of = |&image: &usize| {
        let p = softmax(&logits(network, values, data.images.row(image).as_slice().unwrap()));
        -p[usize::from(data.labels[image])].ln()
    };
    images.iter().map(of).sum::<f64>() / images.len() as f64
}

/// The gradient of the loss, zero for pruned weights.
pub(super) fn gradient(network: &Network, values: &Values, mask: &Mask, data: &Dataset, images: &[usize]) -> Values {
    let mut gradient = values.zeros();
    for &image in images {
        let all = forward(network, values, data.images.row(image).as_slice().unwrap());
        let mut delta = softmax(&all[all.len() - 1]);
        delta[usize::from(data.labels[image])] -= 1.0;
        delta.iter_mut().for_each(|d| *d /= images.len() as f64);
        let mut at = values.weights.len();
        for (index, layer) in network.layers.iter().enumerate().rev() {
            let (x, y) = (&all[index], &all[index + 1]);
            let mut before = vec![0.0; x.len()];
            let (per_bias, activation) = match layer {
                Layer::Linear(l) => (1, l.activation),
                Layer::Convolution(c) => (c.output.height * c.output.width, c.activation),
                Layer::MaxPool { .. } => {
                    for (cell, d) in delta.iter().enumerate() {
                        before[largest(layer, cell, x)] += d;
                    }
                    delta = before;
                    continue;
                }
            };
            at -= 1;
            for (d, y) in delta.iter_mut().zip(y) {
                *d *= slope(activation, *y);
            }
            if !gradient.biases[at].is_empty() {
                for (o, d) in delta.iter().enumerate() {
                    gradient.biases[at][o / per_bias] += d;
                }
            }
            products(layer, |o, i, w| {
                before[i] += values.weights[at][w] * delta[o];
                gradient.weights[at][w] += x[i] * delta[o];
            });
            delta = before;
        }
    }
    for (gradient, mask) in gradient.weights.iter_mut().zip(&mask.layers) {
        for (g, &kept) in gradient.iter_mut().zip(&mask.kept) {
            *g = if kept { *g } else { 0.0 };
        }
    }
    gradient
}

/// Trains on `batches` by the rules written out.
pub(super) fn train(
    network: &Network,
    start: &Parameters,
    mask: &Mask,
    data: &Dataset,
    hyperparameters: Hyperparameters,
    batches: &[Vec<usize>],
) -> Values {
    let mut values = Values::of(start);
    let (mut first, mut second) = (values.zeros(), values.zeros());
    for (step, batch) in batches.iter().enumerate() {
        let gradient = gradient(network, &values, mask, data, batch);
        let all = values.weights.iter_mut().chain(&mut values.biases).flatten();
        let first = first.weights.iter_mut().chain(&mut first.biases).flatten();
        let second = second.weights.iter_mut().chain(&mut second.biases).flatten();
        let gradient = gradient.weights.iter().chain(&gradient.biases).flatten();
        let rate = hyperparameters.learning_rate;
        for (((w, m), v), g) in all.zip(first).zip(second).zip(gradient) {
            match hyperparameters.optimiser {
                Optimiser::Sgd => {
                    *m = hyperparameters.momentum * *m + g;
                    *w -= rate * *m;
                }
                Optimiser::Adam => {
                    *m = 0.9 * *m + 0.1 * g;
                    *v = 0.999 * *v + 0.001 * g * g;
                    let t = step as i32 + 1;
                    let (m, v) = (*m / (1.0 - 0.9f64.powi(t)), *v / (1.0 - 0.999f64.powi(t)));
                    *w -= rate * m / (v.sqrt() + 1e-8);
                }
            }
        }
    }
    values
}
