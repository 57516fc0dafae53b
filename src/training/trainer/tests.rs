//! Gradients, optimisers, masks and determinism of a training.

use super::*;
use crate::network::{Activation, Architecture, FeatureShape, Layer};
use ndarray::Array1;

fn data(images: usize, shape: FeatureShape, classes: usize) -> Dataset {
    let mut stream = Seeds::new(11, 0).stream("test data");
    Dataset {
        name: "noise".into(),
        images: Array2::from_shape_simple_fn((images, shape.size()), || stream.uniform(-1.0, 1.0) as f32),
        labels: (0..images).map(|i| (i % classes) as u8).collect(),
        shape,
        classes,
    }
}

fn adam() -> Hyperparameters {
    Hyperparameters { optimiser: Optimiser::Adam, learning_rate: 1e-2, momentum: 0.0, batch: 8 }
}

fn sgd() -> Hyperparameters {
    Hyperparameters { optimiser: Optimiser::Sgd, learning_rate: 0.1, momentum: 0.9, batch: 8 }
}

/// A small convolutional network with stride, padding and pooling that overlaps.
fn convolutional() -> (Network, Dataset) {
    let text = r#"
        name = "small"
        [[layers]]
        kind = "convolution"
        name = "conv1"
        units = "2W"
        kernel = 3
        padding = 1
        stride = 2
        activation = "relu"
        [[layers]]
        kind = "max-pool"
        kernel = 2
        stride = 1
        [[layers]]
        kind = "convolution"
        name = "conv2"
        units = 3
        kernel = 2
        activation = "tanh"
        [[layers]]
        kind = "linear"
        name = "fc"
        units = "classes"
    "#;
    let shape = FeatureShape::image(2, 8, 7);
    let network = Architecture::parse("small", text).unwrap().network(2, shape, 3).unwrap();
    (network, data(24, shape, 3))
}

fn fully_connected() -> (Network, Dataset) {
    let shape = FeatureShape::image(1, 4, 4);
    (Architecture::built_in("fc4").unwrap().network(2, shape, 4).unwrap(), data(32, shape, 4))
}

/// Keeps two of three weights.
fn two_thirds(network: &Network) -> Mask {
    let mut mask = Mask::dense(network);
    for layer in &mut mask.layers {
        for (index, kept) in layer.kept.iter_mut().enumerate() {
            *kept = index % 3 != 1;
        }
    }
    mask
}

fn initial(network: &Network) -> Parameters {
    Parameters::initialise(network, &mut Seeds::new(5, 0).stream("initialisation"))
}

fn train(
    network: &Network,
    data: &Dataset,
    hyperparameters: Hyperparameters,
    mask: &Mask,
    budget: Budget,
) -> Result<Parameters, TrainingError> {
    let trainer = Trainer::new(network, data, hyperparameters, Device::Flex)?;
    trainer.train(&initial(network), mask, budget, &Seeds::new(5, 0), "test", &mut |_| {})
}

#[test]
fn the_mask_is_kept_under_momentum() {
    for (network, data) in [fully_connected(), convolutional()] {
        for hyperparameters in [adam(), sgd()] {
            let mask = two_thirds(&network);
            let trained = train(&network, &data, hyperparameters, &mask, Budget::Epochs(3.0)).unwrap();
            mask.verify(&trained).unwrap();
            let moved = trained.layers[0].weight[ndarray::IxDyn(&vec![0; trained.layers[0].weight.ndim()])];
            assert_ne!(moved, initial(&network).layers[0].weight.iter().copied().next().unwrap());
        }
    }
}

