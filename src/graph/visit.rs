//! petgraph's visit traits on [`LayeredGraph`]: its algorithms run on `&graph` without a copy.
//!
//! Node ids are the graph's node numbers, edge ids the numbers of the pairs, by layer, then target,
//! then source. Node weights are the groups, edge weights the largest |w| of a pair.

use std::iter::Zip;
use std::ops::Range;
use std::slice::Iter;

use petgraph::graph::DiGraph;
use petgraph::visit::{
    Data, EdgeCount, EdgeIndexable, EdgeRef, GetAdjacencyMatrix, GraphBase, GraphProp, IntoEdgeReferences, IntoEdges,
    IntoEdgesDirected, IntoNeighbors, IntoNeighborsDirected, IntoNodeIdentifiers, IntoNodeReferences,
    NodeCompactIndexable, NodeCount, NodeIndexable, Visitable,
};
use petgraph::{Directed, Direction};

use super::{LayeredGraph, NodeGroup};

/// petgraph's own bit set, named without a dependency on the crate that it comes from.
type VisitBits = <DiGraph<(), ()> as Visitable>::Map;

/// A joined pair of nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge<'a> {
    /// The number of the pair.
    pub id: usize,
    /// The index of its block.
    pub block: usize,
    /// The node nearer to the inputs.
    pub source: usize,
    /// The node nearer to the outputs.
    pub target: usize,
    /// The largest |w| of the weights that join the two.
    pub weight: &'a f32,
}

impl EdgeRef for Edge<'_> {
    type NodeId = usize;
    type EdgeId = usize;
    type Weight = f32;

    fn source(&self) -> usize {
        self.source
    }

    fn target(&self) -> usize {
        self.target
    }

    fn weight(&self) -> &f32 {
        self.weight
    }

    fn id(&self) -> usize {
        self.id
    }
}

/// What is left of the current block's pairs at a node.
#[derive(Debug, Clone)]
enum Run<'a> {
    Into(Range<usize>),
    From(Zip<Iter<'a, u32>, Iter<'a, u32>>),
}

/// The pairs that enter or leave a node. O(blocks at its group) to make, O(1) a pair.
#[derive(Debug, Clone)]
pub struct Edges<'a> {
    graph: &'a LayeredGraph,
    direction: Direction,
    node: usize,
    index: usize,
    blocks: Iter<'a, usize>,
    current: Option<(usize, Run<'a>)>,
}

impl<'a> Edges<'a> {
    fn new(graph: &'a LayeredGraph, node: usize, direction: Direction) -> Self {
        let place = graph.node(node);
        let blocks = match direction {
            Direction::Incoming => graph.entering(place.group),
            Direction::Outgoing => graph.leaving(place.group),
        };
        Self { graph, direction, node, index: place.index, blocks: blocks.iter(), current: None }
    }
}

impl<'a> Iterator for Edges<'a> {
    type Item = Edge<'a>;

    fn next(&mut self) -> Option<Edge<'a>> {
        loop {
            if let Some((block, run)) = &mut self.current {
                let index = *block;
                let block = &self.graph.blocks()[index];
                let first = self.graph.first_pair(index);
                match run {
                    Run::Into(positions) => {
                        if let Some(position) = positions.next() {
                            let (column, weight) = block.pair(position);
                            let source = self.graph.groups()[block.source()].first + column;
                            return Some(Edge {
                                id: first + position,
                                block: index,
                                source,
                                target: self.node,
                                weight,
                            });
                        }
                    }
                    Run::From(pairs) => {
                        if let Some((&row, &position)) = pairs.next() {
                            let position = position as usize;
                            let (_, weight) = block.pair(position);
                            let target = self.graph.groups()[block.target()].first + row as usize;
                            return Some(Edge {
                                id: first + position,
                                block: index,
                                source: self.node,
                                target,
                                weight,
                            });
                        }
                    }
                }
            }
            let &index = self.blocks.next()?;
            let block = &self.graph.blocks()[index];
            let run = match self.direction {
                Direction::Incoming => Run::Into(block.positions_into(self.index)),
                Direction::Outgoing => {
                    let (rows, positions) = block.pairs_from(self.index);
                    Run::From(rows.iter().zip(positions))
                }
            };
            self.current = Some((index, run));
        }
    }
}

