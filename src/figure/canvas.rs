//! Lines, markers and text in points on a plotters drawing area.

use plotters::coord::Shift;
use plotters::prelude::{
    Circle, Color as _, DrawingArea, IntoDrawingArea, PathElement, Polygon, RGBAColor, RGBColor, SVGBackend,
    ShapeStyle, Text, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontFamily, FontStyle, FontTransform};

use super::colour::Colour;
use super::style::Shape;
use super::text::{self, Rich};

/// plotters' SVG has whole pixels, so a point is this many of them.
pub(super) const PER_POINT: f64 = 100.0;
/// plotters' SVG divides the size of a font by this.
const FONT_FACTOR: f64 = 1.24;
/// plotters' SVG sets the baseline this many ems below a `VPos::Top`.
const TOP_TO_BASELINE: f64 = 0.76;

/// Where a text stands about its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Start,
    Middle,
    End,
}

/// How a line looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stroke {
    pub colour: Colour,
    pub width: f64,
}

impl Stroke {
    pub fn new(colour: Colour, width: f64) -> Self {
        Self { colour, width }
    }
}

type Drawing = Result<(), String>;

/// A page in points, y down.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    paper: Colour,
}

fn pixel((x, y): (f64, f64)) -> (i32, i32) {
    ((x * PER_POINT).round() as i32, (y * PER_POINT).round() as i32)
}

/// Everything is opaque: transparency slows printers down and, in grey, blends colours that differ.
fn opaque(colour: Colour) -> RGBAColor {
    RGBColor::from(colour).to_rgba()
}

impl<'a> Canvas<'a> {
    /// An empty page that is written into `buffer`.
    pub fn new(buffer: &'a mut String, width: f64, height: f64, paper: Colour) -> Result<Self, String> {
        if !text::register_fonts() {
            return Err("the bundled font is damaged".into());
        }
        let size = ((width * PER_POINT).round() as u32, (height * PER_POINT).round() as u32);
        let canvas = Self { area: SVGBackend::with_string(buffer, size).into_drawing_area(), paper };
        canvas.area.fill(&RGBColor::from(paper)).map_err(|error| error.to_string())?;
        Ok(canvas)
    }

    /// A line through points.
    pub fn line(&self, points: &[(f64, f64)], stroke: Stroke) -> Drawing {
        let style = ShapeStyle {
            color: opaque(stroke.colour),
            filled: false,
            stroke_width: (stroke.width * PER_POINT).round() as u32,
        };
        let points: Vec<(i32, i32)> = points.iter().map(|&point| pixel(point)).collect();
        self.area.draw(&PathElement::new(points, style)).map_err(|error| error.to_string())
    }

    /// A line of dashes, `on` and `off` points long.
    pub fn dashes(&self, points: &[(f64, f64)], stroke: Stroke, on: f64, off: f64) -> Drawing {
        let mut left = on;
        let mut drawn = true;
        let mut dash: Vec<(f64, f64)> = points.first().copied().into_iter().collect();
        for pair in points.windows(2) {
            let (mut from, to) = (pair[0], pair[1]);
            loop {
                let length = (to.0 - from.0).hypot(to.1 - from.1);
                if length <= left {
                    left -= length;
                    dash.push(to);
                    break;
                }
                let share = left / length;
                from = (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share);
                dash.push(from);
                if drawn {
                    self.line(&dash, stroke)?;
                }
                drawn = !drawn;
                left = if drawn { on } else { off };
                dash = vec![from];
            }
        }
        if drawn && dash.len() > 1 { self.line(&dash, stroke) } else { Ok(()) }
    }

    /// A filled polygon.
    pub fn fill(&self, points: &[(f64, f64)], colour: Colour) -> Drawing {
        let points: Vec<(i32, i32)> = points.iter().map(|&point| pixel(point)).collect();
        self.area.draw(&Polygon::new(points, opaque(colour).filled())).map_err(|error| error.to_string())
    }

    /// A filled rectangle.
    pub fn rectangle(&self, (left, top, right, bottom): (f64, f64, f64, f64), colour: Colour) -> Drawing {
        self.fill(&[(left, top), (right, top), (right, bottom), (left, bottom)], colour)
    }

    fn shape(&self, at: (f64, f64), shape: Shape, radius: f64, colour: Colour) -> Drawing {
        match corners(shape) {
            None => self
                .area
                .draw(&Circle::new(pixel(at), (radius * PER_POINT).round() as u32, opaque(colour).filled()))
                .map_err(|error| error.to_string()),
            Some(corners) => {
                let points: Vec<(f64, f64)> =
                    corners.iter().map(|(x, y)| (at.0 + x * radius, at.1 + y * radius)).collect();
                self.fill(&points, colour)
            }
        }
    }

