//! Whether the chains of the null models are uniform on exhaustively enumerated cases.
//!
//! ```text
//! cargo bench --no-default-features --bench uniformity -- [--draws N] [--seeds N] [--only TEXT]
//! ```
//!
//! For each case and seed, chi-square of N draws (1,000,000 by default) against the uniform law on all matrices that
//! the moves reach; the p-values of all seeds (20 by default) against the uniform law by Kolmogorov and Smirnov's
//! test. Draws are 30 proposals an edge apart: at 15 the slowest case, `degrees 41111 x 22211`, still remembers enough
//! to raise its mean chi-square from 83 to 93. The last two lines are a chain that counts accepted swaps alone and
//! one whose trades are not dealt out uniformly, which must fail.

#![allow(clippy::unwrap_used)]

#[path = "../support/uniformity.rs"]
mod support;

use std::collections::BTreeMap;
use std::process::ExitCode;

use prunephase::rewire::NullModel;
use rayon::prelude::*;
use support::{ALL_MOVES, Matrix, accepted_only, cases, chi_square, class_of, first_corrected, kolmogorov_smirnov};

fn main() -> ExitCode {
    let (mut draws, mut seeds, mut only) = (1_000_000, 20, String::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--draws" => draws = arguments.next().unwrap().parse().unwrap(),
            "--seeds" => seeds = arguments.next().unwrap().parse().unwrap(),
            "--only" => only = arguments.next().unwrap(),
            _ => {}
        }
    }
    println!("{draws} draws of {seeds} seeds; p of Kolmogorov and Smirnov must be above 0.001\n");
    println!(
        "{:<34} {:>8} {:>8} {:>12} {:>12} {:>12} {:>10}",
        "case", "matrices", "reached", "mean chi2", "freedom", "least p", "KS p"
    );
    let mut failed = false;
    let cases = cases();
    for case in cases.iter().filter(|case| case.title().contains(&only)) {
        let all = case.enumerate();
        let class = match case.null {
            NullModel::SignedDegrees => class_of(&case.first(), case.columns(), ALL_MOVES),
            _ => all.clone(),
        };
        let results: Vec<(f64, f64)> =
            (0..seeds).into_par_iter().map(|seed| chi_square(&case.counts(seed, draws, 30.0), &class)).collect();
        failed |= print(&case.title(), all.len(), class.len(), &results) <= 0.001;
    }
    let case = &cases[0];
    let all = case.enumerate();
    let wrong = |name: &str, counts: &(dyn Fn(u64) -> BTreeMap<Matrix, u64> + Sync)| {
        let results: Vec<(f64, f64)> = (0..seeds).into_par_iter().map(|seed| chi_square(&counts(seed), &all)).collect();
        print(name, all.len(), all.len(), &results) > 0.001
    };
    failed |= wrong("accepted swaps alone (draws / 10)", &|seed| accepted_only(case, seed, draws / 10, 10));
    failed |= wrong("biased trades (draws / 10)", &|seed| first_corrected(case, seed, draws / 10, 30));
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn print(name: &str, all: usize, reached: usize, results: &[(f64, f64)]) -> f64 {
    let p_values: Vec<f64> = results.iter().map(|(_, p)| *p).collect();
    let mean = results.iter().map(|(chi_square, _)| chi_square).sum::<f64>() / results.len() as f64;
    let least = p_values.iter().copied().fold(1.0, f64::min);
    let p = kolmogorov_smirnov(&p_values);
    println!("{name:<34} {all:>8} {reached:>8} {mean:>12.1} {:>12} {least:>12.2e} {p:>10.2e}", reached - 1);
    p
}
