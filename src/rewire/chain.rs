//! The chain of a layer: one chain for each of its parts.

use ndarray::ArrayD;

use super::curveball::CurveballChain;
use super::joint::JointChain;
use super::parts::{Part, State, parts_of, state_of};
use super::signed::SignedChain;
use super::swaps::SwapChain;
use super::{ChainKind, NullModel, RewireError, SwapOptions};
use crate::mask::LayerMask;
use crate::seed::{Seeds, Stream};

#[derive(Debug, Clone)]
enum PartChain {
    Degrees(SwapChain),
    Curveball(CurveballChain),
    Signed(SignedChain),
    Joint(JointChain),
}

impl PartChain {
    fn new(layer: &str, part: &Part, kind: ChainKind) -> Result<Self, RewireError> {
        let kept = &part.start.kept;
        Ok(if let Some(negative) = &part.start.negative {
            Self::Signed(SignedChain::new(layer, kept, negative)?)
        } else if !part.row_classes.is_empty() {
            Self::Joint(JointChain::new(layer, kept, &part.row_classes, &part.column_classes)?)
        } else {
            match kind {
                ChainKind::Swaps => Self::Degrees(SwapChain::new(layer, kept)?),
                ChainKind::Curveball => Self::Curveball(CurveballChain::new(layer, kept)?),
            }
        })
    }

    /// Makes `steps` proposals, or rounds of Curveball; returns how many were accepted, or how many edges
    /// were dealt out anew.
    fn advance(&mut self, steps: u64, stream: &mut Stream) -> u64 {
        match self {
            Self::Degrees(chain) => chain.propose(steps, stream),
            Self::Curveball(chain) => chain.trade(steps, stream),
            Self::Signed(chain) => chain.propose(steps, stream),
            Self::Joint(chain) => chain.propose(steps, stream),
        }
    }

    fn state(&self) -> State {
        match self {
            Self::Degrees(chain) => State { kept: chain.state(), negative: None },
            Self::Curveball(chain) => State { kept: chain.state(), negative: None },
            Self::Joint(chain) => State { kept: chain.state(), negative: None },
            Self::Signed(chain) => {
                let (kept, negative) = chain.state();
                State { kept, negative: Some(negative) }
            }
        }
    }
}

/// The chain of a part, its stream, its edges, and its steps and accepted ones so far.
#[derive(Debug, Clone)]
struct Running {
    chain: PartChain,
    stream: Stream,
    edges: u64,
    steps: u64,
    accepted: u64,
}

/// The chains of a layer's parts, each with its own stream.
#[derive(Debug, Clone)]
pub(super) struct LayerChain {
    parts: Vec<Running>,
    kind: ChainKind,
}

impl LayerChain {
    /// `stream` gives the stream of a purpose, a whole layer's without more, a part's with its number.
    pub(super) fn new(
        layer: &str,
        start: &State,
        null: NullModel,
        (parts, kind): (usize, ChainKind),
        stream: impl Fn(&str) -> Stream,
    ) -> Result<Self, RewireError> {
        let parts = start
            .parts(null, parts)
            .iter()
            .enumerate()
            .map(|(at, part)| {
                let purpose = if parts == 1 { String::new() } else { format!(", tap {at}") };
                let chain = PartChain::new(layer, part, kind)?;
                let edges = part.start.kept.count() as u64;
                Ok(Running { chain, stream: stream(&purpose), edges, steps: 0, accepted: 0 })
            })
            .collect::<Result<_, RewireError>>()?;
        Ok(Self { parts, kind })
    }

    /// The least proposals an edge that the chain can make, as near as they are worth a look.
    pub(super) fn spacing(kind: ChainKind) -> f64 {
        match kind {
            ChainKind::Swaps => 0.25,
            ChainKind::Curveball => 0.5,
        }
    }

    /// Goes on until `per_edge` proposals for each edge, or 2 x `per_edge` rounds of Curveball, rounded up;
    /// returns where it stands.
    pub(super) fn advance(&mut self, per_edge: f64) -> f64 {
        // Not a round more for a sum of floats that is hardly above.
        let rounds = (2.0 * per_edge - 1e-6).ceil().max(0.0);
        for part in &mut self.parts {
            let until = match self.kind {
                ChainKind::Swaps => (per_edge * part.edges as f64).round() as u64,
                ChainKind::Curveball => rounds as u64,
            };
            let now = until.saturating_sub(part.steps);
            part.accepted += part.chain.advance(now, &mut part.stream);
            part.steps += now;
        }
        if self.kind == ChainKind::Curveball { rounds / 2.0 } else { per_edge }
    }

    /// Proposals so far. Of Curveball the edges looked at, in pairs.
    pub(super) fn proposals(&self) -> u64 {
        match self.kind {
            ChainKind::Swaps => self.parts.iter().map(|part| part.steps).sum(),
            ChainKind::Curveball => self.parts.iter().map(|part| part.steps * part.edges).sum::<u64>() / 2,
        }
    }

    /// Accepted ones of them. Of Curveball the edges dealt out anew, in pairs.
    pub(super) fn accepted(&self) -> u64 {
        let accepted = self.parts.iter().map(|part| part.accepted).sum::<u64>();
        if self.kind == ChainKind::Curveball { accepted / 2 } else { accepted }
    }

    /// Where the layer is.
    pub(super) fn state(&self) -> State {
        State::join(self.parts.iter().map(|part| part.chain.state()).collect())
    }
}

/// The name of a null model in the purposes of random streams, with that of a chain that is not its usual one.
pub(super) fn purpose(null: NullModel, kind: ChainKind) -> String {
    match kind {
        ChainKind::Swaps => null.to_string(),
        ChainKind::Curveball => format!("{null} by {kind}"),
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
    /// A chain that starts at `layer`, on the stream `rewire, NULL, chain, layer NAME` of `seeds`, with
    /// `NULL by curveball` for NULL where `options` say so.
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
        let kind = options.chain(null);
        let name = purpose(null, kind);
        let stream = |part: &str| seeds.stream(&format!("rewire, {name}, chain, layer {}{part}", layer.name));
        let chain = LayerChain::new(&layer.name, &start, null, (parts_of(layer, null, options), kind), stream)?;
        Ok(Self { like: layer.clone(), chain, per_edge: 0.0 })
    }

    /// Makes `per_edge` proposals for each edge, or 2 x `per_edge` rounds of Curveball, where the sum of all
    /// calls is rounded up. O(proposals), or O(cells / 64) a round.
    pub fn advance(&mut self, per_edge: f64) {
        self.per_edge += per_edge.max(0.0);
        self.chain.advance(self.per_edge);
    }

    /// Proposals so far, accepted or not. Of Curveball the edges looked at, in pairs: a round looks at every
    /// edge once, a proposal at two.
    pub fn proposals(&self) -> u64 {
        self.chain.proposals()
    }

    /// Moves made so far. Of Curveball the edges dealt out anew, in pairs.
    pub fn accepted(&self) -> u64 {
        self.chain.accepted()
    }

    /// The mask that the chain is at, and where the null model keeps signs the negative ones of its
    /// kept places. O(cells).
    pub fn state(&self) -> (LayerMask, Option<LayerMask>) {
        let state = self.chain.state();
        (state.kept.to_layer(&self.like), state.negative.map(|negative| negative.to_layer(&self.like)))
    }
}
