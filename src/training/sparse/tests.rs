//! The engine against sums written out, on every kernel and instruction set.

mod reference;

use ndarray::Array2;

use super::*;
use crate::data::Dataset;
use crate::mask::Mask;
use crate::network::{Architecture, FeatureShape, Network, Parameters};
use crate::seed::Seeds;
use crate::training::{Budget, Hyperparameters, Optimiser};
use reference::Values;

/// Images of which most inputs have one value, and others repeat so that pooling has ties.
fn data(images: usize, shape: FeatureShape, classes: usize) -> Dataset {
    let mut stream = Seeds::new(11, 0).stream("test data");
    let mut draw = || match stream.below(8) {
        0..5 => -0.42,
        5 => 0.5,
        _ => stream.uniform(-1.0, 2.0) as f32,
    };
    Dataset {
        name: "noise".into(),
        images: Array2::from_shape_simple_fn((images, shape.size()), &mut draw),
        labels: (0..images).map(|i| (i * i % classes) as u8).collect(),
        shape,
        classes,
    }
}

/// The same in whole numbers, as files have them: the engine reads bytes.
fn in_bytes(data: &Dataset) -> Dataset {
    let byte = |x: f32| ((x + 0.42) * 100.0).clamp(0.0, 255.0).round();
    let images = data.images.mapv(|x| (byte(x) / 255.0 - 0.1307) / 0.3081);
    Dataset { images, ..data.clone() }
}

struct Case {
    name: &'static str,
    network: Network,
    data: Dataset,
}

fn case(name: &'static str, text: &str, width: usize, shape: FeatureShape) -> Case {
    let classes = 5;
    let network = Architecture::parse(name, text).unwrap().network(width, shape, classes).unwrap();
    Case { name, network, data: data(150, shape, classes) }
}

/// Flat networks: ReLU, tanh, and an activation on the last layer.
fn flat() -> Vec<Case> {
    let shape = FeatureShape::image(1, 7, 7);
    let layer = |name: &str, units: &str, activation: &str| {
        format!(
            "[[layers]]\nkind = \"linear\"\nname = \"{name}\"\nunits = \"{units}\"\nactivation = \"{activation}\"\n"
        )
    };
    let tanh = format!(
        "name = \"t\"\n{}{}{}",
        layer("a", "33", "tanh"),
        layer("b", "8W", "none"),
        layer("c", "classes", "tanh")
    );
    let fc4 = Architecture::built_in("fc4").unwrap().network(20, shape, 5).unwrap();
    vec![
        Case { name: "fc4", network: fc4, data: data(150, shape, 5) },
        case("tanh", &tanh, 3, shape),
        case("one layer", &format!("name = \"o\"\n{}", layer("a", "classes", "relu")), 1, shape),
    ]
}

const fn shape(channels: usize, height: usize, width: usize) -> FeatureShape {
    FeatureShape { channels, height, width }
}

