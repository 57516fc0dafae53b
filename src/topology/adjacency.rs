//! The simple graph of pairs as compressed lists of neighbours.

use crate::graph::LayeredGraph;

/// The neighbours of every node in 32-bit compressed lists: 4 bytes a node and 4 a list entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Adjacency {
    offsets: Vec<u32>,
    neighbours: Vec<u32>,
}

impl Adjacency {
    /// Both ends of every pair: N nodes, 2 x pairs entries. O(nodes + pairs).
    pub fn undirected(graph: &LayeredGraph) -> Self {
        Self::build(graph.nodes(), |visit| {
            each_pair(graph, |source, target| {
                visit(source, target);
                visit(target, source);
            });
        })
    }

    /// The targets of every node. O(nodes + pairs).
    pub fn forward(graph: &LayeredGraph) -> Self {
        Self::build(graph.nodes(), |visit| each_pair(graph, visit))
    }

    /// The sources of every node. O(nodes + pairs).
    pub fn backward(graph: &LayeredGraph) -> Self {
        Self::build(graph.nodes(), |visit| each_pair(graph, |source, target| visit(target, source)))
    }

    /// The lists of the entries (node, neighbour) that `walk` visits, twice in the same order.
    pub fn build(nodes: usize, walk: impl Fn(&mut dyn FnMut(u32, u32))) -> Self {
        let mut offsets = vec![0u32; nodes + 1];
        walk(&mut |node, _| offsets[node as usize + 1] += 1);
        for node in 0..nodes {
            offsets[node + 1] += offsets[node];
        }
        let mut next = offsets.clone();
        let mut neighbours = vec![0u32; offsets[nodes] as usize];
        walk(&mut |node, neighbour| {
            let place = &mut next[node as usize];
            neighbours[*place as usize] = neighbour;
            *place += 1;
        });
        Self { offsets, neighbours }
    }

    pub fn nodes(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The length of all lists together.
    pub fn entries(&self) -> usize {
        self.neighbours.len()
    }

    #[inline]
    pub fn of(&self, node: usize) -> &[u32] {
        &self.neighbours[self.offsets[node] as usize..self.offsets[node + 1] as usize]
    }

    #[inline]
    pub fn degree(&self, node: usize) -> usize {
        (self.offsets[node + 1] - self.offsets[node]) as usize
    }
}

/// Calls `visit` with source and target of every pair, block by block and row by row.
fn each_pair(graph: &LayeredGraph, mut visit: impl FnMut(u32, u32)) {
    for block in graph.blocks() {
        let source = graph.groups()[block.source()].first as u32;
        let target = graph.groups()[block.target()].first as u32;
        for row in 0..block.rows() {
            for &column in block.pairs_into(row).0 {
                visit(source + column, target + row as u32);
            }
        }
    }
}
