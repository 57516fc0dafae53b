//! The short table and the chart at the end of a run.

use std::collections::BTreeMap;

use anyhow::Context;
use comfy_table::{CellAlignment, Table};
use prunephase::scaling::first_fall;
use prunephase::study::{LevelRow, ObservationRow, RetrainingRow, RunFolder};
use prunephase::table;

use crate::chart::{Curve, chart};
use crate::output;

/// Prints what a finished run found.
pub fn print(folder: &RunFolder) -> anyhow::Result<()> {
    let levels: Vec<LevelRow> = table::read_rows(&folder.table("levels"))?;
    let observations: Vec<ObservationRow> = table::read_rows(&folder.table("percolation"))?;
    println!("{}", widths(&levels, &observations));
    if let Some(chart) = curves(&levels) {
        println!("\n{chart}");
    }
    print_retraining(folder)?;
    print_fits(folder)
}

fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0usize);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}

fn cell(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

fn widths(levels: &[LevelRow], observations: &[ObservationRow]) -> Table {
    let mut table = output::table(&[
        "W",
        "seeds",
        "weights",
        "dense accuracy",
        "last density",
        "last accuracy",
        "density at m = 1/2",
        "density at outputs = 1/2",
    ]);
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut by_width: BTreeMap<usize, Vec<&LevelRow>> = BTreeMap::new();
    for row in levels {
        by_width.entry(row.width).or_default().push(row);
    }
    for (width, rows) in by_width {
        let last = rows.iter().map(|row| row.level).max().unwrap_or(0);
        let at = |level: usize| rows.iter().filter(move |row| row.level == level);
        let graphs = |level: usize| observations.iter().filter(move |row| row.width == width && row.level == level);
        let outputs = graphs(0).map(|row| row.outputs_reached).max().unwrap_or(1).max(1) as f64;
        let density = |level: usize| at(level).next().map_or(f64::NAN, |row| row.density);
        let m: Vec<(f64, f64)> =
            (0..=last).filter_map(|level| Some((density(level), mean(at(level).filter_map(|row| row.m))?))).collect();
        let reached: Vec<(f64, f64)> = (0..=last)
            .filter_map(|level| {
                Some((density(level), mean(graphs(level).map(|row| row.outputs_reached as f64 / outputs))?))
            })
            .collect();
        table.add_row([
            width.to_string(),
            at(0).count().to_string(),
            at(0).next().map_or(0, |row| row.kept).to_string(),
            cell(mean(at(0).map(|row| row.accuracy)), 3),
            cell(at(last).next().map(|row| row.density), 5),
            cell(mean(at(last).map(|row| row.accuracy)), 3),
            cell(first_fall(&m, 0.5), 4),
            cell(first_fall(&reached, 0.5), 4),
        ]);
    }
    table
}

/// The mean of m over the replicates against density, a curve for each width; of the accuracy where no network was
/// above chance.
fn curves(levels: &[LevelRow]) -> Option<String> {
    let of = |value: fn(&LevelRow) -> Option<f64>| -> Vec<Curve> {
        let mut by_width: BTreeMap<usize, BTreeMap<usize, (f64, Vec<f64>)>> = BTreeMap::new();
        for row in levels {
            if let Some(value) = value(row) {
                let at = by_width.entry(row.width).or_default().entry(row.level);
                at.or_insert((row.density, Vec::new())).1.push(value);
            }
        }
        let points = |rows: BTreeMap<usize, (f64, Vec<f64>)>| {
            rows.into_values().filter_map(|(density, values)| Some((density, mean(values)?))).collect()
        };
        by_width.into_iter().map(|(width, rows)| Curve { name: width.to_string(), points: points(rows) }).collect()
    };
    chart("m against density, W:", &of(|row| row.m))
        .or_else(|| chart("accuracy against density, W:", &of(|row| Some(row.accuracy))))
}

fn print_retraining(folder: &RunFolder) -> anyhow::Result<()> {
    let path = folder.table("retraining");
    if !path.is_file() {
        return Ok(());
    }
    let rows: Vec<RetrainingRow> = table::read_rows(&path)?;
    let mut nulls: Vec<&str> = Vec::new();
    let mut sources: Vec<&str> = Vec::new();
    for row in &rows {
        if !nulls.contains(&row.null.as_str()) {
            nulls.push(&row.null);
        }
        if !sources.contains(&row.weights.as_str()) {
            sources.push(&row.weights);
        }
    }
    // Replicates of one level differ in density by nothing or by rounding.
    let mut densities: Vec<String> = rows.iter().map(|row| format!("{:.4}", row.density)).collect();
    densities.dedup();
    densities.sort();
    densities.dedup();
    densities.reverse();
    let header: Vec<&str> = ["density", "weights"].into_iter().chain(nulls.iter().copied()).collect();
    let mut table = output::table(&header);
    for density in &densities {
        for source in &sources {
            let mut cells = vec![density.clone(), (*source).to_owned()];
            cells.extend(nulls.iter().map(|null| {
                let chosen = rows.iter().filter(|row| {
                    &format!("{:.4}", row.density) == density && row.weights == *source && row.null == *null
                });
                cell(mean(chosen.map(|row| row.accuracy)), 3)
            }));
            table.add_row(cells);
        }
    }
    println!("\nMean accuracy after retraining:\n{table}");
    Ok(())
}

/// One line for each fit, or why it could not be made.
fn print_fits(folder: &RunFolder) -> anyhow::Result<()> {
    for name in ["fit", "collapse"] {
        let path = folder.fit(name);
        if !path.is_file() {
            continue;
        }
        let text = prunephase::files::read_text(&path)?;
        let fit: serde_json::Value = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        println!("\n{name}: {}", describe(&fit));
    }
    Ok(())
}

fn estimate(fit: &serde_json::Value, name: &str) -> Option<String> {
    let number = |key: &str| fit.get(name)?.get(key)?.as_f64();
    Some(format!(
        "{name} = {:.4} +- {:.4} (statistical) +- {:.4} (systematic)",
        number("value")?,
        number("statistical")?,
        number("systematic")?
    ))
}

/// `reliable`, or why it is not.
fn verdict(fit: &serde_json::Value) -> String {
    if fit.get("reliable").and_then(serde_json::Value::as_bool).unwrap_or(false) {
        return "reliable".into();
    }
    let reasons = fit.get("reasons").and_then(serde_json::Value::as_array);
    let reasons: Vec<&str> = reasons.into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    format!("UNRELIABLE, do not quote: {}", reasons.join("; "))
}

fn describe(fit: &serde_json::Value) -> String {
    if let Some(failed) = fit.get("failed").and_then(serde_json::Value::as_str) {
        return format!("could not be made: {failed}");
    }
    let name = |key: &str| fit.get(key).and_then(serde_json::Value::as_str).unwrap_or("?").to_owned();
    let number = |of: &serde_json::Value, key: &str| of.get(key).and_then(serde_json::Value::as_f64);
    let mut lines = vec![format!("{} against {}", name("value"), name("control"))];
    if let Some(models) = fit.get("models").and_then(serde_json::Value::as_array) {
        for model in models {
            let law = model.get("name").and_then(serde_json::Value::as_str).unwrap_or("?");
            let weight = number(model, "weight").unwrap_or(f64::NAN);
            lines.push(format!("{law} (weight {weight:.3} by AICc): {}", verdict(model)));
            let parameters = model.get("parameters").and_then(serde_json::Value::as_object);
            let names = parameters.into_iter().flat_map(|parameters| parameters.keys());
            lines.extend(names.filter_map(|name| Some(format!("  {}", estimate(&model["parameters"], name)?))));
        }
    } else {
        lines.extend(["p_c", "inv_nu", "kappa_over_nu"].iter().filter_map(|name| estimate(fit, name)));
        lines.push(format!("S = {:.3}: {}", number(fit, "quality").unwrap_or(f64::NAN), verdict(fit)));
    }
    lines.join("\n  ")
}
