//! The spectral radius of the non-backtracking matrix.

use super::adjacency::Adjacency;
use super::eigen::leading;
use super::{Measurement, Measurements, Options, TopologyError, WHOLE};
use crate::graph::LayeredGraph;

/// Relative step at which the iteration ends; it converges quadratically, so that the error is below.
const TOLERANCE: f64 = 1e-11;

/// Steps at most; about six are usual.
const STEPS: usize = 100;

/// The spectral radius of the non-backtracking (Hashimoto) matrix B of the undirected simple graph of
/// pairs: B has a row and a column for each of the two directions of a pair, and B[u -> v, v -> w] = 1
/// where w is not u. 0 for a forest, 1 where no component has more than one cycle.
///
/// It counts walks that never turn back: a graph that is locally a tree keeps a giant component after
/// a random dilution of its pairs to a share phi where phi > 1 / radius (Karrer, Newman and Zdeborova,
/// Phys. Rev. Lett. 113, 208702 (2014), doi:10.1103/PhysRevLett.113.208702).
///
/// By the formula of Ihara and Bass (H. Bass, Int. J. Math. 3, 717 (1992),
/// doi:10.1142/S0129167X92000357) the eigenvalues of B other than 1 and -1 are the lambda for which
/// H(lambda) = lambda^2 I - lambda A + D - I is singular, and H is positive definite above the radius.
/// So for any vector y the larger root of y^T H(lambda) y = 0 bounds the radius from below, and the
/// null vector of H attains it. From the mean degree less 1, each step takes the leading vector of the
/// symmetric (lambda^2 + D - I)^(-1/2) A (lambda^2 + D - I)^(-1/2) and goes to its root, until a step
/// is below 1e-11 of the radius. No power of B is needed, whose convergence is slow near the threshold
/// and which oscillates in a bipartite graph. Only the 2-core counts, component by component.
/// O(pairs) a product, about a hundred products.
///
/// # Errors
/// [`TopologyError::NotConverged`].
///
/// ```
/// use prunephase::graph::{Block, LayeredGraph, Role};
/// use prunephase::topology::non_backtracking_radius;
///
/// // Every one of 3 inputs with every one of 3 outputs: 3-regular.
/// let entries = (0..9).map(|cell| (cell / 3, cell % 3, 1.0));
/// let block = Block::new("fc", (0, 3), (1, 3), 9, entries)?;
/// let graph = LayeredGraph::new([("in".into(), 3, Role::Input), ("fc".into(), 3, Role::Output)], vec![block])?;
/// assert!((non_backtracking_radius(&graph)? - 2.0).abs() < 1e-12);
/// # Ok::<(), prunephase::Error>(())
/// ```
pub fn non_backtracking_radius(graph: &LayeredGraph) -> Result<f64, TopologyError> {
    let mut radius = 0.0f64;
    for component in core_components(&Adjacency::undirected(graph)) {
        let own = if component.entries() == 2 * component.nodes() { 1.0 } else { radius_of(&component)? };
        radius = radius.max(own);
    }
    Ok(radius)
}

/// Of the whole: `non_backtracking_radius`.
pub(super) fn measure(graph: &LayeredGraph, _: &Options) -> Result<Vec<Measurement>, TopologyError> {
    let mut out = Measurements::default();
    out.push(WHOLE, "non_backtracking_radius", non_backtracking_radius(graph)?);
    Ok(out.into_vec())
}

