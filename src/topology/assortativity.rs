//! Correlations of degrees across pairs and within units.

use super::degrees::total_degrees;
use super::{Degrees, Measurement, Measurements, Options, WHOLE};
use crate::graph::{Block, LayeredGraph, Role};

/// Sums over observations (x, y) of whole numbers, exact, so that a variance of zero is seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sums {
    n: i128,
    x: i128,
    y: i128,
    xx: i128,
    yy: i128,
    xy: i128,
}

impl Sums {
    /// Pearson's correlation; `None` where x or y does not vary.
    fn correlation(&self) -> Option<f64> {
        let (variance_x, variance_y) = (self.n * self.xx - self.x * self.x, self.n * self.yy - self.y * self.y);
        if variance_x == 0 || variance_y == 0 {
            return None;
        }
        let covariance = self.n * self.xy - self.x * self.y;
        Some(covariance as f64 / (variance_x as f64 * variance_y as f64).sqrt())
    }

    /// Over the pairs of a block, from a value of each source (x) and each target (y).
    fn over_pairs(block: &Block, of_source: &[u32], of_target: &[u32], in_block: Ends<'_>) -> Self {
        let mut sums = Self { n: block.pairs() as i128, ..Self::default() };
        // A node of k pairs stands in k of them: all but xy come from the nodes alone.
        let moments = |values: &[u32], counts: &[u32]| {
            let (mut first, mut second) = (0i128, 0i128);
            for (&value, &count) in values.iter().zip(counts) {
                let product = u64::from(value) * u64::from(count);
                first += i128::from(product);
                second += i128::from(product) * i128::from(value);
            }
            (first, second)
        };
        (sums.x, sums.xx) = moments(of_source, in_block.columns);
        (sums.y, sums.yy) = moments(of_target, in_block.rows);
        sums.xy = products(block, of_source, of_target);
        sums
    }
}

/// The sum over the pairs of a block of the source's value times the target's.
fn products(block: &Block, of_source: &[u32], of_target: &[u32]) -> i128 {
    let sources = block.pair_sources();
    let value = |&column: &u32| u64::from(of_source[column as usize]);
    let mut sum = 0i128;
    for (row, &of_row) in of_target.iter().enumerate().take(block.rows()) {
        // Four at a time: their loads do not wait for one another.
        let mut fours = sources[block.positions_into(row)].chunks_exact(4);
        let mut neighbours = 0u64;
        for four in &mut fours {
            neighbours += four.iter().map(value).sum::<u64>();
        }
        neighbours += fours.remainder().iter().map(value).sum::<u64>();
        sum += i128::from(neighbours) * i128::from(of_row);
    }
    sum
}

/// The degrees of a block's nodes within it.
#[derive(Debug, Clone, Copy)]
struct Ends<'a> {
    rows: &'a [u32],
    columns: &'a [u32],
}

/// The degree assortativity r of the undirected simple graph: Pearson's correlation of the total
/// degrees at the two ends of a pair, each pair taken in both directions (M. E. J. Newman, Phys.
/// Rev. Lett. 89, 208701 (2002), eq. 4). `None` where all nodes with pairs have the same degree, or
/// there are none. O(nodes + pairs).
///
/// ```
/// use prunephase::graph::{Block, LayeredGraph, Role};
/// use prunephase::topology::degree_assortativity;
/// // A star: the centre of degree 3 meets only leaves of degree 1.
/// let block = Block::new("fc", (0, 3), (1, 1), 3, [(0, 0, 1.0), (0, 1, 1.0), (0, 2, 1.0)])?;
/// let graph = LayeredGraph::new([("in".into(), 3, Role::Input), ("fc".into(), 1, Role::Output)], vec![block])?;
/// assert_eq!(degree_assortativity(&graph), Some(-1.0));
/// # Ok::<(), prunephase::Error>(())
/// ```
pub fn degree_assortativity(graph: &LayeredGraph) -> Option<f64> {
    whole(graph, &total_degrees(graph, 0..graph.blocks().len()))
}

fn whole(graph: &LayeredGraph, total: &[u32]) -> Option<f64> {
    let (mut first, mut second, mut product) = (0i128, 0i128, 0i128);
    for &degree in total {
        let square = u64::from(degree) * u64::from(degree);
        first += i128::from(square);
        second += i128::from(square) * i128::from(degree);
    }
    for block in graph.blocks() {
        let source = graph.groups()[block.source()].first;
        let of_source = &total[source..source + block.columns()];
        let of_target = &total[graph.groups()[block.target()].first..];
        product += products(block, of_source, of_target);
    }
    let n = 2 * graph.pairs() as i128;
    Sums { n, x: first, y: first, xx: second, yy: second, xy: 2 * product }.correlation()
}

