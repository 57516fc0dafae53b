//! The ladder of null models: how far their samples lie from the original after retraining.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::axis::{Axis, Spacing};
use super::curves::mean_and_error;
use super::error::FigureError;
use super::figure_of::Figure;
use super::fits::significant;
use super::kind::Kind;
use super::null_models::{self, NULLS, WEIGHTS};
use super::page::Page;
use super::panel::Panel;
use super::series::{Joined, Key, Look, Point, Series};
use super::sources::Sources;
use super::style::{Preset, Style};
use super::text::{CAPITAL, Rich};

/// The height of a panel, in those of the preset: one stands above the other.
const HEIGHT: f64 = 0.6;

/// Between the letter of a panel and the end of its upright name below it, in points.
const APART: f64 = 3.0;

/// The differences of one checkpoint, null model and kind of weights.
struct Row<'t> {
    density: f64,
    null: &'t str,
    weights: &'t str,
    difference: f64,
    interval: Option<(f64, f64)>,
    samples: f64,
}

/// Draws the figure.
pub(super) fn draw(sources: &Sources, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    let Some(found) = &sources.table else {
        return Err(FigureError::Missing { figure: Kind::Ladder.name(), missing: "no comparison.csv".into() });
    };
    let input = found.table()?;
    let table = &input.table;
    let (density, difference) = (table.numbers("density")?, table.numbers("difference")?);
    let (null, weights) = (table.texts("null")?, table.texts("weights")?);
    let (low, high) = (table.optional_numbers("low95")?, table.optional_numbers("high95")?);
    let samples = table.numbers("samples")?;
    let margin = table.numbers("margin")?.first().copied();
    let rows: Vec<Row<'_>> = (0..density.len())
        .map(|row| Row {
            density: density[row],
            null: null[row],
            weights: weights[row],
            difference: difference[row],
            interval: low[row].zip(high[row]),
            samples: samples[row],
        })
        .collect();
    let nulls = null_models::in_order(&null, &NULLS);
    let weights = null_models::in_order(&weights, &WEIGHTS);
    let densities = null_models::densities(&density);
    let last = densities.len().saturating_sub(1);
    let panels = densities.iter().enumerate().map(|(index, &range)| {
        let mut panel = panel(&rows, range, &nulls, &weights, style, preset);
        panel.horizontals =
            std::iter::once(0.0).chain(margin.into_iter().flat_map(|margin| [-margin, margin])).collect();
        if index != last {
            panel.x_label = Rich::default();
            panel.x_shown = false;
        }
        panel
    });
    let mut page = Page::of(panels.collect(), 1);
    let key = |(index, name): (usize, &&str)| Key { text: Rich::plain(*name), look: look(style, index) };
    page.legend = weights.iter().enumerate().map(key).collect();
    let description = "Accuracy of retrained samples of each null model, from the tightest to the loosest, less that of \
        the original; one panel a density, one marker a kind of weights. Bars: the 95 % interval over samples and training \
        seeds; where there are several checkpoints, the mean over them with Student's 95 % interval. Dashed: no \
        difference, and the margin of the equivalence test.";
    Ok(Figure::of(Kind::Ladder, page, vec![input.provenance], description))
}

fn look(style: &Style, index: usize) -> Look {
    Look { joined: Joined::No, size: 1.15, weight: 1.3, ..Look::of(style, index) }
}

/// The difference of one null model with its interval: that of the table where there is one checkpoint.
fn point(rows: &[Row<'_>], (low, high): (f64, f64), null: &str, weights: &str, x: f64) -> Option<Point> {
    let chosen: Vec<&Row<'_>> = rows
        .iter()
        .filter(|row| (low..=high).contains(&row.density) && row.null == null && row.weights == weights)
        .collect();
    if let [row] = chosen[..] {
        return Some(Point { x, y: row.difference, bar: row.interval, n: row.samples as usize });
    }
    let (mean, error) = mean_and_error(&chosen.iter().map(|row| row.difference).collect::<Vec<_>>())?;
    let quantile = StudentsT::new(0.0, 1.0, chosen.len() as f64 - 1.0).ok()?.inverse_cdf(0.975);
    Some(Point::with_error(x, mean, error.map(|error| quantile * error), chosen.len()))
}

fn panel(
    rows: &[Row<'_>],
    range: (f64, f64),
    nulls: &[&str],
    weights: &[&str],
    style: &Style,
    preset: &Preset,
) -> Panel {
    let density = (range.0 + range.1) / 2.0;
    let (apart, middle) = (0.6 / weights.len() as f64, (weights.len() as f64 - 1.0) / 2.0);
    let series: Vec<Series> = weights
        .iter()
        .enumerate()
        .map(|(index, weights)| {
            let points = nulls.iter().enumerate().filter_map(|(at, null)| {
                point(rows, range, null, weights, at as f64 + (index as f64 - middle) * apart)
            });
            Series {
                quantity: format!("difference of accuracy, density {}", significant(density, 4)),
                name: (*weights).to_owned(),
                look: look(style, index),
                points: points.collect(),
            }
        })
        .collect();
    let x = Axis { spacing: Spacing::Linear, low: -0.5, high: nulls.len() as f64 - 0.5 };
    let heights = series.iter().flat_map(|series| &series.points).flat_map(Point::heights);
    let y = Axis::covering(Spacing::Linear, heights.chain([0.0]), 0.09);
    let (label, name) = (Rich::plain("null model"), Rich::plain("accuracy \u{2212} original"));
    // High enough for the name in its middle with the letter above.
    let named = style.text.label * (name.width() + 2.0 * CAPITAL) + 2.0 * APART;
    let mut panel = Panel::new((preset.panel_height * HEIGHT).max(named), label, name, x, y);
    panel.title = Some(Rich::plain(format!("density {}", significant(density, 2))));
    panel.categories = nulls.iter().enumerate().map(|(at, name)| (at as f64, Rich::plain(*name))).collect();
    panel.series = series;
    panel
}
