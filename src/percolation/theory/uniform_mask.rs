//! Uniform masks of a dense network: each weight kept with probability p, whatever its layer.

use super::joint_degrees::any;
use super::root::rising_root;
use super::spectral_radius::spectral_radius;
use crate::graph::{LayeredGraph, Role};

/// The smallest density that is searched.
const LEAST: f64 = 1e-300;

/// A dense network as seen by a uniform mask, which keeps each weight with probability p: the sizes
/// of the groups, and how many weights may join two nodes of joined groups.
///
/// A pair of nodes is joined with probability q(p) = 1 - (1 - p)^t, t = dense weights of the block /
/// (rows x columns): p in a linear layer, and the taps of a kernel under the channel encoding. Where
/// a block has fewer weights than pairs of nodes (t < 1: a layer that is sparse by design), q = t p,
/// as if its weights were spread over all pairs at random. Of local connections, as in lattices or
/// unrolled convolutions, that is not true, and these thresholds say nothing.
///
/// ```
/// use prunephase::percolation::theory::UniformMask;
/// let lenet = UniformMask::chain(&[784, 300, 100, 10]);
/// let p_c = lenet.threshold().unwrap();
/// assert_eq!(format!("{p_c:.5}"), "0.00194");
/// assert_eq!((p_c * 266_200.0).round(), 517.0);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct UniformMask {
    sizes: Vec<f64>,
    inputs: Vec<bool>,
    outputs: Vec<bool>,
    /// (source, target, weights a pair).
    blocks: Vec<(usize, usize, f64)>,
}

impl UniformMask {
    /// The dense network of a graph; which weights the graph keeps has no effect.
    pub fn of(graph: &LayeredGraph) -> Self {
        let has = |role: Role| graph.groups().iter().map(|group| group.role == role).collect();
        let weights = |block: &crate::graph::Block| {
            let pairs = block.rows() as f64 * block.columns() as f64;
            if pairs > 0.0 { block.dense() as f64 / pairs } else { 0.0 }
        };
        Self {
            sizes: graph.groups().iter().map(|group| group.size as f64).collect(),
            inputs: has(Role::Input),
            outputs: has(Role::Output),
            blocks: graph.blocks().iter().map(|block| (block.source(), block.target(), weights(block))).collect(),
        }
    }

    /// A chain of fully joined groups of these sizes, from the inputs to the outputs.
    pub fn chain(sizes: &[usize]) -> Self {
        let last = sizes.len().saturating_sub(1);
        Self {
            sizes: sizes.iter().map(|&size| size as f64).collect(),
            inputs: (0..sizes.len()).map(|group| group == 0).collect(),
            outputs: (0..sizes.len()).map(|group| group == last).collect(),
            blocks: (0..last).map(|group| (group, group + 1, 1.0)).collect(),
        }
    }

    fn joined(p: f64, weights: f64) -> f64 {
        if weights < 1.0 { weights * p } else { any(p, weights) }
    }

    /// The spectral radius of the mean degrees at density `p`: nodes of group h joined to a node of
    /// group g number q(p) N_h, which is symmetrised to q(p) sqrt(N_g N_h).
    pub fn mean_branching(&self, p: f64) -> f64 {
        let mut matrix = vec![vec![0.0; self.sizes.len()]; self.sizes.len()];
        for &(source, target, weights) in &self.blocks {
            let entry = Self::joined(p, weights) * (self.sizes[source] * self.sizes[target]).sqrt();
            matrix[source][target] = entry;
            matrix[target][source] = entry;
        }
        spectral_radius(&matrix)
    }

    /// The density p_c at which a uniform mask first has a giant component, where
    /// [`UniformMask::mean_branching`] is 1; `None` where even the dense network is below.
    ///
    /// For a chain of linear layers 1/lambda_max(T), T tridiagonal with T_(l,l+1) = sqrt(N_l
    /// N_(l+1)) (B. Bollobas, S. Janson and O. Riordan, Random Struct. Algorithms 31, 3,
    /// doi:10.1002/rsa.20168). A limit of large groups: the ten outputs of a classifier are not.
    pub fn threshold(&self) -> Option<f64> {
        let dense = self.mean_branching(1.0);
        if dense < 1.0 {
            return None;
        }
        if self.blocks.iter().all(|&(_, _, weights)| weights <= 1.0) {
            return Some(1.0 / dense);
        }
        Some(rising_root(|p| self.mean_branching(p), 1.0, LEAST, 1.0))
    }

