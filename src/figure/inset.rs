//! The key and the notes inside a panel, put where they cover nothing.

use super::canvas::{Align, Canvas, Marker, Stroke};
use super::panel::{Frame, Joined, Key, Panel};
use super::style::Style;
use super::text::CAPITAL;

/// The length of the sample of a curve in a key.
const SAMPLE: f64 = 14.0;
/// From the sample to its text.
const GAP: f64 = 3.5;
/// The distance of the lines, in sizes of the text.
const LEADING: f64 = 1.35;
/// What stays free about the inset.
const MARGIN: f64 = 4.0;

/// A block of lines of text in a panel, with its corner in the panel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Inset {
    pub at: (f64, f64),
    pub width: f64,
    pub height: f64,
}

impl Inset {
    /// The size of a panel's key and notes; none where it has neither.
    pub fn of(panel: &Panel, style: &Style) -> Option<Self> {
        let keys = panel.keys.iter().map(|key| key_width(key, style));
        let notes = panel.notes.iter().map(|(note, _)| note.width() * style.text.note);
        let width = keys.chain(notes).fold(0.0, f64::max);
        let height = panel.keys.len() as f64 * style.text.legend * LEADING
            + panel.notes.len() as f64 * style.text.note * LEADING;
        (height > 0.0).then_some(Self { at: (0.0, 0.0), width, height })
    }

    /// Draws the block; `origin` is the corner of the panel.
    pub fn draw(&self, canvas: &Canvas<'_>, style: &Style, panel: &Panel, origin: (f64, f64)) -> Result<(), String> {
        let left = origin.0 + self.at.0;
        let mut top = origin.1 + self.at.1;
        for key in &panel.keys {
            draw_key(canvas, style, key, (left, top + style.text.legend * LEADING / 2.0))?;
            top += style.text.legend * LEADING;
        }
        for (note, colour) in &panel.notes {
            let baseline = top + style.text.note * (LEADING + CAPITAL) / 2.0;
            canvas.text((left, baseline), note, style.text.note, *colour, Align::Start)?;
            top += style.text.note * LEADING;
        }
        Ok(())
    }
}

/// The width of a line of a legend.
pub(super) fn key_width(key: &Key, style: &Style) -> f64 {
    SAMPLE + GAP + key.text.width() * style.text.legend
}

/// Draws a line of a legend; `at` is the left end of its middle line.
pub(super) fn draw_key(canvas: &Canvas<'_>, style: &Style, key: &Key, at: (f64, f64)) -> Result<(), String> {
    let look = &key.look;
    let stroke = Stroke { colour: look.colour, width: style.lines.data * look.weight, opacity: look.opacity };
    let ends = [at, (at.0 + SAMPLE, at.1)];
    match look.joined {
        Joined::Solid => canvas.line(&ends, stroke)?,
        Joined::Dashed => canvas.dashes(&ends, stroke, 3.2, 1.8)?,
        Joined::No => {}
    }
    if let Some(shape) = look.shape {
        let marker = Marker {
            shape,
            colour: look.colour,
            size: style.markers.size * look.size,
            rim: style.markers.rim,
            open: look.open,
            opacity: look.opacity,
        };
        canvas.marker((at.0 + SAMPLE / 2.0, at.1), &marker)?;
    }
    let baseline = (at.0 + SAMPLE + GAP, at.1 + style.text.legend * CAPITAL / 2.0);
    canvas.text(baseline, &key.text, style.text.legend, style.colours.ink, Align::Start)
}

fn overlap(a: &Frame, b: &Frame) -> bool {
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}

/// The first place for the block that touches no obstacle: corners first, then a grid.
pub(super) fn free_place(inset: &Inset, frame: &Frame, obstacles: &[Frame]) -> Option<(f64, f64)> {
    let far = MARGIN + 2.0;
    let (right, bottom) = (frame.right - inset.width - far, frame.bottom - inset.height - MARGIN);
    let (left, top) = (frame.left + far, frame.top + MARGIN);
    if right < left || bottom < top {
        return None;
    }
    let corners = [(right, top), (left, top), (right, bottom), (left, bottom)];
    let steps = 12;
    let along = |from: f64, to: f64, step: usize| from + (to - from) * step as f64 / f64::from(steps);
    let grid = (0..=steps as usize)
        .flat_map(|row| (0..=steps as usize).map(move |column| (row, column)))
        .map(|(row, column)| (along(right, left, column), along(top, bottom, row)));
    corners.into_iter().chain(grid).find(|&(x, y)| {
        let block = Frame { left: x - 2.0, top: y - 1.0, right: x + inset.width + 2.0, bottom: y + inset.height + 1.0 };
        obstacles.iter().all(|obstacle| !overlap(&block, obstacle))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_goes_where_nothing_is() {
        let frame = Frame { left: 0.0, top: 0.0, right: 100.0, bottom: 100.0 };
        let inset = Inset { at: (0.0, 0.0), width: 30.0, height: 20.0 };
        assert_eq!(free_place(&inset, &frame, &[]), Some((64.0, 4.0)));
        let upper = Frame { left: 0.0, top: 0.0, right: 100.0, bottom: 60.0 };
        assert_eq!(free_place(&inset, &frame, &[upper]), Some((64.0, 76.0)));
        assert_eq!(free_place(&inset, &frame, &[frame]), None);
        let hole = |left, right| Frame { left, top: 0.0, right, bottom: 100.0 };
        let (x, _) = free_place(&inset, &frame, &[hole(0.0, 30.0), hole(70.0, 100.0)]).unwrap();
        assert!(x >= 32.0 && x + 30.0 <= 68.0, "{x}");
        let wide = Inset { width: 99.0, ..inset };
        assert_eq!(free_place(&wide, &frame, &[]), None);
    }
}