/// The connected components of the 2-core: what is left when nodes with fewer than two neighbours are
/// taken out again and again.
fn core_components(graph: &Adjacency) -> Vec<Adjacency> {
    const OUT: u32 = u32::MAX;
    const CORE: u32 = u32::MAX - 1;
    let mut degrees: Vec<usize> = (0..graph.nodes()).map(|node| graph.degree(node)).collect();
    let mut place: Vec<u32> = vec![CORE; graph.nodes()];
    let mut leaves: Vec<usize> = (0..graph.nodes()).filter(|&node| degrees[node] < 2).collect();
    leaves.iter().for_each(|&leaf| place[leaf] = OUT);
    while let Some(leaf) = leaves.pop() {
        for &neighbour in graph.of(leaf) {
            let neighbour = neighbour as usize;
            degrees[neighbour] -= 1;
            if place[neighbour] == CORE && degrees[neighbour] < 2 {
                place[neighbour] = OUT;
                leaves.push(neighbour);
            }
        }
    }
    let mut components = Vec::new();
    for first in 0..graph.nodes() {
        if place[first] != CORE {
            continue;
        }
        place[first] = 0;
        let mut nodes = vec![first];
        let mut next = 0;
        while next < nodes.len() {
            for &neighbour in graph.of(nodes[next]) {
                if place[neighbour as usize] == CORE {
                    place[neighbour as usize] = nodes.len() as u32;
                    nodes.push(neighbour as usize);
                }
            }
            next += 1;
        }
        components.push(Adjacency::build(nodes.len(), |visit| {
            for (index, &node) in nodes.iter().enumerate() {
                for &neighbour in graph.of(node).iter().filter(|&&neighbour| place[neighbour as usize] != OUT) {
                    visit(index as u32, place[neighbour as usize]);
                }
            }
        }));
    }
    components
}

/// The radius of a connected graph without leaves and with more than one cycle.
fn radius_of(graph: &Adjacency) -> Result<f64, TopologyError> {
    let n = graph.nodes();
    let mut lambda = graph.entries() as f64 / n as f64 - 1.0;
    let mut y = vec![1.0; n];
    let mut step = f64::INFINITY;
    let failed = |steps, residual| TopologyError::NotConverged {
        place: WHOLE.to_owned(),
        what: "non-backtracking spectral radius",
        steps,
        residual,
        tolerance: TOLERANCE,
    };
    for _ in 0..STEPS {
        let scale: Vec<f64> = (0..n).map(|i| (lambda * lambda + graph.degree(i) as f64 - 1.0).sqrt()).collect();
        let start = y.iter().zip(&scale).map(|(y, scale)| y * scale).collect();
        let found = leading(1, vec![start], 1e-9, |x, image| scaled_product(graph, x, &scale, image))
            .map_err(|unfinished| failed(unfinished.products, unfinished.residual))?;
        y = found.vectors[0].iter().zip(&scale).map(|(x, scale)| x / scale).collect();
        // lambda^2 c - lambda a + b = 0 with c = y^T y, b = y^T (D - I) y and a = y^T A y, which is the
        // eigenvalue: the vector x = S y has length 1.
        let a = found.values[0];
        let (mut b, mut c) = (0.0, 0.0);
        for (i, y) in y.iter().enumerate() {
            b += (graph.degree(i) as f64 - 1.0) * y * y;
            c += y * y;
        }
        let root = (a + (a * a - 4.0 * b * c).max(0.0).sqrt()) / (2.0 * c);
        step = (root - lambda) / lambda;
        lambda = lambda.max(root);
        if step <= TOLERANCE {
            return Ok(lambda);
        }
    }
    Err(failed(STEPS, step))
}

