//! The points of a panel where they are on the page, with their values in words.

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
                    None => format!("{across} = {}", short(point.x)),
                };
                let bar =
                    point.bar.map_or_else(String::new, |(low, high)| format!(" ({} to {})", short(low), short(high)));
                let n = if point.n > 1 { format!(", n = {}", point.n) } else { String::new() };
                let says = format!("{}: {x}, {} = {}{bar}{n}", series.name, series.quantity, short(point.y));
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

/// A number to four digits.
fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let magnitude = value.abs().log10().floor();
    if !(-4.0..6.0).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let digits = (3.0 - magnitude).clamp(0.0, 8.0) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        let cases = [(0.0, "0"), (1.0, "1"), (0.012_347, "0.01235"), (1234.56, "1235"), (-0.5, "-0.5")];
        for (value, text) in cases {
            assert_eq!(short(value), text);
        }
        assert_eq!(short(1.5e-7), "1.500e-7");
        assert_eq!(short(99_999.7), "100000");
    }
}
