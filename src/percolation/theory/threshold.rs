//! Where the random graph with the joint degrees of a graph falls apart.

use super::joint_degrees::JointDegrees;
use super::root::rising_root;
use super::spectral_radius::spectral_radius;
use super::uniform_mask::UniformMask;
use crate::graph::LayeredGraph;

/// The mean numbers of edges that follow, B: row e, column f holds the mean number of edges of type
/// f that leave the node at which a random edge of type e arrives, that edge itself excluded.
///
/// With the degrees k of the nodes of the group, an edge that arrives through block b leaves through
/// block c != b <k_b k_c>/<k_b> times, and back through b <k_b (k_b - 1)>/<k_b> times. Rows and
/// columns are [`EdgeType::index`](super::EdgeType::index); those of blocks without pairs are 0.
/// O(different degrees x blocks a group^2).
pub fn branching(joint: &JointDegrees) -> Vec<Vec<f64>> {
    let mut matrix = vec![vec![0.0; joint.types()]; joint.types()];
    for group in &joint.groups {
        for (back, arriving) in group.leaving.iter().enumerate() {
            let mean = group.mean(|degrees| f64::from(degrees[back]));
            if mean == 0.0 {
                continue;
            }
            for (place, leaving) in group.leaving.iter().enumerate() {
                let follow = group.mean(|degrees| {
                    let others = f64::from(degrees[place]) - f64::from(u8::from(place == back));
                    f64::from(degrees[back]) * others
                });
                matrix[arriving.reversed().index()][leaving.index()] = follow / mean;
            }
        }
    }
    matrix
}

/// Lambda, the spectral radius of [`branching`], to a relative 1e-12; 0 where there are no pairs.
///
/// The random graph with these joint degrees has a giant component if and only if Lambda > 1
/// (M. E. J. Newman, S. H. Strogatz and D. J. Watts, Phys. Rev. E 64, 026118, for one group and for
/// bipartite graphs). Correlations between the degrees of joined nodes are not in it.
pub fn lambda(joint: &JointDegrees) -> f64 {
    spectral_radius(&branching(joint))
}

/// The share phi_c of the kept weights, drawn uniformly, below which no giant component is left;
/// `None` where there is none even with all of them (Lambda <= 1).
///
/// 1/Lambda where every pair has one weight. Where several weights join two nodes the pair survives
/// longer than each of them: phi_c then solves spectral radius = 1 with every column of B multiplied
/// by [`BlockPairs::retained`](super::BlockPairs::retained).
pub fn phi_c(joint: &JointDegrees) -> Option<f64> {
    let matrix = branching(joint);
    let lambda = spectral_radius(&matrix);
    if lambda <= 1.0 {
        return None;
    }
    let most = joint.blocks.iter().flat_map(|block| &block.multiplicities).map(|&(weights, _)| weights).max()?;
    if most == 1 {
        return Some(1.0 / lambda);
    }
    let diluted = |phi: f64| {
        let retained: Vec<f64> = joint.blocks.iter().map(|block| block.retained(phi)).collect();
        let row = |row: &Vec<f64>| row.iter().enumerate().map(|(kind, entry)| entry * retained[kind / 2]).collect();
        spectral_radius(&matrix.iter().map(row).collect::<Vec<_>>())
    };
    // No pair survives with more than `most` times the probability of a weight.
    Some(rising_root(diluted, 1.0, 1.0 / (lambda * f64::from(most)), 1.0))
}