/// The nodes that a node's pairs lead to, or come from.
#[derive(Debug, Clone)]
pub struct Neighbors<'a>(Edges<'a>);

impl Iterator for Neighbors<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let edge = self.0.next()?;
        Some(match self.0.direction {
            Direction::Incoming => edge.source,
            Direction::Outgoing => edge.target,
        })
    }
}

/// All pairs by layer, then target, then source: in the order of their numbers.
#[derive(Debug, Clone)]
pub struct PairEdges<'a> {
    graph: &'a LayeredGraph,
    block: usize,
    row: usize,
    position: usize,
}

impl<'a> Iterator for PairEdges<'a> {
    type Item = Edge<'a>;

    fn next(&mut self) -> Option<Edge<'a>> {
        loop {
            let block = self.graph.blocks().get(self.block)?;
            if self.position == block.pairs() {
                (self.block, self.row, self.position) = (self.block + 1, 0, 0);
                continue;
            }
            while block.positions_into(self.row).end <= self.position {
                self.row += 1;
            }
            let (column, weight) = block.pair(self.position);
            let edge = Edge {
                id: self.graph.first_pair(self.block) + self.position,
                block: self.block,
                source: self.graph.groups()[block.source()].first + column,
                target: self.graph.groups()[block.target()].first + self.row,
                weight,
            };
            self.position += 1;
            return Some(edge);
        }
    }
}

impl LayeredGraph {
    /// All pairs by layer, then target, then source: in the order of their numbers.
    pub fn pair_edges(&self) -> PairEdges<'_> {
        PairEdges { graph: self, block: 0, row: 0, position: 0 }
    }

    /// The pairs that leave a node (`Outgoing`, towards the outputs) or enter it (`Incoming`).
    ///
    /// # Panics
    /// Where `node` is not below [`LayeredGraph::nodes`].
    pub fn pairs_at(&self, node: usize, direction: Direction) -> Edges<'_> {
        Edges::new(self, node, direction)
    }

    /// The pair with a number. O(log).
    ///
    /// # Panics
    /// Where `pair` is not below [`LayeredGraph::pairs`].
    pub fn pair_edge(&self, pair: usize) -> Edge<'_> {
        assert!(pair < self.pairs(), "pair {pair} of {}", self.pairs());
        let mut index = self.blocks().len() - 1;
        while self.first_pair(index) > pair {
            index -= 1;
        }
        let block = &self.blocks()[index];
        let position = pair - self.first_pair(index);
        let (column, weight) = block.pair(position);
        let source = self.groups()[block.source()].first + column;
        let target = self.groups()[block.target()].first + block.row_of(position);
        Edge { id: pair, block: index, source, target, weight }
    }

    /// Whether a pair leads from `source` to `target`. O(log degree).
    ///
    /// # Panics
    /// Where a node is not below [`LayeredGraph::nodes`].
    pub fn joined(&self, source: usize, target: usize) -> bool {
        let (from, to) = (self.node(source), self.node(target));
        self.entering(to.group)
            .iter()
            .map(|&index| &self.blocks()[index])
            .filter(|block| block.source() == from.group)
            .any(|block| block.pairs_into(to.index).0.binary_search(&(from.index as u32)).is_ok())
    }
}

impl GraphBase for LayeredGraph {
    type NodeId = usize;
    type EdgeId = usize;
}

impl Data for LayeredGraph {
    type NodeWeight = NodeGroup;
    type EdgeWeight = f32;
}

impl GraphProp for LayeredGraph {
    type EdgeType = Directed;
}

impl NodeCount for LayeredGraph {
    fn node_count(&self) -> usize {
        self.nodes()
    }
}

impl EdgeCount for LayeredGraph {
    fn edge_count(&self) -> usize {
        self.pairs()
    }
}

impl NodeIndexable for LayeredGraph {
    fn node_bound(&self) -> usize {
        self.nodes()
    }

    fn to_index(&self, node: usize) -> usize {
        node
    }

    fn from_index(&self, index: usize) -> usize {
        index
    }
}

impl NodeCompactIndexable for LayeredGraph {}

impl EdgeIndexable for LayeredGraph {
    fn edge_bound(&self) -> usize {
        self.pairs()
    }