#[test]
fn steps_without_the_mask_regrow_and_are_caught() {
    for (network, data) in [fully_connected(), convolutional()] {
        for hyperparameters in [adam(), sgd()] {
            let mask = two_thirds(&network);
            let mut start = initial(&network);
            mask.apply(&mut start).unwrap();
            let trainer = Trainer::new(&network, &data, hyperparameters, Device::Flex).unwrap();
            let device = Device::Flex.autodiff();
            let chain = Chain::new(&network, &start, &device).unwrap();
            let chain_mask = ChainMask::new(&mask, Device::Flex);
            chain_mask.verify(&chain, Device::Flex).unwrap();
            let mut optimiser = trainer.optimiser();
            let chain = trainer.step(chain, &mut optimiser, &[0, 1, 2, 3], &device);
            assert!(matches!(
                chain_mask.verify(&chain, Device::Flex),
                Err(TrainingError::Mask(crate::mask::MaskError::Regrown { .. }))
            ));
            let grown = chain.parameters(&network, Device::Flex).unwrap();
            assert!(mask.verify(&grown).is_err());
            assert!(evaluate(&network, &grown, &mask, &data, Device::Flex).is_err());
            // Enforcing the mask mends it, and one more step of momentum is mended as well.
            let chain = chain_mask.enforce(chain);
            let chain = chain_mask.enforce(trainer.step(chain, &mut optimiser, &[4, 5, 6, 7], &device));
            chain_mask.verify(&chain, Device::Flex).unwrap();
        }
    }
}

/// A forward pass written out as sums, in f64.
fn reference_logits(network: &Network, parameters: &Parameters, image: &[f32]) -> Vec<f64> {
    let mut values: Vec<f64> = image.iter().map(|&x| f64::from(x)).collect();
    let mut layers = parameters.layers.iter();
    let activate = |activation: Activation, x: f64| match activation {
        Activation::None => x,
        Activation::Relu => x.max(0.0),
        Activation::Tanh => x.tanh(),
    };
    for layer in &network.layers {
        values = match layer {
            Layer::Linear(linear) => {
                let tensors = layers.next().unwrap();
                let bias = tensors.bias.as_ref().unwrap();
                (0..linear.outputs)
                    .map(|o| {
                        let sum: f64 = (0..linear.inputs).map(|i| f64::from(tensors.weight[[o, i]]) * values[i]).sum();
                        activate(linear.activation, sum + f64::from(bias[o]))
                    })
                    .collect()
            }
            Layer::Convolution(c) => {
                let tensors = layers.next().unwrap();
                let bias = tensors.bias.as_ref().unwrap();
                let mut out = Vec::new();
                for o in 0..c.output.channels {
                    for y in 0..c.output.height {
                        for x in 0..c.output.width {
                            let mut sum = f64::from(bias[o]);
                            for i in 0..c.input.channels {
                                for ky in 0..c.kernel {
                                    for kx in 0..c.kernel {
                                        let (iy, ix) = (y * c.stride + ky, x * c.stride + kx);
                                        if iy < c.padding || ix < c.padding {
                                            continue;
                                        }
                                        let (iy, ix) = (iy - c.padding, ix - c.padding);
                                        if iy < c.input.height && ix < c.input.width {
                                            let at = (i * c.input.height + iy) * c.input.width + ix;
                                            sum += f64::from(tensors.weight[[o, i, ky, kx]]) * values[at];
                                        }
                                    }
                                }
                            }
                            out.push(activate(c.activation, sum));
                        }
                    }
                }
                out
            }
            Layer::MaxPool { input, output, kernel, stride } => {
                let mut out = Vec::new();
                for c in 0..output.channels {
                    for y in 0..output.height {
                        for x in 0..output.width {
                            let mut largest = f64::NEG_INFINITY;
                            for ky in 0..*kernel {
                                for kx in 0..*kernel {
                                    let (iy, ix) = (y * stride + ky, x * stride + kx);
                                    largest = largest.max(values[(c * input.height + iy) * input.width + ix]);
                                }
                            }
                            out.push(largest);
                        }
                    }
                }
                out
            }
        };
    }
    values
}

#[test]
fn logits_are_those_of_the_description() {
    for (network, data) in [fully_connected(), convolutional()] {
        let mask = two_thirds(&network);
        let mut parameters = initial(&network);
        mask.apply(&mut parameters).unwrap();
        let logits = logits(&network, &parameters, &mask, &data, Device::Flex).unwrap();
        for (row, image) in logits.rows().into_iter().zip(data.images.rows()) {
            let expected = reference_logits(&network, &parameters, image.as_slice().unwrap());
            for (found, expected) in row.iter().zip(expected) {
                assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} {expected}");
            }
        }
    }
}

