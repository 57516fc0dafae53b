//! What came out, in a sentence a question.

use serde::Serialize;
use serde_json::Value;

use super::ReportError;
use super::fits::{Estimate, doubts};
use super::run::Run;
use super::tables::Level;
use crate::figure::four_digits;
use crate::scaling::first_fall;

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Verdict {
    pub question: &'static str,
    /// `yes`, `no`, `undecided` or `measured`.
    pub answer: &'static str,
    pub sentence: String,
}

/// The weight from which on a law is called the better one.
const CLEAR: f64 = 0.95;

/// The verdicts that the folder allows.
pub(super) fn verdicts(run: &Run, levels: &[Level]) -> Result<Vec<Verdict>, ReportError> {
    let fit = |wanted: &str| run.fits.iter().find(|(name, _)| name == wanted).map(|(_, fit)| fit);
    let mut found = Vec::new();
    found.extend(fit("fit").map(law));
    found.extend(fit("collapse").map(collapse));
    found.extend(function_and_graph(levels));
    found.extend(degrees(run)?);
    Ok(found)
}

fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of.get(key).and_then(Value::as_str).unwrap_or("?")
}

fn failed(question: &'static str, fit: &Value) -> Option<Verdict> {
    let why = fit.get("failed").and_then(Value::as_str)?;
    Some(Verdict { question, answer: "undecided", sentence: format!("The fit could not be made: {why}.") })
}

fn law(fit: &Value) -> Verdict {
    let question = "Does the order parameter vanish by a power law?";
    if let Some(verdict) = failed(question, fit) {
        return verdict;
    }
    let models = fit.get("models").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let best = models.iter().max_by(|a, b| weight(a).total_cmp(&weight(b)));
    let Some(best) = best else {
        return Verdict { question, answer: "undecided", sentence: "No law could be fitted.".into() };
    };
    let name = text(best, "name").replace('_', " ");
    let mut sentence = format!(
        "Of {} laws of {} against {}, {name} describes the points best (AICc weight {:.3}).",
        models.len(),
        text(fit, "value"),
        text(fit, "control"),
        weight(best)
    );
    let power_law = models.iter().find(|model| text(model, "name") == "power_law");
    match power_law.map(|model| (model, doubts(model))) {
        Some((model, None)) => {
            for parameter in ["p_c", "beta"] {
                if let Some(estimate) = Estimate::of(&model["parameters"][parameter]) {
                    sentence += &format!(" Power law: {parameter} = {}.", estimate.words());
                }
            }
        }
        Some((_, Some(why))) => sentence += &format!(" The power law is not to be quoted: {why}."),
        None => {}
    }
    let clear = weight(best) >= CLEAR && doubts(best).is_none();
    let answer = match (text(best, "name") == "power_law", clear) {
        (true, true) => "yes",
        (false, true) => "no",
        _ => "undecided",
    };
    Verdict { question, answer, sentence }
}

/// S above which the points lie more than sqrt(2) times their errors from one curve, by convention of this page too far
/// for a yes: S of a perfect collapse is 1 within sqrt(2/points).
const SCATTERED: f64 = 2.0;

fn weight(model: &Value) -> f64 {
    model.get("weight").and_then(Value::as_f64).unwrap_or(0.0)
}

fn collapse(fit: &Value) -> Verdict {
    let question = "Do the curves of all sizes fall on one?";
    if let Some(verdict) = failed(question, fit) {
        return verdict;
    }
    let quality = fit.get("quality").and_then(Value::as_f64).unwrap_or(f64::NAN);
    let (value, control) = (text(fit, "value"), text(fit, "control"));
    if let Some(why) = doubts(fit) {
        let sentence = format!("The collapse of {value} in {control} is not to be quoted (S = {quality:.3}): {why}.");
        return Verdict { question, answer: "undecided", sentence };
    }
    let mut sentence = format!("{value} in {control} collapses with S = {quality:.3} (1 is perfect within errors).");
    for parameter in ["p_c", "inv_nu", "kappa_over_nu"] {
        if let Some(estimate) = Estimate::of(&fit[parameter]) {
            sentence += &format!(" {parameter} = {}.", estimate.words());
        }
    }
    // Without a sign of its own 1/nu says that scaling the control does nothing for sure: then any curves that lie
    // near one another would do.
    let determined = Estimate::of(&fit["inv_nu"]).and_then(|of| of.interval95).is_some_and(|(low, _)| low > 0.0);
    if !determined {
        sentence += " The 95 % interval of 1/nu reaches 0: whether scaling brings them together is open.";
    }
    Verdict { question, answer: if determined && quality < SCATTERED { "yes" } else { "undecided" }, sentence }
}

/// The density at which a curve, read from high to low density, first falls below a half of its first value.
fn half(levels: &[&Level], column: &str) -> Option<f64> {
    let curve: Vec<(f64, f64)> = levels
        .iter()
        .filter_map(|level| {
            let values = level.values.get(column).filter(|values| !values.is_empty())?;
            Some((level.density, values.iter().sum::<f64>() / values.len() as f64))
        })
        .collect();
    first_fall(&curve, curve.first()?.1 / 2.0)
}

