//! From a network, its weights and its mask to a graph.

mod channel;
mod unrolled;
mod wired;

use std::fmt;

use ndarray::ArrayD;
use serde::{Deserialize, Serialize};

use super::LayeredGraph;
use crate::mask::{Mask, MaskError};
use crate::network::{Network, Parameters, WeightLayer};

/// What the nodes of a graph are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Encoding {
    /// Units of linear layers, channels of convolutions. An edge joins two channels where any tap
    /// is kept; flattening maps the block of inputs of a channel to its node; pooling adds
    /// nothing. The inputs are units where the first layer is linear, else the image's channels.
    #[default]
    Channel,
    /// Units of the feature maps: the pixels of the input, one node an output position (channel, y,
    /// x) of each convolution, before any pooling, and the units of linear layers, numbered channel
    /// by channel, row by row.
    ///
    /// A convolution's weight is repeated at every position of its kernel that is not padding, as
    /// so many *links*, but stays one *edge*. Pooling adds no node and no weight: what reads a pooled
    /// unit has a link from each unit of its window, through several pools from each unit that any
    /// path of windows leads from. A signal can run from an input to an output of this graph exactly
    /// where the input can change the output in the network. Where a pool is the last layer, the
    /// output nodes are the units of its windows.
    Unrolled,
}

impl fmt::Display for Encoding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Channel => "channel",
            Self::Unrolled => "unrolled",
        })
    }
}

/// One layer's weights and which of them are kept, both of its shape.
struct KeptLayer<'a> {
    layer: WeightLayer,
    weights: &'a ArrayD<f32>,
    kept: &'a ArrayD<bool>,
}

impl KeptLayer<'_> {
    /// The weights and whether they are kept, by flat index.
    fn entries(&self) -> impl Iterator<Item = (usize, (f32, bool))> + '_ {
        self.weights.iter().copied().zip(self.kept.iter().copied()).enumerate()
    }

    fn kept_count(&self) -> usize {
        self.kept.iter().filter(|&&kept| kept).count()
    }
}

/// The layers of a network, once weights and mask have its shapes.
fn kept_layers<'a>(network: &Network, parameters: &'a Parameters, mask: &'a Mask) -> crate::Result<Vec<KeptLayer<'a>>> {
    parameters.check(network)?;
    let mut layers = Vec::new();
    for (index, layer) in network.weight_layers().enumerate() {
        let found = mask.layers.get(index).map(|found| &found.kept);
        let Some(kept) = found.filter(|kept| kept.shape() == layer.shape) else {
            let found = found.map_or_else(Vec::new, |kept| kept.shape().to_vec());
            return Err(MaskError::Shape { layer: layer.name.clone(), found, expected: layer.shape }.into());
        };
        layers.push(KeptLayer { weights: &parameters.layers[index].weight, kept, layer });
    }
    if let Some(extra) = mask.layers.get(layers.len()) {
        let (layer, found) = (extra.name.clone(), extra.kept.shape().to_vec());
        return Err(MaskError::Shape { layer, found, expected: Vec::new() }.into());
    }
    Ok(layers)
}

impl LayeredGraph {
    /// The graph of the kept weights of a network. What the mask keeps is an edge even where its
    /// weight is 0. O(weights of the dense network); under [`Encoding::Unrolled`] also O(links of
    /// all the kernels, out of one channel into another, that keep any weight).
    ///
    /// # Errors
    /// Where the weights or the mask have not the shapes of the network, or a kept weight is NaN
    /// or infinite ([`GraphError::NotFinite`](super::GraphError::NotFinite), with the layer); where
    /// there are more nodes or links than 32-bit indices or the memory hold
    /// ([`GraphError::TooLarge`](super::GraphError::TooLarge),
    /// [`GraphError::Memory`](super::GraphError::Memory)), which is found by counting, before they are
    /// made.
    ///
    /// ```
    /// use prunephase::graph::{Encoding, LayeredGraph};
    /// use prunephase::mask::Mask;
    /// use prunephase::network::{Architecture, FeatureShape, Parameters};
    /// use prunephase::seed::Seeds;
    ///
    /// let network = Architecture::built_in("cnn5")?.network(1, FeatureShape::image(1, 28, 28), 10)?;
    /// let parameters = Parameters::initialise(&network, &mut Seeds::new(0, 0).stream("initialisation"));
    /// let graph = LayeredGraph::from_network(&network, &parameters, &Mask::dense(&network), Encoding::Unrolled)?;
    /// // Pixels, 6 maps of 28 x 28, 16 of 10 x 10, and the linear layers.
    /// assert_eq!(graph.nodes(), 784 + 6 * 784 + 16 * 100 + 120 + 84 + 10);
    /// assert_eq!(graph.edges(), network.weights());
    /// assert!(graph.links() > 20 * graph.edges());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_network(
        network: &Network,
        parameters: &Parameters,
        mask: &Mask,
        encoding: Encoding,
    ) -> crate::Result<Self> {
        let layers = kept_layers(network, parameters, mask)?;
        if let Some(wiring) = &network.wiring {
            if encoding == Encoding::Unrolled {
                return Err(super::GraphError::Structure(format!(
                    "network `{}` is wired by its names and shapes, which do not tell padding, stride and pooling; use \
                     --encoding channel, or describe its layers (--network)",
                    network.architecture
                ))
                .into());
            }
            return wired::graph(wiring, &layers);
        }
        Ok(match encoding {
            Encoding::Channel => channel::graph(network, layers),
            Encoding::Unrolled => unrolled::graph(network, &layers),
        }?)
    }
}

impl LayeredGraph {
    /// Where the blocks of a wired network do not follow its layers weight by weight: for each kept
    /// weight of its graph, the place among all kept weights by layer, then by flat index. `None`
    /// where the two orders are the same. O(weights of the dense network).
    ///
    /// # Errors
    /// As [`LayeredGraph::from_network`], but for the weights' values.
    pub fn weight_order(network: &Network, parameters: &Parameters, mask: &Mask) -> crate::Result<Option<Vec<u32>>> {
        let Some(wiring) = &network.wiring else { return Ok(None) };
        wiring.check()?;
        let order = wired::order(wiring, &kept_layers(network, parameters, mask)?);
        Ok(order.iter().zip(0..).any(|(&place, own)| place != own).then_some(order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Role;
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