fn reference_loss(network: &Network, parameters: &Parameters, data: &Dataset) -> f64 {
    let rows: Vec<f64> = data
        .images
        .rows()
        .into_iter()
        .zip(&data.labels)
        .map(|(image, &label)| {
            let logits = reference_logits(network, parameters, image.as_slice().unwrap());
            let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let partition: f64 = logits.iter().map(|z| (z - largest).exp()).sum();
            largest + partition.ln() - logits[usize::from(label)]
        })
        .collect();
    rows.iter().sum::<f64>() / rows.len() as f64
}

/// One step of plain SGD moves every parameter by -rate x the finite difference of the loss.
#[test]
fn a_step_follows_the_gradient() {
    for (network, data) in [fully_connected(), convolutional()] {
        let hyperparameters = Hyperparameters { momentum: 0.0, batch: data.len(), ..sgd() };
        let before = initial(&network);
        let after = train(&network, &data, hyperparameters, &Mask::dense(&network), Budget::Steps(1)).unwrap();
        for layer in 0..before.layers.len() {
            let flat: Vec<f32> = before.layers[layer].weight.iter().copied().collect();
            for index in (0..flat.len()).step_by(7) {
                let shifted = |shift: f32| {
                    let mut shifted = before.clone();
                    let weight = &mut shifted.layers[layer].weight.as_slice_mut().unwrap()[index];
                    *weight += shift;
                    (f64::from(*weight), reference_loss(&network, &shifted, &data))
                };
                let ((low, loss_low), (high, loss_high)) = (shifted(-1e-4), shifted(1e-4));
                let gradient = (loss_high - loss_low) / (high - low);
                let moved = f64::from(after.layers[layer].weight.as_slice().unwrap()[index] - flat[index]);
                assert!((moved + 0.1 * gradient).abs() < 1e-6, "{moved} {gradient}");
            }
        }
    }
}

/// Three steps of burn's optimisers against the rules written out, on the same gradients:
/// torch's epsilon and no dampening.
#[test]
fn optimisers_follow_their_rules() {
    let device = Device::Flex.autodiff();
    let shape = FeatureShape::image(1, 1, 2);
    let text = "name = \"one\"\n[[layers]]\nkind = \"linear\"\nname = \"a\"\nunits = \"classes\"\n";
    let network = Architecture::parse("one", text).unwrap().network(1, shape, 2).unwrap();
    let data = data(8, shape, 2);
    for hyperparameters in [adam(), sgd()] {
        let trainer = Trainer::new(&network, &data, hyperparameters, Device::Flex).unwrap();
        let mut chain = Chain::new(&network, &initial(&network), &device).unwrap();
        let mut optimiser = trainer.optimiser();
        let mut weights: Array1<f64> = initial(&network).layers[0].weight.iter().map(|&w| f64::from(w)).collect();
        let mut bias: Vec<f64> =
            initial(&network).layers[0].bias.as_ref().unwrap().iter().map(|&b| f64::from(b)).collect();
        let (mut first, mut second) = (vec![0.0; 6], vec![0.0; 6]);
        for step in 1..=3 {
            chain = trainer.step(chain, &mut optimiser, &[0, 1, 2, 3, 4, 5, 6, 7], &device);
            let mut gradient = [0.0; 6];
            for (image, &label) in data.images.rows().into_iter().zip(&data.labels) {
                let x = [f64::from(image[0]), f64::from(image[1])];
                let z: Vec<f64> = (0..2).map(|o| weights[2 * o] * x[0] + weights[2 * o + 1] * x[1] + bias[o]).collect();
                let partition: f64 = z.iter().map(|z| z.exp()).sum();
                for o in 0..2 {
                    let error = z[o].exp() / partition - f64::from(u8::from(usize::from(label) == o));
                    gradient[2 * o] += error * x[0] / 8.0;
                    gradient[2 * o + 1] += error * x[1] / 8.0;
                    gradient[4 + o] += error / 8.0;
                }
            }
            for (i, g) in gradient.iter().enumerate() {
                let change = match hyperparameters.optimiser {
                    Optimiser::Adam => {
                        first[i] = 0.9 * first[i] + 0.1 * g;
                        second[i] = 0.999 * second[i] + 0.001 * g * g;
                        let m = first[i] / (1.0 - 0.9f64.powi(step));
                        let v = second[i] / (1.0 - 0.999f64.powi(step));
                        1e-2 * m / (v.sqrt() + 1e-8)
                    }
                    Optimiser::Sgd => {
                        first[i] = 0.9 * first[i] + g;
                        0.1 * first[i]
                    }
                };
                if i < 4 {
                    weights[i] -= change;
                } else {
                    bias[i - 4] -= change;
                }
            }
        }
        let found = chain.parameters(&network, Device::Flex).unwrap();
        for (found, expected) in found.layers[0].weight.iter().zip(&weights) {
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} {expected}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_thread() {
    let (network, data) = convolutional();
    let mask = two_thirds(&network);
    let alone = train(&network, &data, adam(), &mask, Budget::Epochs(2.0)).unwrap();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| train(&network, &data, adam(), &mask, Budget::Epochs(2.0)).unwrap()))
            .collect();
        for run in runs {
            assert_eq!(run.join().unwrap(), alone);
        }
    });
}

