//! Fits as rows: each parameter with both errors.

use serde_json::Value;

use super::tables::Shown;
use crate::figure::four_digits;

/// What a fit says of one parameter.
pub(super) struct Estimate {
    pub value: f64,
    pub statistical: f64,
    pub systematic: f64,
    pub interval95: Option<(f64, f64)>,
}

impl Estimate {
    pub fn of(value: &Value) -> Option<Self> {
        let number = |key: &str| value.get(key)?.as_f64();
        let end = |at: usize| value.get("interval95")?.get(at)?.as_f64();
        Some(Self {
            value: number("value")?,
            statistical: number("statistical")?,
            systematic: number("systematic")?,
            interval95: end(0).zip(end(1)),
        })
    }

    /// The value with both errors, in words.
    pub fn words(&self) -> String {
        format!(
            "{} ± {} (statistical) ± {} (systematic)",
            four_digits(self.value),
            four_digits(self.statistical),
            four_digits(self.systematic)
        )
    }
}

/// The parameters of something fitted, in its order: the entries that have a value and errors.
pub(super) fn parameters(of: &Value) -> Vec<(&str, Estimate)> {
    let entries = of.as_object().into_iter().flatten();
    entries.filter_map(|(name, value)| Some((name.as_str(), Estimate::of(value)?))).collect()
}

/// Whether a fit calls itself reliable, and its reasons where it does not.
pub(super) fn doubts(fit: &Value) -> Option<String> {
    if fit.get("reliable").and_then(Value::as_bool).unwrap_or(true) {
        return None;
    }
    let reasons: Vec<&str> =
        fit.get("reasons").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    Some(if reasons.is_empty() { "no reason is given".into() } else { reasons.join("; ") })
}

/// One row a parameter of every fit.
pub(super) fn table(fits: &[(String, Value)]) -> Option<Shown> {
    let mut rows = Vec::new();
    for (name, fit) in fits {
        let mut push = |law: &str, parameters: Vec<(&str, Estimate)>, weight: Option<f64>, doubted: bool| {
            for (parameter, estimate) in parameters {
                let (low, high) = estimate.interval95.map_or((None, None), |(low, high)| (Some(low), Some(high)));
                let cell = |value: Option<f64>| value.map_or_else(String::new, four_digits);
                rows.push(vec![
                    name.clone(),
                    law.replace('_', " "),
                    parameter.to_owned(),
                    four_digits(estimate.value),
                    four_digits(estimate.statistical),
                    four_digits(estimate.systematic),
                    cell(low),
                    cell(high),
                    cell(weight),
                    if doubted { "no".into() } else { "yes".into() },
                ]);
            }
        };
        push("", parameters(fit), None, doubts(fit).is_some());
        for model in fit.get("models").and_then(Value::as_array).into_iter().flatten() {
            let law = model.get("name").and_then(Value::as_str).unwrap_or("");
            let weight = model.get("weight").and_then(Value::as_f64);
            push(law, parameters(&model["parameters"]), weight, doubts(model).is_some());
        }
    }
    let columns =
        ["fit", "law", "parameter", "value", "statistical", "systematic", "95 % from", "to", "weight", "reliable"];
    Shown::of("Fits", "Both errors of each parameter; the interval holds all errors combined.", &columns, rows)
}
