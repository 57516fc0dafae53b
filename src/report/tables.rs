//! Tables of the page, with numbers to four digits.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ReportError;
use super::run::Run;
use crate::figure::four_digits;

/// A table as it is shown.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Shown {
    pub title: String,
    pub caption: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Shown {
    /// None without rows.
    pub fn of(title: &str, caption: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Option<Self> {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        (!rows.is_empty()).then(|| Self { title: title.into(), caption: caption.into(), columns, rows })
    }
}

/// Mean and standard error over replicates; the error needs two.
fn mean(values: &[f64]) -> Option<(f64, Option<f64>)> {
    let n = values.len() as f64;
    if values.is_empty() {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Some((mean, (values.len() > 1).then(|| (variance / n).sqrt())))
}

fn mean_cell(values: &[f64]) -> String {
    match mean(values) {
        None => String::new(),
        Some((mean, None)) => four_digits(mean),
        Some((mean, Some(error))) => format!("{mean:.4} ± {error:.4}"),
    }
}

/// One row of a width and level: the density and the values of its replicates by column.
pub(super) struct Level {
    pub width: u64,
    pub density: f64,
    pub values: BTreeMap<&'static str, Vec<f64>>,
}

const FROM_LEVELS: [&str; 2] = ["accuracy", "m"];
const FROM_PERCOLATION: [&str; 2] = ["p_inf", "outputs_reached"];

/// The levels of all widths, replicates together, by width and falling density.
pub(super) fn levels(run: &Run) -> Result<Vec<Level>, ReportError> {
    let mut found: BTreeMap<(u64, u64), Level> = BTreeMap::new();
    for (name, columns) in [("levels", FROM_LEVELS), ("percolation", FROM_PERCOLATION)] {
        let Some(table) = run.table(name)? else { continue };
        if !["width", "level", "density"].iter().all(|column| table.has(column)) {
            continue;
        }
        let (widths, numbers) = (table.numbers("width")?, table.numbers("level")?);
        let densities = table.numbers("density")?;
        for column in columns.into_iter().filter(|column| table.has(column)) {
            for (row, value) in table.optional_numbers(column)?.into_iter().enumerate() {
                let key = (widths[row] as u64, numbers[row] as u64);
                let level = found.entry(key).or_insert_with(|| Level {
                    width: key.0,
                    density: densities[row],
                    values: BTreeMap::new(),
                });
                level.values.entry(column).or_default().extend(value);
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Means over the replicates of every width and level.
pub(super) fn levels_table(levels: &[Level]) -> Option<Shown> {
    let row = |level: &Level| {
        let values = |column: &str| level.values.get(column).map_or(&[][..], Vec::as_slice);
        let mut cells = vec![level.width.to_string(), four_digits(level.density), values("accuracy").len().to_string()];
        cells.extend(["accuracy", "m", "p_inf", "outputs_reached"].map(|column| mean_cell(values(column))));
        cells
    };
    let columns = ["W", "density", "replicates", "accuracy", "m", "P_inf", "outputs reached"];
    let caption = "Means over the replicates, with their standard errors.";
    Shown::of("Levels", caption, &columns, levels.iter().map(row).collect())
}

/// The comparisons of retrained samples with their originals.
pub(super) fn comparison_table(run: &Run) -> Result<Option<Shown>, ReportError> {
    const COLUMNS: [&str; 7] = ["density", "null", "weights", "difference", "low95", "high95", "verdict"];
    let Some(table) = run.table("comparison")? else { return Ok(None) };
    if !COLUMNS.iter().all(|column| table.has(column)) {
        return Ok(None);
    }
    let texts = COLUMNS.iter().map(|column| table.texts(column)).collect::<Result<Vec<_>, _>>()?;
    let cell = |text: &str| text.parse().map_or_else(|_| text.to_owned(), four_digits);
    let rows = (0..table.rows()).map(|row| texts.iter().map(|column| cell(column[row])).collect()).collect();
    let columns = ["density", "null model", "weights", "difference", "95 % from", "to", "verdict"];
    let caption = "Accuracy of retrained samples of a null model less that of the original retrained alike.";
    Ok(Shown::of("Null models", caption, &columns, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_have_errors_from_two_values_on() {
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[2.0]), Some((2.0, None)));
        let (mean, error) = mean(&[1.0, 3.0]).unwrap();
        assert_eq!((mean, error), (2.0, Some(1.0)));
        assert_eq!(mean_cell(&[1.0, 3.0]), "2.0000 ± 1.0000");
    }
}