/// Networks with stride, padding, pooling that overlaps, leaves rests, comes first and comes twice,
/// and the shape of cnn5 on small images.
fn convolutional() -> Vec<Case> {
    let convolution = |name: &str, units: &str, rest: &str| {
        format!("[[layers]]\nkind = \"convolution\"\nname = \"{name}\"\nunits = \"{units}\"\n{rest}\n")
    };
    let pool = |kernel: usize, stride: usize| {
        format!("[[layers]]\nkind = \"max-pool\"\nkernel = {kernel}\nstride = {stride}\n")
    };
    let end = "[[layers]]\nkind = \"linear\"\nname = \"fc\"\nunits = \"classes\"\n";
    let strided = format!(
        "name = \"s\"\n{}{}{}{end}",
        convolution("c1", "2W", "kernel = 3\npadding = 1\nstride = 2\nactivation = \"relu\""),
        pool(2, 1),
        convolution("c2", "3", "kernel = 2\nactivation = \"tanh\""),
    );
    let poolings = format!(
        "name = \"p\"\n{}{}{}{}{}{end}",
        pool(2, 1),
        convolution("c1", "3", "kernel = 3\npadding = 2\nactivation = \"tanh\""),
        pool(3, 2),
        pool(2, 2),
        convolution("c2", "4", "kernel = 1\nstride = 2\npadding = 1"),
    );
    let plain = format!(
        "name = \"n\"\n{}{}{}{end}",
        convolution("c1", "3", "kernel = 3\nactivation = \"relu\""),
        convolution("c2", "4", "kernel = 3\npadding = 3\nactivation = \"relu\""),
        convolution("c3", "2", "kernel = 2\nstride = 3\npadding = 1\nactivation = \"relu\""),
    );
    // Rows and columns that no window reads, between bands and at their end.
    let rests = format!(
        "name = \"r\"\n{}{}{}{}{}{}{end}",
        convolution("c1", "3", "kernel = 3\npadding = 1\nactivation = \"relu\""),
        pool(2, 2),
        convolution("c2", "4", "kernel = 3\npadding = 1\nactivation = \"relu\""),
        pool(2, 2),
        convolution("c3", "4", "kernel = 3\nstride = 2\npadding = 3\nactivation = \"tanh\""),
        pool(2, 3),
    );
    let cnn5 = Architecture::built_in("cnn5").unwrap().network(1, shape(1, 16, 20), 5).unwrap();
    vec![
        case("rests", &rests, 1, shape(1, 22, 18)),
        case("strided", &strided, 2, shape(2, 8, 7)),
        case("poolings", &poolings, 1, shape(2, 11, 9)),
        case("convolutions", &plain, 1, shape(1, 8, 10)),
        Case { name: "cnn5", network: cnn5, data: data(150, shape(1, 16, 20), 5) },
    ]
}

fn cases() -> Vec<Case> {
    flat().into_iter().chain(convolutional()).collect()
}

/// Keeps about `share` of the weights of each layer, and at least one.
fn random_mask(network: &Network, share: f64) -> Mask {
    let mut stream = Seeds::new(3, 0).stream("test mask");
    let mut mask = Mask::dense(network);
    for layer in &mut mask.layers {
        layer.kept.mapv_inplace(|_| stream.unit() < share);
        if let Some(first) = layer.kept.iter_mut().next() {
            *first = true;
        }
    }
    mask
}

fn initial(network: &Network, mask: &Mask) -> Parameters {
    let mut parameters = Parameters::initialise(network, &mut Seeds::new(5, 0).stream("initialisation"));
    mask.apply(&mut parameters).unwrap();
    parameters
}

fn adam(batch: usize) -> Hyperparameters {
    Hyperparameters { optimiser: Optimiser::Adam, learning_rate: 1e-2, momentum: 0.0, batch }
}

fn sgd(batch: usize, learning_rate: f64, momentum: f64) -> Hyperparameters {
    Hyperparameters { optimiser: Optimiser::Sgd, learning_rate, momentum, batch }
}

/// Every instruction set with every kernel, one of each kind at a time.
fn all_options() -> Vec<Options> {
    let linear = [LinearKernel::Dense, LinearKernel::Rows, LinearKernel::Inputs];
    let convolution = [ConvolutionKernel::Taps, ConvolutionKernel::Winners];
    let linear = linear.map(|linear| Kernels { linear: Some(linear), ..Kernels::default() });
    let convolution = convolution.map(|convolution| Kernels { convolution: Some(convolution), ..Kernels::default() });
    let kernels: Vec<Kernels> = linear.into_iter().chain(convolution).collect();
    let sets = InstructionSet::available().into_iter();
    sets.flat_map(|instructions| kernels.iter().map(move |&kernels| Options { instructions, kernels })).collect()
}

/// The images of each step that `Trainer::train` takes with these seeds and purpose.
fn batches(data: &Dataset, batch: usize, steps: usize, seeds: &Seeds, purpose: &str) -> Vec<Vec<usize>> {
    let per_epoch = data.len() / batch;
    (0..steps)
        .map(|step| {
            let mut order: Vec<usize> = (0..data.len()).collect();
            seeds.stream(&format!("{purpose}, epoch {}", step / per_epoch)).shuffle(&mut order);
            let at = step % per_epoch * batch;
            order[at..at + batch].to_vec()
        })
        .collect()
}

