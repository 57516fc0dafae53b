//! Degrees of the nodes, in joined pairs, and the units that are cut off.

use serde::{Deserialize, Serialize};

use super::{Measurement, Measurements, Options, Summary, WHOLE};
use crate::graph::{LayeredGraph, Role};

/// Degrees within each block and of each node, all in pairs: the neighbours of a node, however many
/// weights join the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Degrees {
    /// For each block, the in-degree of each row (target).
    pub rows: Vec<Vec<u32>>,
    /// For each block, the out-degree of each column (source).
    pub columns: Vec<Vec<u32>>,
    /// For each node, the pairs that enter it.
    pub incoming: Vec<u32>,
    /// For each node, the pairs that leave it.
    pub outgoing: Vec<u32>,
}

impl Degrees {
    /// The degrees of a graph. O(nodes + pairs).
    ///
    /// ```
    /// use prunephase::graph::{Block, LayeredGraph, Role};
    /// use prunephase::topology::Degrees;
    /// let block = Block::new("fc", (0, 2), (1, 2), 4, [(0, 0, 0.5), (0, 1, -1.0)])?;
    /// let graph = LayeredGraph::new([("in".into(), 2, Role::Input), ("fc".into(), 2, Role::Output)], vec![block])?;
    /// let degrees = Degrees::of(&graph);
    /// assert_eq!((&degrees.rows[0], &degrees.columns[0]), (&vec![2, 0], &vec![1, 1]));
    /// assert_eq!(degrees.total(), [1, 1, 2, 0]);
    /// # Ok::<(), prunephase::Error>(())
    /// ```
    pub fn of(graph: &LayeredGraph) -> Self {
        let mut incoming = vec![0u32; graph.nodes()];
        let mut outgoing = vec![0u32; graph.nodes()];
        let mut all_rows = Vec::with_capacity(graph.blocks().len());
        let mut all_columns = Vec::with_capacity(graph.blocks().len());
        for block in graph.blocks() {
            let mut columns = vec![0u32; block.columns()];
            let mut rows = Vec::with_capacity(block.rows());
            for row in 0..block.rows() {
                let (sources, _) = block.pairs_into(row);
                rows.push(sources.len() as u32);
                for &source in sources {
                    columns[source as usize] += 1;
                }
            }
            let add = |first: usize, degrees: &mut [u32], own: &[u32]| {
                degrees[first..].iter_mut().zip(own).for_each(|(degree, own)| *degree += own);
            };
            add(graph.groups()[block.target()].first, &mut incoming, &rows);
            add(graph.groups()[block.source()].first, &mut outgoing, &columns);
            all_rows.push(rows);
            all_columns.push(columns);
        }
        Self { rows: all_rows, columns: all_columns, incoming, outgoing }
    }

    /// For each node, the pairs that touch it: its degree in the undirected simple graph.
    pub fn total(&self) -> Vec<u32> {
        self.incoming.iter().zip(&self.outgoing).map(|(incoming, outgoing)| incoming + outgoing).collect()
    }
}

/// The pairs of some blocks that touch each node. O(nodes + pairs), without a loop over each row,
/// which costs more than its few pairs in a sparse graph.
pub(super) fn total_degrees(graph: &LayeredGraph, blocks: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut total = vec![0u32; graph.nodes()];
    for block in blocks.map(|index| &graph.blocks()[index]) {
        let (source, target) = (graph.groups()[block.source()].first, graph.groups()[block.target()].first);
        for (row, degree) in total[target..target + block.rows()].iter_mut().enumerate() {
            *degree += block.positions_into(row).len() as u32;
        }
        let of_sources = &mut total[source..source + block.columns()];
        for &column in block.pair_sources() {
            of_sources[column as usize] += 1;
        }
    }
    total
}

/// Whether each node lies on a directed path from an input to an output: one pass along the graph
/// and one against it, O(nodes + pairs). An input is alive where it leads to an output, an output
/// where an input leads to it, a hidden unit where both hold.
pub fn alive(graph: &LayeredGraph) -> Vec<bool> {
    let marked = |role: Role| {
        let mut marks = vec![false; graph.nodes()];
        for group in graph.groups().iter().filter(|group| group.role == role) {
            marks[group.first..group.first + group.size].fill(true);
        }
        marks
    };
    let (mut reached, mut leads) = (marked(Role::Input), marked(Role::Output));
    let mut order: Vec<usize> = (0..graph.blocks().len()).collect();
    // Sources of a block are final once every block into its source group, a lower one, is done.
    order.sort_by_key(|&index| graph.blocks()[index].target());
    for block in order.iter().map(|&index| &graph.blocks()[index]) {
        let (source, target) = (graph.groups()[block.source()].first, graph.groups()[block.target()].first);
        for row in 0..block.rows() {
            let (columns, _) = block.pairs_into(row);
            reached[target + row] |= columns.iter().any(|&column| reached[source + column as usize]);
        }
    }
    order.sort_by_key(|&index| std::cmp::Reverse(graph.blocks()[index].source()));
    for block in order.iter().map(|&index| &graph.blocks()[index]) {
        let (source, target) = (graph.groups()[block.source()].first, graph.groups()[block.target()].first);
        for row in 0..block.rows() {
            if !leads[target + row] {
                continue;
            }
            for &column in block.pairs_into(row).0 {
                leads[source + column as usize] = true;
            }
        }
    }
    reached.iter().zip(&leads).map(|(reached, leads)| *reached && *leads).collect()
}

