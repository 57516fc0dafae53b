use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::Encoding;
use super::*;
use crate::mask::Mask;
use crate::network::{Activation, Architecture, LayerDescription, Parameters, Units};
use crate::seed::{Seeds, Stream};

/// What flows through a network: a number, or the set of the inputs that a value depends on.
trait Value: Copy {
    const NONE: Self;
    fn plus(self, weight: f64, other: Self) -> Self;
}

impl Value for f64 {
    const NONE: Self = 0.0;
    fn plus(self, weight: f64, other: Self) -> Self {
        self + weight * other
    }
}

impl Value for u128 {
    const NONE: Self = 0;
    fn plus(self, _: f64, other: Self) -> Self {
        self | other
    }
}

/// The values of all units, group by group, before pools. Straight from the definition of the
/// layers; a pool is a sum, since a maximum hides what all but one of its inputs do.
fn forward<V: Value>(network: &Network, weight: &dyn Fn(usize, usize) -> Option<f64>, input: &[V]) -> Vec<Vec<V>> {
    let mut groups = vec![input.to_vec()];
    let mut current = input.to_vec();
    for layer in &network.layers {
        let mut next = Vec::new();
        let index = groups.len() - 1;
        match layer {
            Layer::MaxPool { input, output, kernel, stride } => {
                for (channel, y, x) in positions(*output) {
                    let mut sum = V::NONE;
                    for dy in 0..*kernel {
                        for dx in 0..*kernel {
                            sum = sum.plus(1.0, current[at(*input, channel, y * stride + dy, x * stride + dx)]);
                        }
                    }
                    next.push(sum);
                }
                current = next;
                continue;
            }
            Layer::Convolution(c) => {
                let mut flat = 0;
                next = vec![V::NONE; c.output.size()];
                for out in 0..c.output.channels {
                    for channel in 0..c.input.channels {
                        for ky in 0..c.kernel {
                            for kx in 0..c.kernel {
                                let Some(weight) = weight(index, flat) else {
                                    flat += 1;
                                    continue;
                                };
                                flat += 1;
                                for y in 0..c.output.height {
                                    for x in 0..c.output.width {
                                        let (row, column) = (y * c.stride + ky, x * c.stride + kx);
                                        let rows = c.padding..c.padding + c.input.height;
                                        let columns = c.padding..c.padding + c.input.width;
                                        if rows.contains(&row) && columns.contains(&column) {
                                            let from = at(c.input, channel, row - c.padding, column - c.padding);
                                            let to = at(c.output, out, y, x);
                                            next[to] = next[to].plus(weight, current[from]);
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            Layer::Linear(l) => {
                for out in 0..l.outputs {
                    let mut sum = V::NONE;
                    for (input, &value) in current.iter().enumerate() {
                        if let Some(weight) = weight(index, out * l.inputs + input) {
                            sum = sum.plus(weight, value);
                        }
                    }
                    next.push(sum);
                }
            }
        }
        groups.push(next.clone());
        current = next;
    }
    groups
}

fn at(shape: FeatureShape, channel: usize, y: usize, x: usize) -> usize {
    assert!(y < shape.height && x < shape.width);
    (channel * shape.height + y) * shape.width + x
}

fn positions(shape: FeatureShape) -> impl Iterator<Item = (usize, usize, usize)> {
    let size = shape.height * shape.width;
    (0..shape.size()).map(move |index| (index / size, index % size / shape.width, index % shape.width))
}

/// A small network: pools and convolutions of any stride, padding and overlap, then linear layers.
fn random_network(stream: &mut Stream) -> Network {
    loop {
        let mut below = |bound: u64| stream.below(bound) as usize;
        let input = FeatureShape::image(1 + below(2), 1 + below(7), 1 + below(7));
        let classes = 1 + below(3);
        let mut layers = Vec::new();
        let pools = |layers: &mut Vec<LayerDescription>, below: &mut dyn FnMut(u64) -> usize| {
            for _ in 0..below(3) {
                layers.push(LayerDescription::MaxPool { kernel: 1 + below(3), stride: 1 + below(2) });
            }
        };
        if below(4) == 0 {
            pools(&mut layers, &mut below);
        }
        for index in 0..below(3) {
            layers.push(LayerDescription::Convolution {
                name: format!("conv{index}"),
                units: Units::Fixed(1 + below(3)),
                kernel: 1 + below(3),
                stride: 1 + below(2),
                padding: below(4),
                activation: Activation::Relu,
            });
            pools(&mut layers, &mut below);
        }
        for index in 0..=below(2) {
            let units = Units::Fixed(1 + below(4));
            layers.push(LayerDescription::Linear { name: format!("fc{index}"), units, activation: Activation::Relu });
        }
        if let Some(LayerDescription::Linear { units, .. }) = layers.last_mut() {
            *units = Units::Classes;
        }
        if let Ok(network) = (Architecture { name: "random".into(), layers }).network(1, input, classes) {
            return network;
        }
    }
}

/// Random weights, none of them near 0, and a random mask.
fn random_weights(network: &Network, stream: &mut Stream) -> (Parameters, Mask) {
    let mut parameters = Parameters::initialise(network, stream);
    let mut mask = Mask::dense(network);
    let share = 0.1 + 0.9 * stream.unit();
    for (weights, kept) in parameters.layers.iter_mut().zip(&mut mask.layers) {
        weights.weight.mapv_inplace(|_| {
            let sign = if stream.below(2) == 0 { 1.0 } else { -1.0 };
            sign * stream.uniform(0.5, 1.5) as f32
        });
        kept.kept.mapv_inplace(|_| stream.unit() < share);
    }
    (parameters, mask)
}

fn unrolled(network: &Network, parameters: &Parameters, mask: &Mask) -> LayeredGraph {
    LayeredGraph::from_network(network, parameters, mask, Encoding::Unrolled).unwrap()
}

/// |w| of a weight by layer and flat index, `None` where it is pruned.
fn magnitude<'a>(parameters: &'a Parameters, mask: &'a Mask) -> impl Fn(usize, usize) -> Option<f64> + 'a {
    |layer, flat| {
        let kept = mask.layers[layer].kept.iter().nth(flat).unwrap();
        kept.then(|| f64::from(parameters.layers[layer].weight.iter().nth(flat).unwrap().abs()))
    }
}

/// For each node the set of the inputs that a directed path leads from.
fn reach(graph: &LayeredGraph) -> Vec<u128> {
    let mut from = vec![0; graph.nodes()];
    for (input, set) in from.iter_mut().take(graph.groups()[0].size).enumerate() {
        *set = 1 << input;
    }
    // A chain: the links come in topological order.
    for (_, source, target) in graph.weight_links() {
        from[target as usize] |= from[source as usize];
    }
    from
}

/// The weights that some link of lies on a path from an input to an output.
fn active(graph: &LayeredGraph) -> BTreeSet<u32> {
    let from = reach(graph);
    let mut leads = vec![false; graph.nodes()];
    leads[graph.nodes() - graph.nodes_with(Role::Output)..].fill(true);
    let links: Vec<_> = graph.weight_links().collect();
    for &(_, source, target) in links.iter().rev() {
        leads[source as usize] |= leads[target as usize];
    }
    let on_path = |&&(_, source, target): &&(u32, u32, u32)| from[source as usize] != 0 && leads[target as usize];
    links.iter().filter(on_path).map(|link| link.0).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Every unit of every layer: what it depends on in the graph is what it depends on in the network,
    /// as a set that is passed on and as a number that is measured.
    #[test]
    fn a_path_leads_from_an_input_where_the_input_changes_the_unit(seed in any::<u64>()) {
        let mut stream = Seeds::new(seed, 0).stream("test network");
        let network = random_network(&mut stream);
        let (parameters, mask) = random_weights(&network, &mut stream);
        let graph = unrolled(&network, &parameters, &mask);
        let weight = magnitude(&parameters, &mask);
        let inputs = network.input.size();

        let sets: Vec<u128> = (0..inputs).map(|input| 1 << input).collect();
        let expected: Vec<u128> = forward(&network, &weight, &sets).concat();
        let found = reach(&graph);
        prop_assert_eq!(&found, &expected);

        let image: Vec<f64> = (0..inputs).map(|_| stream.uniform(0.5, 1.5)).collect();
        let before = forward(&network, &weight, &image).concat();
        for input in 0..inputs {
            let mut image = image.clone();
            image[input] += 0.5;
            let after = forward(&network, &weight, &image).concat();
            for (node, set) in found.iter().enumerate() {
                prop_assert_eq!(after[node] > before[node], set >> input & 1 == 1, "input {} node {}", input, node);
                prop_assert!(after[node] >= before[node]);
            }
        }
    }

    #[test]
    fn a_weight_is_active_where_its_removal_changes_an_output(seed in any::<u64>()) {
        let mut stream = Seeds::new(seed, 1).stream("test network");
        let network = random_network(&mut stream);
        let (parameters, mut mask) = random_weights(&network, &mut stream);
        let found = active(&unrolled(&network, &parameters, &mask));
        let image: Vec<f64> = (0..network.input.size()).map(|_| stream.uniform(0.5, 1.5)).collect();
        let outputs = |mask: &Mask| forward(&network, &magnitude(&parameters, mask), &image).pop().unwrap();
        let before = outputs(&mask);
        let mut number = 0;
        for layer in 0..mask.layers.len() {
            for flat in 0..mask.layers[layer].kept.len() {
                if !std::mem::take(mask.layers[layer].kept.iter_mut().nth(flat).unwrap()) {
                    continue;
                }
                prop_assert_eq!(outputs(&mask) != before, found.contains(&number), "layer {} flat {}", layer, flat);
                *mask.layers[layer].kept.iter_mut().nth(flat).unwrap() = true;
                number += 1;
            }
        }
    }

    /// Each link by itself: unit by unit, tap by tap and window by window.
    #[test]
    fn links_are_those_of_the_definition(seed in any::<u64>()) {
        let mut stream = Seeds::new(seed, 2).stream("test network");
        let network = random_network(&mut stream);
        let (parameters, mask) = random_weights(&network, &mut stream);
        let graph = unrolled(&network, &parameters, &mask);
        let (expected, magnitudes) = links(&network, &parameters, &mask);
        prop_assert_eq!(graph.edges(), mask.kept());
        prop_assert_eq!(graph.density(), mask.density());
        prop_assert_eq!(graph.magnitudes().collect::<Vec<_>>(), magnitudes.iter().map(|w| w.abs()).collect::<Vec<_>>());
        let found: Vec<_> = graph.weight_links().collect();
        prop_assert_eq!(graph.links(), found.len());
        prop_assert_eq!(found.len(), expected.len(), "a link repeats");
        prop_assert_eq!(&found.iter().copied().collect::<BTreeSet<_>>(), &expected);
        prop_assert!(graph.weights().eq(found.iter().map(|&(w, a, b)| (magnitudes[w as usize].abs(), a, b))));
        let negative = graph.blocks().iter().flat_map(|block| (0..block.rows()).flat_map(|row| block.negative_into(row)));
        prop_assert!(negative.eq(found.iter().map(|link| magnitudes[link.0 as usize] < 0.0)));
        let pairs: BTreeSet<_> = found.iter().map(|link| (link.1, link.2)).collect();
        prop_assert_eq!(graph.pairs(), pairs.len());
        for edge in graph.pair_edges() {
            let joining = found.iter().filter(|link| (link.1 as usize, link.2 as usize) == (edge.source, edge.target));
            let largest = joining.map(|link| magnitudes[link.0 as usize].abs()).fold(0.0, f32::max);
            prop_assert_eq!(*edge.weight, largest);
        }
        let one_by_one = found.iter().enumerate().all(|(n, link)| link.0 == n as u32) && found.len() == magnitudes.len();
        let shares = graph.blocks().iter().any(Block::shares_weights);
        prop_assert_eq!(!one_by_one, shares);
        prop_assert_eq!(graph.shares_weights(), shares);
    }
}

/// (weight, source, target) of every link, by following windows down, and w of the kept weights.
fn links(network: &Network, parameters: &Parameters, mask: &Mask) -> (BTreeSet<(u32, u32, u32)>, Vec<f32>) {
    let mut links = BTreeSet::new();
    let mut kept_weights = Vec::new();
    let mut pools: Vec<(FeatureShape, usize, usize)> = Vec::new();
    let (mut shape, mut first, mut index) = (network.input, 0, 0);
    for layer in &network.layers {
        let (output, kernel, stride, padding) = match layer {
            Layer::MaxPool { input, output, kernel, stride } => {
                pools.push((*input, *kernel, *stride));
                shape = *output;
                continue;
            }
            Layer::Convolution(c) => (c.output, (c.kernel, c.kernel), c.stride, c.padding),
            Layer::Linear(l) => (FeatureShape::image(l.outputs, 1, 1), (shape.height, shape.width), 1, 0),
        };
        let units = pools.first().map_or(shape, |pool| pool.0);
        let next = first + units.size();
        let weights = parameters.layers[index].weight.iter().zip(&mask.layers[index].kept);
        for (flat, (&w, _)) in weights.enumerate().filter(|(_, (_, kept))| **kept) {
            let weight = kept_weights.len() as u32;
            kept_weights.push(w);
            let (tap_y, tap_x) = (flat / kernel.1 % kernel.0, flat % kernel.1);
            let (to, from) =
                (flat / (kernel.0 * kernel.1) / shape.channels, flat / (kernel.0 * kernel.1) % shape.channels);
            for (_, y, x) in positions(FeatureShape::image(1, output.height, output.width)) {
                let (row, column) = (y * stride + tap_y, x * stride + tap_x);
                if row < padding || column < padding {
                    continue;
                }
                let (row, column) = (row - padding, column - padding);
                if row < shape.height && column < shape.width {
                    for (row, column) in window(&pools, row, column) {
                        let (source, target) = (at(units, from, row, column), at(output, to, y, x));
                        links.insert((weight, (first + source) as u32, (next + target) as u32));
                    }
                }
            }
        }
        pools.clear();
        (shape, first, index) = (output, next, index + 1);
    }
    (links, kept_weights)
}

fn window(pools: &[(FeatureShape, usize, usize)], row: usize, column: usize) -> BTreeSet<(usize, usize)> {
    let Some(((_, kernel, stride), before)) = pools.split_last() else { return BTreeSet::from([(row, column)]) };
    (0..kernel * kernel).flat_map(|n| window(before, row * stride + n / kernel, column * stride + n % kernel)).collect()
}

fn described(text: &str, input: FeatureShape, classes: usize) -> (Network, Parameters, Mask) {
    let network = Architecture::parse("test", text).unwrap().network(1, input, classes).unwrap();
    let (parameters, _) = random_weights(&network, &mut Seeds::new(3, 0).stream("test"));
    let mask = Mask::dense(&network);
    (network, parameters, mask)
}

#[test]
fn without_maps_it_is_the_channel_encoding() {
    let linear = "name = \"a\"\n[[layers]]\nkind = \"linear\"\nname = \"a\"\nunits = 5\n\
                  [[layers]]\nkind = \"linear\"\nname = \"b\"\nunits = \"classes\"\n";
    let ones = "name = \"b\"\n[[layers]]\nkind = \"convolution\"\nname = \"c\"\nunits = 4\nkernel = 1\n\
                [[layers]]\nkind = \"max-pool\"\nkernel = 1\nstride = 1\n\
                [[layers]]\nkind = \"convolution\"\nname = \"d\"\nunits = 3\nkernel = 1\nstride = 2\n\
                [[layers]]\nkind = \"linear\"\nname = \"b\"\nunits = \"classes\"\n";
    for (text, input) in [(linear, FeatureShape::image(2, 3, 2)), (ones, FeatureShape::image(5, 1, 1))] {
        let (network, parameters, mut mask) = described(text, input, 3);
        for layer in &mut mask.layers {
            layer.kept.iter_mut().step_by(3).for_each(|kept| *kept = false);
        }
        let graph = unrolled(&network, &parameters, &mask);
        let channel = LayeredGraph::from_network(&network, &parameters, &mask, Encoding::Channel).unwrap();
        // The whole structure, private parts included.
        assert_eq!(format!("{graph:?}"), format!("{channel:?}"));
        assert!(!graph.shares_weights() && graph.links() == graph.edges());
    }
}

#[test]
fn a_tap_that_sees_only_padding_has_no_link_but_is_an_edge() {
    let text = "name = \"a\"\n[[layers]]\nkind = \"convolution\"\nname = \"c\"\nunits = 1\nkernel = 3\npadding = 1\n\
                [[layers]]\nkind = \"linear\"\nname = \"b\"\nunits = \"classes\"\n";
    let (network, parameters, mask) = described(text, FeatureShape::image(1, 1, 1), 2);
    let graph = unrolled(&network, &parameters, &mask);
    assert_eq!((graph.nodes(), graph.edges(), graph.links(), graph.pairs()), (4, 11, 3, 3));
    // The centre of the kernel is its fifth weight.
    assert_eq!(graph.weight_links().collect::<Vec<_>>(), [(4, 0, 1), (9, 1, 2), (10, 1, 3)]);
    assert_eq!(active(&graph), BTreeSet::from([4, 9, 10]));
}

#[test]
fn overlapping_windows_give_one_link_a_weight_and_unit() {
    // Two overlapping pools of 2 with stride 1 on 4 units: positions 0 and 1 see units 0 to 2 and 1
    // to 3, unit 1 by two ways.
    let text = "name = \"a\"\n[[layers]]\nkind = \"max-pool\"\nkernel = 2\nstride = 1\n\
                [[layers]]\nkind = \"max-pool\"\nkernel = 2\nstride = 1\n\
                [[layers]]\nkind = \"linear\"\nname = \"b\"\nunits = \"classes\"\n";
    let (network, parameters, mask) = described(text, FeatureShape::image(1, 4, 4), 1);
    let graph = unrolled(&network, &parameters, &mask);
    assert_eq!((graph.edges(), graph.links(), graph.pairs()), (4, 4 * 9, 16));
    let mut weights_of = vec![0; 16];
    graph.weight_links().for_each(|(_, source, _)| weights_of[source as usize] += 1);
    assert_eq!(weights_of, [1, 2, 2, 1, 2, 4, 4, 2, 2, 4, 4, 2, 1, 2, 2, 1]);
}

#[test]
fn the_dense_cnn5_has_the_nodes_and_links_of_its_shapes() {
    let cnn5 = Architecture::built_in("cnn5").unwrap();
    for width in 1..=2 {
        let network = cnn5.network(width, FeatureShape::image(1, 28, 28), 10).unwrap();
        let parameters = Parameters::initialise(&network, &mut Seeds::new(0, 0).stream("test"));
        let graph = unrolled(&network, &parameters, &Mask::dense(&network));
        let sizes: Vec<_> = graph.groups().iter().map(|group| group.size).collect();
        assert_eq!(sizes, [784, width * 6 * 784, width * 16 * 100, width * 120, width * 84, 10]);
        // Along an axis the five taps of conv1 meet 26, 27, 28, 27 and 26 pixels: 134 in all. Behind
        // a pool of 2 x 2 every weight has four links for one.
        let expected = [
            6 * width * 134 * 134,
            16 * width * 6 * width * 25 * 100 * 4,
            120 * width * 400 * width * 4,
            84 * width * 120 * width,
            10 * 84 * width,
        ];
        let links: Vec<_> = graph.blocks().iter().map(Block::links).collect();
        assert_eq!(links, expected);
        assert_eq!(graph.links(), expected.iter().sum::<usize>());
        // No windows overlap, so that no two weights join the same two units.
        assert_eq!(graph.pairs(), graph.links());
        assert_eq!(graph.edges(), network.weights());
    }
}

#[test]
fn graphs_that_are_too_large_are_refused_before_they_are_made() {
    // A network's maps have at most 2^28 units each: graphs of more come of large kernels or many layers.
    let (units, side) = (60, 2000);
    let refuse = |layers: usize, kernel: usize| {
        let layer = |index: usize| {
            format!(
                "[[layers]]\nkind = \"convolution\"\nname = \"c{index}\"\nunits = {units}\nkernel = {kernel}\npadding = {}\n",
                kernel / 2
            )
        };
        let text = format!("name = \"a\"\n{}", (0..layers).map(layer).collect::<String>());
        let (network, parameters, mask) = described(&text, FeatureShape::image(1, side, side), units * side * side);
        LayeredGraph::from_network(&network, &parameters, &mask, Encoding::Unrolled).unwrap_err().to_string()
    };
    let along = 5 * side - 6;
    assert_eq!(refuse(1, 5), format!("layered graph: {} links; at most 4294967294 fit", units * along * along));
    let nodes = (1 + 18 * units) * side * side;
    assert_eq!(refuse(18, 1), format!("layered graph: {nodes} nodes; at most 4294967294 fit"));
}

#[test]
fn layers_that_do_not_fit_each_other_are_refused() {
    let text = "name = \"a\"\n[[layers]]\nkind = \"max-pool\"\nkernel = 2\nstride = 2\n\
                [[layers]]\nkind = \"convolution\"\nname = \"c\"\nunits = 1\nkernel = 2\n\
                [[layers]]\nkind = \"linear\"\nname = \"b\"\nunits = \"classes\"\n";
    let (network, parameters, mask) = described(text, FeatureShape::image(1, 8, 8), 2);
    let refuse = |change: &dyn Fn(&mut Network)| {
        let mut wrong = network.clone();
        change(&mut wrong);
        LayeredGraph::from_network(&wrong, &parameters, &mask, Encoding::Unrolled).unwrap_err().to_string()
    };
    let message = refuse(&|network| network.input.height = 9);
    assert_eq!(
        message,
        "layered graph: layer `max-pool`: reads maps of 1 x 8 x 8, but those before it are of 1 x 9 x 8"
    );
    let message = refuse(&|network| drop(network.layers.remove(0)));
    assert!(message.contains("layer `c`: reads maps of 1 x 4 x 4, but those before it are of 1 x 8 x 8"), "{message}");
    let message = refuse(&|network| network.layers.swap(0, 1));
    assert!(message.contains("layer `c`"), "{message}");
    let message = refuse(&|network| {
        if let Layer::Convolution(convolution) = &mut network.layers[1] {
            convolution.output.height = 5;
        }
    });
    assert!(message.contains("layer `b`: reads maps of 9 x 1 x 1"), "{message}");
}

#[test]
fn weights_that_are_not_finite_are_named_by_their_flat_index() {
    let text = "name = \"a\"\n[[layers]]\nkind = \"convolution\"\nname = \"c\"\nunits = 2\nkernel = 2\n";
    let (network, mut parameters, mut mask) = described(text, FeatureShape::image(1, 3, 3), 8);
    parameters.layers[0].weight[[1, 0, 0, 1]] = f32::NAN;
    let error = LayeredGraph::from_network(&network, &parameters, &mask, Encoding::Unrolled).unwrap_err().to_string();
    assert_eq!(error, "layer `c`: the kept weight at flat index 5 is NaN; weights must be finite numbers");
    mask.layers[0].kept[[1, 0, 0, 1]] = false;
    let graph = unrolled(&network, &parameters, &mask);
    assert_eq!((graph.edges(), graph.links(), graph.nodes_with(Role::Output)), (7, 28, 8));
}
