//! Every number that analysis/README.md quotes, as its tables.

use std::fmt::Write;
use std::path::Path;

use prunephase::comparison::ComparisonRow;
use prunephase::scaling::GrowthFit;
use prunephase::{files, table};
use serde_json::Value;

use super::passes::{self, Measured, exponent, exponent_of_ln, ln_pass, ln_width, m};
use super::saved::{Graph, Outcome, Row, Saved};
use super::universality::{Equality, Exponents, equality};

/// The architecture-data pairs, each with its study.
pub const PAIRS: [(&str, &str); 8] = [
    ("fc4, MNIST", "claim-1-transition"),
    ("fc4, Fashion-MNIST", "claim-2-scaling"),
    ("fc4, KMNIST-10k", "claim-3-fc4-kmnist-10k"),
    ("fc4, MNIST-10k", "claim-3-fc4-mnist-10k"),
    ("cnn5, MNIST", "claim-3-universality"),
    ("cnn5, Fashion-MNIST", "claim-3-cnn5-fashion-mnist"),
    ("cnn5, KMNIST-10k", "claim-3-cnn5-kmnist-10k"),
    ("cnn5, MNIST-10k", "claim-3-cnn5-mnist-10k"),
];

const PROTOCOLS: [(&str, &str); 6] = [
    ("one-shot", "protocol-one-shot"),
    ("random pruning", "protocol-random"),
    ("no fine-tuning", "protocol-no-tuning"),
    ("1/4 epoch a level", "protocol-quarter"),
    ("4 epochs a level", "protocol-four"),
    ("rewound", "protocol-rewound"),
];

/// What a control is called, its column, and its value in a row.
type Control = (&'static str, &'static str, fn(&Row) -> f64);

const CONTROLS: [Control; 4] = [
    ("density", "density", |row| row.density),
    ("kept edges", "kept", |row| row.kept as f64),
    ("mean degree", "mean_degree", |row| row.mean_degree),
    ("Lambda", "lambda", |row| row.lambda.unwrap_or(f64::NAN)),
];

const LAWS: [&str; 5] = ["power_law", "logistic", "rosenfeld", "essential_singularity", "jump"];

/// All tables, in the order of analysis/README.md.
pub fn all(results: &Path) -> Outcome<String> {
    let mut saved = Vec::new();
    for (name, study) in PAIRS {
        if let Some(found) = Saved::read(results, study)? {
            saved.push((name, study, found));
        }
    }
    let mut text = String::new();
    where_it_is(&mut text, &saved)?;
    with_size(&mut text, results, &saved)?;
    rivals(&mut text, results, &saved)?;
    collapses(&mut text, results, &saved)?;
    one_class(&mut text, results, &saved)?;
    crossings(&mut text, results, &saved)?;
    coincidence(&mut text, &saved)?;
    protocols(&mut text, results)?;
    degrees(&mut text, results)?;
    second_look(&mut text, &saved)?;
    spent(&mut text, results)?;
    Ok(text)
}

type Pairs = [(&'static str, &'static str, Saved)];

fn head(text: &mut String, title: &str, columns: &[&str]) -> std::fmt::Result {
    writeln!(text, "#### {title}\n\n| {} |\n|{}", columns.join(" | "), " --- |".repeat(columns.len()))
}

/// A number with its error in brackets, in units of the last digit shown: two digits of the error.
pub fn bracket(value: f64, error: f64) -> String {
    if !(error > 0.0 && error.is_finite() && value.is_finite()) {
        return format!("{value:.3}");
    }
    let digits = (1.0 - error.log10().floor()).clamp(0.0, 9.0) as usize;
    let scaled = (error * 10f64.powi(digits as i32)).round();
    format!("{value:.digits$}({scaled:.0})")
}

/// exp of a logarithm, with its error.
fn exp(of: Option<Measured>) -> String {
    of.map_or("-".into(), |of| bracket(of.value.exp(), of.value.exp() * of.error))
}

fn plain(of: Option<Measured>) -> String {
    of.map_or("-".into(), |of| bracket(of.value, of.error))
}

/// An exponent with its statistical and systematic error.
fn both(of: Option<GrowthFit>) -> String {
    of.map_or("-".into(), |of| format!("{:+.2} +- {:.2} +- {:.2}", of.exponent, of.statistical, of.systematic))
}

/// The largest chi_m of a width, by a parabola, from the fit's file.
fn peaks(results: &Path, study: &str) -> Outcome<Vec<(f64, Measured)>> {
    let Some(json) = fit(results, study, "peaks.json")? else { return Ok(Vec::new()) };
    let of = |one: &Value| {
        let number = |key: &str| one[key].as_f64();
        Some((number("size")?, Measured { value: number("value")?, error: number("value_error")? }))
    };
    Ok(json["peaks"].as_array().into_iter().flatten().filter_map(of).collect())
}

