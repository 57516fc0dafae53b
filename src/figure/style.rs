//! How figures look: sizes, line widths, colours and markers, read from `plots/style.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use plotters::style::RGBColor;
use serde::Deserialize;

use super::error::FigureError;
use super::kind::Kind;
use crate::files;

/// The style that is bundled, as text.
pub const DEFAULT_STYLE: &str = include_str!("../../plots/style.toml");

/// The sizes, colours and markers of the figures. Lengths are in points.
///
/// ```
/// use prunephase::figure::Style;
/// let style = Style::bundled();
/// assert_eq!(style.preset("one-column").unwrap().width_mm, 86.0);
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Style {
    /// Named widths.
    pub presets: BTreeMap<String, Preset>,
    /// The preset of each figure.
    pub figures: BTreeMap<String, String>,
    /// Sizes of text.
    pub text: TextSizes,
    /// Widths of lines and lengths of ticks.
    pub lines: Lines,
    /// Markers.
    pub markers: Markers,
    /// Colours.
    pub colours: Colours,
    /// Raster images.
    pub png: Png,
}

/// The width of a figure and how it is filled.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Preset {
    /// The width of the whole figure in millimetres.
    pub width_mm: f64,
    /// How many panels stand side by side.
    pub columns: usize,
    /// The height of a panel.
    pub panel_height: f64,
}

/// Sizes of text.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSizes {
    /// Names of axes, letters of panels.
    pub label: f64,
    /// Numbers at ticks.
    pub tick: f64,
    /// Legends.
    pub legend: f64,
    /// Notes inside a panel.
    pub note: f64,
}

/// Widths of lines and lengths of ticks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Lines {
    /// The frame of a panel.
    pub axis: f64,
    /// The width of ticks.
    pub tick: f64,
    /// The length of ticks with a number.
    pub tick_length: f64,
    /// The length of the other ticks.
    pub minor_tick_length: f64,
    /// Curves.
    pub data: f64,
    /// Error bars.
    pub error: f64,
    /// The whole width of the cap of an error bar.
    pub cap: f64,
    /// Lines that guide the eye.
    pub guide: f64,
}

/// Markers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Markers {
    /// The diameter.
    pub size: f64,
    /// The width of the white rim.
    pub rim: f64,
    /// The shape of the first curve, the second, ...
    pub order: Vec<Shape>,
}

/// The shape of a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Shape {
    /// A disc.
    Circle,
    /// A square.
    Square,
    /// A triangle that points up.
    Triangle,
    /// A square on its corner.
    Diamond,
    /// A triangle that points down.
    DownTriangle,
    /// A pentagon.
    Pentagon,
}

/// Colours.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Colours {
    /// The colour of the first curve, the second, ...
    pub order: Vec<Colour>,
    /// Axes and text.
    pub ink: Colour,
    /// What stays in the background.
    pub light: Colour,
    /// Shaded ranges.
    pub band: Colour,
    /// What must not be overlooked.
    pub warning: Colour,
}

/// A colour, `#rrggbb` in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// The colour mixed with white; a share of 1 leaves it.
    pub(super) fn paler(self, share: f64) -> Self {
        let mix = |part: u8| (255.0 - (255.0 - f64::from(part)) * share).round() as u8;
        Self(mix(self.0), mix(self.1), mix(self.2))
    }
}

impl TryFrom<String> for Colour {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let [_, red, green, blue] =
            value.ok_or_else(|| format!("`{text}` is not a colour: write it as #0072b2"))?.to_be_bytes();
        Ok(Self(red, green, blue))
    }
}

impl From<Colour> for RGBColor {
    fn from(colour: Colour) -> Self {
        Self(colour.0, colour.1, colour.2)
    }
}

/// Raster images.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Png {
    /// Pixels per inch.
    pub dpi: f64,
}

impl Style {
    /// The style in `plots/style.toml`.
    ///
    /// # Panics
    /// Never: a test parses the bundled file.
    #[allow(clippy::expect_used, reason = "a constant, parsed by a test")]
    pub fn bundled() -> Self {
        Self::parse(Path::new("plots/style.toml"), DEFAULT_STYLE).expect("the bundled style parses")
    }