/// All over pairs. Of each block: `degree_assortativity`, the correlation of the source's out-degree
/// and the target's in-degree within the block; `total_degree_assortativity`, of their total
/// degrees. Of the whole: `degree_assortativity`, see [`degree_assortativity`]. Of each hidden
/// group: `in_out_degree_correlation`, of k- and k+ over its units. Where one side does not vary,
/// the correlation is not defined and has no row.
pub(super) fn measure(graph: &LayeredGraph, _: &Options) -> Vec<Measurement> {
    let mut out = Measurements::default();
    let degrees = Degrees::of(graph);
    let total = degrees.total();
    for (index, block) in graph.blocks().iter().enumerate() {
        let (rows, columns) = (&degrees.rows[index], &degrees.columns[index]);
        let ends = Ends { rows, columns };
        let own = Sums::over_pairs(block, columns, rows, ends);
        out.push_some(block.name(), "degree_assortativity", own.correlation());
        let nodes = |group: usize| {
            let group = &graph.groups()[group];
            &total[group.first..group.first + group.size]
        };
        let all = Sums::over_pairs(block, nodes(block.source()), nodes(block.target()), ends);
        out.push_some(block.name(), "total_degree_assortativity", all.correlation());
    }
    out.push_some(WHOLE, "degree_assortativity", whole(graph, &total));
    for group in graph.groups().iter().filter(|group| group.role == Role::Hidden) {
        let mut sums = Sums::default();
        for node in group.first..group.first + group.size {
            let (x, y) = (i128::from(degrees.incoming[node]), i128::from(degrees.outgoing[node]));
            sums.n += 1;
            sums.x += x;
            sums.y += y;
            sums.xx += x * x;
            sums.yy += y * y;
            sums.xy += x * y;
        }
        out.push_some(&group.name, "in_out_degree_correlation", sums.correlation());
    }
    out.into_vec()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{dense_chain, graphs, layered, matrix, value};
    use super::*;
    use proptest::prelude::*;

    /// Pearson's correlation in floating point, by definition.
    fn pearson(points: &[(f64, f64)]) -> Option<f64> {
        let n = points.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
        let (x, y) = (mean(|p| p.0), mean(|p| p.1));
        let sum = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>();
        let (xx, yy) = (sum(&|p| (p.0 - x).powi(2)), sum(&|p| (p.1 - y).powi(2)));
        (xx > 1e-9 && yy > 1e-9).then(|| sum(&|p| (p.0 - x) * (p.1 - y)) / (xx * yy).sqrt())
    }

    fn same(found: Option<f64>, expected: Option<f64>) -> bool {
        match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
            (found, expected) => found == expected,
        }
    }

    #[test]
    fn regular_blocks_have_no_assortativity() {
        let found = measure(&dense_chain(&[3, 3, 3]), &Options::default());
        assert!(!found.iter().any(|one| one.layer == "b0" || one.layer == "g1"), "{found:?}");
        // Ends 3 and 6: whole of 18 pairs, always a 3 beside a 6.
        assert_eq!(value(&found, WHOLE, "degree_assortativity"), -1.0);
    }

    #[test]
    fn units_with_more_inputs_and_more_outputs_correlate() {
        let first = Block::new("a", (0, 2), (1, 3), 6, [(1, 0, 1.0), (2, 0, 1.0), (2, 1, 1.0)]).unwrap();
        let second = Block::new("b", (1, 3), (2, 2), 6, [(0, 1, 1.0), (0, 2, 1.0), (1, 2, 1.0)]).unwrap();
        let found = measure(&layered(&[2, 3, 2], vec![first, second]), &Options::default());
        assert_eq!(value(&found, "g1", "in_out_degree_correlation"), 1.0);
    }

    proptest! {
        #[test]
        fn correlations_over_lists_of_pairs(graph in graphs()) {
            let degree = |matrix: &[Vec<bool>], node: usize| matrix[node].iter().filter(|&&joined| joined).count() as f64;
            let all = matrix(&graph, 0..graph.blocks().len());
            let found = measure(&graph, &Options::default());
            let of = |layer: &str, metric: &str| {
                found.iter().find(|one| one.layer == layer && one.metric == metric).map(|one| one.value)
            };
            let mut both = Vec::new();
            for (index, block) in graph.blocks().iter().enumerate() {
                let own = matrix(&graph, index..index + 1);
                let (mut in_block, mut total) = (Vec::new(), Vec::new());
                for source in 0..graph.nodes() {
                    for target in (source..graph.nodes()).filter(|&target| own[source][target]) {
                        in_block.push((degree(&own, source), degree(&own, target)));
                        total.push((degree(&all, source), degree(&all, target)));
                    }
                }
                prop_assert!(same(of(block.name(), "degree_assortativity"), pearson(&in_block)));
                prop_assert!(same(of(block.name(), "total_degree_assortativity"), pearson(&total)));
                both.extend(total.iter().flat_map(|&(a, b)| [(a, b), (b, a)]));
            }
            prop_assert!(same(of(WHOLE, "degree_assortativity"), pearson(&both)));
        }
    }
}
