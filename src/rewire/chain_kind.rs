//! Which chain draws the masks with the degrees of a mask.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::RewireError;

/// The Markov chain of [`super::NullModel::Degrees`]. Either has the same uniform law; they differ in how
/// fast they forget. The other null models have one chain each, or none.
///
/// ```
/// use prunephase::rewire::ChainKind;
/// let chain: ChainKind = "curveball".parse()?;
/// assert_eq!(chain, ChainKind::Curveball);
/// assert_eq!(ChainKind::default().to_string(), "swaps");
/// # Ok::<(), prunephase::rewire::RewireError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChainKind {
    /// Double edge swaps: a proposal looks at two edges. O(1) a proposal.
    #[default]
    Swaps,
    /// Global Curveball trades (Carstens et al., ESA 2018, arXiv:1804.08487): a round looks at every edge once and
    /// counts as half a proposal an edge. O(cells / 64) a round on rows of bits, so
    /// that dense layers cost least for each edge.
    Curveball,
}

impl ChainKind {
    /// Every chain.
    pub const ALL: &'static [Self] = &[Self::Swaps, Self::Curveball];

    /// Its name in commands and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Swaps => "swaps",
            Self::Curveball => "curveball",
        }
    }
}

impl fmt::Display for ChainKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for ChainKind {
    type Err = RewireError;

    fn from_str(name: &str) -> Result<Self, RewireError> {
        Self::ALL.iter().copied().find(|chain| chain.name() == name).ok_or_else(|| RewireError::UnknownChain {
            name: name.to_owned(),
            known: Self::ALL.iter().map(|chain| chain.name()).collect::<Vec<_>>().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_in_serde_display_and_parse() {
        for &chain in ChainKind::ALL {
            assert_eq!(chain.to_string().parse::<ChainKind>().unwrap(), chain);
            assert_eq!(serde_json::to_string(&chain).unwrap(), format!("\"{chain}\""));
        }
        assert_eq!(
            "swap".parse::<ChainKind>().unwrap_err().to_string(),
            "chain `swap`: must be one of swaps, curveball"
        );
    }
}
