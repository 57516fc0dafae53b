//! The spectral radius of a small matrix that has no negative entry.

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

/// Squarings at most: 2^64 steps of the power iteration.
const SQUARINGS: usize = 64;

/// The relative distance of the bounds at which the search ends.
const TOLERANCE: f64 = 1e-13;

/// The largest |eigenvalue| of a square matrix without negative entries, to a relative 1e-12; 0 for
/// the empty matrix.
///
/// The matrix is cut into its strongly connected components, whose spectral radii are the
/// candidates: a reducible matrix can make a power iteration converge as slowly as 1/n. A component
/// A may be periodic (walks that alternate between layers are), so it is shifted, M = A + r I with r
/// its largest row sum, which makes it primitive. M is squared again and again, which is 2^k steps of
/// the power iteration and adds numbers of one sign alone; x = M^(2^k) 1 then bounds the radius from
/// both sides, min (A x)_i/x_i <= radius <= max (A x)_i/x_i (Collatz and Wielandt), and the bounds
/// say when to stop. O(n^3) a squaring, about 10 of them.
///
/// # Panics
/// Where the matrix is not square.
pub(super) fn spectral_radius(matrix: &[Vec<f64>]) -> f64 {
    assert!(matrix.iter().all(|row| row.len() == matrix.len()), "the matrix must be square");
    let mut arrows = DiGraph::<(), ()>::new();
    let nodes: Vec<_> = matrix.iter().map(|_| arrows.add_node(())).collect();
    for (row, entries) in matrix.iter().enumerate() {
        for (column, &entry) in entries.iter().enumerate() {
            if entry > 0.0 {
                arrows.add_edge(nodes[row], nodes[column], ());
            }
        }
    }
    let radius = |component: &Vec<petgraph::graph::NodeIndex>| {
        let part: Vec<Vec<f64>> =
            component.iter().map(|a| component.iter().map(|b| matrix[a.index()][b.index()]).collect()).collect();
        irreducible(&part)
    };
    tarjan_scc(&arrows).iter().map(radius).fold(0.0, f64::max)
}

fn irreducible(matrix: &[Vec<f64>]) -> f64 {
    let n = matrix.len();
    if n == 1 {
        return matrix[0][0];
    }
    let shift = matrix.iter().map(|row| row.iter().sum()).fold(0.0, f64::max);
    let mut power: Vec<Vec<f64>> = matrix.iter().map(|row| row.iter().map(|entry| entry / shift).collect()).collect();
    for (index, row) in power.iter_mut().enumerate() {
        row[index] += 1.0;
    }
    let mut bounds = (0.0, shift);
    for _ in 0..SQUARINGS {
        power = squared(&power);
        let vector: Vec<f64> = power.iter().map(|row| row.iter().sum()).collect();
        let ratios = matrix.iter().zip(&vector).map(|(row, &own)| {
            let image: f64 = row.iter().zip(&vector).map(|(entry, x)| entry * x).sum();
            image / own
        });
        bounds = ratios.fold((f64::INFINITY, 0.0), |(low, high), ratio| (ratio.min(low), ratio.max(high)));
        if bounds.1 - bounds.0 <= TOLERANCE * bounds.1 {
            break;
        }
    }
    0.5 * (bounds.0 + bounds.1)
}

/// The square, with 1 as its largest entry.
fn squared(matrix: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut square = vec![vec![0.0; matrix.len()]; matrix.len()];
    for (row, entries) in square.iter_mut().zip(matrix) {
        for (&factor, other) in entries.iter().zip(matrix) {
            for (sum, &entry) in row.iter_mut().zip(other) {
                *sum += factor * entry;
            }
        }
    }
    let largest = square.iter().flatten().copied().fold(0.0, f64::max);
    square.iter_mut().flatten().for_each(|entry| *entry /= largest);
    square
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seeds;

    fn close(matrix: &[Vec<f64>], expected: f64) {
        let found = spectral_radius(matrix);
        assert!((found - expected).abs() <= 1e-12 * expected, "{found} {expected} {matrix:?}");
    }

    #[test]
    fn known_radii() {
        assert_eq!(spectral_radius(&[]), 0.0);
        close(&[vec![0.0, 4.0], vec![1.0, 0.0]], 2.0);
        // A cycle of period 3, and one of very small numbers.
        close(&[vec![0.0, 2.0, 0.0], vec![0.0, 0.0, 4.0], vec![8.0, 0.0, 0.0]], 4.0);
        close(&[vec![0.0, 1e-9], vec![1e-9, 0.0]], 1e-9);
        // Nilpotent.
        assert_eq!(spectral_radius(&[vec![0.0, 5.0], vec![0.0, 0.0]]), 0.0);
        // Reducible with a double eigenvalue and one Jordan block, where iterates converge as 1/n.
        close(&[vec![2.0, 1.0], vec![0.0, 2.0]], 2.0);
        // The path of n nodes: 2 cos(pi/(n + 1)).
        for n in [2usize, 3, 10, 60] {
            let path: Vec<Vec<f64>> =
                (0..n).map(|a| (0..n).map(|b| if a.abs_diff(b) == 1 { 1.0 } else { 0.0 }).collect()).collect();
            close(&path, 2.0 * (std::f64::consts::PI / (n as f64 + 1.0)).cos());
        }
        // Nearly two parts.
        let e = 1e-7;
        close(&[vec![1.0, e], vec![e, 1.0]], 1.0 + e);
    }

    /// Against norms of powers, which need no irreducibility: radius = lim |A^n|^(1/n).
    #[test]
    fn random_matrices_agree_with_gelfand() {
        let mut stream = Seeds::new(2, 0).stream("test");
        for _ in 0..100 {
            let n = 1 + stream.below(7) as usize;
            let share = stream.unit();
            let matrix: Vec<Vec<f64>> = (0..n)
                .map(|_| (0..n).map(|_| if stream.unit() < share { stream.unit() } else { 0.0 }).collect())
                .collect();
            let (mut power, mut log, steps) = (matrix.clone(), 0.0, 50);
            let mut gone = false;
            for _ in 0..steps {
                let mut square = vec![vec![0.0; n]; n];
                for a in 0..n {
                    for b in 0..n {
                        square[a][b] = (0..n).map(|c| power[a][c] * power[c][b]).sum();
                    }
                }
                let norm = square.iter().flatten().copied().fold(0.0, f64::max);
                gone |= norm == 0.0;
                log = 2.0 * log + norm.max(1e-300).ln();
                power = square.into_iter().map(|row| row.into_iter().map(|x| x / norm.max(1e-300)).collect()).collect();
            }
            let expected = if gone { 0.0 } else { (log / 2f64.powi(steps)).exp() };
            close(&matrix, expected);
        }
    }
}
