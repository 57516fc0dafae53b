use super::*;
use crate::scaling::curves::Row;

/// An order parameter and a susceptibility, with replicates whose noise both share, a drift of p_c or a
/// factor of the order parameter.
fn observables(seed: u64, drift: f64, b: f64) -> [Curves; 2] {
    let mut stream = Seeds::new(seed, 0).stream("joint");
    let mut rows = [Vec::new(), Vec::new()];
    for size in [16.0f64, 32.0, 64.0, 128.0] {
        for replicate in 0..12 {
            let shared = stream.normal();
            for step in 0..30 {
                let control = 0.4 + 1.6 * (f64::from(step) / 29.0 - 0.5) * size.powf(-0.8) * 2.0;
                let small = 16.0 / size;
                let x = (control - 0.4) * size.powf(0.8) - drift * small;
                let noise = |stream: &mut crate::seed::Stream| 0.01 * (shared + stream.normal());
                let replicate = Some(replicate.to_string());
                let order = size.powf(-0.2) * (1.0 + b * small) * (1.0 + x.tanh()) * (1.0 + noise(&mut stream));
                rows[0].push(Row { size, control, value: order, error: None, replicate: replicate.clone() });
                let chi = size.powf(1.2) / (1.0 + x * x) * (1.0 + noise(&mut stream));
                rows[1].push(Row { size, control, value: chi, error: None, replicate });
            }
        }
    }
    rows.map(|rows| Curves::from_rows(rows).unwrap())
}

const WINDOW: Option<[f64; 2]> = Some([-1.2, 1.2]);

#[test]
fn errors_of_a_joint_fit_cover_the_truth() {
    let truth = [0.4, 0.8, 0.2, -1.2];
    let (mut within, mut combined, sets) = ([0; 4], [0; 4], 16);
    for seed in 0..sets {
        let [order, chi] = observables(seed, 0.0, 0.0);
        let options = JointOptions { window: WINDOW, starts: 10, seed, ..Default::default() };
        let found = fit_joint(&[("order", &order), ("chi", &chi)], &options).unwrap();
        assert!(found.reliable, "{:?}", found.reasons);
        assert_eq!(found.parameters, ["p_c", "inv_nu", "kappa_over_nu order", "kappa_over_nu chi"]);
        let values = [found.p_c, found.inv_nu, found.observables[0].kappa_over_nu, found.observables[1].kappa_over_nu];
        for axis in 0..4 {
            assert!((found.covariance[axis][axis].sqrt() - values[axis].statistical).abs() < 1e-12);
            within[axis] += i32::from((values[axis].value - truth[axis]).abs() < values[axis].statistical);
            let [low, high] = values[axis].interval95;
            combined[axis] += i32::from(low < truth[axis] && truth[axis] < high);
            assert!((found.covariance[axis][0] - found.covariance[0][axis]).abs() < 1e-15);
        }
        // Replicates of both observables move together.
        let correlation = found.covariance[2][3] / (found.covariance[2][2] * found.covariance[3][3]).sqrt();
        assert!(correlation > 0.3, "{correlation}");
    }
    eprintln!("{within:?} of {sets} within one statistical error, {combined:?} in the 95 % interval");
    // 68 % of 16 is 10.9 +- 1.9.
    assert!(within.iter().all(|&count| (6..=15).contains(&count)), "{within:?}");
    assert!(combined.iter().all(|&count| count >= 15), "{combined:?}");
}

#[test]
fn corrections_are_found_where_they_are() {
    let [order, chi] = observables(99, 0.15, 0.0);
    let fitted = |correction| {
        let options = JointOptions { window: WINDOW, correction, omega: Some(1.0), starts: 10, ..Default::default() };
        fit_joint(&[("order", &order), ("chi", &chi)], &options).unwrap()
    };
    let (plain, drift) = (fitted(Correction::None), fitted(Correction::Drift));
    assert!(plain.chi_square > drift.chi_square + 20.0, "{} {}", plain.chi_square, drift.chi_square);
    assert_eq!(drift.amplitudes.len(), 1);
    assert!((drift.amplitudes[0].value - 0.15).abs() < 4.0 * drift.amplitudes[0].statistical, "{:?}", drift.amplitudes);
    assert!((drift.p_c.value - 0.4).abs() < 4.0 * drift.p_c.statistical, "{:?}", drift.p_c);
    // The plain fit is biased, and its combined interval knows.
    let [low, high] = plain.p_c.interval95;
    assert!((plain.p_c.value - 0.4).abs() > 3.0 * plain.p_c.statistical, "{:?}", plain.p_c);
    assert!(low < 0.4 && 0.4 < high, "{:?}", plain.p_c);
    // The points lie on their curves, as chi-square says.
    let squares: f64 = drift.scaled.iter().map(|point| point.residual.powi(2)).sum();
    assert!((squares / drift.chi_square - 1.0).abs() < 1e-6, "{squares} {}", drift.chi_square);
    assert_eq!(drift.scaled.len(), drift.points);
    assert!(drift.scaled.iter().all(|point| drift.sizes.contains(&point.size)));

    let [order, chi] = observables(98, 0.0, 0.1);
    let options = JointOptions {
        window: WINDOW,
        correction: Correction::Factor,
        omega: Some(1.0),
        starts: 10,
        ..Default::default()
    };
    let found = fit_joint(&[("order", &order), ("chi", &chi)], &options).unwrap();
    let [b, none] = &found.amplitudes[..] else { panic!("{:?}", found.amplitudes) };
    assert_eq!((b.name.as_str(), none.name.as_str()), ("b order", "b chi"));
    // The factor at the smallest size is 1 + 0.1.
    assert!((b.value - 0.1).abs() < 4.0 * b.statistical && none.value.abs() < 4.0 * none.statistical);
    let squares: f64 = found.scaled.iter().map(|point| point.residual.powi(2)).sum();
    assert!((squares / found.chi_square - 1.0).abs() < 1e-6, "{squares} {}", found.chi_square);
}

#[test]
fn wrong_options_are_named() {
    let [order, chi] = observables(1, 0.0, 0.0);
    let message = |observables: &[(&str, &Curves)], options: &JointOptions| {
        fit_joint(observables, options).unwrap_err().to_string()
    };
    assert!(message(&[], &JointOptions::default()).contains("observables 0"));
    let omega = JointOptions { omega: Some(-1.0), ..Default::default() };
    assert!(message(&[("order", &order)], &omega).contains("omega -1"));
    let fewer = chi.from_size(32.0);
    assert!(message(&[("order", &order), ("chi", &fewer)], &JointOptions::default()).contains("chi"));
    let (order, correction) = (order.from_size(64.0), Correction::Factor);
    let two = JointOptions { window: WINDOW, correction, starts: 10, ..Default::default() };
    assert!(message(&[("order", &order)], &two).contains("at least 3"));
}