/// burn-ndarray 0.21 read the absolute value of a shared, transposed view in the wrong order.
#[test]
fn absolute_value_of_a_shared_transposed_view() {
    #[cfg(feature = "ndarray")]
    let devices = [Device::Flex, Device::Ndarray];
    #[cfg(not(feature = "ndarray"))]
    let devices = [Device::Flex];
    for device in devices {
        let tensor =
            Tensor::<2>::from_data(TensorData::new(vec![1.0f32, -2.0, 3.0, -4.0, 5.0, -6.0], [2, 3]), &device.plain());
        let shared = tensor.clone().transpose();
        let absolute = values(shared.clone().abs(), device).unwrap();
        assert_eq!(absolute, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(values(shared, device).unwrap(), [1.0, -4.0, -2.0, 5.0, 3.0, -6.0]);
    }
}

/// The two devices are independent implementations: they agree to rounding.
#[cfg(feature = "ndarray")]
#[test]
fn flex_and_ndarray_agree() {
    for (network, data) in [fully_connected(), convolutional()] {
        let mask = two_thirds(&network);
        for hyperparameters in [adam(), sgd()] {
            let run = |device| {
                let trainer = Trainer::new(&network, &data, hyperparameters, device).unwrap();
                let start = initial(&network);
                trainer.train(&start, &mask, Budget::Steps(5), &Seeds::new(5, 0), "test", &mut |_| {}).unwrap()
            };
            let (flex, ndarray) = (run(Device::Flex), run(Device::Ndarray));
            for (a, b) in flex.layers.iter().zip(&ndarray.layers) {
                for (a, b) in a.weight.iter().zip(&b.weight) {
                    assert!((a - b).abs() < 1e-4, "{a} {b}");
                }
            }
        }
    }
}

#[test]
fn wrong_hyperparameters_are_refused() {
    let (network, data) = fully_connected();
    let too_large = Hyperparameters { batch: 33, ..adam() };
    let error = Trainer::new(&network, &data, too_large, Device::Flex).unwrap_err();
    assert_eq!(error.to_string(), "training: batch = 33: must lie between 1 and the 32 training images");
    let (other, _) = convolutional();
    assert!(matches!(Trainer::new(&other, &data, adam(), Device::Flex), Err(TrainingError::Data { .. })));
    let (network, mut data) = fully_connected();
    data.images *= 1e38;
    let diverged = train(&network, &data, sgd(), &Mask::dense(&network), Budget::Steps(3));
    assert!(matches!(diverged, Err(TrainingError::Diverged { .. })), "{diverged:?}");
}
