//! The burn module of a network: follows from its description alone.

use burn::module::{Module, Param};
use burn::tensor::activation::{relu, tanh};
use burn::tensor::module::{conv2d, linear, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Tensor, TensorData};
use ndarray::{Array1, Array2, ArrayD, IxDyn};

use super::{Device, TrainingError};
use crate::mask::{Mask, MaskError};
use crate::network::{Activation, Layer, LayerParameters, Network, Parameters};

#[derive(Module, Debug)]
struct LinearTensors {
    /// [in, out]: the transpose of our layout.
    weight: Param<Tensor<2>>,
    bias: Option<Param<Tensor<1>>>,
}

#[derive(Module, Debug)]
struct ConvolutionTensors {
    /// [out, in, kh, kw].
    weight: Param<Tensor<4>>,
    bias: Option<Param<Tensor<1>>>,
}

/// The tensors of a chain of linear and convolution layers, each kind in the order of the network.
#[derive(Module, Debug)]
pub(super) struct Chain {
    linears: Vec<LinearTensors>,
    convolutions: Vec<ConvolutionTensors>,
}

/// What flows between two layers.
enum Features {
    Maps(Tensor<4>),
    Flat(Tensor<2>),
}

impl Features {
    fn flat(self) -> Tensor<2> {
        match self {
            Self::Flat(tensor) => tensor,
            Self::Maps(tensor) => tensor.flatten(1, 3),
        }
    }

    fn activate(self, activation: Activation) -> Self {
        match (activation, self) {
            (Activation::None, same) => same,
            (Activation::Relu, Self::Flat(tensor)) => Self::Flat(relu(tensor)),
            (Activation::Relu, Self::Maps(tensor)) => Self::Maps(relu(tensor)),
            (Activation::Tanh, Self::Flat(tensor)) => Self::Flat(tanh(tensor)),
            (Activation::Tanh, Self::Maps(tensor)) => Self::Maps(tanh(tensor)),
        }
    }
}

fn bias_param(bias: Option<&Array1<f32>>, device: &burn::tensor::Device) -> Option<Param<Tensor<1>>> {
    bias.map(|bias| Param::from_data(TensorData::new(bias.to_vec(), [bias.len()]), device))
}

/// Values in burn's layout: linear weights are transposed, convolutions are not.
fn to_burn_layout<T: Copy>(weight: &ArrayD<T>) -> Vec<T> {
    match weight.view().into_dimensionality::<ndarray::Ix2>() {
        Ok(matrix) => matrix.t().iter().copied().collect(),
        Err(_) => weight.iter().copied().collect(),
    }
}

impl Chain {
    /// The module of `network` with these values.
    pub(super) fn new(
        network: &Network,
        parameters: &Parameters,
        device: &burn::tensor::Device,
    ) -> Result<Self, TrainingError> {
        parameters.check(network)?;
        let mut chain = Self { linears: Vec::new(), convolutions: Vec::new() };
        for LayerParameters { weight, bias, .. } in &parameters.layers {
            let bias = bias_param(bias.as_ref(), device);
            let values = to_burn_layout(weight);
            match *weight.shape() {
                [out, channels, kh, kw] => chain.convolutions.push(ConvolutionTensors {
                    weight: Param::from_data(TensorData::new(values, [out, channels, kh, kw]), device),
                    bias,
                }),
                [out, inputs] => chain.linears.push(LinearTensors {
                    weight: Param::from_data(TensorData::new(values, [inputs, out]), device),
                    bias,
                }),
                _ => unreachable!("`check` allows two or four dimensions alone"),
            }
        }
        Ok(chain)
    }

    /// Logits [images, classes] of images [images, inputs].
    pub(super) fn forward(&self, network: &Network, images: Tensor<2>) -> Tensor<2> {
        let input = network.input;
        let count = images.dims()[0];
        let (mut linears, mut convolutions) = (self.linears.iter(), self.convolutions.iter());
        let mut features = match network.layers.first() {
            Some(Layer::Linear(_)) | None => Features::Flat(images),
            Some(_) => Features::Maps(images.reshape([count, input.channels, input.height, input.width])),
        };
        for layer in &network.layers {
            features = match (layer, features) {
                (Layer::Linear(description), features) => match linears.next() {
                    Some(tensors) => {
                        let bias = tensors.bias.as_ref().map(Param::val);
                        Features::Flat(linear(features.flat(), tensors.weight.val(), bias))
                            .activate(description.activation)
                    }
                    None => features,
                },
                (Layer::Convolution(description), Features::Maps(maps)) => match convolutions.next() {
                    Some(tensors) => {
                        let bias = tensors.bias.as_ref().map(Param::val);
                        let (stride, padding) = (description.stride, description.padding);
                        let options = ConvOptions::new([stride; 2], [padding; 2], [1, 1], 1);
                        Features::Maps(conv2d(maps, tensors.weight.val(), bias, options))
                            .activate(description.activation)
                    }
                    None => Features::Maps(maps),
                },
                (Layer::MaxPool { kernel, stride, .. }, Features::Maps(maps)) => {
                    let options = MaxPoolOptions::new([*kernel; 2]).with_stride([*stride; 2]);
                    Features::Maps(max_pool2d(maps, options))
                }
                // A network has no maps after a linear layer: its constructor refuses that.
                (_, flat) => flat,
            };
        }
        features.flat()
    }

