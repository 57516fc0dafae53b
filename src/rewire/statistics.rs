//! What is measured of a state: overlap with the start, what chance gives, assortativity.

use super::NullModel;
use super::bits::BitMatrix;

/// Edges of `start` that `state` has too, over the edges of `start`; none where `start` has none.
pub(super) fn overlap(start: &BitMatrix, state: &BitMatrix) -> Option<f64> {
    let edges = start.count();
    (edges > 0).then(|| start.shared(state) as f64 / edges as f64)
}

/// Degree assortativity: Pearson's correlation, over the edges, of the in-degree of the target and
/// the out-degree of the source, both in this layer (Newman, Phys. Rev. Lett. 89, 208701 (2002),
/// doi:10.1103/PhysRevLett.89.208701). None where one of them is the same for all edges.
pub(super) fn assortativity(state: &BitMatrix) -> Option<f64> {
    let (rows, columns) = (state.row_sums(), state.column_sums());
    // Whole numbers throughout: i128 holds edges^2 times degrees^2 for every matrix that fits u32.
    let moment = |sums: &[usize], power: u32| sums.iter().map(|&k| (k as i128).pow(power)).sum::<i128>();
    let product: i128 = state
        .rows_of_columns()
        .map(|(row, of_row)| rows[row] as i128 * of_row.map(|column| columns[column] as i128).sum::<i128>())
        .sum();
    let edges = moment(&rows, 1);
    let (row_mean, column_mean) = (moment(&rows, 2), moment(&columns, 2));
    let row_variance = edges * moment(&rows, 3) - row_mean * row_mean;
    let column_variance = edges * moment(&columns, 3) - column_mean * column_mean;
    if row_variance == 0 || column_variance == 0 {
        return None;
    }
    let covariance = edges * product - row_mean * column_mean;
    Some(covariance as f64 / (row_variance as f64).sqrt() / (column_variance as f64).sqrt())
}

/// The overlap with `start` that a mask drawn from `null` has on average; `density` is that of the
/// whole network. Exact for all null models but [`NullModel::Degrees`], where the probability of
/// an edge is estimated by that of the random graph of maximum entropy with these mean degrees,
/// p_ij = x_i y_j / (1 + x_i y_j) (Park and Newman, Phys. Rev. E 70, 066117 (2004),
/// doi:10.1103/PhysRevE.70.066117).
pub(super) fn overlap_at_random(start: &BitMatrix, null: NullModel, density: f64) -> Option<f64> {
    let edges = start.count();
    if edges == 0 {
        return None;
    }
    let squares = |sums: Vec<usize>| sums.iter().map(|&k| (k as f64).powi(2)).sum::<f64>();
    let share = match null {
        NullModel::Edges => density,
        NullModel::LayerDensity => edges as f64 / start.cells() as f64,
        NullModel::InDegrees => squares(start.row_sums()) / start.columns as f64 / edges as f64,
        NullModel::OutDegrees => squares(start.column_sums()) / start.rows as f64 / edges as f64,
        NullModel::Degrees => {
            let (rows, columns) = (start.row_sums(), start.column_sums());
            let entropy = MaximumEntropy::fit(&rows, &columns);
            let probabilities: f64 = start
                .rows_of_columns()
                .flat_map(|(row, of_row)| of_row.map(move |column| (row, column)))
                .map(|(row, column)| entropy.probability(rows[row], columns[column]))
                .sum();
            probabilities / edges as f64
        }
    };
    Some(share)
}

/// The x of each row sum and the y of each column sum, rows and columns of one sum sharing theirs.
struct MaximumEntropy {
    x: Vec<f64>,
    y: Vec<f64>,
}

impl MaximumEntropy {
    const MOST_ITERATIONS: usize = 200;
    const TOLERANCE: f64 = 1e-6;

    fn fit(rows: &[usize], columns: &[usize]) -> Self {
        // How many rows have each sum; entry k is for the sum k.
        let histogram = |sums: &[usize]| {
            let mut counts = vec![0.0; sums.iter().max().map_or(1, |&most| most + 1)];
            sums.iter().for_each(|&sum| counts[sum] += 1.0);
            counts
        };
        let (row_counts, column_counts) = (histogram(rows), histogram(columns));
        let scale = (rows.iter().sum::<usize>().max(1) as f64).sqrt();
        let initial = |counts: &[f64]| (0..counts.len()).map(|sum| sum as f64 / scale).collect::<Vec<_>>();
        let mut fitted = Self { x: initial(&row_counts), y: initial(&column_counts) };
        for _ in 0..Self::MOST_ITERATIONS {
            let change = update(&mut fitted.x, &row_counts, &fitted.y, &column_counts).max(update(
                &mut fitted.y,
                &column_counts,
                &fitted.x,
                &row_counts,
            ));
            if change < Self::TOLERANCE {
                break;
            }
        }
        fitted
    }

    fn probability(&self, row_sum: usize, column_sum: usize) -> f64 {
        let odds = self.x[row_sum] * self.y[column_sum];
        odds / (1.0 + odds)
    }
}

