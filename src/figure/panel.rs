//! One panel: a frame with ticks, curves, and notes where they cover nothing.

use super::axis::{Axis, Spacing, Tick};
use super::colour::Colour;
use super::inset::{self, Inset};
use super::map::Map;
use super::series::{Joined, Key, Point, Series};
use super::style::Style;
use super::text::Rich;

/// One panel of a figure.
#[derive(Debug, Clone)]
pub(super) struct Panel {
    pub letter: Option<char>,
    pub title: Option<Rich>,
    pub x_label: Rich,
    pub y_label: Rich,
    pub x: Axis,
    pub y: Axis,
    /// Numbers and name at the x axis; not where the panel below shares it.
    pub x_shown: bool,
    /// Names at places of the x axis, instead of numbers.
    pub categories: Vec<(f64, Rich)>,
    /// The same at the y axis.
    pub y_categories: Vec<(f64, Rich)>,
    /// Whether it has a frame and ticks.
    pub framed: bool,
    /// Height in points.
    pub height: f64,
    /// Fields of colour below everything else, and what the colours mean.
    pub map: Option<Map>,
    pub series: Vec<Series>,
    /// Shaded ranges of x.
    pub bands: Vec<(f64, f64)>,
    /// Dashed lines across the panel.
    pub verticals: Vec<f64>,
    pub horizontals: Vec<f64>,
    pub keys: Vec<Key>,
    pub notes: Vec<(Rich, Colour)>,
    /// A small panel inside this one, where it covers nothing.
    pub inner: Option<Box<Inner>>,
}

/// A small panel inside another.
#[derive(Debug, Clone)]
pub(super) struct Inner {
    pub panel: Panel,
    /// Its width, in that of the outer frame; its height is its own.
    pub width: f64,
}

/// A rectangle on the page: left, top, right, bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Frame {
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }
}

/// The room that a number at an axis takes along it.
pub(super) const X_APART: f64 = 27.0;
/// The room between two names of categories, points.
const NAME_GAP: f64 = 3.0;
/// Names of categories stand in at most so many rows.
const MOST_NAME_ROWS: f64 = 3.0;
/// The distance of two rows of names, in sizes of their text.
pub(super) const NAME_LEADING: f64 = 1.15;
pub(super) const Y_APART: f64 = 13.0;
/// Between two blocks of text side by side.
const APART: f64 = 8.0;

impl Panel {
    /// A panel without curves.
    pub fn new(height: f64, x_label: Rich, y_label: Rich, x: Axis, y: Axis) -> Self {
        Self {
            letter: None,
            title: None,
            x_label,
            y_label,
            x,
            y,
            x_shown: true,
            categories: Vec::new(),
            y_categories: Vec::new(),
            framed: true,
            height,
            map: None,
            series: Vec::new(),
            bands: Vec::new(),
            verticals: Vec::new(),
            horizontals: Vec::new(),
            keys: Vec::new(),
            notes: Vec::new(),
            inner: None,
        }
    }

    /// Ranges that show every point and error bar of the curves.
    pub fn axes_of(series: &[Series], x: Spacing, y: Spacing) -> (Axis, Axis) {
        let points = || series.iter().flat_map(|series| &series.points);
        let drawn = || points().filter(|point| Axis::has_place(x, point.x) && Axis::has_place(y, point.y));
        // On a logarithmic axis the end of a bar below zero has no place: it runs into the frame.
        (
            Axis::covering(x, drawn().map(|point| point.x), 0.035),
            Axis::covering(y, drawn().flat_map(Point::heights), 0.07),
        )
    }

    /// The ticks of the y axis.
    pub fn y_ticks(&self) -> Vec<Tick> {
        ticks(&self.y, &self.y_categories, self.height, Y_APART)
    }

    /// The ticks of the x axis of a frame of that width.
    pub fn x_ticks(&self, width: f64) -> Vec<Tick> {
        ticks(&self.x, &self.categories, width, X_APART)
    }

    /// The rows that the names below an x axis of categories stand in, by turns, so that none runs into the next.
    pub fn name_rows(&self, style: &Style, width: f64) -> usize {
        let size = style.text.tick;
        let names: Vec<(f64, f64)> = self
            .categories
            .iter()
            .filter_map(|(at, name)| Some((self.x.share(*at)? * width, name.width() * size)))
            .collect();
        let needed = names.windows(2).map(|pair| {
            let ((left, one), (right, other)) = (pair[0], pair[1]);
            ((one + other) / 2.0 + NAME_GAP) / (right - left).abs()
        });
        needed.fold(1.0, f64::max).ceil().min(MOST_NAME_ROWS) as usize
    }

