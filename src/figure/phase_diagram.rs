//! m over density and width, with the lines where function and graph are half lost.

use std::collections::BTreeSet;

use super::axis::{Axis, Spacing};
use super::curves::{Curve, curves};
use super::error::FigureError;
use super::figure_of::Figure;
use super::input::Input;
use super::kind::Kind;
use super::map::{Cell, Map, edges};
use super::page::Page;
use super::panel::Panel;
use super::series::{Joined, Key, Look, Point, Series};
use super::sources::Sources;
use super::style::{Preset, Style};
use super::text::Rich;
use crate::scaling::first_fall;

/// The value at a line of the diagram.
const HALF: f64 = 0.5;

/// The means of a column for every width of one data set and architecture, densities ascending.
struct Rows {
    names: Vec<String>,
    width: f64,
    points: Vec<Point>,
}

fn rows(input: &Input, column: &str, of: impl Fn(f64) -> f64) -> Result<Vec<Rows>, FigureError> {
    let (density, value) = (input.table.numbers("density")?, input.table.optional_numbers(column)?);
    let value: Vec<Option<f64>> = value.into_iter().map(|value| value.map(&of)).collect();
    let row = |curve: Curve| {
        let mut points = curve.averaged(&density, &value);
        points.retain(|point| point.x > 0.0);
        Some(Rows { names: curve.key.names.clone(), width: curve.key.width?, points })
    };
    Ok(curves(&input.table)?.into_iter().filter_map(row).filter(|rows| !rows.points.is_empty()).collect())
}

/// The density where a curve, its points by rising density, falls through one half.
fn half(points: &[Point]) -> Option<f64> {
    first_fall(&points.iter().rev().map(|point| (point.x, point.y)).collect::<Vec<_>>(), HALF)
}

/// A line of the diagram: where the mean of a quantity over the replicates is one half.
struct Line {
    /// In the CSV beside the figure.
    name: &'static str,
    label: &'static str,
    rows: Vec<Rows>,
}

impl Line {
    /// The number of the line, its colour and marker.
    fn look(number: usize, style: &Style) -> Look {
        let joined = if number == 0 { Joined::Solid } else { Joined::Dashed };
        Look { weight: 1.4, size: 1.1, joined, ..Look::of(style, number + 1) }
    }
}

/// The lines of the graph: of P_inf, of the outputs that are reached, and of the replicates with any path.
fn graph_lines(input: &Input) -> Result<Vec<Line>, FigureError> {
    let reached = input.table.optional_numbers("outputs_reached")?;
    let outputs = reached.into_iter().flatten().fold(1.0, f64::max);
    Ok(vec![
        Line { name: "P_inf = 1/2", label: "*P*_∞ = 1/2", rows: rows(input, "p_inf", |value| value)? },
        Line {
            name: "outputs reached = 1/2",
            label: "outputs reached = 1/2",
            rows: rows(input, "outputs_reached", |value| value / outputs)?,
        },
        Line {
            name: "any path = 1/2",
            label: "any path = 1/2",
            rows: rows(input, "outputs_reached", |value| f64::from(u8::from(value > 0.0)))?,
        },
    ])
}

