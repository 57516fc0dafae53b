//! A susceptibility of each size with its peaks, and how the peaks grow.

use super::axis::{Axis, Spacing};
use super::critical::{self, Criticals};
use super::curves::curves;
use super::error::FigureError;
use super::figure_of::Figure;
use super::fits::axis_name;
use super::input::Found;
use super::kind::Kind;
use super::page::Page;
use super::panel::Panel;
use super::series::{Joined, Key, Look, Point, Series};
use super::sources::Sources;
use super::style::{Preset, Style};
use super::text::Rich;

/// Above this ratio of the largest control to the smallest, controls stand on a logarithmic axis.
pub(super) const LOG_FROM: f64 = 20.0;

/// Draws the figure, from the peaks that `fit` found, or from the table of percolation alone.
pub(super) fn draw(sources: &Sources, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    match &sources.percolation {
        Some(found) => of_percolation(found, style, preset),
        None => of_peaks(sources, style, preset),
    }
}

fn of_peaks(sources: &Sources, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    let (table, json) = sources.fitted(Kind::Susceptibility)?;
    let (fit, fit_provenance): (Criticals, _) = json.json()?;
    let input = table.table()?;
    let found = critical::curves(&input, "value", style)?;
    let peaks: Vec<(f64, Point)> = fit
        .points()
        .iter()
        .map(|peak| (peak.size, Point::with_error(peak.control, peak.value, Some(peak.value_error), 1)))
        .collect();
    let mut names = [axis_name(fit.control.as_ref(), "control *p*"), axis_name(fit.value.as_ref(), "value")];
    let mut legend = critical::legend(&found);
    legend.push(Key { text: Rich::plain("peak"), look: critical::mark(style) });
    let curves = found.into_iter().map(|(_, series)| series).collect();
    let mut panels = panels(curves, &peaks, &mut names, "*L*", style, preset);
    if let (Some(limit), Some(panel)) = (fit.extrapolated, panels.first_mut()) {
        panel.verticals = vec![limit.p_c];
        let look = Look {
            colour: style.colours.light,
            weight: 0.6,
            joined: Joined::Dashed,
            shape: None,
            ..Look::of(style, 0)
        };
        legend.push(Key { text: Rich::parse("*p*_c"), look });
    }
    let mut page = Page::of(panels, preset.columns);
    page.legend = legend;
    let description = "The susceptibility of each size against the control with its peak (a), and the heights of the \
        peaks against the size, both in logarithms (b). Bars are standard errors; the dashed line is the limit of the \
        peaks for large sizes, where one was found.";
    Ok(Figure::of(Kind::Susceptibility, page, vec![fit_provenance, input.provenance], description))
}

fn of_percolation(found: &Found, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    let input = found.table()?;
    let (density, chi) = (input.table.numbers("density")?, input.table.optional_numbers("chi")?);
    let all = curves(&input.table)?;
    let (found, most) = (all.len(), style.curves());
    if found > most {
        return Err(FigureError::TooManyCurves { path: input.table.path().to_path_buf(), found, most });
    }
    let keys: Vec<_> = all.iter().map(|curve| curve.key.clone()).collect();
    let mut legend = Vec::new();
    let mut series = Vec::new();
    let mut peaks = Vec::new();
    for (index, curve) in all.iter().enumerate() {
        let points = curve.averaged(&density, &chi);
        let highest = points.iter().max_by(|one, other| one.y.total_cmp(&other.y));
        peaks.extend(highest.filter(|point| point.y > 0.0).map(|&point| (curve.key.width.unwrap_or(1.0), point)));
        series.push(Series::new("chi", curve.key.name(), Look::of(style, index), points));
        legend.push(Key { text: curve.key.label(&keys), look: Look::of(style, index) });
    }
    legend.push(Key { text: Rich::plain("largest mean"), look: critical::mark(style) });
    let mut names = [Rich::plain("density"), Rich::parse("*χ*")];
    let mut page = Page::of(panels(series, &peaks, &mut names, "*W*", style, preset), preset.columns);
    page.legend = legend;
    let description = "chi of each width against density, means over replicates with standard errors, and its largest \
        mean (a); these against the width, both in logarithms (b).";
    Ok(Figure::of(Kind::Susceptibility, page, vec![input.provenance], description))
}

fn panels(
    mut curves: Vec<Series>,
    peaks: &[(f64, Point)],
    names: &mut [Rich; 2],
    size: &str,
    style: &Style,
    preset: &Preset,
) -> Vec<Panel> {
    let marked = critical::mark(style);
    curves.push(Series::new("peak", "peak", marked, peaks.iter().map(|&(_, point)| point).collect()));
    let spacing = spacing_of(curves.iter().flat_map(|series| &series.points).map(|point| point.x));
    let (x, y) = Panel::axes_of(&curves, spacing, Spacing::Linear);
    let [control, value] = names.clone();
    let mut main = Panel::new(preset.panel_height, control, value.clone(), x, y);
    main.series = curves;
    let heights: Vec<Point> = peaks.iter().map(|&(size, point)| Point { x: size, ..point }).collect();
    let mut panels = vec![main];
    let apart = heights.iter().any(|point| point.x != heights[0].x);
    if apart {
        let series = vec![Series::new("height of the peak", "", marked, heights)];
        let (x, y) = Panel::axes_of(&series, Spacing::Log, Spacing::Log);
        let name = value.then(Rich::plain(" at the peak"));
        let mut growth = Panel::new(preset.panel_height, Rich::parse(size), name, x, y);
        growth.series = series;
        panels.push(growth);
    }
    panels
}

/// Logarithmic for controls over a wide range.
pub(super) fn spacing_of(controls: impl Iterator<Item = f64>) -> Spacing {
    let axis = Axis::covering(Spacing::Linear, controls.filter(|&control| control > 0.0), 0.0);
    if axis.high > LOG_FROM * axis.low { Spacing::Log } else { Spacing::Linear }
}
