//! `prunephase fit --crossings` and `--peaks`.

use std::process::ExitCode;

use anyhow::Context;
use prunephase::files::write_atomically;
use prunephase::scaling::{Curves, Extrapolated, PseudoCritical, ScalingError, crossings, extrapolate, peaks};
use prunephase::table::write_rows;
use serde::Serialize;

use crate::curves::{CurveArgs, ResultArgs, align};
use crate::output::table;
use crate::progress;

#[derive(Serialize)]
struct Found<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    crossings: Option<&'a [PseudoCritical]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peaks: Option<&'a [PseudoCritical]>,
    extrapolated: Option<Extrapolated>,
}

/// A row of `peaks-curves.csv` and `crossings-curves.csv`: what the points were found on.
#[derive(Serialize)]
struct CurveRow {
    size: f64,
    control: f64,
    value: f64,
    error: f64,
}

fn points_of(curves: &Curves) -> impl Iterator<Item = CurveRow> + '_ {
    curves.curves().iter().flat_map(|curve| {
        curve.points().iter().map(|point| CurveRow {
            size: curve.size(),
            control: point.control,
            value: point.value,
            error: point.error,
        })
    })
}

/// Finds the pseudo-critical points and their limit; exits with 1 where there is none.
pub fn run(
    curves: &Curves,
    columns: &CurveArgs,
    of_peaks: bool,
    exponent: Option<f64>,
    result: &ResultArgs,
) -> anyhow::Result<ExitCode> {
    let name = if of_peaks { "peaks" } else { "crossings" };
    let (resamples, seed) = (result.bootstrap, result.seed);
    let find = || if of_peaks { peaks(curves, resamples, seed) } else { crossings(curves, resamples, seed) };
    let points = progress::during(name, find).with_context(|| columns.place())?;
    let (limit, why) = match extrapolate(&points, exponent) {
        Ok(limit) => (Some(limit), None),
        Err(error @ ScalingError::TooFewPoints { .. }) => (None, Some(error)),
        Err(error) => return Err(error).with_context(|| columns.place()),
    };
    let found = columns.named(Found {
        crossings: (!of_peaks).then_some(&points),
        peaks: of_peaks.then_some(&points),
        extrapolated: limit,
    });
    if let Some(folder) = &result.out {
        write_rows(&folder.join(format!("{name}.csv")), &points)?;
        write_rows(&folder.join(format!("{name}-curves.csv")), points_of(curves))?;
        let text = serde_json::to_string_pretty(&found)?;
        write_atomically(&folder.join(format!("{name}.json")), |file| writeln!(file, "{text}"))?;
    }
    if result.json {
        println!("{}", serde_json::to_string(&found)?);
    } else {
        let mut printed = table(&["sizes", "control", "error", "value", "error", "resamples"]);
        for one in &points {
            let sizes = if of_peaks { one.size.to_string() } else { format!("{} and {}", one.smaller, one.larger) };
            let numbers = [one.control, one.error, one.value, one.value_error].map(|number| format!("{number:.6}"));
            printed.add_row([&[sizes], &numbers[..], &[one.found.to_string()]].concat());
        }
        align(&mut printed);
        println!("{name}\n{}", printed.trim_fmt());
        if let Some(limit) = limit {
            let w = match (limit.w_given, limit.w_error) {
                (true, _) => format!("{} given", limit.w),
                (false, Some(error)) => format!("{:.3} +- {error:.3}", limit.w),
                (false, None) => "undetermined, its range is in the error".into(),
            };
            println!(
                "p_c = {:.6} +- {:.6}, w {w}, chi-square {:.2} at {}",
                limit.p_c, limit.error, limit.chi_square, limit.degrees_of_freedom
            );
        }
        if let Some(error) = why {
            println!("note: no extrapolation: {error}");
        }
    }
    Ok(if limit.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
