//! What a panel looks like on the page.

use super::canvas::{Align, Canvas, Stroke};
use super::inset::Inset;
use super::panel::{Frame, NAME_LEADING, Panel};
use super::series::{Joined, Look, Point, Series};
use super::style::Style;
use super::text::{CAPITAL, Rich};

impl Panel {
    /// Draws the panel.
    /// `edge` is the left edge of its column, where the letter stands.
    pub fn draw(
        &self,
        canvas: &Canvas<'_>,
        style: &Style,
        frame: &Frame,
        insets: &[Inset],
        edge: f64,
    ) -> Result<(), String> {
        let ink = style.colours.ink;
        if let Some(map) = &self.map {
            map.draw(canvas, style, self, frame)?;
        }
        for &(low, high) in &self.bands {
            let across = |value: f64| self.x.share(value).map_or(0.0, |share| share.clamp(0.0, 1.0));
            let (left, right) = (across(low), across(high));
            let place = |share: f64| frame.left + share * frame.width();
            canvas.rectangle((place(left), frame.top, place(right), frame.bottom), style.colours.band)?;
        }
        let guide = Stroke::new(style.colours.light, style.lines.guide);
        for share in self.verticals.iter().filter_map(|&x| self.x.share(x)).filter(|share| (0.0..=1.0).contains(share))
        {
            let x = frame.left + share * frame.width();
            canvas.dashes(&[(x, frame.top), (x, frame.bottom)], guide, 2.4, 1.8)?;
        }
        for share in
            self.horizontals.iter().filter_map(|&y| self.y.share(y)).filter(|share| (0.0..=1.0).contains(share))
        {
            let y = frame.bottom - share * frame.height();
            canvas.dashes(&[(frame.left, y), (frame.right, y)], guide, 2.4, 1.8)?;
        }
        // Below every line: a band hides what lies under it.
        for series in self.series.iter().filter(|series| series.look.band) {
            self.draw_band(canvas, style, frame, series)?;
        }
        for series in &self.series {
            self.draw_series(canvas, style, frame, series)?;
        }
        if self.framed {
            self.draw_frame(canvas, style, frame)?;
        }
        self.draw_names(canvas, style, frame, edge)?;
        for inset in insets {
            inset.draw(canvas, style, self, (frame.left, frame.top))?;
        }
        let cap = style.text.label * CAPITAL;
        if let Some(title) = &self.title {
            let middle = (frame.left + frame.right) / 2.0;
            canvas.text((middle, frame.top - 4.0), title, style.text.label, ink, Align::Middle)?;
        }
        if let Some(letter) = self.letter {
            canvas.text(
                (edge, frame.top + cap),
                &Rich::plain(format!("({letter})")),
                style.text.label,
                ink,
                Align::Start,
            )?;
        }
        Ok(())
    }

    fn draw_series(&self, canvas: &Canvas<'_>, style: &Style, frame: &Frame, series: &Series) -> Result<(), String> {
        let look = &series.look;
        let places: Vec<Option<(f64, f64)>> =
            series.points.iter().map(|point| self.at(frame, point.x, point.y)).collect();
        let stroke = Stroke::new(look.colour, style.lines.data * look.weight);
        // A point without a place ends a line.
        for stretch in places.split(Option::is_none) {
            let stretch: Vec<(f64, f64)> = stretch.iter().filter_map(|&place| place).collect();
            match look.joined {
                Joined::Solid if stretch.len() > 1 => canvas.line(&stretch, stroke)?,
                Joined::Dashed if stretch.len() > 1 => canvas.dashes(&stretch, stroke, 3.2, 1.8)?,
                _ => {}
            }
        }
        if look.band {
            return self.draw_markers(canvas, style, look, &places);
        }
        let bar = Stroke { width: style.lines.error * look.weight, ..stroke };
        let cap = style.lines.cap / 2.0 * look.size.max(1.0);
        for (point, place) in series.points.iter().zip(&places).step_by(shown_every(look, places.len())) {
            let (Some((x, _)), Some((top, bottom, whole))) = (*place, place.and_then(|_| self.bar(frame, point)))
            else {
                continue;
            };
            // Hidden by the marker.
            if bottom - top < style.markers.size * look.size && look.shape.is_some() {
                continue;
            }
            canvas.line(&[(x, top), (x, bottom)], bar)?;
            canvas.line(&[(x - cap, top), (x + cap, top)], bar)?;
            if whole {
                canvas.line(&[(x - cap, bottom), (x + cap, bottom)], bar)?;
            }
        }
        self.draw_markers(canvas, style, look, &places)
    }

