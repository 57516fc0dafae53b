//! How figures look: sizes, line widths, colours and markers, read from `plots/style.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::colour::{Colour, Colours, ColoursOf};
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
    /// The style file, where one was read, and the checksum of its text.
    #[serde(skip)]
    pub(super) origin: Origin,
}

/// Where a style came from.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Origin {
    /// The name of the file, of a style that is not the bundled one.
    pub file: Option<String>,
    pub checksum: String,
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
    /// Everything, text and lines and markers, is so many times as large as the style says; lengths of the
    /// preset but for its width are before this.
    #[serde(default = "one")]
    pub scale: f64,
    /// Colours in place of those of the style.
    #[serde(default)]
    pub colours: ColoursOf,
}

fn one() -> f64 {
    1.0
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

    /// Reads a style file; what it does not say is as in the bundled one.
    ///
    /// # Errors
    /// [`FigureError::Style`] where it is not TOML, a key is unknown, or a length is not positive.
    ///
    /// ```
    /// use prunephase::figure::Style;
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("journal.toml");
    /// std::fs::write(&path, "[presets.one-column]\nwidth-mm = 84.0\n[text]\nlabel = 9.0\n")?;
    /// let style = Style::read(&path)?;
    /// assert_eq!(style.preset("one-column").unwrap().width_mm, 84.0);
    /// assert_eq!((style.text.label, style.text.tick), (9.0, 7.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read(path: &Path) -> Result<Self, FigureError> {
        let mut style = Self::parse(path, &files::read_text(path)?)?;
        style.origin.file = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(style)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, FigureError> {
        let wrong = |reason: String| FigureError::Style { path: path.to_path_buf(), reason };
        let told = |error: toml::de::Error| wrong(error.to_string().trim().replace('\n', " "));
        let mut whole: toml::Table = toml::from_str(DEFAULT_STYLE).map_err(told)?;
        lay_over(&mut whole, toml::from_str(text).map_err(told)?);
        let mut style: Self = whole.try_into().map_err(told)?;
        style.check().map_err(wrong)?;
        style.origin.checksum = blake3::hash(text.as_bytes()).to_hex().to_string();
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
            lengths.push(("scale", preset.scale, 20.0));
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

    /// The preset of a figure with its name: its own, or the first where none is named.
    pub(super) fn preset_of(&self, figure: &str) -> Option<(&str, &Preset)> {
        let own = self.figures.get(figure).and_then(|name| self.presets.get_key_value(name));
        own.or_else(|| self.presets.iter().next()).map(|(name, preset)| (name.as_str(), preset))
    }

    /// The same style with the colours of a preset.
    pub(super) fn coloured(&self, preset: &Preset) -> Self {
        Self { colours: preset.colours.over(&self.colours), ..self.clone() }
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

/// Puts what `over` says in the place of what `under` says, table by table.
fn lay_over(under: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(value)) => lay_over(inner, value),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
