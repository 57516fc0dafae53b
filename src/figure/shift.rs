//! Pseudo-critical points against size, with the law of their shift.

use super::axis::{Axis, Spacing};
use super::critical::{self, Criticals};
use super::error::FigureError;
use super::figure_of::Figure;
use super::fits::axis_name;
use super::kind::Kind;
use super::page::Page;
use super::panel::{Inner, Panel};
use super::series::{Joined, Key, Look, Point, Series};
use super::sources::Sources;
use super::style::{Preset, Style};
use super::text::Rich;

/// The inner panel: its width in that of the outer one, and its height in that of the preset.
const INNER: (f64, f64) = (0.36, 0.42);

/// Draws the figure.
pub(super) fn draw(sources: &Sources, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    let missing = || FigureError::Missing { figure: Kind::Shift.name(), missing: "no peaks and no crossings".into() };
    let json = sources.fit.as_ref().ok_or_else(missing)?;
    let (fit, provenance): (Criticals, _) = json.json()?;
    if fit.points().is_empty() {
        let reason = "it holds no peak and no crossing".to_owned();
        return Err(FigureError::NoPoints { path: json.path().to_path_buf(), reason });
    }
    let data = Look::of(style, 0).points();
    let name = if fit.of_peaks() { "peak" } else { "crossing" };
    let points: Vec<Point> =
        fit.points().iter().map(|one| Point::with_error(one.size, one.control, Some(one.error), 1)).collect();
    let data = Series::new("control", name, data, points);
    let sizes = Axis::covering(Spacing::Log, data.points.iter().map(|point| point.x), 0.06);
    let mut series = Vec::new();
    let law = Look { colour: style.colour(1), weight: 1.3, ..Look::of(style, 1).line() };
    if let Some(limit) = fit.extrapolated {
        let points = critical::along(&sizes, 80).into_iter().map(|size| Point::new(size, limit.at(size)));
        series.push(Series::new("law", "p_c + c L^-w", law, points.collect()));
    }
    series.push(data);
    // The limit is part of what is shown.
    let limit = fit.extrapolated.map(|limit| [limit.p_c - limit.error, limit.p_c + limit.error]);
    let heights: Vec<f64> = series
        .iter()
        .flat_map(|series| &series.points)
        .flat_map(Point::heights)
        .chain(limit.into_iter().flatten())
        .collect();
    let smallest = heights.iter().copied().fold(f64::INFINITY, f64::min);
    let spacing =
        if smallest > 0.0 { super::susceptibility::spacing_of(heights.iter().copied()) } else { Spacing::Linear };
    let y = Axis::covering(spacing, heights, 0.07);
    let label = axis_name(fit.control.as_ref(), "control").then(Rich::plain(format!(" at the {name}")));
    let mut panel = Panel::new(preset.panel_height * 1.5, Rich::parse("size *L*"), label, sizes, y);
    panel.horizontals = fit.extrapolated.iter().map(|limit| limit.p_c).collect();
    panel.keys = vec![Key { text: Rich::plain(name), look: Look::of(style, 0).points() }];
    if let Some(limit) = fit.extrapolated {
        panel.keys.push(Key { text: Rich::parse("*p*_c + *c* *L*^{−*w*}"), look: law });
        let dashed = Look { colour: style.colours.light, weight: 0.6, joined: Joined::Dashed, ..law };
        panel.keys.push(Key { text: Rich::parse("*p*_c"), look: dashed });
        panel.inner = inner(&fit, limit, style, preset);
    }
    panel.notes = fit.notes(style);
    panel.series = series;
    let page = Page::of(vec![panel], 1);
    let description = "The pseudo-critical points against the size (of a pair of sizes their geometric mean) with \
        standard errors, the fitted law p_c + c L^-w and its limit p_c (dashed); inside, the distance from p_c, both in \
        logarithms.";
    Ok(Figure::of(Kind::Shift, page, vec![provenance], description))
}

/// The distance from the limit in logarithms.
fn inner(fit: &Criticals, limit: critical::Limit, style: &Style, preset: &Preset) -> Option<Box<Inner>> {
    let points: Vec<Point> = fit
        .points()
        .iter()
        .map(|one| Point::with_error(one.size, (one.control - limit.p_c).abs(), Some(one.error), 1))
        .filter(|point| point.y > 0.0)
        .collect();
    if points.len() < 2 {
        return None;
    }
    let small = Look { size: 0.8, ..Look::of(style, 0).points() };
    let data = Series::new("distance from p_c", "", small, points);
    let (x, y) = Panel::axes_of(std::slice::from_ref(&data), Spacing::Log, Spacing::Log);
    let law = Look { colour: style.colour(1), ..Look::of(style, 1).line() };
    let along = critical::along(&x, 20).into_iter().map(|size| Point::new(size, (limit.at(size) - limit.p_c).abs()));
    let line = Series::new("law", "c L^-w", law, along.collect());
    let mut panel = Panel::new(preset.panel_height * INNER.1, Rich::parse("*L*"), Rich::parse("|shift|"), x, y);
    panel.series = vec![line, data];
    Some(Box::new(Inner { panel, width: INNER.0 }))
}
