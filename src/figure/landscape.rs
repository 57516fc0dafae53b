//! The quality of a collapse about its optimum, with the cloud of resamples.

use super::axis::{Axis, Spacing};
use super::error::FigureError;
use super::figure_of::Figure;
use super::fits::{Collapse, UNRELIABLE};
use super::kind::Kind;
use super::map::{Cell, Map, edges};
use super::page::Page;
use super::panel::Panel;
use super::series::{Key, Look, Point, Series};
use super::sources::Sources;
use super::style::{Preset, Style};
use super::text::Rich;

/// The scale ends at so many times the lowest S, where the grid reaches that far.
const MOST: f64 = 100.0;
/// S is shown where the window holds this share of the points that it holds at the fit.
const FEWEST: f64 = 0.5;

fn distinct(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    sorted
}

/// Draws the figure.
pub(super) fn draw(sources: &Sources, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    let (table, json) = sources.fitted(Kind::Landscape)?;
    let (fit, fit_provenance): (Collapse, _) = json.json()?;
    let input = table.table()?;
    let (p_c, inv_nu) = (input.table.numbers("p_c")?, input.table.numbers("inv_nu")?);
    let quality = input.table.optional_numbers("quality")?;
    let (across, up) = (distinct(&p_c), distinct(&inv_nu));
    let (sides, heights) = (edges(&across, Spacing::Linear), edges(&up, Spacing::Linear));
    // Far from the fit a window may hold a few points, on which S can be as small as it likes.
    let points = if input.table.has("points") { input.table.numbers("points")? } else { vec![1.0; p_c.len()] };
    let away = |row: &usize| {
        let share =
            |at: f64, fit: f64, all: &[f64]| (at - fit).abs() / (all[all.len() - 1] - all[0]).max(f64::MIN_POSITIVE);
        share(p_c[*row], fit.p_c.value, &across).hypot(share(inv_nu[*row], fit.inv_nu.value, &up))
    };
    let nearest = (0..p_c.len()).min_by(|a, b| away(a).total_cmp(&away(b)));
    let fewest = nearest.map_or(0.0, |row| points[row] * FEWEST);
    let place = |values: &[f64], value: f64| values.partition_point(|&other| other < value);
    let cells: Vec<Cell> = (0..p_c.len())
        .filter(|&row| points[row] >= fewest)
        .filter_map(|row| {
            let (column, line) = (place(&across, p_c[row]), place(&up, inv_nu[row]));
            let value = quality[row].filter(|&quality| quality > 0.0)?;
            let (x, y) = ((sides[column], sides[column + 1]), (heights[line], heights[line + 1]));
            Some(Cell { x, y, at: (p_c[row], inv_nu[row]), value })
        })
        .collect();
    if cells.is_empty() {
        let reason = "no S above 0".to_owned();
        return Err(FigureError::NoPoints { path: input.table.path().to_path_buf(), reason });
    }
    let cloud = sources.more.as_ref().map(|found| found.table()).transpose()?;
    let small = Look { colour: style.colours.paper, size: 0.45, ..Look::of(style, 0).points() };
    let mut series = Vec::new();
    if let Some(cloud) = &cloud {
        let (x, y) = (cloud.table.numbers("p_c")?, cloud.table.numbers("inv_nu")?);
        let points = x.into_iter().zip(y).map(|(x, y)| Point::new(x, y)).collect();
        series.push(Series::new("resample", "1/nu of the p_c x", small, points));
    }
    let bars = fit.inv_nu.statistical.unwrap_or(0.0).hypot(fit.inv_nu.systematic.unwrap_or(0.0));
    let best = Look { size: 0.9, ..Look::of(style, 1).points() };
    let optimum = Point::with_error(fit.p_c.value, fit.inv_nu.value, Some(bars), 1);
    let half = fit.p_c.statistical.unwrap_or(0.0).hypot(fit.p_c.systematic.unwrap_or(0.0));
    let ends = [-half, half].map(|half| Point::new(fit.p_c.value + half, fit.inv_nu.value));
    let across_bar = Look { weight: style.lines.error * best.weight / style.lines.data, ..best.line() };
    series.push(Series::new("error of p_c", "1/nu of the p_c x", across_bar, ends.to_vec()));
    series.push(Series::new("fit", "1/nu of the p_c x", best, vec![optimum]));

    // All of the grid, and of the cloud as far as it lies on it: a resample far away would shrink the rest.
    let x = Axis { spacing: Spacing::Linear, low: sides[0], high: sides[sides.len() - 1] };
    let y = Axis { spacing: Spacing::Linear, low: heights[0], high: heights[heights.len() - 1] };
    let on_grid = |point: &Point| {
        let inside = |axis: &Axis, value: f64| axis.share(value).is_some_and(|share| (0.0..=1.0).contains(&share));
        inside(&x, point.x) && inside(&y, point.y)
    };
    let resamples = series.iter().filter(|series| series.quantity == "resample");
    let beyond = resamples.flat_map(|series| &series.points).filter(|&one| !on_grid(one)).count();
    let lowest = cells.iter().map(|cell| cell.value).fold(f64::INFINITY, f64::min);
    let highest = cells.iter().map(|cell| cell.value).fold(0.0, f64::max).min(MOST * lowest);
    let map = Map {
        quantity: "S".into(),
        parameter: "1/nu".into(),
        cells,
        scale: Axis::covering(Spacing::Log, [lowest, highest], 0.0),
        label: Rich::parse("*S*"),
    };
    let mut panel = Panel::new(preset.panel_height * 1.6, axis_label(&fit), Rich::parse("1/*ν*"), x, y);
    panel.map = Some(map);
    panel.series = series;
    let mut page = Page::of(vec![panel], 1);
    page.legend = vec![Key { text: Rich::plain("fit, both errors"), look: best }];
    if cloud.is_some() {
        // On the page the paper itself cannot be seen.
        let shown = Look { colour: style.colours.ink, open: true, size: 0.8, ..small };
        let text = if beyond > 0 { format!("resamples ({beyond} outside)") } else { "resamples".to_owned() };
        page.legend.push(Key { text: Rich::plain(text), look: shown });
    }
    page.warning = (!fit.reliable).then(|| UNRELIABLE.to_owned());
    let mut used = vec![fit_provenance, input.provenance];
    used.extend(cloud.map(|cloud| cloud.provenance));
    let description = format!(
        "The quality S of the collapse over p_c and 1/nu with kappa/nu of the fit, on a logarithmic scale of at most a \
         factor of {MOST}, where at least half as many points as at the fit are in the window; the optima of the resamples (white), {beyond} of them outside of the grid, and the fit with \
         the statistical and systematic errors combined. The numbers of the fit stand in its JSON. {}",
        if fit.reliable { "" } else { "The fit is unreliable." }
    );
    Ok(Figure::of(Kind::Landscape, page, used, description.trim()))
}

fn axis_label(fit: &Collapse) -> Rich {
    let control = fit.control.as_ref().and_then(serde_json::Value::as_str).map(|name| name.replace('_', " "));
    let symbol = Rich::parse("*p*_c");
    match control {
        Some(name) => symbol.then(Rich::plain(format!(" ({name})"))),
        None => symbol,
    }
}
