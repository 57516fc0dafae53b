//! Units of feature maps as nodes: [`Encoding::Unrolled`](super::Encoding::Unrolled).
//!
//! Kernels, padding, strides and pools act on the rows and on the columns of a map alike and
//! independently, so that all there is to know is, for each axis, which unit an output position
//! sees through which tap. A linear layer on a map is a convolution whose kernel is as large as the
//! map; it then has the same flat order, and one position.

use super::KeptLayer;
use super::channel::plain_block;
use crate::graph::block::BlockBuilder;
use crate::graph::{Block, GraphError, LayeredGraph, Role};
use crate::network::{FeatureShape, Layer, Network};

/// Not the number of a kept weight.
const PRUNED: u32 = u32::MAX;

/// The units along one axis of each position of a pooled map; without pools each its own.
type Windows = Vec<Vec<u32>>;

fn own(units: usize) -> Windows {
    (0..units as u32).map(|unit| vec![unit]).collect()
}

/// The windows after one more pool.
fn pool(windows: &Windows, positions: usize, kernel: usize, stride: usize) -> Result<Windows, GraphError> {
    let mut count = 0;
    (0..positions)
        .map(|position| {
            let first = position * stride;
            let inside = windows.iter().skip(first).take(kernel);
            let mut units: Vec<u32> = inside.flatten().copied().collect();
            units.sort_unstable();
            // Windows of the pool before may overlap.
            units.dedup();
            count += units.len();
            if count >= u32::MAX as usize {
                return Err(GraphError::TooLarge { what: "units in the windows of a pool", count });
            }
            Ok(units)
        })
        .collect()
}

/// What each output position of a layer sees along one axis.
struct Axis {
    /// The units before the pools.
    units: usize,
    taps: usize,
    /// For each position the (unit, tap) in ascending order; a unit may be seen through several taps
    /// where windows overlap.
    seen: Vec<Vec<(u32, u32)>>,
}

impl Axis {
    /// Positions outside the map are padding and see nothing.
    fn new(units: usize, windows: &Windows, positions: usize, taps: usize, stride: usize, padding: usize) -> Self {
        let seen = (0..positions)
            .map(|position| {
                let mut seen = Vec::new();
                for tap in 0..taps {
                    let window = (position * stride + tap).checked_sub(padding).and_then(|at| windows.get(at));
                    seen.extend(window.into_iter().flatten().map(|&unit| (unit, tap as u32)));
                }
                seen.sort_unstable();
                seen
            })
            .collect();
        Self { units, taps, seen }
    }

    /// The links of each tap.
    fn links(&self) -> Vec<u128> {
        let mut links = vec![0; self.taps];
        for &(_, tap) in self.seen.iter().flatten() {
            links[tap as usize] += 1;
        }
        links
    }
}

/// How a layer reads the units of the group before it.
enum Wiring {
    /// A linear layer on units that no pool stands between.
    Plain { units: usize },
    /// A convolution, or a linear layer behind a pool.
    Shared { channels: usize, rows: Axis, columns: Axis, links: usize },
}

impl Wiring {
    fn shared(kept: &KeptLayer<'_>, channels: usize, rows: Axis, columns: Axis) -> Result<Self, GraphError> {
        let (by_row, by_column) = (rows.links(), columns.links());
        let kernel: Vec<u128> =
            by_row.iter().flat_map(|row| by_column.iter().map(move |column| row * column)).collect();
        if kernel.is_empty() || kept.layer.fan_in() != channels * kernel.len() {
            return Err(GraphError::Structure(format!(
                "layer `{}`: {} inputs, but {channels} maps with {} taps each before it",
                kept.layer.name,
                kept.layer.fan_in(),
                kernel.len()
            )));
        }
        let links: u128 = kept.kept.iter().zip(kernel.iter().cycle()).filter(|(kept, _)| **kept).map(|(_, n)| n).sum();
        if links >= u128::from(u32::MAX) {
            return Err(GraphError::TooLarge { what: "links", count: usize::try_from(links).unwrap_or(usize::MAX) });
        }
        Ok(Self::Shared { channels, rows, columns, links: links as usize })
    }

    fn links(&self, kept: &KeptLayer<'_>) -> usize {
        match self {
            Self::Plain { .. } => kept.kept_count(),
            Self::Shared { links, .. } => *links,
        }
    }

