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
    /// Both degrees of every unit in every layer, by double edge swaps or Curveball trades
    /// ([`super::ChainKind`]). Any two 0-1 matrices with the same row and column sums are connected by such
    /// swaps (Ryser, Canad. J. Math. 9, 371 (1957), doi:10.4153/CJM-1957-044-3), and every proposal
    /// counts, refused ones too, so the chain's only stationary law is the uniform one (Rao, Jana and
    /// Bandyopadhyay, Sankhya A 58, 225 (1996)); a trade deals the columns of two rows out uniformly, swaps
    /// among its outcomes, with the same law. A sample is as uniform as the chain is long, which
    /// [`super::MixingRow`] measures.
    Degrees,
    /// For every unit in every layer the degrees of each sign: how many positive and how many negative
    /// weights come in, and go out. A chain exchanges values within 2 x 2 (two edges of a sign, or
    /// the places of two + and two -), 2 x 3, 3 x 2 and 3 x 3 cells; every proposal counts and every
    /// move is proposed as often as its reverse, so its law is uniform on the masks and signs that the
    /// moves reach from the mask, and there alone. That they reach all is not proven (they do in every
    /// small case that was gone through), and no fixed list of moves of bounded size is known that would:
    /// with rows, columns and three values these are tables with three given faces, of which every
    /// rational polytope is one (De Loera and Onn, "All linear and integer programs are slim 3-way
    /// transportation programs", SIAM J. Optim. 17, 806 (2006)) and whose moves have no bound on their size in
    /// general (the same, "Markov bases of three-way tables are arbitrarily complicated", J. Symb. Comput. 41,
    /// 173 (2006)). Swaps within a sign alone do not link any two of the 12 3 x 3 matrices with one + and one - in every row and column; these moves
    /// link all 12. Half of the pairs that the chain draws have different signs and rarely move, so
    /// that it needs more proposals than that of [`Self::Degrees`].
    SignedDegrees,
    /// Both degrees of every unit, and for each layer the number of edges between sources of
    /// out-degree a and targets of in-degree b, for all a and b: double edge swaps of two edges whose
    /// sources have the same degree, or whose targets have. Uniform on all such masks: restricted
    /// swaps connect the graphs of a joint degree matrix (Amanatidis, Green and Mihail,
    /// arXiv:1509.07076; Czabarka, Dutle, Erdos and Miklos, "On realizations of a joint degree matrix",
    /// arXiv:1302.3548, who show by an example that an earlier proof had an error). That is about graphs
    /// with one set of nodes, and holds for a layer too: join more new nodes to all rows than there are rows. Every row then has a degree above those of
    /// all columns and new nodes, so each graph with the joint degrees of this one has the same two
    /// sides; the new nodes have edges to all rows in each of them, so no swap moves those, and the
    /// restricted swaps between such graphs are those between the layer's. How fast it mixes is not
    /// known.
    JointDegrees,
}

impl NullModel {
    /// Every null model, from the loosest to the tightest.
    pub const ALL: &'static [Self] = &[
        Self::Edges,
        Self::LayerDensity,
        Self::InDegrees,
        Self::OutDegrees,
        Self::Degrees,
        Self::SignedDegrees,
        Self::JointDegrees,
    ];

    /// Its name in commands, tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Edges => "edges",
            Self::LayerDensity => "layer-density",
            Self::InDegrees => "in-degrees",
            Self::OutDegrees => "out-degrees",
            Self::Degrees => "degrees",
            Self::SignedDegrees => "signed-degrees",
            Self::JointDegrees => "joint-degrees",
        }
    }

    /// Whether it is drawn by a Markov chain rather than directly.
    pub fn uses_swaps(self) -> bool {
        matches!(self, Self::Degrees | Self::SignedDegrees | Self::JointDegrees)
    }

    /// Whether the sign of a weight stays with its edge.
    pub fn keeps_signs(self) -> bool {
        self == Self::SignedDegrees
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
            "null model `degree`: must be one of edges, layer-density, in-degrees, out-degrees, degrees, \
             signed-degrees, joint-degrees"
        );
    }
}