    /// The values in our layout, with the names of `network`'s layers.
    pub(super) fn parameters(&self, network: &Network, device: Device) -> Result<Parameters, TrainingError> {
        let (mut linears, mut convolutions) = (self.linears.iter(), self.convolutions.iter());
        let mut layers = Vec::new();
        for layer in network.weight_layers() {
            let missing = || device.error(format!("layer `{}` is missing in the module", layer.name));
            let (weight, bias) = if layer.shape.len() == 2 {
                let tensors = linears.next().ok_or_else(missing)?;
                let values = values(tensors.weight.val(), device)?;
                let matrix = Array2::from_shape_vec((layer.shape[1], layer.shape[0]), values)
                    .map_err(|error| device.error(error))?;
                (matrix.t().as_standard_layout().into_owned().into_dyn(), &tensors.bias)
            } else {
                let tensors = convolutions.next().ok_or_else(missing)?;
                let values = values(tensors.weight.val(), device)?;
                let weight =
                    ArrayD::from_shape_vec(IxDyn(&layer.shape), values).map_err(|error| device.error(error))?;
                (weight, &tensors.bias)
            };
            let bias = match bias {
                Some(bias) => Some(Array1::from_vec(values(bias.val(), device)?)),
                None => None,
            };
            layers.push(LayerParameters { name: layer.name, weight, bias });
        }
        Ok(Parameters { layers })
    }
}

/// The values of a tensor, row by row.
pub(super) fn values<const D: usize>(tensor: Tensor<D>, device: Device) -> Result<Vec<f32>, TrainingError> {
    tensor.into_data().try_into_vec::<f32>().map_err(|error| device.error(error))
}

/// A mask in burn's layout; `None` for a layer that keeps everything.
#[derive(Debug)]
pub(super) struct ChainMask {
    linears: Vec<Option<LayerMask<2>>>,
    convolutions: Vec<Option<LayerMask<4>>>,
}

#[derive(Debug)]
struct LayerMask<const D: usize> {
    name: String,
    factors: Tensor<D>,
    kept: Vec<bool>,
}

impl<const D: usize> LayerMask<D> {
    fn new(name: &str, kept: Vec<bool>, shape: [usize; D], device: Device) -> Option<Self> {
        if kept.iter().all(|&kept| kept) {
            return None;
        }
        let factors = kept.iter().map(|&kept| f32::from(u8::from(kept))).collect::<Vec<f32>>();
        let factors = Tensor::from_data(TensorData::new(factors, shape), &device.plain());
        Some(Self { name: name.to_owned(), factors, kept })
    }

    fn enforce(&self, weight: Param<Tensor<D>>) -> Param<Tensor<D>> {
        weight.map(|tensor| Tensor::from_inner(tensor.inner().mul(self.factors.clone())).require_grad())
    }

    fn verify(&self, weight: &Param<Tensor<D>>, device: Device) -> Result<(), TrainingError> {
        let data = weight.val().inner().into_data();
        let values = data.as_slice::<f32>().map_err(|error| device.error(error))?;
        let mut regrown = values.iter().zip(&self.kept).enumerate().filter(|(_, (w, kept))| !**kept && **w != 0.0);
        match regrown.next() {
            None => Ok(()),
            Some((index, _)) => {
                let count = 1 + regrown.count();
                // Back to our layout, in which linear weights are [out, in].
                let first = match weight.val().dims()[..] {
                    [inputs, out] => index % out * inputs + index / out,
                    _ => index,
                };
                Err(MaskError::Regrown { layer: self.name.clone(), count, first }.into())
            }
        }
    }
}

impl ChainMask {
    /// The mask of a module that [`Chain::new`] made from parameters of the same shapes.
    pub(super) fn new(mask: &Mask, device: Device) -> Self {
        let mut chain = Self { linears: Vec::new(), convolutions: Vec::new() };
        for layer in &mask.layers {
            let kept = to_burn_layout(&layer.kept);
            match *layer.kept.shape() {
                [out, inputs] => chain.linears.push(LayerMask::new(&layer.name, kept, [inputs, out], device)),
                [out, channels, kh, kw] => {
                    chain.convolutions.push(LayerMask::new(&layer.name, kept, [out, channels, kh, kw], device));
                }
                _ => unreachable!("weights have two or four dimensions"),
            }
        }
        chain
    }

    /// Sets pruned weights to zero: masked gradients alone would not, since momentum moves them.
    pub(super) fn enforce(&self, mut chain: Chain) -> Chain {
        for (mask, tensors) in self.linears.iter().zip(&mut chain.linears) {
            if let Some(mask) = mask {
                tensors.weight = mask.enforce(tensors.weight.clone());
            }
        }
        for (mask, tensors) in self.convolutions.iter().zip(&mut chain.convolutions) {
            if let Some(mask) = mask {
                tensors.weight = mask.enforce(tensors.weight.clone());
            }
        }
        chain
    }

    /// Asserts that pruned weights are zero.
    pub(super) fn verify(&self, chain: &Chain, device: Device) -> Result<(), TrainingError> {
        for (mask, tensors) in self.linears.iter().zip(&chain.linears) {
            if let Some(mask) = mask {
                mask.verify(&tensors.weight, device)?;
            }
        }
        for (mask, tensors) in self.convolutions.iter().zip(&chain.convolutions) {
            if let Some(mask) = mask {
                mask.verify(&tensors.weight, device)?;
            }
        }
        Ok(())
    }
}
