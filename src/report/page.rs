//! The page from its template.

use minijinja::{AutoEscape, Environment, context, value::Serde};
use serde::Serialize;
use serde_json::Value;

use super::run::Run;
use super::{ReportError, fits, tables, verdict, warnings};
use crate::figure::{self, FigureError, Kind, Style};

const TEMPLATE: &str = include_str!("page.html");
const CSS: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// CSS pixels a millimetre: figures are shown half as large again as in print.
const PIXELS_PER_MILLIMETRE: f64 = 1.5 * 96.0 / 25.4;
/// The widest figure that a phone shows as it is, in millimetres; others are drawn for it once more.
const NARROW: f64 = 100.0;
const NARROW_PRESET: &str = "one-column";

#[derive(Serialize)]
struct Shape {
    svg: String,
    /// The largest width, in CSS pixels.
    width: u32,
    /// The width on paper, in millimetres.
    print: f64,
    /// `both`, `wide` or `narrow`: the screens that show it.
    screens: &'static str,
}

#[derive(Serialize)]
struct Figure {
    name: &'static str,
    description: String,
    shapes: Vec<Shape>,
}

/// The page about a run.
pub(super) fn render(run: &Run, style: &Style) -> Result<String, ReportError> {
    let levels = tables::levels(run)?;
    let verdicts = verdict::verdicts(run, &levels)?;
    let warnings = warnings::warnings(run)?;
    let (figures, missing) = figures(run, style)?;
    let tables: Vec<tables::Shown> =
        [fits::table(&run.fits), tables::levels_table(&levels), tables::comparison_table(run)?]
            .into_iter()
            .flatten()
            .collect();
    let mut protocol = Vec::new();
    if let Some(study) = &run.study {
        flatten("", study, &mut protocol);
    }
    let mut versions = vec![("report made by prunephase".to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
    if let Some(Value::Object(manifest)) = &run.manifest {
        // The study has a section of its own, and checkpoints have too many checksums for a page.
        for (key, value) in manifest.iter().filter(|(key, _)| !["study", "checksums"].contains(&key.as_str())) {
            flatten(key, value, &mut versions);
        }
    }
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let failed = |error: minijinja::Error| ReportError::Page(error.to_string());
    environment.add_template("page", TEMPLATE).map_err(failed)?;
    let page = environment.get_template("page").map_err(failed)?;
    page.render(context! {
        name => run.name(),
        fonts => figure::font_faces(),
        css => CSS,
        script => SCRIPT,
        verdicts => Serde(&verdicts),
        warnings => Serde(&warnings),
        figures => Serde(&figures),
        missing => Serde(&missing),
        tables => Serde(&tables),
        protocol => Serde(&protocol),
        versions => Serde(&versions),
        checksums => Serde(&run.checksums()?),
        version => env!("CARGO_PKG_VERSION"),
    })
    .map_err(failed)
}

/// Figures that could not be drawn, and what they lack.
type Lacking = Vec<(String, String)>;

/// The figures that the folder allows, and what the others lack.
fn figures(run: &Run, style: &Style) -> Result<(Vec<Figure>, Lacking), ReportError> {
    let narrow = style.clone().with_preset(NARROW_PRESET).ok();
    let (mut figures, mut missing) = (Vec::new(), Vec::new());
    for kind in Kind::ALL {
        let own = match figure::embed(kind, &run.folder, style) {
            Ok(own) => own,
            Err(FigureError::Missing { missing: lacks, .. }) => {
                missing.push((kind.to_string(), lacks));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let shape = |embedded: &figure::Embedded, screens| Shape {
            svg: embedded.svg.clone(),
            width: (embedded.width_mm * PIXELS_PER_MILLIMETRE).round() as u32,
            print: embedded.width_mm,
            screens,
        };
        let shapes = match narrow.as_ref().filter(|_| own.width_mm > NARROW) {
            None => vec![shape(&own, "both")],
            Some(narrow) => {
                vec![shape(&own, "wide"), shape(&figure::embed(kind, &run.folder, narrow)?, "narrow")]
            }
        };
        figures.push(Figure { name: kind.name(), description: own.description, shapes });
    }
    Ok((figures, missing))
}

/// Every value of an object with its dotted name.
fn flatten(name: &str, value: &Value, rows: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(&name, value, rows);
            }
        }
        Value::Null => {}
        Value::Array(values) => {
            let texts: Vec<String> = values.iter().map(plain).collect();
            rows.push((name.to_owned(), texts.join(", ")));
        }
        other => rows.push((name.to_owned(), plain(other))),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
