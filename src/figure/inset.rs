//! The key and the notes inside a panel, put where they cover nothing.

use super::canvas::{Align, Canvas, Stroke};
use super::panel::{Frame, Panel};
use super::series::{Joined, Key};
use super::style::{Style, TextSizes};
use super::text::CAPITAL;

/// The length of the sample of a curve in a key.
const SAMPLE: f64 = 14.0;
/// From the sample to its text.
const GAP: f64 = 3.5;
/// The distance of the lines, in sizes of the text.
const LEADING: f64 = 1.35;
/// What stays free about the inset.
const MARGIN: f64 = 4.0;

/// What a block shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Keys,
    Notes,
    Panel,
}

/// A block of lines of text in a panel, with its corner in the panel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Inset {
    pub content: Content,
    pub at: (f64, f64),
    pub width: f64,
    pub height: f64,
}

impl Inset {
    /// The sizes of a panel's inner panel, its notes and its key, of those that it has; the frame is `width` wide.
    pub fn of(panel: &Panel, style: &Style, width: f64) -> Vec<Self> {
        let widest = |widths: &mut dyn Iterator<Item = f64>| widths.fold(0.0, f64::max);
        let block = |content, lines: usize, size: f64, width: f64| {
            (lines > 0).then_some(Self { content, at: (0.0, 0.0), width, height: lines as f64 * size * LEADING })
        };
        let TextSizes { note, legend, .. } = style.text;
        let notes = widest(&mut panel.notes.iter().map(|(text, _)| text.width() * note));
        let keys = widest(&mut panel.keys.iter().map(|key| key_width(key, style)));
        let inner = panel.inner.as_ref().map(|inner| {
            let (left, below) = (inner.panel.left_margin(style), below_axis(style));
            Self {
                content: Content::Panel,
                at: (0.0, 0.0),
                width: left + inner.width * width + 3.0,
                height: inner.panel.height + below + 2.0,
            }
        });
        let blocks = [
            block(Content::Notes, panel.notes.len(), note, notes),
            block(Content::Keys, panel.keys.len(), legend, keys),
        ];
        inner.into_iter().chain(blocks.into_iter().flatten()).collect()
    }

    /// The page that it covers, in the panel.
    pub fn frame(&self) -> Frame {
        let (left, top) = self.at;
        Frame { left, top, right: left + self.width, bottom: top + self.height }
    }

    /// Draws the block; `origin` is the corner of the panel.
    pub fn draw(&self, canvas: &Canvas<'_>, style: &Style, panel: &Panel, origin: (f64, f64)) -> Result<(), String> {
        let (left, top) = (origin.0 + self.at.0, origin.1 + self.at.1);
        match self.content {
            Content::Keys => {
                let line = style.text.legend * LEADING;
                for (index, key) in panel.keys.iter().enumerate() {
                    draw_key(canvas, style, key, (left, top + line * (index as f64 + 0.5)))?;
                }
            }
            Content::Panel => {
                if let Some(inner) = &panel.inner {
                    let frame = Frame {
                        left: left + inner.panel.left_margin(style),
                        top: top + 2.0,
                        right: left + self.width - 3.0,
                        bottom: top + 2.0 + inner.panel.height,
                    };
                    inner.panel.draw(canvas, style, &frame, &[], left)?;
                }
            }
            Content::Notes => {
                let (line, half) = (style.text.note * LEADING, style.text.note * CAPITAL / 2.0);
                for (index, (note, colour)) in panel.notes.iter().enumerate() {
                    let baseline = top + line * (index as f64 + 0.5) + half;
                    canvas.text((left, baseline), note, style.text.note, *colour, Align::Start)?;
                }
            }
        }
        Ok(())
    }
}

/// What the numbers and the name of an x axis need below it.
pub(super) fn below_axis(style: &Style) -> f64 {
    4.0 + style.text.tick + 4.0 + style.text.label + 2.0
}

/// The width of a line of a legend.
pub(super) fn key_width(key: &Key, style: &Style) -> f64 {
    SAMPLE + GAP + key.text.width() * style.text.legend
}

/// Draws a line of a legend; `at` is the left end of its middle line.
pub(super) fn draw_key(canvas: &Canvas<'_>, style: &Style, key: &Key, at: (f64, f64)) -> Result<(), String> {
    let look = &key.look;
    let stroke = Stroke::new(look.colour, style.lines.data * look.weight);
    let ends = [at, (at.0 + SAMPLE, at.1)];
    if look.band {
        let half = style.text.legend * 0.28;
        let colour = look.colour.over(style.colours.paper, 0.25);
        canvas.rectangle((at.0, at.1 - half, at.0 + SAMPLE, at.1 + half), colour)?;
    }
    match look.joined {
        Joined::Solid => canvas.line(&ends, stroke)?,
        Joined::Dashed => canvas.dashes(&ends, stroke, 3.2, 1.8)?,
        Joined::No => {}
    }
    if let Some(marker) = look.marker(style) {
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
        let inset = Inset { content: Content::Keys, at: (0.0, 0.0), width: 30.0, height: 20.0 };
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
