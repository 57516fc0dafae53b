//! Strengths of the nodes, sums of |w| over kept weights, and the balance of signs.

use super::{Measurement, Measurements, Options, Summary, WHOLE};
use crate::graph::{Block, LayeredGraph};

/// What the kept weights of a block sum to at each of its nodes. A weight that the unrolled encoding
/// repeats counts once a link.
#[derive(Debug, Clone, PartialEq)]
pub struct Strengths {
    /// Sum of |w| of the weights into each row.
    pub rows: Vec<f64>,
    /// Sum of |w| of the weights out of each column.
    pub columns: Vec<f64>,
    /// (weights, weights below 0) into each row; a weight of 0 counts as positive.
    pub row_signs: Vec<(u32, u32)>,
    /// (weights, weights below 0) out of each column.
    pub column_signs: Vec<(u32, u32)>,
}

impl Strengths {
    /// The strengths of a block, over all kept weights (several may join a pair). O(edges).
    pub fn of(block: &Block) -> Self {
        let mut own = Self {
            rows: Vec::with_capacity(block.rows()),
            columns: vec![0.0; block.columns()],
            row_signs: Vec::with_capacity(block.rows()),
            column_signs: vec![(0, 0); block.columns()],
        };
        for row in 0..block.rows() {
            let (columns, magnitudes) = block.edges_into(row);
            let (mut sum, mut below) = (0.0, 0);
            for ((&column, &magnitude), negative) in columns.iter().zip(magnitudes).zip(block.negative_into(row)) {
                let (column, magnitude, negative) = (column as usize, f64::from(magnitude), u32::from(negative));
                sum += magnitude;
                below += negative;
                own.columns[column] += magnitude;
                own.column_signs[column].0 += 1;
                own.column_signs[column].1 += negative;
            }
            own.rows.push(sum);
            own.row_signs.push((columns.len() as u32, below));
        }
        own
    }

    /// The number of weights, and of those below 0.
    fn signs(&self) -> (u64, u64) {
        self.row_signs.iter().fold((0, 0), |sum, own| (sum.0 + u64::from(own.0), sum.1 + u64::from(own.1)))
    }
}

/// |n+ - n-| / (n+ + n-) of each node that has weights: 0 where the signs balance, 1 where all are
/// the same.
fn imbalances(signs: &[(u32, u32)]) -> impl Iterator<Item = f64> + '_ {
    signs.iter().filter(|&&(all, _)| all > 0).map(|&(all, negative)| {
        let difference = i64::from(all) - 2 * i64::from(negative);
        difference.unsigned_abs() as f64 / f64::from(all)
    })
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// Of each block, over kept weights: `in_strength_*` of the rows and `out_strength_*` of the columns
/// (sum of |w|; `mean`, `second_moment`, `variance`, `max`, `min`, `gini`). Of each block and of the
/// whole: `negative_share` (weights below 0 / kept weights) and `in_sign_imbalance`,
/// `out_sign_imbalance`, the mean of |n+ - n-| / (n+ + n-) over the block's rows or columns that
/// have weights; of the whole, over all of them.
pub(super) fn measure(graph: &LayeredGraph, _: &Options) -> Vec<Measurement> {
    let mut out = Measurements::default();
    let blocks = || graph.blocks().iter().filter(|block| !block.is_skip());
    let all: Vec<Strengths> = blocks().map(Strengths::of).collect();
    for (block, own) in blocks().zip(&all) {
        let name = block.name();
        for (prefix, values) in [("in_strength", &own.rows), ("out_strength", &own.columns)] {
            if let Some(summary) = Summary::of(values.iter().copied()) {
                summary.push(&mut out, name, prefix);
            }
        }
        let (weights, negative) = own.signs();
        out.push(name, "negative_share", negative as f64 / weights as f64);
        out.push_some(name, "in_sign_imbalance", mean(imbalances(&own.row_signs)));
        out.push_some(name, "out_sign_imbalance", mean(imbalances(&own.column_signs)));
    }
    let (weights, negative) = all.iter().map(Strengths::signs).fold((0, 0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
    out.push(WHOLE, "negative_share", negative as f64 / weights as f64);
    out.push_some(WHOLE, "in_sign_imbalance", mean(all.iter().flat_map(|own| imbalances(&own.row_signs))));
    out.push_some(WHOLE, "out_sign_imbalance", mean(all.iter().flat_map(|own| imbalances(&own.column_signs))));
    out.into_vec()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{graphs, layered, value};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn strengths_and_signs_count_every_weight() {
        // Row 0: +2 and -1 from column 0, -1 from column 1; row 1: a zero from column 1.
        let entries = [(0, 0, 2.0), (0, 0, -1.0), (0, 1, -1.0), (1, 1, 0.0)];
        let block = Block::new("a", (0, 3), (1, 2), 12, entries).unwrap();
        let found = measure(&layered(&[3, 2], vec![block]), &Options::default());
        let of = |metric| value(&found, "a", metric);
        assert_eq!((of("in_strength_mean"), of("in_strength_max"), of("in_strength_variance")), (2.0, 4.0, 4.0));
        assert_eq!((of("out_strength_mean"), of("out_strength_max")), (4.0 / 3.0, 3.0));
        assert_eq!((of("in_strength_gini"), of("negative_share")), (0.5, 0.5));
        assert_eq!((of("in_sign_imbalance"), of("out_sign_imbalance")), ((1.0 / 3.0 + 1.0) / 2.0, 0.0));
        assert_eq!(value(&found, WHOLE, "negative_share"), 0.5);
    }

    #[test]
    fn an_empty_block_has_no_shares() {
        let block = Block::new("a", (0, 2), (1, 2), 4, []).unwrap();
        let found = measure(&layered(&[2, 2], vec![block]), &Options::default());
        assert_eq!(value(&found, "a", "in_strength_mean"), 0.0);
        assert!(!found.iter().any(|one| one.metric.contains("sign") || one.metric.contains("share")));
    }

    proptest! {
        #[test]
        fn both_sides_sum_to_the_same(graph in graphs()) {
            for block in graph.blocks() {
                let own = Strengths::of(block);
                // Halves and small: the sums are exact.
                prop_assert_eq!(own.rows.iter().sum::<f64>(), own.columns.iter().sum::<f64>());
                let totals = |signs: &[(u32, u32)]| signs.iter().fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
                prop_assert_eq!(totals(&own.row_signs), totals(&own.column_signs));
                prop_assert_eq!(totals(&own.row_signs).0 as usize, block.edges());
            }
        }
    }
}
