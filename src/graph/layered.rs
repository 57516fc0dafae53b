//! The layered graph: groups of nodes and the blocks between them.

use std::fmt;

use petgraph::graph::DiGraph;
use serde::{Deserialize, Serialize};

use super::{Block, GraphError};
use crate::mask::Density;

/// What the nodes of a group are to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Where the data enter.
    Input,
    /// Between inputs and outputs.
    Hidden,
    /// Where the logits leave.
    Output,
}

impl Role {
    /// The role of group `index` of `count` groups of which the first are the inputs and the last the
    /// outputs.
    ///
    /// ```
    /// use prunephase::graph::Role;
    /// assert_eq!([0, 1, 2].map(|index| Role::of_group(index, 3)), [Role::Input, Role::Hidden, Role::Output]);
    /// ```
    pub fn of_group(index: usize, count: usize) -> Self {
        match index {
            0 => Self::Input,
            index if index + 1 == count => Self::Output,
            _ => Self::Hidden,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Input => "input",
            Self::Hidden => "hidden",
            Self::Output => "output",
        })
    }
}

/// A group of nodes: the inputs, the units or channels of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeGroup {
    /// `input`, or the name of the layer whose units these are.
    pub name: String,
    /// The number of nodes.
    pub size: usize,
    /// The index of its first node among all nodes of the graph.
    pub first: usize,
    /// What its nodes are.
    pub role: Role,
}

/// A node by its group and its place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// The index of the group.
    pub group: usize,
    /// The index in the group.
    pub index: usize,
}

/// A directed acyclic graph of node groups joined by blocks of kept weights.
///
/// Nodes are numbered group by group, in an order in which every block runs from a lower group to a
/// higher one; the numbers are therefore a topological order. See the [module](super) for what
/// *edges*, *links* and *pairs* count.
///
/// ```
/// use petgraph::algo::{connected_components, toposort};
/// use prunephase::graph::{Encoding, LayeredGraph};
/// use prunephase::mask::Mask;
/// use prunephase::network::{Architecture, FeatureShape, Parameters};
/// use prunephase::seed::Seeds;
///
/// let network = Architecture::built_in("fc4")?.network(2, FeatureShape::image(1, 8, 8), 10)?;
/// let parameters = Parameters::initialise(&network, &mut Seeds::new(0, 0).stream("initialisation"));
/// let graph = LayeredGraph::from_network(&network, &parameters, &Mask::dense(&network), Encoding::Channel)?;
/// assert_eq!(graph.nodes(), 64 + 8 + 4 + 2 + 10);
/// assert_eq!(graph.edges(), network.weights());
/// assert_eq!(connected_components(&graph), 1);
/// assert!(toposort(&graph, None).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct LayeredGraph {
    groups: Vec<NodeGroup>,
    blocks: Vec<Block>,
    /// For each block, the index of its first pair among all pairs of the graph.
    first_pairs: Vec<usize>,
    /// For each group, the blocks that enter it.
    entering: Vec<Vec<usize>>,
    /// For each group, the blocks that leave it.
    leaving: Vec<Vec<usize>>,
    nodes: usize,
    edges: usize,
    links: usize,
    pairs: usize,
    dense: usize,
}

