//! A value against the distance from p_c in logarithms, with its power law and the residuals.

use super::axis::{Axis, Spacing};
use super::error::FigureError;
use super::figure_of::Figure;
use super::fits::{Fit, Model, UNRELIABLE, axis_name, significant};
use super::kind::Kind;
use super::page::Page;
use super::panel::Panel;
use super::series::{Joined, Key, Look, Point, Series};
use super::sources::Sources;
use super::style::{Preset, Style};
use super::text::Rich;
use crate::table::Table;

const MODEL: &str = "power_law";
/// The height of the strip of residuals, in that of the panel.
const STRIP: f64 = 0.62;

struct Row {
    distance: f64,
    value: f64,
    error: Option<f64>,
    fitted: Option<f64>,
    used: bool,
}

/// Draws the figure.
pub(super) fn draw(sources: &Sources, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    let (Some(table), Some(json)) = (&sources.table, &sources.fit) else {
        return Err(FigureError::Missing { figure: Kind::Scaling.name(), missing: "no table or no fit".into() });
    };
    let (fit, fit_provenance): (Fit, _) = json.json()?;
    let input = table.table()?;
    let lacks = |what: &str| FigureError::Json {
        path: json.path().to_path_buf(),
        reason: format!("no {what}: a fit with a `{MODEL}` that has p_c and beta is needed"),
    };
    let model = fit.models.iter().find(|model| model.name == MODEL).ok_or_else(|| lacks("model `power_law`"))?;
    let parameter = |name: &str| model.parameter(name).ok_or_else(|| lacks(name));
    let (p_c, beta) = (parameter("p_c")?, parameter("beta")?);

    let (rows, below) = rows(&input.table, p_c.value, fit.size)?;
    if rows.is_empty() {
        return Err(FigureError::NoPoints {
            path: input.table.path().to_path_buf(),
            reason: format!("no row of model {MODEL} with control above p_c = {} and value above 0", p_c.value),
        });
    }

    let reliable = fit.reliable && model.reliable.unwrap_or(true);

    let x_label = Rich::parse("*p* − *p*_c");
    let data = Look { joined: Joined::No, ..Look::of(style, 0) };
    let rest = Look { colour: style.colours.light, open: true, ..data };
    let line = Look { shape: None, colour: style.colour(1), weight: 1.3, ..Look::of(style, 1) };
    let series = |quantity: &str, name: &str, look: Look, point: &dyn Fn(&Row) -> Option<Point>| Series {
        quantity: quantity.to_owned(),
        name: name.to_owned(),
        look,
        points: rows.iter().filter_map(point).collect(),
    };
    let value = |row: &Row| Point::with_error(row.distance, row.value, row.error, 1);
    let main_series = vec![
        series("fitted", "power law", line, &|row| {
            let fitted = row.fitted.filter(|&fitted| row.used && fitted > 0.0)?;
            Some(Point::with_error(row.distance, fitted, None, 1))
        }),
        series("value", "not in the fit", rest, &|row| (!row.used).then(|| value(row))),
        series("value", "in the fit", data, &|row| row.used.then(|| value(row))),
    ];
    let (x, y) = Panel::axes_of(&main_series, Spacing::Log, Spacing::Log);
    let mut main = Panel::new(preset.panel_height * 1.3, x_label.clone(), axis_name(fit.value.as_ref(), "value"), x, y);
    let used: Vec<f64> = rows.iter().filter(|row| row.used).map(|row| row.distance).collect();
    main.bands = ends(&used).into_iter().collect();
    main.keys = keys(&main_series);
    main.series = main_series;
    main.notes = vec![beta.note("*β*", style), p_c.note("*p*_c", style)];
    main.notes.extend(standing(&fit, model).map(|text| (Rich::plain(text), style.colours.ink)));

    // Where every point has an error, a residual is told in errors.
    let scaled = rows.iter().all(|row| row.error.is_some_and(|error| error > 0.0));
    let residual = |row: &Row| {
        let unit = if scaled { row.error.unwrap_or(1.0) } else { 1.0 };
        let bar = if scaled { None } else { row.error };
        row.fitted.map(|fitted| Point::with_error(row.distance, (row.value - fitted) / unit, bar, 1))
    };
    let strip_series = vec![
        series("residual", "not in the fit", rest, &|row| residual(row).filter(|_| !row.used)),
        series("residual", "in the fit", data, &|row| residual(row).filter(|_| row.used)),
    ];
    // Points outside the fit may lie far away; the strip is about those inside where there are any.
    let inside = strip_series[1].points.iter().flat_map(Point::heights);
    let about_zero = inside.chain([-1.0, 1.0].map(|end| if scaled { 2.0 * end } else { 0.0 }));
    let y = Axis::covering(Spacing::Linear, about_zero, 0.1);
    let label = if scaled { "residual/*σ*" } else { "residual" };
    let mut strip = Panel::new(preset.panel_height * STRIP, x_label, Rich::parse(label), x, y);
    strip.bands = main.bands.clone();
    strip.horizontals = vec![0.0];
    strip.series = strip_series;

    let mut page = Page::of(vec![main, strip], 1);
    page.share_x();
    page.warning = (!reliable).then(|| UNRELIABLE.to_owned());
    let description = format!(
        "The value against control minus p_c, both in logarithms, with the fitted power law over its range (shaded) and \
         the residuals{}. {below} rows at or below p_c, or with a value that is not positive, have no place on these \
         axes; residuals of points not in the fit are shown where they lie in the range of the others. {}",
        if scaled { " in units of the error" } else { "" },
        if reliable { "" } else { "The fit is unreliable." }
    );
    Ok(Figure::of(Kind::Scaling, page, vec![fit_provenance, input.provenance], description.trim()))
}