    /// What the names of categories need below the axis beside their first row.
    pub fn below_names(&self, style: &Style, width: f64) -> f64 {
        let rows = if self.x_shown { self.name_rows(style, width) } else { 1 };
        (rows - 1) as f64 * style.text.tick * NAME_LEADING
    }

    /// The width of the widest number at the y axis.
    pub fn widest_number(&self, style: &Style) -> f64 {
        self.y_ticks().iter().filter_map(|tick| tick.label.as_ref()).map(Rich::width).fold(0.0, f64::max)
            * style.text.tick
    }

    /// Makes room above the curves until the notes and the key cover nothing; gives their places.
    pub fn make_room(&mut self, style: &Style, width: f64) -> Vec<Inset> {
        let insets = Inset::of(self, style, width);
        let frame = Frame { left: 0.0, top: 0.0, right: width, bottom: self.height };
        let tight = self.y;
        // Where a guide stands in the way of every place, text may cross it: never a curve.
        for guides_count in [true, false] {
            self.y = tight;
            for _ in 0..16 {
                if let Some(placed) = self.place(&insets, &frame, self.obstacles(style, &frame, guides_count)) {
                    return placed;
                }
                self.y = self.y.with_room(0.05);
            }
        }
        // Wider or higher than the panel itself: a smaller text or a larger panel is needed.
        // One below the other, so that none covers another.
        let mut top = 4.0;
        insets
            .iter()
            .map(|inset| {
                let at = ((frame.right - inset.width - 4.0).max(2.0), top);
                top += inset.height + 2.0;
                Inset { at, ..*inset }
            })
            .collect()
    }

    fn place(&self, insets: &[Inset], frame: &Frame, mut obstacles: Vec<Frame>) -> Option<Vec<Inset>> {
        let mut placed = Vec::new();
        for inset in insets {
            let inset = Inset { at: inset::free_place(inset, frame, &obstacles)?, ..*inset };
            // Two blocks side by side must not read as one.
            let Frame { left, top, right, bottom } = inset.frame();
            obstacles.push(Frame { left: left - APART, top: top - 2.0, right: right + APART, bottom: bottom + 2.0 });
            placed.push(inset);
        }
        Some(placed)
    }

    pub fn at(&self, frame: &Frame, x: f64, y: f64) -> Option<(f64, f64)> {
        let (across, up) = (self.x.share(x)?, self.y.share(y)?);
        let inside = |share: f64| (-1e-9..=1.0 + 1e-9).contains(&share);
        (inside(across) && inside(up))
            .then(|| (frame.left + across * frame.width(), frame.bottom - up * frame.height()))
    }

    /// The ends of an error bar on the page, and whether the lower one is the real one.
    pub fn bar(&self, frame: &Frame, point: &Point) -> Option<(f64, f64, bool)> {
        let (low, high) = point.bar?;
        let height = |share: f64| frame.bottom - share.clamp(0.0, 1.0) * frame.height();
        let top = height(self.y.share(high)?);
        Some(match self.y.share(low) {
            Some(share) if share >= 0.0 => (top, height(share), true),
            _ => (top, frame.bottom, false),
        })
    }

