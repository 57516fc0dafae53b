use super::*;
use crate::scaling::curves::{Curves, Row};
use crate::scaling::resample::Resampling;

/// Two observables of four sizes, with a drift and a factor that no form describes exactly.
fn problem() -> Problem {
    let mut blocks = Vec::new();
    for (observable, kappa) in [0.2, -1.1].into_iter().enumerate() {
        let mut rows = Vec::new();
        for size in [8.0f64, 16.0, 32.0, 64.0] {
            for step in 0..20 {
                let control = 0.3 + 0.05 * f64::from(step);
                let x = (control - 0.7) * size.powf(0.6);
                let value = size.powf(-kappa) * (1.5 + x.tanh()) * (1.0 + 0.3 / size);
                rows.push(Row { size, control, value, error: Some(0.05 * value), replicate: None });
            }
        }
        let curves = Curves::from_rows(rows).unwrap();
        let of = |curve| Block::new(curve, observable, Resampling::PointByPoint, |_| true);
        blocks.extend(curves.curves().iter().filter_map(of));
    }
    Problem::new(blocks)
}

/// The gradient of the normal equations is minus half of the derivative of chi-square.
#[test]
fn derivatives_are_those_of_chi_square() {
    let problem = problem();
    let start = Start { p_c: 0.68, inv_nu: 0.65, kappa_over_nu: vec![0.25, -1.0] };
    for (correction, amplitudes) in
        [(Correction::None, vec![]), (Correction::Factor, vec![0.1, -0.2]), (Correction::Drift, vec![0.15])]
    {
        let splines = problem.splines(&start, 4).unwrap();
        let thetas = 4 + amplitudes.len();
        let first_of = vec![thetas, thetas + 7];
        let unknowns = thetas + 14;
        let form = Form { problem: &problem, correction, omega: 0.8, splines: &splines, first_of, thetas, unknowns };
        let mut at = vec![0.68, 0.65, 0.25, -1.0];
        at.extend(&amplitudes);
        at.extend((0..14).map(|k| 1.0 + 0.2 * f64::from(k * k % 5)));
        let normal = form.normal(&at);
        for axis in 0..unknowns {
            let moved = |step: f64| {
                let mut other = at.clone();
                other[axis] += step;
                form.normal(&other).chi_square
            };
            let step = 1e-6;
            let slope = (moved(step) - moved(-step)) / (2.0 * step);
            let expected = -2.0 * normal.gradient[axis];
            let scale = expected.abs().max(1e-3 * normal.chi_square);
            assert!((slope - expected).abs() < 2e-4 * scale, "{correction:?} {axis}: {slope} {expected}");
        }
    }
}

/// Exact data of the form are fitted to rounding, from a start beside the truth.
#[test]
fn an_exact_form_is_found() {
    let mut blocks = Vec::new();
    let mut rows = Vec::new();
    for size in [8.0f64, 16.0, 32.0, 64.0] {
        for step in 0..24 {
            let x = -1.0 + f64::from(step) / 12.0;
            let control = 0.7 + x * size.powf(-0.6);
            // A cubic is a spline.
            let value = size.powf(-0.2) * (2.0 + x + 0.3 * x * x - 0.2 * x * x * x) * (1.0 + 0.4 / size);
            rows.push(Row { size, control, value, error: Some(0.01), replicate: None });
        }
    }
    let curves = Curves::from_rows(rows).unwrap();
    let of = |curve| Block::new(curve, 0, Resampling::PointByPoint, |_| true);
    blocks.extend(curves.curves().iter().filter_map(of));
    let problem = Problem::new(blocks);
    let start = Start { p_c: 0.71, inv_nu: 0.63, kappa_over_nu: vec![0.22] };
    let found = problem.solve(&start, Correction::Factor, 1.0, 2).unwrap();
    for (value, truth) in found.theta.iter().zip([0.7, 0.6, 0.2, 0.05]) {
        assert!((value - truth).abs() < 1e-4, "{:?}", found.theta);
    }
    let plain = problem.solve(&start, Correction::None, 1.0, 2).unwrap();
    assert!(plain.chi_square > 100.0 * found.chi_square.max(1e-3));
}