impl LayeredGraph {
    /// A graph from its groups (name, size, role) in topological order, and its blocks in the
    /// order of the network's layers, which is the one that breaks ties.
    ///
    /// # Errors
    /// [`GraphError::Structure`] where there are no nodes, a block does not run from a lower group
    /// to a higher one or has not their sizes, or two blocks join the same two groups;
    /// [`GraphError::TooLarge`] where 32-bit indices do not suffice.
    pub fn new(
        groups: impl IntoIterator<Item = (String, usize, Role)>,
        blocks: Vec<Block>,
    ) -> Result<Self, GraphError> {
        let mut nodes = 0;
        let groups: Vec<NodeGroup> = groups
            .into_iter()
            .map(|(name, size, role)| {
                let first = nodes;
                nodes += size;
                NodeGroup { name, size, first, role }
            })
            .collect();
        if nodes == 0 {
            return Err(GraphError::Structure("no nodes; at least one group must have some".into()));
        }
        if nodes >= u32::MAX as usize {
            return Err(GraphError::TooLarge { what: "nodes", count: nodes });
        }
        let mut entering = vec![Vec::new(); groups.len()];
        let mut leaving: Vec<Vec<usize>> = vec![Vec::new(); groups.len()];
        let mut first_pairs = Vec::with_capacity(blocks.len());
        let (mut edges, mut links, mut pairs, mut dense) = (0usize, 0usize, 0usize, 0usize);
        for (index, block) in blocks.iter().enumerate() {
            let (source, target) = (block.source(), block.target());
            let wrong = |message: String| GraphError::Structure(format!("layer `{}` {message}", block.name()));
            if source >= target || target >= groups.len() {
                return Err(wrong(format!(
                    "runs from group {source} to group {target} of {}; it must run from a lower to a higher one",
                    groups.len()
                )));
            }
            let (found, expected) = ((block.rows(), block.columns()), (groups[target].size, groups[source].size));
            if found != expected {
                return Err(wrong(format!(
                    "has {} rows and {} columns, its groups {} and {} nodes",
                    found.0, found.1, expected.0, expected.1
                )));
            }
            if let Some(&other) = leaving[source].iter().find(|&&other| blocks[other].target() == target) {
                return Err(wrong(format!(
                    "joins the same two groups as layer `{}`; put their weights into one block",
                    blocks[other].name()
                )));
            }
            entering[target].push(index);
            leaving[source].push(index);
            first_pairs.push(pairs);
            edges += block.edges();
            links += block.links();
            pairs += block.pairs();
            dense += block.dense();
        }
        for (what, count) in [("kept weights", edges), ("links", links)] {
            if count >= u32::MAX as usize {
                return Err(GraphError::TooLarge { what, count });
            }
        }
        Ok(Self { groups, blocks, first_pairs, entering, leaving, nodes, edges, links, pairs, dense })
    }

    /// The groups, in topological order.
    pub fn groups(&self) -> &[NodeGroup] {
        &self.groups
    }

    /// The blocks, in the order of the network's layers.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The number of nodes N, isolated ones and all inputs and outputs included.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// The number of nodes with a role.
    pub fn nodes_with(&self, role: Role) -> usize {
        self.groups.iter().filter(|group| group.role == role).map(|group| group.size).sum()
    }

    /// The number of kept weights.
    pub fn edges(&self) -> usize {
        self.edges
    }

    /// The number of links: of occurrences of kept weights between two nodes. [`LayeredGraph::edges`]
    /// where no weight is shared.
    pub fn links(&self) -> usize {
        self.links
    }

    /// Whether the links are not the kept weights one by one: in some layer a kept weight has several
    /// links, or none, or there are skips.
    pub fn shares_weights(&self) -> bool {
        self.blocks.iter().any(Block::shares_weights)
    }

    /// Whether a block carries nodes on without weights ([`Block::skip`]).
    pub fn has_skips(&self) -> bool {
        self.blocks.iter().any(Block::is_skip)
    }

    /// The (source, target) nodes that skips join, whatever weights are kept.
    pub fn skip_links(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.blocks.iter().filter(|block| block.is_skip()).flat_map(move |block| {
            let (source, target) = (self.groups[block.source()].first as u32, self.groups[block.target()].first as u32);
            (0..block.rows()).flat_map(move |row| {
                block.pairs_into(row).0.iter().map(move |column| (source + column, target + row as u32))
            })
        })
    }

    /// The number of joined pairs of nodes: the edges of the simple graph that petgraph sees.
    pub fn pairs(&self) -> usize {
        self.pairs
    }

    /// The number of weights of the dense network.
    pub fn dense(&self) -> usize {
        self.dense
    }

    /// [`LayeredGraph::edges`] / [`LayeredGraph::dense`].
    pub fn density(&self) -> Density {
        Density::of(self.edges, self.dense)
    }

    /// The group and place of a node. O(log groups).
    ///
    /// # Panics
    /// Where `node` is not below [`LayeredGraph::nodes`].
    pub fn node(&self, node: usize) -> Node {
        assert!(node < self.nodes, "node {node} of {}", self.nodes);
        // Empty groups share their first index with the next one: the last of them holds the node.
        let group = self.groups.partition_point(|group| group.first <= node) - 1;
        Node { group, index: node - self.groups[group].first }
    }

