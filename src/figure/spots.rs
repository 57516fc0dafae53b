//! The points of a panel where they are on the page, with their values in words.

use super::four_digits::four_digits;
use super::page::Spot;
use super::panel::{Frame, Panel};
use super::text::Rich;

impl Panel {
    /// The points of the curves that have a place in the frame.
    pub fn spots(&self, frame: &Frame) -> Vec<Spot> {
        let across = words(&self.x_label);
        let mut spots = Vec::new();
        for series in &self.series {
            for point in &series.points {
                let Some(at) = self.at(frame, point.x, point.y) else { continue };
                let category = self.categories.iter().find(|(place, _)| (place - point.x).abs() < 0.5);
                let x = match category {
                    Some((_, name)) => words(name),
                    None => format!("{across} = {}", four_digits(point.x)),
                };
                let bar = point.bar.map_or_else(String::new, |(low, high)| {
                    format!(" ({} to {})", four_digits(low), four_digits(high))
                });
                let n = if point.n > 1 { format!(", n = {}", point.n) } else { String::new() };
                let says = format!("{}: {x}, {} = {}{bar}{n}", series.name, series.quantity, four_digits(point.y));
                spots.push(Spot { at, says });
            }
        }
        spots
    }
}

/// A text without its sizes and slants.
fn words(text: &Rich) -> String {
    text.runs.iter().map(|run| run.text.as_str()).collect()
}
