//! The fits of a second look: half of the seeds, without the smallest width, another window.

use std::path::Path;

use prunephase::scaling::collapse::{self, CollapseFit, CollapseOptions};
use prunephase::scaling::fit::{self, FitOptions, Model};
use prunephase::scaling::{Curves, Row, ScalingError};
use prunephase::table;

use super::collect::{falling_lambda, short};
use super::fits;
use super::saved::{Outcome, Row as Level, Saved};
use super::second_look::{CollapseLook, HALF, RivalsLook, WITHOUT, looks};
use super::tables::CONTROLS;

/// Resamples of a second look: its errors are read to one digit.
const RESAMPLES: usize = 50;

/// m against a control, by the rows that the fits of all rows take.
fn curves(saved: &Saved, column: &str, control: fn(&Level) -> f64) -> Result<Curves, ScalingError> {
    let row = |row: &Level| {
        let replicate = Some(row.seed.to_string());
        Some(Row { size: row.width as f64, control: control(row), value: row.m?, error: None, replicate })
    };
    if column == "lambda" {
        return Curves::of_levels(falling_lambda(&saved.levels).filter_map(row));
    }
    Curves::of_levels(saved.levels.iter().filter_map(row))
}

/// Writes look-collapses.csv and look-rivals.csv of a study.
pub fn look(results: &Path, study: &str) -> Outcome<()> {
    let Some(saved) = Saved::read(results, study)? else { return Ok(()) };
    let (mut collapses, mut rivals) = (Vec::new(), Vec::new());
    for (name, rows) in looks(&saved) {
        for (_, column, control) in CONTROLS {
            collapses.push(collapse_of(name, column, curves(&rows, column, control), None));
        }
        if name == WITHOUT {
            // Every width is fitted alone.
            continue;
        }
        for curve in curves(&rows, CONTROLS[0].1, CONTROLS[0].2)?.curves() {
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
        collapses.push(collapse_of(HALF, column, curves(&saved, column, control), window));
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
    let of = |number: fn(&CollapseFit) -> f64| found.as_ref().map(|fit| short(number(fit)));
    CollapseLook {
        look: look.into(),
        control: control.into(),
        inv_nu: of(|fit| fit.inv_nu.value),
        inv_nu_error: of(|fit| fit.inv_nu.total()),
        kappa_over_nu: of(|fit| fit.kappa_over_nu.value),
        kappa_over_nu_error: of(|fit| fit.kappa_over_nu.total()),
        quality: of(|fit| fit.quality),
        reliable: found.as_ref().is_some_and(|fit| fit.reliable),
    }
}
