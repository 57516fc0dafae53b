//! The ladder of null models of a mask: random masks that keep part of its structure and are
//! uniform among all masks that share it.
//!
//! A layer's mask is a bipartite graph between its units (rows) and its inputs (columns). The
//! *in-degree* of a unit is the number of kept weights into it, a row sum of [out, in]; the
//! *out-degree* of an input is a column sum. A convolution's mask [out, in, kh, kw] is a graph
//! between filters and input taps (in, kh, kw): rows are filters, columns are in x kh x kw taps.
//!
//! [`sample()`] draws one mask of a [`NullModel`], [`kept_weights`] puts the surviving weights on it,
//! and [`warnings`] says where a layer leaves nothing to draw or a chain had not forgotten its
//! start. Each layer of each sample has its own named random stream, `rewire, NULL, sample K,
//! layer NAME`, so that a sample does not depend on the others, on their order or on the number of
//! threads.

mod bits;
mod direct;
mod freedom;
mod mixing;
mod null_model;
mod options;
mod sample;
mod statistics;
mod swaps;
mod weights;

pub use freedom::{LayerFreedom, freedom};
pub use mixing::{MixingRow, Warning, warnings};
pub use null_model::NullModel;
pub use options::SwapOptions;
pub use sample::sample;
pub use weights::kept_weights;

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
    /// Masks and weights do not fit.
    #[error(transparent)]
    Mask(#[from] MaskError),
}
