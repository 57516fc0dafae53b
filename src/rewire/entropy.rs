//! The random graph of maximum entropy with given mean degrees, as an estimate of how likely an edge
//! is among all graphs with these degrees.

/// p_ij = x_i y_j / (1 + x_i y_j) (Park and Newman, Phys. Rev. E 70, 066117 (2004),
/// doi:10.1103/PhysRevE.70.066117): the x of each row sum and the y of each column sum, rows and columns
/// of one sum sharing theirs.
pub(super) struct MaximumEntropy {
    x: Vec<f64>,
    y: Vec<f64>,
}

impl MaximumEntropy {
    const MOST_ITERATIONS: usize = 200;
    const TOLERANCE: f64 = 1e-6;

    pub(super) fn fit(rows: &[usize], columns: &[usize]) -> Self {
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

    pub(super) fn probability(&self, row_sum: usize, column_sum: usize) -> f64 {
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
