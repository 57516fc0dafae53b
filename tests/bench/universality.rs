//! The sweep, the collapse, the growth exponents and the tail, where theory knows the answer.
//!
//! `cargo bench --no-default-features --profile dev --bench universality [-- MODEL... times=X seed=S]`,
//! with models bond2, site2, bond3, layered (all by default); `times` multiplies the realisations.
//! Prints tables; deviations are in units of both errors combined.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
mod ensembles;

use std::time::Instant;

use ensembles::{Exact, Model, SEED, Sample, curves, merged, point, realisations};
use prunephase::scaling::collapse::{CollapseOptions, JointOptions, fit, fit_joint};
use prunephase::scaling::{Curves, GrowthFit, choose_cutoffs, cutoff_spread, fit_growth, fit_tail, fit_tail_corrected};

/// Batches of realisations that stand for replicates in the collapse.
const BATCHES: usize = 20;

struct Plan {
    model: Model,
    /// (size, realisations).
    sizes: Vec<(usize, u64)>,
    /// The controls of the curves: first, step, number.
    controls: (f64, f64, usize),
    /// The window of the collapse. Over a wide range of controls the search without a window takes the
    /// side where P_inf falls to 0 for a collapse, and says that it is not reliable.
    window: Option<[f64; 2]>,
}

fn plan(name: &str) -> Plan {
    let two = vec![(32, 4000), (64, 2400), (128, 1200), (256, 480), (512, 160), (1024, 60)];
    match name {
        "bond2" => Plan { model: Model::Bond2, sizes: two, controls: (0.46, 0.000_5, 161), window: Some([-0.6, 0.6]) },
        "site2" => Plan { model: Model::Site2, sizes: two, controls: (0.55, 0.000_5, 171), window: Some([-0.6, 0.6]) },
        "bond3" => Plan {
            model: Model::Bond3,
            sizes: vec![(8, 4000), (16, 2400), (32, 480), (64, 120), (100, 40)],
            controls: (0.22, 0.000_4, 151),
            window: Some([-0.6, 0.6]),
        },
        "layered" => Plan {
            model: Model::Layered,
            sizes: vec![(1000, 4000), (4000, 2000), (16_000, 2000), (64_000, 1200), (256_000, 480), (1_000_000, 180)],
            controls: (0.80, 0.001_5, 161),
            window: Some([-1.0, 1.0]),
        },
        other => panic!("model `{other}` is not known; the models are bond2, site2, bond3, layered"),
    }
}

fn row(what: &str, estimate: f64, statistical: f64, systematic: f64, exact: f64, note: &str) {
    let deviation = (estimate - exact) / statistical.hypot(systematic);
    println!(
        "  {what:<12} {estimate:>10.5} {statistical:>10.5} {systematic:>10.5} {exact:>10.5} {deviation:>7.2}  {note}"
    );
}

fn growth_note(fit: &GrowthFit) -> String {
    format!(
        "corrected {:.4}, sizes from {}, chi-square {:.1} for {}{}",
        fit.corrected.unwrap_or(f64::NAN),
        fit.smallest,
        fit.chi_square,
        fit.degrees_of_freedom,
        if fit.acceptable { "" } else { " (NOT ACCEPTABLE)" }
    )
}

/// The jackknife error over realisations, in up to 20 groups: clusters of one graph are not
/// independent, and neither are those of a fit with the same cutoffs.
fn jackknife(samples: &[Sample], tau: impl Fn(&[(u64, u64)]) -> f64) -> f64 {
    let groups = samples.len().min(20);
    let without: Vec<f64> = (0..groups)
        .map(|group| {
            let rest = samples.iter().enumerate().filter(|(index, _)| index % groups != group);
            tau(&merged(rest.map(|(_, sample)| sample)))
        })
        .collect();
    let n = groups as f64;
    let centre = without.iter().sum::<f64>() / n;
    ((n - 1.0) / n * without.iter().map(|tau| (tau - centre).powi(2)).sum::<f64>()).sqrt()
}

/// tau of the largest size between the cutoffs of the smallest KS distance, s_max up to 0.05 <s1>.
/// Plain: the systematic error is the larger of the spread over neighbouring cutoffs and of the shift to
/// the corrected fit. Corrected: with the factor exp(b s^-omega), the systematic error the largest shift
/// when s_min or s_max changes by 2.
fn tails(samples: &[Sample], exact: f64, omega: f64) {
    let counts = merged(samples.iter());
    let largest = samples.iter().map(|sample| sample.s1).sum::<f64>() / samples.len() as f64;
    let fits = choose_cutoffs(&counts, (0.05 * largest) as u64, 30.0).unwrap();
    let best = fits[0];
    let corrected = |counts: &[(u64, u64)], s_min, s_max| fit_tail_corrected(counts, s_min, s_max, omega).unwrap();
    let wide = (0.05 * largest) as u64;
    let s_min = best.s_min;
    let fit = corrected(&counts, s_min, wide);
    let shift = [(2 * s_min, wide), (s_min, wide / 2), ((s_min / 2).max(1), wide)]
        .map(|(low, high)| (corrected(&counts, low, high).tau - fit.tau).abs())
        .into_iter()
        .fold(0.0, f64::max);
    let statistical = best.error.max(jackknife(samples, |counts| fit_tail(counts, s_min, best.s_max).unwrap().tau));
    let systematic = cutoff_spread(&fits).max((fit.tau - best.tau).abs());
    let note = format!("s {} to {}, {} clusters, KS {:.5}", s_min, best.s_max, best.observations, best.ks);
    row("tau", best.tau, statistical, systematic, exact, &note);
    let statistical = fit.error.max(jackknife(samples, |counts| corrected(counts, s_min, wide).tau));
    let note = format!("s {s_min} to {wide}, {} clusters, b = {:.3}", fit.observations, fit.amplitude);
    row("tau corr.", fit.tau, statistical, shift, exact, &note);
}

