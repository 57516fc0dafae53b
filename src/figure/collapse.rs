//! Curves of several sizes, raw and collapsed.

use super::axis::{Axis, Spacing};
use super::critical::along;
use super::error::FigureError;
use super::figure_of::Figure;
use super::fits::{Collapse, UNRELIABLE, axis_name, significant};
use super::input::Input;
use super::kind::Kind;
use super::master::{error, master};
use super::page::{Page, SHARED_GAP};
use super::panel::Panel;
use super::scaling::{ends, flags};
use super::series::{Joined, Key, Look, Point, Series};
use super::sources::Sources;
use super::style::{Preset, Style};
use super::text::Rich;

/// Above this ratio of the largest control to the smallest, the raw curves stand on a logarithmic axis.
const LOG_FROM: f64 = 20.0;
/// How far the collapsed axes reach beyond the points of the fit, in their range.
const BEYOND: f64 = 0.25;
/// The height of the strip of residuals, in that of a panel.
const STRIP: f64 = 0.5;
/// Points of the line of the master curve.
const STEPS: usize = 120;

struct Columns {
    size: Vec<f64>,
    control: Vec<f64>,
    value: Vec<f64>,
    error: Vec<Option<f64>>,
    x: Vec<Option<f64>>,
    y: Vec<Option<f64>>,
    y_error: Vec<Option<f64>>,
    used: Vec<bool>,
}

impl Columns {
    fn read(input: &Input) -> Result<Self, FigureError> {
        let table = &input.table;
        let optional = |column: &str| {
            if table.has(column) { table.optional_numbers(column) } else { Ok(vec![None; table.rows()]) }
        };
        Ok(Self {
            size: table.numbers("size")?,
            control: table.numbers("control")?,
            value: table.numbers("value")?,
            error: optional("error")?,
            x: table.optional_numbers("x")?,
            y: table.optional_numbers("y")?,
            y_error: optional("y_error")?,
            used: flags(table)?,
        })
    }

    /// The rows of a size in the order of control.
    fn rows(&self, size: f64) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.size.len()).filter(|&row| self.size[row] == size).collect();
        rows.sort_by(|&one, &other| self.control[one].total_cmp(&self.control[other]));
        rows
    }

    fn collapsed(&self, row: usize) -> Option<Point> {
        Some(Point::with_error(self.x[row]?, self.y[row]?, self.y_error[row], 1))
    }
}

/// Draws the figure.
pub(super) fn draw(sources: &Sources, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    let (Some(table), Some(json)) = (&sources.table, &sources.fit) else {
        return Err(FigureError::Missing { figure: Kind::Collapse.name(), missing: "no table or no fit".into() });
    };
    let (fit, fit_provenance): (Collapse, _) = json.json()?;
    let input = table.table()?;
    let columns = Columns::read(&input)?;
    let mut sizes = columns.size.clone();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    if sizes.len() > style.curves() {
        let path = input.table.path().to_path_buf();
        return Err(FigureError::TooManyCurves { path, found: sizes.len(), most: style.curves() });
    }
    let used: Vec<Point> =
        (0..columns.used.len()).filter(|&row| columns.used[row]).filter_map(|row| columns.collapsed(row)).collect();
    if used.is_empty() {
        return Err(FigureError::NoPoints {
            path: input.table.path().to_path_buf(),
            reason: "no row with used = true has x and y".into(),
        });
    }

    let mut left = raw(&columns, &sizes, &fit, style, preset);
    let mut upper = collapsed(&columns, &sizes, &used, &fit, style, preset);
    let strip = residuals(&columns, &sizes, &used, &upper, style, preset);
    upper.x_shown = strip.is_none();
    let right: Vec<Panel> = [Some(upper), strip].into_iter().flatten().collect();
    let columns = if preset.columns > 1 {
        // As high as both on the right, with what lies between them.
        left.height += if right.len() > 1 { preset.panel_height * STRIP + SHARED_GAP } else { 0.0 };
        vec![vec![left], right]
    } else {
        vec![std::iter::once(left).chain(right).collect()]
    };
    let mut page = Page::of_columns(columns);
    page.legend = sizes
        .iter()
        .enumerate()
        .map(|(index, size)| Key { text: Rich::parse(&format!("*L* = {size}")), look: Look::of(style, index) })
        .collect();
    page.warning = (!fit.reliable).then(|| UNRELIABLE.to_owned());
    let description = format!(
        "Curves of each size L: the value against the control (a), and rescaled with the fitted numbers (b): \
         x = (p - p_c) L^(1/nu), y = value L^(kappa/nu), with a master curve: at each x a line through the nearest fifth of \
         the points of the fit, weighted by error and distance. Residuals of the points of the fit from it, in units of \
         the error where every point has one (c). Pale points do not enter the fit; those far from the \
         others are not shown in (b). {}",
        if fit.reliable { "" } else { "The fit is unreliable." }
    );
    Ok(Figure::of(Kind::Collapse, page, vec![fit_provenance, input.provenance], description.trim()))
}