/// `image` = S^-1 A S^-1 x.
fn scaled_product(graph: &Adjacency, x: &[f64], scale: &[f64], image: &mut [f64]) {
    let scaled: Vec<f64> = x.iter().zip(scale).map(|(x, scale)| x / scale).collect();
    for (node, image) in image.iter_mut().enumerate() {
        *image = graph.of(node).iter().map(|&j| scaled[j as usize]).sum::<f64>() / scale[node];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seed::Seeds;
    use crate::topology::testing::{chain, graphs, random_chain};

    /// The radius of the explicit matrix: (B + I)^(2^60) by squaring, whose norm grows as
    /// (radius + 1)^(2^60); the shift stops oscillations.
    fn by_squaring(graph: &LayeredGraph) -> f64 {
        let graph = Adjacency::undirected(graph);
        let arrows: Vec<(usize, usize)> =
            (0..graph.nodes()).flat_map(|u| graph.of(u).iter().map(move |&v| (u, v as usize))).collect();
        let entry = |a: &(usize, usize), b: &(usize, usize)| f64::from(u8::from(a.1 == b.0 && b.1 != a.0 || a == b));
        let mut power: Vec<Vec<f64>> = arrows.iter().map(|a| arrows.iter().map(|b| entry(a, b)).collect()).collect();
        let mut log = 0.0;
        for step in 0..60 {
            let largest = power.iter().flatten().copied().fold(0.0, f64::max);
            if largest == 0.0 {
                return 0.0;
            }
            log += f64::ln(largest) / 2f64.powi(step);
            power.iter_mut().flatten().for_each(|x| *x /= largest);
            power = power
                .iter()
                .map(|row| {
                    let mut sum = vec![0.0; row.len()];
                    for (&x, other) in row.iter().zip(&power).filter(|&(&x, _)| x > 0.0) {
                        sum.iter_mut().zip(other).for_each(|(sum, y)| *sum += x * y);
                    }
                    sum
                })
                .collect();
        }
        f64::exp(log) - 1.0
    }

    fn assert_radius(graph: &LayeredGraph, expected: f64) {
        let found = non_backtracking_radius(graph).unwrap();
        assert!((found - expected).abs() <= 1e-10 * (1.0 + expected), "{found}, not {expected}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn small_graphs_agree_with_the_explicit_matrix(graph in graphs().prop_filter("size", |g| g.pairs() <= 40)) {
            assert_radius(&graph, by_squaring(&graph));
        }
    }

    #[test]
    fn regular_graphs() {
        for d in [2usize, 3, 7] {
            let circulant = chain(&[11, 11], |_, row, column| ((11 + column - row) % 11 < d).then_some(1.0));
            assert_radius(&circulant, d as f64 - 1.0);
        }
        // Complete bipartite: sqrt((a - 1)(b - 1)); and leaves change nothing.
        assert_radius(&chain(&[5, 10], |_, _, _| Some(1.0)), 6.0);
        let leaves = chain(&[5, 10, 50], |layer, row, column| (layer == 0 || row % 10 == column).then_some(1.0));
        assert_radius(&leaves, 6.0);
    }

    #[test]
    fn cycles_and_forests() {
        let cycle = |length: usize| {
            move |_, row: usize, column: usize| (row == column || (row + 1) % length == column).then_some(1.0)
        };
        assert_eq!(non_backtracking_radius(&chain(&[30, 30], cycle(30))).unwrap(), 1.0);
        assert_eq!(
            non_backtracking_radius(&chain(&[1, 9, 1], |layer, row, column| {
                (layer == 0 || (row, column) == (0, 4)).then_some(1.0)
            }))
            .unwrap(),
            0.0
        );
        assert_eq!(non_backtracking_radius(&chain(&[3, 3], |_, _, _| None)).unwrap(), 0.0);
    }

    #[test]
    fn long_chains_between_branchings() {
        // A theta graph whose three strands each have `length` pairs: two walks go on at a branching,
        // so the radius is 2^(1/length). Strands alternate between the groups.
        for length in [3usize, 21, 201] {
            // Nodes along a strand k: branching a, then (k, 1), ..., (k, length - 1), then branching b.
            let name = |k: usize, at: usize| match at {
                0 => 0,
                at if at == length => 1,
                at => 2 + k * (length - 1) + at - 1,
            };
            let nodes = 2 + 3 * (length - 1);
            let mut joined = std::collections::HashSet::new();
            for k in 0..3 {
                for at in 0..length {
                    let (a, b) = (name(k, at), name(k, at + 1));
                    // Even places are columns and odd places rows; `length` is odd.
                    joined.insert(if at % 2 == 0 { (b, a) } else { (a, b) });
                }
            }
            let theta = chain(&[nodes, nodes], |_, row, column| joined.contains(&(row, column)).then_some(1.0));
            assert_radius(&theta, 2f64.powf(1.0 / length as f64));
        }
    }

    #[test]
    fn the_largest_component_decides() {
        // K(3,3) and a sparser large cycle with chords, apart.
        let graph = chain(&[43, 43], |_, row, column| match (row, column) {
            (0..3, 0..3) => Some(1.0),
            (3.., 3..) => {
                (row == column || (row - 2) % 40 == column - 3 || (row == column + 9 && row % 8 == 0)).then_some(1.0)
            }
            _ => None,
        });
        assert_radius(&graph, 2.0);
    }

    #[test]
    fn a_random_layer_has_the_radius_of_its_branching() {
        // Poisson degrees of mean 6 on both sides: <k (k - 1)> / <k> = 6, up to fluctuations.
        let graph = random_chain(&[3000, 3000], 0.002, &mut Seeds::new(5, 0).stream("test"));
        let radius = non_backtracking_radius(&graph).unwrap();
        assert!((radius - 6.0).abs() < 0.2, "{radius}");
    }
}
