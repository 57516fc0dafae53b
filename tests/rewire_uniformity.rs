//! The degree-preserving chain is uniform on exhaustively enumerated cases, and a chain that counts
//! accepted swaps alone is seen not to be.

use std::collections::BTreeMap;

use ndarray::{ArrayD, IxDyn};
use prunephase::mask::{LayerMask, Mask};
use prunephase::rewire::{NullModel, SwapOptions, sample};
use prunephase::seed::{Seeds, Stream};
use rayon::prelude::*;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Row-major, bit r x columns + c.
type Matrix = u32;

/// Row and column sums, and how many matrices have them.
struct Case {
    rows: &'static [usize],
    columns: &'static [usize],
    matrices: usize,
}

const CASES: [Case; 4] = [
    Case { rows: &[3, 2, 2, 1], columns: &[3, 2, 2, 1], matrices: 24 },
    Case { rows: &[2, 2, 1], columns: &[2, 1, 1, 1], matrices: 12 },
    // More than half of the cells are set: the chain moves the holes.
    Case { rows: &[3, 3, 3], columns: &[3, 2, 2, 2], matrices: 6 },
    Case { rows: &[4, 3, 2], columns: &[3, 2, 2, 1, 1], matrices: 8 },
];

impl Case {
    fn holds(&self, matrix: Matrix, row: usize, column: usize) -> bool {
        matrix >> (row * self.columns.len() + column) & 1 == 1
    }

    fn enumerate(&self) -> Vec<Matrix> {
        let (rows, columns) = (self.rows.len(), self.columns.len());
        (0..1u32 << (rows * columns))
            .filter(|&matrix| {
                (0..rows).all(|r| (0..columns).filter(|&c| self.holds(matrix, r, c)).count() == self.rows[r])
                    && (0..columns).all(|c| (0..rows).filter(|&r| self.holds(matrix, r, c)).count() == self.columns[c])
            })
            .collect()
    }

    fn mask(&self, matrix: Matrix) -> Mask {
        let kept =
            ArrayD::from_shape_fn(IxDyn(&[self.rows.len(), self.columns.len()]), |at| self.holds(matrix, at[0], at[1]));
        Mask { layers: vec![LayerMask { name: "fc1".into(), kept }] }
    }

    fn matrix(&self, mask: &Mask) -> Matrix {
        mask.layers[0].kept.iter().enumerate().map(|(cell, &kept)| u32::from(kept) << cell).sum()
    }

    /// Chi-square of draws against the uniform distribution on all matrices, and the value that it
    /// exceeds with probability 1e-4.
    fn chi_square(&self, draws: impl ParallelIterator<Item = Matrix>) -> (f64, f64) {
        let all = self.enumerate();
        assert_eq!(all.len(), self.matrices, "rows {:?}, columns {:?}", self.rows, self.columns);
        let counts = draws
            .fold(BTreeMap::new, |mut counts: BTreeMap<Matrix, u64>, matrix| {
                *counts.entry(matrix).or_default() += 1;
                counts
            })
            .reduce(BTreeMap::new, |mut sum, part| {
                part.into_iter().for_each(|(matrix, count)| *sum.entry(matrix).or_default() += count);
                sum
            });
        assert!(counts.keys().all(|matrix| all.contains(matrix)), "a matrix with other sums was drawn");
        let expected = counts.values().sum::<u64>() as f64 / all.len() as f64;
        let chi_square = all
            .iter()
            .map(|matrix| (counts.get(matrix).copied().unwrap_or(0) as f64 - expected).powi(2) / expected)
            .sum();
        (chi_square, ChiSquared::new(all.len() as f64 - 1.0).unwrap().inverse_cdf(1.0 - 1e-4))
    }
}

const SAMPLES: usize = 200_000;

#[test]
fn degrees_is_uniform_on_every_enumerated_case() {
    // Long enough for so small a matrix, whose proposals are mostly refused.
    let options = SwapOptions::new(30.0).unwrap();
    for case in &CASES {
        let start = case.mask(case.enumerate()[0]);
        let draws = (0..SAMPLES).into_par_iter().map(|number| {
            let (sampled, _) = sample(&start, NullModel::Degrees, &Seeds::new(11, 0), number, &options).unwrap();
            case.matrix(&sampled)
        });
        let (chi_square, threshold) = case.chi_square(draws);
        assert!(
            chi_square < threshold,
            "rows {:?}, columns {:?}: chi-square {chi_square:.1}, threshold {threshold:.1}",
            case.rows,
            case.columns
        );
    }
}

/// The wrong chain: goes on until a given number of swaps was accepted.
fn accepted_only(case: &Case, start: Matrix, accepted: usize, stream: &mut Stream) -> Matrix {
    let columns = case.columns.len();
    let mut matrix = start;
    for _ in 0..accepted {
        loop {
            let edges: Vec<usize> = (0..case.rows.len() * columns).filter(|&cell| matrix >> cell & 1 == 1).collect();
            let (ab, cd) =
                (edges[stream.below(edges.len() as u64) as usize], edges[stream.below(edges.len() as u64) as usize]);
            let ad = ab / columns * columns + cd % columns;
            let cb = cd / columns * columns + ab % columns;
            if matrix >> ad & 1 == 0 && matrix >> cb & 1 == 0 {
                matrix ^= 1 << ab | 1 << cd | 1 << ad | 1 << cb;
                break;
            }
        }
    }
    matrix
}

#[test]
fn the_same_test_fails_for_a_chain_that_counts_accepted_swaps_alone() {
    let case = &CASES[0];
    let start = case.enumerate()[0];
    let draws = (0..SAMPLES).into_par_iter().map(|number| {
        let mut stream = Seeds::new(12, number as u64).stream("accepted only");
        // An even or an odd number by chance, so that no parity of the chain shows.
        let accepted = 30 + stream.below(2) as usize;
        accepted_only(case, start, accepted, &mut stream)
    });
    let (chi_square, threshold) = case.chi_square(draws);
    assert!(chi_square > 10.0 * threshold, "chi-square {chi_square:.1}, threshold {threshold:.1}");
}

#[test]
fn in_and_out_degrees_are_uniform() {
    // 3 x 2 with row sums 1, 1, 2: 2 x 2 x 1 matrices; column sums 2, 2: 3 x 3 matrices.
    let case = Case { rows: &[1, 1, 2], columns: &[2, 2], matrices: 2 };
    let start = case.mask(case.enumerate()[0]);
    for (null, matrices) in [(NullModel::InDegrees, 4usize), (NullModel::OutDegrees, 9), (NullModel::LayerDensity, 15)]
    {
        let mut counts = BTreeMap::new();
        let draws = 20_000;
        for number in 0..draws {
            let (sampled, _) = sample(&start, null, &Seeds::new(13, 0), number, &SwapOptions::default()).unwrap();
            *counts.entry(case.matrix(&sampled)).or_insert(0u32) += 1;
        }
        assert_eq!(counts.len(), matrices, "{null}");
        let expected = draws as f64 / matrices as f64;
        let chi_square: f64 = counts.values().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
        let threshold = ChiSquared::new(matrices as f64 - 1.0).unwrap().inverse_cdf(1.0 - 1e-4);
        assert!(chi_square < threshold, "{null}: chi-square {chi_square}, threshold {threshold}");
    }
}
