//! Fields of colour in a panel, with the scale of their colours beside it.

use super::axis::{Axis, Spacing};
use super::canvas::{Align, Canvas, Stroke};
use super::panel::{Frame, Panel, Y_APART};
use super::style::Style;
use super::text::{CAPITAL, Rich};

/// From the frame to the scale.
const GAP: f64 = 7.0;
/// The width of the scale.
const WIDTH: f64 = 7.0;
/// Fields of the scale from its low end to its high one.
const STEPS: usize = 64;

/// How far a field reaches below the next.
const SEAM: f64 = 0.4;

/// One field: the ranges of x and y, and the value in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    pub x: (f64, f64),
    pub y: (f64, f64),
    /// Where its value was found.
    pub at: (f64, f64),
    pub value: f64,
}

/// The fields of a panel.
#[derive(Debug, Clone)]
pub(super) struct Map {
    /// What is shown, for the table of what was drawn.
    pub quantity: String,
    /// The name of the parameter at the y axis, for the same table.
    pub parameter: String,
    pub cells: Vec<Cell>,
    /// The values of the scale; values beyond have the colour of its end.
    pub scale: Axis,
    pub label: Rich,
}

/// The ends of the fields around ascending values: half way between neighbours on the axis.
pub(super) fn edges(values: &[f64], spacing: Spacing) -> Vec<f64> {
    let forth = |value: f64| if spacing == Spacing::Log { value.ln() } else { value };
    let back = |value: f64| if spacing == Spacing::Log { value.exp() } else { value };
    let places: Vec<f64> = values.iter().map(|&value| forth(value)).collect();
    let [first, .., last] = places[..] else {
        // One value: a field as wide as an axis about it.
        let axis = Axis::covering(spacing, values.iter().copied(), 0.0);
        return vec![axis.low, axis.high];
    };
    let middle = |pair: &[f64]| (pair[0] + pair[1]) / 2.0;
    let inner: Vec<f64> = places.windows(2).map(middle).collect();
    let mut all = vec![2.0 * first - inner[0]];
    all.extend(&inner);
    all.push(2.0 * last - inner[inner.len() - 1]);
    all.into_iter().map(back).collect()
}

impl Map {
    /// What the scale and its numbers need to the right of a panel.
    pub fn width(&self, style: &Style, height: f64) -> f64 {
        let numbers = self.scale.ticks(height, Y_APART).into_iter().filter_map(|tick| tick.label);
        let widest = numbers.map(|label| label.width()).fold(0.0, f64::max) * style.text.tick;
        GAP + WIDTH + 3.0 + widest + 3.0 + style.text.label
    }

    pub fn draw(&self, canvas: &Canvas<'_>, style: &Style, panel: &Panel, frame: &Frame) -> Result<(), String> {
        let across = |value: f64| panel.x.share(value).map(|share| frame.left + share.clamp(0.0, 1.0) * frame.width());
        let up = |value: f64| panel.y.share(value).map(|share| frame.bottom - share.clamp(0.0, 1.0) * frame.height());
        for cell in &self.cells {
            let (Some(left), Some(right)) = (across(cell.x.0), across(cell.x.1)) else { continue };
            let (Some(bottom), Some(top)) = (up(cell.y.0), up(cell.y.1)) else { continue };
            let Some(share) = self.scale.share(cell.value) else { continue };
            // Under the neighbours that follow: renderers leave a hair between fields that only touch.
            let (right, top) = ((right + SEAM).min(frame.right), (top - SEAM).max(frame.top));
            canvas.rectangle((left, top, right, bottom), style.colours.on_scale(share))?;
        }
        self.draw_scale(canvas, style, frame)
    }

    fn draw_scale(&self, canvas: &Canvas<'_>, style: &Style, frame: &Frame) -> Result<(), String> {
        let (left, right) = (frame.right + GAP, frame.right + GAP + WIDTH);
        let height = |share: f64| frame.bottom - share * frame.height();
        for step in 0..STEPS {
            let (low, high) = (step as f64 / STEPS as f64, (step + 1) as f64 / STEPS as f64);
            let colour = style.colours.on_scale(low + 0.5 / STEPS as f64);
            canvas.rectangle((left, (height(high) - SEAM).max(frame.top), right, height(low)), colour)?;
        }
        let ink = style.colours.ink;
        let corners = [(left, frame.top), (right, frame.top), (right, frame.bottom), (left, frame.bottom)];
        canvas.line(&[&corners[..], &corners[..2]].concat(), Stroke::new(ink, style.lines.axis))?;
        let size = style.text.tick;
        for tick in self.scale.ticks(frame.height(), Y_APART) {
            let Some(share) = self.scale.share(tick.value) else { continue };
            let y = height(share);
            let length = style.lines.minor_tick_length * if tick.label.is_some() { 1.0 } else { 0.6 };
            canvas.line(&[(right, y), (right - length, y)], Stroke::new(ink, style.lines.tick))?;
            if let Some(label) = &tick.label {
                canvas.text((right + 3.0, y + size * CAPITAL / 2.0), label, size, ink, Align::Start)?;
            }
        }
        let at = (frame.right + self.width(style, frame.height()) - 1.5, (frame.top + frame.bottom) / 2.0);
        canvas.text_upwards(at, &self.label, style.text.label, ink, Align::Middle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_meet_half_way_on_their_axis() {
        assert_eq!(edges(&[1.0, 2.0, 4.0], Spacing::Linear), [0.5, 1.5, 3.0, 5.0]);
        let log = edges(&[1.0, 4.0, 16.0], Spacing::Log);
        let expected = [0.5, 2.0, 8.0, 32.0];
        assert!(log.iter().zip(expected).all(|(one, other)| (one / other - 1.0).abs() < 1e-12), "{log:?}");
        assert_eq!(edges(&[5.0], Spacing::Linear).len(), 2);
    }
}