    /// The mean number of directed paths from an input to an output at density `p`, a path being a
    /// sequence of joined nodes. p^L times the product of all N_l for a chain of L linear layers.
    pub fn mean_paths(&self, p: f64) -> f64 {
        let mut ending: Vec<f64> =
            self.sizes.iter().zip(&self.inputs).map(|(&size, &input)| if input { size } else { 0.0 }).collect();
        let mut blocks = self.blocks.clone();
        // Groups are in topological order, so all paths into a source are known before it is used.
        blocks.sort_by_key(|&(source, _, _)| source);
        for (source, target, weights) in blocks {
            ending[target] += ending[source] * Self::joined(p, weights) * self.sizes[target];
        }
        ending.iter().zip(&self.outputs).filter(|&(_, &output)| output).map(|(paths, _)| paths).sum()
    }

    /// The density at which about one directed path from an input to an output is left
    /// ([`UniformMask::mean_paths`] = 1); `None` where the dense network has none.
    ///
    /// (product of all N_l)^(-1/L) for a chain of L linear layers. The scale of the flow: for equal
    /// groups of N above [`UniformMask::threshold`] where L exceeds about log2 N, below it in
    /// networks that are wide and shallow.
    pub fn one_path(&self) -> Option<f64> {
        (self.mean_paths(1.0) >= 1.0).then(|| rising_root(|p| self.mean_paths(p), 1.0, LEAST, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Block, LayeredGraph};

    fn close(found: Option<f64>, expected: f64) {
        let found = found.unwrap();
        assert!((found / expected - 1.0).abs() < 1e-11, "{found} {expected}");
    }

    #[test]
    fn chains_of_known_threshold() {
        // One block: sqrt(N M). Equal groups: 2 N cos(pi/(groups + 1)).
        close(UniformMask::chain(&[400, 900]).threshold(), 1.0 / 600.0);
        let cosine = 2.0 * (std::f64::consts::PI / 6.0).cos();
        close(UniformMask::chain(&[100; 5]).threshold(), 1.0 / (100.0 * cosine));
        // 3 groups: lambda^2 = N_1 (N_0 + N_2).
        close(UniformMask::chain(&[784, 300, 100]).threshold(), 1.0 / (300.0 * 884.0f64).sqrt());
        let product: f64 = 784.0 * 300.0 * 100.0 * 10.0;
        close(UniformMask::chain(&[784, 300, 100, 10]).one_path(), product.powf(-1.0 / 3.0));
        assert_eq!(UniformMask::chain(&[1, 0, 1]).threshold(), None);
        assert_eq!(UniformMask::chain(&[]).one_path(), None);
        assert_eq!(UniformMask::chain(&[3]).threshold(), None);
    }

    #[test]
    fn kernels_join_two_channels_by_many_weights() {
        let block = |name: &str, groups: ((usize, usize), (usize, usize)), taps: usize| {
            let dense = groups.0.1 * groups.1.1 * taps;
            Block::new(name, groups.0, groups.1, dense, []).unwrap()
        };
        let groups = || [("in".into(), 4, Role::Input), ("out".into(), 9, Role::Output)];
        let graph = LayeredGraph::new(groups(), vec![block("a", ((0, 4), (1, 9)), 25)]).unwrap();
        // 1 - (1 - p)^25 = 1/6.
        let mask = UniformMask::of(&graph);
        close(mask.threshold(), 1.0 - (5.0f64 / 6.0).powf(1.0 / 25.0));
        // 36 pairs: 36 (1 - (1 - p)^25) = 1.
        close(mask.one_path(), 1.0 - (35.0f64 / 36.0).powf(1.0 / 25.0));
    }

    #[test]
    fn a_graph_that_is_no_chain() {
        // A triangle of groups of n: lambda = 2 n. Paths: p n^2 + p^2 n^3 = 1.
        let n = 10;
        let groups = ["a", "b", "c"].map(|name| {
            let role = if name == "a" { Role::Input } else { Role::Output };
            (name.to_owned(), n, if name == "b" { Role::Hidden } else { role })
        });
        let blocks = [(0, 1), (0, 2), (1, 2)]
            .map(|(source, target)| Block::new("x", (source, n), (target, n), n * n, []).unwrap());
        let mask = UniformMask::of(&LayeredGraph::new(groups, blocks.to_vec()).unwrap());
        close(mask.threshold(), 1.0 / 20.0);
        let (a, b) = (1000.0f64, 100.0);
        close(mask.one_path(), (-b + (b * b + 4.0 * a).sqrt()) / (2.0 * a));
    }
}
