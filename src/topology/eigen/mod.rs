//! The largest eigenvalues of large symmetric matrices that are given as products with vectors.

mod dense;

pub(super) use dense::symmetric_eigen;

/// Vectors in the basis before it is compressed, and after.
const BASIS: usize = 120;
const KEPT: usize = 40;

/// Products with the matrix at most.
const PRODUCTS: usize = 20_000;

/// New vectors between looks at the eigenvalues of the projected matrix.
const LOOK_EVERY: usize = 10;

/// Directions below this part of the largest image are rounding errors.
const ROUNDING: f64 = 1e-13;

/// The leading eigenpairs of a symmetric matrix.
#[derive(Debug, Clone)]
pub(super) struct Leading {
    /// In descending order; fewer than wanted where the matrix, or what the start spans, is smaller.
    pub values: Vec<f64>,
    /// Orthonormal, one a value.
    pub vectors: Vec<Vec<f64>>,
}

/// The search ended before its tolerance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unfinished {
    pub products: usize,
    pub residual: f64,
}

/// The `wanted` largest (not: largest in magnitude) eigenvalues of a symmetric matrix, by a block
/// Krylov space with full reorthogonalisation and thick restarts (K. Wu and H. Simon, SIAM J. Matrix
/// Anal. Appl. 22, 602 (2000), doi:10.1137/S0895479898334605).
///
/// `start` is the first block. A Krylov space from one vector holds one vector of each eigenspace;
/// an eigenvalue of multiplicity m is found m times only from m or more random start vectors. The
/// search ends where ||M v - theta v|| <= `tolerance` x |theta| for each of the wanted pairs (or the
/// residual is down to rounding errors), or where the space is invariant, and then it is exact.
///
/// O(products x (cost of a product + 4 n x 120)); 240 vectors.
pub(super) fn leading(
    wanted: usize,
    start: Vec<Vec<f64>>,
    tolerance: f64,
    apply: impl Fn(&[f64], &mut [f64]),
) -> Result<Leading, Unfinished> {
    let mut space = Space::default();
    let (mut candidates, mut products, mut looked, mut largest) = (start, 0, 0, 0.0f64);
    loop {
        let mut images = Vec::new();
        for mut candidate in candidates {
            let scale = if space.basis.is_empty() { norm(&candidate) } else { largest };
            space.orthogonalise(&mut candidate);
            let length = norm(&candidate);
            if length <= ROUNDING * scale || length == 0.0 {
                continue;
            }
            candidate.iter_mut().for_each(|x| *x /= length);
            // Once more: dividing by a small length also enlarges what is left of the basis.
            space.orthogonalise(&mut candidate);
            let length = norm(&candidate);
            candidate.iter_mut().for_each(|x| *x /= length);
            let mut image = vec![0.0; candidate.len()];
            apply(&candidate, &mut image);
            products += 1;
            largest = largest.max(norm(&image));
            space.push(candidate, image.clone());
            images.push(image);
        }
        let invariant = images.is_empty();
        let full = space.basis.len() + images.len() > BASIS;
        if invariant || full || space.basis.len() >= looked + LOOK_EVERY {
            looked = space.basis.len();
            let (values, vectors) = symmetric_eigen(&space.projected);
            let count = wanted.min(values.len());
            let worst = (0..count)
                .map(|index| {
                    let residual = space.residual(values[index], &vectors[index]);
                    // A residual of rounding errors alone cannot fall further.
                    if residual <= 10.0 * f64::EPSILON * largest { 0.0 } else { residual / values[index].abs() }
                })
                .fold(0.0, f64::max);
            if invariant || (worst <= tolerance && count == wanted) {
                let vectors = vectors[..count].iter().map(|vector| combine(&space.basis, vector)).collect();
                return Ok(Leading { values: values[..count].to_vec(), vectors });
            }
            if products >= PRODUCTS {
                return Err(Unfinished { products, residual: worst });
            }
            if full {
                for image in &mut images {
                    space.orthogonalise(image);
                }
                space.compress(&values[..KEPT], &vectors[..KEPT]);
                looked = space.basis.len();
            }
        }
        candidates = images;
    }
}

/// An orthonormal basis, its images and the projected matrix.
#[derive(Default)]
struct Space {
    basis: Vec<Vec<f64>>,
    images: Vec<Vec<f64>>,
    projected: Vec<Vec<f64>>,
}

