//! The ladder of null models of a mask: random masks that keep part of its structure and are
//! uniform among all masks that share it.
//!
//! A layer's mask is a bipartite graph between its units (rows) and its inputs (columns). The
//! *in-degree* of a unit is the number of kept weights into it, a row sum of [out, in]; the
//! *out-degree* of an input is a column sum. A convolution's mask [out, in, kh, kw] is a graph
//! between filters and input taps (in, kh, kw): rows are filters, columns are in x kh x kw taps.
//!
//! [`draw`] draws one mask of a [`NullModel`] and puts the surviving weights on it ([`sample()`] and
//! [`kept_weights`] do so one after the other, for null models without signs); [`autocorrelation()`]
//! measures how fast a chain forgets, and [`warnings`] says where a layer leaves nothing to draw or
//! a chain was too short. Each layer of each sample has its own named random stream, `rewire, NULL, sample K,
//! layer NAME`, so that a sample does not depend on the others, on their order or on the number of
//! threads.

mod autocorrelation;
mod bits;
mod cells;
mod chain;
mod chain_kind;
mod codes;
mod curveball;
mod deposit;
mod direct;
mod entropy;
mod freedom;
mod joint;
mod mixing;
mod null_model;
mod options;
mod parts;
mod sample;
mod sampler;
mod signed;
mod statistics;
mod subset;
mod swaps;
mod transpose;
mod weights;

pub use autocorrelation::{Autocorrelation, autocorrelation};
pub use chain::Chain;
pub use chain_kind::ChainKind;
pub use freedom::{LayerFreedom, freedom};
pub use mixing::{MixingRow, Warning, record_autocorrelation, warnings};
pub use null_model::NullModel;
pub use options::SwapOptions;
pub use sample::{draw, sample};
pub use sampler::{Sample, Sampler};
pub use weights::{kept_weights, with_signs_of};

use thiserror::Error;

use crate::mask::MaskError;

/// A mask cannot be rewired as asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RewireError {
    /// No null model has that name.
    #[error("null model `{name}`: must be one of {known}")]
    UnknownNull {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// No chain has that name.
    #[error("chain `{name}`: must be one of {known}")]
    UnknownChain {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A number of proposals an edge that is not positive and finite.
    #[error("swaps per edge {0}: must be a number above 0 and at most 1e9; 10 is the default")]
    SwapsPerEdge(f64),
    /// A layer beyond what the swap chain can index.
    #[error("layer `{layer}`: {what} is {found}, swaps can handle at most {most}")]
    TooLarge {
        /// The layer.
        layer: String,
        /// What is too large.
        what: &'static str,
        /// How large it is.
        found: usize,
        /// The limit.
        most: u64,
    },
    /// A layer of the mask has no shape.
    #[error("layer `{layer}`: its mask has no dimensions; it must be [out, in] or [out, in, kh, kw]")]
    NoShape {
        /// The layer.
        layer: String,
    },
    /// A sampled mask cannot take the weights of the mask.
    #[error("layer `{layer}`: the mask keeps {kept} weights, the sampled mask {sampled}; they must be as many")]
    Count {
        /// The layer, or `all layers`.
        layer: String,
        /// Kept weights of the mask.
        kept: usize,
        /// Kept weights of the sampled mask.
        sampled: usize,
    },
    /// A null model that keeps signs was asked for without weights that have them.
    #[error("null model `{null}`: needs the weights, whose signs it keeps, beside the mask")]
    NeedsSigns {
        /// The null model.
        null: NullModel,
    },
    /// A chain was asked for of a null model that is drawn directly.
    #[error("null model `{null}`: is drawn directly and has no chain")]
    NoChain {
        /// The null model.
        null: NullModel,
    },
    /// Masks and weights do not fit.
    #[error(transparent)]
    Mask(#[from] MaskError),
}
