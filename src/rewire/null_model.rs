//! The names of the null models and what each keeps.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::RewireError;

/// What a random mask has in common with the mask it is drawn from, from the loosest to the
/// tightest. Each draws uniformly from all masks that agree in what it keeps.
///
/// ```
/// use prunephase::rewire::NullModel;
/// let null: NullModel = "layer-density".parse()?;
/// assert_eq!(null, NullModel::LayerDensity);
/// assert_eq!(null.to_string(), "layer-density");
/// # Ok::<(), prunephase::rewire::RewireError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NullModel {
    /// The number of kept weights in the whole network; weights move between layers. Drawn
    /// directly, exactly uniform.
    Edges,
    /// The number of kept weights in each layer. Drawn directly, exactly uniform.
    LayerDensity,
    /// The in-degree of every unit (row sums). Each row draws its number of columns without
    /// replacement: exactly uniform.
    InDegrees,
    /// The out-degree of every input or tap (column sums). Each column draws its number of rows
    /// without replacement: exactly uniform.
    OutDegrees,
    /// Both degrees of every unit in every layer, by double edge swaps. Any two 0-1 matrices with
    /// the same row and column sums are connected by such swaps (Ryser, Canad. J. Math. 9, 371
    /// (1957), doi:10.4153/CJM-1957-044-3), and every proposal counts, refused ones too, so the
    /// chain's only stationary law is the uniform one (Rao, Jana and Bandyopadhyay, Sankhya A 58,
    /// 225 (1996)); a sample is as uniform as the chain is long, which [`super::MixingRow`]
    /// measures.
    Degrees,
}

impl NullModel {
    /// Every null model, from the loosest to the tightest.
    pub const ALL: &'static [Self] =
        &[Self::Edges, Self::LayerDensity, Self::InDegrees, Self::OutDegrees, Self::Degrees];

    /// Its name in commands, tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Edges => "edges",
            Self::LayerDensity => "layer-density",
            Self::InDegrees => "in-degrees",
            Self::OutDegrees => "out-degrees",
            Self::Degrees => "degrees",
        }
    }

    /// Whether it is drawn by a Markov chain rather than directly.
    pub fn uses_swaps(self) -> bool {
        matches!(self, Self::Degrees)
    }
}

impl fmt::Display for NullModel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for NullModel {
    type Err = RewireError;

    fn from_str(name: &str) -> Result<Self, RewireError> {
        Self::ALL.iter().copied().find(|null| null.name() == name).ok_or_else(|| RewireError::UnknownNull {
            name: name.to_owned(),
            known: Self::ALL.iter().map(|null| null.name()).collect::<Vec<_>>().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_in_serde_display_and_parse() {
        for &null in NullModel::ALL {
            assert_eq!(null.to_string().parse::<NullModel>().unwrap(), null);
            assert_eq!(serde_json::to_string(&null).unwrap(), format!("\"{null}\""));
        }
        assert_eq!(
            "degree".parse::<NullModel>().unwrap_err().to_string(),
            "null model `degree`: must be one of edges, layer-density, in-degrees, out-degrees, degrees"
        );
    }
}