fn raw(columns: &Columns, sizes: &[f64], fit: &Collapse, style: &Style, preset: &Preset) -> Panel {
    let series: Vec<Series> = sizes
        .iter()
        .enumerate()
        .map(|(index, &size)| Series {
            quantity: "value".into(),
            name: format!("L={size}"),
            look: Look::of(style, index),
            points: columns
                .rows(size)
                .into_iter()
                .map(|row| Point::with_error(columns.control[row], columns.value[row], columns.error[row], 1))
                .collect(),
        })
        .collect();
    let positive: Vec<f64> = columns.control.iter().copied().filter(|&control| control > 0.0).collect();
    let log = ends(&positive).is_some_and(|(low, high)| high > LOG_FROM * low) && fit.p_c.value > 0.0;
    let spacing = if log { Spacing::Log } else { Spacing::Linear };
    let (x, y) = Panel::axes_of(&series, spacing, Spacing::Linear);
    let control = axis_name(fit.control.as_ref(), "control *p*");
    let value = axis_name(fit.value.as_ref(), "value *A*");
    let mut panel = Panel::new(preset.panel_height, control, value, x, y);
    panel.series = series;
    panel.verticals = vec![fit.p_c.value];
    let guide =
        Look { shape: None, joined: Joined::Dashed, colour: style.colours.light, weight: 0.6, ..Look::of(style, 0) };
    panel.keys = vec![Key { text: Rich::parse("*p*_c"), look: guide }];
    panel
}

fn collapsed(
    columns: &Columns,
    sizes: &[f64],
    used: &[Point],
    fit: &Collapse,
    style: &Style,
    preset: &Preset,
) -> Panel {
    let wide = |values: Vec<f64>| {
        let axis = Axis::covering(Spacing::Linear, values, 0.0);
        let beyond = (axis.high - axis.low) * BEYOND;
        (axis.low - beyond, axis.high + beyond)
    };
    let x_range = wide(used.iter().map(|point| point.x).collect());
    let y_range = wide(used.iter().flat_map(Point::heights).collect());
    let within = |value: f64, (low, high): (f64, f64)| (low..=high).contains(&value);
    let shown = |point: &Point| within(point.x, x_range) && point.heights().all(|height| within(height, y_range));

    let mut outside = Vec::new();
    let mut inside = Vec::new();
    for (index, &size) in sizes.iter().enumerate() {
        let look = Look { joined: Joined::No, ..Look::of(style, index) };
        let points = |used: bool| -> Vec<Point> {
            let rows = columns.rows(size).into_iter().filter(|&row| columns.used[row] == used);
            rows.filter_map(|row| columns.collapsed(row)).filter(|point| used || shown(point)).collect()
        };
        let series = |quantity: &str, look: Look, points: Vec<Point>| Series {
            quantity: quantity.to_owned(),
            name: format!("L={size}"),
            look,
            points,
        };
        outside.push(series(
            "y not in the fit",
            Look { colour: look.colour.over(style.colours.paper, 0.35), ..look },
            points(false),
        ));
        inside.push(series("y", look, points(true)));
    }
    let range = Axis::covering(Spacing::Linear, used.iter().map(|point| point.x), 0.0);
    let curve = along(&range, STEPS).into_iter().filter_map(|x| Some(Point::new(x, master(used, x)?))).collect();
    let ink = Look { colour: style.colours.ink, weight: 1.1, ..Look::of(style, 0).line() };
    let curve = Series::new("master curve", "all sizes", ink, curve);
    let mut series: Vec<Series> = outside.into_iter().chain(inside).collect();
    let (x, y) = Panel::axes_of(&series, Spacing::Linear, Spacing::Linear);
    let keys = vec![Key { text: Rich::plain("master curve"), look: ink }];
    series.push(curve);
    let x_label = Rich::parse("(*p* − *p*_c) *L*^{1/*ν*}");
    let mut panel = Panel::new(preset.panel_height, x_label, Rich::parse("*A* *L*^{*κ*/*ν*}"), x, y);
    panel.series = series;
    panel.keys = keys;
    // A window in other units than x would shade the wrong range: it is shown where it holds the points of the fit.
    let holds = |&(low, high): &(f64, f64)| used.iter().all(|point| (low..=high).contains(&point.x));
    panel.bands = fit.window.map(|[low, high]| (low, high)).filter(holds).into_iter().collect();
    panel.notes =
        vec![fit.p_c.note("*p*_c", style), fit.inv_nu.note("1/*ν*", style), fit.kappa_over_nu.note("*κ*/*ν*", style)];
    if let Some(quality) = fit.quality {
        panel.notes.push((Rich::parse(&format!("*S* = {}", significant(quality, 3))), style.colours.ink));
    }
    panel
}

/// The residuals of the points of the fit from the master curve; none where no curve goes through them.
fn residuals(
    columns: &Columns,
    sizes: &[f64],
    used: &[Point],
    above: &Panel,
    style: &Style,
    preset: &Preset,
) -> Option<Panel> {
    let scaled = used.iter().all(|point| error(point) > 0.0);
    let residual = |point: Point| {
        let difference = point.y - master(used, point.x)?;
        Some(if scaled {
            Point::new(point.x, difference / error(&point))
        } else {
            Point { bar: None, y: difference, ..point }
        })
    };
    let series: Vec<Series> = sizes
        .iter()
        .enumerate()
        .map(|(index, &size)| {
            let rows = columns.rows(size).into_iter().filter(|&row| columns.used[row]);
            let points = rows.filter_map(|row| residual(columns.collapsed(row)?)).collect();
            Series::new("residual", format!("L={size}"), Look { size: 0.85, ..Look::of(style, index).points() }, points)
        })
        .collect();
    let heights: Vec<f64> = series.iter().flat_map(|series| &series.points).map(|point| point.y).collect();
    if heights.is_empty() {
        return None;
    }
    let least = if scaled { [-2.0, 2.0] } else { [0.0, 0.0] };
    let y = Axis::covering(Spacing::Linear, heights.into_iter().chain(least), 0.1);
    let label = Rich::parse(if scaled { "residual/*σ*" } else { "residual" });
    let mut panel = Panel::new(preset.panel_height * STRIP, above.x_label.clone(), label, above.x, y);
    panel.horizontals = vec![0.0];
    panel.bands = above.bands.clone();
    panel.series = series;
    Some(panel)
}
