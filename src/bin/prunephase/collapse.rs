//! `prunephase collapse`: finite-size scaling of curves of several sizes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use prunephase::files::write_atomically;
use prunephase::scaling::collapse::{
    self, CollapseFit, CollapseOptions, JointFit, JointObservable, JointOptions, ScaledPoint,
};
use prunephase::scaling::{Correction, Curves, Objective, Parameters};
use prunephase::table::write_rows;
use serde_json::json;

use crate::curves::{CurveArgs, ESTIMATE, ResultArgs, add_estimate, align, interval, verdict};
use crate::examples;
use crate::output::table;
use crate::progress;

/// Collapse the curves of several sizes: x = (p - p_c) L^(1/nu), y = A L^(kappa/nu).
///
/// Without a window, the window in x and the smallest size are found from the data by a stated rule
/// and varied for the systematic error. Several --value columns share p_c and nu and are fitted by
/// least squares with a spline for each master curve, as is one with a --correction; --bootstrap does
/// not matter there, and --out has a folder for the figure of each. Exits with 1 where the result is not reliable; it is printed and saved all the same.
#[derive(Debug, Args)]
#[command(after_long_help = examples::COLLAPSE)]
pub struct CollapseArgs {
    /// A CSV table with a header.
    table: PathBuf,
    /// The column of the control parameter.
    #[arg(long, value_name = "COL")]
    control: String,
    /// The column of the observable; given several times, a joint fit.
    #[arg(long, value_name = "COL", required = true)]
    value: Vec<String>,
    /// The column of its standard error; with several observables one for each, in their order.
    #[arg(long, value_name = "COL")]
    error: Vec<String>,
    /// The column that names the replicate; errors then come from the spread of replicates, and
    /// resamples are of whole replicates.
    #[arg(long, value_name = "COL")]
    replicate: Option<String>,
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
    /// A correction to scaling fitted along: of the amplitude, 1 + b (L/L_min)^-omega, or a drift of
    /// p_c, x - a (L/L_min)^-omega.
    #[arg(long, value_name = "KIND", default_value = "none")]
    correction: Kind,
    /// The exponent omega of the correction; without it 4/3 of the 1/nu of a plain collapse of the first
    /// observable.
    #[arg(long, value_name = "W", allow_hyphen_values = true)]
    omega: Option<f64>,
    #[command(flatten)]
    result: ResultArgs,
}

