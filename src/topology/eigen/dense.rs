//! All eigenpairs of a small symmetric matrix.

/// Sweeps of the implicit QL iteration for one eigenvalue; two or three are usual.
const SWEEPS: usize = 100;

/// The eigenvalues of a symmetric matrix in descending order, and an orthonormal eigenvector for each.
///
/// Householder's reduction to a tridiagonal matrix, then QL with implicit shifts (G. Golub and C. Van
/// Loan, Matrix Computations, 4th edition, sections 8.3.1 and 8.3.3). Errors of the eigenvalues are
/// a few times the machine's precision times the largest. O(n^3).
pub(in super::super) fn symmetric_eigen(matrix: &[Vec<f64>]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let n = matrix.len();
    let mut a: Vec<Vec<f64>> = matrix.to_vec();
    // Row j of `q` is the image of the j-th unit vector: eigenvectors end as rows.
    let mut q: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    tridiagonalise(&mut a, &mut q);
    let mut diagonal: Vec<f64> = (0..n).map(|i| a[i][i]).collect();
    let mut beside: Vec<f64> = (0..n).map(|i| if i + 1 < n { a[i + 1][i] } else { 0.0 }).collect();
    implicit_ql(&mut diagonal, &mut beside, &mut q);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| diagonal[j].total_cmp(&diagonal[i]));
    let values = order.iter().map(|&i| diagonal[i]).collect();
    let vectors = order.iter().map(|&i| std::mem::take(&mut q[i])).collect();
    (values, vectors)
}

/// A <- H A H for the reflections H = 1 - 2 v v^T that clear column k below its subdiagonal, and
/// the rows of `q` follow.
fn tridiagonalise(a: &mut [Vec<f64>], q: &mut [Vec<f64>]) {
    let n = a.len();
    for k in 0..n.saturating_sub(2) {
        let mut v: Vec<f64> = (k + 1..n).map(|i| a[i][k]).collect();
        let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        if v[1..].iter().all(|&x| x == 0.0) {
            continue;
        }
        v[0] += if v[0] < 0.0 { -length } else { length };
        let size = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        v.iter_mut().for_each(|x| *x /= size);
        // The block A' below and right of k: A' - 2 v w^T - 2 w v^T with w = A' v - (v^T A' v) v.
        let mut w: Vec<f64> =
            (k + 1..n).map(|i| a[i][k + 1..].iter().zip(&v).map(|(x, v)| x * v).sum::<f64>()).collect();
        let curvature: f64 = v.iter().zip(&w).map(|(v, w)| v * w).sum();
        w.iter_mut().zip(&v).for_each(|(w, v)| *w -= curvature * v);
        for i in 0..v.len() {
            let (vi, wi) = (v[i], w[i]);
            let row = &mut a[k + 1 + i][k + 1..];
            row.iter_mut().zip(v.iter().zip(&w)).for_each(|(x, (v, w))| *x -= 2.0 * (vi * w + wi * v));
        }
        let head = if a[k + 1][k] < 0.0 { length } else { -length };
        a[k][k + 1..].fill(0.0);
        a[k + 1..].iter_mut().for_each(|row| row[k] = 0.0);
        (a[k][k + 1], a[k + 1][k]) = (head, head);
        // Rows k+1.. of q: q <- H q.
        let mut mixed = vec![0.0; n];
        for (row, v) in q[k + 1..].iter().zip(&v) {
            mixed.iter_mut().zip(row).for_each(|(mixed, x)| *mixed += v * x);
        }
        for (row, v) in q[k + 1..].iter_mut().zip(&v) {
            row.iter_mut().zip(&mixed).for_each(|(x, mixed)| *x -= 2.0 * v * mixed);
        }
    }
}

/// Turns the tridiagonal matrix (diagonal, `beside[i]` between i and i + 1) into a diagonal one by
/// plane rotations, which the rows of `q` follow.
fn implicit_ql(diagonal: &mut [f64], beside: &mut [f64], q: &mut [Vec<f64>]) {
    let n = diagonal.len();
    for low in 0..n {
        for _ in 0..SWEEPS {
            let small = |i: usize| beside[i].abs() <= f64::EPSILON * (diagonal[i].abs() + diagonal[i + 1].abs());
            let high = (low..n - 1).find(|&i| small(i)).unwrap_or(n - 1);
            if high == low {
                break;
            }
            // Wilkinson's shift, from the upper left corner.
            let half = (diagonal[low + 1] - diagonal[low]) / (2.0 * beside[low]);
            let radius = half.hypot(1.0);
            let away = if half < 0.0 { half - radius } else { half + radius };
            let mut bulge = diagonal[high] - diagonal[low] + beside[low] / away;
            let (mut sine, mut cosine, mut moved) = (1.0, 1.0, 0.0);
            let mut broken = false;
            for i in (low..high).rev() {
                let (f, b) = (sine * beside[i], cosine * beside[i]);
                let length = f.hypot(bulge);
                beside[i + 1] = length;
                if length == 0.0 {
                    diagonal[i + 1] -= moved;
                    beside[high] = 0.0;
                    broken = true;
                    break;
                }
                (sine, cosine) = (f / length, bulge / length);
                let above = diagonal[i + 1] - moved;
                let turn = (diagonal[i] - above) * sine + 2.0 * cosine * b;
                moved = sine * turn;
                diagonal[i + 1] = above + moved;
                bulge = cosine * turn - b;
                let (first, second) = q.split_at_mut(i + 1);
                for (x, y) in first[i].iter_mut().zip(&mut second[0]) {
                    let old = *y;
                    *y = sine * *x + cosine * old;
                    *x = cosine * *x - sine * old;
                }
            }
            if !broken {
                diagonal[low] -= moved;
                beside[low] = bulge;
                beside[high] = 0.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(matrix: &[Vec<f64>]) {
        let n = matrix.len();
        let (values, vectors) = symmetric_eigen(matrix);
        let scale = matrix.iter().flatten().fold(1.0, |max: f64, x| max.max(x.abs())) * n as f64;
        assert!(values.windows(2).all(|pair| pair[0] >= pair[1]));
        for i in 0..n {
            for (row, entries) in matrix.iter().enumerate() {
                let image: f64 = entries.iter().zip(&vectors[i]).map(|(m, v)| m * v).sum();
                assert!((image - values[i] * vectors[i][row]).abs() < 1e-13 * scale, "{matrix:?}");
            }
            for j in 0..n {
                let product: f64 = vectors[i].iter().zip(&vectors[j]).map(|(a, b)| a * b).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-13 * n as f64);
            }
        }
    }

    proptest! {
        #[test]
        fn eigenpairs_of_random_matrices(n in 1usize..9, entries in prop::collection::vec(-3i8..4, 81), real in any::<bool>()) {
            let entry = |i: usize, j: usize| {
                let (low, high) = (i.min(j), i.max(j));
                f64::from(entries[low * 9 + high]) * if real { 1.0 + (low * 9 + high) as f64 / 77.0 } else { 1.0 }
            };
            check(&(0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect::<Vec<Vec<f64>>>());
        }
    }

    #[test]
    fn the_path_of_eighty_nodes() {
        let n = 80usize;
        let path: Vec<Vec<f64>> =
            (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i.abs_diff(j) == 1))).collect()).collect();
        check(&path);
        for (index, value) in symmetric_eigen(&path).0.iter().enumerate() {
            let expected = 2.0 * (std::f64::consts::PI * (index + 1) as f64 / 81.0).cos();
            assert!((value - expected).abs() < 1e-13, "{value}");
        }
        assert!(symmetric_eigen(&[]).0.is_empty());
    }
}
