//! A parabola through points.

/// a, b, c of a + b x + c x^2 by weighted least squares, from (x, y, weight) with x of order 1; none for
/// fewer than three different x.
pub(super) fn parabola(items: impl IntoIterator<Item = [f64; 3]>) -> Option<[f64; 3]> {
    let mut rows = [[0.0; 4]; 3];
    for [x, y, weight] in items {
        for (row, left) in rows.iter_mut().zip([1.0, x, x * x]) {
            for (cell, right) in row.iter_mut().zip([1.0, x, x * x, y]) {
                *cell += weight * left * right;
            }
        }
    }
    let largest = rows[0][0];
    for k in 0..3 {
        let pivot = rows[k];
        if pivot[k].is_nan() || pivot[k] <= 1e-12 * largest {
            return None;
        }
        for (_, row) in rows.iter_mut().enumerate().filter(|(other, _)| *other != k) {
            let factor = row[k] / pivot[k];
            row.iter_mut().zip(pivot).for_each(|(cell, pivot)| *cell -= factor * pivot);
        }
    }
    Some([0, 1, 2].map(|k| rows[k][3] / rows[k][k]))
}
