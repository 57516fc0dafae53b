//! m over density and width, with the lines where m and P_inf are one half.

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

fn rows(input: &Input, column: &str) -> Result<Vec<Rows>, FigureError> {
    let (density, value) = (input.table.numbers("density")?, input.table.optional_numbers(column)?);
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

/// Draws the figure.
pub(super) fn draw(sources: &Sources, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    let missing = |missing: String| FigureError::Missing { figure: Kind::PhaseDiagram.name(), missing };
    let levels = sources.levels.as_ref().ok_or_else(|| missing("no levels.csv".into()))?.table()?;
    let percolation = sources.percolation.as_ref().map(|found| found.table()).transpose()?;
    let of_m = rows(&levels, "m")?;
    let of_p = percolation.as_ref().map(|input| rows(input, "p_inf")).transpose()?.unwrap_or_default();
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
            let of = |all: &'_ [Rows]| -> Vec<usize> { (0..all.len()).filter(|&at| all[at].names == *names).collect() };
            let m: Vec<&Rows> = of(&of_m).into_iter().map(|at| &of_m[at]).collect();
            let p: Vec<&Rows> = of(&of_p).into_iter().map(|at| &of_p[at]).collect();
            let mut panel = panel(&m, &p, style, preset);
            panel.title = several.then(|| Rich::plain(names.join(" ")));
            panel
        })
        .collect();
    let mut page = Page::of(panels, preset.columns);
    page.legend = vec![Key { text: Rich::parse("*m* = 1/2"), look: look_m(style) }];
    if !of_p.is_empty() {
        page.legend.push(Key { text: Rich::parse("*P*_∞ = 1/2"), look: look_p(style) });
    }
    let used = [Some(levels), percolation].into_iter().flatten().map(|input| input.provenance).collect();
    let description = "m, the mean over replicates, over density and width, both in logarithms; fields reach half way to \
        their neighbours. Lines: where m and P_inf pass one half, between levels by a line in ln density.";
    Ok(Figure::of(Kind::PhaseDiagram, page, used, description))
}

fn look_m(style: &Style) -> Look {
    Look { weight: 1.4, size: 1.1, ..Look::of(style, 1) }
}

fn look_p(style: &Style) -> Look {
    Look { weight: 1.4, size: 1.1, joined: Joined::Dashed, ..Look::of(style, 2) }
}

fn panel(m: &[&Rows], p: &[&Rows], style: &Style, preset: &Preset) -> Panel {
    let widths: BTreeSet<u64> = m.iter().map(|rows| rows.width.to_bits()).collect();
    let widths: Vec<f64> = widths.into_iter().map(f64::from_bits).collect();
    let heights = edges(&widths, Spacing::Log);
    let mut cells = Vec::new();
    for rows in m {
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
    let line = |rows: &[&Rows], quantity: &str, look: Look| {
        let points = rows.iter().filter_map(|rows| Some(Point::new(half(&rows.points)?, rows.width)));
        Series::new(quantity, "width at the density x", look, points.collect())
    };
    let x = Axis::covering(Spacing::Log, cells.iter().flat_map(|cell| [cell.x.0, cell.x.1]), 0.0);
    let y = Axis::covering(Spacing::Log, cells.iter().flat_map(|cell| [cell.y.0, cell.y.1]), 0.0);
    let most = cells.iter().map(|cell| cell.value).fold(1.0, f64::max);
    let scale = Axis { spacing: Spacing::Linear, low: 0.0, high: most };
    let map = Map { quantity: "m".into(), parameter: "W".into(), cells, scale, label: Rich::parse("*m*") };
    let mut panel = Panel::new(preset.panel_height * 1.4, Rich::plain("density"), Rich::parse("width *W*"), x, y);
    panel.map = Some(map);
    panel.series = vec![line(m, "m = 1/2", look_m(style)), line(p, "P_inf = 1/2", look_p(style))];
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
