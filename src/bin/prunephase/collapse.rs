//! `prunephase collapse`: finite-size scaling of curves of several sizes.

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use prunephase::files::write_atomically;
use prunephase::scaling::collapse::{self, CollapseFit, CollapseOptions};
use prunephase::scaling::{Objective, Parameters};
use prunephase::table::write_rows;

use crate::curves::{CurveArgs, ESTIMATE, ResultArgs, add_estimate, align, interval, verdict};
use crate::examples;
use crate::output::table;
use crate::progress;

/// Collapse the curves of several sizes: x = (p - p_c) L^(1/nu), y = A L^(kappa/nu).
///
/// Without a window, the window in x and the smallest size are found from the data by a stated rule
/// and varied for the systematic error. Exits with 1 where the result is not reliable; it is
/// printed and saved all the same.
#[derive(Debug, Args)]
#[command(after_long_help = examples::COLLAPSE)]
pub struct CollapseArgs {
    #[command(flatten)]
    curves: CurveArgs,
    /// The column of the system size L.
    #[arg(long, value_name = "COL")]
    size: String,
    /// The window in x.
    #[arg(long, value_name = "LO,HI", value_parser = interval, allow_hyphen_values = true)]
    window: Option<[f64; 2]>,
    /// Whether the edges of the window are hard or the points' weights fall smoothly to 0 there.
    #[arg(long, value_name = "KIND", default_value = "hard")]
    window_kind: WindowKind,
    /// What decides: Houdayer and Hartmann's quality, or the likelihood of a Gaussian process as the
    /// master curve (Harada), with a hard window.
    #[arg(long, value_name = "NAME", default_value = "quality")]
    objective: Decides,
    /// A starting guess, beside the scan of the whole range.
    #[arg(long, value_name = "P_C,INV_NU,KAPPA_OVER_NU", value_parser = start, allow_hyphen_values = true)]
    start: Option<Parameters>,
    #[command(flatten)]
    result: ResultArgs,
}

/// The edges of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WindowKind {
    Hard,
    Smooth,
}

/// What decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Decides {
    Quality,
    GaussianProcess,
}

impl CollapseArgs {
    fn objective(&self) -> anyhow::Result<Objective> {
        match (self.objective, self.window_kind) {
            (Decides::Quality, WindowKind::Hard) => Ok(Objective::Pooled),
            (Decides::Quality, WindowKind::Smooth) => Ok(Objective::Smooth),
            (Decides::GaussianProcess, WindowKind::Hard) => Ok(Objective::GaussianProcess),
            (Decides::GaussianProcess, WindowKind::Smooth) => {
                bail!("--objective gaussian-process has a hard window: leave --window-kind smooth out")
            }
        }
    }
}

/// Three numbers, as `P_C,INV_NU,KAPPA_OVER_NU`.
fn start(text: &str) -> Result<Parameters, String> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[p_c, inv_nu, kappa_over_nu]) if p_c.is_finite() && inv_nu > 0.0 && kappa_over_nu.is_finite() => {
            Ok(Parameters { p_c, inv_nu, kappa_over_nu })
        }
        _ => Err("three numbers P_C,INV_NU,KAPPA_OVER_NU with 1/nu > 0 are needed, such as 0.59,0.75,0.1".into()),
    }
}

/// Runs the subcommand.
pub fn run(args: &CollapseArgs) -> anyhow::Result<ExitCode> {
    let curves = args.curves.read(Some(&args.size))?;
    let options = CollapseOptions {
        window: args.window,
        guess: args.start,
        objective: args.objective()?,
        bootstraps: args.result.bootstrap,
        seed: args.result.seed,
        ..CollapseOptions::default()
    };
    let fit =
        progress::during("collapsing", || collapse::fit(&curves, &options)).with_context(|| args.curves.place())?;
    if let Some(folder) = &args.result.out {
        write_rows(&folder.join("collapse.csv"), collapse::scaled_points(&curves, &fit))?;
        write_rows(&folder.join("collapse_landscape.csv"), collapse::landscape(&curves, &fit))?;
        write_rows(&folder.join("collapse_bootstrap.csv"), collapse::resampled(&fit))?;
        let text = serde_json::to_string_pretty(&args.curves.named(&fit))?;
        write_atomically(&folder.join("collapse.json"), |file| writeln!(file, "{text}"))?;
    }
    if args.result.json {
        println!("{}", serde_json::to_string(&args.curves.named(&fit))?);
    } else {
        print(&fit);
    }
    Ok(if fit.reliable { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(fit: &CollapseFit) {
    let mut table = table(&ESTIMATE);
    add_estimate(&mut table, "p_c", &fit.p_c);
    add_estimate(&mut table, "1/nu", &fit.inv_nu);
    add_estimate(&mut table, "kappa/nu", &fit.kappa_over_nu);
    align(&mut table);
    println!("{}", table.trim_fmt());
    let [low, high] = fit.window;
    let origin = if fit.window_given { "given" } else { "found" };
    let sizes: Vec<String> = fit.sizes.iter().map(f64::to_string).collect();
    println!();
    println!("quality S = {:.4} over {} points, sizes {}", fit.quality, fit.points, sizes.join(", "));
    if let Some(unscaled) = fit.unscaled_quality {
        println!("S with the control not scaled = {unscaled:.4}");
    }
    println!("window {low} to {high} in x ({origin})");
    println!("{} of {} starts, {} of {} resamples", fit.reached, fit.starts, fit.bootstrap.len(), fit.bootstraps);
    println!("{} other optima, {} choices in the systematic scan", fit.alternatives.len(), fit.scan.len());
    verdict("collapse", fit.reliable, &fit.reasons, &fit.warnings);
}
