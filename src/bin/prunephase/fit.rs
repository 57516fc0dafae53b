//! `prunephase fit`: rival laws for one curve, or for each of several sizes.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use prunephase::files::write_atomically;
use prunephase::scaling::fit::{self, CurveFit, FitOptions, FittedPoint, LawPoint, Model};
use prunephase::scaling::{Curves, Sharpening, sharpening};
use prunephase::table::write_rows;
use serde::Serialize;

use crate::critical;
use crate::curves::{CurveArgs, ESTIMATE, ResultArgs, add_estimate, align, interval, verdict};
use crate::output::table;
use crate::{examples, progress, tail};

/// Controls of a law's curve in fit-laws.csv.
const LAW_POINTS: usize = 200;

/// Fit a power law with a critical point, and its rivals, to one curve or to each size.
///
/// With --size, every size is fitted alone; in the JSON `sizes` holds one object a size, `sharpening`
/// says whether the transition narrows with the size, and the keys at the top are those of the largest
/// size. Exits with 1 where the best law of any size is not reliable; everything is printed and saved
/// all the same. --crossings, --peaks and --tail do something else instead.
#[derive(Debug, Args)]
#[command(after_long_help = examples::FIT)]
pub struct FitArgs {
    /// A CSV table with a header.
    table: PathBuf,
    /// The column of the control parameter.
    #[arg(long, value_name = "COL", required_unless_present = "tail")]
    control: Option<String>,
    /// The column of the observable.
    #[arg(long, value_name = "COL", required_unless_present = "tail")]
    value: Option<String>,
    /// The column of its standard error.
    #[arg(long, value_name = "COL")]
    error: Option<String>,
    /// The column that names the replicate; errors then come from the spread of replicates, and
    /// resamples are of whole replicates.
    #[arg(long, value_name = "COL")]
    replicate: Option<String>,
    /// The column of the standard error of the control, added to that of the value with the local
    /// slope of the curve.
    #[arg(long, value_name = "COL", conflicts_with = "replicate", requires = "error")]
    control_error: Option<String>,
    /// The column of the system size.
    #[arg(long, value_name = "COL")]
    size: Option<String>,
    /// The laws, separated by commas; all are fitted to the same points.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = Model::ALL)]
    models: Vec<Model>,
    /// The controls to fit, or the cutoffs of --tail; by default found from the data.
    #[arg(long, value_name = "LO,HI", value_parser = interval, allow_hyphen_values = true)]
    range: Option<[f64; 2]>,
    /// Instead, where curves of neighbouring sizes cross (of R, U4, a spanning probability), and where
    /// that goes as the size grows.
    #[arg(long, requires = "size", conflicts_with_all = ["peaks", "tail"])]
    crossings: bool,
    /// Instead, where the curves of the sizes have their peaks (of chi, s2, chi_fl), and where that goes.
    #[arg(long, requires = "size", conflicts_with = "tail")]
    peaks: bool,
    /// The exponent w of p(L) = p_c + c L^-w for --crossings and --peaks (1/nu for peaks); fitted
    /// without it.
    #[arg(long, value_name = "W", allow_hyphen_values = true)]
    exponent: Option<f64>,
    /// Instead, tau of a table of cluster numbers: columns size_low, size_high, count, as percolate
    /// --clusters writes, or size, count.
    #[arg(long, conflicts_with_all = ["control", "value", "error", "replicate", "size", "models"])]
    tail: bool,
    #[command(flatten)]
    result: ResultArgs,
}

impl FitArgs {
    fn columns(&self) -> Option<CurveArgs> {
        Some(CurveArgs {
            table: self.table.clone(),
            control: self.control.clone()?,
            value: self.value.clone()?,
            error: self.error.clone(),
            replicate: self.replicate.clone(),
        })
    }

    fn read(&self, columns: &CurveArgs) -> anyhow::Result<Curves> {
        let curves = columns.read(self.size.as_deref())?;
        let Some(column) = &self.control_error else { return Ok(curves) };
        let table = prunephase::table::Table::read(&self.table)?;
        let sizes = match &self.size {
            Some(size) => table.numbers(size)?,
            None => vec![1.0; table.rows()],
        };
        let (controls, errors) = (table.numbers(&columns.control)?, table.numbers(column)?);
        let rows: Vec<[f64; 3]> = (0..table.rows()).map(|row| [sizes[row], controls[row], errors[row]]).collect();
        curves.with_control_errors(&rows).with_context(|| columns.place())
    }
}

#[derive(Serialize)]
struct Fits<'a> {
    #[serde(flatten)]
    largest: &'a CurveFit,
    #[serde(skip_serializing_if = "Option::is_none")]
    sizes: Option<&'a [CurveFit]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sharpening: Option<Sharpening>,
}

