//! How the numbers of analysis/README.md move with other seeds, sizes and windows.

use std::fmt::Write;
use std::path::Path;

use prunephase::table;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fits;
use super::passes::{exponent, exponent_of_ln, ln_pass, ln_width, m};
use super::saved::{Outcome, Saved};
use super::tables::{CONTROLS, Pairs, both, by_size, head};

/// One collapse of a second look: look-collapses.csv.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CollapseLook {
    pub look: String,
    pub control: String,
    pub inv_nu: Option<f64>,
    /// All errors.
    pub inv_nu_error: Option<f64>,
    pub kappa_over_nu: Option<f64>,
    pub kappa_over_nu_error: Option<f64>,
    pub quality: Option<f64>,
    pub reliable: bool,
}

/// The rival laws of one width in a second look: look-rivals.csv.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RivalsLook {
    pub look: String,
    pub width: usize,
    pub best: String,
    pub power_law: f64,
    /// Of the logistic and Rosenfeld's law together.
    pub smooth: f64,
}

pub const EVEN: &str = "even seeds";
pub const ODD: &str = "odd seeds";
pub const WITHOUT: &str = "without the smallest width";
pub const HALF: &str = "half the window";

/// The looks at a study: name and the rows that are left.
pub fn looks(saved: &Saved) -> [(&'static str, Saved); 3] {
    let smallest = saved.widths().first().copied().unwrap_or(0);
    [
        (WITHOUT, saved.only(|width, _| width != smallest)),
        (EVEN, saved.only(|_, seed| seed % 2 == 0)),
        (ODD, saved.only(|_, seed| seed % 2 == 1)),
    ]
}

/// Where m is passed, and between which values its width is taken: first as everywhere else, then elsewhere.
const WINDOWS: [(&str, f64, [f64; 2]); 3] = [
    ("all", 0.5, [0.75, 0.25]),
    ("at m = 0.7, width from 0.9 to 0.5", 0.7, [0.9, 0.5]),
    ("at m = 0.3, width from 0.5 to 0.1", 0.3, [0.5, 0.1]),
];

/// The exponents of the number of hidden units.
pub fn exponents(text: &mut String, pairs: &Pairs) -> Outcome<()> {
    let columns = ["pair", "what", "density at 1/2", "Lambda at 1/2", "width in ln density"];
    head(text, "A second look: exponents of the number of hidden units", &columns)?;
    for (name, _, saved) in pairs {
        let mut row = |what: &str, look: &Saved, (level, width): (f64, [f64; 2])| {
            let of = |control: usize| {
                exponent_of_ln(&by_size(look, |size| ln_pass(look, size, CONTROLS[control].2, m, level)))
            };
            let wide = exponent(&by_size(look, |size| ln_width(look, size, |row| row.density, width)));
            writeln!(text, "| {name} | {what} | {} | {} | {} |", both(of(0)), both(of(3)), both(wide))
        };
        for (what, level, width) in WINDOWS {
            row(what, saved, (level, width))?;
        }
        for (what, look) in &looks(saved) {
            row(what, look, (WINDOWS[0].1, WINDOWS[0].2))?;
        }
    }
    text.push('\n');
    Ok(())
}

/// The weights of the laws.
pub fn rivals(text: &mut String, results: &Path, pairs: &Pairs) -> Outcome<()> {
    let columns = [
        "pair",
        "W",
        "smooth laws",
        "even seeds",
        "odd seeds",
        "ranges with a smooth law best",
        "power law",
        "even seeds",
        "odd seeds",
        "most on any range",
    ];
    let title = "A second look: AICc weights of the smooth laws (logistic and Rosenfeld's) and of the power law";
    head(text, title, &columns)?;
    for (name, study, _) in pairs {
        let path = results.join(study).join("look-rivals.csv");
        let Some(json) = fits::file(results, study, "fit.json")?.filter(|_| path.is_file()) else { continue };
        let looked: Vec<RivalsLook> = table::read_rows(&path)?;
        for size in json["sizes"].as_array().into_iter().flatten() {
            let Some(width) = size["size"].as_f64() else { continue };
            let other = |look: &str, of: fn(&RivalsLook) -> f64| {
                let found = looked.iter().find(|row| row.look == look && row.width as f64 == width);
                found.map_or("-".into(), |row| format!("{:.3}", of(row)))
            };
            let ranges: Vec<&Value> = size["ranges"].as_array().into_iter().flatten().collect();
            let smooth = ranges.iter().filter(|range| range["best"] == "logistic" || range["best"] == "rosenfeld");
            let on_range = |range: &&Value| range["weights"]["power_law"].as_f64();
            let most = ranges.iter().filter_map(on_range).fold(0.0, f64::max);
            writeln!(
                text,
                "| {name} | {width} | {:.3} | {} | {} | {} of {} | {:.3} | {} | {} | {most:.3} |",
                fits::weight(size, "logistic") + fits::weight(size, "rosenfeld"),
                other(EVEN, |row| row.smooth),
                other(ODD, |row| row.smooth),
                smooth.count(),
                ranges.len(),
                fits::weight(size, "power_law"),
                other(EVEN, |row| row.power_law),
                other(ODD, |row| row.power_law),
            )?;
        }
    }
    text.push('\n');
    Ok(())
}

/// 1/nu of the collapses, with all errors; in italics where it is not reliable.
pub fn collapses(text: &mut String, results: &Path, pairs: &Pairs) -> Outcome<()> {
    let columns = ["pair", "control", "all", WITHOUT, EVEN, ODD, HALF];
    head(text, "A second look: 1/nu of the collapses (in italics: not reliable)", &columns)?;
    let shown = |value: Option<f64>, error: Option<f64>, reliable: bool| match value.zip(error) {
        None => "-".into(),
        Some((value, error)) if reliable => format!("{value:.2} +- {error:.2}"),
        Some((value, error)) => format!("*{value:.2} +- {error:.2}*"),
    };
    for (name, study, _) in pairs {
        let path = results.join(study).join("look-collapses.csv");
        if !path.is_file() {
            continue;
        }
        let looked: Vec<CollapseLook> = table::read_rows(&path)?;
        for (label, column, _) in CONTROLS {
            let Some(json) = fits::file(results, study, &format!("collapse-{column}.json"))? else { continue };
            let number = |part: &str| json["inv_nu"][part].as_f64();
            let error = number("statistical").zip(number("systematic")).map(|(one, other)| one.hypot(other));
            let all = shown(number("value"), error, json["reliable"].as_bool().unwrap_or(false));
            let cell = |look: &str| {
                let found = looked.iter().find(|row| row.look == look && row.control == column);
                found.map_or("-".into(), |row| shown(row.inv_nu, row.inv_nu_error, row.reliable))
            };
            let cells = [WITHOUT, EVEN, ODD, HALF].map(cell);
            writeln!(text, "| {name} | {label} | {all} | {} |", cells.join(" | "))?;
        }
    }
    text.push('\n');
    Ok(())
}