fn where_it_is(text: &mut String, pairs: &Pairs) -> Outcome<()> {
    let columns = [
        "pair",
        "W",
        "hidden units",
        "replicates",
        "density",
        "kept edges",
        "mean degree",
        "Lambda",
        "ln D(3/4)/D(1/4)",
    ];
    head(text, "Where m = 1/2", &columns)?;
    for (name, _, saved) in pairs {
        for width in saved.widths() {
            let replicates = saved.by_replicate(width, m).len();
            let at: Vec<String> = CONTROLS.iter().map(|(_, _, of)| exp(ln_pass(saved, width, of, m, 0.5))).collect();
            let wide = plain(ln_width(saved, width, |row| row.density));
            writeln!(
                text,
                "| {name} | {width} | {} | {replicates} | {} | {wide} |",
                saved.hidden(width),
                at.join(" | ")
            )?;
        }
    }
    text.push('\n');
    Ok(())
}

/// The points of a quantity against the number of hidden units.
fn by_size(saved: &Saved, of: impl Fn(usize) -> Option<Measured>) -> Vec<(f64, Measured)> {
    saved.widths().into_iter().filter_map(|width| Some((saved.hidden(width) as f64, of(width)?))).collect()
}

fn with_size(text: &mut String, results: &Path, pairs: &Pairs) -> Outcome<()> {
    let columns = [
        "pair",
        "density at 1/2",
        "kept edges at 1/2",
        "mean degree at 1/2",
        "Lambda at 1/2",
        "width in ln density",
        "width in ln Lambda",
        "peak of chi_m",
    ];
    head(text, "Exponents of the number of hidden units (+- statistical +- systematic)", &columns)?;
    for (name, study, saved) in pairs {
        let mut cells: Vec<String> = CONTROLS
            .iter()
            .map(|(_, _, of)| both(exponent_of_ln(&by_size(saved, |width| ln_pass(saved, width, of, m, 0.5)))))
            .collect();
        for (_, _, of) in [CONTROLS[0], CONTROLS[3]] {
            cells.push(both(exponent(&by_size(saved, |width| ln_width(saved, width, of)))));
        }
        cells.push(both(exponent(&peaks(results, study)?)));
        writeln!(text, "| {name} | {} |", cells.join(" | "))?;
    }
    text.push('\n');
    Ok(())
}

/// A fit's file, `None` where it was not made.
fn fit(results: &Path, study: &str, name: &str) -> Outcome<Option<Value>> {
    let path = results.join(study).join(name);
    if !path.is_file() {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&files::read_text(&path)?)?))
}

fn rivals(text: &mut String, results: &Path, pairs: &Pairs) -> Outcome<()> {
    let columns =
        ["pair", "W", "power law", "logistic", "Rosenfeld", "essential singularity", "jump", "best", "reliable"];
    head(text, "Rival laws of m against density: AICc weights", &columns)?;
    for (name, study, _) in pairs {
        let Some(json) = fit(results, study, "fit.json")? else { continue };
        for size in json["sizes"].as_array().into_iter().flatten() {
            let models = size["models"].as_array().cloned().unwrap_or_default();
            let of = |law: &str| models.iter().find(|model| model["name"] == law);
            let weight = |law| of(law).and_then(|model| model["weight"].as_f64()).unwrap_or(f64::NAN);
            let weights: Vec<String> = LAWS.iter().map(|law| format!("{:.3}", weight(law))).collect();
            let best = size["best"].as_str().unwrap_or("-");
            let reliable = of(best).and_then(|model| model["reliable"].as_bool()).unwrap_or(false);
            let says = if reliable { "yes" } else { "no" };
            writeln!(text, "| {name} | {} | {} | {best} | {says} |", size["size"], weights.join(" | "))?;
        }
        let sharp = &json["sharpening"];
        if let (Some(a), Some(error), Some(systematic)) =
            (sharp["a"].as_f64(), sharp["error"].as_f64(), sharp["systematic"].as_f64())
        {
            let says = sharp["transition"].as_str().unwrap_or("-");
            writeln!(
                text,
                "| {name} | all | width from 10 to 90 % ~ W^{:+.3} +- {error:.3} +- {systematic:.3}: {says} | | | | | | |",
                -a
            )?;
        }
    }
    text.push('\n');
    Ok(())
}

