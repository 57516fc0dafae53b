//! What a reader must know before anything is quoted.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ReportError;
use super::fits::doubts;
use super::run::Run;

/// A chain must be as long as so many of its autocorrelation times.
const TIMES: f64 = 3.0;

/// The warnings, a line each.
pub(super) fn warnings(run: &Run) -> Result<Vec<String>, ReportError> {
    let mut found = Vec::new();
    for (name, fit) in &run.fits {
        if let Some(why) = fit.get("failed").and_then(Value::as_str) {
            found.push(format!("{name}: could not be made: {why}"));
        }
        found.extend(doubts(fit).map(|why| format!("{name}: unreliable, do not quote: {why}")));
        let texts = |key: &str| fit.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        found.extend(texts("warnings").map(|warning| format!("{name}: {warning}")));
        for model in fit.get("models").and_then(Value::as_array).into_iter().flatten() {
            let law = model.get("name").and_then(Value::as_str).unwrap_or("?").replace('_', " ");
            found.extend(doubts(model).map(|why| format!("{name}, {law}: unreliable, do not quote: {why}")));
        }
    }
    found.extend(unmixed(run)?);
    Ok(found)
}

/// Chains that were shorter than three of their autocorrelation times, counted by null model.
fn unmixed(run: &Run) -> Result<Vec<String>, ReportError> {
    let Some(table) = run.table("mixing")? else { return Ok(Vec::new()) };
    if !["null", "layer", "proposals_per_edge"].iter().all(|column| table.has(column)) {
        return Ok(Vec::new());
    }
    let (nulls, layers) = (table.texts("null")?, table.texts("layer")?);
    let lengths = table.optional_numbers("proposals_per_edge")?;
    let times: Vec<&str> =
        table.columns().iter().map(String::as_str).filter(|column| column.starts_with("tau_")).collect();
    let mut found: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    let mut longest = vec![None::<f64>; table.rows()];
    for column in times {
        for (longest, time) in longest.iter_mut().zip(table.optional_numbers(column)?) {
            *longest = match (*longest, time) {
                (Some(longest), Some(time)) => Some(longest.max(time)),
                (one, other) => one.or(other),
            };
        }
    }
    for (row, time) in longest.iter().enumerate() {
        if let (Some(length), Some(time)) = (lengths[row], time) {
            let (short, all) = found.entry((nulls[row], layers[row])).or_default();
            *all += 1;
            *short += usize::from(length < TIMES * time);
        }
    }
    let lines = found.into_iter().filter(|(_, (short, _))| *short > 0);
    Ok(lines
        .map(|((null, layer), (short, all))| {
            format!(
                "mixing: {short} of {all} chains of {null} in layer {layer} are shorter than {TIMES} of their \
                 autocorrelation times: draw again with more --swaps-per-edge"
            )
        })
        .collect())
}
