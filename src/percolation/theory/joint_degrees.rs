//! The joint degrees of the nodes of a layered graph: what the configuration model keeps of it.

use std::collections::BTreeMap;

use crate::graph::LayeredGraph;

/// The way along a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// From the block's source group to its target group.
    Up,
    /// From the block's target group to its source group.
    Down,
}

impl Direction {
    /// The other way.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

/// An edge walked in one direction: the types of the theory, u_l and d_l of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EdgeType {
    /// The index of the block.
    pub block: usize,
    /// The way along it.
    pub direction: Direction,
}

impl EdgeType {
    /// The place among all types of a graph: two a block, up before down.
    pub fn index(self) -> usize {
        2 * self.block + usize::from(self.direction == Direction::Down)
    }

    /// The same edges walked back.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self { direction: self.direction.reversed(), ..self }
    }
}

/// Nodes of one group with the same degrees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DegreeClass {
    /// The degree in each block of [`GroupDegrees::leaving`], in its order.
    pub degrees: Vec<u32>,
    /// The number of such nodes.
    pub nodes: usize,
}

/// The joint degrees of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDegrees {
    /// The types of the edges that leave the group, one for each block that touches it, in the order
    /// of the blocks: up where the group is the block's source, down where it is its target. Their
    /// reverses arrive at the group.
    pub leaving: Vec<EdgeType>,
    /// The different degree tuples, ascending.
    pub classes: Vec<DegreeClass>,
    /// The number of nodes.
    pub nodes: usize,
}

impl GroupDegrees {
    /// The mean of a function of a node's degrees; 0 in a group without nodes.
    pub fn mean(&self, of: impl Fn(&[u32]) -> f64) -> f64 {
        if self.nodes == 0 {
            return 0.0;
        }
        let sum: f64 = self.classes.iter().map(|class| class.nodes as f64 * of(&class.degrees)).sum();
        sum / self.nodes as f64
    }
}

/// The pairs of one block, by the number of kept weights of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockPairs {
    /// The group that the pairs leave.
    pub source: usize,
    /// The group that they enter.
    pub target: usize,
    /// (kept weights of a pair, number of such pairs), ascending: (1, all) unless several weights
    /// join the same two nodes.
    pub multiplicities: Vec<(u32, usize)>,
}

impl BlockPairs {
    /// The number of pairs.
    pub fn pairs(&self) -> usize {
        self.multiplicities.iter().map(|&(_, pairs)| pairs).sum()
    }

    /// The share of the pairs that keep at least one weight when every kept weight stays with
    /// probability `phi`: phi itself where each pair has one weight. 0 where there are no pairs.
    pub fn retained(&self, phi: f64) -> f64 {
        let pairs = self.pairs();
        if pairs == 0 {
            return 0.0;
        }
        self.multiplicities.iter().map(|&(weights, count)| count as f64 * any(phi, f64::from(weights))).sum::<f64>()
            / pairs as f64
    }
}

/// The probability that at least one of `weights` stays, each with probability `phi`:
/// 1 - (1 - phi)^weights without cancellation, and phi exactly for one.
pub(super) fn any(phi: f64, weights: f64) -> f64 {
    if weights == 1.0 { phi } else { -(weights * (-phi).ln_1p()).exp_m1() }
}

/// The joint degrees of a layered graph, which the configuration model keeps: two nodes of a group
/// with the same degrees to every neighbouring group are alike, and all else is random.
///
/// Degrees count *pairs* of nodes, not weights: under the channel encoding several weights may join
/// two nodes, and they are one way to walk. How many weights a pair has is kept beside
/// ([`BlockPairs`]), because a dilution removes weights.
///
/// ```
/// use prunephase::graph::{Block, LayeredGraph, Role};
/// use prunephase::percolation::theory::JointDegrees;
///
/// // Two inputs, two hidden nodes, one output; the first hidden node has the degrees (2, 1).
/// let a = Block::new("a", (0, 2), (1, 2), 4, [(0, 0, 1.0), (0, 1, 1.0), (1, 1, 1.0)])?;
/// let b = Block::new("b", (1, 2), (2, 1), 2, [(0, 0, 1.0)])?;
/// let groups = [("in", 2, Role::Input), ("h", 2, Role::Hidden), ("out", 1, Role::Output)];
/// let graph = LayeredGraph::new(groups.map(|(name, size, role)| (name.to_owned(), size, role)), vec![a, b])?;
/// let joint = JointDegrees::of(&graph);
/// assert_eq!(joint.groups[1].mean(|degrees| f64::from(degrees[0] * degrees[1])), 1.0);
/// # Ok::<(), prunephase::graph::GraphError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JointDegrees {
    /// By group, in the graph's order.
    pub groups: Vec<GroupDegrees>,
    /// By block, in the graph's order.
    pub blocks: Vec<BlockPairs>,
}

impl JointDegrees {
    /// Counts the joint degrees of a graph. O(weights + nodes log(different degrees)).
    pub fn of(graph: &LayeredGraph) -> Self {
        let blocks: Vec<BlockPairs> = graph
            .blocks()
            .iter()
            .map(|block| {
                let mut counts = BTreeMap::new();
                for row in 0..block.rows() {
                    let (columns, _) = block.edges_into(row);
                    for same in columns.chunk_by(|a, b| a == b) {
                        *counts.entry(same.len() as u32).or_insert(0) += 1;
                    }
                }
                let multiplicities = counts.into_iter().collect();
                BlockPairs { source: block.source(), target: block.target(), multiplicities }
            })
            .collect();
        let groups = (0..graph.groups().len()).map(|group| group_degrees(graph, group)).collect();
        Self { groups, blocks }
    }

