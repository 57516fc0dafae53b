//! The fits of a second look: half of the seeds, without the smallest width, another window.

use std::path::Path;

use prunephase::scaling::collapse::{self, CollapseOptions};
use prunephase::scaling::fit::{self, FitOptions, Model};
use prunephase::scaling::{Curves, Row, ScalingError};
use prunephase::table;

use super::fits;
use super::saved::{Outcome, Row as Level, Saved};
use super::second_look::{CollapseLook, HALF, RivalsLook, WITHOUT, looks};
use super::tables::CONTROLS;

/// Resamples of a second look: its errors are read to one digit.
const RESAMPLES: usize = 50;

/// The rows of m against a control, as the fits of all rows take them.
fn curves(saved: &Saved, control: fn(&Level) -> f64, falling: bool) -> Result<Curves, ScalingError> {
    let mut lowest = std::collections::BTreeMap::new();
    let rows = saved.levels.iter().filter_map(|row| {
        let (value, at) = (row.m?, control(row));
        // Lambda as in lambda.csv: only where it lies below that of all levels before.
        let before = lowest.entry((row.width, row.seed)).or_insert(f64::INFINITY);
        if falling && !(at > 0.0 && at < *before) {
            return None;
        }
        *before = at;
        let replicate = Some(row.seed.to_string());
        Some(Row { size: row.width as f64, control: at, value, error: None, replicate })
    });
    Curves::of_levels(rows)
}

/// Writes look-collapses.csv and look-rivals.csv of a study.
pub fn look(results: &Path, study: &str) -> Outcome<()> {
    let Some(saved) = Saved::read(results, study)? else { return Ok(()) };
    let (mut collapses, mut rivals) = (Vec::new(), Vec::new());
    for (name, rows) in looks(&saved) {
        for (_, column, control) in CONTROLS {
            collapses.push(collapse_of(name, column, curves(&rows, control, column == "lambda"), None));
        }
        if name == WITHOUT {
            // Every width is fitted alone.
            continue;
        }
        for curve in curves(&rows, CONTROLS[0].2, false)?.curves() {
            let options = FitOptions { bootstraps: 10, seed: 1, ..Default::default() };
            // A curve that cannot be fitted has no row.
            let Ok(found) = fit::fit(curve, &options) else { continue };
            let weight = |model: Model| found.model(model).map_or(0.0, |fitted| fitted.weight);
            rivals.push(RivalsLook {
                look: name.into(),
                width: curve.size() as usize,
                best: found.best.to_string(),
                power_law: weight(Model::PowerLaw),
                smooth: weight(Model::Logistic) + weight(Model::Rosenfeld),
            });
        }
    }
    for (_, column, control) in CONTROLS {
        let Some(json) = fits::file(results, study, &format!("collapse-{column}.json"))? else { continue };
        let end = |at: usize| json["window"][at].as_f64();
        let Some((low, high)) = end(0).zip(end(1)) else { continue };
        let (middle, quarter) = (0.5 * (low + high), 0.25 * (high - low));
        let window = Some([middle - quarter, middle + quarter]);
        collapses.push(collapse_of(HALF, column, curves(&saved, control, column == "lambda"), window));
    }
    let round = |value: Option<f64>| value.and_then(|value| format!("{value:.5e}").parse().ok());
    for row in &mut collapses {
        for value in [
            &mut row.inv_nu,
            &mut row.inv_nu_error,
            &mut row.kappa_over_nu,
            &mut row.kappa_over_nu_error,
            &mut row.quality,
        ] {
            *value = round(*value);
        }
    }
    table::write_rows(&results.join(study).join("look-collapses.csv"), collapses)?;
    table::write_rows(&results.join(study).join("look-rivals.csv"), rivals)?;
    Ok(())
}

fn collapse_of(
    look: &str,
    control: &str,
    curves: Result<Curves, ScalingError>,
    window: Option<[f64; 2]>,
) -> CollapseLook {
    let options = CollapseOptions { bootstraps: RESAMPLES, seed: 1, window, ..Default::default() };
    let found = curves.and_then(|curves| collapse::fit(&curves, &options)).ok();
    let found = found.as_ref();
    CollapseLook {
        look: look.into(),
        control: control.into(),
        inv_nu: found.map(|fit| fit.inv_nu.value),
        inv_nu_error: found.map(|fit| fit.inv_nu.total()),
        kappa_over_nu: found.map(|fit| fit.kappa_over_nu.value),
        kappa_over_nu_error: found.map(|fit| fit.kappa_over_nu.total()),
        quality: found.map(|fit| fit.quality),
        reliable: found.is_some_and(|fit| fit.reliable),
    }
}
