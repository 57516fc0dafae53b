//! Leading singular values of the blocks and the Ramanujan bound.

use rayon::prelude::*;

use super::eigen::{dot, leading, norm};
use super::{Measurement, Measurements, Options, TopologyError};
use crate::graph::{Block, LayeredGraph};
use crate::seed::{Seeds, Stream};

/// Relative residual of the eigenpairs of A^T A.
const TOLERANCE: f64 = 1e-8;

/// Singular values below this part of the largest are 0.
const ZERO: f64 = 1e-12;

/// The two largest singular values of a matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SingularValues {
    /// sigma_1; 0 for a matrix without entries.
    pub first: f64,
    /// sigma_2; 0 where the rank is below 2.
    pub second: f64,
}

impl SingularValues {
    /// The spectral gap sigma_1 - sigma_2.
    pub fn gap(&self) -> f64 {
        self.first - self.second
    }
}

/// The leading spectrum of one block.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockSpectrum {
    /// The block's name.
    pub layer: String,
    /// Of the biadjacency matrix [out, in]: 1 where a pair is joined, 0 elsewhere. Its singular
    /// values are the eigenvalues of the bipartite graph that are not negative.
    pub adjacency: SingularValues,
    /// Of the signed weights as they are, pruned ones 0. The taps of a convolution that join the same
    /// two channels are summed, which is what the layer does to images that are constant.
    pub weights: SingularValues,
    /// sqrt(d_in - 1) + sqrt(d_out - 1) with the mean degrees of the rows and of the columns, isolated
    /// nodes left out; `None` without pairs.
    pub ramanujan_bound: Option<f64>,
}

impl BlockSpectrum {
    /// The bound less sigma_2 of the biadjacency matrix: not negative where the block is Ramanujan.
    /// `None` without pairs.
    pub fn ramanujan_difference(&self) -> Option<f64> {
        self.ramanujan_bound.map(|bound| bound - self.adjacency.second)
    }
}

/// The two largest singular values of every block, as a graph and as weights, and the Ramanujan bound.
///
/// A biregular bipartite graph with degrees d_in and d_out has sigma_1 = sqrt(d_in d_out) and is called
/// Ramanujan where sigma_2 <= sqrt(d_in - 1) + sqrt(d_out - 1). Masks are not regular: the bound is taken
/// at the mean degrees of the nodes that are not isolated. For irregular graphs it is a yardstick and no
/// theorem of optimality. On its use for pruned layers see Pal et al. (2022, openreview UxBH9j8IE_H) and
/// Hoang et al. (ICLR 2023, openreview uVcDssQff_).
///
/// Errors are below 1e-8 sigma_1, and for sigma_2 not below 1e-4 sigma_1 also below 1e-8 sigma_2. The
/// search works on A^T A or A A^T, whichever is smaller, from a block of two random vectors (the stream
/// `singular values` within the layer), so that sigma_1 = sigma_2 is found twice. Blocks run in parallel.
///
/// # Errors
/// [`TopologyError::NotConverged`] where the residual stays above the tolerance.
///
/// ```
/// use prunephase::graph::{Block, LayeredGraph, Role};
/// use prunephase::seed::Seeds;
/// use prunephase::topology::spectra;
///
/// // Two equal components: sigma_1 = sigma_2 = 1.
/// let block = Block::new("fc", (0, 2), (1, 2), 4, [(0, 0, 3.0), (1, 1, -2.0)])?;
/// let graph = LayeredGraph::new([("in".into(), 2, Role::Input), ("fc".into(), 2, Role::Output)], vec![block])?;
/// let found = spectra(&graph, &Seeds::new(0, 0))?;
/// assert!(found[0].adjacency.gap().abs() < 1e-12);
/// assert!((found[0].weights.first - 3.0).abs() < 1e-12 && (found[0].weights.second - 2.0).abs() < 1e-12);
/// assert_eq!(found[0].ramanujan_bound, Some(0.0));
/// # Ok::<(), prunephase::Error>(())
/// ```
pub fn spectra(graph: &LayeredGraph, seeds: &Seeds) -> Result<Vec<BlockSpectrum>, TopologyError> {
    graph.blocks().par_iter().map(|block| spectrum(block, &seeds.within(block.name()))).collect()
}

