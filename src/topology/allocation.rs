//! How the kept weights are spread over the layers, and where each layer would vanish.

use super::{Measurement, Measurements, Options, WHOLE};
use crate::graph::LayeredGraph;

/// A rule that gives each layer its density at a given number of weights of the whole network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocation {
    /// The same density everywhere.
    Uniform,
    /// Density proportional to (n_in + n_out) / (n_in n_out), channels of a convolution counted as
    /// units (Mocanu et al., Nat. Commun. 9, 2383 (2018)).
    ErdosRenyi,
    /// Density proportional to (n_in + n_out + kh + kw) / (n_in n_out kh kw); the same as
    /// [`Allocation::ErdosRenyi`] for a linear layer (Evci et al., arXiv:1911.11134).
    ErdosRenyiKernel,
}

impl Allocation {
    /// The density of each layer with weights of shape [out, in] or [out, in, kh, kw], such that
    /// the layers together keep `kept` weights (not rounded to whole weights). A layer that would
    /// exceed density 1 gets 1, and what it cannot take goes to the others by the same rule. The
    /// inputs of a linear layer behind a flattened map are all the positions of the map, as its
    /// shape says. O(layers^2).
    ///
    /// ```
    /// use prunephase::topology::Allocation;
    /// let densities = Allocation::ErdosRenyi.densities(&[vec![300, 784], vec![10, 300]], 5000.0);
    /// // 1084/(300 x 784) and 310/3000, times 5000/(1084 + 310).
    /// assert!((densities[0] - 0.016532).abs() < 1e-6);
    /// assert!((densities[1] - 0.370636).abs() < 1e-6);
    /// ```
    pub fn densities(self, shapes: &[Vec<usize>], kept: f64) -> Vec<f64> {
        let weights: Vec<f64> = shapes.iter().map(|shape| shape.iter().product::<usize>() as f64).collect();
        let proportions: Vec<f64> = shapes
            .iter()
            .map(|shape| {
                let sides = match self {
                    Self::Uniform => return 1.0,
                    Self::ErdosRenyi => &shape[..shape.len().min(2)],
                    Self::ErdosRenyiKernel => shape,
                };
                sides.iter().sum::<usize>() as f64 / sides.iter().product::<usize>() as f64
            })
            .collect();
        let mut full = vec![false; shapes.len()];
        loop {
            let (mut left, mut share) = (kept, 0.0);
            for (index, &weights) in weights.iter().enumerate().filter(|&(_, &weights)| weights > 0.0) {
                if full[index] { left -= weights } else { share += weights * proportions[index] }
            }
            let factor = if share > 0.0 { left.max(0.0) / share } else { 0.0 };
            let density = |index: usize| match (weights[index] > 0.0, full[index]) {
                (false, _) => 0.0,
                (true, true) => 1.0,
                (true, false) => factor * proportions[index],
            };
            let densities: Vec<f64> = (0..shapes.len()).map(density).collect();
            let over: Vec<usize> = (0..shapes.len()).filter(|&index| densities[index] > 1.0).collect();
            if over.is_empty() {
                return densities;
            }
            over.into_iter().for_each(|index| full[index] = true);
        }
    }
}

/// For each block the smallest number of weights, kept in the whole network by descending |w|, with
/// which it keeps one: the rank of its largest |w| among all kept weights, from 1, ties broken by
/// layer, then by flat index. With one weight fewer, magnitude pruning has emptied the layer. `None`
/// where nothing is kept. O(edges log blocks + blocks^2).
pub fn vanishing(graph: &LayeredGraph) -> Vec<Option<usize>> {
    let magnitudes = |index: usize| graph.blocks()[index].magnitudes().iter().copied();
    let largest: Vec<Option<f32>> =
        (0..graph.blocks().len()).map(|index| magnitudes(index).max_by(f32::total_cmp)).collect();
    let mut ranks: Vec<Option<usize>> = largest.iter().map(|largest| largest.map(|_| 1)).collect();
    // Layers by ascending largest weight, the later of equals first: the layers that a weight stands
    // before are the first few of them.
    let mut thresholds: Vec<(f32, usize)> =
        largest.iter().enumerate().filter_map(|(index, largest)| Some(((*largest)?, index))).collect();
    thresholds.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    for index in 0..graph.blocks().len() {
        let mut runs = vec![0usize; thresholds.len() + 1];
        for magnitude in magnitudes(index) {
            let before =
                |&(largest, other): &(f32, usize)| magnitude > largest || (magnitude == largest && index < other);
            runs[thresholds.partition_point(before)] += 1;
        }
        let mut above = 0;
        for (place, &(_, other)) in thresholds.iter().enumerate().rev() {
            above += runs[place + 1];
            ranks[other] = ranks[other].map(|rank| rank + above);
        }
    }
    ranks
}