/// || found - expected || / || expected || of weights and biases of each layer.
fn errors(found: &Values, expected: &Values) -> Vec<f64> {
    let pairs = found.weights.iter().zip(&expected.weights).chain(found.biases.iter().zip(&expected.biases));
    pairs
        .map(|(found, expected)| {
            let norm: f64 = expected.iter().map(|x| x * x).sum();
            let error: f64 = found.iter().zip(expected).map(|(a, b)| (a - b) * (a - b)).sum();
            if norm > 0.0 { (error / norm).sqrt() } else { error.sqrt() }
        })
        .collect()
}

#[test]
fn the_reference_follows_finite_differences() {
    for Case { name, network, data } in cases() {
        let mask = random_mask(&network, 0.6);
        let values = Values::of(&initial(&network, &mask));
        let images: Vec<usize> = (0..6).collect();
        let gradient = reference::gradient(&network, &values, &mask, &data, &images);
        for layer in 0..values.weights.len() {
            let kept: Vec<bool> = mask.layers[layer].kept.iter().copied().collect();
            for index in (0..kept.len()).step_by(1 + kept.len() / 60) {
                let at = |shift: f64| {
                    let mut shifted = values.clone();
                    shifted.weights[layer][index] += shift;
                    reference::loss(&network, &shifted, &data, &images)
                };
                // Small enough for ReLU and pooling not to turn over.
                let slope = (at(1e-7) - at(-1e-7)) / 2e-7;
                let expected = if kept[index] { slope } else { 0.0 };
                let found = gradient.weights[layer][index];
                assert!((found - expected).abs() < 1e-6, "{name} {layer} {index}: {found} {expected}");
            }
            for index in 0..values.biases[layer].len().min(9) {
                let at = |shift: f64| {
                    let mut shifted = values.clone();
                    shifted.biases[layer][index] += shift;
                    reference::loss(&network, &shifted, &data, &images)
                };
                let slope = (at(1e-7) - at(-1e-7)) / 2e-7;
                assert!((gradient.biases[layer][index] - slope).abs() < 1e-6, "{name} {layer} bias {index}");
            }
        }
    }
}

/// One step of plain SGD moves the weights by -rate x the gradient.
#[test]
fn gradients_are_those_of_the_sums() {
    const RATE: f64 = 64.0;
    for Case { name, network, data } in cases() {
        assert!(TrainingSet::from(&data).shades().is_none());
        let bytes = in_bytes(&data);
        assert!(TrainingSet::from(&bytes).shades().is_some());
        let kinds = [&data, &bytes];
        let cases = [(1.0, 128), (0.5, 33), (0.1, 40), (0.0, 16)];
        for ((share, batch), data) in cases.into_iter().flat_map(|case| kinds.map(|data| (case, data))) {
            let mask = random_mask(&network, share);
            let start = initial(&network, &mask);
            let seeds = Seeds::new(1, 0);
            let images = &batches(data, batch, 1, &seeds, "test")[0];
            let expected = reference::gradient(&network, &Values::of(&start), &mask, data, images);
            for options in all_options() {
                let trainer = Trainer::new(&network, data, sgd(batch, RATE, 0.0), options).unwrap();
                let moved = trainer.train(&start, &mask, Budget::Steps(1), &seeds, "test", &mut |_| {}).unwrap();
                let (before, after) = (Values::of(&start), Values::of(&moved));
                let difference = |before: &[Vec<f64>], after: &[Vec<f64>]| -> Vec<Vec<f64>> {
                    let layers = before.iter().zip(after);
                    layers.map(|(b, a)| b.iter().zip(a).map(|(b, a)| (b - a) / RATE).collect()).collect()
                };
                let found = Values {
                    weights: difference(&before.weights, &after.weights),
                    biases: difference(&before.biases, &after.biases),
                };
                for (layer, error) in errors(&found, &expected).into_iter().enumerate() {
                    assert!(error < 1e-5, "{name}, density {share}, {options:?}: tensor {layer}: {error}");
                }
            }
        }
    }
}

