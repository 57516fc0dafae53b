//! How long the chain runs and where it is looked at.

use super::{ChainKind, NullModel, RewireError};

/// Where the chain is looked at, in proposals an edge, as far as it runs.
const CHECKPOINTS: [f64; 16] =
    [0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 70.0, 100.0, 200.0, 500.0, 1000.0];

/// How long a chain runs, which one it is and what it keeps beside. Null models without a chain ignore it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SwapOptions {
    per_edge: f64,
    keep_taps: bool,
    chain: ChainKind,
}

impl SwapOptions {
    /// `per_edge` proposals, accepted or not, for each kept weight of a layer.
    ///
    /// # Errors
    /// [`RewireError::SwapsPerEdge`] unless 0 < `per_edge` <= 1e9.
    pub fn new(per_edge: f64) -> Result<Self, RewireError> {
        if per_edge > 0.0 && per_edge <= 1e9 {
            Ok(Self { per_edge, keep_taps: false, chain: ChainKind::default() })
        } else {
            Err(RewireError::SwapsPerEdge(per_edge))
        }
    }

    /// Whether a convolution's edges keep their place (kh, kw) in the kernel. Each place is then
    /// rewired apart from the others: what the null model keeps of a layer it keeps of every place,
    /// that is of the edges between filters and the inputs at that place. Under
    /// [`super::NullModel::JointDegrees`] the joint counts of the layer and of every place are kept;
    /// the proof that the chain is connected does not cover this. Linear layers have one place.
    #[must_use]
    pub fn keeping_taps(self, keep_taps: bool) -> Self {
        Self { keep_taps, ..self }
    }

    /// See [`Self::keeping_taps`].
    pub fn keeps_taps(&self) -> bool {
        self.keep_taps
    }

    /// Which chain draws from [`NullModel::Degrees`]; other null models keep theirs. For
    /// [`ChainKind::Curveball`] a round counts as half a proposal an edge: `per_edge` proposals are 2 x
    /// `per_edge` rounds, rounded up. A convolution trades filters or taps, with
    /// [`Self::keeping_taps`] at each place of the kernel for itself.
    #[must_use]
    pub fn by(self, chain: ChainKind) -> Self {
        Self { chain, ..self }
    }

    /// The chain that draws from `null`: that of [`Self::by`] for [`NullModel::Degrees`].
    pub fn chain(&self, null: NullModel) -> ChainKind {
        if null == NullModel::Degrees { self.chain } else { ChainKind::Swaps }
    }

    /// Proposals for each kept weight of a layer.
    pub fn per_edge(&self) -> f64 {
        self.per_edge
    }

    /// The proposals an edge after which the chain is looked at, in ascending order; the last is
    /// where it ends.
    pub fn checkpoints(&self) -> Vec<f64> {
        CHECKPOINTS.into_iter().filter(|&at| at < self.per_edge).chain([self.per_edge]).collect()
    }
}

impl Default for SwapOptions {
    /// 10 proposals an edge; the overlap with the start falls to noise after about 5.
    fn default() -> Self {
        Self { per_edge: 10.0, keep_taps: false, chain: ChainKind::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_end_where_the_chain_does() {
        assert_eq!(SwapOptions::default().checkpoints(), [0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0]);
        assert_eq!(SwapOptions::new(2.5).unwrap().checkpoints(), [0.5, 1.0, 2.0, 2.5]);
        assert_eq!(SwapOptions::new(0.1).unwrap().checkpoints(), [0.1]);
    }

    #[test]
    fn lengths_that_are_none_are_refused() {
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(SwapOptions::new(wrong).is_err(), "{wrong}");
        }
    }
}