/// All over kept weights. Of each block: `density`, and beside it `density_uniform`,
/// `density_erdos_renyi` and `density_erdos_renyi_kernel` ([`Allocation`], with the shapes of
/// [`Options::shapes`]); `vanishes_at_edges` and `vanishes_at_density` ([`vanishing`]; no row where
/// nothing is kept), the latter that number / the weights of the dense network. Of the whole:
/// `density`, and the largest of the two over the blocks: with fewer weights a layer is empty, which
/// cuts a chain. No row where a layer is empty already.
pub(super) fn measure(graph: &LayeredGraph, options: &Options) -> Vec<Measurement> {
    let mut out = Measurements::default();
    let shapes: Vec<Vec<usize>> = graph
        .blocks()
        .iter()
        .map(|block| {
            let known = options.shapes.iter().find(|(name, _)| name == block.name());
            // Unless told otherwise, a linear layer of all the inputs that a row can have.
            known.map_or_else(|| vec![block.rows(), block.dense() / block.rows().max(1)], |(_, shape)| shape.clone())
        })
        .collect();
    let allocations = [
        ("density_uniform", Allocation::Uniform),
        ("density_erdos_renyi", Allocation::ErdosRenyi),
        ("density_erdos_renyi_kernel", Allocation::ErdosRenyiKernel),
    ]
    .map(|(metric, allocation)| (metric, allocation.densities(&shapes, graph.edges() as f64)));
    let ranks = vanishing(graph);
    let dense = graph.dense() as f64;
    let mut vanishes = |name: &str, rank: Option<usize>| {
        out.push_some(name, "vanishes_at_edges", rank.map(|rank| rank as f64));
        out.push_some(name, "vanishes_at_density", rank.map(|rank| rank as f64 / dense));
    };
    for (block, &rank) in graph.blocks().iter().zip(&ranks) {
        vanishes(block.name(), rank);
    }
    let of_layers = ranks.into_iter().zip(graph.blocks()).filter(|(_, block)| !block.is_skip()).map(|(rank, _)| rank);
    let all: Option<Vec<usize>> = of_layers.collect();
    vanishes(WHOLE, all.and_then(|ranks| ranks.into_iter().max()));
    for (index, block) in graph.blocks().iter().enumerate() {
        out.push(block.name(), "density", block.edges() as f64 / block.dense() as f64);
        for (metric, densities) in &allocations {
            out.push(block.name(), *metric, densities[index]);
        }
    }
    out.push(WHOLE, "density", graph.density().value());
    out.into_vec()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{graphs, layered, value};
    use super::*;
    use crate::graph::Block;
    use proptest::prelude::*;

    #[test]
    fn the_kernel_allocation_of_a_small_network() {
        // By hand: 3x3 kernels 1 -> 4 (36 weights), linear 16 -> 2 (32 weights).
        let shapes = [vec![4, 1, 3, 3], vec![2, 16]];
        let densities = Allocation::ErdosRenyiKernel.densities(&shapes, 14.5);
        // (4 + 1 + 3 + 3)/36 and 18/32, 29 weights in all at factor 1: halved.
        assert_eq!(densities, [11.0 / 72.0, 18.0 / 64.0]);
        let plain = Allocation::ErdosRenyi.densities(&shapes, 31.5);
        // 5/4 x 36 = 45 and 18 at factor 1: halved.
        assert_eq!(plain, [0.625, 18.0 / 64.0]);
        assert_eq!(Allocation::Uniform.densities(&shapes, 17.0), [0.25, 0.25]);
    }

    #[test]
    fn what_a_full_layer_cannot_take_goes_to_the_others() {
        let shapes = [vec![300, 784], vec![100, 300], vec![10, 100]];
        let kept = 40_000.0;
        let densities = Allocation::ErdosRenyi.densities(&shapes, kept);
        assert_eq!(densities[2], 1.0);
        let sum: f64 =
            shapes.iter().zip(&densities).map(|(shape, density)| (shape[0] * shape[1]) as f64 * density).sum();
        assert!((sum - kept).abs() < 1e-6);
        let ratio = |index: usize| densities[index] * (shapes[index][0] * shapes[index][1]) as f64;
        assert!((ratio(0) / ratio(1) - 1084.0 / 400.0).abs() < 1e-9);
        assert_eq!(Allocation::ErdosRenyi.densities(&shapes, 266_200.0), [1.0; 3]);
    }

    #[test]
    fn a_layer_vanishes_below_the_rank_of_its_largest_weight() {
        let first = Block::new("a", (0, 2), (1, 2), 4, [(0, 0, 0.5), (0, 1, -3.0), (1, 0, 2.0)]).unwrap();
        let second = Block::new("b", (1, 2), (2, 1), 2, [(0, 0, 1.0), (0, 1, -2.0)]).unwrap();
        let found = measure(&layered(&[2, 2, 1], vec![first, second]), &Options::default());
        // -3 (a), 2 (a), -2 (b): the tie goes to the earlier layer.
        assert_eq!((value(&found, "a", "vanishes_at_edges"), value(&found, "b", "vanishes_at_edges")), (1.0, 3.0));
        assert_eq!(value(&found, WHOLE, "vanishes_at_density"), 0.5);
        assert_eq!((value(&found, "a", "density"), value(&found, "a", "density_uniform")), (0.75, 5.0 / 6.0));
    }

    #[test]
    fn an_empty_layer_has_vanished() {
        let first = Block::new("a", (0, 1), (1, 1), 1, [(0, 0, 0.5)]).unwrap();
        let second = Block::new("b", (1, 1), (2, 1), 1, []).unwrap();
        let found = measure(&layered(&[1, 1, 1], vec![first, second]), &Options::default());
        assert_eq!(value(&found, "a", "vanishes_at_edges"), 1.0);
        assert!(!found.iter().any(|one| one.layer != "a" && one.metric.starts_with("vanishes")));
    }

    proptest! {
        /// By sorting all the weights.
        #[test]
        fn ranks_in_the_sorted_list(graph in graphs()) {
            let mut sorted = Vec::new();
            for (index, block) in graph.blocks().iter().enumerate() {
                sorted.extend((0..block.rows()).flat_map(|row| block.edges_into(row).1).map(|&magnitude| (magnitude, index)));
            }
            // Stable: what comes first stays first.
            sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
            let expected: Vec<Option<usize>> = (0..graph.blocks().len())
                .map(|index| sorted.iter().position(|&(_, block)| block == index).map(|place| place + 1))
                .collect();
            prop_assert_eq!(vanishing(&graph), expected);
        }

        #[test]
        fn every_allocation_keeps_the_number_of_weights(
            shapes in prop::collection::vec(prop::collection::vec(1usize..8, 2..5), 1..6),
            share in 0.0f64..=1.0,
        ) {
            let weights: Vec<f64> = shapes.iter().map(|shape| shape.iter().product::<usize>() as f64).collect();
            let kept = share * weights.iter().sum::<f64>();
            for allocation in [Allocation::Uniform, Allocation::ErdosRenyi, Allocation::ErdosRenyiKernel] {
                let densities = allocation.densities(&shapes, kept);
                let sum: f64 = weights.iter().zip(&densities).map(|(weights, density)| weights * density).sum();
                prop_assert!((sum - kept).abs() < 1e-9 * kept.max(1.0), "{:?}", densities);
                prop_assert!(densities.iter().all(|density| (0.0..=1.0).contains(density)));
            }
        }
    }
}