    fn to_index(&self, edge: usize) -> usize {
        edge
    }

    fn from_index(&self, index: usize) -> usize {
        index
    }
}

impl Visitable for LayeredGraph {
    type Map = VisitBits;

    fn visit_map(&self) -> VisitBits {
        VisitBits::with_capacity(self.nodes())
    }

    fn reset_map(&self, map: &mut VisitBits) {
        map.clear();
        map.grow(self.nodes());
    }
}

impl GetAdjacencyMatrix for LayeredGraph {
    /// The rows are sorted: adjacency needs no matrix.
    type AdjMatrix = ();

    fn adjacency_matrix(&self) {}

    fn is_adjacent(&self, _: &(), source: usize, target: usize) -> bool {
        self.joined(source, target)
    }
}

impl IntoNodeIdentifiers for &LayeredGraph {
    type NodeIdentifiers = Range<usize>;

    fn node_identifiers(self) -> Range<usize> {
        0..self.nodes()
    }
}

/// The nodes and their groups.
#[derive(Debug, Clone)]
pub struct NodeReferences<'a> {
    graph: &'a LayeredGraph,
    nodes: Range<usize>,
}

impl<'a> Iterator for NodeReferences<'a> {
    type Item = (usize, &'a NodeGroup);

    fn next(&mut self) -> Option<Self::Item> {
        let node = self.nodes.next()?;
        Some((node, &self.graph.groups()[self.graph.node(node).group]))
    }
}

impl<'a> IntoNodeReferences for &'a LayeredGraph {
    type NodeRef = (usize, &'a NodeGroup);
    type NodeReferences = NodeReferences<'a>;

    fn node_references(self) -> NodeReferences<'a> {
        NodeReferences { graph: self, nodes: 0..self.nodes() }
    }
}

impl<'a> IntoEdgeReferences for &'a LayeredGraph {
    type EdgeRef = Edge<'a>;
    type EdgeReferences = PairEdges<'a>;

    fn edge_references(self) -> PairEdges<'a> {
        self.pair_edges()
    }
}

impl<'a> IntoNeighbors for &'a LayeredGraph {
    type Neighbors = Neighbors<'a>;

    fn neighbors(self, node: usize) -> Neighbors<'a> {
        Neighbors(Edges::new(self, node, Direction::Outgoing))
    }
}

impl<'a> IntoNeighborsDirected for &'a LayeredGraph {
    type NeighborsDirected = Neighbors<'a>;

    fn neighbors_directed(self, node: usize, direction: Direction) -> Neighbors<'a> {
        Neighbors(Edges::new(self, node, direction))
    }
}

impl<'a> IntoEdges for &'a LayeredGraph {
    type Edges = Edges<'a>;

    fn edges(self, node: usize) -> Edges<'a> {
        Edges::new(self, node, Direction::Outgoing)
    }
}

impl<'a> IntoEdgesDirected for &'a LayeredGraph {
    type EdgesDirected = Edges<'a>;

    fn edges_directed(self, node: usize, direction: Direction) -> Edges<'a> {
        Edges::new(self, node, direction)
    }
}

#[cfg(test)]
mod tests {
    use petgraph::algo::{connected_components, dijkstra, has_path_connecting, kosaraju_scc, toposort};
    use petgraph::graph::NodeIndex;
    use petgraph::visit::{Bfs, Reversed, UndirectedAdaptor};

    use super::*;
    use crate::graph::{Block, Node, Role};
    use crate::seed::Seeds;

    /// Inputs 4, hidden 5 and 3, outputs 2, with a block that skips each hidden group.
    fn random(seed: u64) -> LayeredGraph {
        let mut stream = Seeds::new(seed, 0).stream("test graph");
        let sizes = [4usize, 5, 3, 2];
        let roles = [Role::Input, Role::Hidden, Role::Hidden, Role::Output];
        let mut blocks = Vec::new();
        for (source, target) in [(0, 1), (1, 2), (0, 2), (2, 3), (1, 3)] {
            let mut entries = Vec::new();
            for row in 0..sizes[target] {
                for column in 0..sizes[source] {
                    for _ in 0..stream.below(3) {
                        if stream.below(3) == 0 {
                            entries.push((row, column, stream.uniform(-1.0, 1.0) as f32));
                        }
                    }
                }
            }
            let shape = ((source, sizes[source]), (target, sizes[target]));
            let dense = 3 * sizes[source] * sizes[target];
            blocks.push(Block::new(format!("{source}{target}"), shape.0, shape.1, dense, entries).unwrap());
        }
        let groups = sizes.iter().zip(roles).enumerate().map(|(index, (&size, role))| (index.to_string(), size, role));
        LayeredGraph::new(groups, blocks).unwrap()
    }