/// Which end of a block's pairs a degree belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Rows: the pairs that enter a target.
    In,
    /// Columns: the pairs that leave a source.
    Out,
}

/// How many nodes of a block have a degree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DegreeCount {
    /// The block.
    pub layer: String,
    /// In-degrees of its rows or out-degrees of its columns.
    pub direction: Direction,
    /// The degree, in pairs.
    pub degree: u32,
    /// The nodes that have it, at least one.
    pub nodes: usize,
}

/// The degree distribution of each block: for each direction the degrees that occur, ascending.
/// O(nodes + pairs).
pub fn degree_counts(graph: &LayeredGraph) -> Vec<DegreeCount> {
    let degrees = Degrees::of(graph);
    let mut counts = Vec::new();
    for (index, block) in graph.blocks().iter().enumerate().filter(|(_, block)| !block.is_skip()) {
        for (direction, own) in [(Direction::In, &degrees.rows[index]), (Direction::Out, &degrees.columns[index])] {
            let mut nodes = vec![0usize; own.iter().max().map_or(0, |&max| max as usize + 1)];
            for &degree in own {
                nodes[degree as usize] += 1;
            }
            counts.extend(nodes.into_iter().enumerate().filter(|&(_, nodes)| nodes > 0).map(|(degree, nodes)| {
                DegreeCount { layer: block.name().to_owned(), direction, degree: degree as u32, nodes }
            }));
        }
    }
    counts
}

fn isolated(degrees: &[u32]) -> usize {
    degrees.iter().filter(|&&degree| degree == 0).count()
}