    /// Reads a style file.
    ///
    /// # Errors
    /// [`FigureError::Style`] where it is not TOML, a key is missing or unknown, or a length is not positive.
    pub fn read(path: &Path) -> Result<Self, FigureError> {
        Self::parse(path, &files::read_text(path)?)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, FigureError> {
        let wrong = |reason: String| FigureError::Style { path: path.to_path_buf(), reason };
        let style: Self = toml::from_str(text).map_err(|error| wrong(error.to_string().trim().replace('\n', " ")))?;
        style.check().map_err(wrong)?;
        Ok(style)
    }

    fn check(&self) -> Result<(), String> {
        let mut lengths = vec![
            ("text.label", self.text.label, 100.0),
            ("text.tick", self.text.tick, 100.0),
            ("text.legend", self.text.legend, 100.0),
            ("text.note", self.text.note, 100.0),
            ("lines.axis", self.lines.axis, 20.0),
            ("lines.tick", self.lines.tick, 20.0),
            ("lines.tick-length", self.lines.tick_length, 50.0),
            ("lines.minor-tick-length", self.lines.minor_tick_length, 50.0),
            ("lines.data", self.lines.data, 20.0),
            ("lines.error", self.lines.error, 20.0),
            ("lines.cap", self.lines.cap, 50.0),
            ("lines.guide", self.lines.guide, 20.0),
            ("markers.size", self.markers.size, 50.0),
            ("markers.rim", self.markers.rim, 20.0),
            ("png.dpi", self.png.dpi, 2400.0),
        ];
        for preset in self.presets.values() {
            lengths.push(("width-mm", preset.width_mm, 2000.0));
            lengths.push(("panel-height", preset.panel_height, 2000.0));
            if !(1..=6).contains(&preset.columns) {
                return Err(format!("columns = {}: give 1 to 6", preset.columns));
            }
        }
        for (name, value, most) in lengths {
            // NaN fails too.
            if !(value > 0.0 && value <= most) {
                return Err(format!("{name} = {value}: give more than 0 and at most {most}"));
            }
        }
        if self.colours.order.is_empty() || self.markers.order.is_empty() {
            return Err("colours.order and markers.order need at least one entry".into());
        }
        for (figure, preset) in &self.figures {
            if figure.parse::<Kind>().is_err() {
                let known = Kind::ALL.map(Kind::name).join(", ");
                return Err(format!("figures.{figure}: no such figure: there are {known}"));
            }
            if !self.presets.contains_key(preset) {
                return Err(format!("figures.{figure} = \"{preset}\": no such preset"));
            }
        }
        Ok(())
    }

    /// A preset by name.
    pub fn preset(&self, name: &str) -> Option<&Preset> {
        self.presets.get(name)
    }

    /// The preset of a figure: its own, or the first where none is named.
    pub(super) fn preset_of(&self, figure: &str) -> Option<&Preset> {
        self.figures.get(figure).and_then(|name| self.presets.get(name)).or_else(|| self.presets.values().next())
    }

    /// The same style with every figure drawn in one preset.
    ///
    /// # Errors
    /// [`FigureError::Style`] where the preset does not exist.
    pub fn with_preset(mut self, name: &str) -> Result<Self, FigureError> {
        if !self.presets.contains_key(name) {
            let known: Vec<&str> = self.presets.keys().map(String::as_str).collect();
            return Err(FigureError::Style {
                path: "style".into(),
                reason: format!("no preset `{name}`: there are {}", known.join(", ")),
            });
        }
        self.figures = Kind::ALL.into_iter().map(|kind| (kind.name().to_owned(), name.to_owned())).collect();
        Ok(self)
    }

    /// How many curves can be told apart by marker or colour.
    pub fn curves(&self) -> usize {
        self.colours.order.len().max(self.markers.order.len())
    }

    /// The colour of a curve.
    pub(super) fn colour(&self, index: usize) -> Colour {
        self.colours.order[index % self.colours.order.len()]
    }

    /// The marker of a curve.
    pub(super) fn shape(&self, index: usize) -> Shape {
        self.markers.order[index % self.markers.order.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Linear RGB of a colour.
    fn linear(colour: Colour) -> [f64; 3] {
        [colour.0, colour.1, colour.2].map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// CIE L*a*b* (D65) of linear RGB.
    fn lab(rgb: [f64; 3]) -> [f64; 3] {
        let [red, green, blue] = rgb.map(|part| part.clamp(0.0, 1.0));
        let f = |t: f64| if t > 216.0 / 24389.0 { t.cbrt() } else { (24389.0 / 27.0 * t + 16.0) / 116.0 };
        let x = f((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505);
        let y = f(0.2126 * red + 0.7152 * green + 0.0722 * blue);
        let z = f((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    /// What somebody without one kind of cone sees: Machado, Oliveira and Fernandes, IEEE TVCG 15, 1291 (2009),
    /// severity 1.
    const VISIONS: [[[f64; 3]; 3]; 4] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ];

    #[test]
    fn colours_differ_for_every_eye_and_in_grey() {
        let colours = Style::bundled().colours.order;
        for vision in VISIONS {
            let seen: Vec<[f64; 3]> = colours
                .iter()
                .map(|&colour| {
                    let rgb = linear(colour);
                    lab(vision.map(|row| row.iter().zip(rgb).map(|(factor, part)| factor * part).sum()))
                })
                .collect();
            for (at, one) in seen.iter().enumerate() {
                for other in &seen[at + 1..] {
                    let distance = one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                    assert!(distance > 14.0, "{distance:.1} between {one:?} and {other:?}");
                }
            }
        }
        let mut lightness: Vec<f64> = colours.iter().map(|&colour| lab(linear(colour))[0]).collect();
        // The first three, the usual number of curves, are far apart in grey; all six are apart.
        let far = |values: &[f64]| {
            let mut sorted = values.to_vec();
            sorted.sort_by(f64::total_cmp);
            sorted.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min)
        };
        assert!(far(&lightness[..3]) > 15.0, "{lightness:?}");
        lightness.truncate(6);
        assert!(far(&lightness) > 4.0, "{lightness:?}");
    }

    #[test]
    fn a_wrong_style_says_what_is_wrong() {
        let error = |from: &str, to: &str| {
            assert!(DEFAULT_STYLE.contains(from));
            Style::parse(Path::new("s.toml"), &DEFAULT_STYLE.replace(from, to)).unwrap_err().to_string()
        };
        assert_eq!(
            error("width-mm = 86.0", "width-mm = -86.0"),
            "s.toml: width-mm = -86: give more than 0 and at most 2000"
        );
        assert!(error("#0b2f73", "blue").contains("`blue` is not a colour"));
        assert!(error("rim =", "edge =").contains("edge"));
        assert!(!error("label = 8.0", "label = \"8\"").contains('\n'));
        assert!(error("dpi = 300.0", "dpi = nan").contains("png.dpi"));
    }
}