/// The rows of the power law that have a place on logarithmic axes, by distance; how many have none.
fn rows(table: &Table, p_c: f64, size: Option<f64>) -> Result<(Vec<Row>, usize), FigureError> {
    let models = table.texts("model")?;
    let control = table.numbers("control")?;
    let value = table.numbers("value")?;
    let error = if table.has("error") { table.optional_numbers("error")? } else { vec![None; table.rows()] };
    let fitted = table.optional_numbers("fitted")?;
    let sizes = if table.has("size") { Some(table.numbers("size")?) } else { None };
    // A table of several sizes holds the fits of all; the JSON's own is drawn.
    let drawn = |row: usize| sizes.as_ref().zip(size).is_none_or(|(sizes, size)| sizes[row] == size);
    let used = flags(table)?;
    let mut rows = Vec::new();
    let mut below = 0;
    for index in (0..table.rows()).filter(|&index| models[index] == MODEL && drawn(index)) {
        let distance = control[index] - p_c;
        if distance > 0.0 && value[index] > 0.0 {
            rows.push(Row {
                distance,
                value: value[index],
                error: error[index],
                fitted: fitted[index],
                used: used[index],
            });
        } else {
            below += 1;
        }
    }
    rows.sort_by(|one, other| one.distance.total_cmp(&other.distance));
    Ok((rows, below))
}

/// The column `used`, as true and false or 1 and 0.
pub(super) fn flags(table: &Table) -> Result<Vec<bool>, FigureError> {
    let texts = table.texts("used")?;
    let known = |text: &&&str| !matches!(**text, "true" | "false" | "1" | "0");
    if let Some(wrong) = texts.iter().find(known) {
        return Err(FigureError::Value {
            path: table.path().to_path_buf(),
            reason: format!("column `used`: `{wrong}` is neither true nor false"),
        });
    }
    Ok(texts.iter().map(|&text| matches!(text, "true" | "1")).collect())
}

/// The smallest and the largest, of at least one value.
pub(super) fn ends(values: &[f64]) -> Option<(f64, f64)> {
    let first = *values.first()?;
    Some(values.iter().fold((first, first), |(low, high), &value| (low.min(value), high.max(value))))
}

fn keys(series: &[Series]) -> Vec<Key> {
    [2, 1, 0]
        .into_iter()
        .map(|index| &series[index])
        .filter(|series| !series.points.is_empty())
        .map(|series| Key { text: Rich::plain(series.name.as_str()), look: series.look })
        .collect()
}

/// How the power law stands among its rivals.
fn standing(fit: &Fit, model: &Model) -> Option<String> {
    let best = fit.best.as_deref().filter(|&best| best != MODEL).map(|best| best.replace('_', " "));
    let weight = model.weight.map(|weight| match weight {
        ..1e-3 => "AICc weight < 0.001".to_owned(),
        _ => format!("AICc weight {}", significant(weight, 2)),
    });
    match (weight, best) {
        (Some(weight), Some(best)) => Some(format!("{weight} (best model: {best})")),
        (Some(weight), None) => Some(weight),
        (None, best) => best.map(|best| format!("best model: {best}")),
    }
}