/// The correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    None,
    Factor,
    Drift,
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
    fn columns(&self) -> anyhow::Result<Vec<CurveArgs>> {
        let (values, errors) = (self.value.len(), self.error.len());
        if errors > 0 && errors != values {
            bail!("{errors} --error columns for {values} --value columns: give one for each");
        }
        let columns = |(number, value): (usize, &String)| CurveArgs {
            table: self.table.clone(),
            control: self.control.clone(),
            value: value.clone(),
            error: self.error.get(number).cloned(),
            replicate: self.replicate.clone(),
        };
        Ok(self.value.iter().enumerate().map(columns).collect())
    }

    /// A fit by least squares: several observables, or a correction.
    fn joint(&self, columns: &[CurveArgs]) -> anyhow::Result<ExitCode> {
        if self.objective != Decides::Quality || self.window_kind != WindowKind::Hard {
            bail!("a joint or corrected fit is by least squares: leave --objective and --window-kind out");
        }
        let read = |one: &CurveArgs| one.read(Some(&self.size));
        let curves = columns.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
        let observables: Vec<(&str, &Curves)> = columns.iter().map(|one| one.value.as_str()).zip(&curves).collect();
        let correction = match self.correction {
            Kind::None => Correction::None,
            Kind::Factor => Correction::Factor,
            Kind::Drift => Correction::Drift,
        };
        let options = JointOptions {
            window: self.window,
            guess: self.start,
            correction,
            omega: self.omega,
            seed: self.result.seed,
            ..JointOptions::default()
        };
        let fit = progress::during("collapsing", || collapse::fit_joint(&observables, &options))
            .with_context(|| columns[0].place())?;
        if let Some(folder) = &self.result.out {
            write_rows(&folder.join("collapse.csv"), &fit.scaled)?;
            let text = serde_json::to_string_pretty(&columns[0].named(&fit))?;
            write_atomically(&folder.join("collapse.json"), |file| writeln!(file, "{text}"))?;
            for (one, column) in fit.observables.iter().zip(columns) {
                save_one(&folder.join(folder_name(&one.name)), &fit, one, column)?;
            }
        }
        if self.result.json {
            println!("{}", serde_json::to_string(&columns[0].named(&fit))?);
        } else {
            print_joint(&fit);
        }
        Ok(if fit.reliable { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

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
    let columns = args.columns()?;
    if columns.len() > 1 || args.correction != Kind::None {
        return args.joint(&columns);
    }
    if args.omega.is_some() {
        bail!("--omega is the exponent of a correction: give --correction factor or drift");
    }
    let columns = &columns[0];
    let curves = columns.read(Some(&args.size))?;
    let options = CollapseOptions {
        window: args.window,
        guess: args.start,
        objective: args.objective()?,
        bootstraps: args.result.bootstrap,
        seed: args.result.seed,
        ..CollapseOptions::default()
    };
    let fit = progress::during("collapsing", || collapse::fit(&curves, &options)).with_context(|| columns.place())?;
    if let Some(folder) = &args.result.out {
        write_rows(&folder.join("collapse.csv"), collapse::scaled_points(&curves, &fit))?;
        write_rows(&folder.join("collapse_landscape.csv"), collapse::landscape(&curves, &fit))?;
        write_rows(&folder.join("collapse_bootstrap.csv"), collapse::resampled(&fit))?;
        let text = serde_json::to_string_pretty(&columns.named(&fit))?;
        write_atomically(&folder.join("collapse.json"), |file| writeln!(file, "{text}"))?;
    }
    if args.result.json {
        println!("{}", serde_json::to_string(&columns.named(&fit))?);
    } else {
        print(&fit);
    }
    Ok(if fit.reliable { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One observable of a joint fit as `collapse` alone saves it, so that its figure can be drawn; without a quality,
/// which is that of all together.
fn save_one(folder: &Path, fit: &JointFit, one: &JointObservable, column: &CurveArgs) -> anyhow::Result<()> {
    let points = fit.scaled.iter().filter(|point| point.observable == one.name).map(|point| ScaledPoint {
        size: point.size,
        control: point.control,
        value: point.value,
        error: point.error,
        x: point.x,
        y: point.y,
        y_error: point.y_error,
        used: 1,
        master: Some(point.master),
        residual: Some(point.residual),
    });
    write_rows(&folder.join("collapse.csv"), points)?;
    let alone = json!({
        "p_c": fit.p_c,
        "inv_nu": fit.inv_nu,
        "kappa_over_nu": one.kappa_over_nu,
        "points": one.points,
        "starts": fit.starts,
        "reached": fit.reached,
        "reliable": fit.reliable,
        "reasons": fit.reasons,
        "window": fit.window,
        "sizes": fit.sizes,
    });
    let text = serde_json::to_string_pretty(&column.named(&alone))?;
    write_atomically(&folder.join("collapse.json"), |file| writeln!(file, "{text}"))?;
    Ok(())
}

/// A column's name as that of a folder.
fn folder_name(column: &str) -> String {
    column.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

fn print_joint(fit: &JointFit) {
    let mut table = table(&ESTIMATE);
    add_estimate(&mut table, "p_c", &fit.p_c);
    add_estimate(&mut table, "1/nu", &fit.inv_nu);
    for one in &fit.observables {
        add_estimate(&mut table, &format!("kappa/nu {}", one.name), &one.kappa_over_nu);
    }
    align(&mut table);
    println!("{}\n", table.trim_fmt());
    for one in &fit.amplitudes {
        let (value, error) = (one.value, one.statistical);
        println!("{} = {value:.4} +- {error:.4} at the smallest size, omega = {}", one.name, fit.omega);
    }
    let sizes: Vec<String> = fit.sizes.iter().map(f64::to_string).collect();
    println!(
        "chi-square {:.2}, {:.4} for each degree of freedom, {} points, sizes {}",
        fit.chi_square,
        fit.quality,
        fit.points,
        sizes.join(", ")
    );
    let [low, high] = fit.window;
    println!("window {low} to {high} in x ({})", if fit.window_given { "given" } else { "found" });
    println!("{} of {} starts, {} choices in the systematic scan", fit.reached, fit.starts, fit.scan.len());
    verdict("collapse", fit.reliable, &fit.reasons, &fit.warnings);
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