    #[test]
    fn both_directions_list_the_same_edges() {
        for seed in 0..20 {
            let graph = random(seed);
            let all: Vec<Edge> = graph.pair_edges().collect();
            assert_eq!(all.len(), graph.pairs());
            for direction in [Direction::Outgoing, Direction::Incoming] {
                let mut found: Vec<Edge> =
                    (0..graph.nodes()).flat_map(|node| graph.pairs_at(node, direction)).collect();
                found.sort_by_key(|edge| edge.id);
                assert_eq!(found, all);
            }
            for (id, edge) in all.iter().enumerate() {
                assert_eq!(edge.id, id);
                assert_eq!(graph.pair_edge(id), *edge);
            }
            // The pairs are those of the weights, with the largest |w|, each once.
            let mut expected = std::collections::BTreeMap::new();
            for (weight, source, target) in graph.weights() {
                let largest = expected.entry((source as usize, target as usize)).or_insert(weight);
                *largest = weight.max(*largest);
            }
            let found: Vec<_> = all.iter().map(|edge| ((edge.source, edge.target), *edge.weight)).collect();
            assert_eq!(found.len(), expected.len());
            for (pair, weight) in found {
                assert_eq!(expected[&pair], weight);
            }
            for source in 0..graph.nodes() {
                for target in 0..graph.nodes() {
                    assert_eq!(graph.is_adjacent(&(), source, target), expected.contains_key(&(source, target)));
                }
            }
        }
    }

    #[test]
    fn algorithms_agree_with_the_copy() {
        for seed in 0..20 {
            let graph = random(seed);
            let copy: DiGraph<Node, f32> = (&graph).into();
            assert_eq!((copy.node_count(), copy.edge_count()), (graph.node_count(), graph.edge_count()));
            let order = toposort(&graph, None).unwrap();
            let mut place = vec![0; graph.nodes()];
            for (index, &node) in order.iter().enumerate() {
                place[node] = index;
            }
            assert!(graph.pair_edges().all(|edge| place[edge.source] < place[edge.target]));
            assert_eq!(kosaraju_scc(&graph).len(), graph.nodes());
            assert_eq!(connected_components(&graph), connected_components(&copy));
            for start in 0..graph.nodes() {
                let at = NodeIndex::new(start);
                let distances = dijkstra(&graph, start, None, |edge| *edge.weight);
                let expected = dijkstra(&copy, at, None, |edge| *edge.weight());
                assert_eq!(distances.len(), expected.len());
                for (node, distance) in distances {
                    assert_eq!(expected[&NodeIndex::new(node)], distance);
                }
                let back = dijkstra(Reversed(&graph), start, None, |_| 1u32);
                assert_eq!(back.len(), dijkstra(Reversed(&copy), at, None, |_| 1u32).len());
                for end in 0..graph.nodes() {
                    assert_eq!(
                        has_path_connecting(&graph, start, end, None),
                        has_path_connecting(&copy, at, NodeIndex::new(end), None)
                    );
                }
                let (mut walk, mut copy_walk) = (0, 0);
                let mut bfs = Bfs::new(UndirectedAdaptor(&graph), start);
                while bfs.next(UndirectedAdaptor(&graph)).is_some() {
                    walk += 1;
                }
                let mut bfs = Bfs::new(UndirectedAdaptor(&copy), at);
                while bfs.next(UndirectedAdaptor(&copy)).is_some() {
                    copy_walk += 1;
                }
                assert_eq!(walk, copy_walk);
            }
            let groups: Vec<_> = (&graph).node_references().map(|(_, group)| group.name.clone()).collect();
            assert!(copy.node_weights().zip(&groups).all(|(node, name)| node.group.to_string() == *name));
            assert!(graph.is_directed());
        }
    }
}