    /// Small boxes about everything that must not be covered.
    fn obstacles(&self, style: &Style, frame: &Frame, guides_count: bool) -> Vec<Frame> {
        let about =
            |(x, y): (f64, f64), half: f64| Frame { left: x - half, top: y - half, right: x + half, bottom: y + half };
        let radius = style.markers.size / 2.0 + 1.0;
        let mut boxes = Vec::new();
        for series in &self.series {
            let mut before: Option<(f64, f64)> = None;
            for point in &series.points {
                let here = self.at(frame, point.x, point.y);
                if let Some(here) = here {
                    if series.look.shape.is_some() {
                        boxes.push(about(here, radius * series.look.size));
                    }
                    if let Some((top, bottom, _)) = self.bar(frame, point) {
                        boxes.push(Frame { left: here.0 - 2.0, top, right: here.0 + 2.0, bottom });
                    }
                    if let Some(before) = before.filter(|_| series.look.joined != Joined::No) {
                        let steps = ((here.0 - before.0).hypot(here.1 - before.1) / 2.0).ceil().max(1.0) as usize;
                        boxes.extend((0..=steps).map(|step| {
                            let share = step as f64 / steps as f64;
                            about((before.0 + (here.0 - before.0) * share, before.1 + (here.1 - before.1) * share), 1.2)
                        }));
                    }
                }
                before = here;
            }
        }
        if !guides_count {
            return boxes;
        }
        let across = |x: f64| self.x.share(x).map(|share| frame.left + share * frame.width());
        boxes.extend(self.verticals.iter().filter_map(|&x| across(x)).map(|x| Frame {
            left: x - 1.0,
            right: x + 1.0,
            top: frame.top,
            bottom: frame.bottom,
        }));
        let up = |y: f64| self.y.share(y).map(|share| frame.bottom - share * frame.height());
        boxes.extend(self.horizontals.iter().filter_map(|&y| up(y)).map(|y| Frame {
            left: frame.left,
            right: frame.right,
            top: y - 1.0,
            bottom: y + 1.0,
        }));
        boxes
    }

    /// What the panel needs to the left of its frame: numbers, name, letter.
    pub fn left_margin(&self, style: &Style) -> f64 {
        let named = self.letter.is_some() || !self.y_label.runs.is_empty();
        self.widest_number(style) + 3.0 + if named { style.text.label + 4.0 } else { 0.0 }
    }

    /// What it needs to the right of its frame: the scale of its map.
    pub fn right_margin(&self, style: &Style) -> f64 {
        self.map.as_ref().map_or(0.0, |map| map.width(style, self.height))
    }
}

/// The ticks of an axis, or its names.
fn ticks(axis: &Axis, categories: &[(f64, Rich)], length: f64, apart: f64) -> Vec<Tick> {
    if categories.is_empty() {
        return axis.ticks(length, apart);
    }
    categories.iter().map(|(value, label)| Tick { value: *value, major: true, label: Some(label.clone()) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::series::Look;
    use proptest::prelude::*;

    fn overlap(a: &Frame, b: &Frame) -> bool {
        a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn notes_cover_no_curve_and_no_point_is_cut(
            ys in proptest::collection::vec(-1.0..3.0f64, 2..40), log: bool, error in 0.0..0.5f64
        ) {
            let style = Style::bundled();
            let spacing = if log { Spacing::Log } else { Spacing::Linear };
            let points: Vec<Point> = ys
                .iter()
                .enumerate()
                .map(|(x, &y)| Point::with_error(x as f64, y, Some(error), 2))
                .collect();
            let series = vec![Series { quantity: "q".into(), name: "s".into(), look: Look::of(&style, 0), points }];
            let (x, y) = Panel::axes_of(&series, Spacing::Linear, spacing);
            let mut panel = Panel::new(92.0, Rich::plain("x"), Rich::plain("y"), x, y);
            panel.keys = vec![Key { text: Rich::plain("a curve"), look: Look::of(&style, 0) }; 2];
            panel.notes = vec![(Rich::plain("a note of some length = 1.23"), style.colours.ink); 2];
            panel.series = series;
            let width = 200.0;
            let placed = panel.make_room(&style, width);
            let frame = Frame { left: 0.0, top: 0.0, right: width, bottom: 92.0 };
            prop_assert_eq!(placed.len(), 2);
            prop_assert!(!overlap(&placed[0].frame(), &placed[1].frame()));
            for inset in &placed {
                let block = inset.frame();
                prop_assert!(block.left > 0.0 && block.top > 0.0 && block.right < width && block.bottom < 92.0);
                for obstacle in panel.obstacles(&style, &frame, true) {
                    prop_assert!(!overlap(&block, &obstacle), "{block:?} covers {obstacle:?}");
                }
            }
            let radius = style.markers.size / 2.0;
            for point in &panel.series[0].points {
                if let Some((x, y)) = panel.at(&frame, point.x, point.y) {
                    prop_assert!(x > radius && x < width - radius && y > radius && y < 92.0 - radius, "{x}, {y}");
                } else {
                    prop_assert!(log && point.y <= 0.0, "{point:?} is not shown");
                }
            }
        }
    }
}
