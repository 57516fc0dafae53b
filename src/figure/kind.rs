//! The kinds of figures and the formats they are written in.

use std::fmt;
use std::str::FromStr;

use super::error::FigureError;

/// A kind of figure; its files are named after it.
///
/// ```
/// use prunephase::figure::Kind;
/// assert_eq!("order-parameter".parse::<Kind>()?, Kind::OrderParameter);
/// assert_eq!(Kind::ALL.len(), 5);
/// # Ok::<(), prunephase::figure::FigureError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// m, the entropies, P_inf with the outputs reached, and chi, against density.
    OrderParameter,
    /// A value against the distance from p_c in logarithms, its power law and the residuals.
    Scaling,
    /// Curves of several sizes, raw and collapsed.
    Collapse,
    /// Accuracy of the original mask and of each null model after retraining.
    Retraining,
    /// The difference of each null model to the original after retraining, with its interval.
    Ladder,
}

impl Kind {
    /// Every kind, in the order in which they are drawn.
    pub const ALL: [Self; 5] = [Self::OrderParameter, Self::Scaling, Self::Collapse, Self::Retraining, Self::Ladder];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderParameter => "order-parameter",
            Self::Scaling => "scaling",
            Self::Collapse => "collapse",
            Self::Retraining => "retraining",
            Self::Ladder => "ladder",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = FigureError;

    fn from_str(name: &str) -> Result<Self, FigureError> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| FigureError::UnknownFigure {
            name: name.to_owned(),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// A format a figure is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Format {
    /// SVG with the font inside.
    Svg,
    /// PDF with its text as text.
    Pdf,
    /// PNG at the resolution of the style.
    Png,
}

impl Format {
    /// Every format, in the order in which they are written.
    pub const ALL: [Self; 3] = [Self::Svg, Self::Pdf, Self::Png];

    /// The extension of its files.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Png => "png",
        }
    }
}
