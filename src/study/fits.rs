//! The fits of a finished run: a curve of one width, and the collapse over the widths.

use std::collections::BTreeMap;

use super::folder::write_json;
use super::rows::{LevelRow, TopologyRow};
use super::sections::{Collapse, Fit};
use super::{RunFolder, Study};
use crate::files;
use crate::scaling::{Curves, Named, Row, ScalingError, collapse, first_of_equal_controls, fit};
use crate::table::{self, Table};
use crate::topology::WHOLE;

/// Why a fit could not be made, in the place of its result.
#[derive(Debug, serde::Serialize)]
struct Failed {
    failed: String,
}

/// Makes the fits that the study asks for. One that cannot be made is not an error: its file holds
/// the reason.
pub(super) fn fit_all(study: &Study, folder: &RunFolder) -> crate::Result<()> {
    if let Some(section) = &study.fit {
        match fit_curve(study, section, folder) {
            Ok((fit, points)) => {
                write_json(&folder.fit("fit"), &Named { control: &section.control, value: &section.value, fit })?;
                table::write_rows(&folder.table("fit"), &points)?;
            }
            Err(error) => write_json(&folder.fit("fit"), &Failed { failed: error.to_string() })?,
        }
    }
    if let Some(section) = &study.collapse {
        match fit_collapse(study, section, folder) {
            Ok((curves, fit)) => {
                table::write_rows(&folder.table("collapse"), collapse::scaled_points(&curves, &fit))?;
                table::write_rows(&folder.table("collapse_landscape"), collapse::landscape(&curves, &fit))?;
                table::write_rows(&folder.table("collapse_bootstrap"), collapse::resampled(&fit))?;
                write_json(&folder.fit("collapse"), &Named { control: &section.control, value: &section.value, fit })?;
            }
            Err(error) => write_json(&folder.fit("collapse"), &Failed { failed: error.to_string() })?,
        }
    }
    Ok(())
}

/// A table of the run, named in errors by its place in the folder: results do not depend on where a
/// run is.
fn read(folder: &RunFolder, name: &str) -> crate::Result<Table> {
    let bytes = files::read(&folder.table(name))?;
    Ok(Table::parse(format!("tables/{name}.csv").as_ref(), &bytes)?)
}

/// The curves of `widths` (all where it is empty) from the tables of the run; errors come from the spread of the
/// replicates. A replicate whose dense network is not above chance has no m and is left out.
fn curves(study: &Study, folder: &RunFolder, widths: &[usize], control: &str, value: &str) -> crate::Result<Curves> {
    let levels = read(folder, "levels")?;
    // One row a level in each, in the same order.
    let observations = read(folder, "percolation")?;
    let column = |name: &str| -> crate::Result<Vec<Option<f64>>> {
        if levels.has(name) {
            return Ok(levels.optional_numbers(name)?);
        }
        if !observations.has(name)
            && let Some(values) = whole(study, folder, name)?
        {
            return Ok(values);
        }
        let table = if observations.has(name) { &observations } else { &levels };
        Ok(table.optional_numbers(name)?)
    };
    let (controls, values, sizes) = (column(control)?, column(value)?, levels.numbers("width")?);
    let seeds = levels.texts("seed")?;
    let chosen = (0..levels.rows()).filter(|&row| widths.is_empty() || widths.contains(&(sizes[row] as usize)));
    let rows = chosen.filter_map(|row| {
        Some(Row {
            size: sizes[row],
            control: controls[row]?,
            value: values[row]?,
            error: None,
            replicate: Some(seeds[row].to_owned()),
        })
    });
    // One replicate has no spread; its name only tells its levels apart.
    let several = study.network.replicates.most() > 1;
    let rows = first_of_equal_controls(rows).map(|row| Row { replicate: row.replicate.filter(|_| several), ..row });
    Ok(Curves::from_rows(rows)?)
}

/// A metric of the whole network from topology.csv, one value a row of levels.csv; `None` where no level has it.
/// It differs from replicate to replicate where the schedule's own controls do not: each row has the mean over
/// the replicates of its level, so that they remain one point of a curve.
fn whole(study: &Study, folder: &RunFolder, metric: &str) -> crate::Result<Option<Vec<Option<f64>>>> {
    if study.observables.topology.is_empty() {
        return Ok(None);
    }
    let topology: Vec<TopologyRow> = table::read_rows(&folder.table("topology"))?;
    let chosen = topology.iter().filter(|row| row.layer == WHOLE && row.metric == metric);
    let mut values: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for row in chosen {
        values.entry((row.width, row.level)).or_default().push(row.value);
    }
    let levels: Vec<LevelRow> = table::read_rows(&folder.table("levels"))?;
    let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    let of = |row: &LevelRow| values.get(&(row.width, row.level)).map(mean);
    Ok((!values.is_empty()).then(|| levels.iter().map(of).collect()))
}

fn fit_curve(
    study: &Study,
    section: &Fit,
    folder: &RunFolder,
) -> crate::Result<(fit::CurveFit, Vec<fit::FittedPoint>)> {
    let curves = curves(study, folder, &[section.width], &section.control, &section.value)?;
    let curve = curves.curves().first().ok_or(ScalingError::NoRows)?;
    let options = fit::FitOptions { bootstraps: section.bootstrap, seed: study.seed, ..Default::default() };
    let fitted = fit::fit(curve, &options)?;
    let points = fit::fitted_points(curve, &fitted);
    Ok((fitted, points))
}

fn fit_collapse(
    study: &Study,
    section: &Collapse,
    folder: &RunFolder,
) -> crate::Result<(Curves, collapse::CollapseFit)> {
    let curves = curves(study, folder, &[], &section.control, &section.value)?;
    let options = collapse::CollapseOptions {
        window: section.window,
        bootstraps: section.bootstrap,
        seed: study.seed,
        ..Default::default()
    };
    let fit = collapse::fit(&curves, &options)?;
    Ok((curves, fit))
}
