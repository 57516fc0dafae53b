//! Wired networks: parts of tensors as blocks, and skips that carry groups on.

use ndarray::CowArray;

use super::KeptLayer;
use crate::graph::{Block, GraphError, LayeredGraph, Role};
use crate::network::{GroupRole, WiredBlock, Wiring};

fn role(role: GroupRole) -> Role {
    match role {
        GroupRole::Input => Role::Input,
        GroupRole::Hidden => Role::Hidden,
        GroupRole::Output => Role::Output,
    }
}

/// Calls `visit` with the row, the column and the flat index of each weight of a block, by flat index.
fn for_each_place(wiring: &Wiring, block: &WiredBlock, mut visit: impl FnMut(usize, usize, usize)) {
    let fan_in: usize = wiring.layers[block.layer].shape[1..].iter().product();
    let (source, target) = (wiring.groups[block.source].size, wiring.groups[block.target].size);
    let (seen, rows_of_group) = (source / block.groups, target / block.groups);
    for &first in &block.rows {
        for row in 0..target {
            let mut flat = (first + row) * fan_in + block.first_column;
            let first_node = row / rows_of_group * seen;
            for node in first_node..first_node + seen {
                for _ in 0..block.span {
                    visit(row, node, flat);
                    flat += 1;
                }
            }
        }
    }
}

fn block_of(wiring: &Wiring, block: &WiredBlock, kept: &KeptLayer<'_>) -> Result<Block, GraphError> {
    let (weights, mask) = (kept.weights.as_standard_layout(), kept.kept.as_standard_layout());
    fn slice<'a, T>(array: &'a CowArray<'_, T, ndarray::IxDyn>) -> &'a [T] {
        array.as_slice().unwrap_or_default()
    }
    let (weights, mask) = (slice(&weights), slice(&mask));
    let (source, target) = (wiring.groups[block.source].size, wiring.groups[block.target].size);
    let (ends_source, ends_target) = ((block.source, source), (block.target, target));
    let dense = block.rows.len() * target * (source / block.groups) * block.span;
    let mut entries = Vec::new();
    let mut bad = None;
    for_each_place(wiring, block, |row, column, flat| {
        if mask[flat] {
            if !weights[flat].is_finite() {
                bad = bad.or(Some((flat, weights[flat])));
            }
            entries.push((row, column, weights[flat]));
        }
    });
    if let Some((index, value)) = bad {
        return Err(GraphError::NotFinite { layer: block.name.clone(), index, value });
    }
    if block.rows.len() == 1 {
        return Block::new(block.name.clone(), ends_source, ends_target, dense, entries);
    }
    // Parts that share the target's nodes: the links in their order, the weights in theirs.
    let values: Vec<f32> = entries.iter().map(|entry| entry.2).collect();
    let mut links: Vec<(usize, usize, usize)> =
        entries.into_iter().enumerate().map(|(index, (row, column, _))| (row, column, index)).collect();
    links.sort_unstable();
    Block::sharing(block.name.clone(), ends_source, ends_target, dense, &values, links)
}

pub(super) fn graph(wiring: &Wiring, layers: &[KeptLayer<'_>]) -> crate::Result<LayeredGraph> {
    wiring.check()?;
    let mut blocks = Vec::with_capacity(wiring.blocks.len() + wiring.skips.len());
    for block in &wiring.blocks {
        blocks.push(block_of(wiring, block, &layers[block.layer])?);
    }
    for skip in &wiring.skips {
        let ends = |group: usize| (group, wiring.groups[group].size);
        let links = (0..skip.count).map(|node| (node + skip.offset, node));
        blocks.push(Block::skip(skip.name.clone(), ends(skip.source), ends(skip.target), links)?);
    }
    let groups = wiring.groups.iter().map(|group| (group.name.clone(), group.size, role(group.role)));
    Ok(LayeredGraph::new(groups, blocks)?)
}

/// For each kept weight in the order of the graph, its place in the order of layers and flat indices.
pub(super) fn order(wiring: &Wiring, layers: &[KeptLayer<'_>]) -> Vec<u32> {
    let mut places = Vec::new();
    let mut count = 0u32;
    for layer in layers {
        let of_layer: Vec<u32> = layer
            .kept
            .iter()
            .map(|&kept| {
                count += u32::from(kept);
                if kept { count - 1 } else { u32::MAX }
            })
            .collect();
        places.push(of_layer);
    }
    let mut order = Vec::with_capacity(count as usize);
    for block in &wiring.blocks {
        for_each_place(wiring, block, |_, _, flat| {
            let place = places[block.layer][flat];
            if place != u32::MAX {
                order.push(place);
            }
        });
    }
    order
}