/// Runs the subcommand.
pub fn run(args: &FitArgs) -> anyhow::Result<ExitCode> {
    let Some(columns) = args.columns() else { return tail::run(&args.table, args.range, &args.result) };
    let curves = args.read(&columns)?;
    if args.crossings || args.peaks {
        return critical::run(&curves, &columns, args.peaks, args.exponent, &args.result);
    }
    let options = FitOptions {
        models: args.models.clone(),
        bootstraps: args.result.bootstrap,
        seed: args.result.seed,
        range: args.range,
        ..FitOptions::default()
    };
    let mut fits = Vec::new();
    let mut rows: Vec<FittedPoint> = Vec::new();
    let mut laws: Vec<LawPoint> = Vec::new();
    let bar = progress::bar(curves.curves().len() as u64, "fitting");
    for curve in curves.curves() {
        if let Some(column) = &args.size {
            bar.set_message(format!("{column} = {}", curve.size()));
        }
        let fitted = fit::fit(curve, &options).with_context(|| columns.place())?;
        bar.inc(1);
        rows.extend(fit::fitted_points(curve, &fitted));
        laws.extend(fit::law_curves(&fitted, LAW_POINTS));
        fits.push(fitted);
    }
    bar.finish_and_clear();
    let largest = fits.last().context("no curve to fit")?;
    let several = args.size.is_some() && curves.curves().len() > 1;
    let narrow = || sharpening(&curves, args.result.bootstrap, args.result.seed);
    let narrowing = several.then(|| progress::during("widths of the transition", narrow)).transpose();
    // A table that cannot tell (no errors, no whole rise) can still be fitted.
    let (narrowing, unknown) = match narrowing {
        Ok(found) => (found, None),
        Err(error) => (None, Some(error)),
    };
    let all = Fits { largest, sizes: args.size.as_ref().map(|_| fits.as_slice()), sharpening: narrowing.clone() };
    let all = columns.named(all);
    if let Some(folder) = &args.result.out {
        write_rows(&folder.join("fit.csv"), &rows)?;
        write_rows(&folder.join("fit-laws.csv"), &laws)?;
        let text = serde_json::to_string_pretty(&all)?;
        write_atomically(&folder.join("fit.json"), |file| writeln!(file, "{text}"))?;
    }
    if args.result.json {
        println!("{}", serde_json::to_string(&all)?);
    } else {
        for (number, fitted) in fits.iter().enumerate() {
            if number > 0 {
                println!();
            }
            if let Some(column) = &args.size {
                println!("{column} = {}", fitted.size);
            }
            print(fitted);
        }
        if let Some(found) = &narrowing {
            print_sharpening(found, &fits);
        }
        if let Some(error) = unknown {
            println!("\nnote: whether the transition sharpens is unknown: {error}");
        }
    }
    Ok(if fits.iter().all(|fitted| fitted.reliable) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(fitted: &CurveFit) {
    let [low, high] = fitted.range;
    let origin = if fitted.range_given { "given" } else { "found" };
    println!("{} points, controls {low:.6} to {high:.6} ({origin})", fitted.points);
    for model in &fitted.models {
        println!();
        println!(
            "{}: AICc {:.2}, weight {:.3}, chi-square {:.2}, {} of {} starts",
            model.name, model.aicc, model.weight, model.chi_square, model.reached, model.starts
        );
        let mut table = table(&ESTIMATE);
        for name in model.name.parameters() {
            if let Some(estimate) = model.parameters.get(*name) {
                add_estimate(&mut table, name, estimate);
            }
        }
        align(&mut table);
        println!("{}", table.trim_fmt());
        if let Some(held_out) = &model.held_out {
            println!(
                "held out: {:.3} +- {:.3} a point, {:.3} +- {:.3} above the best law",
                held_out.error, held_out.standard_error, held_out.difference, held_out.difference_error
            );
        }
        verdict(model.name.name(), model.reliable, &model.reasons, &[]);
    }
    println!();
    println!("best: {}", fitted.best);
    for warning in &fitted.warnings {
        println!("note: {warning}");
    }
}

fn print_sharpening(found: &Sharpening, fits: &[CurveFit]) {
    println!("\nwidth of the rise from 10 to 90 % of the largest value, in ln control");
    let mut printed = table(&["size", "width", "error", "grid", "largest step", "best law", "m0 of the jump"]);
    for (one, fitted) in found.widths.iter().zip(fits) {
        let jump = fitted.model(Model::Jump).and_then(|law| law.parameters.get("m0"));
        printed.add_row([
            one.size.to_string(),
            format!("{:.4}", one.width),
            format!("{:.4}", one.error),
            format!("{:.4}", one.resolution),
            format!("{:.3}", one.step),
            fitted.best.to_string(),
            jump.map_or_else(|| "-".into(), |m0| format!("{:.3} +- {:.3}", m0.value, m0.total())),
        ]);
    }
    align(&mut printed);
    println!("{}", printed.trim_fmt());
    println!("{}; chi-square {:.2} at {}", found.verdict(), found.chi_square, found.degrees_of_freedom);
}
