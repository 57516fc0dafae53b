//! A network of concrete shapes.

use serde::{Deserialize, Serialize};

use super::wiring::{GroupRole, Wiring};

/// Channels, height and width of a layer's input or output; a flat one is `n x 1 x 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureShape {
    /// Number of feature maps.
    pub channels: usize,
    /// Rows of a map.
    pub height: usize,
    /// Columns of a map.
    pub width: usize,
}

impl FeatureShape {
    /// A shape from its three numbers.
    pub fn image(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width }
    }

    /// channels x height x width.
    pub fn size(&self) -> usize {
        self.channels.saturating_mul(self.height).saturating_mul(self.width)
    }

    pub(super) fn with_channels(self, channels: usize) -> Self {
        Self { channels, ..self }
    }

    /// The positions of a square window: floor((side + 2 padding - kernel) / stride) + 1.
    pub(super) fn slide(self, kernel: usize, stride: usize, padding: usize) -> Result<Self, String> {
        if kernel == 0 || stride == 0 {
            return Err("kernel and stride must be at least 1".into());
        }
        let padded = |side: usize| side.saturating_add(padding.saturating_mul(2));
        let (height, width) = (padded(self.height), padded(self.width));
        if kernel > height || kernel > width {
            return Err(format!("a kernel of {kernel} does not fit the padded input of {height} x {width}"));
        }
        Ok(Self {
            channels: self.channels,
            height: (height - kernel) / stride + 1,
            width: (width - kernel) / stride + 1,
        })
    }
}

/// What is applied to the outputs of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// Nothing: the logits of the last layer.
    #[default]
    None,
    /// max(0, x).
    Relu,
    /// tanh x.
    Tanh,
}

/// A linear layer, weights [outputs, inputs].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linear {
    /// Names its tensors.
    pub name: String,
    /// Units before it; feature maps are flattened channel by channel, row by row.
    pub inputs: usize,
    /// Its units.
    pub outputs: usize,
    /// Applied to the outputs.
    pub activation: Activation,
}

/// A convolution, weights [output channels, input channels, kernel, kernel].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Convolution {
    /// Names its tensors.
    pub name: String,
    /// The feature maps before it.
    pub input: FeatureShape,
    /// Its feature maps.
    pub output: FeatureShape,
    /// The side of the kernel.
    pub kernel: usize,
    /// Step between positions.
    pub stride: usize,
    /// Zeros on each side.
    pub padding: usize,
    /// Applied to the outputs.
    pub activation: Activation,
}

/// One layer of a [`Network`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Layer {
    /// See [`Linear`].
    Linear(Linear),
    /// See [`Convolution`].
    Convolution(Convolution),
    /// The largest value of each square.
    MaxPool {
        /// The feature maps before it.
        input: FeatureShape,
        /// The feature maps after it.
        output: FeatureShape,
        /// The side of the square.
        kernel: usize,
        /// Step between squares.
        stride: usize,
    },
}

/// Name and shape of a weight tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightLayer {
    /// The layer's name; its tensors are `NAME.weight` and `NAME.bias`.
    pub name: String,
    /// [out, in], or [out, in, kh, kw].
    pub shape: Vec<usize>,
}

impl WeightLayer {
    /// The number of weights of the dense layer.
    pub fn weights(&self) -> usize {
        self.shape.iter().product()
    }

    /// The number of outputs or output channels.
    pub fn outputs(&self) -> usize {
        self.shape[0]
    }

    /// The number of inputs of one output: in, or in x kh x kw.
    pub fn fan_in(&self) -> usize {
        self.shape[1..].iter().product()
    }
}

/// A network of concrete shapes, made by [`super::Architecture::network`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// The name of its architecture.
    pub architecture: String,
    /// The width W.
    pub width: usize,
    /// The shape of one image.
    pub input: FeatureShape,
    /// The number of outputs.
    pub classes: usize,
    /// From the inputs to the outputs; empty where there is a wiring.
    pub layers: Vec<Layer>,
    /// How the tensors join groups of nodes, in networks that are no chain of `layers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wiring: Option<Wiring>,
}

impl Network {
    /// A network wired by a description, for analysis: one with groups of nodes instead of feature maps.
    pub fn wired(name: impl Into<String>, wiring: Wiring) -> Self {
        Self {
            architecture: name.into(),
            width: 0,
            input: FeatureShape::image(wiring.nodes_with(GroupRole::Input), 1, 1),
            classes: wiring.nodes_with(GroupRole::Output),
            layers: Vec::new(),
            wiring: Some(wiring),
        }
    }

    /// The layers that have weights, in order.
    pub fn weight_layers(&self) -> impl Iterator<Item = WeightLayer> + '_ {
        let wired = self.wiring.iter().flat_map(Wiring::weight_layers);
        self.layers
            .iter()
            .filter_map(|layer| match layer {
                Layer::Linear(linear) => {
                    Some(WeightLayer { name: linear.name.clone(), shape: vec![linear.outputs, linear.inputs] })
                }
                Layer::Convolution(convolution) => Some(WeightLayer {
                    name: convolution.name.clone(),
                    shape: vec![
                        convolution.output.channels,
                        convolution.input.channels,
                        convolution.kernel,
                        convolution.kernel,
                    ],
                }),
                Layer::MaxPool { .. } => None,
            })
            .chain(wired)
    }

    /// The number of weights of the dense network, biases not counted.
    pub fn weights(&self) -> usize {
        self.weight_layers().map(|layer| layer.weights()).sum()
    }

    /// W_h: units of the layers with weights but the last one; a unit of a convolution is one
    /// position of a feature map.
    pub fn hidden_units(&self) -> usize {
        if let Some(wiring) = &self.wiring {
            return wiring.nodes_with(GroupRole::Hidden);
        }
        let sizes: Vec<usize> = self
            .layers
            .iter()
            .filter_map(|layer| match layer {
                Layer::Linear(linear) => Some(linear.outputs),
                Layer::Convolution(convolution) => Some(convolution.output.size()),
                Layer::MaxPool { .. } => None,
            })
            .collect();
        sizes[..sizes.len().saturating_sub(1)].iter().sum()
    }
}