fn spectrum(block: &Block, seeds: &Seeds) -> Result<BlockSpectrum, TopologyError> {
    let mut stream = seeds.stream("singular values");
    let (mut weights, mut ones) = (Vec::new(), Vec::new());
    for row in 0..block.rows() {
        let (columns, magnitudes) = block.edges_into(row);
        for ((&column, &magnitude), negative) in columns.iter().zip(magnitudes).zip(block.negative_into(row)) {
            let weight = if negative { -f64::from(magnitude) } else { f64::from(magnitude) };
            weights.push((row as u32, column, weight));
        }
        ones.extend(block.pairs_into(row).0.iter().map(|&column| (row as u32, column, 1.0)));
    }
    let adjacency = Matrix::new(ones);
    let degree = |nodes: usize| block.pairs() as f64 / nodes as f64;
    let ramanujan_bound = (block.pairs() > 0)
        .then(|| (degree(adjacency.long.len() - 1) - 1.0).sqrt() + (degree(adjacency.short) - 1.0).sqrt());
    let name = block.name();
    Ok(BlockSpectrum {
        layer: name.to_owned(),
        adjacency: adjacency.singular_values(name, "singular values of the biadjacency matrix", &mut stream)?,
        weights: Matrix::new(weights).singular_values(name, "singular values of the weights", &mut stream)?,
        ramanujan_bound,
    })
}

/// Of each block: `adjacency_sigma_1`, `adjacency_sigma_2`, `adjacency_gap`, the same of `weights`,
/// `ramanujan_bound` and `ramanujan_difference` (the bound less `adjacency_sigma_2`), the last two
/// where there are pairs.
pub(super) fn measure(graph: &LayeredGraph, options: &Options) -> Result<Vec<Measurement>, TopologyError> {
    let mut out = Measurements::default();
    for block in spectra(graph, &options.seeds)? {
        for (matrix, values) in [("adjacency", block.adjacency), ("weights", block.weights)] {
            out.push(&block.layer, format!("{matrix}_sigma_1"), values.first);
            out.push(&block.layer, format!("{matrix}_sigma_2"), values.second);
            out.push(&block.layer, format!("{matrix}_gap"), values.gap());
        }
        out.push_some(&block.layer, "ramanujan_bound", block.ramanujan_bound);
        out.push_some(&block.layer, "ramanujan_difference", block.ramanujan_difference());
    }
    Ok(out.into_vec())
}

/// A sparse matrix without its empty rows and columns, turned so that it has at least as many rows
/// as columns.
struct Matrix {
    /// The entries of row r are `long[r]..long[r + 1]`.
    long: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
    /// The number of columns.
    short: usize,
}

impl Matrix {
    /// From (row, column, value), of which several may add up to one entry.
    fn new(mut entries: Vec<(u32, u32, f64)>) -> Self {
        let mut rows: Vec<u32> = entries.iter().map(|entry| entry.0).collect();
        let mut columns: Vec<u32> = entries.iter().map(|entry| entry.1).collect();
        for used in [&mut rows, &mut columns] {
            used.sort_unstable();
            used.dedup();
        }
        if rows.len() < columns.len() {
            std::mem::swap(&mut rows, &mut columns);
            entries.iter_mut().for_each(|(row, column, _)| std::mem::swap(row, column));
        }
        let place = |used: &[u32], node: u32| used.partition_point(|&other| other < node) as u32;
        entries.iter_mut().for_each(|(row, column, _)| {
            *row = place(&rows, *row);
            *column = place(&columns, *column);
        });
        // Stable, so that equal entries are added in the order of the weights.
        entries.sort_by_key(|&(row, column, _)| (row, column));
        let mut matrix =
            Self { long: vec![0; rows.len() + 1], columns: Vec::new(), values: Vec::new(), short: columns.len() };
        let mut last = None;
        for (row, column, value) in entries {
            if let (true, Some(sum)) = (last == Some((row, column)), matrix.values.last_mut()) {
                *sum += value;
                continue;
            }
            last = Some((row, column));
            matrix.columns.push(column);
            matrix.values.push(value);
            matrix.long[row as usize + 1] = matrix.columns.len();
        }
        matrix
    }