fn collapses(text: &mut String, results: &Path, pairs: &Pairs) -> Outcome<()> {
    let columns = ["pair", "control", "p_c", "1/nu", "beta/nu", "S", "reliable", "first reason"];
    head(text, "Collapse of m over the widths (+- statistical +- systematic)", &columns)?;
    for (name, study, _) in pairs {
        for (label, column, _) in CONTROLS {
            let Some(json) = fit(results, study, &format!("collapse-{column}.json"))? else { continue };
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

fn one_class(text: &mut String, results: &Path, pairs: &Pairs) -> Outcome<()> {
    let columns = ["control", "reliable collapses", "joint 1/nu", "joint beta/nu", "chi-square", "p"];
    head(text, "Are the exponents of all pairs the same?", &columns)?;
    for (label, column, _) in CONTROLS {
        let mut all = Vec::new();
        let mut fitted = 0;
        for (_, study, _) in pairs {
            let Some(json) = fit(results, study, &format!("collapse-{column}.json"))? else { continue };
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

fn crossings(text: &mut String, results: &Path, pairs: &Pairs) -> Outcome<()> {
    let columns = ["pair", "hidden units", "density", "R there"];
    head(text, "Crossings of R = <m^2>/<m>^2 of neighbouring widths", &columns)?;
    for (name, study, _) in pairs {
        let Some(json) = fit(results, study, "crossings.json")? else { continue };
        if let Some(failed) = json["failed"].as_str() {
            writeln!(text, "| {name} | {failed} | - | - |")?;
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

fn coincidence(text: &mut String, pairs: &Pairs) -> Outcome<()> {
    let columns = ["pair", "W", "m", "outputs reached", "last path", "P_inf"];
    head(text, "Densities at which the loss of function and the graph fall to 1/2", &columns)?;
    let reached = |_: &Row, graph: &Graph| graph.outputs_reached as f64 / 10.0;
    let path = |_: &Row, graph: &Graph| f64::from(u8::from(graph.outputs_reached > 0));
    let giant = |_: &Row, graph: &Graph| graph.p_inf;
    for (name, _, saved) in pairs {
        for width in saved.widths() {
            let density = |row: &Row| row.density;
            let cells = [
                exp(ln_pass(saved, width, density, m, 0.5)),
                exp(ln_pass(saved, width, density, reached, 0.5)),
                exp(ln_pass(saved, width, density, path, 0.5)),
                exp(ln_pass(saved, width, density, giant, 0.5)),
            ];
            writeln!(text, "| {name} | {width} | {} |", cells.join(" | "))?;
        }
    }
    text.push('\n');
    Ok(())
}

fn protocols(text: &mut String, results: &Path) -> Outcome<()> {
    let columns = [
        "protocol",
        "replicates",
        "density at m = 1/2",
        "ratio to claim 1's",
        "standard errors apart",
        "outputs reached = 1/2",
    ];
    head(text, "What moves the answer (fc4, MNIST, W = 32)", &columns)?;
    let Some(base) = Saved::read(results, "claim-1-transition")? else { return Ok(()) };
    let density = |row: &Row| row.density;
    let reached = |_: &Row, graph: &Graph| graph.outputs_reached as f64 / 10.0;
    let Some(here) = ln_pass(&base, 32, density, m, 0.5) else { return Ok(()) };
    let first = [("iterative magnitude, 1 epoch a level", "claim-1-transition")];
    for (label, study) in first.into_iter().chain(PROTOCOLS) {
        let Some(saved) = Saved::read(results, study)? else { continue };
        let replicates = saved.by_replicate(32, m).len();
        let found = ln_pass(&saved, 32, density, m, 0.5);
        let (ratio, apart) = match found {
            Some(found) if study != "claim-1-transition" => {
                let error = found.error.hypot(here.error);
                let ratio = (found.value - here.value).exp();
                (bracket(ratio, ratio * error), format!("{:+.1}", (found.value - here.value) / error))
            }
            _ => ("-".into(), "-".into()),
        };
        let lost = exp(ln_pass(&saved, 32, density, reached, 0.5));
        writeln!(text, "| {label} | {replicates} | {} | {ratio} | {apart} | {lost} |", exp(found))?;
    }
    text.push('\n');
    Ok(())
}

/// The studies of one network each.
pub const LADDERS: [&str; 2] = ["ladder-mnist", "ladder-fashion-mnist"];

/// From the tightest to the loosest.
pub const NULLS: [&str; 7] =
    ["joint-degrees", "signed-degrees", "degrees", "in-degrees", "out-degrees", "layer-density", "edges"];

/// The difference with the larger half of its 95 % interval in brackets, in units of 0.001.
fn difference(row: &ComparisonRow) -> String {
    let half = row.low95.zip(row.high95).map(|(low, high)| (row.difference - low).max(high - row.difference));
    let half = half.map_or("-".to_owned(), |half| format!("{:.0}", half * 1e3));
    format!("{:+.3}({half})", row.difference)
}

/// The ladders far above p_c, each of one network.
pub fn ladders(results: &Path) -> Outcome<String> {
    let mut text = String::new();
    for study in LADDERS {
        let rows: Vec<ComparisonRow> = table::read_rows(&results.join(study).join("comparison.csv"))?;
        writeln!(text, "`{study}`\n\n| density | weights | original | {} |", NULLS.join(" | "))?;
        writeln!(text, "|{}", " --- |".repeat(NULLS.len() + 3))?;
        let mut seen: Vec<(f64, &str)> = Vec::new();
        for row in &rows {
            let key = (row.density, row.weights.as_str());
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            let of = |null: &str| {
                let found = rows.iter().find(|row| (row.density, row.weights.as_str()) == key && row.null == null);
                found.ok_or_else(|| format!("{study}: no {null} at {}", key.0))
            };
            let cells = NULLS.iter().map(|null| of(null).map(difference)).collect::<Result<Vec<_>, _>>()?;
            let original = of("degrees")?.original;
            writeln!(text, "| {:.4} | {} | {original:.3} | {} |", key.0, key.1, cells.join(" | "))?;
        }
        text.push('\n');
    }
    Ok(text)
}

fn degrees(text: &mut String, results: &Path) -> Outcome<()> {
    let path = results.join("claim-4-degrees/comparison.csv");
    if !path.is_file() {
        return Ok(());
    }
    let rows: Vec<ComparisonRow> = table::read_rows(&path)?;
    let columns = [&["network", "density", "weights", "original"], &NULLS[..]].concat();
    head(text, "Accuracy of samples less that of their original, near and below p_c", &columns)?;
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for row in &rows {
        let key = (row.checkpoint.as_str(), row.weights.as_str());
        if seen.contains(&key) {
            continue;
        }
        seen.push(key);
        let of = |null: &str| {
            let same = |other: &&ComparisonRow| (other.checkpoint.as_str(), other.weights.as_str()) == key;
            rows.iter().filter(same).find(|other| other.null == null)
        };
        let cells = NULLS.map(|null| of(null).map_or("-".into(), difference));
        let (checkpoint, weights) = key;
        writeln!(
            text,
            "| {checkpoint} | {:.4} | {weights} | {:.3} | {} |",
            row.density,
            row.original,
            cells.join(" | ")
        )?;
    }
    text.push('\n');
    Ok(())
}

fn second_look(text: &mut String, pairs: &Pairs) -> Outcome<()> {
    let columns = ["pair", "what", "density at 1/2", "Lambda at 1/2", "width in ln density"];
    head(text, "A second look: exponents of the number of hidden units", &columns)?;
    for (name, _, saved) in pairs {
        let smallest = saved.widths().first().copied().unwrap_or(0);
        let looks = [
            ("all", saved.only(|_, _| true)),
            ("without the smallest width", saved.only(|width, _| width != smallest)),
            ("even seeds", saved.only(|_, seed| seed % 2 == 0)),
            ("odd seeds", saved.only(|_, seed| seed % 2 == 1)),
        ];
        for (what, look) in &looks {
            let of = |control: usize| {
                exponent_of_ln(&by_size(look, |width| ln_pass(look, width, CONTROLS[control].2, m, 0.5)))
            };
            let wide = exponent(&by_size(look, |width| passes::ln_width(look, width, |row| row.density)));
            writeln!(text, "| {name} | {what} | {} | {} | {} |", both(of(0)), both(of(3)), both(wide))?;
        }
    }
    text.push('\n');
    Ok(())
}

fn spent(text: &mut String, results: &Path) -> Outcome<()> {
    head(text, "Thread-hours spent, on two cores shared with other work", &["study", "version", "seeds", "hours"])?;
    let mut total = 0.0;
    let studies = PAIRS.iter().chain(&PROTOCOLS).map(|(_, study)| *study).chain(["claim-4-degrees"]);
    for study in studies {
        let Some(manifest) = fit(results, study, "manifest.json")? else { continue };
        let hours = manifest["thread_hours"].as_f64().unwrap_or(f64::NAN);
        total += hours;
        let seeds = manifest["seeds"].as_array().map_or(0, Vec::len);
        let version = manifest["prunephase"].as_str().unwrap_or("-");
        writeln!(text, "| {study} | {version} | {seeds} | {hours:.2} |")?;
    }
    writeln!(text, "| all | | | {total:.2} |\n")?;
    Ok(())
}
