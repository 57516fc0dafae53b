//! Curves: their points with error bars, and how they look in a panel and in its key.

use super::canvas::Marker;
use super::colour::Colour;
use super::style::{Shape, Style};
use super::text::Rich;

/// How the points of a curve are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joined {
    No,
    Solid,
    Dashed,
}

/// A value with the ends of its error bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub x: f64,
    pub y: f64,
    pub bar: Option<(f64, f64)>,
    /// How many observations it stands for.
    pub n: usize,
}

impl Point {
    /// A value plus or minus an error, where there is one.
    pub fn with_error(x: f64, y: f64, error: Option<f64>, n: usize) -> Self {
        Self { x, y, bar: error.map(|error| (y - error, y + error)), n }
    }

    /// A value alone.
    pub fn new(x: f64, y: f64) -> Self {
        Self { x, y, bar: None, n: 1 }
    }

    /// The value and the ends of its bar.
    pub fn heights(&self) -> impl Iterator<Item = f64> {
        let (low, high) = self.bar.unwrap_or((self.y, self.y));
        [self.y, low, high].into_iter()
    }
}

/// How a curve looks, in the panel and in its key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub colour: Colour,
    pub shape: Option<Shape>,
    pub open: bool,
    pub joined: Joined,
    /// The size of the marker, in those of the style.
    pub size: f64,
    /// The width of the line and the bar, in those of the style.
    pub weight: f64,
    /// Whether the bars are joined to a band.
    pub band: bool,
}

impl Look {
    /// The look of the curve of that number.
    pub fn of(style: &Style, index: usize) -> Self {
        Self {
            colour: style.colour(index),
            shape: Some(style.shape(index)),
            open: false,
            joined: Joined::Solid,
            size: 1.0,
            weight: 1.0,
            band: false,
        }
    }

    /// The same as a line without markers.
    pub fn line(self) -> Self {
        Self { shape: None, joined: Joined::Solid, ..self }
    }

    /// The same as markers that are not joined.
    pub fn points(self) -> Self {
        Self { joined: Joined::No, ..self }
    }

    /// Its marker, where it has one.
    pub fn marker(&self, style: &Style) -> Option<Marker> {
        self.shape.map(|shape| Marker {
            shape,
            colour: self.colour,
            size: style.markers.size * self.size,
            rim: style.markers.rim,
            open: self.open,
        })
    }
}

/// A curve.
#[derive(Debug, Clone)]
pub(super) struct Series {
    /// What is shown, for the table of what was drawn.
    pub quantity: String,
    /// Which curve, for the same table.
    pub name: String,
    pub look: Look,
    pub points: Vec<Point>,
}

impl Series {
    pub fn new(quantity: impl Into<String>, name: impl Into<String>, look: Look, points: Vec<Point>) -> Self {
        Self { quantity: quantity.into(), name: name.into(), look, points }
    }
}

/// A line of a legend.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub text: Rich,
    pub look: Look,
}