    /// |w| of the kept weights in the order that breaks ties: by layer, then by flat index.
    pub fn magnitudes(&self) -> impl Iterator<Item = f32> + '_ {
        self.blocks.iter().flat_map(|block| block.magnitudes().iter().copied())
    }

    /// The links by layer, then target, then source. Each is (weight, source node, target node), the
    /// weight as its place among [`LayeredGraph::magnitudes`]. Those of skips are not among them.
    pub fn weight_links(&self) -> impl Iterator<Item = (u32, u32, u32)> + '_ {
        let mut next = 0;
        self.blocks.iter().filter(|block| !block.is_skip()).flat_map(move |block| {
            let first = next;
            next += block.edges() as u32;
            let (source, target) = (self.groups[block.source()].first as u32, self.groups[block.target()].first);
            (0..block.rows()).flat_map(move |row| {
                let (weights, row_node) = (block.weights_into(row), (target + row) as u32);
                let columns = block.edges_into(row).0;
                columns.iter().zip(weights).map(move |(&column, weight)| (first + weight, source + column, row_node))
            })
        })
    }

    /// The links by layer, then target, then source, each with its weight's magnitude: (|w|, source
    /// node, target node). Where no weight is [shared](LayeredGraph::shares_weights) these are the
    /// kept weights in the order that breaks ties; else [`LayeredGraph::weight_links`] tells which
    /// links belong to one weight. Those of skips are not among them.
    pub fn weights(&self) -> impl Iterator<Item = (f32, u32, u32)> + '_ {
        self.blocks.iter().filter(|block| !block.is_skip()).flat_map(move |block| {
            let (source, target) = (self.groups[block.source()].first, self.groups[block.target()].first);
            (0..block.rows()).flat_map(move |row| {
                let (columns, magnitudes) = block.edges_into(row);
                let row = (target + row) as u32;
                columns
                    .iter()
                    .zip(magnitudes)
                    .map(move |(&column, &magnitude)| (magnitude, source as u32 + column, row))
            })
        })
    }

    pub(super) fn entering(&self, group: usize) -> &[usize] {
        &self.entering[group]
    }

    pub(super) fn leaving(&self, group: usize) -> &[usize] {
        &self.leaving[group]
    }

    pub(super) fn first_pair(&self, block: usize) -> usize {
        self.first_pairs[block]
    }
}

/// A copy with the same node indices and the pairs as edges, weighted with the largest |w|.
impl From<&LayeredGraph> for DiGraph<Node, f32> {
    fn from(graph: &LayeredGraph) -> Self {
        let mut copy = Self::with_capacity(graph.nodes(), graph.pairs());
        for node in 0..graph.nodes() {
            copy.add_node(graph.node(node));
        }
        for edge in graph.pair_edges() {
            copy.add_edge((edge.source as u32).into(), (edge.target as u32).into(), *edge.weight);
        }
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups() -> Vec<(String, usize, Role)> {
        vec![("input".into(), 2, Role::Input), ("h".into(), 0, Role::Hidden), ("out".into(), 3, Role::Output)]
    }

    fn refuse(blocks: Vec<Block>) -> String {
        LayeredGraph::new(groups(), blocks).unwrap_err().to_string()
    }

    #[test]
    fn nodes_are_numbered_group_by_group() {
        let block = Block::new("a", (0, 2), (2, 3), 6, [(0, 1, 1.0), (2, 0, -2.0)]).unwrap();
        let graph = LayeredGraph::new(groups(), vec![block]).unwrap();
        assert_eq!(graph.node(1), Node { group: 0, index: 1 });
        assert_eq!(graph.node(2), Node { group: 2, index: 0 });
        assert_eq!(graph.weights().collect::<Vec<_>>(), [(1.0, 1, 2), (2.0, 0, 4)]);
        assert_eq!(graph.density().value(), 2.0 / 6.0);
    }

    #[test]
    fn graphs_that_are_not_layered_are_refused() {
        let block = |name: &str, source, target, rows, columns| {
            Block::new(name, (source, columns), (target, rows), rows * columns, []).unwrap()
        };
        assert!(refuse(vec![block("a", 2, 0, 2, 3)]).contains("from a lower to a higher"));
        assert!(refuse(vec![block("a", 0, 3, 2, 2)]).contains("from a lower to a higher"));
        assert!(refuse(vec![block("a", 0, 2, 2, 3)]).contains("2 rows and 3 columns, its groups 3 and 2"));
        assert!(refuse(vec![block("a", 0, 2, 3, 2), block("b", 0, 2, 3, 2)]).contains("same two groups as layer `a`"));
        assert!(LayeredGraph::new([], vec![]).unwrap_err().to_string().contains("no nodes"));
    }
}