/// x_k <- k / sum over the others of y / (1 + x_k y); returns the largest relative change. A full
/// row's x grows without end, its probabilities towards 1: the limit is a large number.
fn update(x: &mut [f64], counts: &[f64], y: &[f64], others: &[f64]) -> f64 {
    let mut change: f64 = 0.0;
    for (sum, x) in x.iter_mut().enumerate().filter(|(sum, _)| *sum > 0 && counts[*sum] > 0.0) {
        let expected: f64 =
            others.iter().zip(y).filter(|(count, _)| **count > 0.0).map(|(count, y)| count * y / (1.0 + *x * y)).sum();
        let new = (sum as f64 / expected).min(1e12);
        change = change.max((new - *x).abs() / new);
        *x = new;
    }
    change
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rewire::direct;
    use crate::rewire::swaps::SwapChain;
    use crate::seed::Seeds;

    fn of_edges(rows: usize, columns: usize, edges: &[(usize, usize)]) -> BitMatrix {
        let mut bits = BitMatrix::empty(rows, columns);
        edges.iter().for_each(|&(row, column)| assert!(bits.insert(row, column)));
        bits
    }

    /// Rows and columns with unequal degrees: a cell is set with a probability that falls with both.
    fn uneven(rows: usize, columns: usize, seed: u64) -> BitMatrix {
        let mut stream = Seeds::new(seed, 0).stream("uneven");
        let mut bits = BitMatrix::empty(rows, columns);
        for row in 0..rows {
            for column in 0..columns {
                if stream.unit() < 0.8 / (1.0 + 0.1 * row as f64) / (1.0 + 0.05 * column as f64) {
                    bits.insert(row, column);
                }
            }
        }
        bits
    }

    #[test]
    fn assortativity_of_small_graphs() {
        // Degrees of the edges (row, column): (1, 1), (2, 2), (2, 2), (2, 2), (2, 2): r = 1.
        let apart = of_edges(3, 3, &[(0, 0), (1, 1), (1, 2), (2, 1), (2, 2)]);
        assert!((assortativity(&apart).unwrap() - 1.0).abs() < 1e-12);
        // A path of three edges, (1, 2), (2, 2), (2, 1): by hand -1/2.
        let path = of_edges(2, 2, &[(0, 0), (1, 0), (1, 1)]);
        assert!((assortativity(&path).unwrap() + 0.5).abs() < 1e-12);
        assert_eq!(assortativity(&of_edges(2, 2, &[(0, 0), (1, 1)])), None);
        assert_eq!(assortativity(&BitMatrix::empty(2, 2)), None);
    }

    #[test]
    fn assortativity_is_pearsons_correlation() {
        let bits = uneven(40, 70, 1);
        let (rows, columns) = (bits.row_sums(), bits.column_sums());
        let mut pairs = Vec::new();
        for (row, &in_degree) in rows.iter().enumerate() {
            for (column, &out_degree) in columns.iter().enumerate() {
                if bits.holds(row, column) {
                    pairs.push((in_degree as f64, out_degree as f64));
                }
            }
        }
        let n = pairs.len() as f64;
        let mean = |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>() / n;
        let (x, y) = (mean(&|p| p.0), mean(&|p| p.1));
        let expected =
            mean(&|p| (p.0 - x) * (p.1 - y)) / (mean(&|p| (p.0 - x).powi(2)) * mean(&|p| (p.1 - y).powi(2))).sqrt();
        assert!((assortativity(&bits).unwrap() - expected).abs() < 1e-10);
    }

    #[test]
    fn the_expected_overlap_is_the_mean_of_draws() {
        for start in [uneven(40, 70, 2), uneven(40, 70, 3).complement()] {
            let edges = start.count() as f64;
            for null in [NullModel::LayerDensity, NullModel::InDegrees, NullModel::OutDegrees, NullModel::Degrees] {
                let draws = 300;
                let mut sum = 0.0;
                for sample in 0..draws {
                    let mut stream = Seeds::new(sample, 1).stream("draw");
                    let drawn = match null {
                        NullModel::LayerDensity => direct::same_count(&start, &mut stream),
                        NullModel::InDegrees => direct::same_rows(&start, &mut stream),
                        NullModel::OutDegrees => direct::same_columns(&start, &mut stream),
                        _ => {
                            let mut chain = SwapChain::new("a", &start).unwrap();
                            chain.propose(30 * edges as u64, &mut stream);
                            chain.state()
                        }
                    };
                    sum += overlap(&start, &drawn).unwrap();
                }
                let (mean, expected) = (sum / draws as f64, overlap_at_random(&start, null, 0.5).unwrap());
                // Five standard errors of a binomial, more than that of draws without replacement,
                // and for `degrees` the error of the estimate.
                let tolerance = 5.0 * (expected * (1.0 - expected) / edges / draws as f64).sqrt()
                    + if null == NullModel::Degrees { 0.01 } else { 0.0 };
                assert!((mean - expected).abs() < tolerance, "{null}: {mean} against {expected} +- {tolerance}");
            }
        }
    }

    #[test]
    fn forced_edges_are_expected_to_overlap() {
        let dense = BitMatrix::empty(5, 7).complement();
        assert!(overlap_at_random(&dense, NullModel::Degrees, 1.0).unwrap() > 0.99);
        let row = of_edges(3, 4, &[(0, 0), (0, 1), (0, 2), (0, 3)]);
        assert!(overlap_at_random(&row, NullModel::Degrees, 0.3).unwrap() > 0.99);
        assert_eq!(overlap_at_random(&BitMatrix::empty(2, 3), NullModel::Degrees, 0.0), None);
    }
}
