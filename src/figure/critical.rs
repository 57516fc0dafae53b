//! Pseudo-critical points and their limit, as `fit --peaks` and `fit --crossings` save them, and curves by size.

use serde::Deserialize;

use super::axis::Axis;
use super::colour::Colour;
use super::error::FigureError;
use super::fits::{Estimate, significant};
use super::input::Input;
use super::series::{Key, Look, Point, Series};
use super::style::Style;
use super::text::Rich;

/// A pseudo-critical point of one size, or of a pair of neighbouring sizes.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(super) struct Critical {
    pub size: f64,
    pub control: f64,
    pub error: f64,
    pub value: f64,
    pub value_error: f64,
}

/// Where they go: p_c + c L^-w.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(super) struct Limit {
    pub p_c: f64,
    pub error: f64,
    pub c: f64,
    pub w: f64,
    #[serde(default)]
    pub w_error: Option<f64>,
    #[serde(default)]
    pub w_given: bool,
}

/// peaks.json or crossings.json, as far as figures need it.
#[derive(Debug, Deserialize)]
pub(super) struct Criticals {
    #[serde(default)]
    peaks: Vec<Critical>,
    #[serde(default)]
    crossings: Vec<Critical>,
    #[serde(default)]
    pub extrapolated: Option<Limit>,
    #[serde(default)]
    pub control: Option<serde_json::Value>,
    #[serde(default)]
    pub value: Option<serde_json::Value>,
}

impl Criticals {
    pub fn points(&self) -> &[Critical] {
        if self.peaks.is_empty() { &self.crossings } else { &self.peaks }
    }

    pub fn of_peaks(&self) -> bool {
        !self.peaks.is_empty()
    }

    /// The limit and its exponent as lines of text.
    pub fn notes(&self, style: &Style) -> Vec<(Rich, Colour)> {
        let Some(limit) = self.extrapolated else {
            return vec![(Rich::plain("no limit: too few points"), style.colours.warning)];
        };
        let number = |value, error| Estimate { value, statistical: error, systematic: None }.plainly();
        let w = match limit.w_error {
            _ if limit.w_given => format!("*w* = {} (given)", significant(limit.w, 3)),
            Some(error) => format!("*w* = {}", number(limit.w, Some(error))),
            None => "*w* undetermined".to_owned(),
        };
        let p_c = format!("*p*_c = {}", number(limit.p_c, Some(limit.error)));
        [p_c, w].iter().map(|text| (Rich::parse(text), style.colours.ink)).collect()
    }
}

impl Limit {
    /// The law at a size.
    pub fn at(&self, size: f64) -> f64 {
        self.p_c + self.c * size.powf(-self.w)
    }
}

/// The curves of a table with the columns size, control, value and error, each with its size.
pub(super) fn curves(input: &Input, quantity: &str, style: &Style) -> Result<Vec<(f64, Series)>, FigureError> {
    let table = &input.table;
    let (size, control, value) = (table.numbers("size")?, table.numbers("control")?, table.numbers("value")?);
    let error = if table.has("error") { table.optional_numbers("error")? } else { vec![None; table.rows()] };
    let mut sizes = size.clone();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let (found, most) = (sizes.len(), style.curves());
    if found > most {
        return Err(FigureError::TooManyCurves { path: table.path().to_path_buf(), found, most });
    }
    let curve = |(index, &own): (usize, &f64)| {
        let rows = (0..size.len()).filter(|&row| size[row] == own);
        let mut points: Vec<Point> =
            rows.map(|row| Point::with_error(control[row], value[row], error[row], 1)).collect();
        points.sort_by(|one, other| one.x.total_cmp(&other.x));
        (own, Series::new(quantity, format!("L={own}"), Look::of(style, index), points))
    };
    Ok(sizes.iter().enumerate().map(curve).collect())
}

/// The legend of curves by size.
pub(super) fn legend(curves: &[(f64, Series)]) -> Vec<Key> {
    let key = |(size, series): &(f64, Series)| Key { text: Rich::parse(&format!("*L* = {size}")), look: series.look };
    curves.iter().map(key).collect()
}

/// The look of a mark that is not one of the curves.
pub(super) fn mark(style: &Style) -> Look {
    Look { colour: style.colours.ink, open: true, size: 1.35, ..Look::of(style, 0).points() }
}

/// So many values from end to end of an axis.
pub(super) fn along(axis: &Axis, steps: usize) -> Vec<f64> {
    (0..=steps).map(|step| axis.value_at(step as f64 / steps as f64)).collect()
}
