//! Colours: those of curves, of paper and ink, and the scale of a map.

use plotters::style::RGBColor;
use serde::Deserialize;

/// Colours.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Colours {
    /// The colour of the first curve, the second, ...
    pub order: Vec<Colour>,
    /// The background.
    pub paper: Colour,
    /// Axes and text.
    pub ink: Colour,
    /// What stays in the background.
    pub light: Colour,
    /// Shaded ranges.
    pub band: Colour,
    /// What must not be overlooked.
    pub warning: Colour,
    /// The colours of a map from its lowest value to its highest, at equal distances.
    pub scale: Vec<Colour>,
}

impl Colours {
    /// The colour of a map at a share of its scale.
    pub(super) fn on_scale(&self, share: f64) -> Colour {
        let last = self.scale.len().saturating_sub(1);
        let place = share.clamp(0.0, 1.0) * last as f64;
        let index = (place as usize).min(last.saturating_sub(1));
        let at = |index: usize| self.scale.get(index).copied().unwrap_or(self.ink);
        at((index + 1).min(last)).over(at(index), place - index as f64)
    }
}

/// The colours that a preset changes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColoursOf {
    /// As [`Colours::order`].
    pub order: Option<Vec<Colour>>,
    /// As [`Colours::paper`].
    pub paper: Option<Colour>,
    /// As [`Colours::ink`].
    pub ink: Option<Colour>,
    /// As [`Colours::light`].
    pub light: Option<Colour>,
    /// As [`Colours::band`].
    pub band: Option<Colour>,
    /// As [`Colours::warning`].
    pub warning: Option<Colour>,
    /// As [`Colours::scale`].
    pub scale: Option<Vec<Colour>>,
}

impl ColoursOf {
    pub(super) fn over(&self, under: &Colours) -> Colours {
        Colours {
            order: self.order.clone().unwrap_or_else(|| under.order.clone()),
            paper: self.paper.unwrap_or(under.paper),
            ink: self.ink.unwrap_or(under.ink),
            light: self.light.unwrap_or(under.light),
            band: self.band.unwrap_or(under.band),
            warning: self.warning.unwrap_or(under.warning),
            scale: self.scale.clone().unwrap_or_else(|| under.scale.clone()),
        }
    }
}

/// A colour, `#rrggbb` in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// The colour mixed with the one under it; a share of 1 leaves it.
    pub(super) fn over(self, under: Self, share: f64) -> Self {
        let mix = |under: u8, over: u8| (f64::from(under) - (f64::from(under) - f64::from(over)) * share).round() as u8;
        Self(mix(under.0, self.0), mix(under.1, self.1), mix(under.2, self.2))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::style::Style;

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
        let style = Style::bundled();
        let dark = style.coloured(style.preset("dark").unwrap()).colours;
        for colours in [style.colours, dark] {
            told_apart(&colours.order);
            // Each is seen on its paper: WCAG's contrast of graphics is 3, and pale curves may be a little below.
            let luminance = |colour: Colour| {
                let [red, green, blue] = linear(colour);
                0.2126 * red + 0.7152 * green + 0.0722 * blue
            };
            let paper = luminance(colours.paper);
            for colour in colours.order.iter().chain([&colours.ink, &colours.warning]) {
                let (one, other) = (luminance(*colour).max(paper), luminance(*colour).min(paper));
                let contrast = (one + 0.05) / (other + 0.05);
                assert!(contrast > 2.3, "{contrast:.2} of {colour:?}");
            }
        }
    }

    fn told_apart(colours: &[Colour]) {
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
    fn the_scale_of_a_map_grows_lighter_or_darker_all_along() {
        let style = Style::bundled();
        let dark = style.coloured(style.preset("dark").unwrap()).colours;
        for colours in [style.colours, dark] {
            let lightness: Vec<f64> =
                (0..=50).map(|step| lab(linear(colours.on_scale(f64::from(step) / 50.0)))[0]).collect();
            let steps: Vec<f64> = lightness.windows(2).map(|pair| pair[1] - pair[0]).collect();
            assert!(steps.iter().all(|&step| step < -0.4) || steps.iter().all(|&step| step > 0.4), "{lightness:?}");
            assert_eq!(colours.on_scale(-1.0), colours.scale[0]);
            assert_eq!(Some(&colours.on_scale(2.0)), colours.scale.last());
        }
    }
}
