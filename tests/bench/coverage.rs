//! How often the intervals of a collapse hold the truth, over synthetic data sets.
//!
//! ```text
//! cargo bench --no-default-features --bench coverage -- [--sets N] [--bootstraps B] [--only TEXT] [--seed FIRST]
//! ```
//!
//! Two master curves (an order parameter that saturates, a skewed peak), each with exponents and sizes of
//! its own. The errors are those of independent points, of replicates whose points share an offset and a
//! tilt, or of runs that all points of a size share. The scaling form is exact, or has corrections that
//! the fit knows nothing of, with exponents omega that are not the ones it assumes.
//!
//! Statistical: the value within 1 and 1.96 statistical errors of the truth, which only means something
//! where the form is exact; combined: the truth in `interval68` and `interval95`. `width` is half the
//! combined 68 % interval over the statistical error. A fit that is not reliable counts like any other.

#![allow(clippy::unwrap_used)]

use std::time::Instant;

use prunephase::scaling::collapse::{self, CollapseFit, CollapseOptions};
use prunephase::scaling::{Curves, Parameters, Row};
use prunephase::seed::Seeds;
use rayon::prelude::*;

/// What the errors of a size's points have in common.
#[derive(Clone, Copy)]
enum Noise {
    /// Nothing.
    Points,
    /// Every replicate has an offset, a tilt and noise of its own.
    Replicates(usize),
    /// All points have the offset and the tilt of the same runs.
    Runs,
}

/// A master curve with its exponents.
struct Law {
    name: &'static str,
    truth: Parameters,
    master: fn(f64) -> f64,
    sizes: &'static [f64],
    /// The error of a point at a height of the master curve.
    error: f64,
    window: [f64; 2],
}

const ORDER: Law = Law {
    name: "order",
    truth: Parameters { p_c: 0.31, inv_nu: 0.9, kappa_over_nu: 0.23 },
    master: |x| 0.55 + 0.5 * (0.8 * x).tanh() + 0.02 * x,
    sizes: &[20.0, 40.0, 80.0, 160.0],
    error: 0.004,
    window: [-1.2, 1.2],
};

const PEAK: Law = Law {
    name: "peak",
    truth: Parameters { p_c: 1.4, inv_nu: 0.55, kappa_over_nu: -1.2 },
    master: |x| (0.15 * x).exp() / (1.0 + 0.7 * (x - 0.4).powi(2)),
    sizes: &[16.0, 32.0, 64.0, 128.0, 256.0],
    error: 0.006,
    window: [-1.5, 1.5],
};

struct Case {
    law: &'static Law,
    noise: Noise,
    /// b and omega of the factor 1 + b L^-omega.
    factor: (f64, f64),
    /// a and omega of the drift, x = (p - p_c) L^(1/nu) - a L^-omega.
    drift: (f64, f64),
    given: bool,
}

impl Case {
    fn name(&self) -> String {
        let noise = match self.noise {
            Noise::Points => "points".to_owned(),
            Noise::Replicates(count) => format!("{count} replicates"),
            Noise::Runs => "shared runs".to_owned(),
        };
        let part = |(amplitude, omega): (f64, f64), name: &str| {
            if amplitude == 0.0 { String::new() } else { format!(", {name} = {amplitude}, omega = {omega}") }
        };
        let corrections = part(self.factor, "b") + &part(self.drift, "a");
        let form = if corrections.is_empty() { ", exact" } else { &corrections };
        format!("{}, {noise}{form}, window {}", self.law.name, if self.given { "given" } else { "found" })
    }

    fn exact(&self, size: f64, control: f64) -> (f64, f64) {
        let Parameters { p_c, inv_nu, kappa_over_nu } = self.law.truth;
        let x = (control - p_c) * size.powf(inv_nu);
        let factor = 1.0 + self.factor.0 * size.powf(-self.factor.1);
        (x, size.powf(-kappa_over_nu) * factor * (self.law.master)(x - self.drift.0 * size.powf(-self.drift.1)))
    }

    fn data(&self, seed: u64) -> Curves {
        let mut stream = Seeds::new(seed, 0).stream(&format!("coverage {}", self.name()));
        let Parameters { p_c, inv_nu, kappa_over_nu } = self.law.truth;
        let mut rows = Vec::new();
        for (index, &size) in self.law.sizes.iter().enumerate() {
            // Grids reach about twice as far as the window, with their own number of points and offset.
            let points = 24 + 2 * index;
            let half = 2.0 * self.law.window[1] * size.powf(-inv_nu);
            let offset = stream.unit();
            let controls: Vec<f64> =
                (0..points).map(|j| p_c + half * (2.0 * (j as f64 + offset) / points as f64 - 1.0)).collect();
            let unit = self.law.error * size.powf(-kappa_over_nu);
            let mut run = |rows: &mut Vec<Row>, replicate: Option<String>, scale: f64, own: f64| {
                let (level, tilt) = (stream.normal(), stream.normal());
                for &control in &controls {
                    let (x, exact) = self.exact(size, control);
                    // The variance of offset and tilt grows away from the middle, as the error says.
                    let u = 0.5 * x / self.law.window[1];
                    let shared = (1.0 - own) * (level + u * tilt) / (1.0 + u * u).sqrt();
                    let error = unit * (1.0 + 0.3 * (-x).tanh());
                    let value = exact + scale * error * (shared + own * stream.normal());
                    let given = replicate.is_none().then_some(error);
                    rows.push(Row { size, control, value, error: given, replicate: replicate.clone() });
                }
            };
            match self.noise {
                Noise::Points => run(&mut rows, None, 1.0, 1.0),
                Noise::Runs => run(&mut rows, None, 1.0, 0.0),
                Noise::Replicates(count) => {
                    let scale = (count as f64).sqrt();
                    (0..count).for_each(|number| run(&mut rows, Some(number.to_string()), scale, 0.6));
                }
            }
        }
        Curves::from_rows(rows).unwrap()
    }
}

