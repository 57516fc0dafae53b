//! How often the intervals of a collapse hold the truth, over synthetic data sets.
//!
//! ```text
//! cargo bench --no-default-features --profile dev --bench coverage -- [--sets N] [--bootstraps B] [--only TEXT]
//! ```
//!
//! Each set has four sizes with grids of their own, a smooth master curve and given errors; the
//! model is exact, or has a factor 1 + b L^-omega that the fit knows nothing of. Statistical: the
//! value within 1 and 1.96 statistical errors; combined: the truth in `interval68` and `interval95`.

#![allow(clippy::unwrap_used)]

use std::time::Instant;

use prunephase::scaling::collapse::{self, CollapseFit, CollapseOptions};
use prunephase::scaling::{Curves, Parameters, Row};
use prunephase::seed::Seeds;
use rayon::prelude::*;

const SIZES: [f64; 4] = [32.0, 64.0, 128.0, 256.0];
const TRUTH: Parameters = Parameters { p_c: 0.59, inv_nu: 0.75, kappa_over_nu: 0.104 };

struct Case {
    name: &'static str,
    /// b and omega of the factor 1 + b L^-omega.
    correction: (f64, f64),
    window: Option<[f64; 2]>,
}

/// A rising curve with the power law's tails: f ~ x^(beta) above, falling fast below.
fn master(x: f64) -> f64 {
    let soft = if x > 30.0 { x } else { (1.5 * x).exp().ln_1p() / 1.5 };
    0.9 * (soft + 0.05).powf(0.139)
}

fn data(case: &Case, seed: u64) -> Curves {
    let mut stream = Seeds::new(seed, 0).stream("coverage");
    let (b, omega) = case.correction;
    let mut rows = Vec::new();
    for (index, &size) in SIZES.iter().enumerate() {
        // Grids reach about |x| = 2, with their own number of points and offset.
        let points = 33 + 3 * index;
        let half = 2.1 * size.powf(-TRUTH.inv_nu);
        let offset = stream.unit();
        for step in 0..points {
            let control = TRUTH.p_c + half * (2.0 * (step as f64 + offset) / points as f64 - 1.0);
            let x = (control - TRUTH.p_c) * size.powf(TRUTH.inv_nu);
            let exact = size.powf(-TRUTH.kappa_over_nu) * master(x) * (1.0 + b * size.powf(-omega));
            let error = 0.004 * exact * (1.0 + 0.5 * (-x).tanh());
            let value = exact + error * stream.normal();
            rows.push(Row { size, control, value, error: Some(error), replicate: None });
        }
    }
    Curves::from_rows(rows).unwrap()
}

fn argument(name: &str) -> Option<String> {
    let mut arguments = std::env::args();
    arguments.by_ref().find(|argument| argument == name)?;
    arguments.next()
}

#[derive(Default)]
struct Shares {
    statistical: [[usize; 2]; 3],
    combined: [[usize; 2]; 3],
    /// Sums of the deviation, its square, and the two errors.
    sums: [[f64; 4]; 3],
    reliable: usize,
}

fn count(fits: &[CollapseFit]) -> Shares {
    let mut shares = Shares::default();
    for fit in fits {
        shares.reliable += usize::from(fit.reliable);
        for (axis, estimate) in [fit.p_c, fit.inv_nu, fit.kappa_over_nu].iter().enumerate() {
            let deviation = estimate.value - TRUTH.to_array()[axis];
            for (level, z) in [1.0, 1.96].into_iter().enumerate() {
                shares.statistical[axis][level] += usize::from(deviation.abs() <= z * estimate.statistical);
                let [low, high] = [estimate.interval68, estimate.interval95][level];
                let truth = TRUTH.to_array()[axis];
                shares.combined[axis][level] += usize::from(low <= truth && truth <= high);
            }
            let terms = [deviation, deviation * deviation, estimate.statistical, estimate.systematic];
            for (sum, term) in shares.sums[axis].iter_mut().zip(terms) {
                *sum += term;
            }
        }
    }
    shares
}

fn main() {
    let number = |name: &str, default: usize| argument(name).map_or(default, |text| text.parse().unwrap());
    let (sets, bootstraps) = (number("--sets", 1000), number("--bootstraps", 100));
    let only = argument("--only").unwrap_or_default();
    let cases = [
        Case { name: "exact, window given", correction: (0.0, 1.0), window: Some([-1.0, 1.0]) },
        Case { name: "corrections, window given", correction: (0.25, 1.0), window: Some([-1.0, 1.0]) },
        Case { name: "strong ones, window given", correction: (0.5, 1.0), window: Some([-1.0, 1.0]) },
        Case { name: "exact, window found", correction: (0.0, 1.0), window: None },
        Case { name: "corrections, window found", correction: (0.25, 1.0), window: None },
        Case { name: "strong ones, window found", correction: (0.5, 1.0), window: None },
    ];
    println!("{sets} sets, {bootstraps} bootstraps; shares in % of the fits\n");
    println!(
        "{:<28}{:<10}{:>8}{:>8}{:>8}{:>8}{:>12}{:>12}{:>12}{:>12}",
        "case", "parameter", "stat68", "stat95", "all68", "all95", "bias", "spread", "statistical", "systematic"
    );
    for case in cases.iter().filter(|case| case.name.contains(&only)) {
        let start = Instant::now();
        let fits: Vec<CollapseFit> = (0..sets as u64)
            .into_par_iter()
            .filter_map(|seed| {
                let options =
                    CollapseOptions { window: case.window, bootstraps, starts: 10, seed, ..Default::default() };
                collapse::fit(&data(case, seed), &options).ok()
            })
            .collect();
        if let Some(path) = argument("--save") {
            let text: Vec<String> = fits.iter().map(|fit| serde_json::to_string(fit).unwrap()).collect();
            std::fs::write(format!("{path}-{}.json", case.name.replace([' ', ','], "-")), text.join("\n")).unwrap();
        }
        let shares = count(&fits);
        let n = fits.len() as f64;
        for (axis, parameter) in ["p_c", "1/nu", "kappa/nu"].into_iter().enumerate() {
            let percent = |count: usize| format!("{:.1}", 100.0 * count as f64 / n);
            let [s68, s95] = shares.statistical[axis].map(percent);
            let [c68, c95] = shares.combined[axis].map(percent);
            let [bias, square, statistical, systematic] = shares.sums[axis].map(|sum| sum / n);
            let spread = (square - bias * bias).max(0.0).sqrt();
            println!(
                "{:<28}{parameter:<10}{s68:>8}{s95:>8}{c68:>8}{c95:>8}{bias:>12.6}{spread:>12.6}{statistical:>12.6}{systematic:>12.6}",
                if axis == 0 { case.name } else { "" }
            );
        }
        println!(
            "{:<28}{} fitted, {} reliable, {:.1} s\n",
            "",
            fits.len(),
            shares.reliable,
            start.elapsed().as_secs_f64()
        );
    }
}
