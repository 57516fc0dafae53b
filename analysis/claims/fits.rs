//! The tables of what was fitted: rival laws, collapses, crossings, and whether the exponents are the same.

use std::fmt::Write;
use std::path::Path;

use prunephase::files;
use serde_json::Value;

use super::passes::Measured;
use super::saved::Outcome;
use super::tables::{CONTROLS, Pairs, bracket, head};
use super::universality::{Equality, Exponents, equality};

const LAWS: [&str; 5] = ["power_law", "logistic", "rosenfeld", "essential_singularity", "jump"];

/// A fit's file, `None` where it was not made.
pub fn file(results: &Path, study: &str, name: &str) -> Outcome<Option<Value>> {
    let path = results.join(study).join(name);
    if !path.is_file() {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&files::read_text(&path)?)?))
}

/// The largest chi_m of a width, by a parabola, from the fit's file.
pub fn peaks(results: &Path, study: &str) -> Outcome<Vec<(f64, Measured)>> {
    let Some(json) = file(results, study, "peaks.json")? else { return Ok(Vec::new()) };
    let of = |one: &Value| {
        let number = |key: &str| one[key].as_f64();
        Some((number("size")?, Measured { value: number("value")?, error: number("value_error")? }))
    };
    Ok(json["peaks"].as_array().into_iter().flatten().filter_map(of).collect())
}

/// A law among those that were fitted to one size.
fn law<'f>(size: &'f Value, name: &str) -> Option<&'f Value> {
    size["models"].as_array()?.iter().find(|model| model["name"] == name)
}

/// Its AICc weight.
pub fn weight(size: &Value, name: &str) -> f64 {
    law(size, name).and_then(|model| model["weight"].as_f64()).unwrap_or(f64::NAN)
}

pub fn rivals(text: &mut String, results: &Path, pairs: &Pairs) -> Outcome<()> {
    let columns =
        ["pair", "W", "power law", "logistic", "Rosenfeld", "essential singularity", "jump", "best", "reliable"];
    head(text, "Rival laws of m against density: AICc weights", &columns)?;
    for (name, study, _) in pairs {
        let Some(json) = file(results, study, "fit.json")? else { continue };
        for size in json["sizes"].as_array().into_iter().flatten() {
            let weights: Vec<String> = LAWS.iter().map(|law| format!("{:.3}", weight(size, law))).collect();
            let best = size["best"].as_str().unwrap_or("-");
            let reliable = law(size, best).and_then(|model| model["reliable"].as_bool()).unwrap_or(false);
            let says = if reliable { "yes" } else { "no" };
            let width = size["size"].as_f64().unwrap_or(f64::NAN);
            writeln!(text, "| {name} | {width} | {} | {best} | {says} |", weights.join(" | "))?;
        }
        let sharp = &json["sharpening"];
        if let (Some(a), Some(error), Some(systematic)) =
            (sharp["a"].as_f64(), sharp["error"].as_f64(), sharp["systematic"].as_f64())
        {
            let says = sharp["transition"].as_str().unwrap_or("-");
            writeln!(
                text,
                "| {name} | all | width from 10 to 90 % ~ W^{:+.3} +- {error:.3} +- {systematic:.3}, transition: {says} | | | | | | |",
                -a
            )?;
        }
    }
    text.push('\n');
    Ok(())
}

pub fn collapses(text: &mut String, results: &Path, pairs: &Pairs) -> Outcome<()> {
    let columns = ["pair", "control", "p_c", "1/nu", "beta/nu", "S", "reliable", "first reason"];
    head(text, "Collapse of m over the widths (+- statistical +- systematic)", &columns)?;
    for (name, study, _) in pairs {
        for (label, column, _) in CONTROLS {
            let Some(json) = file(results, study, &format!("collapse-{column}.json"))? else { continue };
            if let Some(failed) = json["failed"].as_str() {
                writeln!(text, "| {name} | {label} | - | - | - | - | no | {failed} |")?;
                continue;
            }
            let estimate = |key: &str| {
                let number = |part: &str| json[key][part].as_f64().unwrap_or(f64::NAN);
                format!("{:.4} +- {:.4} +- {:.4}", number("value"), number("statistical"), number("systematic"))
            };
            let reliable = if json["reliable"].as_bool().unwrap_or(false) { "yes" } else { "no" };
            let reason = json["reasons"].as_array().and_then(|all| all.first()).and_then(Value::as_str).unwrap_or("");
            let quality = json["quality"].as_f64().unwrap_or(f64::NAN);
            let [p_c, nu, beta] = ["p_c", "inv_nu", "kappa_over_nu"].map(estimate);
            writeln!(text, "| {name} | {label} | {p_c} | {nu} | {beta} | {quality:.2} | {reliable} | {reason} |")?;
        }
    }
    text.push('\n');
    Ok(())
}

pub fn one_class(text: &mut String, results: &Path, pairs: &Pairs) -> Outcome<()> {
    let columns = ["control", "reliable collapses", "joint 1/nu", "joint beta/nu", "chi-square", "p"];
    head(text, "Are the exponents of all pairs the same?", &columns)?;
    for (label, column, _) in CONTROLS {
        let mut all = Vec::new();
        let mut fitted = 0;
        for (_, study, _) in pairs {
            let Some(json) = file(results, study, &format!("collapse-{column}.json"))? else { continue };
            fitted += 1;
            all.extend(Exponents::of(&json));
        }
        if fitted == 0 {
            continue;
        }
        let there = format!("{} of {fitted}", all.len());
        match equality(&all) {
            None => writeln!(text, "| {label} | {there} | - | - | nothing to compare | - |")?,
            Some(Equality { joint, errors, chi_square, degrees_of_freedom, chance }) => {
                let [nu, beta] = [0, 1].map(|axis| bracket(joint[axis], errors[axis]));
                writeln!(
                    text,
                    "| {label} | {there} | {nu} | {beta} | {chi_square:.1} at {degrees_of_freedom} | {chance:.3} |"
                )?;
            }
        }
    }
    text.push('\n');
    Ok(())
}

pub fn crossings(text: &mut String, results: &Path, pairs: &Pairs) -> Outcome<()> {
    let columns = ["pair", "hidden units", "density", "R there"];
    head(text, "Crossings of R = <m^2>/<m>^2 of neighbouring widths", &columns)?;
    for (name, study, _) in pairs {
        let Some(json) = file(results, study, "crossings.json")? else { continue };
        if let Some(failed) = json["failed"].as_str() {
            writeln!(text, "| {name} | {failed} | - | - |")?;
        } else if json["crossings"].as_array().is_none_or(Vec::is_empty) {
            writeln!(text, "| {name} | none | - | - |")?;
        }
        for one in json["crossings"].as_array().into_iter().flatten() {
            let number = |key: &str| one[key].as_f64().unwrap_or(f64::NAN);
            let at = bracket(number("control"), number("error"));
            let r = bracket(number("value"), number("value_error"));
            writeln!(text, "| {name} | {} and {} | {at} | {r} |", number("smaller"), number("larger"))?;
        }
    }
    text.push('\n');
    Ok(())
}
