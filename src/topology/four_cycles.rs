//! Exact numbers of 4-cycles, by wedges or by bit sets, whichever costs less.

use super::undirected::Undirected;
use crate::graph::LayeredGraph;

/// A word of two bit sets costs about as much as 3 / 2 wedges, measured with the popcount of plain
/// x86-64.
const WORD: u64 = 3;
const WEDGE: u64 = 2;

/// The 4-cycles of the undirected simple graph of some blocks, which is also given as `undirected`;
/// each is counted once.
pub(super) fn four_cycles(graph: &LayeredGraph, undirected: &Undirected, blocks: &[usize]) -> u128 {
    let ranked = Ranked::of(undirected);
    let pairs = GroupPairs::of(graph, blocks);
    if ranked.wedges().saturating_mul(WEDGE) <= pairs.words(graph).saturating_mul(WORD) {
        ranked.four_cycles()
    } else {
        pairs.four_cycles(graph)
    }
}

/// The graph with its nodes renamed by ascending degree, neighbours ascending.
struct Ranked(Undirected);

impl Ranked {
    fn of(graph: &Undirected) -> Self {
        let nodes = graph.nodes();
        let mut by_degree: Vec<u32> = (0..nodes as u32).collect();
        by_degree.sort_by_key(|&node| graph.degree(node as usize));
        let mut rank = vec![0u32; nodes];
        let mut offsets = vec![0u32; nodes + 1];
        for (place, &node) in by_degree.iter().enumerate() {
            rank[node as usize] = place as u32;
            offsets[place + 1] = offsets[place] + graph.degree(node as usize) as u32;
        }
        let mut next = offsets.clone();
        let mut neighbours = vec![0u32; graph.neighbours.len()];
        // Whoever comes first is the smaller neighbour: the lists fill in order.
        for (place, &node) in by_degree.iter().enumerate() {
            for &neighbour in graph.of_node(node as usize) {
                let slot = &mut next[rank[neighbour as usize] as usize];
                neighbours[*slot as usize] = place as u32;
                *slot += 1;
            }
        }
        Self(Undirected { offsets, neighbours })
    }

    /// For each node, how many of its neighbours rank below it.
    fn below(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.0.nodes()).map(|node| self.0.of_node(node).partition_point(|&other| (other as usize) < node))
    }

    /// The wedges that [`Ranked::four_cycles`] walks: u - v - w with v and w below u.
    fn wedges(&self) -> u64 {
        self.below()
            .enumerate()
            .map(|(node, below)| {
                // The middle v sees its i-th neighbour u > v with the i neighbours before it.
                let degree = self.0.degree(node) as u64;
                let below = below as u64;
                (degree * degree.saturating_sub(1) - below * below.saturating_sub(1)) / 2
            })
            .sum()
    }

    /// By vertex priority (K. Wang et al., Proc. VLDB Endow. 12, 1139 (2019)): a 4-cycle u v w x is
    /// seen at its node u of the highest rank, as two wedges u - v - w and u - x - w.
    /// O(sum over pairs of the smaller degree).
    fn four_cycles(&self) -> u128 {
        let nodes = self.0.nodes();
        let mut common = vec![0u32; nodes];
        // How many neighbours of v rank below the next u that asks: u ascends, so this does too.
        let mut seen: Vec<u32> = self.below().map(|below| below as u32).collect();
        let mut total = 0u128;
        for (node, below) in self.below().enumerate() {
            let middles = &self.0.of_node(node)[..below];
            let mut cycles = 0u64;
            let mut wedges = 0usize;
            for &middle in middles {
                let middle = middle as usize;
                let ends = &self.0.of_node(middle)[..seen[middle] as usize];
                wedges += ends.len();
                for &end in ends {
                    let count = &mut common[end as usize];
                    cycles += u64::from(*count);
                    *count += 1;
                }
            }
            // Ends rank below the node: either list clears the same counts.
            if wedges > node {
                common[..node].fill(0);
            } else {
                for &middle in middles {
                    let middle = middle as usize;
                    self.0.of_node(middle)[..seen[middle] as usize].iter().for_each(|&end| common[end as usize] = 0);
                }
            }
            middles.iter().for_each(|&middle| seen[middle as usize] += 1);
            total += u128::from(cycles);
        }
        total
    }
}

