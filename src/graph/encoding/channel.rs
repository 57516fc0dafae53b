//! Channels as nodes: [`Encoding::Channel`](super::Encoding::Channel).

use super::KeptLayer;
use crate::graph::block::BlockBuilder;
use crate::graph::{Block, GraphError, LayeredGraph, Role};
use crate::network::{Layer, Network};

pub(super) fn graph(network: &Network, layers: Vec<KeptLayer<'_>>) -> Result<LayeredGraph, GraphError> {
    let last = layers.len();
    let flat = matches!(network.layers.first(), Some(Layer::Linear(_)));
    let inputs = if flat { network.input.size() } else { network.input.channels };
    let mut groups = vec![("input".to_owned(), inputs, Role::Input)];
    let mut blocks: Vec<Block> = Vec::with_capacity(last);
    for (index, kept) in layers.into_iter().enumerate() {
        blocks.push(plain_block(&kept, index, groups[index].1)?);
        let role = if index + 1 == last { Role::Output } else { Role::Hidden };
        let outputs = kept.layer.outputs();
        groups.push((kept.layer.name, outputs, role));
    }
    LayeredGraph::new(groups, blocks)
}

/// The block of a layer from group `source`, of `columns` nodes, to the next one, where each kept
/// weight is one entry.
pub(super) fn plain_block(kept: &KeptLayer<'_>, source: usize, columns: usize) -> Result<Block, GraphError> {
    let layer = &kept.layer;
    let (rows, fan_in) = (layer.outputs(), layer.fan_in());
    // The weights that join one target to one source: the taps of a kernel, or the positions of a
    // flattened map.
    if columns == 0 || fan_in % columns != 0 {
        return Err(GraphError::Structure(format!(
            "layer `{}`: {fan_in} inputs do not divide among the {columns} nodes before it",
            layer.name
        )));
    }
    let span = fan_in / columns;
    let mut builder = BlockBuilder::new(layer.name.clone(), rows, columns, kept.kept_count());
    let mut entries = kept.entries();
    for row in 0..rows {
        for column in 0..columns {
            for (flat, (weight, kept)) in entries.by_ref().take(span) {
                if kept {
                    builder.push(flat, row, column, weight)?;
                }
            }
        }
    }
    builder.finish(source, source + 1, layer.weights())
}
