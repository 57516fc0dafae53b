//! From a network, its weights and its mask to a graph.

use std::fmt;

use super::block::BlockBuilder;
use super::{Block, GraphError, LayeredGraph, Role};
use crate::mask::{Mask, MaskError};
use crate::network::{Layer, Network, Parameters};

/// What the nodes of a graph are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Encoding {
    /// Units of linear layers, channels of convolutions. An edge joins two channels where any tap
    /// is kept; flattening maps the block of inputs of a channel to its node; pooling adds
    /// nothing. The inputs are units where the first layer is linear, else the image's channels.
    #[default]
    Channel,
}

impl fmt::Display for Encoding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Channel => "channel",
        })
    }
}

impl LayeredGraph {
    /// The graph of the kept weights of a network. What the mask keeps is an edge even where its
    /// weight is 0. O(weights of the dense network).
    ///
    /// # Errors
    /// Where the weights or the mask have not the shapes of the network, or a kept weight is NaN
    /// or infinite ([`GraphError::NotFinite`], with the layer).
    pub fn from_network(
        network: &Network,
        parameters: &Parameters,
        mask: &Mask,
        encoding: Encoding,
    ) -> crate::Result<Self> {
        parameters.check(network)?;
        let Encoding::Channel = encoding;
        let last = network.weight_layers().count();
        let flat = matches!(network.layers.first(), Some(Layer::Linear(_)));
        let inputs = if flat { network.input.size() } else { network.input.channels };
        let mut groups = vec![("input".to_owned(), inputs, Role::Input)];
        let mut blocks: Vec<Block> = Vec::with_capacity(last);
        for (index, layer) in network.weight_layers().enumerate() {
            let weights = &parameters.layers[index].weight;
            let kept = mask.layers.get(index).filter(|kept| kept.kept.shape() == layer.shape).ok_or_else(|| {
                MaskError::Shape {
                    layer: layer.name.clone(),
                    found: mask.layers.get(index).map_or_else(Vec::new, |kept| kept.kept.shape().to_vec()),
                    expected: layer.shape.clone(),
                }
            })?;
            let (rows, columns, fan_in) = (layer.outputs(), groups[index].1, layer.fan_in());
            // The weights that join one target to one source: the taps of a kernel, or the
            // positions of a flattened map.
            if columns == 0 || fan_in % columns != 0 {
                return Err(GraphError::Structure(format!(
                    "layer `{}`: {fan_in} inputs do not divide among the {columns} nodes before it",
                    layer.name
                ))
                .into());
            }
            let span = fan_in / columns;
            let mut builder = BlockBuilder::new(layer.name.clone(), rows, columns, kept.kept_count());
            let mut entries = weights.iter().zip(&kept.kept).enumerate();
            for row in 0..rows {
                for column in 0..columns {
                    for (flat, (&weight, &kept)) in entries.by_ref().take(span) {
                        if kept {
                            builder.push(flat, row, column, weight)?;
                        }
                    }
                }
            }
            blocks.push(builder.finish(index, index + 1, layer.weights())?);
            let role = if index + 1 == last { Role::Output } else { Role::Hidden };
            groups.push((layer.name, rows, role));
        }
        if let Some(extra) = mask.layers.get(last) {
            return Err(MaskError::Shape {
                layer: extra.name.clone(),
                found: extra.kept.shape().to_vec(),
                expected: Vec::new(),
            }
            .into());
        }
        Ok(Self::new(groups, blocks)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Architecture, FeatureShape};
    use crate::seed::Seeds;

    const SMALL: &str = "name = \"small\"\n\
        [[layers]]\nkind = \"convolution\"\nname = \"conv\"\nunits = 3\nkernel = 2\n\
        [[layers]]\nkind = \"max-pool\"\nkernel = 2\nstride = 2\n\
        [[layers]]\nkind = \"linear\"\nname = \"fc\"\nunits = \"classes\"\n";

    fn small() -> (Network, Parameters, Mask) {
        let network = Architecture::parse("small", SMALL).unwrap().network(1, FeatureShape::image(2, 5, 5), 4).unwrap();
        let parameters = Parameters::initialise(&network, &mut Seeds::new(0, 0).stream("test"));
        let mut mask = Mask::dense(&network);
        for layer in &mut mask.layers {
            layer.kept.fill(false);
        }
        (network, parameters, mask)
    }

    #[test]
    fn a_convolution_joins_channels_and_counts_weights() {
        let (network, mut parameters, mut mask) = small();
        for (index, weight) in [([1, 0, 0, 1], -0.25), ([1, 0, 1, 1], 0.75), ([2, 1, 0, 0], 0.0)] {
            mask.layers[0].kept[index] = true;
            parameters.layers[0].weight[index] = weight;
        }
        // 2 x 2 positions a channel after the pool: input 4 is channel 1, input 11 channel 2.
        for (index, weight) in [([0, 4], 1.0), ([0, 7], -2.0), ([3, 11], 3.0)] {
            mask.layers[1].kept[index] = true;
            parameters.layers[1].weight[index] = weight;
        }
        let graph = LayeredGraph::from_network(&network, &parameters, &mask, Encoding::Channel).unwrap();
        let sizes: Vec<_> = graph.groups().iter().map(|group| (group.name.as_str(), group.size, group.role)).collect();
        assert_eq!(sizes, [("input", 2, Role::Input), ("conv", 3, Role::Hidden), ("fc", 4, Role::Output)]);
        assert_eq!((graph.edges(), graph.pairs(), graph.dense()), (6, 4, 24 + 48));
        assert_eq!(graph.density(), mask.density());
        let weights: Vec<_> = graph.weights().collect();
        assert_eq!(weights, [(0.25, 0, 3), (0.75, 0, 3), (0.0, 1, 4), (1.0, 3, 5), (2.0, 3, 5), (3.0, 4, 8)]);
        assert_eq!(graph.blocks()[0].pairs_into(1), (&[0][..], &[0.75][..]));
        assert_eq!(graph.blocks()[1].pairs_into(0), (&[1][..], &[2.0][..]));
    }

    #[test]
    fn weights_that_are_not_finite_are_named() {
        let (network, mut parameters, mut mask) = small();
        parameters.layers[1].weight[[1, 2]] = f32::INFINITY;
        LayeredGraph::from_network(&network, &parameters, &mask, Encoding::Channel).unwrap();
        mask.layers[1].kept[[1, 2]] = true;
        let error = LayeredGraph::from_network(&network, &parameters, &mask, Encoding::Channel).unwrap_err();
        assert_eq!(
            error.to_string(),
            "layer `fc`: the kept weight at flat index 14 is inf; weights must be finite numbers"
        );
    }

    #[test]
    fn shapes_are_checked() {
        let (network, mut parameters, mask) = small();
        let mut short = mask.clone();
        short.layers.pop();
        assert!(LayeredGraph::from_network(&network, &parameters, &short, Encoding::Channel).is_err());
        let mut long = mask.clone();
        long.layers.push(mask.layers[0].clone());
        assert!(LayeredGraph::from_network(&network, &parameters, &long, Encoding::Channel).is_err());
        parameters.layers.pop();
        assert!(LayeredGraph::from_network(&network, &parameters, &mask, Encoding::Channel).is_err());
    }

    #[test]
    fn the_graph_follows_the_weights_logical_order() {
        // A weight tensor whose memory is transposed must give the same graph.
        let network = Architecture::built_in("fc4").unwrap().network(1, FeatureShape::image(1, 2, 2), 3).unwrap();
        let parameters = Parameters::initialise(&network, &mut Seeds::new(1, 0).stream("test"));
        let mut turned = parameters.clone();
        let weight = &mut turned.layers[0].weight;
        *weight = ndarray::ArrayD::from_shape_vec(weight.t().raw_dim(), weight.t().iter().copied().collect())
            .unwrap()
            .reversed_axes();
        let mask = Mask::dense(&network);
        let of = |parameters| LayeredGraph::from_network(&network, parameters, &mask, Encoding::Channel).unwrap();
        assert!(of(&parameters).weights().eq(of(&turned).weights()));
    }
}
