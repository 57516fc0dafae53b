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
}

impl Figure {
    /// A figure whose table holds every point of its panels.
    pub fn of(kind: Kind, page: Page, used: Vec<Provenance>, description: &str) -> Self {
        let mut panels: Vec<&Panel> = page.columns.iter().flatten().collect();
        panels.sort_by_key(|panel| panel.letter);
        let rows = panels
            .into_iter()
            .flat_map(|panel| panel.series.iter().map(move |series| (panel.letter.unwrap_or('a'), series)))
            .flat_map(|(panel, series)| {
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
            })
            .collect();
        Self { kind, page, rows, used, description: description.to_owned() }
    }

    /// What the SVG says about itself: one line of text a fact.
    pub fn provenance(&self) -> String {
        let mut lines = vec![format!("prunephase {}", env!("CARGO_PKG_VERSION")), format!("figure {}", self.kind)];
        lines.extend(self.used.iter().map(|file| format!("{} blake3 {}", file.name, file.checksum)));
        lines.join("\n")
    }
}
