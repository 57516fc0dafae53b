//! How often the intervals of a collapse hold the truth, over synthetic data sets.
//!
//! ```text
//! cargo bench --no-default-features --profile dev --bench coverage -- [--sets N] [--bootstraps B] [--only TEXT] [--out DIR]
//! ```
//!
//! With `--out` the fits are kept in a folder, and a second call goes on where the first one was stopped.
//!
//! Each set has four sizes with grids of their own, a smooth master curve and given errors; the
//! model is exact, or has a factor 1 + b L^-omega that the fit knows nothing of. Statistical: the
//! value within 1 and 1.96 statistical errors; combined: the truth in `interval68` and `interval95`.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use prunephase::files::write_atomically;
use prunephase::scaling::collapse::{self, CollapseFit, CollapseOptions};
use prunephase::scaling::{Curves, Parameters, Row};
use prunephase::seed::Seeds;
use rayon::prelude::*;

/// Sets that are fitted before they are saved.
const PART: u64 = 40;
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

/// One set: its seed, and the fit where one was found.
type Drawn = (u64, Option<CollapseFit>);

/// The fits of a case; with a folder they are kept there as they come, and only those missing are made.
fn fits(case: &Case, sets: u64, bootstraps: usize, folder: Option<&Path>) -> Vec<CollapseFit> {
    let name = format!("{}, {bootstraps} bootstraps", case.name).replace(", ", "-").replace(' ', "_");
    let path = folder.map(|folder| folder.join(format!("{name}.jsonl")));
    let saved = path.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let mut all: Vec<Drawn> = saved.lines().map_while(|line| serde_json::from_str(line).ok()).collect();
    all.truncate(sets as usize);
    while (all.len() as u64) < sets {
        let first = all.len() as u64;
        let found: Vec<Drawn> = (first..sets.min(first + PART))
            .into_par_iter()
            .map(|seed| {
                let options =
                    CollapseOptions { window: case.window, bootstraps, starts: 10, seed, ..Default::default() };
                (seed, collapse::fit(&data(case, seed), &options).ok())
            })
            .collect();
        all.extend(found);
        if let Some(path) = &path {
            write_atomically(path, |file| {
                all.iter().try_for_each(|one| writeln!(file, "{}", serde_json::to_string(one).unwrap()))
            })
            .unwrap();
        }
        eprintln!("{}: {} of {sets}", case.name, all.len());
    }
    all.into_iter().filter_map(|(_, fit)| fit).collect()
}

fn main() {
    let number = |name: &str, default: usize| argument(name).map_or(default, |text| text.parse().unwrap());
    let (sets, bootstraps) = (number("--sets", 1000), number("--bootstraps", 50));
    let only = argument("--only").unwrap_or_default();
    let folder = argument("--out").map(PathBuf::from);
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
        let fits = fits(case, sets as u64, bootstraps, folder.as_deref());
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
        println!("{:<28}{} fitted, {} reliable\n", "", fits.len(), shares.reliable);
    }
}