/// A convolution without a kept tap gives constants, which the layers after it use.
#[test]
fn layers_without_a_kept_weight_are_constants() {
    for Case { name, network, data } in convolutional() {
        for dead in 0..random_mask(&network, 0.6).layers.len() - 1 {
            let mut mask = random_mask(&network, 0.6);
            mask.layers[dead].kept.fill(false);
            let start = initial(&network, &mask);
            let seeds = Seeds::new(1, 0);
            let batches = batches(&data, 24, 2, &seeds, "test");
            let expected = reference::train(&network, &start, &mask, &data, sgd(24, 0.1, 0.9), &batches);
            for options in all_options() {
                let trainer = Trainer::new(&network, &data, sgd(24, 0.1, 0.9), options).unwrap();
                let trained = trainer.train(&start, &mask, Budget::Steps(2), &seeds, "test", &mut |_| {}).unwrap();
                for (layer, error) in errors(&Values::of(&trained), &expected).into_iter().enumerate() {
                    assert!(error < 1e-5, "{name}, {dead} dead, {options:?}: tensor {layer}: {error}");
                }
            }
        }
    }
}

#[test]
fn steps_follow_the_rules_and_keep_the_mask() {
    for Case { name, network, data } in cases() {
        for share in [0.6, 0.05] {
            let mask = random_mask(&network, share);
            let start = initial(&network, &mask);
            for hyperparameters in [adam(24), sgd(24, 0.1, 0.9)] {
                let seeds = Seeds::new(1, 0);
                let batches = batches(&data, 24, 4, &seeds, "test");
                let expected = reference::train(&network, &start, &mask, &data, hyperparameters, &batches);
                for options in all_options() {
                    let trainer = Trainer::new(&network, &data, hyperparameters, options).unwrap();
                    let trained = trainer.train(&start, &mask, Budget::Steps(4), &seeds, "test", &mut |_| {}).unwrap();
                    mask.verify(&trained).unwrap();
                    for (layer, error) in errors(&Values::of(&trained), &expected).into_iter().enumerate() {
                        // Adam divides by gradients that may be all rounding.
                        assert!(error < 1e-4, "{name}, density {share}, {options:?}: tensor {layer}: {error}");
                    }
                }
            }
        }
    }
}

#[test]
fn logits_are_those_of_the_sums() {
    for Case { name, network, data } in cases() {
        for share in [1.0, 0.3, 0.02] {
            let mask = random_mask(&network, share);
            let parameters = initial(&network, &mask);
            let values = Values::of(&parameters);
            for options in all_options() {
                let found = logits(&network, &parameters, &mask, &data, options).unwrap();
                for (row, image) in found.rows().into_iter().zip(data.images.rows()) {
                    let expected = reference::logits(&network, &values, image.as_slice().unwrap());
                    for (found, expected) in row.iter().zip(expected) {
                        assert!((f64::from(*found) - expected).abs() < 1e-5, "{name}: {found} {expected}");
                    }
                }
            }
        }
    }
}

/// The same training on every instruction set, to rounding.
#[test]
fn instruction_sets_agree() {
    for Case { name, network, data } in cases() {
        let mask = random_mask(&network, 0.4);
        let start = initial(&network, &mask);
        let train = |instructions| {
            let options = Options { instructions, ..Options::default() };
            let trainer = Trainer::new(&network, &data, sgd(50, 0.1, 0.9), options).unwrap();
            let trained = trainer.train(&start, &mask, Budget::Steps(6), &Seeds::new(1, 0), "t", &mut |_| {});
            Values::of(&trained.unwrap())
        };
        let portable = train(InstructionSet::PORTABLE);
        for set in InstructionSet::available() {
            for error in errors(&train(set), &portable) {
                assert!(error < 1e-5, "{name}, {set}: {error}");
            }
        }
    }
}