fn function_and_graph(levels: &[Level]) -> Option<Verdict> {
    let mut widths: Vec<u64> = levels.iter().map(|level| level.width).collect();
    widths.dedup();
    let mut parts = Vec::new();
    for width in widths {
        let of_width: Vec<&Level> = levels.iter().filter(|level| level.width == width).collect();
        if let (Some(m), Some(outputs)) = (half(&of_width, "m"), half(&of_width, "outputs_reached")) {
            parts.push(format!("{} against {} at W = {width}", four_digits(m), four_digits(outputs)));
        }
    }
    (!parts.is_empty()).then(|| Verdict {
        question: "Is function lost where the graph falls apart?",
        answer: "measured",
        sentence: format!(
            "m falls to a half at density, and half of the outputs are cut off at density: {}.",
            parts.join(", ")
        ),
    })
}

fn degrees(run: &Run) -> Result<Option<Verdict>, ReportError> {
    let Some(table) = run.table("comparison")? else { return Ok(None) };
    if !["null", "weights", "verdict", "difference"].iter().all(|column| table.has(column)) {
        return Ok(None);
    }
    let (nulls, verdicts) = (table.texts("null")?, table.texts("verdict")?);
    let (weights, differences) = (table.texts("weights")?, table.optional_numbers("difference")?);
    let rows: Vec<usize> = (0..table.rows()).filter(|&row| nulls[row] == "degrees").collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let mut kinds: Vec<&str> = rows.iter().map(|&row| weights[row]).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut parts = Vec::new();
    for kind in kinds {
        let of_kind: Vec<usize> = rows.iter().copied().filter(|&row| weights[row] == kind).collect();
        let count = |names: &[&str]| of_kind.iter().filter(|&&row| names.contains(&verdicts[row])).count();
        let worst = of_kind.iter().filter_map(|&row| differences[row]).fold(0.0, f64::min);
        parts.push(format!(
            "with {kind} weights {} of {} equivalent, {} different (worst difference {})",
            count(&["equivalent", "close"]),
            of_kind.len(),
            count(&["different"]),
            four_digits(worst)
        ));
    }
    let all = |names: &[&str]| rows.iter().all(|&row| names.contains(&verdicts[row]));
    let answer = if all(&["equivalent", "close"]) {
        "yes"
    } else if rows.iter().any(|&row| verdicts[row] == "different") {
        "no"
    } else {
        "undecided"
    };
    Ok(Some(Verdict {
        question: "Do subnetworks of equal degrees learn as well as the original?",
        answer,
        sentence: format!("Of the comparisons with the null model degrees: {}.", parts.join("; ")),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model(name: &str, weight: f64, reliable: bool) -> Value {
        let estimate = json!({"value": 0.5, "statistical": 0.1, "systematic": 0.2, "interval95": [0.1, 0.9]});
        json!({"name": name, "weight": weight, "reliable": reliable, "reasons": ["too few points"],
               "parameters": {"p_c": estimate, "beta": estimate}})
    }

    #[test]
    fn a_power_law_wins_only_when_it_is_clear_and_reliable() {
        let answer = |models: Vec<Value>| law(&json!({"value": "m", "control": "density", "models": models})).answer;
        assert_eq!(answer(vec![model("power_law", 0.99, true), model("logistic", 0.01, true)]), "yes");
        assert_eq!(answer(vec![model("power_law", 0.99, false), model("logistic", 0.01, true)]), "undecided");
        assert_eq!(answer(vec![model("power_law", 0.6, true), model("logistic", 0.4, true)]), "undecided");
        assert_eq!(answer(vec![model("power_law", 0.01, true), model("logistic", 0.99, true)]), "no");
        assert_eq!(answer(vec![]), "undecided");
        let failed = law(&json!({"failed": "too few points"}));
        assert_eq!(
            (failed.answer, failed.sentence.as_str()),
            ("undecided", "The fit could not be made: too few points.")
        );
        let doubted = law(&json!({"value": "m", "control": "density", "models": [model("power_law", 1.0, false)]}));
        assert!(doubted.sentence.contains("not to be quoted: too few points"), "{}", doubted.sentence);
    }

    #[test]
    fn an_unreliable_collapse_is_not_quoted() {
        let estimate = json!({"value": 0.5, "statistical": 0.1, "systematic": 0.2});
        let fit = |reliable: bool| {
            json!({"value": "m", "control": "density", "quality": 1.1, "reliable": reliable, "p_c": estimate,
                   "inv_nu": json!({"value": 0.7, "statistical": 0.1, "systematic": 0.1, "interval95": [0.4, 1.0]}),
                   "reasons": ["3 of 40 starts"]})
        };
        assert_eq!(collapse(&fit(true)).answer, "yes");
        assert!(collapse(&fit(true)).sentence.contains("p_c = 0.5 ± 0.1 (statistical) ± 0.2 (systematic)"));
        assert_eq!(collapse(&fit(false)).answer, "undecided");
        assert!(!collapse(&fit(false)).sentence.contains("p_c"));
    }

    #[test]
    fn a_collapse_whose_exponent_may_be_zero_is_no_yes() {
        let of = |low: f64, quality: f64| {
            let estimate = |value: f64, low: f64| json!({ "value": value, "statistical": 0.1, "systematic": 0.1, "interval95": [low, value + 0.3] });
            json!({
                "control": "density", "value": "m", "quality": quality, "reliable": true, "reasons": [],
                "p_c": estimate(0.5, 0.2), "inv_nu": estimate(0.7, low), "kappa_over_nu": estimate(0.1, -0.2),
            })
        };
        assert_eq!(collapse(&of(0.4, 1.2)).answer, "yes");
        assert_eq!(collapse(&of(0.4, 2.3)).answer, "undecided");
        let open = collapse(&of(-0.1, 0.5));
        assert!(open.answer == "undecided" && open.sentence.contains("reaches 0"), "{}", open.sentence);
    }
}
