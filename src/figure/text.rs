//! Text with Greek letters, italics, sub- and superscripts, as runs of known width.
//!
//! Markup: `*m*` is italic, `_x` or `_{xyz}` below the line, `^x` or `^{xyz}` above it.

use std::sync::OnceLock;

use plotters::style::{FontDesc, FontFamily, FontStyle};

/// The family of the bundled font.
pub(super) const FAMILY: &str = "Arimo";
/// The bundled upright font.
pub(super) const REGULAR: &[u8] = include_bytes!("../../plots/fonts/Arimo-Regular.subset.ttf");
/// The bundled italic font.
pub(super) const ITALIC: &[u8] = include_bytes!("../../plots/fonts/Arimo-Italic.subset.ttf");

/// The height of capitals in ems.
pub(super) const CAPITAL: f64 = 0.729;
const SCRIPT_SIZE: f64 = 0.72;
const SUPERSCRIPT: f64 = 0.36;
const SUBSCRIPT: f64 = -0.2;
/// ab_glyph scales a font by its height from ascender to descender, which for Arimo is this many ems.
const HEIGHT: f64 = 2288.0 / 2048.0;

/// Letters of one size, slope and baseline.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub text: String,
    pub italic: bool,
    /// The size, in sizes of the whole.
    pub size: f64,
    /// How far the baseline is raised, in ems of the whole.
    pub rise: f64,
}

/// A line of text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rich {
    pub runs: Vec<Run>,
}

/// Makes the bundled fonts known to plotters, once; false where it does not accept them.
pub(super) fn register_fonts() -> bool {
    static DONE: OnceLock<bool> = OnceLock::new();
    *DONE.get_or_init(|| {
        plotters::style::register_font(FAMILY, FontStyle::Normal, REGULAR).is_ok()
            && plotters::style::register_font(FAMILY, FontStyle::Italic, ITALIC).is_ok()
    })
}

/// The width of letters in ems.
fn width_of(text: &str, italic: bool) -> f64 {
    register_fonts();
    let style = if italic { FontStyle::Italic } else { FontStyle::Normal };
    // plotters gives whole pixels, so the letters are measured large.
    let font = FontDesc::new(FontFamily::Name(FAMILY), 10_000.0 * HEIGHT, style);
    font.box_size(text).map_or(0.0, |(width, _)| f64::from(width) / 10_000.0)
}

impl Run {
    /// The width in ems of the whole.
    pub fn width(&self) -> f64 {
        width_of(&self.text, self.italic) * self.size
    }
}

impl Rich {
    /// Text without markup, as names from a table are; control characters, which XML forbids, become spaces.
    pub fn plain(text: impl AsRef<str>) -> Self {
        let text: String = text.as_ref().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        Self { runs: vec![Run { text, italic: false, size: 1.0, rise: 0.0 }] }
    }

    /// Text with markup.
    pub fn parse(markup: &str) -> Self {
        let mut rich = Self::default();
        let mut italic = false;
        let mut characters = markup.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '*' => italic = !italic,
                '_' | '^' => {
                    let rise = if character == '_' { SUBSCRIPT } else { SUPERSCRIPT };
                    if characters.next_if_eq(&'{').is_some() {
                        for inner in characters.by_ref().take_while(|&inner| inner != '}') {
                            if inner == '*' {
                                italic = !italic;
                            } else {
                                rich.push(inner, italic, SCRIPT_SIZE, rise);
                            }
                        }
                    } else if let Some(inner) = characters.next() {
                        rich.push(inner, italic, SCRIPT_SIZE, rise);
                    }
                }
                _ => rich.push(character, italic, 1.0, 0.0),
            }
        }
        rich
    }

    fn push(&mut self, character: char, italic: bool, size: f64, rise: f64) {
        let character = if character == '-' { '\u{2212}' } else { character };
        match self.runs.last_mut() {
            Some(last) if (last.italic, last.size, last.rise) == (italic, size, rise) => last.text.push(character),
            _ => self.runs.push(Run { text: character.into(), italic, size, rise }),
        }
    }

    /// This text and then another.
    pub fn then(mut self, other: Self) -> Self {
        self.runs.extend(other.runs);
        self
    }

    /// Ten to a power.
    pub fn power_of_ten(exponent: i32) -> Self {
        Self::parse(&format!("10^{{{exponent}}}"))
    }

    /// The width in ems.
    pub fn width(&self) -> f64 {
        self.runs.iter().map(Run::width).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_makes_runs() {
        let rich = Rich::parse("*P*_∞ ~ 10^{-2}");
        let seen: Vec<(&str, bool, f64)> =
            rich.runs.iter().map(|run| (run.text.as_str(), run.italic, run.rise)).collect();
        assert_eq!(
            seen,
            [("P", true, 0.0), ("∞", false, SUBSCRIPT), (" ~ 10", false, 0.0), ("\u{2212}2", false, SUPERSCRIPT)]
        );
        assert_eq!(Rich::plain("a_b*").runs[0].text, "a_b*");
    }

    #[test]
    fn widths_are_those_of_the_font() {
        // Advance widths of Arimo: every digit 1139/2048, `m` 1706/2048.
        assert!((width_of("0123456789", false) - 10.0 * 1139.0 / 2048.0).abs() < 2e-3);
        assert!((width_of("m", false) - 1706.0 / 2048.0).abs() < 2e-4);
        let script = Rich::parse("x^2").width() - Rich::parse("x").width();
        assert!((script - 1139.0 / 2048.0 * SCRIPT_SIZE).abs() < 2e-4);
    }

    #[test]
    fn unfinished_markup_is_no_panic() {
        for markup in ["", "_", "^", "_{", "a^{b", "*", "*_*"] {
            Rich::parse(markup).width();
        }
    }
}