#[test]
fn the_same_bytes_again_and_in_parts() {
    for Case { network, data, .. } in cases() {
        for share in [1.0, 0.1] {
            let mask = random_mask(&network, share);
            let start = initial(&network, &mask);
            let seeds = Seeds::new(1, 0);
            let trainer = Trainer::new(&network, &data, adam(32), Options::default()).unwrap();
            let whole = |_: usize| trainer.train(&start, &mask, Budget::Steps(11), &seeds, "t", &mut |_| {}).unwrap();
            let first = whole(0);
            assert_eq!(first, whole(1));
            let mut run = trainer.start(&start, &mask).unwrap();
            run.advance(3, &seeds, "t", &mut |_| {});
            let kept = run.clone();
            run.advance(8, &seeds, "t", &mut |_| {});
            assert_eq!(run.parameters().unwrap(), first);
            let mut again = kept;
            again.advance(8, &seeds, "t", &mut |_| {});
            assert_eq!(again.parameters().unwrap(), first);
            std::thread::scope(|scope| {
                let runs: Vec<_> = (0..2).map(|i| scope.spawn(move || whole(i))).collect();
                for run in runs {
                    assert_eq!(run.join().unwrap(), first);
                }
            });
        }
    }
}

/// A unit without a way to the outputs is left out, one without a way from the inputs is not.
#[test]
fn units_without_a_way_to_the_outputs_are_left_out() {
    let Case { network, data, .. } = &flat()[0];
    let mut mask = random_mask(network, 1.0);
    let axis = |axis| ndarray::Axis(axis);
    // Unit 3 of the first layer leads nowhere; unit 5 is a constant.
    mask.layers[1].kept.index_axis_mut(axis(1), 3).fill(false);
    mask.layers[0].kept.index_axis_mut(axis(0), 5).fill(false);
    let start = initial(network, &mask);
    let seeds = Seeds::new(1, 0);
    let trainer = Trainer::new(network, data, sgd(32, 0.1, 0.9), Options::default()).unwrap();
    let run = trainer.start(&start, &mask).unwrap();
    let inputs = network.input.size();
    assert_eq!(run.active_weights()[0], mask.layers[0].kept_count() - inputs);
    assert_eq!(run.active_weights()[1], mask.layers[1].kept_count());
    let trained = trainer.train(&start, &mask, Budget::Steps(4), &seeds, "t", &mut |_| {}).unwrap();
    let row = |parameters: &Parameters, unit| parameters.layers[0].weight.index_axis(axis(0), unit).to_owned();
    let bias = |parameters: &Parameters, unit: usize| parameters.layers[0].bias.as_ref().unwrap()[unit];
    assert_eq!(row(&trained, 3), row(&start, 3));
    assert_eq!(bias(&trained, 3), bias(&start, 3));
    assert_ne!(row(&trained, 4), row(&start, 4));
    assert_ne!(bias(&trained, 5), bias(&start, 5));
}

#[test]
fn wrong_input_is_refused() {
    let Case { network, data, .. } = &flat()[0];
    let error = Trainer::new(network, data, adam(151), Options::default()).unwrap_err();
    assert_eq!(error.to_string(), "training: batch = 151: must lie between 1 and the 150 training images");
    let mask = random_mask(network, 0.5);
    let dense = initial(network, &Mask::dense(network));
    assert!(evaluate(network, &dense, &mask, data, Options::default()).is_err());
    let mut large = data.clone();
    large.images *= 1e38;
    let trainer = Trainer::new(network, &large, sgd(32, 0.1, 0.9), Options::default()).unwrap();
    let diverged = trainer.train(&dense, &mask, Budget::Steps(3), &Seeds::new(0, 0), "t", &mut |_| {});
    assert!(matches!(diverged, Err(crate::training::TrainingError::Diverged { .. })), "{diverged:?}");
}
