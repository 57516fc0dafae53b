//! Every number that analysis/README.md quotes, as its tables; here where function and graph are lost, and how that
//! goes with the size.

use std::fmt::Write;
use std::path::Path;

use prunephase::scaling::GrowthFit;

use super::passes::{Measured, exponent, exponent_of_ln, ln_pass, ln_width, m};
use super::saved::{Graph, Outcome, Row, Saved};
use super::universality::joint;
use super::{degrees, fits, protocols, second_look};

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

/// What a control is called, its column, and its value in a row.
pub type Control = (&'static str, &'static str, fn(&Row) -> f64);

pub const CONTROLS: [Control; 4] = [
    ("density", "density", |row| row.density),
    ("kept edges", "kept", |row| row.kept as f64),
    ("mean degree", "mean_degree", |row| row.mean_degree),
    ("Lambda", "lambda", |row| row.lambda.unwrap_or(f64::NAN)),
];

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
    fits::crossings(&mut text, results, &saved)?;
    coincidence(&mut text, &saved)?;
    fits::rivals(&mut text, results, &saved)?;
    fits::collapses(&mut text, results, &saved)?;
    fits::one_class(&mut text, results, &saved)?;
    same_growth(&mut text, &saved)?;
    degrees::over_networks(&mut text, results)?;
    protocols::table(&mut text, results)?;
    second_look::exponents(&mut text, &saved)?;
    second_look::rivals(&mut text, results, &saved)?;
    second_look::collapses(&mut text, results, &saved)?;
    spent(&mut text, results)?;
    Ok(text)
}

/// The pairs that are saved: label, study, rows.
pub type Pairs = [(&'static str, &'static str, Saved)];

/// The head of a table.
pub fn head(text: &mut String, title: &str, columns: &[&str]) -> std::fmt::Result {
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
pub fn exp(of: Option<Measured>) -> String {
    of.map_or("-".into(), |of| bracket(of.value.exp(), of.value.exp() * of.error))
}

pub fn plain(of: Option<Measured>) -> String {
    of.map_or("-".into(), |of| bracket(of.value, of.error))
}

/// An exponent with its statistical and systematic error.
pub fn both(of: Option<GrowthFit>) -> String {
    of.map_or("-".into(), |of| format!("{:+.2} +- {:.2} +- {:.2}", of.exponent, of.statistical, of.systematic))
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
            let wide = plain(ln_width(saved, width, |row| row.density, [0.75, 0.25]));
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
pub fn by_size(saved: &Saved, of: impl Fn(usize) -> Option<Measured>) -> Vec<(f64, Measured)> {
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
            cells.push(both(exponent(&by_size(saved, |width| ln_width(saved, width, of, [0.75, 0.25])))));
        }
        cells.push(both(exponent(&fits::peaks(results, study)?)));
        writeln!(text, "| {name} | {} |", cells.join(" | "))?;
    }
    text.push('\n');
    Ok(())
}

/// Whether the exponents of the pairs, without any fit of a law of m, are the same.
fn same_growth(text: &mut String, pairs: &Pairs) -> Outcome<()> {
    let columns = ["exponent of", "pairs", "joint", "chi-square", "p"];
    head(text, "Are the model-free exponents of all pairs the same?", &columns)?;
    let at_half = |saved: &Saved, control: usize| {
        exponent_of_ln(&by_size(saved, |width| ln_pass(saved, width, CONTROLS[control].2, m, 0.5)))
    };
    let wide = |saved: &Saved, control: usize| {
        exponent(&by_size(saved, |width| ln_width(saved, width, CONTROLS[control].2, [0.75, 0.25])))
    };
    type Growth<'f> = (&'static str, &'f dyn Fn(&Saved) -> Option<GrowthFit>);
    let kinds: [Growth<'_>; 5] = [
        ("density at 1/2", &|saved| at_half(saved, 0)),
        ("kept edges at 1/2", &|saved| at_half(saved, 1)),
        ("Lambda at 1/2", &|saved| at_half(saved, 3)),
        ("width in ln density", &|saved| wide(saved, 0)),
        ("width in ln Lambda", &|saved| wide(saved, 3)),
    ];
    for (label, of) in kinds {
        let found: Vec<Measured> = pairs
            .iter()
            .filter_map(|(_, _, saved)| of(saved))
            .map(|fit| Measured { value: fit.exponent, error: fit.total() })
            .collect();
        let Some(same) = joint(&found) else { continue };
        let number = bracket(same.joint.value, same.joint.error);
        let degrees = found.len() - 1;
        let (chi_square, chance) = (same.chi_square, same.chance);
        writeln!(text, "| {label} | {} | {number} | {chi_square:.1} at {degrees} | {chance:.3} |", found.len())?;
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

fn spent(text: &mut String, results: &Path) -> Outcome<()> {
    head(text, "Thread-hours spent, on two cores shared with other work", &["study", "version", "seeds", "hours"])?;
    let mut total = 0.0;
    let studies = PAIRS.iter().chain(&protocols::PROTOCOLS).map(|(_, study)| *study).chain(["claim-4-degrees"]);
    for study in studies {
        let Some(manifest) = fits::file(results, study, "manifest.json")? else { continue };
        let hours = manifest["thread_hours"].as_f64().unwrap_or(f64::NAN);
        total += hours;
        let seeds = manifest["seeds"].as_array().map_or(0, Vec::len);
        let version = manifest["prunephase"].as_str().unwrap_or("-");
        writeln!(text, "| {study} | {version} | {seeds} | {hours:.2} |")?;
    }
    writeln!(text, "| all | | | {total:.2} |\n")?;
    Ok(())
}
