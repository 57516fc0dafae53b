//! Rival laws on one curve: fits, residuals, weights, and errors on replicates left out.

use super::axis::{Axis, Spacing};
use super::error::FigureError;
use super::figure_of::Figure;
use super::fits::{Fit, UNRELIABLE, axis_name};
use super::input::Input;
use super::kind::Kind;
use super::page::Page;
use super::panel::Panel;
use super::scaling::flags;
use super::series::{Joined, Key, Look, Point, Series};
use super::sources::Sources;
use super::style::{Preset, Style};
use super::susceptibility::spacing_of;
use super::text::Rich;

/// The height of the panels below, in that of those above.
const BELOW: f64 = 0.75;
/// Laws whose difference is so many times that of the best two are cut off in the panel of errors.
const FAR: f64 = 20.0;

/// A row of fit.csv of the curve that is drawn.
struct Row<'t> {
    model: &'t str,
    at: Point,
    fitted: Option<f64>,
    used: bool,
}

fn rows<'t>(input: &'t Input, size: Option<f64>) -> Result<Vec<Row<'t>>, FigureError> {
    let table = &input.table;
    let (model, control, value) = (table.texts("model")?, table.numbers("control")?, table.numbers("value")?);
    let error = if table.has("error") { table.optional_numbers("error")? } else { vec![None; table.rows()] };
    let (fitted, used) = (table.optional_numbers("fitted")?, flags(table)?);
    let sizes = if table.has("size") { Some(table.numbers("size")?) } else { None };
    let drawn = |row: &usize| sizes.as_ref().zip(size).is_none_or(|(sizes, size)| sizes[*row] == size);
    let row = |row: usize| Row {
        model: model[row],
        at: Point::with_error(control[row], value[row], error[row], 1),
        fitted: fitted[row],
        used: used[row],
    };
    let mut rows: Vec<Row<'t>> = (0..table.rows()).filter(drawn).map(row).collect();
    rows.sort_by(|one, other| one.at.x.total_cmp(&other.at.x));
    Ok(rows)
}

/// The fine curve of each law, from fit-laws.csv.
fn laws(input: &Input, name: &str, size: Option<f64>) -> Result<Vec<Point>, FigureError> {
    let table = &input.table;
    let (model, control, value) = (table.texts("model")?, table.numbers("control")?, table.numbers("fitted")?);
    let sizes = if table.has("size") { Some(table.numbers("size")?) } else { None };
    let drawn = |row: usize| sizes.as_ref().zip(size).is_none_or(|(sizes, size)| sizes[row] == size);
    Ok((0..table.rows())
        .filter(|&row| model[row] == name && drawn(row))
        .map(|row| Point::new(control[row], value[row]))
        .collect())
}

/// Draws the figure.
pub(super) fn draw(sources: &Sources, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    let (table, json) = sources.fitted(Kind::Rivals)?;
    let (fit, fit_provenance): (Fit, _) = json.json()?;
    let input = table.table()?;
    let more = sources.more.as_ref().map(|found| found.table()).transpose()?;
    let rows = rows(&input, fit.size)?;
    let (found, most) = (fit.models.len(), style.curves());
    if found > most {
        return Err(FigureError::TooManyCurves { path: json.path().to_path_buf(), found, most });
    }
    let first = fit.models.first().map(|model| model.name.as_str()).unwrap_or_default();
    let data: Vec<&Row<'_>> = rows.iter().filter(|row| row.model == first).collect();
    if data.is_empty() {
        let reason = format!("no row of model `{first}`");
        return Err(FigureError::NoPoints { path: input.table.path().to_path_buf(), reason });
    }

    let seen =
        Look { colour: style.colours.ink, shape: Some(style.shape(0)), size: 0.9, ..Look::of(style, 0).points() };
    let unused = Look { colour: style.colours.light, open: true, ..seen };
    let points = |used: bool| data.iter().filter(|row| row.used == used).map(|row| row.at).collect::<Vec<_>>();
    let mut series = vec![
        Series::new("value", "not in the fit", unused, points(false)),
        Series::new("value", "in the fit", seen, points(true)),
    ];
    let mut strip = Vec::new();
    let scaled = rows.iter().all(|row| row.at.bar.is_some_and(|(_, high)| high > row.at.y));
    for (index, model) in fit.models.iter().enumerate() {
        let own = || rows.iter().filter(|row| row.model == model.name && row.used);
        let fine = more.as_ref().map(|input| laws(input, &model.name, fit.size)).transpose()?.unwrap_or_default();
        let coarse = || own().filter_map(|row| Some(Point::new(row.at.x, row.fitted?))).collect();
        let line = look(style, index).line();
        let points = if fine.is_empty() { coarse() } else { fine };
        series.push(Series::new("law", model.name.as_str(), dashed(line, index), points));
        let residuals = own().filter_map(|row| {
            let unit = row.at.bar.filter(|_| scaled).map_or(1.0, |(_, high)| high - row.at.y);
            Some(Point::new(row.at.x, (row.at.y - row.fitted?) / unit))
        });
        let look = Look { size: 0.85, ..look(style, index).points() };
        strip.push(Series::new("residual", model.name.as_str(), look, residuals.collect()));
    }
    let spacing = spacing_of(data.iter().map(|row| row.at.x));
    let (x, y) = Panel::axes_of(&series[..2], spacing, Spacing::Linear);
    let control = axis_name(fit.control.as_ref(), "control *p*");
    let mut main = Panel::new(preset.panel_height, control.clone(), axis_name(fit.value.as_ref(), "value"), x, y);
    main.bands = fit.range.map(|[low, high]| (low, high)).into_iter().collect();
    main.keys = series[..2]
        .iter()
        .rev()
        .filter(|series| !series.points.is_empty())
        .map(|series| Key { text: Rich::plain(series.name.as_str()), look: series.look })
        .collect();
    main.series = series;
    let heights = strip.iter().flat_map(|series| &series.points).flat_map(Point::heights);
    let y = Axis::covering(Spacing::Linear, heights.chain([0.0]), 0.1);
    let label = Rich::parse(if scaled { "residual/*σ*" } else { "residual" });
    let mut residuals = Panel::new(preset.panel_height * BELOW, control, label, x, y);
    residuals.horizontals = vec![0.0];
    residuals.bands = main.bands.clone();
    residuals.series = strip;
    main.x_shown = false;

    let left = vec![main, residuals];
    let right = standing(&fit, style, preset);
    let columns = if preset.columns > 1 { vec![left, right] } else { vec![left.into_iter().chain(right).collect()] };
    let mut page = Page::of_columns(columns);
    page.legend = fit
        .models
        .iter()
        .enumerate()
        .map(|(index, model)| Key { text: Rich::plain(name_of(&model.name)), look: dashed(look(style, index), index) })
        .collect();
    page.warning = (!fit.reliable).then(|| UNRELIABLE.to_owned());
    let mut used = vec![fit_provenance, input.provenance];
    used.extend(more.map(|input| input.provenance));
    let description = format!(
        "The curve with every law over the range of the fit, shaded (a); the residuals{} (b); the Akaike weight of every \
         law from AICc (c); where replicates were left out, the error of every law on them less that of the best, with \
         its standard error (d). Laws in (c) and (d) in the order of the legend. {}",
        if scaled { " in units of the error" } else { "" },
        if fit.reliable { "" } else { "The best law is unreliable." }
    );
    Ok(Figure::of(Kind::Rivals, page, used, description.trim()))
}

