//! The undirected simple graph: one edge a joined pair of nodes.

use super::degrees::total_degrees;
use crate::graph::LayeredGraph;

/// Neighbours of every node in compressed rows, in both directions of the pairs.
///
/// Neighbours stand block by block, and ascend where the blocks follow the order of their groups,
/// as in a chain. 4 bytes a node and 8 a pair.
#[derive(Debug, Clone)]
pub(super) struct Undirected {
    /// Node v has the neighbours `offsets[v]..offsets[v + 1]`.
    pub offsets: Vec<u32>,
    /// The neighbours.
    pub neighbours: Vec<u32>,
}

impl Undirected {
    /// All pairs of the graph.
    pub fn of(graph: &LayeredGraph) -> Self {
        Self::of_blocks(graph, 0..graph.blocks().len())
    }

    /// The pairs of some blocks, among all nodes of the graph.
    pub fn of_blocks(graph: &LayeredGraph, blocks: impl Iterator<Item = usize> + Clone) -> Self {
        let degrees = total_degrees(graph, blocks.clone());
        let mut offsets = Vec::with_capacity(graph.nodes() + 1);
        offsets.push(0);
        let mut end = 0;
        offsets.extend(degrees.into_iter().map(|degree| {
            end += degree;
            end
        }));
        let mut next = offsets.clone();
        let mut neighbours = vec![0u32; offsets[graph.nodes()] as usize];
        for block in blocks.map(|index| &graph.blocks()[index]) {
            let (source, target) = (graph.groups()[block.source()].first, graph.groups()[block.target()].first);
            for row in 0..block.rows() {
                let (columns, _) = block.pairs_into(row);
                let node = (target + row) as u32;
                let place = &mut next[target + row];
                let own = &mut neighbours[*place as usize..*place as usize + columns.len()];
                for (slot, &column) in own.iter_mut().zip(columns) {
                    *slot = source as u32 + column;
                }
                *place += columns.len() as u32;
                let next = &mut next[source..source + block.columns()];
                for &column in columns {
                    let place = &mut next[column as usize];
                    neighbours[*place as usize] = node;
                    *place += 1;
                }
            }
        }
        Self { offsets, neighbours }
    }

    /// The number of nodes.
    pub fn nodes(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The number of neighbours of a node.
    pub fn degree(&self, node: usize) -> usize {
        (self.offsets[node + 1] - self.offsets[node]) as usize
    }

    /// The neighbours of a node.
    pub fn of_node(&self, node: usize) -> &[u32] {
        &self.neighbours[self.offsets[node] as usize..self.offsets[node + 1] as usize]
    }
}