    /// The number of nodes N.
    pub fn nodes(&self) -> usize {
        self.groups.iter().map(|group| group.nodes).sum()
    }

    /// The number of edge types, two a block, those without edges included.
    pub fn types(&self) -> usize {
        2 * self.blocks.len()
    }
}

fn group_degrees(graph: &LayeredGraph, group: usize) -> GroupDegrees {
    let nodes = graph.groups()[group].size;
    let leaving: Vec<EdgeType> = graph
        .blocks()
        .iter()
        .enumerate()
        .filter_map(|(index, block)| {
            let direction = match (block.source() == group, block.target() == group) {
                (true, _) => Direction::Up,
                (_, true) => Direction::Down,
                _ => return None,
            };
            Some(EdgeType { block: index, direction })
        })
        .collect();
    let width = leaving.len();
    let mut degrees = vec![0u32; nodes * width];
    for (place, kind) in leaving.iter().enumerate() {
        let block = &graph.blocks()[kind.block];
        for row in 0..block.rows() {
            let (columns, _) = block.pairs_into(row);
            match kind.direction {
                Direction::Down => degrees[row * width + place] = columns.len() as u32,
                Direction::Up => {
                    for &column in columns {
                        degrees[column as usize * width + place] += 1;
                    }
                }
            }
        }
    }
    let mut classes: BTreeMap<Vec<u32>, usize> = BTreeMap::new();
    if width == 0 && nodes > 0 {
        classes.insert(Vec::new(), nodes);
    }
    for tuple in degrees.chunks_exact(width.max(1)) {
        match classes.get_mut(tuple) {
            Some(count) => *count += 1,
            None => {
                classes.insert(tuple.to_vec(), 1);
            }
        }
    }
    let classes = classes.into_iter().map(|(degrees, nodes)| DegreeClass { degrees, nodes }).collect();
    GroupDegrees { leaving, classes, nodes }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{layered, random_dag};
    use super::*;
    use crate::graph::{Block, Role};
    use crate::seed::Seeds;

    #[test]
    fn degrees_count_pairs_and_multiplicities_count_weights() {
        // Two weights join column 1 and row 0.
        let block = Block::new("a", (0, 2), (1, 3), 12, [(0, 1, 1.0), (0, 1, 2.0), (2, 0, 1.0), (2, 1, 1.0)]).unwrap();
        let groups = [("in".into(), 2, Role::Input), ("out".into(), 3, Role::Output)];
        let graph = LayeredGraph::new(groups, vec![block]).unwrap();
        let joint = JointDegrees::of(&graph);
        let class = |degree, nodes| DegreeClass { degrees: vec![degree], nodes };
        assert_eq!(joint.groups[0].classes, [class(1, 1), class(2, 1)]);
        assert_eq!(joint.groups[1].classes, [class(0, 1), class(1, 1), class(2, 1)]);
        assert_eq!(joint.blocks[0].multiplicities, [(1, 2), (2, 1)]);
        assert!((joint.blocks[0].retained(0.5) - (0.5 + 0.5 + 0.75) / 3.0).abs() < 1e-15);
        assert_eq!(any(0.1, 1.0), 0.1);
        assert!((any(1e-20, 3.0) / 3e-20 - 1.0).abs() < 1e-12);
        assert_eq!((any(1.0, 3.0), any(0.0, 3.0)), (1.0, 0.0));
    }

    #[test]
    fn every_node_and_every_pair_is_counted_once() {
        let mut stream = Seeds::new(1, 0).stream("test");
        for _ in 0..50 {
            let graph = random_dag(&mut stream);
            let joint = JointDegrees::of(&graph);
            assert_eq!(joint.nodes(), graph.nodes());
            for (group, found) in joint.groups.iter().zip(graph.groups()) {
                assert_eq!(group.classes.iter().map(|class| class.nodes).sum::<usize>(), found.size);
                for (place, kind) in group.leaving.iter().enumerate() {
                    let ends = group.mean(|degrees| f64::from(degrees[place])) * group.nodes as f64;
                    assert!((ends - graph.blocks()[kind.block].pairs() as f64).abs() < 1e-9);
                }
            }
            for (block, found) in joint.blocks.iter().zip(graph.blocks()) {
                assert_eq!(block.pairs(), found.pairs());
                let weights: usize = block.multiplicities.iter().map(|&(m, pairs)| m as usize * pairs).sum();
                assert_eq!(weights, found.edges());
            }
        }
    }

    #[test]
    fn a_group_that_no_block_touches_has_one_class() {
        let graph = layered(&[3, 0, 2], &[]);
        let joint = JointDegrees::of(&graph);
        assert_eq!(joint.groups[0].classes, [DegreeClass { degrees: vec![], nodes: 3 }]);
        assert!(joint.groups[1].classes.is_empty());
        assert_eq!(joint.groups[1].mean(|_| 1.0), 0.0);
    }
}