/// A group, a group not before it, and for each group that both are joined to, the two blocks.
type GroupPair = (usize, usize, Vec<(usize, usize)>);

/// The pairs of groups whose nodes can have common neighbours.
struct GroupPairs {
    pairs: Vec<GroupPair>,
    /// How often a 4-cycle is seen: once where only one side of a bipartite graph is walked, at
    /// both of its diagonals otherwise.
    sightings: u128,
}

impl GroupPairs {
    fn of(graph: &LayeredGraph, blocks: &[usize]) -> Self {
        let joined = |group: usize| {
            blocks.iter().filter_map(move |&index| {
                let block = &graph.blocks()[index];
                if block.source() == group {
                    Some((block.target(), index))
                } else {
                    (block.target() == group).then_some((block.source(), index))
                }
            })
        };
        let groups = graph.groups().len();
        let mut pairs = Vec::new();
        for first in 0..groups {
            for second in first..groups {
                let common: Vec<(usize, usize)> = joined(first)
                    .flat_map(|(middle, a)| {
                        joined(second).filter(move |&(other, _)| other == middle).map(move |(_, b)| (a, b))
                    })
                    .collect();
                if !common.is_empty() {
                    pairs.push((first, second, common));
                }
            }
        }
        let Some(side) = two_sides(graph, blocks) else {
            return Self { pairs, sightings: 2 };
        };
        // Both diagonals of a 4-cycle join nodes of one side; the sides differ.
        let of_side = |wanted: bool| Self {
            pairs: pairs.iter().filter(|(first, ..)| side[*first] == wanted).cloned().collect(),
            sightings: 1,
        };
        let (one, other) = (of_side(true), of_side(false));
        if one.words(graph) < other.words(graph) { one } else { other }
    }

    /// The words that [`GroupPairs::four_cycles`] compares.
    fn words(&self, graph: &LayeredGraph) -> u64 {
        let size = |group: usize| graph.groups()[group].size as u64;
        let mut words = 0u64;
        for (first, second, common) in &self.pairs {
            let nodes = if first == second {
                size(*first) * size(*first).saturating_sub(1) / 2
            } else {
                size(*first).saturating_mul(size(*second))
            };
            let width: u64 = common.iter().map(|&(a, _)| size(other_end(graph, a, *first)).div_ceil(64)).sum();
            words = words.saturating_add(nodes.saturating_mul(width));
        }
        words
    }

    /// sum over pairs of nodes of C(c, 2), c the number of common neighbours.
    fn four_cycles(&self, graph: &LayeredGraph) -> u128 {
        let size = |group: usize| graph.groups()[group].size;
        let mut total = 0u128;
        for (first, second, common) in &self.pairs {
            // The bit sets of all common neighbour groups stand side by side.
            let of_first = Bits::of(graph, *first, common.iter().map(|&(a, _)| a));
            let of_second = Bits::of(graph, *second, common.iter().map(|&(_, b)| b));
            for node in 0..size(*first) {
                let own = of_first.of_node(node);
                let from = if first == second { node + 1 } else { 0 };
                let mut cycles = 0u64;
                for other in from..size(*second) {
                    let words = own.iter().zip(of_second.of_node(other));
                    let count: u32 = words.map(|(a, b)| (a & b).count_ones()).sum();
                    cycles += u64::from(count) * u64::from(count.saturating_sub(1)) / 2;
                }
                total += u128::from(cycles);
            }
        }
        total / self.sightings
    }
}

fn other_end(graph: &LayeredGraph, block: usize, group: usize) -> usize {
    let block = &graph.blocks()[block];
    if block.source() == group { block.target() } else { block.source() }
}

/// The side of every group where the blocks make a bipartite graph of groups, as in a chain.
fn two_sides(graph: &LayeredGraph, blocks: &[usize]) -> Option<Vec<bool>> {
    let mut sides: Vec<Option<bool>> = vec![None; graph.groups().len()];
    for start in 0..sides.len() {
        if sides[start].is_some() {
            continue;
        }
        let mut stack = vec![(start, false)];
        while let Some((group, side)) = stack.pop() {
            match sides[group] {
                Some(known) if known == side => continue,
                Some(_) => return None,
                None => sides[group] = Some(side),
            }
            let touching = blocks.iter().filter(|&&index| {
                let block = &graph.blocks()[index];
                block.source() == group || block.target() == group
            });
            stack.extend(touching.map(|&index| (other_end(graph, index, group), !side)));
        }
    }
    sides.into_iter().collect()
}