    fn block(&self, kept: &KeptLayer<'_>, source: usize) -> Result<Block, GraphError> {
        let (channels, rows, columns, links) = match self {
            Self::Plain { units } => return plain_block(kept, source, *units),
            Self::Shared { channels, rows, columns, links } => (*channels, rows, columns, *links),
        };
        let layer = &kept.layer;
        let mut weights = Vec::with_capacity(kept.kept_count());
        let mut numbers = Vec::with_capacity(layer.weights());
        for (index, (value, kept)) in kept.entries() {
            if kept && !value.is_finite() {
                return Err(GraphError::NotFinite { layer: layer.name.clone(), index, value });
            }
            numbers.push(if kept { weights.len() as u32 } else { PRUNED });
            if kept {
                weights.push(value);
            }
        }
        let positions = rows.seen.len() * columns.seen.len();
        let sources = channels * rows.units * columns.units;
        let mut builder =
            BlockBuilder::sharing(layer.name.clone(), layer.outputs() * positions, sources, weights, links)?;
        let taps = rows.taps * columns.taps;
        for (output, kernels) in numbers.chunks_exact(layer.fan_in()).enumerate() {
            let kernels = kernels.chunks_exact(taps).enumerate();
            let kernels: Vec<_> = kernels.filter(|(_, kernel)| kernel.iter().any(|&number| number != PRUNED)).collect();
            let places = rows.seen.iter().flat_map(|y| columns.seen.iter().map(move |x| (y, x)));
            for (position, (y, x)) in places.enumerate() {
                let row = output * positions + position;
                for &(channel, kernel) in &kernels {
                    let first = channel * rows.units * columns.units;
                    // Unit by unit, and for each its taps: the order of a block's entries.
                    for y in y.chunk_by(|a, b| a.0 == b.0) {
                        let first = first + y[0].0 as usize * columns.units;
                        for x in x.chunk_by(|a, b| a.0 == b.0) {
                            for &(_, tap_y) in y {
                                for &(unit, tap_x) in x {
                                    let number = kernel[tap_y as usize * columns.taps + tap_x as usize];
                                    if number != PRUNED {
                                        builder.push_link(row, first + unit as usize, number);
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        builder.finish(source, source + 1, layer.weights())
    }
}

/// The group of units before a layer, and the pools that the layer reads it through.
struct Maps {
    /// Before the pools.
    units: FeatureShape,
    /// After them.
    pooled: FeatureShape,
    rows: Windows,
    columns: Windows,
}

impl Maps {
    fn new(units: FeatureShape) -> Self {
        Self { units, pooled: units, rows: own(units.height), columns: own(units.width) }
    }

    fn check(&self, layer: &str, input: FeatureShape) -> Result<(), GraphError> {
        if input == self.pooled {
            return Ok(());
        }
        let shape = |shape: FeatureShape| format!("{} x {} x {}", shape.channels, shape.height, shape.width);
        Err(GraphError::Structure(format!(
            "layer `{layer}`: reads maps of {}, but those before it are of {}",
            shape(input),
            shape(self.pooled)
        )))
    }
}

/// Refuses what does not fit 32 bits before anything of its size is made.
fn check_nodes(network: &Network) -> Result<(), GraphError> {
    let size = |shape: FeatureShape| {
        [shape.height, shape.width]
            .iter()
            .fold(shape.channels as u128, |product, &side| product.saturating_mul(side as u128))
    };
    let nodes = network.layers.iter().fold(size(network.input), |nodes, layer| {
        nodes.saturating_add(match layer {
            Layer::Linear(linear) => linear.outputs as u128,
            Layer::Convolution(convolution) => size(convolution.output),
            Layer::MaxPool { .. } => 0,
        })
    });
    if nodes >= u128::from(u32::MAX) {
        return Err(GraphError::TooLarge { what: "nodes", count: usize::try_from(nodes).unwrap_or(usize::MAX) });
    }
    Ok(())
}

pub(super) fn graph(network: &Network, layers: &[KeptLayer<'_>]) -> Result<LayeredGraph, GraphError> {
    check_nodes(network)?;
    let last = layers.len();
    let mut maps = Maps::new(network.input);
    let mut groups = vec![("input".to_owned(), network.input.size(), Role::Input)];
    let mut wirings = Vec::with_capacity(last);
    let mut links = 0;
    for layer in &network.layers {
        let (wiring, outputs) = match layer {
            Layer::MaxPool { input, output, kernel, stride } => {
                maps.check("max-pool", *input)?;
                maps.rows = pool(&maps.rows, output.height, *kernel, *stride)?;
                maps.columns = pool(&maps.columns, output.width, *kernel, *stride)?;
                maps.pooled = *output;
                continue;
            }
            Layer::Linear(linear) => {
                let FeatureShape { channels, height, width } = maps.pooled;
                let outputs = FeatureShape::image(linear.outputs, 1, 1);
                if linear.inputs != maps.pooled.size() {
                    maps.check(&linear.name, FeatureShape::image(linear.inputs, 1, 1))?;
                }
                if maps.pooled == maps.units {
                    (Wiring::Plain { units: maps.units.size() }, outputs)
                } else {
                    let rows = Axis::new(maps.units.height, &maps.rows, 1, height, 1, 0);
                    let columns = Axis::new(maps.units.width, &maps.columns, 1, width, 1, 0);
                    (Wiring::shared(&layers[wirings.len()], channels, rows, columns)?, outputs)
                }
            }
            Layer::Convolution(convolution) => {
                maps.check(&convolution.name, convolution.input)?;
                let (kernel, stride, padding) = (convolution.kernel, convolution.stride, convolution.padding);
                let outputs = convolution.output;
                let rows = Axis::new(maps.units.height, &maps.rows, outputs.height, kernel, stride, padding);
                let columns = Axis::new(maps.units.width, &maps.columns, outputs.width, kernel, stride, padding);
                (Wiring::shared(&layers[wirings.len()], maps.pooled.channels, rows, columns)?, outputs)
            }
        };
        let kept = &layers[wirings.len()];
        links += wiring.links(kept);
        wirings.push(wiring);
        let role = if wirings.len() == last { Role::Output } else { Role::Hidden };
        groups.push((kept.layer.name.clone(), outputs.size(), role));
        maps = Maps::new(outputs);
    }
    if links >= u32::MAX as usize {
        return Err(GraphError::TooLarge { what: "links", count: links });
    }
    let blocks = wirings.iter().zip(layers).enumerate().map(|(source, (wiring, kept))| wiring.block(kept, source));
    let blocks = blocks.collect::<Result<Vec<_>, _>>()?;
    LayeredGraph::new(groups, blocks)
}

#[cfg(test)]
mod tests;
