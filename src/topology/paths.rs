//! Directed paths from inputs to outputs: how many, how many by chance, and their weight.

use std::ops::{Add, Mul};

use super::{Measurement, Measurements, Options, WHOLE};
use crate::graph::{LayeredGraph, Role};

/// A number that is not negative, mantissa x 2^exponent: sums and products as in f64, without
/// overflow, whole numbers below 2^53 exact.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scaled {
    mantissa: f64,
    exponent: i32,
}

impl Scaled {
    const ZERO: Self = Self { mantissa: 0.0, exponent: 0 };
    const ONE: Self = Self { mantissa: 1.0, exponent: 0 };
    /// Mantissas stay below 2^STEP and, but for 0 and for what is added last, above 2^-STEP.
    const STEP: i32 = 256;

    fn of(value: f64) -> Self {
        Self { mantissa: value, exponent: 0 }.settled()
    }

    fn settled(mut self) -> Self {
        let step = 2f64.powi(Self::STEP);
        if self.mantissa >= step {
            self.mantissa /= step;
            self.exponent += Self::STEP;
        } else if self.mantissa > 0.0 && self.mantissa < 1.0 / step {
            self.mantissa *= step;
            self.exponent -= Self::STEP;
        }
        self
    }

    /// The natural logarithm; `None` of 0.
    fn ln(self) -> Option<f64> {
        (self.mantissa > 0.0).then(|| self.mantissa.ln() + f64::from(self.exponent) * std::f64::consts::LN_2)
    }
}

impl Add for Scaled {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        if self.exponent == other.exponent {
            return Self { mantissa: self.mantissa + other.mantissa, ..self }.settled();
        }
        if other.mantissa == 0.0 {
            return self;
        }
        if self.mantissa == 0.0 {
            return other;
        }
        let (large, small) = if self.exponent > other.exponent { (self, other) } else { (other, self) };
        let shifted = small.mantissa * 2f64.powi(small.exponent - large.exponent);
        Self { mantissa: large.mantissa + shifted, ..large }.settled()
    }
}

impl Mul for Scaled {
    type Output = Self;

    #[inline]
    fn mul(self, other: Self) -> Self {
        Self { mantissa: self.mantissa * other.mantissa, exponent: self.exponent + other.exponent }.settled()
    }
}

/// Paths from inputs to outputs; a path is a sequence of kept weights, so that two weights that join
/// the same pair of nodes make two paths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paths {
    /// ln of the number of paths; `None` where there is none.
    pub ln_count: Option<f64>,
    /// ln of the mean number of paths where each weight of the dense network is kept with a
    /// probability of this network's density p: of the sum over the dense network's paths of
    /// p^(length). In a chain of L blocks that is p^L times the product of the group sizes (and of
    /// the weights a pair). `None` where it is 0, and where a weight has several links, which makes the
    /// weights of a path depend on each other.
    pub ln_expected: Option<f64>,
    /// ln of the sum over paths of the product of |w|, which SynFlow takes the gradient of (Tanaka
    /// et al., arXiv:2006.05467). `None` where it is 0.
    pub ln_weight: Option<f64>,
}

impl Paths {
    /// The paths of a graph, by one pass along it. O(nodes + edges), exact but for the rounding of
    /// f64: numbers of paths below 2^53 have no error before the logarithm.
    ///
    /// The number by chance takes dense / (rows x columns) weights for each pair of a block, the
    /// taps of a kernel or the positions of a flattened map.
    ///
    /// ```
    /// use prunephase::graph::{Block, LayeredGraph, Role};
    /// use prunephase::topology::Paths;
    /// let first = Block::new("a", (0, 1), (1, 2), 2, [(0, 0, 2.0), (1, 0, -3.0)])?;
    /// let second = Block::new("b", (1, 2), (2, 1), 2, [(0, 0, 1.0), (0, 1, 1.0)])?;
    /// let groups = [("in".into(), 1, Role::Input), ("a".into(), 2, Role::Hidden), ("b".into(), 1, Role::Output)];
    /// let paths = Paths::of(&LayeredGraph::new(groups, vec![first, second])?);
    /// assert_eq!(paths.ln_count, Some(2f64.ln()));
    /// assert_eq!(paths.ln_weight, Some(5f64.ln()));
    /// # Ok::<(), prunephase::Error>(())
    /// ```
    pub fn of(graph: &LayeredGraph) -> Self {
        let groups = graph.groups();
        let density = graph.density().value();
        let mut count = vec![Scaled::ZERO; graph.nodes()];
        let mut weight = count.clone();
        // By chance every node of a group has the same number of paths that end at it.
        let mut expected = vec![Scaled::ZERO; groups.len()];
        for (index, group) in groups.iter().enumerate().filter(|(_, group)| group.role == Role::Input) {
            count[group.first..group.first + group.size].fill(Scaled::ONE);
            weight[group.first..group.first + group.size].fill(Scaled::ONE);
            expected[index] = Scaled::ONE;
        }
        let mut order: Vec<_> = graph.blocks().iter().collect();
        // Sources of a block are final once every block into its source group, a lower one, is done.
        order.sort_by_key(|block| block.target());
        for block in order {
            let (source, target) = (groups[block.source()].first, groups[block.target()].first);
            for row in 0..block.rows() {
                let (columns, magnitudes) = block.edges_into(row);
                let (mut paths, mut weights) = (count[target + row], weight[target + row]);
                for (&column, &magnitude) in columns.iter().zip(magnitudes) {
                    let column = source + column as usize;
                    paths = paths + count[column];
                    weights = weights + weight[column] * Scaled::of(f64::from(magnitude));
                }
                (count[target + row], weight[target + row]) = (paths, weights);
            }
            if block.rows() > 0 {
                let weights_into_one = block.dense() as f64 / block.rows() as f64;
                let more = expected[block.source()] * Scaled::of(density * weights_into_one);
                expected[block.target()] = expected[block.target()] + more;
            }
        }
        let outputs = || groups.iter().enumerate().filter(|(_, group)| group.role == Role::Output);
        let over_outputs = |of: &[Scaled]| {
            let nodes = outputs().flat_map(|(_, group)| &of[group.first..group.first + group.size]);
            nodes.fold(Scaled::ZERO, |sum, &paths| sum + paths).ln()
        };
        Self {
            ln_count: over_outputs(&count),
            ln_expected: outputs()
                .filter(|_| !graph.shares_weights())
                .map(|(index, group)| expected[index] * Scaled::of(group.size as f64))
                .fold(Scaled::ZERO, Scaled::add)
                .ln(),
            ln_weight: over_outputs(&weight),
        }
    }
}

