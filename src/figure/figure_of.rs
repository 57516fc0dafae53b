//! A figure before it is written: its page, what was drawn, and where that came from.

use super::input::Provenance;
use super::kind::Kind;
use super::page::Page;
use super::panel::Panel;
use serde::Serialize;

/// One thing that was drawn.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Row {
    /// The letter of the panel, `a` where there is only one.
    pub panel: char,
    pub quantity: String,
    pub series: String,
    pub x: f64,
    pub y: f64,
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub n: usize,
}

/// A figure before it is written.
pub(super) struct Figure {
    pub kind: Kind,
    pub page: Page,
    pub rows: Vec<Row>,
    pub used: Vec<Provenance>,
    pub description: String,
    /// What `plot` was given: a folder, or the name of a table.
    pub source: String,
}

impl Figure {
    /// A figure whose table holds every point of its panels.
    pub fn of(kind: Kind, page: Page, used: Vec<Provenance>, description: &str) -> Self {
        let mut panels: Vec<&Panel> = page.columns.iter().flatten().collect();
        panels.sort_by_key(|panel| panel.letter);
        let rows = panels
            .into_iter()
            .flat_map(|panel| {
                let inner = panel.inner.as_ref().map(|inner| (panel.letter, &inner.panel));
                std::iter::once((panel.letter, panel)).chain(inner)
            })
            .map(|(letter, panel)| (letter.unwrap_or('a'), panel))
            .flat_map(|(letter, panel)| rows_of(letter, panel))
            .collect();
        Self { kind, page, rows, used, description: description.to_owned(), source: "DIR".to_owned() }
    }
}

/// The fields of a panel's map, and every point of its curves.
fn rows_of(panel: char, from: &Panel) -> Vec<Row> {
    let fields = from.map.iter().flat_map(|map| {
        map.cells.iter().map(move |cell| Row {
            panel,
            quantity: map.quantity.clone(),
            series: format!("{}={}", map.parameter, cell.at.1),
            x: cell.at.0,
            y: cell.value,
            low: None,
            high: None,
            n: 1,
        })
    });
    let points = from.series.iter().flat_map(|series| {
        series.points.iter().map(move |point| Row {
            panel,
            quantity: series.quantity.clone(),
            series: series.name.clone(),
            x: point.x,
            y: point.y,
            low: point.bar.map(|bar| bar.0),
            high: point.bar.map(|bar| bar.1),
            n: point.n,
        })
    });
    fields.chain(points).collect()
}