/// The thresholds of a graph as (metric, value), those that do not exist left out; none of a graph with
/// skips, which no dilution removes:
///
/// | metric | value |
/// | --- | --- |
/// | lambda | [`lambda`] of the graph's pairs |
/// | phi_c | [`phi_c`], as a share of the kept weights |
/// | p_c_configuration | the same as a density, phi_c x density |
/// | p_c_uniform | [`UniformMask::threshold`] of the dense network, a density |
/// | edges_c_uniform | the same as a number of kept weights, p_c_uniform x dense |
/// | p_one_path | [`UniformMask::one_path`] of the dense network, a density |
///
/// ```
/// use prunephase::graph::{Encoding, LayeredGraph};
/// use prunephase::mask::Mask;
/// use prunephase::network::{Architecture, FeatureShape, Parameters};
/// use prunephase::percolation::theory::thresholds;
/// use prunephase::seed::Seeds;
///
/// let network = Architecture::built_in("fc4")?.network(4, FeatureShape::image(1, 8, 8), 10)?;
/// let parameters = Parameters::initialise(&network, &mut Seeds::new(0, 0).stream("initialisation"));
/// let graph = LayeredGraph::from_network(&network, &parameters, &Mask::dense(&network), Encoding::Channel)?;
/// let found = thresholds(&graph);
/// assert_eq!((found[1].0, found[2].0), ("phi_c", "p_c_configuration"));
/// assert_eq!(found[1].1, found[2].1); // dense: the share and the density are one
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn thresholds(graph: &LayeredGraph) -> Vec<(&'static str, f64)> {
    if graph.has_skips() {
        return Vec::new();
    }
    let joint = JointDegrees::of(graph);
    let phi_c = phi_c(&joint);
    let mask = UniformMask::of(graph);
    let p_c = mask.threshold();
    let density = graph.density().value();
    [
        ("lambda", Some(lambda(&joint))),
        ("phi_c", phi_c),
        ("p_c_configuration", phi_c.map(|phi| phi * density)),
        ("p_c_uniform", p_c),
        ("edges_c_uniform", p_c.map(|p| p * graph.dense() as f64)),
        ("p_one_path", mask.one_path()),
    ]
    .into_iter()
    .filter_map(|(metric, value)| Some((metric, value?)))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{layered, random_dag};
    use super::*;
    use crate::seed::Seeds;

    /// DESIGN's chain formulas, written out: types u_l and d_l for l to l + 1.
    fn chain(degrees: &[Vec<(u32, u32)>]) -> Vec<Vec<f64>> {
        let blocks = degrees.len() - 1;
        let mut matrix = vec![vec![0.0; 2 * blocks]; 2 * blocks];
        let mean = |level: usize, of: &dyn Fn(f64, f64) -> f64| -> f64 {
            degrees[level].iter().map(|&(below, above)| of(below.into(), above.into())).sum::<f64>()
                / degrees[level].len() as f64
        };
        for l in 0..blocks {
            let (u, d) = (2 * l, 2 * l + 1);
            let (below, above) = (mean(l + 1, &|b, _| b), mean(l, &|_, a| a));
            if below > 0.0 {
                if l + 1 < blocks {
                    matrix[u][u + 2] = mean(l + 1, &|b, a| b * a) / below;
                }
                matrix[u][d] = mean(l + 1, &|b, _| b * (b - 1.0)) / below;
            }
            if above > 0.0 {
                if l > 0 {
                    matrix[d][d - 2] = mean(l, &|b, a| b * a) / above;
                }
                matrix[d][u] = mean(l, &|_, a| a * (a - 1.0)) / above;
            }
        }
        matrix
    }

    #[test]
    fn a_chain_gives_the_formulas_of_a_chain() {
        let mut stream = Seeds::new(3, 0).stream("test");
        for _ in 0..50 {
            let sizes: Vec<usize> = (0..4).map(|_| 1 + stream.below(6) as usize).collect();
            let mut degrees: Vec<Vec<(u32, u32)>> = sizes.iter().map(|&size| vec![(0, 0); size]).collect();
            let mut blocks = Vec::new();
            for level in 0..3 {
                let mut entries = Vec::new();
                for row in 0..sizes[level + 1] {
                    for column in 0..sizes[level] {
                        if stream.below(3) == 0 {
                            entries.push((row, column));
                            degrees[level + 1][row].0 += 1;
                            degrees[level][column].1 += 1;
                        }
                    }
                }
                blocks.push((level, level + 1, entries));
            }
            let found = branching(&JointDegrees::of(&layered(&sizes, &blocks)));
            let expected = chain(&degrees);
            for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                assert!((found - expected).abs() < 1e-12, "{found} {expected}");
            }
        }
    }

    #[test]
    fn regular_graphs_by_hand() {
        // A cycle of 2n nodes, every degree 2: exactly critical.
        let cycle: Vec<(usize, usize)> = (0..5).flat_map(|row| [(row, row), (row, (row + 1) % 5)]).collect();
        let joint = JointDegrees::of(&layered(&[5, 5], &[(0, 1, cycle)]));
        assert!((lambda(&joint) - 1.0).abs() < 1e-12);
        // Bipartite complete: degrees 3 and 4, Lambda = sqrt(2 x 3).
        let full: Vec<(usize, usize)> = (0..4).flat_map(|row| (0..3).map(move |column| (row, column))).collect();
        let joint = JointDegrees::of(&layered(&[3, 4], &[(0, 1, full)]));
        assert!((lambda(&joint) - 6f64.sqrt()).abs() < 1e-12);
        assert!((phi_c(&joint).unwrap() - 1.0 / 6f64.sqrt()).abs() < 1e-12);
        // No edges, and a single edge.
        let none = JointDegrees::of(&layered(&[3, 4], &[(0, 1, vec![])]));
        assert_eq!((lambda(&none), phi_c(&none)), (0.0, None));
        let one = JointDegrees::of(&layered(&[3, 4], &[(0, 1, vec![(1, 1)])]));
        assert_eq!((lambda(&one), phi_c(&one)), (0.0, None));
    }

    #[test]
    fn pairs_of_several_weights_survive_longer() {
        // Degrees 3 and 4 again, every pair by two weights: 1 - (1 - phi)^2 = 1/sqrt(6).
        let twice: Vec<(usize, usize)> =
            (0..4).flat_map(|row| (0..3).flat_map(move |column| [(row, column); 2])).collect();
        let joint = JointDegrees::of(&layered(&[3, 4], &[(0, 1, twice)]));
        assert!((lambda(&joint) - 6f64.sqrt()).abs() < 1e-12);
        let expected = 1.0 - (1.0 - 1.0 / 6f64.sqrt()).sqrt();
        assert!((phi_c(&joint).unwrap() - expected).abs() < 1e-12);
    }

    /// Counts of walks that never turn back along their edge give the same numbers: the expected
    /// number of continuations, from the list of directed edges.
    #[test]
    fn branching_is_the_mean_over_directed_edges() {
        let mut stream = Seeds::new(4, 0).stream("test");
        for _ in 0..50 {
            let graph = random_dag(&mut stream);
            let joint = JointDegrees::of(&graph);
            let mut directed = Vec::new();
            for (index, block) in graph.blocks().iter().enumerate() {
                let (source, target) = (graph.groups()[block.source()].first, graph.groups()[block.target()].first);
                for row in 0..block.rows() {
                    for &column in block.pairs_into(row).0 {
                        let (a, b) = (source + column as usize, target + row);
                        directed.push((2 * index, a, b));
                        directed.push((2 * index + 1, b, a));
                    }
                }
            }
            let mut expected = vec![vec![0.0; joint.types()]; joint.types()];
            let mut count = vec![0.0; joint.types()];
            for &(e, from, at) in &directed {
                count[e] += 1.0;
                for &(f, start, to) in &directed {
                    if start == at && to != from {
                        expected[e][f] += 1.0;
                    }
                }
            }
            let found = branching(&joint);
            for e in 0..joint.types() {
                for f in 0..joint.types() {
                    let mean = if count[e] == 0.0 { 0.0 } else { expected[e][f] / count[e] };
                    assert!((found[e][f] - mean).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn thresholds_that_do_not_exist_are_left_out() {
        let names = |graph| thresholds(&graph).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let graph = layered(&[30, 40, 10], &[(0, 1, vec![(0, 0)]), (1, 2, vec![])]);
        assert_eq!(names(graph), ["lambda", "p_c_uniform", "edges_c_uniform", "p_one_path"]);
        assert_eq!(names(layered(&[2, 2], &[])), ["lambda"]);
    }
}