/// Of the whole, over kept weights, where they are shared over links (see [`Paths`]): `paths_exist` (1 or 0), `paths_ln` (no row where
/// no path exists), `paths_ln_expected`, and `paths_ln_weight` (no row where the sum is 0).
pub(super) fn measure(graph: &LayeredGraph, _: &Options) -> Vec<Measurement> {
    let mut out = Measurements::default();
    let paths = Paths::of(graph);
    out.push(WHOLE, "paths_exist", f64::from(u8::from(paths.ln_count.is_some())));
    out.push_some(WHOLE, "paths_ln", paths.ln_count);
    out.push_some(WHOLE, "paths_ln_expected", paths.ln_expected);
    out.push_some(WHOLE, "paths_ln_weight", paths.ln_weight);
    out.into_vec()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{dense_chain, graphs, layered, value};
    use super::*;
    use crate::graph::Block;
    use proptest::prelude::*;

    #[test]
    fn a_dense_chain_has_the_product_of_its_sizes() {
        let paths = Paths::of(&dense_chain(&[7, 5, 3, 2]));
        assert_eq!(paths, Paths { ln_count: Some(210f64.ln()), ln_expected: Some(210f64.ln()), ..paths });
        assert_eq!(paths.ln_weight, Some(210f64.ln()));
    }

    #[test]
    fn thousands_of_layers_do_not_overflow() {
        let paths = Paths::of(&dense_chain(&[10; 2001]));
        let expected = 2001.0 * 10f64.ln();
        assert!((paths.ln_count.unwrap() / expected - 1.0).abs() < 1e-12);
        assert!((paths.ln_expected.unwrap() / expected - 1.0).abs() < 1e-12);
        let tiny = (0..400).map(|index| {
            Block::new(format!("{index}"), (index, 1), (index + 1, 1), 1, [(0, 0, f32::from_bits(1))]).unwrap()
        });
        let paths = Paths::of(&layered(&[1; 401], tiny.collect()));
        assert!((paths.ln_weight.unwrap() / (400.0 * f64::from(f32::from_bits(1)).ln()) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn without_a_path_there_is_no_logarithm() {
        let first = Block::new("a", (0, 1), (1, 2), 2, [(0, 0, 1.0)]).unwrap();
        let second = Block::new("b", (1, 2), (2, 1), 2, [(0, 1, 1.0)]).unwrap();
        let found = measure(&layered(&[1, 2, 1], vec![first, second]), &Options::default());
        assert_eq!(value(&found, WHOLE, "paths_exist"), 0.0);
        assert!(!found.iter().any(|one| one.metric == "paths_ln" || one.metric == "paths_ln_weight"));
        // Density 1/2, two paths of two weights.
        assert_eq!(value(&found, WHOLE, "paths_ln_expected"), 0.5f64.ln());
    }

    #[test]
    fn the_expectation_is_the_mean_over_masks_with_kernels_and_skips() {
        // in 2 -> h 1 (2 weights a pair) -> out 2, and in -> out: all 10 weights with p = 1/2 by
        // the count of dense paths: 2 x 2 x 2 of two weights, 4 of one.
        let first = Block::new("a", (0, 2), (1, 1), 4, [(0, 0, 1.0), (0, 1, 1.0)]).unwrap();
        let second = Block::new("b", (1, 1), (2, 2), 2, [(0, 0, 1.0)]).unwrap();
        let skip = Block::new("c", (0, 2), (2, 2), 4, [(0, 0, 1.0), (1, 1, 1.0)]).unwrap();
        let paths = Paths::of(&layered(&[2, 1, 2], vec![first, second, skip]));
        assert_eq!(paths.ln_expected, Some((8.0 * 0.25 + 4.0 * 0.5f64).ln()));
        assert_eq!(paths.ln_count, Some(4f64.ln()));
    }

    proptest! {
        /// By walking every path over the list of weights.
        #[test]
        fn paths_one_by_one(graph in graphs()) {
            let weights: Vec<(f32, u32, u32)> = graph.weights().collect();
            let groups = graph.groups();
            let outputs = groups[groups.len() - 1].first as u32;
            let (mut count, mut sum) = (0u32, 0.0);
            let mut stack: Vec<(u32, f64)> = (0..groups[0].size as u32).map(|input| (input, 1.0)).collect();
            while let Some((node, product)) = stack.pop() {
                if node >= outputs {
                    count += 1;
                    sum += product;
                }
                stack.extend(weights.iter().filter(|edge| edge.1 == node).map(|edge| (edge.2, product * f64::from(edge.0))));
            }
            let paths = Paths::of(&graph);
            prop_assert_eq!(paths.ln_count, (count > 0).then(|| f64::from(count).ln()));
            prop_assert_eq!(paths.ln_weight, (sum > 0.0).then(|| sum.ln()));
        }
    }
}
