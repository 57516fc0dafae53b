//! The order parameter: m, the entropies, P_inf with the outputs reached, and chi, against density.

use super::axis::Spacing;
use super::curves::{Curve, Key as CurveKey, curves};
use super::error::FigureError;
use super::figure_of::Figure;
use super::input::Input;
use super::kind::Kind;
use super::page::Page;
use super::panel::Panel;
use super::series::{Joined, Key, Look, Series};
use super::sources::Sources;
use super::style::{Preset, Style};
use super::text::Rich;

/// One quantity of a panel.
pub(super) struct Quantity {
    pub column: &'static str,
    pub name: &'static str,
    pub label: &'static str,
    /// Drawn with open markers and dashes, as the second quantity of its panel.
    second: bool,
    /// Shown as a share of the largest value in the table.
    share: bool,
}

impl Quantity {
    pub const fn new(column: &'static str, name: &'static str, label: &'static str) -> Self {
        Self { column, name, label, second: false, share: false }
    }
}

/// A table with its curves.
pub(super) struct Curves {
    pub input: Input,
    pub density: Vec<f64>,
    pub curves: Vec<Curve>,
}

impl Curves {
    pub fn read(input: Input) -> Result<Self, FigureError> {
        Ok(Self { density: input.table.numbers("density")?, curves: curves(&input.table)?, input })
    }
}

/// Draws the figure from the tables that are there.
pub(super) fn draw(sources: &Sources, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    let read = |found: &Option<super::input::Found>| -> Result<Option<Curves>, FigureError> {
        found.as_ref().map(|found| Curves::read(found.table()?)).transpose()
    };
    let (levels, percolation) = (read(&sources.levels)?, read(&sources.percolation)?);
    let mut keys: Vec<CurveKey> = Vec::new();
    for curve in levels.iter().chain(&percolation).flat_map(|table| &table.curves) {
        if !keys.contains(&curve.key) {
            keys.push(curve.key.clone());
        }
    }
    if let Some(table) = levels.iter().chain(&percolation).find(|_| keys.len() > style.curves()) {
        return Err(FigureError::TooManyCurves {
            path: table.input.table.path().to_path_buf(),
            found: keys.len(),
            most: style.curves(),
        });
    }

    let mut panels = Vec::new();
    if let Some(table) = &levels {
        panels.push(panel(table, &keys, style, preset, "*m*", &[Quantity::new("m", "m", "*m*")])?);
        let entropies = [
            Quantity::new("prediction_entropy", "prediction entropy", "predictions"),
            Quantity { second: true, ..Quantity::new("outcome_entropy", "outcome entropy", "outcomes") },
        ];
        panels.push(panel(table, &keys, style, preset, "entropy (nats)", &entropies)?);
    }
    if let Some(table) = &percolation {
        let shares = [
            Quantity::new("p_inf", "P_inf", "*P*_∞"),
            Quantity {
                second: true,
                share: true,
                ..Quantity::new("outputs_reached", "outputs reached", "outputs reached")
            },
        ];
        panels.push(panel(table, &keys, style, preset, "fraction", &shares)?);
        panels.push(panel(table, &keys, style, preset, "*χ*", &[Quantity::new("chi", "chi", "*χ*")])?);
    }

    let mut page = Page::of(panels, preset.columns);
    page.share_x();
    page.legend = keys
        .iter()
        .enumerate()
        .map(|(index, key)| Key { text: key.label(&keys), look: Look::of(style, index) })
        .collect();
    let used = levels.into_iter().chain(percolation).map(|table| table.input.provenance).collect();
    let description = "Against density: m; entropies of the predictions and of the outcomes in nats; P_inf and the \
        outputs reached as a fraction of the most in the table; chi. Means over replicates; bars are standard errors \
        of the mean.";
    Ok(Figure::of(Kind::OrderParameter, page, used, description))
}

/// The quantities of one panel against density.
pub(super) fn panel(
    table: &Curves,
    keys: &[CurveKey],
    style: &Style,
    preset: &Preset,
    y_label: &str,
    quantities: &[Quantity],
) -> Result<Panel, FigureError> {
    let mut series = Vec::new();
    let mut legend = Vec::new();
    for quantity in quantities {
        let mut values = table.input.table.optional_numbers(quantity.column)?;
        if quantity.share {
            let most = values.iter().flatten().copied().fold(0.0, f64::max);
            if most > 0.0 {
                values.iter_mut().flatten().for_each(|value| *value /= most);
            }
        }
        for curve in &table.curves {
            let index = keys.iter().position(|key| *key == curve.key).unwrap_or(0);
            let look = looking(Look::of(style, index), quantity.second);
            let points = curve.averaged(&table.density, &values);
            series.push(Series { quantity: quantity.name.to_owned(), name: curve.key.name(), look, points });
        }
        let ink = Look { colour: style.colours.ink, shape: Some(style.shape(0)), ..Look::of(style, 0) };
        legend.push(Key { text: Rich::parse(quantity.label), look: looking(ink, quantity.second) });
    }
    if series.iter().all(|series| series.points.iter().all(|point| point.x <= 0.0)) {
        return Err(FigureError::NoPoints {
            path: table.input.table.path().to_path_buf(),
            reason: format!("no positive density with a value of {}", quantities[0].column),
        });
    }
    let (x, y) = Panel::axes_of(&series, Spacing::Log, Spacing::Linear);
    let mut panel = Panel::new(preset.panel_height, Rich::parse("density"), Rich::parse(y_label), x, y);
    panel.series = series;
    if quantities.len() > 1 {
        panel.keys = legend;
    }
    Ok(panel)
}

fn looking(look: Look, second: bool) -> Look {
    if second { Look { open: true, joined: Joined::Dashed, ..look } } else { look }
}