fn look(style: &Style, index: usize) -> Look {
    Look { weight: 1.2, ..Look::of(style, index) }
}

/// Laws often lie on each other: every second one is dashed.
fn dashed(look: Look, index: usize) -> Look {
    Look { joined: if index.is_multiple_of(2) { look.joined } else { Joined::Dashed }, ..look }
}

/// A law as text names it.
fn name_of(law: &str) -> String {
    if law == "rosenfeld" { "Rosenfeld".to_owned() } else { law.replace('_', " ") }
}

/// Weights, and errors on replicates left out where there are any.
fn standing(fit: &Fit, style: &Style, preset: &Preset) -> Vec<Panel> {
    let last = fit.models.len() as f64 - 0.5;
    let x = Axis { spacing: Spacing::Linear, low: -0.5, high: last };
    let of = |quantity: &str, value: &dyn Fn(usize) -> Option<Point>| -> Vec<Series> {
        fit.models
            .iter()
            .enumerate()
            .map(|(index, model)| {
                let look = Look { size: 1.4, ..look(style, index).points() };
                Series::new(quantity, model.name.as_str(), look, value(index).into_iter().collect())
            })
            .collect()
    };
    let names = || vec![(0.0, Rich::default())];
    let mut panels = Vec::new();
    let weights = of("weight", &|index| Some(Point::new(index as f64, fit.models[index].weight?)));
    let y = Axis { spacing: Spacing::Linear, low: -0.07, high: 1.07 };
    let mut panel = Panel::new(preset.panel_height, Rich::default(), Rich::plain("Akaike weight"), x, y);
    panel.series = weights;
    panel.horizontals = vec![0.0];
    panel.categories = names();
    panels.push(panel);
    let held_out = of("held out", &|index| {
        let held_out = fit.models[index].held_out?;
        Some(Point::with_error(index as f64, held_out.difference, Some(held_out.difference_error), 1))
    });
    let mut differences: Vec<f64> = held_out.iter().flat_map(|series| &series.points).map(|point| point.y).collect();
    differences.sort_by(f64::total_cmp);
    if let Some(&second) = differences.get(1) {
        // A law far off would press the others together; it stays in the table.
        let far = FAR * second.max(0.05);
        let heights =
            held_out.iter().flat_map(|series| &series.points).filter(|point| point.y <= far).flat_map(Point::heights);
        let y = Axis::covering(Spacing::Linear, heights.chain([0.0]), 0.1);
        let label = Rich::plain("held-out error");
        let mut panel = Panel::new(preset.panel_height * BELOW, Rich::default(), label, x, y);
        let beyond = differences.iter().filter(|&&difference| difference > far).count();
        if beyond > 0 {
            panel.notes = vec![(Rich::plain(format!("{beyond} above this range")), style.colours.ink)];
        }
        panel.series = held_out;
        panel.horizontals = vec![0.0];
        panel.categories = names();
        if let Some(above) = panels.last_mut() {
            above.x_shown = false;
        }
        panels.push(panel);
    }
    panels
}
