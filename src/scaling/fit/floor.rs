//! What a finite system has below its transition.

use super::model::Model;
use super::range::{ACCEPTABLE, MIN_POINTS};
use crate::scaling::curves::Curve;

/// A smaller floor, in errors of a point, is none.
const MIN_FLOOR: f64 = 2.0;

/// The value on which the first points agree: the weighted mean of as many points as have chi-square
/// per degree of freedom up to [`ACCEPTABLE`], all below half of the largest value; 0 where they are
/// fewer than [`MIN_POINTS`] or it is below two of their errors. O(points).
pub(super) fn floor_of(curve: &Curve) -> f64 {
    let largest = curve.points().iter().map(|point| point.value).fold(f64::NEG_INFINITY, f64::max);
    let (mut weights, mut sum, mut squares) = (0.0, 0.0, 0.0);
    let mut floor = 0.0;
    for (number, point) in curve.points().iter().enumerate() {
        if point.value >= 0.5 * largest {
            break;
        }
        let weight = point.error.powi(-2);
        weights += weight;
        sum += weight * point.value;
        squares += weight * point.value * point.value;
        let count = (number + 1) as f64;
        let mean = sum / weights;
        let chi_square = squares - weights * mean * mean;
        if number + 1 >= MIN_POINTS && chi_square <= ACCEPTABLE * (count - 1.0) {
            let error = (count / weights).sqrt();
            floor = if mean >= MIN_FLOOR * error { mean } else { 0.0 };
        }
    }
    floor
}

/// The number of parameters of a law at its optimum, with the floor: a jump that nothing follows does
/// without amplitude and beta.
pub(super) fn parameters(model: Model, values: &[f64], floor: f64) -> usize {
    let own = if model == Model::Jump && values[3] == 0.0 { 2 } else { model.count() };
    own + usize::from(model.has_floor() && floor > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::curves::{Curves, Row};
    use crate::seed::Seeds;

    #[test]
    fn a_floor_is_found_where_there_is_one() {
        let curve = |law: &dyn Fn(f64) -> f64, seed: u64| {
            let mut stream = Seeds::new(seed, 0).stream("floor");
            let rows = (0..40).map(|step| {
                let control = 0.002 * 500f64.powf(f64::from(step) / 39.0);
                let value = law(control) + 0.004 * stream.normal();
                Row { size: 8.0, control, value, error: Some(0.004), replicate: None }
            });
            Curves::from_rows(rows.collect::<Vec<_>>()).unwrap().curves()[0].clone()
        };
        for seed in 0..20 {
            let found = floor_of(&curve(&|p| if p > 0.05 { 0.8 } else { 0.02 }, seed));
            assert!((found - 0.02).abs() < 0.006, "{found}");
            assert_eq!(floor_of(&curve(&|p| if p > 0.05 { 0.8 } else { 0.0 }, seed)), 0.0);
            // A logistic rise has none.
            let found = floor_of(&curve(&|p| 1.0 / (1.0 + (0.03 / p).powf(1.5)), seed));
            assert!(found < 0.012, "{found}");
        }
    }
}