    /// A band from bar to bar; it ends where a point has none.
    fn draw_band(&self, canvas: &Canvas<'_>, style: &Style, frame: &Frame, series: &Series) -> Result<(), String> {
        let ends = |point: &Point| {
            let across = self.at(frame, point.x, point.y)?.0;
            self.bar(frame, point).map(|(top, bottom, _)| (across, top, bottom))
        };
        let ends: Vec<Option<(f64, f64, f64)>> = series.points.iter().map(ends).collect();
        for stretch in ends.split(Option::is_none).filter(|stretch| stretch.len() > 1) {
            let upper = stretch.iter().flatten().map(|&(x, top, _)| (x, top));
            let lower = stretch.iter().rev().flatten().map(|&(x, _, bottom)| (x, bottom));
            canvas.fill(&upper.chain(lower).collect::<Vec<_>>(), series.look.colour.over(style.colours.paper, 0.25))?;
        }
        Ok(())
    }

    fn draw_markers(
        &self,
        canvas: &Canvas<'_>,
        style: &Style,
        look: &Look,
        places: &[Option<(f64, f64)>],
    ) -> Result<(), String> {
        if let Some(marker) = look.marker(style) {
            let every = shown_every(look, places.len());
            for place in places.iter().step_by(every).flatten() {
                canvas.marker(*place, &marker)?;
            }
        }
        Ok(())
    }

    fn draw_frame(&self, canvas: &Canvas<'_>, style: &Style, frame: &Frame) -> Result<(), String> {
        let ink = style.colours.ink;
        let thin = Stroke::new(ink, style.lines.tick);
        let Frame { left, top, right, bottom } = *frame;
        for tick in self.y_ticks() {
            let Some(share) = self.y.share(tick.value) else { continue };
            let y = bottom - share * frame.height();
            if self.y_categories.is_empty() {
                let length = if tick.major { style.lines.tick_length } else { style.lines.minor_tick_length };
                canvas.line(&[(left, y), (left + length, y)], thin)?;
                canvas.line(&[(right, y), (right - length, y)], thin)?;
            }
        }
        for tick in self.x_ticks(frame.width()) {
            let Some(share) = self.x.share(tick.value) else { continue };
            let x = left + share * frame.width();
            if self.categories.is_empty() {
                let length = if tick.major { style.lines.tick_length } else { style.lines.minor_tick_length };
                canvas.line(&[(x, bottom), (x, bottom - length)], thin)?;
                canvas.line(&[(x, top), (x, top + length)], thin)?;
            }
        }
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top), (right, top)];
        canvas.line(&corners, Stroke::new(ink, style.lines.axis))
    }

    /// Numbers at the axes, and the names of the axes.
    fn draw_names(&self, canvas: &Canvas<'_>, style: &Style, frame: &Frame, edge: f64) -> Result<(), String> {
        let ink = style.colours.ink;
        let Frame { left, top, right, bottom } = *frame;
        let size = style.text.tick;
        for tick in self.y_ticks() {
            if let (Some(share), Some(label)) = (self.y.share(tick.value), &tick.label) {
                let y = bottom - share * frame.height();
                canvas.text((left - 3.0, y + size * CAPITAL / 2.0), label, size, ink, Align::End)?;
            }
        }
        let rows = self.name_rows(style, frame.width());
        for (turn, tick) in self.x_ticks(frame.width()).iter().enumerate() {
            if let (Some(share), Some(label)) = (self.x.share(tick.value), tick.label.as_ref().filter(|_| self.x_shown))
            {
                let x = left + share * frame.width();
                let down = (turn % rows) as f64 * size * NAME_LEADING;
                canvas.text((x, bottom + 4.0 + size * CAPITAL + down), label, size, ink, Align::Middle)?;
            }
        }
        let names = self.below_names(style, frame.width());
        let size = style.text.label;
        if self.x_shown {
            let below = bottom + 4.0 + style.text.tick + names + 4.0 + size * CAPITAL;
            canvas.text(((left + right) / 2.0, below), &self.x_label, size, ink, Align::Middle)?;
        }
        // The names of the panels of a column stand in one line.
        canvas.text_upwards((edge + size, (top + bottom) / 2.0), &self.y_label, size, ink, Align::Middle)
    }
}

/// Every which point of a curve has a marker and a bar: on curves of hundreds of points, now and then one tells
/// them apart; the table of what was drawn has them all.
fn shown_every(look: &Look, points: usize) -> usize {
    if look.joined == Joined::No { 1 } else { points.div_ceil(40).max(1) }
}