/// Of each block, with degrees in pairs within the block: `edges` (kept weights), `pairs`,
/// `in_degree_*` of the rows and `out_degree_*` of the columns (`mean`, `second_moment`, `variance`,
/// `max`, `min`, `gini`), `in_isolated` and `out_isolated` (nodes of degree 0 in the block).
///
/// Of each group and of the whole: `units`, `total_degree_*`, `units_isolated` (no pair at all),
/// `units_without_inputs` and `units_without_outputs` (no pair enters or leaves; not where no block
/// does, as at the inputs), `units_dead` (see [`alive`]).
pub(super) fn measure(graph: &LayeredGraph, _: &Options) -> Vec<Measurement> {
    let mut out = Measurements::default();
    let degrees = Degrees::of(graph);
    let summary = |degrees: &[u32]| Summary::of(degrees.iter().map(|&degree| f64::from(degree)));
    for (index, block) in graph.blocks().iter().enumerate() {
        let name = block.name();
        out.count(name, "edges", block.edges());
        out.count(name, "pairs", block.pairs());
        for (direction, own) in [("in", &degrees.rows[index]), ("out", &degrees.columns[index])] {
            if let Some(summary) = summary(own) {
                summary.push(&mut out, name, &format!("{direction}_degree"));
            }
            out.count(name, format!("{direction}_isolated"), isolated(own));
        }
    }
    let (total, alive) = (degrees.total(), alive(graph));
    let mut of_nodes = |name: &str, nodes: std::ops::Range<usize>| {
        out.count(name, "units", nodes.len());
        if let Some(summary) = summary(&total[nodes.clone()]) {
            summary.push(&mut out, name, "total_degree");
        }
        out.count(name, "units_isolated", isolated(&total[nodes.clone()]));
        out.count(name, "units_dead", alive[nodes].iter().filter(|&&alive| !alive).count());
    };
    for group in graph.groups() {
        of_nodes(&group.name, group.first..group.first + group.size);
    }
    of_nodes(WHOLE, 0..graph.nodes());
    for (index, group) in graph.groups().iter().enumerate() {
        let nodes = group.first..group.first + group.size;
        if graph.blocks().iter().any(|block| block.target() == index) {
            out.count(&group.name, "units_without_inputs", isolated(&degrees.incoming[nodes.clone()]));
        }
        if graph.blocks().iter().any(|block| block.source() == index) {
            out.count(&group.name, "units_without_outputs", isolated(&degrees.outgoing[nodes]));
        }
    }
    out.count(WHOLE, "edges", graph.edges());
    out.count(WHOLE, "pairs", graph.pairs());
    out.into_vec()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{dense_chain, graphs, layered, matrix, value};
    use super::*;
    use crate::graph::Block;
    use proptest::prelude::*;

    #[test]
    fn a_dense_chain_has_regular_degrees() {
        let graph = dense_chain(&[3, 4, 2]);
        let found = measure(&graph, &Options::default());
        assert_eq!(value(&found, "b0", "in_degree_mean"), 3.0);
        assert_eq!(value(&found, "b0", "out_degree_second_moment"), 16.0);
        assert_eq!(value(&found, "b1", "in_degree_variance"), 0.0);
        assert_eq!(value(&found, "g1", "total_degree_max"), 5.0);
        assert_eq!(value(&found, WHOLE, "total_degree_mean"), 2.0 * 20.0 / 9.0);
        assert_eq!(value(&found, WHOLE, "units_dead"), 0.0);
        assert!(!found.iter().any(|one| one.layer == "g0" && one.metric == "units_without_inputs"));
    }

    #[test]
    fn units_that_are_cut_off_are_told_apart() {
        // Hidden unit 0 is alive, 1 leads nowhere, 2 comes from nowhere, 3 is isolated.
        let first = Block::new("a", (0, 2), (1, 4), 8, [(0, 0, 1.0), (1, 0, 1.0)]).unwrap();
        let second = Block::new("b", (1, 4), (2, 3), 12, [(0, 0, 1.0), (1, 2, 1.0)]).unwrap();
        let found = measure(&layered(&[2, 4, 3], vec![first, second]), &Options::default());
        let of = |layer, metric| value(&found, layer, metric);
        assert_eq!((of("g1", "units_isolated"), of("g1", "units_dead")), (1.0, 3.0));
        assert_eq!((of("g1", "units_without_inputs"), of("g1", "units_without_outputs")), (2.0, 2.0));
        assert_eq!((of("g0", "units_dead"), of("g2", "units_dead"), of(WHOLE, "units_dead")), (1.0, 2.0, 6.0));
        assert_eq!((of("a", "in_isolated"), of("a", "out_isolated"), of("b", "out_isolated")), (2.0, 1.0, 2.0));
    }

    #[test]
    fn weights_of_one_pair_count_once_in_degrees() {
        let block = Block::new("a", (0, 1), (1, 2), 8, [(0, 0, 1.0), (0, 0, 2.0), (1, 0, 1.0)]).unwrap();
        let graph = layered(&[1, 2], vec![block]);
        let found = measure(&graph, &Options::default());
        assert_eq!((value(&found, "a", "edges"), value(&found, "a", "pairs")), (3.0, 2.0));
        assert_eq!(value(&found, "a", "out_degree_max"), 2.0);
        assert_eq!(
            degree_counts(&graph),
            [
                DegreeCount { layer: "a".into(), direction: Direction::In, degree: 1, nodes: 2 },
                DegreeCount { layer: "a".into(), direction: Direction::Out, degree: 2, nodes: 1 },
            ]
        );
    }

    proptest! {
        #[test]
        fn degrees_are_the_sums_of_the_matrix(graph in graphs()) {
            let all = matrix(&graph, 0..graph.blocks().len());
            let expected: Vec<u32> = all.iter().map(|row| row.iter().filter(|&&joined| joined).count() as u32).collect();
            let degrees = Degrees::of(&graph);
            prop_assert_eq!(&total_degrees(&graph, 0..graph.blocks().len()), &expected);
            prop_assert_eq!(degrees.total(), expected);
            for count in degree_counts(&graph) {
                let block = graph.blocks().iter().position(|block| block.name() == count.layer).unwrap();
                let own = if count.direction == Direction::In { &degrees.rows[block] } else { &degrees.columns[block] };
                prop_assert_eq!(own.iter().filter(|&&degree| degree == count.degree).count(), count.nodes);
            }
            let nodes: usize = degree_counts(&graph).iter().map(|count| count.nodes).sum();
            prop_assert_eq!(nodes, graph.blocks().iter().map(|block| block.rows() + block.columns()).sum::<usize>());
        }

        /// Alive by walking every path.
        #[test]
        fn alive_nodes_lie_on_a_path(graph in graphs()) {
            let all = matrix(&graph, 0..graph.blocks().len());
            let mut expected = vec![false; graph.nodes()];
            let groups = graph.groups();
            let mut stack: Vec<Vec<usize>> = (0..groups[0].size).map(|input| vec![input]).collect();
            while let Some(path) = stack.pop() {
                let end = path[path.len() - 1];
                if end >= groups[groups.len() - 1].first {
                    path.iter().for_each(|&node| expected[node] = true);
                }
                stack.extend((end + 1..graph.nodes()).filter(|&next| all[end][next]).map(|next| {
                    let mut longer = path.clone();
                    longer.push(next);
                    longer
                }));
            }
            prop_assert_eq!(alive(&graph), expected);
        }
    }
}
