//! The JSON files of fits, and how their numbers are written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::colour::Colour;
use super::style::Style;
use super::text::Rich;

/// A fitted number with its errors; what a fit could not find is missing or null.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(super) struct Estimate {
    pub value: f64,
    #[serde(default)]
    pub statistical: Option<f64>,
    #[serde(default)]
    pub systematic: Option<f64>,
}

/// fits/fit.json, as far as figures need it.
#[derive(Debug, Deserialize)]
pub(super) struct Fit {
    pub models: Vec<Model>,
    #[serde(default)]
    pub best: Option<String>,
    /// Whether the best model can be relied on.
    pub reliable: bool,
    /// The system size of this curve, where the table holds several.
    #[serde(default)]
    pub size: Option<f64>,
    /// The column that was fitted, where the fit tells.
    #[serde(default)]
    pub value: Option<serde_json::Value>,
    /// The column of the control, where the fit tells.
    #[serde(default)]
    pub control: Option<serde_json::Value>,
    /// The closed interval of the controls fitted.
    #[serde(default)]
    pub range: Option<[f64; 2]>,
}

/// One model of a fit.
#[derive(Debug, Deserialize)]
pub(super) struct Model {
    pub name: String,
    /// Read one by one: a rival's parameter that is no number must not keep this model from being drawn.
    pub parameters: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    pub weight: Option<f64>,
    #[serde(default)]
    pub reliable: Option<bool>,
    #[serde(default)]
    pub held_out: Option<HeldOut>,
}

/// The error of a law on replicates that were left out, above that of the best law.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct HeldOut {
    pub difference: f64,
    pub difference_error: f64,
}

impl Model {
    /// A parameter, where it is there and a number.
    pub fn parameter(&self, name: &str) -> Option<Estimate> {
        self.parameters.get(name).and_then(|value| serde_json::from_value(value.clone()).ok())
    }
}

/// fits/collapse.json, as far as figures need it.
#[derive(Debug, Deserialize)]
pub(super) struct Collapse {
    pub p_c: Estimate,
    pub inv_nu: Estimate,
    pub kappa_over_nu: Estimate,
    #[serde(default)]
    pub quality: Option<f64>,
    pub reliable: bool,
    #[serde(default)]
    pub window: Option<[f64; 2]>,
    /// The columns that were collapsed, where the fit tells.
    #[serde(default)]
    pub control: Option<serde_json::Value>,
    #[serde(default)]
    pub value: Option<serde_json::Value>,
}

/// The name of a column at an axis, or `otherwise` where the fit does not tell its column.
pub(super) fn axis_name(column: Option<&serde_json::Value>, otherwise: &str) -> Rich {
    match column.and_then(serde_json::Value::as_str) {
        None => Rich::parse(otherwise),
        Some("m") => Rich::parse("*m*"),
        Some("p_inf") => Rich::parse("*P*_∞"),
        Some("chi") => Rich::parse("*χ*"),
        Some("chi_v") => Rich::parse("*χ*_v"),
        Some("chi_fl") => Rich::parse("*χ*_fl"),
        Some("u4") => Rich::parse("*U*_4"),
        Some("r") => Rich::parse("*R*"),
        // Columns of our tables are words joined by underscores.
        Some(name) => Rich::plain(name.replace('_', " ")),
    }
}

/// What stands above a figure of a fit that must not be relied on.
pub(super) const UNRELIABLE: &str = "unreliable: the fit must not be quoted";

/// The decimals that show an error to two digits.
fn decimals_of(error: f64) -> Option<usize> {
    (error.is_finite() && error > 0.0).then(|| (1.0 - error.log10().floor()).clamp(0.0, 12.0) as usize)
}

impl Estimate {
    /// The value and both errors, to two digits of the smaller error that is not zero.
    pub fn written(&self) -> String {
        let errors = [self.statistical, self.systematic];
        let decimals = errors.iter().flatten().filter_map(|&error| decimals_of(error)).max();
        let Some(decimals) = decimals else {
            return format!("{} (no error)", significant(self.value, 4));
        };
        let decimals = decimals.min(6);
        let mut text = format!("{:.decimals$}", self.value);
        for (error, name) in errors.iter().zip(["stat", "syst"]) {
            if let Some(error) = error {
                text.push_str(&format!(" ± {error:.decimals$} ({name})"));
            }
        }
        text
    }

    /// The value and its statistical error alone.
    pub fn plainly(&self) -> String {
        self.written().replace(" (stat)", "")
    }

    /// A line such as `β = 0.52 ± 0.03 (stat) ± 0.05 (syst)`.
    pub fn note(&self, symbol: &str, style: &Style) -> (Rich, Colour) {
        (Rich::parse(&format!("{symbol} = {}", self.written())), style.colours.ink)
    }
}

/// A number to so many significant digits, without an exponent.
pub(super) fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let decimals = (digits - 1 - value.abs().log10().floor() as i32).clamp(0, 12) as usize;
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_to_two_digits_of_the_error() {
        let estimate = |statistical, systematic| Estimate { value: 0.523_456, statistical, systematic };
        assert_eq!(estimate(Some(0.031), Some(0.12)).written(), "0.523 ± 0.031 (stat) ± 0.120 (syst)");
        assert_eq!(estimate(Some(0.031), None).written(), "0.523 ± 0.031 (stat)");
        assert_eq!(estimate(Some(0.2), Some(0.0)).written(), "0.52 ± 0.20 (stat) ± 0.00 (syst)");
        assert_eq!(estimate(None, None).written(), "0.5235 (no error)");
        let large = Estimate { value: 1234.5, statistical: Some(56.0), systematic: None };
        assert_eq!(large.written(), "1234 ± 56 (stat)");
        assert_eq!(significant(0.001_234_5, 3), "0.00123");
    }
}