impl Space {
    /// Takes the part inside the space out of `vector`, twice: once leaves rounding errors.
    fn orthogonalise(&self, vector: &mut [f64]) {
        for _ in 0..2 {
            for direction in &self.basis {
                let part = dot(direction, vector);
                vector.iter_mut().zip(direction).for_each(|(x, d)| *x -= part * d);
            }
        }
    }

    fn push(&mut self, vector: Vec<f64>, image: Vec<f64>) {
        let mut row: Vec<f64> = self.basis.iter().map(|other| dot(other, &image)).collect();
        for (other, &entry) in self.projected.iter_mut().zip(&row) {
            other.push(entry);
        }
        row.push(dot(&vector, &image));
        self.projected.push(row);
        self.basis.push(vector);
        self.images.push(image);
    }

    /// ||M v - value v|| for v with these coordinates.
    fn residual(&self, value: f64, coordinates: &[f64]) -> f64 {
        let image = combine(&self.images, coordinates);
        let vector = combine(&self.basis, coordinates);
        image.iter().zip(&vector).map(|(m, v)| (m - value * v).powi(2)).sum::<f64>().sqrt()
    }

    /// Keeps the span of these eigenvectors of the projected matrix.
    fn compress(&mut self, values: &[f64], vectors: &[Vec<f64>]) {
        self.basis = vectors.iter().map(|vector| combine(&self.basis, vector)).collect();
        self.images = vectors.iter().map(|vector| combine(&self.images, vector)).collect();
        self.projected = vec![vec![0.0; values.len()]; values.len()];
        for (index, &value) in values.iter().enumerate() {
            self.projected[index][index] = value;
        }
    }
}

fn combine(vectors: &[Vec<f64>], coordinates: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; vectors.first().map_or(0, Vec::len)];
    for (vector, &coordinate) in vectors.iter().zip(coordinates) {
        sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += coordinate * x);
    }
    sum
}

/// The scalar product, in eight chains so that additions do not wait for each other.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
    for (a, b) in a.zip(b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

pub(super) fn norm(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seeds;

    fn random_vectors(count: usize, n: usize) -> Vec<Vec<f64>> {
        let mut stream = Seeds::new(9, 0).stream("test");
        (0..count).map(|_| (0..n).map(|_| stream.normal()).collect()).collect()
    }

    #[test]
    fn a_known_spectrum_over_many_restarts() {
        // The path of 400 nodes: 2 cos(pi k / 401), as close as 2e-4 at the end, and symmetric about 0.
        let n = 400;
        let path = |x: &[f64], y: &mut [f64]| {
            for i in 0..n {
                y[i] = if i > 0 { x[i - 1] } else { 0.0 } + if i + 1 < n { x[i + 1] } else { 0.0 };
            }
        };
        let found = leading(2, random_vectors(2, n), 1e-9, path).unwrap();
        for (index, value) in found.values.iter().enumerate() {
            let expected = 2.0 * (std::f64::consts::PI * (index + 1) as f64 / 401.0).cos();
            assert!((value - expected).abs() < 1e-12, "{value} {expected}");
            assert!((norm(&found.vectors[index]) - 1.0).abs() < 1e-12);
        }
        assert!(dot(&found.vectors[0], &found.vectors[1]).abs() < 1e-12);
    }

    #[test]
    fn a_double_eigenvalue_is_found_twice() {
        let diagonal = |x: &[f64], y: &mut [f64]| {
            for (i, (x, y)) in x.iter().zip(y).enumerate() {
                *y = x * if i == 17 || i == 90 { 5.0 } else { (i % 7) as f64 / 2.0 };
            }
        };
        let found = leading(2, random_vectors(2, 300), 1e-9, diagonal).unwrap();
        assert!(found.values.iter().all(|value| (value - 5.0).abs() < 1e-12), "{:?}", found.values);
    }

    #[test]
    fn small_matrices_end_by_invariance() {
        let found = leading(2, random_vectors(2, 1), 1e-9, |x, y| y[0] = 3.0 * x[0]).unwrap();
        assert_eq!(found.values.len(), 1);
        assert!((found.values[0] - 3.0).abs() < 1e-15);
        let zero = leading(2, random_vectors(2, 4), 1e-9, |_, y| y.fill(0.0)).unwrap();
        assert_eq!(zero.values, [0.0, 0.0]);
    }
}
