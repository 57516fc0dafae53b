//! Figures to be set into a page of HTML, with the values of their points.

use std::path::Path;

use super::canvas::PER_POINT;
use super::{Composed, FigureError, Kind, Style, compose, export, failed};

/// How near to a point of a curve a pointer must come, in points.
const REACH: f64 = 5.0;

/// A figure as SVG for a page of HTML. Its fonts are those of [`font_faces`], once a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// The kind.
    pub kind: Kind,
    /// What it shows.
    pub description: String,
    /// The `svg` element. It has no width: the page gives it one. Each point of a curve is a `circle` of class
    /// `spot` without colour whose `data-v` holds its values in words.
    pub svg: String,
    /// The width it is drawn for, in millimetres.
    pub width_mm: f64,
}

/// The bundled fonts as CSS, as data: no request leaves a page that holds them.
pub fn font_faces() -> String {
    export::font_faces().concat()
}

/// Draws a figure from a run folder, or from one table, for a page of HTML.
///
/// ```
/// use prunephase::figure::{self, Kind, Style};
/// let run = std::path::Path::new("fixtures/figure/run");
/// let figure = figure::embed(Kind::Retraining, run, &Style::bundled())?;
/// assert!(figure.svg.starts_with("<svg ") && figure.svg.contains("class=\"spot\""));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As of [`draw`](super::draw).
pub fn embed(kind: Kind, source: &Path, style: &Style) -> Result<Embedded, FigureError> {
    let Composed { figure, drawn, scale, .. } = compose(kind, source, style)?;
    let pixels = |points: f64| (points * PER_POINT).round();
    let body = export::body(&drawn).map_err(failed(kind, "svg"))?;
    let body = body.trim_end().trim_end_matches("</svg>");
    let mut svg = format!(
        "<svg viewBox=\"0 0 {} {}\" stroke-linejoin=\"round\" role=\"img\" aria-label=\"{}\" \
         xmlns=\"http://www.w3.org/2000/svg\">{body}<g fill=\"none\" stroke=\"none\">",
        pixels(drawn.width),
        pixels(drawn.height),
        export::escaped(&figure.description).replace('"', "&quot;"),
    );
    for spot in &drawn.spots {
        svg += &format!(
            "<circle class=\"spot\" cx=\"{}\" cy=\"{}\" r=\"{}\" data-v=\"{}\"/>",
            pixels(spot.at.0),
            pixels(spot.at.1),
            pixels(REACH),
            export::escaped(&spot.says).replace('"', "&quot;"),
        );
    }
    svg += "</g></svg>";
    let width_mm = drawn.width * scale * 25.4 / 72.0;
    Ok(Embedded { kind, description: figure.description, svg, width_mm })
}