    /// A x.
    fn times(&self, x: &[f64]) -> Vec<f64> {
        let row = |range: &[usize]| {
            let range = range[0]..range[1];
            self.columns[range.clone()].iter().zip(&self.values[range]).map(|(&column, v)| v * x[column as usize]).sum()
        };
        self.long.windows(2).map(row).collect()
    }

    /// A^T y.
    fn transposed_times(&self, y: &[f64], x: &mut [f64]) {
        x.fill(0.0);
        for (range, y) in self.long.windows(2).zip(y) {
            let range = range[0]..range[1];
            for (&column, value) in self.columns[range.clone()].iter().zip(&self.values[range]) {
                x[column as usize] += value * y;
            }
        }
    }

    fn singular_values(
        &self,
        layer: &str,
        what: &'static str,
        stream: &mut Stream,
    ) -> Result<SingularValues, TopologyError> {
        let start = (0..2).map(|_| (0..self.short).map(|_| stream.normal()).collect()).collect();
        let gram = |x: &[f64], image: &mut [f64]| self.transposed_times(&self.times(x), image);
        let failed = |steps, residual| TopologyError::NotConverged {
            place: format!("layer `{layer}`"),
            what,
            steps,
            residual,
            tolerance: TOLERANCE,
        };
        let found = leading(2, start, TOLERANCE, gram)
            .map_err(|unfinished| failed(unfinished.products, unfinished.residual))?;
        // From the images of the vectors, not from roots of the eigenvalues: these lose half the digits
        // of a small sigma_2.
        let mut images: Vec<Vec<f64>> = found.vectors.iter().map(|vector| self.times(vector)).collect();
        let first = images.first().map_or(0.0, |image| norm(image));
        if let [one, two] = &mut images[..] {
            let part = if first > 0.0 { dot(one, two) / (first * first) } else { 0.0 };
            two.iter_mut().zip(one).for_each(|(x, one)| *x -= part * *one);
        }
        let second = images.get(1).map_or(0.0, |image| norm(image));
        let second = if second <= ZERO * first { 0.0 } else { second };
        // The check that does not trust the search: A^T A v = sigma^2 v.
        let mut image = vec![0.0; self.short];
        for (vector, sigma) in found.vectors.iter().zip([first, second]) {
            gram(vector, &mut image);
            image.iter_mut().zip(vector).for_each(|(x, v)| *x -= sigma * sigma * v);
            let residual = norm(&image);
            if residual > 2.0 * TOLERANCE * first * first {
                return Err(failed(0, residual / (first * first)));
            }
        }
        Ok(SingularValues { first: first.max(second), second: second.min(first) })
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    use super::*;
    use crate::topology::eigen::symmetric_eigen;
    use crate::topology::testing::{chain, graphs, random_chain};

    /// From all eigenvalues of [[0, A], [A^T, 0]], which does not square the matrix.
    /// `combine` puts a weight to what its pair holds already.
    fn dense(block: &Block, combine: impl Fn(f64, f64) -> f64) -> [f64; 2] {
        let (rows, n) = (block.rows(), block.rows() + block.columns());
        let mut matrix = vec![vec![0.0; n]; n];
        let set = |matrix: &mut [Vec<f64>], row: usize, column: usize, value| {
            matrix[row][rows + column] = value;
            matrix[rows + column][row] = value;
        };
        for row in 0..rows {
            let (columns, magnitudes) = block.edges_into(row);
            for ((&column, &w), negative) in columns.iter().zip(magnitudes).zip(block.negative_into(row)) {
                let held = matrix[row][rows + column as usize];
                let value = combine(held, if negative { -f64::from(w) } else { f64::from(w) });
                set(&mut matrix, row, column as usize, value);
            }
        }
        let values = symmetric_eigen(&matrix).0;
        let at = |index: usize| if block.rows().min(block.columns()) > index { values[index].max(0.0) } else { 0.0 };
        [at(0), at(1)]
    }

    fn check(graph: &LayeredGraph) {
        for (block, found) in graph.blocks().iter().zip(spectra(graph, &Seeds::new(0, 0)).unwrap()) {
            for (values, expected) in [
                (found.adjacency, dense(block, |_, _| 1.0)),
                (found.weights, dense(block, |held, weight| held + weight)),
            ] {
                assert!((values.first - expected[0]).abs() <= 1e-12 * (1.0 + expected[0]), "{values:?} {expected:?}");
                assert!((values.second - expected[1]).abs() <= 1e-10 * (1.0 + expected[0]), "{values:?} {expected:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn small_blocks_agree_with_all_their_eigenvalues(graph in graphs()) {
            check(&graph);
        }
    }

    #[test]
    fn larger_blocks_agree_with_all_their_eigenvalues() {
        let mut stream = Seeds::new(3, 0).stream("test");
        check(&random_chain(&[150, 90, 130], 0.05, &mut stream));
        check(&random_chain(&[60, 200], 0.4, &mut stream));
    }

    #[test]
    fn complete_blocks_have_rank_one() {
        let graph = chain(&[12, 75, 1, 3], |_, _, _| Some(0.5));
        for (found, cells) in spectra(&graph, &Seeds::new(0, 0)).unwrap().iter().zip([900.0, 75.0, 3.0]) {
            assert_relative_eq!(found.adjacency.first, f64::sqrt(cells), max_relative = 1e-13);
            assert_relative_eq!(found.weights.first, f64::sqrt(cells) / 2.0, max_relative = 1e-13);
            assert_eq!((found.adjacency.second, found.weights.second), (0.0, 0.0));
        }
    }

    #[test]
    fn equal_components_have_no_gap() {
        // Five complete blocks of 20 x 20: sigma = 20, five times.
        let graph = chain(&[100, 100], |_, row, column| (row / 20 == column / 20).then_some(1.0));
        let found = &spectra(&graph, &Seeds::new(0, 0)).unwrap()[0];
        assert_relative_eq!(found.adjacency.first, 20.0, max_relative = 1e-12);
        assert_relative_eq!(found.adjacency.second, 20.0, max_relative = 1e-12);
        assert_relative_eq!(found.ramanujan_bound.unwrap(), 2.0 * f64::sqrt(19.0));
        assert!(found.ramanujan_difference().unwrap() < 0.0);
        // A permutation: every singular value is 1.
        let graph = chain(&[70, 70], |_, row, column| (row == (3 * column + 1) % 70).then_some(-2.0));
        let found = &spectra(&graph, &Seeds::new(0, 0)).unwrap()[0];
        assert_relative_eq!(found.weights.first, 2.0, max_relative = 1e-12);
        assert_relative_eq!(found.weights.second, 2.0, max_relative = 1e-12);
        assert_eq!(found.ramanujan_bound, Some(0.0));
    }

    #[test]
    fn a_projective_plane_is_ramanujan() {
        // The Fano plane: A A^T = 2 I + J, so sigma = 3, then sqrt(2) six times.
        let fano = chain(&[7, 7], |_, row, column| [0, 1, 3].contains(&((7 + column - row) % 7)).then_some(1.0));
        let found = &spectra(&fano, &Seeds::new(0, 0)).unwrap()[0];
        assert_relative_eq!(found.adjacency.first, 3.0, max_relative = 1e-12);
        assert_relative_eq!(found.adjacency.second, f64::sqrt(2.0), max_relative = 1e-12);
        assert_relative_eq!(found.ramanujan_difference().unwrap(), f64::sqrt(2.0), max_relative = 1e-12);
    }

    #[test]
    fn empty_blocks_and_isolated_nodes() {
        let graph = chain(&[4, 5, 0, 2], |layer, row, column| (layer == 0 && row == 3 && column > 1).then_some(1.0));
        let found = spectra(&graph, &Seeds::new(0, 0)).unwrap();
        assert_relative_eq!(found[0].adjacency.first, f64::sqrt(2.0), max_relative = 1e-14);
        assert_eq!(found[0].ramanujan_bound, Some(1.0));
        assert_eq!(found[1].adjacency, SingularValues { first: 0.0, second: 0.0 });
        assert_eq!(found[2].ramanujan_difference(), None);
        assert_eq!(measure(&graph, &Options::default()).unwrap().len(), 8 + 6 + 6);
    }

    #[test]
    fn taps_of_a_pair_are_summed() {
        let block = Block::new("conv", (0, 1), (1, 1), 9, [(0, 0, 2.0), (0, 0, -0.5)]).unwrap();
        let found = spectrum(&block, &Seeds::new(0, 0)).unwrap();
        assert_eq!((found.weights.first, found.adjacency.first), (1.5, 1.0));
    }
}