/// Draws the figure.
pub(super) fn draw(sources: &Sources, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    let missing = |missing: String| FigureError::Missing { figure: Kind::PhaseDiagram.name(), missing };
    let levels = sources.levels.as_ref().ok_or_else(|| missing("no levels.csv".into()))?.table()?;
    let percolation = sources.percolation.as_ref().map(|found| found.table()).transpose()?;
    let mut lines = vec![Line { name: "m = 1/2", label: "*m* = 1/2", rows: rows(&levels, "m", |value| value)? }];
    lines.extend(percolation.as_ref().map(graph_lines).transpose()?.into_iter().flatten());
    let of_m = &lines[0].rows;
    let mut systems: Vec<&Vec<String>> = of_m.iter().map(|rows| &rows.names).collect();
    systems.dedup();
    // One width is no second parameter.
    systems.retain(|names| of_m.iter().filter(|rows| rows.names == **names).count() > 1);
    if systems.is_empty() {
        return Err(missing(format!("{} has one width; a diagram needs two or more", levels.provenance.name)));
    }
    let several = systems.len() > 1;
    let panels = systems
        .iter()
        .map(|&names| {
            let mut panel = panel(&lines, names, style, preset);
            panel.title = several.then(|| Rich::plain(names.join(" ")));
            panel
        })
        .collect();
    let mut page = Page::of(panels, preset.columns);
    let key = |(number, line): (usize, &Line)| Key { text: Rich::parse(line.label), look: Line::look(number, style) };
    page.legend = lines.iter().enumerate().map(key).collect();
    let used = [Some(levels), percolation].into_iter().flatten().map(|input| input.provenance).collect();
    let description = "m, the mean over replicates, over density and width, both in logarithms; fields reach half way to \
        their neighbours. Lines, between levels straight in ln density: where m, P_inf, the outputs that are reached \
        as a fraction of the most in the table, and the fraction of the replicates with a path from any input to any output \
        pass one half.";
    Ok(Figure::of(Kind::PhaseDiagram, page, used, description))
}

fn panel(lines: &[Line], names: &[String], style: &Style, preset: &Preset) -> Panel {
    let m: Vec<&Rows> = lines[0].rows.iter().filter(|rows| rows.names == names).collect();
    let widths: BTreeSet<u64> = m.iter().map(|rows| rows.width.to_bits()).collect();
    let widths: Vec<f64> = widths.into_iter().map(f64::from_bits).collect();
    let heights = edges(&widths, Spacing::Log);
    let mut cells = Vec::new();
    for rows in &m {
        let Some(at) = widths.iter().position(|&width| width == rows.width) else { continue };
        let densities: Vec<f64> = rows.points.iter().map(|point| point.x).collect();
        let sides = edges(&densities, Spacing::Log);
        cells.extend(rows.points.iter().enumerate().map(|(index, point)| Cell {
            x: (sides[index], sides[index + 1]),
            y: (heights[at], heights[at + 1]),
            at: (point.x, rows.width),
            value: point.y,
        }));
    }
    let series = |(number, line): (usize, &Line)| {
        let rows = line.rows.iter().filter(|rows| rows.names == names);
        let points = rows.filter_map(|rows| Some(Point::new(half(&rows.points)?, rows.width)));
        Series::new(line.name, "width at the density x", Line::look(number, style), points.collect())
    };
    let x = Axis::covering(Spacing::Log, cells.iter().flat_map(|cell| [cell.x.0, cell.x.1]), 0.0);
    let y = Axis::covering(Spacing::Log, cells.iter().flat_map(|cell| [cell.y.0, cell.y.1]), 0.0);
    let most = cells.iter().map(|cell| cell.value).fold(1.0, f64::max);
    let scale = Axis { spacing: Spacing::Linear, low: 0.0, high: most };
    let map = Map { quantity: "m".into(), parameter: "W".into(), cells, scale, label: Rich::parse("*m*") };
    let mut panel = Panel::new(preset.panel_height * 1.4, Rich::plain("density"), Rich::parse("width *W*"), x, y);
    panel.map = Some(map);
    panel.series = lines.iter().enumerate().map(series).collect();
    panel.y_categories = widths.iter().map(|&width| (width, Rich::plain(width.to_string()))).collect();
    panel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_half_is_passed_between_its_neighbours_in_logarithms() {
        let points = [Point::new(0.01, 0.0), Point::new(0.1, 1.0), Point::new(1.0, 0.9)];
        assert!((half(&points).unwrap() - 10f64.powf(-1.5)).abs() < 1e-12);
        assert_eq!(half(&points[1..]), None);
    }
}
