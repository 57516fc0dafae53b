//! The kinds of figures and the formats they are written in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::FigureError;

/// A kind of figure; its files are named after it.
///
/// ```
/// use prunephase::figure::Kind;
/// assert_eq!("order-parameter".parse::<Kind>()?, Kind::OrderParameter);
/// assert_eq!(Kind::ALL.len(), 15);
/// # Ok::<(), prunephase::figure::FigureError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// m, the entropies, P_inf with the outputs reached, and chi, against density.
    OrderParameter,
    /// A susceptibility of each size with its peaks, and the heights of the peaks.
    Susceptibility,
    /// A value against the distance from p_c in logarithms, its power law and the residuals.
    Scaling,
    /// Rival laws on one curve, their residuals, weights and errors on replicates left out.
    Rivals,
    /// Curves of several sizes, raw and collapsed, with a master curve and the residuals.
    Collapse,
    /// The quality of a collapse about its optimum, with the cloud of resamples.
    Landscape,
    /// Where curves of neighbouring sizes cross, and where that goes as the size grows.
    Crossings,
    /// Pseudo-critical points against size, with the law of their shift.
    Shift,
    /// Numbers of components by size with tau.
    ClusterNumbers,
    /// Degree distributions before and after rewiring.
    Degrees,
    /// The layered network itself, with its active paths and its dead units.
    Network,
    /// How far weights and masks have moved, against density.
    WeightEvolution,
    /// m over density and width, with the lines where m and P_inf are 1/2.
    PhaseDiagram,
    /// Accuracy of the original mask and of each null model after retraining.
    Retraining,
    /// The difference of each null model to the original after retraining, with its interval.
    Ladder,
}

impl Kind {
    /// Every kind, in the order in which they are drawn.
    pub const ALL: [Self; 15] = [
        Self::OrderParameter,
        Self::Susceptibility,
        Self::Scaling,
        Self::Rivals,
        Self::Collapse,
        Self::Landscape,
        Self::Crossings,
        Self::Shift,
        Self::ClusterNumbers,
        Self::Degrees,
        Self::Network,
        Self::WeightEvolution,
        Self::PhaseDiagram,
        Self::Retraining,
        Self::Ladder,
    ];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderParameter => "order-parameter",
            Self::Susceptibility => "susceptibility",
            Self::Scaling => "scaling",
            Self::Rivals => "rivals",
            Self::Collapse => "collapse",
            Self::Landscape => "landscape",
            Self::Crossings => "crossings",
            Self::Shift => "shift",
            Self::ClusterNumbers => "cluster-numbers",
            Self::Degrees => "degrees",
            Self::Network => "network",
            Self::WeightEvolution => "weight-evolution",
            Self::PhaseDiagram => "phase-diagram",
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
