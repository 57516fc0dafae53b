//! A page of panels in columns, with one legend above them.

use super::axis::Axis;
use super::canvas::{Align, Canvas};
use super::inset::{below_axis, draw_key, key_width};
use super::panel::{Frame, Panel};
use super::series::Key;
use super::style::Style;
use super::text::{CAPITAL, Rich};

/// The distance of two lines of a legend, in sizes of its text.
const LEGEND_LEADING: f64 = 1.5;
/// Between entries of a legend.
const LEGEND_GAP: f64 = 11.0;
/// Between panels that share an axis.
pub(super) const SHARED_GAP: f64 = 6.0;
/// What the page keeps free on the right of each column, for half a number.
const RIGHT: f64 = 5.0;
/// Between columns.
const COLUMN_GAP: f64 = 10.0;
const EDGE: f64 = 2.0;

/// What a figure shows.
#[derive(Debug, Clone, Default)]
pub(super) struct Page {
    /// Panels from top to bottom, in columns from left to right.
    pub columns: Vec<Vec<Panel>>,
    /// What the curves of the whole page are.
    pub legend: Vec<Key>,
    /// What must not be overlooked, in the colour of warnings, above all.
    pub warning: Option<String>,
}

/// A page as SVG from plotters, in pixels, with its size in points.
pub(super) struct Drawn {
    pub svg: String,
    pub width: f64,
    pub height: f64,
    /// Where the points of its curves are, in points from the left and the top.
    pub spots: Vec<Spot>,
}

/// A point of a curve on the page, and its values in words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spot {
    pub at: (f64, f64),
    pub says: String,
}

impl Page {
    /// Sorts panels into columns, row by row, and letters them where there are several.
    pub fn of(panels: Vec<Panel>, columns: usize) -> Self {
        let columns = columns.clamp(1, panels.len().max(1));
        let many = panels.len() > 1;
        let mut page = Self { columns: vec![Vec::new(); columns], ..Self::default() };
        for (index, mut panel) in panels.into_iter().enumerate() {
            panel.letter = many.then(|| char::from(b'a' + (index % 26) as u8));
            page.columns[index % columns].push(panel);
        }
        page
    }

    /// Panels in columns of their own, lettered column by column.
    pub fn of_columns(columns: Vec<Vec<Panel>>) -> Self {
        let mut page = Self { columns, ..Self::default() };
        let many = page.columns.iter().flatten().count() > 1;
        for (index, panel) in page.columns.iter_mut().flatten().enumerate() {
            panel.letter = many.then(|| char::from(b'a' + (index % 26) as u8));
        }
        page
    }

    /// Gives the panels of each column one x axis, shown at the lowest.
    pub fn share_x(&mut self) {
        for column in &mut self.columns {
            let Some(last) = column.len().checked_sub(1) else { continue };
            let axes: Vec<Axis> = column.iter().map(|panel| panel.x).collect();
            let ends = axes.iter().flat_map(|axis| [axis.low, axis.high]);
            let shared = Axis::covering(axes[0].spacing, ends, 0.0);
            for (index, panel) in column.iter_mut().enumerate() {
                panel.x = shared;
                panel.x_shown = index == last;
            }
        }
    }

    /// Draws the page `width` points wide.
    pub fn draw(mut self, style: &Style, width: f64) -> Result<Drawn, String> {
        let label = style.text.label;
        let columns = self.columns.len().max(1);
        let column_width = (width - 2.0 * EDGE - COLUMN_GAP * (columns - 1) as f64) / columns as f64;
        let below_axis = below_axis(style);

        // Scales of maps stand in one line too.
        let rights: Vec<f64> = self
            .columns
            .iter()
            .map(|column| RIGHT + column.iter().map(|panel| panel.right_margin(style)).fold(0.0, f64::max))
            .collect();
        // Room for notes is made before the numbers at the axis are measured: it changes them.
        let mut insets = Vec::new();
        for (column, right) in self.columns.iter_mut().zip(&rights) {
            let rough = column.iter().map(|panel| panel.left_margin(style)).fold(0.0, f64::max);
            insets.push(
                column.iter_mut().map(|panel| panel.make_room(style, column_width - rough - right)).collect::<Vec<_>>(),
            );
        }
        let margins: Vec<f64> = self
            .columns
            .iter()
            .map(|column| column.iter().map(|panel| panel.left_margin(style)).fold(0.0, f64::max))
            .collect();

        let legend_left = EDGE + margins.first().copied().unwrap_or(0.0);
        let rows = legend_rows(&self.legend, style, width - legend_left - EDGE);
        let mut head = EDGE + 2.0;
        let warning_at = head + label * CAPITAL;
        if self.warning.is_some() {
            head += label * LEGEND_LEADING;
        }
        let legend_at = head;
        head += rows.len() as f64 * style.text.legend * LEGEND_LEADING;
        if !rows.is_empty() {
            head += 2.0;
        }

        let above = |panel: &Panel| if panel.title.is_some() { label + 4.0 } else { 0.0 };
        let below = |panel: &Panel, index: usize| {
            let names = panel.below_names(style, column_width - margins[index] - rights[index]);
            match (panel.x_shown, panel.x_label.runs.is_empty()) {
                (true, false) => below_axis + names + 6.0,
                (true, true) => below_axis + names - label,
                (false, _) => SHARED_GAP,
            }
        };
        let high = |(index, column): (usize, &Vec<Panel>)| -> f64 {
            column.iter().map(|panel| above(panel) + panel.height + below(panel, index)).sum()
        };
        let body = self.columns.iter().enumerate().map(high).fold(0.0, f64::max);
        let height = head + body - 6.0 + EDGE;

        let mut svg = String::new();
        let mut spots = Vec::new();
        {
            let canvas = Canvas::new(&mut svg, width, height, style.colours.paper)?;
            if let Some(warning) = &self.warning {
                let at = (legend_left, warning_at);
                canvas.text(at, &Rich::plain(warning.as_str()), label, style.colours.warning, Align::Start)?;
            }
            for (row, keys) in rows.iter().enumerate() {
                let middle = legend_at + (row as f64 + 0.5) * style.text.legend * LEGEND_LEADING;
                for &(left, key) in keys {
                    draw_key(&canvas, style, key, (legend_left + left, middle))?;
                }
            }
            for (index, column) in self.columns.iter().enumerate() {
                let edge = EDGE + index as f64 * (column_width + COLUMN_GAP);
                let mut top = head;
                for (panel, inset) in column.iter().zip(&insets[index]) {
                    top += above(panel);
                    let frame = Frame {
                        left: edge + margins[index],
                        top,
                        right: edge + column_width - rights[index],
                        bottom: top + panel.height,
                    };
                    panel.draw(&canvas, style, &frame, inset, edge)?;
                    spots.extend(panel.spots(&frame));
                    top = frame.bottom + below(panel, index);
                }
            }
        }
        Ok(Drawn { svg, width, height, spots })
    }
}

/// The entries of a legend in rows, each with its distance from the left.
fn legend_rows<'k>(legend: &'k [Key], style: &Style, width: f64) -> Vec<Vec<(f64, &'k Key)>> {
    let mut rows: Vec<Vec<(f64, &Key)>> = Vec::new();
    let mut left = 0.0;
    for key in legend {
        let needs = key_width(key, style);
        match rows.last_mut() {
            Some(row) if left + needs <= width => row.push((left, key)),
            _ => {
                left = 0.0;
                rows.push(vec![(0.0, key)]);
            }
        }
        left += needs + LEGEND_GAP;
    }
    rows
}
