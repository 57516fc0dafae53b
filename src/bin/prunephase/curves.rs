//! What `fit` and `collapse` share: the columns of a table, and numbers with their errors.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use comfy_table::{CellAlignment, Table as Printed};
use prunephase::scaling::{Columns, Curves, Estimate, Named, Row, ScalingError};
use prunephase::table::Table;

/// The table and its columns, but for the size.
#[derive(Debug, Args)]
pub struct CurveArgs {
    /// A CSV table with a header.
    pub table: PathBuf,
    /// The column of the control parameter.
    #[arg(long, value_name = "COL")]
    pub control: String,
    /// The column of the observable.
    #[arg(long, value_name = "COL")]
    pub value: String,
    /// The column of its standard error.
    #[arg(long, value_name = "COL")]
    pub error: Option<String>,
    /// The column that names the replicate; errors then come from the spread of replicates, and
    /// resamples are of whole replicates.
    #[arg(long, value_name = "COL")]
    pub replicate: Option<String>,
}

/// How to resample, and where the result goes.
#[derive(Debug, Args)]
pub struct ResultArgs {
    /// Resamples for the statistical errors.
    #[arg(long, value_name = "B", default_value_t = 200)]
    pub bootstrap: usize,
    /// Seed of the starts and resamples.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
    /// Save the result as JSON and its points as CSV in this folder.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl CurveArgs {
    /// Reads the curves.
    pub fn read(&self, size: Option<&str>) -> anyhow::Result<Curves> {
        let table = Table::read(&self.table)?;
        let columns = Columns {
            size,
            control: &self.control,
            value: &self.value,
            error: self.error.as_deref(),
            replicate: self.replicate.as_deref(),
        };
        let curves =
            if table.has("level") { of_levels(&table, &columns) } else { Curves::from_table(&table, &columns) };
        match curves {
            Ok(curves) => Ok(curves),
            // Errors of the table name the file already.
            Err(error @ ScalingError::Table(_)) => Err(error.into()),
            Err(error) => Err(error).with_context(|| self.place()),
        }
    }

    /// A fit with the names of its columns.
    pub fn named<F>(&self, fit: F) -> Named<'_, F> {
        Named { control: &self.control, value: &self.value, fit }
    }

    /// The table's name, for messages.
    pub fn place(&self) -> String {
        self.table.display().to_string()
    }
}

/// The curves of a table with one row a level, as runs write them; a replicate whose dense network is not above chance
/// has no m.
fn of_levels(table: &Table, columns: &Columns<'_>) -> Result<Curves, ScalingError> {
    let optional = |column: Option<&str>| column.map(|column| table.optional_numbers(column)).transpose();
    let (sizes, errors) = (optional(columns.size)?, optional(columns.error)?);
    let (controls, values) = (table.optional_numbers(columns.control)?, table.optional_numbers(columns.value)?);
    let replicates = columns.replicate.map(|column| table.texts(column)).transpose()?;
    let rows = (0..table.rows()).filter_map(|row| {
        let (control, value) = (controls[row]?, values[row]?);
        let size = sizes.as_ref().map_or(Some(1.0), |sizes| sizes[row])?;
        let replicate = replicates.as_ref().map(|replicates| replicates[row].to_owned());
        let error = errors.as_ref().map(|errors| errors[row].unwrap_or(f64::NAN));
        Some(Row { size, control, value, error, replicate })
    });
    Curves::of_levels(rows)
}

/// Two numbers, as `LO,HI`.
pub fn interval(text: &str) -> Result<[f64; 2], String> {
    let numbers: Vec<f64> = text.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    match numbers[..] {
        [low, high] if text.split(',').count() == 2 && low < high && low.is_finite() && high.is_finite() => {
            Ok([low, high])
        }
        _ => Err("two finite numbers LO,HI with LO < HI are needed, such as -1,1".into()),
    }
}

/// Digits after the point that show two digits of the error.
fn digits(estimate: &Estimate) -> usize {
    let error = estimate.total();
    if error > 0.0 && error.is_finite() { (1.0 - error.log10().floor()).clamp(0.0, 12.0) as usize } else { 6 }
}

/// The header of [`add_estimate`]'s rows.
pub const ESTIMATE: [&str; 6] = ["parameter", "value", "statistical", "systematic", "68 % interval", "95 % interval"];

/// A parameter with both its errors.
pub fn add_estimate(table: &mut Printed, name: &str, estimate: &Estimate) {
    let n = digits(estimate);
    let pair = |[low, high]: [f64; 2]| format!("{low:.n$} to {high:.n$}");
    table.add_row([
        name.to_owned(),
        format!("{:.n$}", estimate.value),
        format!("{:.n$}", estimate.statistical),
        format!("{:.n$}", estimate.systematic),
        pair(estimate.interval68),
        pair(estimate.interval95),
    ]);
}

/// Aligns the numbers of a printed table, all columns but the first.
pub fn align(table: &mut Printed) {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

/// The verdict, with its reasons, and the warnings.
pub fn verdict(what: &str, reliable: bool, reasons: &[String], warnings: &[String]) {
    println!("{what}: {}", if reliable { "reliable" } else { "NOT RELIABLE" });
    for reason in reasons {
        println!("  - {reason}");
    }
    for warning in warnings {
        println!("  note: {warning}");
    }
}