/// A bit a possible neighbour, for each node of a group.
struct Bits {
    words: usize,
    bits: Vec<u64>,
}

impl Bits {
    fn of(graph: &LayeredGraph, group: usize, blocks: impl Iterator<Item = usize> + Clone) -> Self {
        let size = |group: usize| graph.groups()[group].size;
        let words: usize = blocks.clone().map(|index| size(other_end(graph, index, group)).div_ceil(64)).sum();
        let mut bits = vec![0u64; words * size(group)];
        let mut first = 0;
        for index in blocks {
            let block = &graph.blocks()[index];
            let mut set = |node: usize, neighbour: usize| {
                bits[node * words + first + neighbour / 64] |= 1 << (neighbour % 64);
            };
            for row in 0..block.rows() {
                for &column in block.pairs_into(row).0 {
                    if block.target() == group { set(row, column as usize) } else { set(column as usize, row) }
                }
            }
            first += size(other_end(graph, index, group)).div_ceil(64);
        }
        Self { words, bits }
    }

    fn of_node(&self, node: usize) -> &[u64] {
        &self.bits[node * self.words..(node + 1) * self.words]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{dense_chain, graphs, matrix};
    use super::*;
    use proptest::prelude::*;

    /// Over all pairs of nodes, by definition.
    fn by_definition(matrix: &[Vec<bool>]) -> u128 {
        let mut twice = 0;
        for (node, own) in matrix.iter().enumerate() {
            for other in &matrix[..node] {
                let common = own.iter().zip(other).filter(|(a, b)| **a && **b).count() as u128;
                twice += common * common.saturating_sub(1) / 2;
            }
        }
        twice / 2
    }

    fn by_wedges(graph: &LayeredGraph, blocks: &[usize]) -> u128 {
        Ranked::of(&Undirected::of_blocks(graph, blocks.iter().copied())).four_cycles()
    }

    fn cheaper(graph: &LayeredGraph, blocks: &[usize]) -> u128 {
        four_cycles(graph, &Undirected::of_blocks(graph, blocks.iter().copied()), blocks)
    }

    #[test]
    fn dense_chains_are_known() {
        let pairs = |n: u128| n * (n - 1) / 2;
        // Wider than a word of the bit sets, and beyond u32.
        let graph = dense_chain(&[130, 300, 70]);
        let expected = pairs(130) * pairs(300) + pairs(300) * pairs(70) + 130 * 70 * pairs(300);
        for found in [by_wedges(&graph, &[0, 1]), GroupPairs::of(&graph, &[0, 1]).four_cycles(&graph)] {
            assert_eq!(found, expected);
        }
        assert_eq!(cheaper(&graph, &[0]), pairs(130) * pairs(300));
        assert_eq!(cheaper(&graph, &[]), 0);
    }

    #[test]
    fn the_number_of_wedges_is_the_number_walked() {
        // K(2, 3): the two of degree 3 rank highest; the last sees each of 3 middles with the other.
        let graph = dense_chain(&[2, 3]);
        let ranked = Ranked::of(&Undirected::of(&graph));
        assert_eq!((ranked.wedges(), ranked.four_cycles()), (3, 3));
    }

    proptest! {
        #[test]
        fn both_ways_agree_with_the_definition(graph in graphs(), skip in 0usize..4) {
            let all: Vec<usize> = (0..graph.blocks().len()).collect();
            let some: Vec<usize> = all.iter().copied().filter(|&index| index != skip).collect();
            for blocks in [all, some].into_iter().chain((0..graph.blocks().len()).map(|index| vec![index])) {
                let expected = by_definition(&matrix(&graph, blocks.iter().copied()));
                prop_assert_eq!(by_wedges(&graph, &blocks), expected);
                prop_assert_eq!(GroupPairs::of(&graph, &blocks).four_cycles(&graph), expected);
                prop_assert_eq!(cheaper(&graph, &blocks), expected);
            }
        }
    }
}
