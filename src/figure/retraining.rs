//! Accuracy after retraining: the original mask against each null model.

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
use super::text::Rich;

struct Rows<'t> {
    checkpoint: Vec<&'t str>,
    density: Vec<f64>,
    null: Vec<&'t str>,
    weights: Vec<&'t str>,
    accuracy: Vec<f64>,
}

/// Draws the figure.
pub(super) fn draw(sources: &Sources, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    let Some(found) = &sources.table else {
        return Err(FigureError::Missing { figure: Kind::Retraining.name(), missing: "no retraining.csv".into() });
    };
    let input = found.table()?;
    let table = &input.table;
    let rows = Rows {
        checkpoint: table.texts("checkpoint")?,
        density: table.numbers("density")?,
        null: table.texts("null")?,
        weights: table.texts("weights")?,
        accuracy: table.numbers("accuracy")?,
    };
    let nulls = null_models::in_order(&rows.null, &NULLS);
    let weights = null_models::in_order(&rows.weights, &WEIGHTS);
    if nulls.len() > style.curves() {
        let (found, most) = (nulls.len(), style.curves());
        let missing = format!(
            "{}: {found} null models, at most {most} are told apart; see the figure ladder",
            input.provenance.name
        );
        return Err(FigureError::Missing { figure: Kind::Retraining.name(), missing });
    }

    let densities = null_models::densities(&rows.density);
    let y = Axis::covering(Spacing::Linear, heights(&rows, &densities, &nulls, &weights), 0.07);
    let columns = preset.columns.min(densities.len());
    let count = densities.len();
    let panels = densities.iter().enumerate().map(|(index, range)| {
        let mut panel = panel(&rows, *range, &nulls, &weights, y, style, preset);
        // Side by side they share the axis of accuracy.
        if !index.is_multiple_of(columns) {
            panel.y_label = Rich::default();
        }
        if index + columns < count {
            panel.x_label = Rich::default();
        }
        panel
    });
    let mut page = Page::of(panels.collect(), columns);
    page.legend = nulls
        .iter()
        .enumerate()
        .map(|(index, null)| Key {
            text: Rich::plain(*null),
            look: Look { joined: Joined::No, ..Look::of(style, index) },
        })
        .collect();
    let description = "Accuracy after retraining of the original mask and of each null model, by the weights it starts \
        from; one panel a density. Pale: single networks. Bold: the mean over checkpoints of each checkpoint's mean, \
        with its standard error; where there is one checkpoint, the mean over its networks with its standard error.";
    Ok(Figure::of(Kind::Retraining, page, vec![input.provenance], description))
}

/// The accuracies of one null model and start at one density, and their mean with its error.
fn group(rows: &Rows<'_>, (low, high): (f64, f64), null: &str, weights: &str) -> Option<(Vec<f64>, Point)> {
    let chosen: Vec<usize> = (0..rows.accuracy.len())
        .filter(|&row| (low..=high).contains(&rows.density[row]))
        .filter(|&row| rows.null[row] == null && rows.weights[row] == weights)
        .collect();
    let all: Vec<f64> = chosen.iter().map(|&row| rows.accuracy[row]).collect();
    // Samples of one checkpoint are not independent of each other; checkpoints are.
    let mut checkpoints: Vec<&str> = chosen.iter().map(|&row| rows.checkpoint[row]).collect();
    checkpoints.sort_unstable();
    checkpoints.dedup();
    let mean_of = |checkpoint: &&str| {
        let own = chosen.iter().filter(|&&row| rows.checkpoint[row] == *checkpoint);
        mean_and_error(&own.map(|&row| rows.accuracy[row]).collect::<Vec<_>>()).map(|(mean, _)| mean)
    };
    let (mean, error) = if checkpoints.len() > 1 {
        mean_and_error(&checkpoints.iter().filter_map(mean_of).collect::<Vec<_>>())?
    } else {
        mean_and_error(&all)?
    };
    let n = if checkpoints.len() > 1 { checkpoints.len() } else { all.len() };
    Some((all, Point::with_error(0.0, mean, error, n)))
}

/// Everything that the axis of accuracy must show.
fn heights(rows: &Rows<'_>, densities: &[(f64, f64)], nulls: &[&str], weights: &[&str]) -> Vec<f64> {
    let mut heights = Vec::new();
    for &range in densities {
        for null in nulls {
            for start in weights {
                if let Some((all, mean)) = group(rows, range, null, start) {
                    heights.extend(all.into_iter().chain(mean.heights()));
                }
            }
        }
    }
    heights
}

fn panel(
    rows: &Rows<'_>,
    range: (f64, f64),
    nulls: &[&str],
    weights: &[&str],
    y: Axis,
    style: &Style,
    preset: &Preset,
) -> Panel {
    let x = Axis { spacing: Spacing::Linear, low: -0.5, high: weights.len() as f64 - 0.5 };
    let label = Rich::parse("weights before retraining");
    let mut panel = Panel::new(preset.panel_height, label, Rich::parse("accuracy"), x, y);
    let density = (range.0 + range.1) / 2.0;
    panel.title = Some(Rich::plain(format!("density {}", significant(density, 2))));
    panel.categories = weights.iter().enumerate().map(|(at, name)| (at as f64, Rich::plain(*name))).collect();
    let apart = 0.8 / nulls.len() as f64;
    for (index, null) in nulls.iter().enumerate() {
        let look = Look { joined: Joined::No, ..Look::of(style, index) };
        let light = Look { colour: look.colour.over(style.colours.paper, 0.45), size: 0.8, ..look };
        let bold = Look { size: 1.25, weight: 1.8, ..look };
        for (category, start) in weights.iter().enumerate() {
            let Some((all, mean)) = group(rows, range, null, start) else { continue };
            let middle = category as f64 + (index as f64 - (nulls.len() - 1) as f64 / 2.0) * apart;
            // The mean stands beside its points, so that neither hides the other.
            let side = apart * 0.17;
            let single = |quantity: &str, look: Look, points: Vec<Point>| Series {
                quantity: format!("{quantity}, density {}", significant(density, 4)),
                name: format!("{null}, {start}"),
                look,
                points,
            };
            let points = all.iter().map(|&accuracy| Point { x: middle - side, y: accuracy, bar: None, n: 1 });
            panel.series.push(single("accuracy", light, points.collect()));
            panel.series.push(single("mean accuracy", bold, vec![Point { x: middle + side, ..mean }]));
        }
    }
    panel
}
