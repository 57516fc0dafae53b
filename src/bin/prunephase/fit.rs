//! `prunephase fit`: rival laws for one curve, or for each of several sizes.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use prunephase::files::write_atomically;
use prunephase::scaling::fit::{self, CurveFit, FitOptions, FittedPoint, Model};
use prunephase::table::write_rows;
use serde::Serialize;

use crate::curves::{CurveArgs, ESTIMATE, ResultArgs, add_estimate, align, interval, verdict};
use crate::output::table;

/// Fit a power law with a critical point, and its rivals, to one curve or to each size.
///
/// With --size, every size is fitted alone; in the JSON `sizes` holds one object a size, and the
/// keys at the top are those of the largest size. Exits with 1 where the best law of any size is
/// not reliable; everything is printed and saved all the same.
#[derive(Debug, Args)]
pub struct FitArgs {
    #[command(flatten)]
    curves: CurveArgs,
    /// The column of the system size.
    #[arg(long, value_name = "COL")]
    size: Option<String>,
    /// The laws, separated by commas: power_law, logistic. The first one chooses the range.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = Model::ALL)]
    models: Vec<Model>,
    /// The controls to fit; by default found from the rise of the curve.
    #[arg(long, value_name = "LO,HI", value_parser = interval, allow_hyphen_values = true)]
    range: Option<[f64; 2]>,
    #[command(flatten)]
    result: ResultArgs,
}

#[derive(Serialize)]
struct Fits<'a> {
    #[serde(flatten)]
    largest: &'a CurveFit,
    #[serde(skip_serializing_if = "Option::is_none")]
    sizes: Option<&'a [CurveFit]>,
}

/// Runs the subcommand.
pub fn run(args: &FitArgs) -> anyhow::Result<ExitCode> {
    let curves = args.curves.read(args.size.as_deref())?;
    let options = FitOptions {
        models: args.models.clone(),
        bootstraps: args.result.bootstrap,
        seed: args.result.seed,
        range: args.range,
        ..FitOptions::default()
    };
    let mut fits = Vec::new();
    let mut rows: Vec<FittedPoint> = Vec::new();
    for curve in curves.curves() {
        let fitted = fit::fit(curve, &options).with_context(|| args.curves.place())?;
        rows.extend(fit::fitted_points(curve, &fitted));
        fits.push(fitted);
    }
    let largest = fits.last().context("no curve to fit")?;
    let all = Fits { largest, sizes: args.size.as_ref().map(|_| fits.as_slice()) };
    let all = args.curves.named(all);
    if let Some(folder) = &args.result.out {
        write_rows(&folder.join("fit.csv"), &rows)?;
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
            if let Some(estimate) = model.parameters.get(name) {
                add_estimate(&mut table, name, estimate);
            }
        }
        align(&mut table);
        println!("{}", table.trim_fmt());
        verdict(model.name.name(), model.reliable, &model.reasons, &[]);
    }
    println!();
    println!("best: {}", fitted.best);
    for warning in &fitted.warnings {
        println!("note: {warning}");
    }
}
