//! Where curves of neighbouring sizes cross, and where that goes as the size grows.

use super::axis::{Axis, Spacing};
use super::critical::{self, Criticals};
use super::error::FigureError;
use super::figure_of::Figure;
use super::fits::axis_name;
use super::kind::Kind;
use super::page::Page;
use super::panel::Panel;
use super::series::{Key, Look, Point, Series};
use super::sources::Sources;
use super::style::{Preset, Style};
use super::susceptibility::spacing_of;
use super::text::Rich;

/// Draws the figure.
pub(super) fn draw(sources: &Sources, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    let (table, json) = sources.fitted(Kind::Crossings)?;
    let (fit, fit_provenance): (Criticals, _) = json.json()?;
    let input = table.table()?;
    let found = critical::curves(&input, "value", style)?;
    if fit.points().is_empty() {
        let reason = "it holds no crossing".to_owned();
        return Err(FigureError::NoPoints { path: json.path().to_path_buf(), reason });
    }
    let control = axis_name(fit.control.as_ref(), "control *p*");
    let marked = critical::mark(style);
    let mut legend = critical::legend(&found);
    legend.push(Key { text: Rich::plain("crossing"), look: marked });
    let mut series: Vec<Series> = found.into_iter().map(|(_, series)| series).collect();
    let marks =
        fit.points().iter().map(|one| Point::with_error(one.control, one.value, Some(one.value_error), 1)).collect();
    series.push(Series::new("crossing", "crossing", marked, marks));
    let spacing = spacing_of(series.iter().flat_map(|series| &series.points).map(|point| point.x));
    let (x, y) = Panel::axes_of(&series, spacing, Spacing::Linear);
    let mut main = Panel::new(preset.panel_height, control.clone(), axis_name(fit.value.as_ref(), "value"), x, y);
    main.verticals = fit.extrapolated.iter().map(|limit| limit.p_c).collect();
    main.series = series;

    let mut page = Page::of(vec![main, limit(&fit, control, style, preset)], preset.columns);
    page.legend = legend;
    let description = "The value of each size against the control, with the crossings of neighbouring sizes (a), and \
        the controls of the crossings against L^-w, L the geometric mean of both sizes, with the fitted line and its \
        limit p_c at 0 (b). Bars are standard errors; the dashed line is p_c. Where no limit was found, w is 1.";
    Ok(Figure::of(Kind::Crossings, page, vec![fit_provenance, input.provenance], description))
}

fn limit(fit: &Criticals, control: Rich, style: &Style, preset: &Preset) -> Panel {
    let w = fit.extrapolated.map_or(1.0, |limit| limit.w);
    let place = |size: f64| size.powf(-w);
    let points: Vec<Point> =
        fit.points().iter().map(|one| Point::with_error(place(one.size), one.control, Some(one.error), 1)).collect();
    let end = points.iter().map(|point| point.x).fold(0.0, f64::max) * 1.1;
    let mut series = Vec::new();
    let mut keys = vec![Key { text: Rich::plain("crossing"), look: critical::mark(style) }];
    if let Some(limit) = fit.extrapolated {
        let line = Look { colour: style.colour(1), weight: 1.3, ..Look::of(style, 1).line() };
        let law = [Point::new(0.0, limit.p_c), Point::new(end, limit.p_c + limit.c * end)];
        series.push(Series::new("law", "p_c + c L^-w", line, law.to_vec()));
        let at_zero = Look { colour: style.colour(2), size: 1.35, ..Look::of(style, 2).points() };
        let p_c = Point::with_error(0.0, limit.p_c, Some(limit.error), 1);
        series.push(Series::new("limit", "p_c", at_zero, vec![p_c]));
        keys.push(Key { text: Rich::parse("*p*_c"), look: at_zero });
    }
    series.push(Series::new("control", "crossing", critical::mark(style), points));
    let x = Axis::covering(Spacing::Linear, [0.0, end], 0.05);
    let heights = series.iter().flat_map(|series| &series.points).flat_map(Point::heights);
    let y = Axis::covering(Spacing::Linear, heights, 0.09);
    let label = if fit.extrapolated.is_some() { "*L*^{−*w*}" } else { "1/*L*" };
    let name = control.then(Rich::plain(" of the crossing"));
    let mut panel = Panel::new(preset.panel_height, Rich::parse(label), name, x, y);
    panel.series = series;
    panel.keys = keys;
    panel.notes = fit.notes(style);
    panel
}