const NONE: (f64, f64) = (0.0, 1.0);

const CASES: [Case; 10] = [
    Case { law: &ORDER, noise: Noise::Points, factor: NONE, drift: NONE, given: true },
    Case { law: &PEAK, noise: Noise::Points, factor: NONE, drift: NONE, given: true },
    Case { law: &ORDER, noise: Noise::Points, factor: (-0.15, 0.7), drift: NONE, given: true },
    Case { law: &PEAK, noise: Noise::Points, factor: NONE, drift: (3.0, 1.3), given: true },
    Case { law: &PEAK, noise: Noise::Points, factor: (0.5, 1.0), drift: (-2.0, 1.5), given: true },
    Case { law: &ORDER, noise: Noise::Points, factor: NONE, drift: NONE, given: false },
    Case { law: &ORDER, noise: Noise::Points, factor: (0.6, 1.4), drift: NONE, given: false },
    Case { law: &ORDER, noise: Noise::Replicates(10), factor: NONE, drift: NONE, given: true },
    Case { law: &ORDER, noise: Noise::Runs, factor: NONE, drift: NONE, given: true },
    Case { law: &PEAK, noise: Noise::Runs, factor: (0.5, 1.0), drift: NONE, given: true },
];

fn argument(name: &str) -> Option<String> {
    let mut arguments = std::env::args();
    arguments.by_ref().find(|argument| argument == name)?;
    arguments.next()
}

#[derive(Default)]
struct Shares {
    statistical: [[usize; 2]; 3],
    combined: [[usize; 2]; 3],
    /// Sums of the deviation, its square, the statistical error and the half of the combined 68 %
    /// interval.
    sums: [[f64; 4]; 3],
    reliable: usize,
}

fn count(fits: &[CollapseFit], truth: Parameters) -> Shares {
    let mut shares = Shares::default();
    for fit in fits {
        shares.reliable += usize::from(fit.reliable);
        for (axis, estimate) in [fit.p_c, fit.inv_nu, fit.kappa_over_nu].iter().enumerate() {
            let truth = truth.to_array()[axis];
            let deviation = estimate.value - truth;
            for (level, z) in [1.0, 1.96].into_iter().enumerate() {
                shares.statistical[axis][level] += usize::from(deviation.abs() <= z * estimate.statistical);
                let [low, high] = [estimate.interval68, estimate.interval95][level];
                shares.combined[axis][level] += usize::from(low <= truth && truth <= high);
            }
            let half = 0.5 * (estimate.interval68[1] - estimate.interval68[0]);
            let terms = [deviation, deviation * deviation, estimate.statistical, half];
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
    let first = number("--seed", 0) as u64;
    let only = argument("--only").unwrap_or_default();
    println!("{sets} sets, {bootstraps} bootstraps; shares in % of the fits\n");
    for (place, case) in CASES.iter().enumerate() {
        let name = format!("{place}: {}", case.name());
        if !name.contains(&only) {
            continue;
        }
        let start = Instant::now();
        let fits: Vec<CollapseFit> = (first..first + sets as u64)
            .into_par_iter()
            .filter_map(|seed| {
                let window = case.given.then_some(case.law.window);
                let options = CollapseOptions { window, bootstraps, starts: 10, seed, ..Default::default() };
                collapse::fit(&case.data(seed), &options).ok()
            })
            .collect();
        let shares = count(&fits, case.law.truth);
        let n = fits.len() as f64;
        println!("{name}: {} fitted, {} reliable, {:.1} s", fits.len(), shares.reliable, start.elapsed().as_secs_f64());
        println!(
            "{:<10}{:>8}{:>8}{:>8}{:>8}{:>12}{:>12}{:>12}{:>8}",
            "", "stat68", "stat95", "all68", "all95", "bias", "spread", "statistical", "width"
        );
        for (axis, parameter) in ["p_c", "1/nu", "kappa/nu"].into_iter().enumerate() {
            let percent = |count: usize| format!("{:.1}", 100.0 * count as f64 / n);
            let [s68, s95] = shares.statistical[axis].map(percent);
            let [c68, c95] = shares.combined[axis].map(percent);
            let [bias, square, statistical, half] = shares.sums[axis].map(|sum| sum / n);
            let spread = (square - bias * bias).max(0.0).sqrt();
            println!(
                "{parameter:<10}{s68:>8}{s95:>8}{c68:>8}{c95:>8}{bias:>12.6}{spread:>12.6}{statistical:>12.6}{:>8.2}",
                half / statistical
            );
        }
        println!();
    }
}