fn run(plan: &Plan, share: f64, seed: u64) {
    let model = plan.model;
    let exact = model.exact();
    let (first, step, number) = plan.controls;
    let controls: Vec<f64> = (0..number).map(|index| first + step * index as f64).collect();
    println!("\n{}, critical control {:.6}", model.name(), exact.critical);
    println!(
        "  {:>9} {:>6} {:>12} {:>10} {:>12} {:>10} {:>12} {:>10} {:>7}",
        "size", "runs", "s1", "error", "s2", "error", "chi", "error", "seconds"
    );
    let last = plan.sizes.len() - 1;
    let mut samples = Vec::new();
    for (index, &(size, count)) in plan.sizes.iter().enumerate() {
        let start = Instant::now();
        let count = ((share * count as f64) as u64).max(BATCHES as u64);
        let found = realisations(model, seed, size, count, &controls, index == last);
        let [s1, s2, chi] =
            [|s: &Sample| s.s1, |s: &Sample| s.s2, |s: &Sample| s.chi].map(|of| point(size, &found, of));
        println!(
            "  {size:>9} {count:>6} {:>12.2} {:>10.2} {:>12.2} {:>10.2} {:>12.3} {:>10.3} {:>7.1}",
            s1.value,
            s1.error,
            s2.value,
            s2.error,
            chi.value,
            chi.error,
            start.elapsed().as_secs_f64()
        );
        samples.push((size, found));
    }
    println!("  {:<12} {:>10} {:>10} {:>10} {:>10} {:>7}", "", "estimate", "statist.", "system.", "exact", "dev.");
    for (what, of, expected) in [
        ("s1 growth", (|s: &Sample| s.s1) as fn(&Sample) -> f64, exact.s1),
        ("s2 growth", |s: &Sample| s.s2, exact.s1),
        ("chi growth", |s: &Sample| s.chi, exact.chi),
    ] {
        let points: Vec<_> = samples.iter().map(|(size, samples)| point(*size, samples, of)).collect();
        let fit = fit_growth(&points, Some(exact.omega)).unwrap();
        row(what, fit.exponent, fit.statistical, fit.systematic, expected, &growth_note(&fit));
    }
    tails(&samples[last].1, exact.tau, exact.omega_s);
    let order = curves(&samples, &controls, BATCHES, |sample| &sample.p_inf);
    let chi = curves(&samples, &controls, BATCHES, |sample| &sample.chi_at);
    collapse("P_inf", &order, plan.window, &exact, ("beta/nu", exact.beta_over_nu));
    collapse("chi", &chi, plan.window, &exact, ("-gamma/nu", -exact.chi));
    let options = JointOptions { window: plan.window, ..JointOptions::default() };
    match fit_joint(&[("P_inf", &order), ("chi", &chi)], &options) {
        Ok(found) => {
            for (what, estimate, expected) in [
                ("p_c", found.p_c, exact.critical),
                ("1/nu", found.inv_nu, exact.inv_nu),
                ("beta/nu", found.observables[0].kappa_over_nu, exact.beta_over_nu),
                ("-gamma/nu", found.observables[1].kappa_over_nu, -exact.chi),
            ] {
                row(what, estimate.value, estimate.statistical, estimate.systematic, expected, "both together");
            }
        }
        Err(error) => println!("  both together: {error}"),
    }
}

/// The collapse of one observable against the exact values.
fn collapse(
    name: &str,
    curves: &Curves,
    window: Option<[f64; 2]>,
    exact: &Exact,
    (kappa, expected_kappa): (&str, f64),
) {
    let start = Instant::now();
    match fit(curves, &CollapseOptions { window, bootstraps: 100, ..CollapseOptions::default() }) {
        Ok(found) => {
            for (what, estimate, expected) in [
                ("p_c", found.p_c, exact.critical),
                ("1/nu", found.inv_nu, exact.inv_nu),
                (kappa, found.kappa_over_nu, expected_kappa),
            ] {
                let note = format!("collapse of {name}");
                row(what, estimate.value, estimate.statistical, estimate.systematic, expected, &note);
            }
            println!(
                "  collapse of {name}: S = {:.2}, window {:.2} to {:.2}, {} points, sizes from {}, reliable {}, {:.0} s",
                found.quality,
                found.window[0],
                found.window[1],
                found.points,
                found.sizes[0],
                found.reliable,
                start.elapsed().as_secs_f64()
            );
            for line in found.reasons.iter().chain(&found.warnings) {
                println!("    - {line}");
            }
        }
        Err(error) => println!("  collapse of {name}: {error}"),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let option = |name: &str| arguments.iter().find_map(|argument| argument.strip_prefix(name));
    let share = option("times=").map_or(1.0, |text| text.parse().unwrap());
    let seed = option("seed=").map_or(SEED, |text| text.parse().unwrap());
    let mut names: Vec<&str> = arguments.iter().map(String::as_str).filter(|name| !name.contains('=')).collect();
    if names.is_empty() {
        names = vec!["bond2", "site2", "bond3", "layered"];
    }
    for name in names {
        run(&plan(name), share, seed);
    }
}
