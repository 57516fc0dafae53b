//! The chain of a layer: one chain for each of its parts.

use ndarray::ArrayD;

use super::joint::JointChain;
use super::parts::{Part, State, parts_of, state_of};
use super::signed::SignedChain;
use super::swaps::SwapChain;
use super::{NullModel, RewireError, SwapOptions};
use crate::mask::LayerMask;
use crate::seed::{Seeds, Stream};

#[derive(Debug, Clone)]
enum PartChain {
    Degrees(SwapChain),
    Signed(SignedChain),
    Joint(JointChain),
}

impl PartChain {
    fn new(layer: &str, part: &Part) -> Result<Self, RewireError> {
        let kept = &part.start.kept;
        Ok(if let Some(negative) = &part.start.negative {
            Self::Signed(SignedChain::new(layer, kept, negative)?)
        } else if part.row_classes.is_empty() {
            Self::Degrees(SwapChain::new(layer, kept)?)
        } else {
            Self::Joint(JointChain::new(layer, kept, &part.row_classes, &part.column_classes)?)
        })
    }

    fn propose(&mut self, proposals: u64, stream: &mut Stream) -> u64 {
        match self {
            Self::Degrees(chain) => chain.propose(proposals, stream),
            Self::Signed(chain) => chain.propose(proposals, stream),
            Self::Joint(chain) => chain.propose(proposals, stream),
        }
    }

    fn state(&self) -> State {
        match self {
            Self::Degrees(chain) => State { kept: chain.state(), negative: None },
            Self::Joint(chain) => State { kept: chain.state(), negative: None },
            Self::Signed(chain) => {
                let (kept, negative) = chain.state();
                State { kept, negative: Some(negative) }
            }
        }
    }
}

/// The chains of a layer's parts, each with its own stream.
#[derive(Debug, Clone)]
pub(super) struct LayerChain {
    chains: Vec<(PartChain, Stream, f64, u64)>,
    /// Proposals and accepted ones so far.
    pub(super) proposals: u64,
    pub(super) accepted: u64,
}

impl LayerChain {
    /// `stream` gives the stream of a purpose, a whole layer's without more, a part's with its number.
    pub(super) fn new(
        layer: &str,
        start: &State,
        null: NullModel,
        parts: usize,
        stream: impl Fn(&str) -> Stream,
    ) -> Result<Self, RewireError> {
        let chains = start
            .parts(null, parts)
            .iter()
            .enumerate()
            .map(|(at, part)| {
                let purpose = if parts == 1 { String::new() } else { format!(", tap {at}") };
                Ok((PartChain::new(layer, part)?, stream(&purpose), part.start.kept.count() as f64, 0))
            })
            .collect::<Result<_, RewireError>>()?;
        Ok(Self { chains, proposals: 0, accepted: 0 })
    }

    /// Goes on until `per_edge` proposals for each edge.
    pub(super) fn advance(&mut self, per_edge: f64) {
        for (chain, stream, edges, done) in &mut self.chains {
            let until = (per_edge * *edges).round() as u64;
            let now = until.saturating_sub(*done);
            self.accepted += chain.propose(now, stream);
            self.proposals += now;
            *done += now;
        }
    }

    /// Where the layer is.
    pub(super) fn state(&self) -> State {
        State::join(self.chains.iter().map(|(chain, ..)| chain.state()).collect())
    }
}

/// The Markov chain of one layer under a null model with swaps, for diagnostics of one's own: what
/// [`super::draw`] runs for each layer, one state after the other.
///
/// ```
/// use prunephase::mask::LayerMask;
/// use prunephase::rewire::{Chain, NullModel, SwapOptions};
/// use prunephase::seed::Seeds;
///
/// let kept = ndarray::arr2(&[[true, false, false], [false, true, false], [false, false, true]]).into_dyn();
/// let layer = LayerMask { name: "fc1".into(), kept };
/// let mut chain = Chain::new(&layer, None, NullModel::Degrees, &SwapOptions::default(), &Seeds::new(1, 0))?;
/// chain.advance(5.0);
/// assert_eq!(chain.proposals(), 15);
/// assert_eq!(chain.state().0.kept_count(), 3);
/// # Ok::<(), prunephase::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Chain {
    like: LayerMask,
    chain: LayerChain,
    per_edge: f64,
}

impl Chain {
    /// A chain that starts at `layer`, on the stream `rewire, NULL, chain, layer NAME` of `seeds`.
    /// `signs` are the layer's weights, for null models that keep signs. [`SwapOptions::per_edge`] plays no
    /// part.
    ///
    /// # Errors
    /// [`RewireError::NoChain`] where `null` has none; [`RewireError::NeedsSigns`] where it keeps signs and
    /// `signs` are missing or of another shape; [`RewireError::NoShape`], [`RewireError::TooLarge`].
    pub fn new(
        layer: &LayerMask,
        signs: Option<&ArrayD<f32>>,
        null: NullModel,
        options: &SwapOptions,
        seeds: &Seeds,
    ) -> Result<Self, RewireError> {
        if !null.uses_swaps() {
            return Err(RewireError::NoChain { null });
        }
        let start = state_of(layer, signs, null)?;
        let stream = |part: &str| seeds.stream(&format!("rewire, {null}, chain, layer {}{part}", layer.name));
        let chain = LayerChain::new(&layer.name, &start, null, parts_of(layer, null, options), stream)?;
        Ok(Self { like: layer.clone(), chain, per_edge: 0.0 })
    }

    /// Makes `per_edge` proposals for each edge. O(proposals).
    pub fn advance(&mut self, per_edge: f64) {
        self.per_edge += per_edge.max(0.0);
        self.chain.advance(self.per_edge);
    }

    /// Proposals so far, accepted or not.
    pub fn proposals(&self) -> u64 {
        self.chain.proposals
    }

    /// Moves made so far.
    pub fn accepted(&self) -> u64 {
        self.chain.accepted
    }

    /// The mask that the chain is at, and where the null model keeps signs the negative ones of its
    /// kept places. O(cells).
    pub fn state(&self) -> (LayerMask, Option<LayerMask>) {
        let state = self.chain.state();
        (state.kept.to_layer(&self.like), state.negative.map(|negative| negative.to_layer(&self.like)))
    }
}
