//! A master curve through collapsed points.

use super::series::Point;

/// The share of the points that a line goes through.
const SHARE: f64 = 0.2;
/// A line goes through at least this many points.
const FEWEST: usize = 6;

/// The master curve at `x`: a straight line through the nearest fifth of the points, at least six, by least squares with
/// the weights 1/error^2 times the tricube of the distance (W. S. Cleveland, J. Am. Stat. Assoc. 74, 829 (1979),
/// doi:10.1080/01621459.1979.10481038). Points without an error count alike. None where all the points near x have one
/// x. O(n log n).
pub(super) fn master(points: &[Point], x: f64) -> Option<f64> {
    let mut near: Vec<(f64, &Point)> = points.iter().map(|point| ((point.x - x).abs(), point)).collect();
    near.sort_by(|one, other| one.0.total_cmp(&other.0));
    let count = ((points.len() as f64 * SHARE).ceil() as usize).max(FEWEST).min(near.len());
    // The first point left out has weight 0.
    let reach = near.get(count).or_else(|| near.last())?.0 * (1.0 + 1e-9);
    let known = points.iter().all(|point| error(point) > 0.0);
    let mut sums = [0.0; 5];
    for (distance, point) in &near[..count] {
        let tricube = (1.0 - (distance / reach).powi(3)).max(0.0).powi(3);
        let weight = if known { tricube / error(point).powi(2) } else { tricube };
        let d = point.x - x;
        for (sum, term) in sums.iter_mut().zip([1.0, d, d * d, point.y, d * point.y]) {
            *sum += weight * term;
        }
    }
    let [one, d, dd, y, dy] = sums;
    let determinant = one * dd - d * d;
    let at = (dd * y - d * dy) / determinant;
    (determinant > 1e-12 * one * dd && at.is_finite()).then_some(at)
}

/// The upper half of a point's bar; 0 without one.
pub(super) fn error(point: &Point) -> f64 {
    point.bar.map_or(0.0, |(_, high)| high - point.y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_its_own_master_curve() {
        let points: Vec<Point> = (0..30)
            .map(|n| Point::with_error(f64::from(n), 2.0 - 0.3 * f64::from(n), Some(0.1 + 0.01 * f64::from(n % 3)), 1))
            .collect();
        for x in [0.0, 7.5, 29.0] {
            assert!((master(&points, x).unwrap() - (2.0 - 0.3 * x)).abs() < 1e-9);
        }
        assert_eq!(master(&[Point::new(1.0, 1.0); 8], 1.0), None);
        assert_eq!(master(&[], 1.0), None);
    }

    #[test]
    fn points_of_large_errors_count_little() {
        let mut points: Vec<Point> = (0..12).map(|n| Point::with_error(f64::from(n), 0.0, Some(0.01), 1)).collect();
        points[6] = Point::with_error(6.0, 5.0, Some(10.0), 1);
        assert!(master(&points, 6.0).unwrap().abs() < 1e-3);
    }
}
