//! Weights and biases of a network.

use ndarray::{Array1, ArrayD, IxDyn};

use super::{Network, NetworkError};
use crate::seed::Stream;

/// The weights and biases of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerParameters {
    /// The layer's name.
    pub name: String,
    /// [out, in], or [out, in, kh, kw].
    pub weight: ArrayD<f32>,
    /// Shape \[out\].
    pub bias: Option<Array1<f32>>,
}

/// The weights and biases of a network, in the order of its layers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parameters {
    /// One entry a layer with weights.
    pub layers: Vec<LayerParameters>,
}

impl Parameters {
    /// Weights and biases drawn from U(-b, b), b = 1/sqrt(fan_in), as PyTorch initialises linear
    /// and convolution layers.
    pub fn initialise(network: &Network, stream: &mut Stream) -> Self {
        let layers = network
            .weight_layers()
            .map(|layer| {
                let bound = 1.0 / (layer.fan_in() as f64).sqrt();
                let mut draw = || stream.uniform(-bound, bound) as f32;
                let weight = ArrayD::from_shape_simple_fn(IxDyn(&layer.shape), &mut draw);
                let bias = Array1::from_shape_simple_fn(layer.outputs(), &mut draw);
                LayerParameters { name: layer.name, weight, bias: Some(bias) }
            })
            .collect();
        Self { layers }
    }

    /// The number of weights, biases not counted.
    pub fn weights(&self) -> usize {
        self.layers.iter().map(|layer| layer.weight.len()).sum()
    }

    /// Checks names and shapes against a network.
    ///
    /// # Errors
    /// [`NetworkError::Parameters`] at the first layer that is missing or has another shape.
    pub fn check(&self, network: &Network) -> Result<(), NetworkError> {
        let expected: Vec<_> = network.weight_layers().collect();
        for (index, layer) in expected.iter().enumerate() {
            let found = self.layers.get(index).filter(|found| found.name == layer.name);
            let weight = found.map_or(&[][..], |found| found.weight.shape());
            if weight != layer.shape {
                return Err(NetworkError::Parameters {
                    layer: layer.name.clone(),
                    what: "weight",
                    found: weight.to_vec(),
                    expected: layer.shape.clone(),
                });
            }
            if let Some(bias) = found.and_then(|found| found.bias.as_ref())
                && bias.len() != layer.outputs()
            {
                return Err(NetworkError::Parameters {
                    layer: layer.name.clone(),
                    what: "bias",
                    found: bias.shape().to_vec(),
                    expected: vec![layer.outputs()],
                });
            }
        }
        if let Some(extra) = self.layers.get(expected.len()) {
            return Err(NetworkError::Parameters {
                layer: extra.name.clone(),
                what: "weight",
                found: extra.weight.shape().to_vec(),
                expected: Vec::new(),
            });
        }
        Ok(())
    }
}