    /// A marker of a diameter with a rim of the colour of the paper; an open one has it inside too.
    pub fn marker(&self, at: (f64, f64), marker: &Marker) -> Drawing {
        let radius = marker.size / 2.0;
        self.shape(at, marker.shape, radius + marker.rim, self.paper)?;
        self.shape(at, marker.shape, radius, marker.colour)?;
        if marker.open {
            // Corners of a polygon thin out towards its tips: its edge keeps a width of about 0.8 points.
            let inner = match marker.shape {
                Shape::Circle => radius - 0.75,
                Shape::Triangle | Shape::DownTriangle => radius - 1.25,
                _ => radius - 1.0,
            };
            let least = if marker.shape == Shape::Circle { 0.5 } else { 0.3 };
            self.shape(at, marker.shape, inner.max(radius * least), self.paper)?;
        }
        Ok(())
    }

    /// A line of text whose baseline starts, has its middle or ends at a point.
    pub fn text(&self, at: (f64, f64), rich: &Rich, size: f64, colour: Colour, align: Align) -> Drawing {
        self.runs(at, rich, size, colour, align, false)
    }

    /// As [`Canvas::text`], upwards.
    pub fn text_upwards(&self, at: (f64, f64), rich: &Rich, size: f64, colour: Colour, align: Align) -> Drawing {
        self.runs(at, rich, size, colour, align, true)
    }

    fn runs(&self, at: (f64, f64), rich: &Rich, size: f64, colour: Colour, align: Align, upwards: bool) -> Drawing {
        let mut along = -size
            * rich.width()
            * match align {
                Align::Start => 0.0,
                Align::Middle => 0.5,
                Align::End => 1.0,
            };
        for run in &rich.runs {
            // SVG drops spaces at the ends of a text, so they become distance.
            let trimmed = run.text.trim_start();
            let lead = super::text::Run { text: run.text[..run.text.len() - trimmed.len()].into(), ..run.clone() };
            let start = along + lead.width() * size;
            along += run.width() * size;
            if trimmed.trim_end().is_empty() {
                continue;
            }
            let em = run.size * size;
            let top = -run.rise * size - TOP_TO_BASELINE * em;
            let corner = if upwards { (at.0 + top, at.1 - start) } else { (at.0 + start, at.1 + top) };
            let style = if run.italic { FontStyle::Italic } else { FontStyle::Normal };
            let font = FontDesc::new(FontFamily::Name(text::FAMILY), em * PER_POINT * FONT_FACTOR, style);
            let transform = if upwards { FontTransform::Rotate270 } else { FontTransform::None };
            let colour = RGBColor::from(colour);
            let style = TextStyle::from(font.transform(transform)).color(&colour).pos(Pos::new(HPos::Left, VPos::Top));
            self.area
                .draw(&Text::new(trimmed.trim_end().to_owned(), pixel(corner), style))
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

/// How a marker looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marker {
    pub shape: Shape,
    pub colour: Colour,
    pub size: f64,
    pub rim: f64,
    pub open: bool,
}

/// The corners of a marker of radius 1, of about the same area as the disc; none for the disc.
fn corners(shape: Shape) -> Option<Vec<(f64, f64)>> {
    match shape {
        Shape::Circle => None,
        Shape::Square => Some(vec![(-0.89, -0.89), (0.89, -0.89), (0.89, 0.89), (-0.89, 0.89)]),
        Shape::Triangle => Some(vec![(0.0, -1.3), (1.17, 0.75), (-1.17, 0.75)]),
        Shape::DownTriangle => Some(vec![(0.0, 1.3), (1.17, -0.75), (-1.17, -0.75)]),
        Shape::Diamond => Some(vec![(0.0, -1.28), (1.28, 0.0), (0.0, 1.28), (-1.28, 0.0)]),
        Shape::Pentagon => Some(vec![(0.0, -1.15), (1.094, -0.355), (0.676, 0.93), (-0.676, 0.93), (-1.094, -0.355)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_have_their_length_around_corners() {
        let mut buffer = String::new();
        {
            let canvas = Canvas::new(&mut buffer, 20.0, 20.0, Colour(255, 255, 255)).unwrap();
            let stroke = Stroke::new(Colour(0, 0, 0), 1.0);
            canvas.dashes(&[(0.0, 0.0), (5.0, 0.0), (5.0, 5.0)], stroke, 4.0, 2.0).unwrap();
        }
        let dashes: Vec<&str> = buffer.lines().filter(|line| line.starts_with("<polyline")).collect();
        assert_eq!(dashes.len(), 2, "{buffer}");
        assert!(dashes[0].contains("points=\"0,0 400,0 \""), "{}", dashes[0]);
        assert!(dashes[1].contains("points=\"500,100 500,500 \""), "{}", dashes[1]);
    }
}
