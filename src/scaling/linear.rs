//! Small dense systems of least squares.

/// A symmetric matrix as rows of its lower triangle, and what is solved with it.
pub(crate) struct Cholesky {
    factor: Vec<f64>,
    n: usize,
}

impl Cholesky {
    /// The factor of the symmetric `matrix` (n x n, row by row; the lower triangle is read); `None`
    /// where it is not positive definite. O(n^3).
    pub(crate) fn new(matrix: &[f64], n: usize) -> Option<Self> {
        let mut factor = matrix.to_vec();
        for i in 0..n {
            let (before, rest) = factor.split_at_mut(i * n);
            let row = &mut rest[..n];
            for j in 0..i {
                let other = &before[j * n..j * n + j + 1];
                let product: f64 = row[..j].iter().zip(other).map(|(a, b)| a * b).sum();
                row[j] = (row[j] - product) / other[j];
            }
            let squares: f64 = row[..i].iter().map(|a| a * a).sum();
            let pivot = row[i] - squares;
            if pivot.is_nan() || pivot <= 1e-14 * row[i].abs() {
                return None;
            }
            row[i] = pivot.sqrt();
        }
        Some(Self { factor, n })
    }

    /// The solution for a right-hand side.
    pub(crate) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let (n, factor) = (self.n, &self.factor);
        let mut solution = right.to_vec();
        for i in 0..n {
            let product: f64 = (0..i).map(|j| factor[i * n + j] * solution[j]).sum();
            solution[i] = (solution[i] - product) / factor[i * n + i];
        }
        for i in (0..n).rev() {
            let product: f64 = (i + 1..n).map(|j| factor[j * n + i] * solution[j]).sum();
            solution[i] = (solution[i] - product) / factor[i * n + i];
        }
        solution
    }

    /// The first `count` columns of the inverse, each of length n.
    pub(crate) fn inverse_columns(&self, count: usize) -> Vec<Vec<f64>> {
        (0..count)
            .map(|column| {
                let mut unit = vec![0.0; self.n];
                unit[column] = 1.0;
                self.solve(&unit)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_inverts_by_hand() {
        let matrix = [4.0, 2.0, 2.0, 3.0];
        let factor = Cholesky::new(&matrix, 2).unwrap();
        let found = factor.solve(&[2.0, 5.0]);
        assert!((found[0] + 0.5).abs() < 1e-14 && (found[1] - 2.0).abs() < 1e-14, "{found:?}");
        let inverse = factor.inverse_columns(2);
        assert!((inverse[0][0] - 0.375).abs() < 1e-14 && (inverse[0][1] + 0.25).abs() < 1e-14);
        assert!((inverse[1][1] - 0.5).abs() < 1e-14);
        assert!(Cholesky::new(&[1.0, 1.0, 1.0, 1.0], 2).is_none());
    }
}
